"""Config: load, merge, show. Pure data; what it means for hosts is the inventory's business."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from glusto.document import Document, Place, Position
from glusto.errors import ConfigError
from glusto.merge import merged
from glusto.plain import dump, mask, plain
from glusto.readers import PARSERS, compose_yaml, decode, json_value, parse_ini, parse_json, parse_yaml
from glusto.sources import extension_of, path_of, read

__all__ = [
    "Config", "Document", "Path", "Position",
    "dump", "json_value", "load", "load_data", "load_defaults", "mask", "parse_json", "parse_yaml", "plain", "spell",
    "yaml_value",
]

Path = tuple[Any, ...]


def load(filename: str | os.PathLike[str], config_type: str | None = None) -> Document:
    """Read a config, and fill in the `${NAME}` references in the sections that Glusto knows.

    Args:
        filename: a path; `~` is the home directory, and a leading `file://` is accepted. Or a URL of http or https.
        config_type: yml, yaml, json or ini; the file name's extension when None.

    Raises:
        ConfigError: there is no such file, it can't be read, what it holds is no config, or a reference is to a
            variable that is not set.
    """
    from glusto.environment import fill
    from glusto.settings import SECTIONS

    name = path_of(filename)
    kind = (config_type or extension_of(name)).lower()
    if kind not in PARSERS:
        raise ConfigError(f"{kind or 'no extension'!r} is no kind of config that can be read; "
                          f"it is one of {', '.join(PARSERS)}", name)
    text = decode(read(name), name)
    try:
        document = PARSERS[kind](text, name)
        fill(document, SECTIONS, quotes_count=kind in ("yml", "yaml"))
    except ConfigError as error:
        error.quote(text)
        raise
    return document


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
        self._texts: dict[str, str] = {}
        for document in documents:
            self.update(document)

    def update(self, document: Document | Mapping[str, Any]) -> None:
        """Take over each top-level key of a document, or of a mapping made by a program; the later wins.

        Raises:
            ConfigError: it is neither.
        """
        self._take(document, deep=False)

    def merge(self, document: Document | Mapping[str, Any]) -> None:
        """Take over a document deeply: mappings are merged key by key, all else that is later wins, lists too.

        Raises:
            ConfigError: it is neither a document nor a mapping.

        >>> config = Config({"ssh": {"user": "root", "connect_timeout": 5}, "users": ["a", "b"]})
        >>> config.merge(parse_yaml("{ssh: {user: admin}, users: [c]}"))
        >>> config.data
        {'ssh': {'user': 'admin', 'connect_timeout': 5}, 'users': ['c']}
        """
        self._take(document, deep=True)

    def assign(self, assignment: str, origin: str = "--set") -> None:
        """Set one value by its path: `ssh.user=admin`, `users[0]=root`, `servers.web.port=22`.

        Args:
            assignment: path, `=` and a value, which is read as YAML. Levels that are missing are made.
            origin: what errors show in the place of a file name.

        Raises:
            ConfigError: it is no assignment, or there is no such place.

        >>> config = Config({"users": ["root", "george"]})
        >>> config.assign("ssh.connect_timeout=5")
        >>> config.assign("users.1=admin")
        >>> config.data
        {'users': ['root', 'admin'], 'ssh': {'connect_timeout': 5}}
        """
        from glusto.assignment import assigned

        self.update(assigned(assignment, self.data, self._places, origin))

    def _take(self, document: Document | Mapping[str, Any], *, deep: bool) -> None:
        root = document.place if isinstance(document, Document) else None
        data = document.data if isinstance(document, Document) else document
        if not isinstance(data, Mapping):
            raise ConfigError(f"a config is a mapping, and this is a {type(data).__name__}")
        if data is self.data:
            return
        if isinstance(document, Document):
            self._texts[document.place.position.file] = document.text
        for key, value in data.items():
            taken, place = value, root and (root.inner.get(key) or Place(root.position, value))
            if deep and key in self.data:
                taken, place = merged(self.data[key], self._places.get(key), value, place)
            self.data[key] = taken
            self._places.pop(key, None)
            if place is not None:
                self._places[key] = place

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
        text = self._texts.get(position.file, "")
        return ConfigError(f"{spell(path)}: {problem}" if path else problem, *position, text)


def spell(path: Sequence[Any]) -> str:
    """A path as people write it.

    >>> spell(("servers", 0, "port"))
    'servers[0].port'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{_short(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _same(now: object, read: object) -> bool:
    return now is read or (type(now) is type(read) and now == read)


def _short(step: object) -> str:
    text = str(step)
    shown = text if text.isprintable() else repr(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _lower(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in names.items()}
