"""Config: load, merge, show. Pure data; what it means for hosts is the inventory's business."""

from __future__ import annotations

import datetime
import enum
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from glusto.document import MAX_DEPTH, Document, Place, Position
from glusto.errors import ConfigError
from glusto.readers import PARSERS, decode, parse_json, parse_yaml

__all__ = [
    "Config", "Document", "Path", "Position",
    "dump", "load", "mask", "parse_json", "parse_yaml", "plain", "spell",
]

Path = tuple[Any, ...]

_SECRET = re.compile(r"passw(or)?d|passphrase|secret|token|privatekey|apikey|accesskey|credential")
_MASK = "***"


def load(filename: str | os.PathLike[str], config_type: str | None = None) -> Document:
    """Read a file of data.

    Args:
        filename: a path; `~` is the home directory, and a leading `file://` is accepted.
        config_type: yml, yaml, json or ini; the file name's extension when None.

    Raises:
        ConfigError: there is no such file, it can't be read, or what it holds is no config.
    """
    name = _local_path(os.fspath(filename))
    kind = (config_type or os.path.splitext(name)[1].lstrip(".")).lower()
    if kind not in PARSERS:
        raise ConfigError(f"{kind or 'no extension'!r} is no kind of config that can be read; "
                          f"it is one of {', '.join(PARSERS)}", name)
    try:
        with open(name, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise ConfigError(f"no such file; the working directory is {_working_directory()}", name) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"can't be read: {why}", repr(name) if "\0" in name else name) from error
    return PARSERS[kind](decode(content, name), name)


class Config:
    r"""The live configuration, and where its values come from.

    Attributes:
        data: a plain dictionary. Anybody may change it or put another one in its place, at any time; what
            was changed has no position, and everything else keeps its own.

    >>> config = Config(parse_yaml("users: [root]", "a.yml"), parse_yaml("ssh:\n  user: admin", "b.yml"))
    >>> config.data
    {'users': ['root'], 'ssh': {'user': 'admin'}}
    >>> str(config.where(("ssh", "user")))
    'b.yml:2:9'
    """

    def __init__(self, *documents: Document | Mapping[str, Any]) -> None:
        self.data: dict[str, Any] = {}
        self._places: dict[Any, Place] = {}
        for document in documents:
            self.update(document)

    def update(self, document: Document | Mapping[str, Any]) -> None:
        """Take over each top-level key of a document, or of a mapping made by a program; the later wins.

        Raises:
            ConfigError: it is neither.
        """
        root = document.place if isinstance(document, Document) else None
        data = document.data if isinstance(document, Document) else document
        if not isinstance(data, Mapping):
            raise ConfigError(f"a config is a mapping, and this is a {type(data).__name__}")
        for key, value in data.items():
            self.data[key] = value
            self._places.pop(key, None)
            if root is not None:
                self._places[key] = root.inner.get(key) or Place(root.position, value)

    def where(self, path: Sequence[Any], *, key: bool = False) -> Position | None:
        """Where a value was written, or else the nearest thing around it that is known; None for nothing.

        Args:
            path: keys and list indices, from the top.
            key: where its key was written, rather than the value.
        """
        found: Position | None = None
        data: Any = self.data
        places = self._places
        for depth, step in enumerate(path, 1):
            try:
                place, data = places[step], data[step]
            except (LookupError, TypeError):
                return found
            if not _same(data, place.value):
                return found
            found = place.position if depth == len(path) and not key else place.key or place.position
            places = place.inner
        return found

    def error(self, path: Sequence[Any], problem: str, *, key: bool = False) -> ConfigError:
        """The error to raise for the value (or the key) at a path; it starts with the path."""
        position = self.where(path, key=key) or Position("")
        return ConfigError(f"{spell(path)}: {problem}" if path else problem, *position)


def spell(path: Sequence[Any]) -> str:
    """A path as people write it.

    >>> spell(("servers", 0, "port"))
    'servers[0].port'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def dump(obj: object) -> str:
    """YAML text for anything: no aliases, no tags, keys in the order they have.

    >>> print(dump({"users": ("root", "george"), "ssh": {"user": "root"}}), end="")
    users:
    - root
    - george
    ssh:
      user: root
    """
    return str(yaml.dump(plain(obj), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000))


def mask(obj: object) -> Any:
    """A plain copy in which the value of every key that names a secret is `***`.

    >>> mask({"user": "root", "db": {"DB-Password": "x", "keyfile": "~/.ssh/id"}})
    {'user': 'root', 'db': {'DB-Password': '***', 'keyfile': '~/.ssh/id'}}
    """
    return _masked(plain(obj))


def plain(obj: object, _around: tuple[int, ...] = ()) -> Any:
    """A copy of anything as plain data: dictionaries, lists, text, numbers, dates, true, false, null.

    Raises:
        ConfigError: it holds itself, or is nested too deep.
    """
    if obj is None or isinstance(obj, bool | datetime.date):
        return obj
    if isinstance(obj, enum.Enum):
        return plain(obj.value, _around)
    if isinstance(obj, int | float):
        return int(obj) if isinstance(obj, int) else float(obj)
    if isinstance(obj, bytes | bytearray):
        return obj.decode("utf-8", "backslashreplace")
    if isinstance(obj, str):
        return str(obj).encode("utf-8", "backslashreplace").decode()
    if id(obj) in _around or len(_around) > MAX_DEPTH:
        kind = type(obj).__name__
        raise ConfigError(f"a {kind} holds itself, or is nested more than {MAX_DEPTH} levels deep")
    around = (*_around, id(obj))
    if isinstance(obj, list | tuple):
        return [plain(item, around) for item in obj]
    if isinstance(obj, set | frozenset):
        return sorted((plain(item, around) for item in obj), key=lambda item: (str(type(item)), str(item)))
    fields = obj if isinstance(obj, Mapping) else _attributes(obj)
    if fields is None:
        return plain(str(obj))
    return {_plain_key(key): plain(value, around) for key, value in fields.items()}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


def _attributes(obj: object) -> Mapping[str, Any] | None:
    """What an object holds, unless it has a text of its own that says it better."""
    from types import ModuleType

    if type(obj).__str__ is not object.__str__ or isinstance(obj, type | ModuleType):
        return None
    slots = getattr(obj, "__dataclass_fields__", ())
    return getattr(obj, "__dict__", None) or {name: getattr(obj, name) for name in slots} or None


def _plain_key(key: object) -> Any:
    value = plain(key)
    return str(key) if isinstance(value, dict | list) else value


def _masked(data: Any) -> Any:
    if isinstance(data, list):
        return [_masked(item) for item in data]
    if isinstance(data, dict):
        return {key: _MASK if _is_secret(key, value) else _masked(value) for key, value in data.items()}
    return data


def _is_secret(key: object, value: object) -> bool:
    if value is None or isinstance(value, bool):
        return False
    return _SECRET.search(re.sub(r"[\s_.-]", "", str(key)).lower()) is not None


def _same(now: object, read: object) -> bool:
    return now is read or (type(now) is type(read) and now == read)


def _short(step: object) -> str:
    text = str(step)
    shown = text if text.isprintable() else repr(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _local_path(name: str) -> str:
    if name.startswith("file://"):
        from urllib.parse import unquote

        name = unquote(name.removeprefix("file://").removeprefix("localhost"))
    return os.path.expanduser(name)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "gone"
