"""Tables: CSV text to rows, and rows to CSV text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from glusto.errors import ConfigError

Row = dict[str, str | None] | list[str]


def parse_csv(
    text: str,
    file: str = "",
    *,
    header: bool = True,
    fieldnames: Sequence[str] | None = None,
    delimiter: str = ",",
) -> list[Row]:
    r"""Read CSV text; empty lines are left out.

    Args:
        text: the lines.
        file: the name that errors show.
        header: the first line has the names of the fields.
        fieldnames: the names to use, with a header in its place.
        delimiter: the one character between fields.

    Returns:
        A dictionary for each line, in which what a short line lacks is None; a list when there are no names.

    Raises:
        ConfigError: it is no CSV, or a line has more fields than there are names.

    >>> parse_csv("host,port\nweb,80\n")
    [{'host': 'web', 'port': '80'}]
    >>> parse_csv("web:80\n", header=False, delimiter=":")
    [['web', '80']]
    """
    import csv

    _check_delimiter(delimiter, file)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names = _checked_names(fieldnames, file)
    is_first = header
    rows: list[Row] = []
    try:
        for fields in reader:
            if not fields:
                continue
            if is_first:
                is_first = False
                names = names or _checked_names(fields, file)
            elif names is None:
                rows.append(fields)
            elif len(fields) > len(names):
                problem = f"{len(fields)} fields, and only {len(names)} have a name ({', '.join(names)})"
                raise ConfigError(problem, file, reader.line_num)
            else:
                missing = [None] * (len(names) - len(fields))
                rows.append(dict(zip(names, [*fields, *missing], strict=True)))
    except csv.Error as error:
        raise ConfigError(f"no valid CSV: {error}", file, reader.line_num) from error
    return rows


def format_csv(
    rows: object,
    file: str = "",
    *,
    header: bool = True,
    fieldnames: Sequence[str] | None = None,
    delimiter: str = ",",
) -> str:
    r"""Return a list of dictionaries, or of lists, as CSV text.

    Args:
        rows: the dictionaries or lists.
        file: the name that errors show.
        header: begin with the names of the fields; lists have none, unless they are given.
        fieldnames: the names in their order; by default those of all dictionaries, in order of appearance.
        delimiter: the one character between fields.

    Raises:
        ConfigError: it is no such list, or a dictionary has a field that is not among the names.

    >>> format_csv([{"host": "web", "port": 80}, {"host": "db"}])
    'host,port\nweb,80\ndb,\n'
    """
    import csv

    _check_delimiter(delimiter, file)
    if not _is_table(rows):
        raise ConfigError("CSV is written from a list of dictionaries or a list of lists", file)
    names = _checked_names(fieldnames or _all_names(rows), file) or []
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    if header and names:
        writer.writerow(names)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            writer.writerow(row)
            continue
        if unknown := [name for name in row if name not in names]:
            raise ConfigError(f"row {number} has a field {unknown[0]!r}, which is not among the fieldnames", file)
        writer.writerow([row.get(name) for name in names])
    return out.getvalue()


def _is_table(rows: object) -> TypeGuard[Sequence[Mapping[str, Any] | Sequence[Any]]]:
    return isinstance(rows, list | tuple) and all(isinstance(row, Mapping | list | tuple) for row in rows)


def _all_names(rows: Iterable[object]) -> list[str]:
    return list(dict.fromkeys(name for row in rows if isinstance(row, Mapping) for name in row))


def _checked_names(names: Sequence[str] | None, file: str) -> list[str] | None:
    if not names:
        return None
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise ConfigError(f"the field {twice[0]!r} is there twice; rename one", file)
    return list(names)


def _check_delimiter(delimiter: str, file: str) -> None:
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
        raise ConfigError(f"a delimiter is one character, and not {delimiter!r}", file)
