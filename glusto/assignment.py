"""Assignments: `ssh.user=admin` on a command line, one value of a config set by its path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from glusto.document import Document, Place, Position
from glusto.errors import ConfigError
from glusto.readers import compose_yaml

_STEP = re.compile(r'\.?(?:"([^"]*)"|\[(\d+)\]|([^.\[\]"]+))')


class _Step(NamedTuple):
    text: str
    quoted: bool


class _Target(NamedTuple):
    """What is assigned, and where the path to it is written."""

    value: Place
    key: Position


def assigned(assignment: str, data: Mapping[str, Any], places: Mapping[Any, Place], origin: str) -> Document:
    """Return the top-level key that an assignment changes, with all that is in it; what is given is not changed.

    Args:
        assignment: path, `=` and a value, which is read as YAML.
        data, places: the config.
        origin: the name that errors show, before the path.

    Raises:
        ConfigError: it is no assignment, or there is no such place.
    """
    path, equals, text = assignment.partition("=")
    file = f"{origin} {path}".strip()
    steps = _steps(path)
    if not equals or not steps:
        raise ConfigError("an assignment is KEY=VALUE, as in ssh.user=admin or servers.web.port=2222", file)
    try:
        place = compose_yaml(" " * (len(path) + 1) + text, file)
    except ConfigError as error:
        error.quote(assignment)
        raise
    at = Position(file, 1, len(path) + 2)
    try:
        top, rest = _key(data, steps)
        target = _Target(place or Place(at, None), Position(file, 1, 1))
        new = _with(data.get(top), places.get(top), rest, target, (top,))
    except ConfigError as error:
        raise ConfigError(error.problem, file, 1, 1, assignment) from None
    return Document({top: new.value}, Place(at, {top: new.value}, inner={top: new}), assignment)


def _steps(path: str) -> list[_Step]:
    """The steps of a path; none when it is no path."""
    found = list(_STEP.finditer(path))
    if "".join(one[0] for one in found) != path or path.startswith("."):
        return []
    return [_Step(one[1] or one[2] or one[3] or "", quoted=one[1] is not None) for one in found]


def _key(data: Mapping[Any, Any], steps: list[_Step]) -> tuple[Any, list[_Step]]:
    """The key that the first steps name, and the steps after it; a key with dots in it is found if it is there."""
    for count in range(len(steps), 0, -1):
        name = ".".join(step.text for step in steps[:count])
        if name in data and (count == 1 or not any(step.quoted for step in steps[:count])):
            return name, steps[count:]
    first = steps[0].text
    number = int(first) if first.isdecimal() and not steps[0].quoted else None
    return (number if number in data and number is not None else first), steps[1:]


def _with(value: Any, place: Place | None, steps: list[_Step], target: _Target, path: tuple[Any, ...]) -> Place:
    """A value as it is with the target in it, and where all of that stands."""
    from glusto.config import spell

    if not steps:
        return Place(target.value.position, target.value.value, target.key, target.value.inner)
    inner = dict(place.inner) if place is not None else {}
    if isinstance(value, list):
        if not steps[0].text.isdecimal() or int(steps[0].text) >= len(value):
            raise ConfigError(f"{spell(path)} is a list of {len(value)}; write the number of one of them, from 0 up")
        key, rest = int(steps[0].text), steps[1:]
        items = list(value)
        inner[key] = _with(items[key], inner.get(key), rest, target, (*path, key))
        items[key] = inner[key].value
        changed: Any = items
    elif value is None or isinstance(value, Mapping):
        key, rest = _key(value or {}, steps)
        inner[key] = _with((value or {}).get(key), inner.get(key), rest, target, (*path, key))
        changed = {**(value or {}), key: inner[key].value}
    else:
        raise ConfigError(
            f"{spell(path)} is {value!r}, so nothing can be set within it; set all of it, as in {spell(path)}={{…}}"
        )
    top = place or Place(target.key, None, target.key)
    return Place(top.position, changed, top.key, inner)
