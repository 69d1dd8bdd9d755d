"""Readers of Ansible inventories: INI and YAML, with where everything stands."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from typing import Any

from glusto.ansible import Groups, Valued
from glusto.document import Place, Position
from glusto.errors import ConfigError
from glusto.readers import check_characters, compose_yaml

MOST_HOSTS = 100_000  # that one range may stand for

_RANGE = re.compile(r"\[(\w+):(\w+)(?::(\d+))?\]")
_SECTION = re.compile(r"\[([^:\]]+)(?::([^\]]*))?\]\s*(?:[#;].*)?$")
_PORT = re.compile(r"(?:\[([^\]]+)\]|([^:]+)):(\d+)$")
_NAME = re.compile(r"[A-Za-z_]\w*$")
_OF_PLUGINS = (
    "a plugin's own config is not understood; write what it gives to a file: ansible-inventory -i FILE --list --yaml"
)


def expand(pattern: str, position: Position) -> list[str]:
    """The hosts that a name with ranges stands for.

    >>> expand("web[08:10].example.com", Position(""))
    ['web08.example.com', 'web09.example.com', 'web10.example.com']
    >>> expand("db-[a:c]", Position(""))
    ['db-a', 'db-b', 'db-c']
    """
    found = _RANGE.search(pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], expand(pattern[found.end() :], position)
    parts = _parts(found, position)
    if len(parts) * len(after) > MOST_HOSTS:
        raise ConfigError(f"{pattern} stands for more than {MOST_HOSTS} hosts", *position)
    return [f"{before}{part}{rest}" for part in parts for rest in after]


def _parts(found: re.Match[str], position: Position) -> list[str]:
    first, last, step = found[1], found[2], int(found[3] or 1)
    if first.isdecimal() and last.isdecimal() and (first[0] != "0" or len(first) == len(last)):
        if step and int(first) <= int(last) < int(first) + MOST_HOSTS:
            return [
                f"{number:0{len(first) if first[0] == '0' else 1}d}"
                for number in range(int(first), int(last) + 1, step)
            ]
    elif len(first) == len(last) == 1 and first.isalpha() and last.isalpha() and step and first <= last:
        return [chr(number) for number in range(ord(first), ord(last) + 1, step)]
    raise ConfigError(f"{found[0]} is no range; write it as [1:20], [01:20] or [a:f], the lesser first", *position)


def parse_ini(text: str, file: str = "") -> Groups:
    r"""Read an inventory in INI.

    Raises:
        ConfigError: a line is no host, no variable and no section; with its position.

    >>> groups = parse_ini("[web]\nw[1:2] ansible_port=2222\n").groups
    >>> list(groups["web"].hosts)
    ['w1', 'w2']
    """
    check_characters(text, file)
    groups, group, kind = Groups(), "ungrouped", "hosts"
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        position = Position(file, number, len(line) - len(line.lstrip()) + 1)
        if not written or written[0] in "#;":
            continue
        if found := _SECTION.match(written):
            group, kind = found[1].strip(), found[2] or "hosts"
            if kind not in ("hosts", "children", "vars"):
                raise ConfigError(
                    f"[{group}:{kind}] is no section; it is [{group}], [{group}:children] or [{group}:vars]", *position
                )
            groups.group(group, position)
        elif kind == "children":
            child = written.split("#")[0].strip()
            groups.group(child, position)
            groups.groups[group].children.setdefault(child, position)
        elif kind == "vars":
            name, equals, value = (part.strip() for part in written.partition("="))
            if not equals or not _NAME.match(name):
                raise ConfigError("a line of a :vars section is NAME=VALUE", *position)
            groups.groups[group].vars[name] = Valued(literal(value), position)
        else:
            _add_line(groups, group, line, position)
    return groups


def _add_line(groups: Groups, group: str, line: str, position: Position) -> None:
    """A host, or a range of hosts, and variables behind it."""
    try:
        first, *words = shlex.split(line, comments=True)
    except ValueError as error:
        raise ConfigError(f"quotes don't match here ({error})", *position) from error
    variables: dict[str, Valued] = {}
    at = line.find(first) + len(first)
    for word in words:
        name, equals, value = word.partition("=")
        at = max(line.find(name, at), at)
        here = Position(position.file, position.line, at + 1)
        if not equals or not _NAME.match(name):
            raise ConfigError(
                f"{word!r} is no variable; behind a host stand NAME=VALUE, with quotes around spaces", *here
            )
        variables[name] = Valued(literal(value), here)
    for name, port in _names(first, position):
        groups.add_host(group, name, position, {**port, **variables})


def _names(pattern: str, position: Position) -> Iterator[tuple[str, dict[str, Valued]]]:
    """Each host that a pattern stands for, and the port that it names."""
    port = {}
    ported = _PORT.match(_RANGE.sub("x", pattern))
    if ported:
        pattern = pattern.removesuffix(f":{ported[3]}")
        pattern = pattern[1:-1] if ported[1] else pattern
        port = {"ansible_port": Valued(int(ported[3]), position)}
    for name in expand(pattern, position):
        yield name, port


def literal(text: str) -> Any:
    """A value of INI as Ansible reads it: a literal of Python, or else text.

    >>> literal("22"), literal("True"), literal("/opt/python3"), literal("'01'")
    (22, True, '/opt/python3', '01')
    """
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text
    return list(value) if isinstance(value, tuple | set) else value


def parse_yaml(text: str, file: str = "") -> Groups:
    r"""Read an inventory in YAML.

    Raises:
        ConfigError: it is no inventory; with the position of what is wrong.

    >>> groups = parse_yaml("all: {children: {web: {hosts: {w1: {ansible_port: 22}}}}}").groups
    >>> list(groups["web"].hosts)
    ['w1']
    """
    root = compose_yaml(text, file)
    groups = Groups()
    if root is None or root.value is None:
        return groups
    for key, place in _items(root, "an inventory is a mapping of groups").items():
        if key == "plugin":
            raise ConfigError(_OF_PLUGINS, *(place.key or place.position))
        if key == "_meta":
            raise ConfigError(
                "this is what --list gives a program; add --yaml to it: ansible-inventory --list --yaml",
                *(place.key or place.position),
            )
        _add_group(groups, str(key), place)
    return groups


def _add_group(groups: Groups, name: str, place: Place) -> None:
    group = groups.group(name, place.key or place.position)
    for key, part in _items(place, "a group is a mapping of hosts, vars and children").items():
        here = part.key or part.position
        if key == "hosts":
            for pattern, about in _items(part, "hosts are a mapping: a name, a colon, and variables within").items():
                variables = _variables(about)
                for host, port in _names(str(pattern), about.key or about.position):
                    groups.add_host(name, host, about.key or about.position, {**port, **variables})
        elif key == "vars":
            group.vars.update(_variables(part))
        elif key == "children":
            for child, about in _items(part, "children are a mapping of groups").items():
                group.children.setdefault(str(child), about.key or about.position)
                _add_group(groups, str(child), about)
        else:
            raise ConfigError(f"{key} is no part of a group; its parts are hosts, vars and children", *here)


def _variables(place: Place) -> dict[str, Valued]:
    items = _items(place, "variables are a mapping (`name: value`)")
    return {str(name): Valued(part.value, part.position) for name, part in items.items()}


def _items(place: Place, expected: str) -> dict[Any, Place]:
    if place.value is None:
        return {}
    if not isinstance(place.value, dict):
        raise ConfigError(expected, *place.position)
    return place.inner
