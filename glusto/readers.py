"""Readers: bytes or text of one kind, to a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from glusto.document import MAX_DEPTH, Composer, Document, Place, Position
from glusto.errors import ConfigError

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_REFERENCE = re.compile(r"%\(([^()]+)\)s")
_SECTION = re.compile(r"\[(.+)\]")
_OPTION = re.compile(r"(.*?)\s*(?:[=:]\s*(.*))?$")
_DEEPEST_REFERENCE = 10
_LONGEST_FILLED = 10_000
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def parse_yaml(text: str, file: str = "") -> Document:
    """Read YAML text; an empty document is an empty mapping.

    Args:
        text: one YAML document, with a mapping at its top.
        file: the name that positions and errors show.

    Raises:
        ConfigError: it is no YAML, more than plain data, or too much of it.

    >>> document = parse_yaml("servers: [a, b]", "lab.yml")
    >>> document.data, str(document.place.inner["servers"].inner[1].position)
    ({'servers': ['a', 'b']}, 'lab.yml:1:14')
    """
    root = compose_yaml(text, file)
    if root is None or root.value is None:
        return Document({}, Place(Position(file), {}), text)
    if not isinstance(root.value, dict):
        kind = type(root.value).__name__
        raise ConfigError(f"a config is a mapping (`key: value`), and this is a {kind}", *root.position)
    for key, place in root.inner.items():
        if not isinstance(key, str):
            raise ConfigError(f'top-level keys are text, and {key!r} is not; quotes make it text: "{key}"',
                              *(place.key or place.position))
    return Document(root.value, root, text)


def compose_yaml(text: str, file: str = "") -> Place | None:
    """Read YAML text, whatever is at its top; None when it is empty. Arguments and errors as for `parse_yaml`."""
    check_characters(text, file)
    try:
        return Composer(yaml.parse(text, Loader=_LOADER), file).compose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        in_flow = mark and "${" in "".join(text.splitlines()[mark.line:mark.line + 1])[:mark.column + 1]
        hint = '; within {…} and […] a reference stands in quotes: "${NAME}"' if in_flow else ""
        raise ConfigError(f"no valid YAML: {said}{hint}", file, line, column) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the pure Python parser on odd escapes
        raise ConfigError(f"no valid YAML: {error}", file) from error
    except RecursionError as error:
        raise ConfigError("nested too deep", file) from error


def parse_json(text: str, file: str = "") -> Document:
    """Read JSON text with an object at its top; errors and arguments are those of `parse_yaml`."""
    data = json_value(text, file)
    if not isinstance(data, dict):
        raise ConfigError(f"a config is an object ({{…}}), and this is a {type(data).__name__}", file, 1, 1)
    try:
        place = _holding(data, parse_yaml(text.replace("\t", " "), file).place)  # JSON is nearly YAML
    except ConfigError:
        place = Place(Position(file), data)
    return Document(data, place, text)


def _holding(data: Any, place: Place) -> Place:
    """Return the same places for what JSON means: `1e5` and `Infinity` are words in YAML."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    inner = {step: _holding(part, place.inner[step]) for step, part in parts if step in place.inner}
    return Place(place.position, data, place.key, inner)


def json_value(text: str, file: str = "") -> Any:
    """Read JSON text, whatever is at its top; errors and arguments are those of `parse_yaml`."""
    import json

    check_characters(text, file)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                compose_yaml(text.replace("\t", " "), file)  # it raises the same, and knows where
                raise ConfigError(f"the key {key!r} is twice in one object; remove or rename one", file)
            found[key] = value
        return found

    try:
        data = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ConfigError(f"no valid JSON: {error.msg}", file, error.lineno, error.colno) from error
    except (RecursionError, ValueError) as error:
        compose_yaml(text.replace("\t", " "), file)  # as above
        raise ConfigError(f"no valid JSON: {error}", file) from error
    if _depth(data) > MAX_DEPTH:
        compose_yaml(text.replace("\t", " "), file)  # as above
        raise ConfigError(f"nested more than {MAX_DEPTH} levels deep", file)
    return data


