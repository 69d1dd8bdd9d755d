"""Store: an object written to a file, as YAML, JSON, INI or CSV."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from glusto.errors import ConfigError
from glusto.plain import dump, plain
from glusto.readers import parse_ini
from glusto.sources import extension_of, is_url, path_of
from glusto.tables import format_csv

FORMATS = ("yml", "yaml", "json", "ini", "csv")


def store(
    obj: object,
    filename: str | os.PathLike[str],
    config_type: str | None = None,
    *,
    header: bool = True,
    fieldnames: Sequence[str] | None = None,
    delimiter: str = ",",
    order: Sequence[str] | None = None,
    allow_mixed_case: bool = True,
) -> None:
    """Write an object to a file, in the place of what is there.

    Args:
        obj: anything for YAML and JSON; section → dictionary or list of names for INI; a list of dictionaries
            or lists for CSV.
        filename: a path.
        config_type: yml, yaml, json, ini or csv; by default the file's extension.
        header, fieldnames, delimiter: for CSV, as in `tables.format_csv`.
        order: for INI, the sections that come first.
        allow_mixed_case: for INI, keep capital letters in names.

    Raises:
        ConfigError: the object can't be written in that format, or the file can't be written.
    """
    name = path_of(filename)
    kind = (config_type or extension_of(name)).lower()
    write: dict[str, Callable[[], str]] = {
        "yml": lambda: dump(obj),
        "yaml": lambda: dump(obj),
        "json": lambda: format_json(obj),
        "ini": lambda: format_ini(obj, name, order=order or (), allow_mixed_case=allow_mixed_case),
        "csv": lambda: format_csv(obj, name, header=header, fieldnames=fieldnames, delimiter=delimiter),
    }
    if kind not in FORMATS:
        raise ConfigError(
            f"{kind or 'no extension'!r} is no kind of config that can be written; it is one of {', '.join(FORMATS)}",
            name,
        )
    text = write[kind]()
    if is_url(name):
        raise ConfigError("a URL can be read, but not written", name)
    try:
        with open(name, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't be written: {getattr(error, 'strerror', None) or error}", name) from error


def format_json(obj: object) -> str:
    r"""Return an object as JSON text.

    >>> format_json({"users": ("root",)})
    '{\n    "users": [\n        "root"\n    ]\n}\n'
    """
    import json

    return json.dumps(plain(obj), indent=4, ensure_ascii=False, default=str) + "\n"


def format_ini(obj: object, file: str = "", *, order: Sequence[str] = (), allow_mixed_case: bool = True) -> str:
    r"""Return section → dictionary, or list of names, as INI text.

    Args:
        obj: the sections. The names of a list are written without a value; None is a name alone.
        file: the name that errors show.
        order: the sections that come first; the others follow in their own order.
        allow_mixed_case: keep capital letters in names.

    Raises:
        ConfigError: it is no such thing, or reading the text would give something else.

    >>> format_ini({"Hosts": {"web": "10.0.0.1"}, "flags": ["slow"]})
    '[Hosts]\nweb = 10.0.0.1\n\n[flags]\nslow =\n\n'
    """
    import configparser

    if not isinstance(obj, Mapping):
        raise ConfigError(f"INI is written from section → dictionary or list, not from a {type(obj).__name__}", file)
    if unknown := [name for name in order if name not in obj]:
        raise ConfigError(f"the order names a section {unknown[0]!r}, which is not there", file)
    sections = {
        str(name): _options(obj[name], str(name), file, allow_mixed_case) for name in dict.fromkeys([*order, *obj])
    }
    parser = configparser.RawConfigParser(allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's documentation has it
    out = io.StringIO()
    try:
        parser.read_dict(sections)
        parser.write(out)
        text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
        same = parse_ini(text, file, interpolate=False).data == sections
    except (configparser.Error, ValueError, ConfigError) as error:
        raise ConfigError(f"can't be written as INI: {error}", file) from error
    if not same:
        raise ConfigError("can't be written as INI, where a name or a value would be read as something else", file)
    return text


def _options(value: object, section: str, file: str, allow_mixed_case: bool) -> dict[str, str | None]:
    if isinstance(value, list | tuple):
        value = dict.fromkeys(value, "")
    if not isinstance(value, Mapping):
        raise ConfigError(f"the section {section!r} is a dictionary or a list, not a {type(value).__name__}", file)
    options: dict[str, str | None] = {}
    for key, item in value.items():
        if isinstance(item, Mapping | list | tuple | set):
            raise ConfigError(f"INI has no place for a {type(item).__name__} in {section}.{key}; YAML has", file)
        name = str(key) if allow_mixed_case else str(key).lower()
        options[name] = None if item is None else _text(item)
    return options


def _text(item: Any) -> str:
    return str(plain(item))
