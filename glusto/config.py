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
from glusto.readers import PARSERS, compose_yaml, decode, json_value, parse_ini, parse_json, parse_yaml
from glusto.sources import extension_of, path_of, read

__all__ = [
    "Config", "Document", "Path", "Position",
    "dump", "json_value", "load", "load_data", "load_defaults", "mask", "parse_json", "parse_yaml", "plain", "spell",
    "yaml_value",
]

Path = tuple[Any, ...]

_SECRET = re.compile(r"passw(or)?d|passphrase|secret|token|privatekey|apikey|accesskey|credential")
_MASK = "***"


def load(filename: str | os.PathLike[str], config_type: str | None = None) -> Document:
    """Read a config.

    Args:
        filename: a path; `~` is the home directory, and a leading `file://` is accepted. Or a URL of http or https.
        config_type: yml, yaml, json or ini; the file name's extension when None.

    Raises:
        ConfigError: there is no such file, it can't be read, or what it holds is no config.
    """
    name = path_of(filename)
    kind = (config_type or extension_of(name)).lower()
    if kind not in PARSERS:
        raise ConfigError(f"{kind or 'no extension'!r} is no kind of config that can be read; "
                          f"it is one of {', '.join(PARSERS)}", name)
    return PARSERS[kind](decode(read(name), name), name)


def load_data(
    filename: str | os.PathLike[str],
    config_type: str | None = None,
    *,
    header: bool = True,
    fieldnames: Sequence[str] | None = None,
    delimiter: str = ",",
    allow_mixed_case: bool = True,
) -> Any:
    """Read any file of data, or of text.

    Args:
        filename: as for `load`.
        config_type: yml, yaml, json, ini, csv or text; by default the extension says it, and any other is text.
        header, fieldnames, delimiter: for CSV, as in `tables.parse_csv`.
        allow_mixed_case: for INI, keep capital letters in names.

    Returns:
        What the document holds, for YAML and JSON; section → name → text, for INI; a list of dictionaries or lists,
        for CSV; else the text.

    Raises:
        ConfigError: there is no such file, it can't be read, or it is not what its type says.
    """
    name = path_of(filename)
    kind = (config_type or extension_of(name)).lower()
    text = decode(read(name), name)
    if kind in ("yml", "yaml"):
        return yaml_value(text, name)
    if kind == "json":
        return json_value(text, name)
    if kind == "ini":
        sections = parse_ini(text, name).data
        return sections if allow_mixed_case else {section: _lower(names) for section, names in sections.items()}
    if kind == "csv":
        from glusto.tables import parse_csv

        return parse_csv(text, name, header=header, fieldnames=fieldnames, delimiter=delimiter)
    return text


def yaml_value(text: str, file: str = "") -> Any:
    """Return what YAML text holds, whatever is at its top; an empty mapping when it is empty.

    >>> yaml_value("[web, db]")
    ['web', 'db']
    """
    place = compose_yaml(text, file)
    return {} if place is None or place.value is None else place.value


def load_defaults(directory: str | os.PathLike[str]) -> list[Document | Mapping[str, Any]]:
    """Read the files `defaults.yml`, `.yaml`, `.json` and `.ini` that are in a directory, in this order.

    Returns:
        What is to be taken over, in this order: for INI, the section `[defaults]` comes after the sections themselves.

    Raises:
        ConfigError: one can't be read.
    """
    found: list[Document | Mapping[str, Any]] = []
    for kind in PARSERS:
        name = os.path.join(directory, f"defaults.{kind}")
        if os.path.exists(name):
            document = load(name)
            found.append(document)
            if kind == "ini" and "defaults" in document.data:
                found.append(document.data["defaults"])
    return found


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
        if data is self.data:
            return
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


def _lower(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in names.items()}
