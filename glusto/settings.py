"""The sections of a config that Glusto knows, as frozen dataclasses, and the one function that fills them.

A dataclass is the whole definition of its section: names, types, defaults, and checks as `Annotated` types.
`build` turns a mapping into one, or into a ConfigError that says where it is wrong and what to write.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from glusto.config import Config, Path
from glusto.errors import ConfigError
from glusto.names import check_interpreter, check_path, check_text, check_user_name

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


def check_option_name(name: str) -> str:
    """The name of an ssh_config(5) option, or ConfigError."""
    if not re.fullmatch("[A-Za-z]+", name):
        raise ConfigError(f"{name!r} is no ssh_config(5) option; their names are letters, as in Compression")
    return name


def _option_value(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int | float) else value


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


UserName = Annotated[str, check_user_name]
FilePath = Annotated[str, check_path]
Interpreter = Annotated[str, check_interpreter]
Port = Annotated[int, Range(minimum=1, maximum=65535)]
Seconds = Annotated[float, Range(above=0)]
OptionName = Annotated[str, check_option_name]
OptionValue = Annotated[str, Before(_option_value), check_text]
Vars = Annotated[Mapping[str, Any], freeze]


@dataclass(frozen=True)
class SshSettings:
    """How ssh is called, for every host: the `ssh:` section."""

    user: UserName = "root"
    keyfile: FilePath | None = None
    strict_host_key_checking: Literal["accept-new", "yes", "no"] = "accept-new"
    connect_timeout: Seconds = 10
    config_file: FilePath | None = None
    options: Mapping[OptionName, OptionValue] = field(default_factory=nothing, hash=False)
    forward_agent: bool = False


@dataclass(frozen=True)
class Reports:
    """Where reports go: the `reports:` section."""

    dir: FilePath = "reports"


@dataclass(frozen=True)
class DiscoverTests:
    """What `unittest` discovery is given."""

    start_dir: FilePath = "."
    pattern: str = "test*.py"
    top_level_dir: FilePath | None = None


@dataclass(frozen=True)
class UnittestList:
    """Test cases of one module, in this order."""

    module_name: str
    list: tuple[str, ...]


@dataclass(frozen=True)
class ModuleTests:
    """All tests of one module."""

    module_name: str
    use_load_tests: bool = True


@dataclass(frozen=True)
class UnittestSettings:
    """Which tests run: the `unittest:` section."""

    output_junit: bool = True
    test_method_prefix: str = "test"
    discover_tests: DiscoverTests | None = None
    load_tests_from_list: bool = False
    unittest_list: UnittestList | None = None
    load_tests_from_module: ModuleTests | None = None
    load_tests_from_name: str | None = None
    load_tests_from_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Every top-level key that Glusto knows, but for the roles."""

    users: tuple[UserName, ...] = ()
    instances: Annotated[int, Range(minimum=1)] = 1
    ssh: SshSettings = SshSettings()
    reports: Reports = Reports()
    unittest: UnittestSettings = UnittestSettings()
    dead_man_seconds: Seconds = 60
    keep_residue: bool = False


def build(cls: type[T], value: object, path: Path, config: Config, *, others_allowed: bool = False) -> T:
    """Make a settings dataclass from a mapping.

    Args:
        cls: a dataclass whose fields are made of the types in this module.
        value: the mapping; None is an empty one.
        path: where it stands in `config`, for errors.
        config: what knows the lines.
        others_allowed: leave keys that `cls` doesn't know alone.

    Raises:
        ConfigError: an unknown or missing key, or a value of the wrong type or out of range.

    >>> config = Config({"ssh": {"usr": "admin"}})
    >>> build(SshSettings, config.data["ssh"], ("ssh",), config)
    Traceback (most recent call last):
    glusto.errors.ConfigError: ssh.usr: unknown key; did you mean `user`?
    """
    given = {} if value is None else value
    hints = _hints(cls)
    if not isinstance(given, Mapping):
        raise config.error(path, f"expected a mapping of {', '.join(hints)}; got {_shown(value)}")
    for key in given:
        if key not in hints and not others_allowed:
            raise config.error((*path, key), unknown_key(key, hints), key=True)
    for name in _required(cls):
        if name not in given:
            raise config.error(path, f"`{name}` is missing; write `{name}: …`", key=True)
    return cls(**{name: convert(hint, given[name], (*path, name), config)
                  for name, hint in hints.items() if name in given})


def convert(hint: Any, value: Any, path: Path, config: Config) -> Any:
    """Check a value against a type annotation and give it back as that type; arguments as for `build`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        for change in args[1:]:
            value = change.change(value) if isinstance(change, Before) else value
        value = convert(args[0], value, path, config)
        for check in args[1:]:
            value = value if isinstance(check, Before) else _checked(check, value, path, config)
        return value
    if origin in (Union, UnionType):
        inner = next(arg for arg in args if arg is not type(None))
        return None if value is None else convert(inner, value, path, config)
    if origin is Literal:
        return _choice(args, value, path, config)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            example = f"; write [{value}]" if isinstance(value, str) else ""
            raise config.error(path, f"expected a list; got {_shown(value)}{example}")
        return tuple(convert(args[0], item, (*path, index), config) for index, item in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise config.error(path, f"expected a mapping (`key: value`); got {_shown(value)}")
        return MappingProxyType({
            convert(args[0], key, (*path, key), config): convert(args[1], item, (*path, key), config)
            for key, item in value.items()})
    if is_dataclass(hint):
        return build(hint, value, path, config)  # type: ignore[arg-type]
    return value if hint is Any else _scalar(hint, value, path, config)


def unknown_key(key: object, known: Mapping[str, Any]) -> str:
    """What to say of a key that is not among the known ones."""
    near = difflib.get_close_matches(str(key).replace("-", "_"), known, 1, 0.6)
    return f"unknown key; did you mean `{near[0]}`?" if near else f"unknown key; known are {', '.join(known)}"


def _checked(check: Callable[[Any], Any], value: Any, path: Path, config: Config) -> Any:
    try:
        return check(value)
    except ConfigError as error:
        raise config.error(path, error.problem) from error


def _choice(choices: tuple[str, ...], value: Any, path: Path, config: Config) -> str:
    # YAML reads a bare yes or no as true or false
    word = ("yes" if value else "no") if isinstance(value, bool) else value
    if not isinstance(word, str) or word not in choices:
        raise config.error(path, f"expected one of {', '.join(choices)}; got {_shown(value)}")
    return word


_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _scalar(kind: type, value: Any, path: Path, config: Config) -> Any:
    right = isinstance(value, int | float if kind is float else kind)
    if right and (kind is bool or not isinstance(value, bool)):
        if isinstance(value, float) and not math.isfinite(value):
            raise config.error(path, f"expected {_KINDS[kind]}; got {value}")
        return value
    hint = ""
    if kind is str and value is not None and not isinstance(value, list | dict):
        hint = f'; quotes make it text: "{value}"'
    elif kind is not str and isinstance(value, str):
        hint = "; write it without quotes"
    raise config.error(path, f"expected {_KINDS[kind]}; got {_shown(value)}{hint}")


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


@cache
def _required(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls)
                 if each.default is MISSING and each.default_factory is MISSING)