def parse_ini(text: str, file: str = "", *, interpolate: bool = True) -> Document:
    r"""Read INI text: section → name → text (None for a name alone); case is kept.

    Args:
        text: the sections.
        file: the name that positions and errors show.
        interpolate: have `%(name)s` stand for what the section says of that name; other percent signs are kept.

    >>> parse_ini("[Hosts]\nnet = 10.0.0\nweb = %(net)s.1\nfull = 100%").data
    {'Hosts': {'net': '10.0.0', 'web': '10.0.0.1', 'full': '100%'}}
    """
    import configparser

    check_characters(text, file)
    parser = configparser.ConfigParser(interpolation=None, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's documentation has it
    try:
        parser.read_string(text, file)
    except AttributeError as error:  # configparser's own, where an indented line follows a name without a value
        raise ConfigError("no valid INI: a line that goes on follows a name that has no value", file) from error
    except configparser.Error as error:
        wrong = getattr(error, "errors", None)
        line = wrong[0][0] if wrong else getattr(error, "lineno", None) or 0
        why = "a line is `[section]`, `name = value` or `name`" if wrong else error.message.splitlines()[0]
        raise ConfigError(f"no valid INI: {why}", file, line) from error
    data: dict[str, Any] = {name: dict(parser.items(name)) for name in parser.sections()}
    if interpolate:
        data = {name: _interpolated(section) for name, section in data.items()}
    return Document(data, _ini_places(text, file, data), text)


def _ini_places(text: str, file: str, data: dict[str, Any]) -> Place:
    """Where sections, names and values stand; configparser doesn't tell."""
    root = Place(Position(file), data)
    section, indent = Place(Position(file), {}), 0
    for number, line in enumerate(text.splitlines(), 1):
        written = line.strip()
        start = line.find(written) if written else 0
        if not written or written.startswith(("#", ";")) or (section.inner and start > indent):
            continue  # the last is a value that goes on
        indent = start
        if found := _SECTION.match(written):
            here = Position(file, number, start + 1)
            section = Place(here, data.get(found[1], {}), here)
            if found[1] in data:
                root.inner[found[1]] = section
        elif (found := _OPTION.match(written)) and found[1] in section.value:
            at = start + (found.start(2) if found[2] else 0) + 1
            here = Position(file, number, at)
            section.inner[found[1]] = Place(here, section.value[found[1]], Position(file, number, start + 1))
    return root


def _interpolated(section: dict[str, str | None]) -> dict[str, str | None]:
    for _ in range(_DEEPEST_REFERENCE):
        filled = {name: value and _filled(name, value, section) for name, value in section.items()}
        if filled == section:
            break
        section = filled
    return section


def _filled(name: str, value: str, section: dict[str, str | None]) -> str:
    wanted = [other for other in _REFERENCE.findall(value) if other != name]
    known = {other: text for other in wanted if (text := section.get(other)) is not None}
    if sum(len(known.get(other, "")) for other in wanted) > _LONGEST_FILLED:
        return value
    return _REFERENCE.sub(lambda found: known.get(found[1], found[0]), value)


def decode(content: bytes, file: str = "") -> str:
    """The text of a file's bytes, which are UTF-8.

    Raises:
        ConfigError: they are not; with the position of the first wrong byte.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")  # a BOM is cut from error.object already
        raise ConfigError(f"the byte {error.object[error.start]:#04x} is no UTF-8; save the file as UTF-8",
                          file, *_line_and_column(before)) from error


def check_characters(text: str, file: str) -> None:
    """Refuse text with control characters in it, which is no text file.

    Raises:
        ConfigError: there is one; with its position.
    """
    if found := _REFUSED.search(text):
        raise ConfigError(f"the character {found[0]!r} can't stand in a config; is this a text file?",
                          file, *_line_and_column(text[: found.start()]))


def _line_and_column(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _depth(data: object) -> int:
    depth, level = 0, [data]
    while level:
        depth += 1
        level = [child for item in level if isinstance(item, dict | list)
                 for child in (item.values() if isinstance(item, dict) else item)]
    return depth


PARSERS: Mapping[str, Callable[[str, str], Document]] = {
    "yml": parse_yaml, "yaml": parse_yaml, "json": parse_json, "ini": parse_ini,
}
