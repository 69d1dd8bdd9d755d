"""The schema: from a mapping in a config to a frozen dataclass, or to an error that says what to write.

A dataclass is the whole definition of a section: names, types, defaults, and checks in `Annotated` types. The
types are text, numbers, booleans, `X | None`, `Literal`, `tuple[X, ...]`, `Mapping[K, V]` and other such
dataclasses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from glusto.config import Config, Path
from glusto.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Before:
    """A change made to a value before its type is looked at."""

    change: Callable[[Any], Any]


@dataclass(frozen=True)
class Range:
    """A check that a number is in a range: minimum and maximum belong to it, `above` doesn't."""

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None

    def __call__(self, value: float) -> float:
        low = self.minimum is not None and value < self.minimum
        high = self.maximum is not None and value > self.maximum
        if low or high or (self.above is not None and value <= self.above):
            raise ConfigError(f"{value} is out of range; write a number {self}")
        return value

    def __str__(self) -> str:
        bounds = (("above", self.above), ("from", self.minimum), ("to", self.maximum))
        return " ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)


@dataclass(frozen=True)
class Spot:
    """A place in a config: what an error has to know.

    >>> Spot(Config()).at("servers", 0).error("no host")
    ConfigError('servers[0]: no host')
    """

    config: Config
    path: Path = ()
    is_key: bool = False

    def at(self, *steps: Any) -> Spot:
        """The spot of what is found from here by these keys and indices."""
        return Spot(self.config, (*self.path, *steps))

    def key(self) -> Spot:
        """The spot of the key before this value."""
        return Spot(self.config, self.path, is_key=True)

    def error(self, problem: str) -> ConfigError:
        """The error to raise for what stands here."""
        return self.config.error(self.path, problem, key=self.is_key)


def build(cls: type[T], value: object, spot: Spot, *, others_allowed: bool = False) -> T:
    """Make a settings dataclass from a mapping.

    Args:
        cls: a dataclass whose fields are made of the types in this module.
        value: the mapping; None is an empty one.
        spot: where it stands.
        others_allowed: leave keys that `cls` doesn't know alone.

    Raises:
        ConfigError: an unknown or missing key, or a value of the wrong type or out of range.

    >>> from glusto.settings import SshSettings
    >>> config = Config({"ssh": {"usr": "admin"}})
    >>> build(SshSettings, config.data["ssh"], Spot(config).at("ssh"))
    Traceback (most recent call last):
    glusto.errors.ConfigError: ssh.usr: unknown key; did you mean `user`?
    """
    given = {} if value is None else value
    kind: Any = cls  # mypy takes no type[T] for Hashable
    hints = _hints(kind)
    if not isinstance(given, Mapping):
        raise spot.error(f"expected a mapping of {', '.join(hints)}; got {shown(value)}")
    for key in given:
        if key not in hints and not others_allowed:
            raise spot.at(key).key().error(_unknown_key(key, hints))
    for name in _required(kind):
        if name not in given:
            raise spot.key().error(f"`{name}` is missing; write `{name}: …`")
    return cls(**{name: convert(hint, given[name], spot.at(name))
                  for name, hint in hints.items() if name in given})


def convert(hint: Any, value: Any, spot: Spot) -> Any:
    """Check a value against a type annotation, and give it back as that type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(args, value, spot)
    if origin in (Union, UnionType):
        inner = next(arg for arg in args if arg is not type(None))
        return None if value is None else convert(inner, value, spot)
    if origin is Literal:
        return _choice(args, value, spot)
    if origin is tuple:
        return _list(args[0], value, spot)
    if origin is Mapping:
        return _mapping(args, value, spot)
    if is_dataclass(hint):
        return build(hint, value, spot)  # type: ignore[arg-type]
    return value if hint is Any else _scalar(hint, value, spot)


def checked(check: Callable[[Any], Any], value: Any, spot: Spot) -> Any:
    """What a check makes of a value; its ConfigError gets the spot's position."""
    try:
        return check(value)
    except ConfigError as error:
        raise spot.error(error.problem) from error


def shown(value: object) -> str:
    """A value as an error shows it: in one short line."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def freeze(value: Any) -> Any:
    """A copy that can't be changed: mappings are read-only, lists are tuples."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return frozenset(value) if isinstance(value, set) else value


def nothing() -> Mapping[str, Any]:
    """An empty mapping that can't be changed."""
    return MappingProxyType({})


def _annotated(args: tuple[Any, ...], value: Any, spot: Spot) -> Any:
    kind, *steps = args
    for step in steps:
        value = step.change(value) if isinstance(step, Before) else value
    value = convert(kind, value, spot)
    for step in steps:
        value = value if isinstance(step, Before) else checked(step, value, spot)
    return value


def _choice(choices: tuple[str, ...], value: Any, spot: Spot) -> str:
    # YAML reads a bare yes or no as true or false
    word = ("yes" if value else "no") if isinstance(value, bool) else value
    if not isinstance(word, str) or word not in choices:
        raise spot.error(f"expected one of {', '.join(choices)}; got {shown(value)}")
    return word


def _list(kind: Any, value: Any, spot: Spot) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        example = f"; write [{value}]" if isinstance(value, str) else ""
        raise spot.error(f"expected a list; got {shown(value)}{example}")
    return tuple(convert(kind, item, spot.at(index)) for index, item in enumerate(value))


def _mapping(kinds: tuple[Any, Any], value: Any, spot: Spot) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise spot.error(f"expected a mapping (`key: value`); got {shown(value)}")
    return MappingProxyType({
        convert(kinds[0], key, spot.at(key).key()): convert(kinds[1], item, spot.at(key))
        for key, item in value.items()})


_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _scalar(kind: type, value: Any, spot: Spot) -> Any:
    right = isinstance(value, int | float if kind is float else kind)
    if right and (kind is bool or not isinstance(value, bool)):
        if isinstance(value, float) and not math.isfinite(value):
            raise spot.error(f"expected {_KINDS[kind]}; got {value}")
        return value
    hint = ""
    if kind is str and value is not None and not isinstance(value, list | dict):
        hint = f'; quotes make it text: "{value}"'
    elif kind is not str and isinstance(value, str):
        hint = "; write it without quotes"
    raise spot.error(f"expected {_KINDS[kind]}; got {shown(value)}{hint}")


def _unknown_key(key: object, known: Mapping[str, Any]) -> str:
    import difflib

    near = difflib.get_close_matches(str(key).replace("-", "_"), known, 1, 0.6)
    return f"unknown key; did you mean `{near[0]}`?" if near else f"unknown key; known are {', '.join(known)}"


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


@cache
def _required(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls)
                 if each.default is MISSING and each.default_factory is MISSING)
