"""A document: plain data, and where everything in it stands; and how one is composed from YAML.

It is composed from the parser's events, and not with `yaml.safe_load`, for four reasons: each key and value
keeps its line and column; a key given twice is an error; aliases are copied, within a limit, so that the data
is a tree, which whoever walks it later does in a time linear in its size; and no nesting ends in
RecursionError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from glusto.errors import ConfigError

MAX_DEPTH = 100
MAX_COPIED = 100_000

_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "binary"))


class Position(NamedTuple):
    """Where something stands in a file; lines and columns count from 1, and 0 is "not known"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part)


@dataclass(slots=True)
class Place:
    """A value as it was read, where it stands, where its key stands, and the places of what it holds."""

    position: Position
    value: Any
    key: Position | None = None
    inner: dict[Any, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """What one file holds.

    Attributes:
        data: plain data, the reader's own to change.
        place: where the values in it stand; readers that don't know give the file alone.
        text: what was read, for errors to quote.
    """

    data: dict[str, Any]
    place: Place
    text: str = ""


class _Scalars(SafeConstructor, Resolver):
    """PyYAML's own rules for what a scalar means."""

    def __init__(self) -> None:
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    def tag(self, event: yaml.ScalarEvent) -> str:
        if event.tag is not None and event.tag != "!":
            return str(event.tag)
        resolve: Any = self.resolve
        tag = str(resolve(yaml.ScalarNode, event.value, event.implicit))
        # `=` has a type of its own in YAML 1.1, which no safe loader can construct
        return _TAG + "str" if tag == _TAG + "value" else tag

    def value(self, tag: str, text: str) -> Any:
        return self.yaml_constructors[tag](self, yaml.ScalarNode(tag, text))


_scalars = _Scalars()


def plain_scalar(text: str) -> Any:
    """What YAML makes of text that stands without quotes; text that it can't construct stays text.

    >>> plain_scalar("22"), plain_scalar("no"), plain_scalar("a b"), plain_scalar("")
    (22, False, 'a b', None)
    """
    tag = _scalars.tag(yaml.ScalarEvent(None, None, (True, False), text))
    try:
        return _scalars.value(tag, text)
    except (yaml.YAMLError, ValueError, OverflowError, LookupError, TypeError, AttributeError):
        return text


class Composer:
    """Makes a tree of places from the events of one YAML document."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self._events, self._file = events, file
        self._anchors: dict[str, Place | None] = {}
        self._copied = 0

    def compose(self) -> Place | None:
        """The one document of the stream; None when there is none."""
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 0)
        next(self._events)
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            self._refuse(more, "a second YAML document starts here; give it a file of its own")
        return root

    def _position(self, event: Any) -> Position:
        return Position(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(self, event: Any, problem: str) -> NoReturn:
        raise ConfigError(problem, *self._position(event))

    def _node(self, event: Any, depth: int) -> Place:
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            place = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            place = self._sequence(event, depth)
        else:
            place = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = place
        return place

    def _scalar(self, event: yaml.ScalarEvent) -> Place:
        tag = _scalars.tag(event)
        if tag == _TAG + "merge":
            tag = _TAG + "str"
        if tag not in _SCALARS:
            self._refuse_tag(event, tag)
        if _SURROGATE.search(event.value):
            self._refuse(event, "half of a surrogate pair is no character")
        try:
            return Place(self._position(event), _scalars.value(tag, event.value))
        except (yaml.YAMLError, ValueError, OverflowError, LookupError, TypeError, AttributeError) as error:
            kind = tag.removeprefix(_TAG)
            self._refuse(event, f"{event.value[:60]!r} can't be read as {kind}: {error}; quotes make it text")

    def _sequence(self, event: Any, depth: int) -> Place:
        self._check_tag(event, "seq")
        items: list[Place] = []
        while not isinstance(child := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(child, depth + 1))
        return Place(self._position(event), [item.value for item in items], inner=dict(enumerate(items)))

    def _mapping(self, event: Any, depth: int) -> Place:
        self._check_tag(event, "map", "set")
        own: dict[Any, Place] = {}
        merged: dict[Any, Place] = {}
        merge: Position | None = None
        while not isinstance(key_event := next(self._events), yaml.MappingEndEvent):
            if isinstance(key_event, yaml.ScalarEvent) and _scalars.tag(key_event) == _TAG + "merge":
                if merge:
                    self._refuse(key_event, f"`<<` is on line {merge.line} too; write one `<<: [*a, *b]`")
                merge = self._position(key_event)
                merged = self._merge(next(self._events), depth)
                continue
            key = self._node(key_event, depth + 1).value
            if isinstance(key, dict | list | set):
                self._refuse(key_event, "a list or a mapping can't be a key; a key is text or a number")
            if key in own:
                before = own[key].key
                line = before.line if before else 0
                self._refuse(key_event, f"the key {key!r} is here and on line {line}; remove or rename one")
            place = self._node(next(self._events), depth + 1)
            place.key = self._position(key_event)
            own[key] = place
        inner = merged | own
        if event.tag == _TAG + "set":
            return Place(self._position(event), set(inner))
        return Place(self._position(event), {key: place.value for key, place in inner.items()}, inner=inner)

    def _merge(self, event: Any, depth: int) -> dict[Any, Place]:
        place = self._node(event, depth + 1)
        parts = [place] if isinstance(place.value, dict) else list(place.inner.values())
        mappings = all(isinstance(part.value, dict) for part in parts)
        if not isinstance(place.value, dict | list) or not mappings:
            self._refuse(event, "`<<` takes a mapping, or a list of mappings, to merge here")
        merged: dict[Any, Place] = {}
        for part in parts:
            merged = part.inner | merged
        return merged

    def _alias(self, event: Any, depth: int) -> Place:
        if event.anchor not in self._anchors:
            self._refuse(event, f"*{event.anchor} is used, but nothing before it is named &{event.anchor}")
        place = self._anchors[event.anchor]
        if place is None:
            self._refuse(event, f"*{event.anchor} stands inside &{event.anchor}, so it would never end")
        return self._copy(place, event, depth)

    def _copy(self, place: Place, event: Any, depth: int) -> Place:
        self._copied += 1
        if self._copied > MAX_COPIED:
            self._refuse(event, f"the aliases stand for more than {MAX_COPIED} values")
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} levels deep by *{event.anchor}")
        inner = {key: self._copy(child, event, depth + 1) for key, child in place.inner.items()}
        value = place.value
        if isinstance(value, dict):
            value = {key: child.value for key, child in inner.items()}
        elif isinstance(value, list):
            value = [child.value for child in inner.values()]
        elif isinstance(value, set):
            value = set(value)
        return Place(place.position, value, place.key, inner)

    def _check_tag(self, event: Any, *allowed: str) -> None:
        if event.tag not in (None, "!", *(_TAG + name for name in allowed)):
            self._refuse_tag(event, event.tag)

    def _refuse_tag(self, event: Any, tag: str) -> NoReturn:
        short = tag.replace(_TAG, "!!")
        self._refuse(event, f"the tag {short[:80]} is not allowed here: a config is plain data")
