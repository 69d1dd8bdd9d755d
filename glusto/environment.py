"""References: `${NAME}` in the values of a config stands for a variable of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from glusto.document import Document, Place, Position, plain_scalar
from glusto.errors import ConfigError

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_QUOTED = re.compile(r"(?:&\S+\s+)?['\"|>!]")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def fill(document: Document, sections: Sequence[str], *, quotes_count: bool = True) -> None:
    """Put the values of variables in the place of references, in these top-level sections of a document.

    Args:
        document: it is changed.
        sections: all others are left as they are: what looks like a reference there may be something else.
        quotes_count: text without quotes is read as YAML once it is filled in, so that `port: ${PORT}` is a number.

    Raises:
        ConfigError: a variable is not set and the reference has no default.
    """
    if "${" in document.text:
        filler = _Filler(document, quotes_count)
        root = document.place
        for name in sections:
            if name in document.data:
                document.data[name] = filler.filled(document.data[name], root.inner.get(name), root.position)
                if root.value is not document.data and name in root.value:
                    root.value[name] = document.data[name]


class _Filler:
    def __init__(self, document: Document, quotes_count: bool) -> None:
        self._lines, self._quotes_count = document.text.splitlines(), quotes_count

    def filled(self, value: Any, place: Place | None, near: Position) -> Any:
        """A value with its references filled in; containers are changed in place, and so are the places."""
        here = place.position if place is not None else near
        if isinstance(value, dict | list):
            for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
                inner = place.inner.get(key) if place is not None else None
                value[key] = self.filled(item, inner, here)
                if place is not None and place.value is not value:
                    place.value[key] = value[key]
        elif isinstance(value, str) and "${" in value:
            value = self._text(value, here)
            if place is not None:
                place.value = value
        return value

    def _text(self, text: str, here: Position) -> Any:
        filled = _REFERENCE.sub(lambda found: self._one(found, here), text)
        return plain_scalar(filled) if self._quotes_count and self._is_plain(here) else filled

    def _is_plain(self, here: Position) -> bool:
        """Whether the text there stands without quotes and is no block (`|`, `>`)."""
        line = self._lines[here.line - 1] if 0 < here.line <= len(self._lines) else ""
        return _QUOTED.match(line, max(here.column - 1, 0)) is None

    def _one(self, found: re.Match[str], here: Position) -> str:
        if found[1] is None:
            return "${"
        inside = _INSIDE.fullmatch(found[1])
        if inside is None or not found[0].endswith("}"):
            raise self._error(
                found[0],
                here,
                "is no reference; write ${NAME} or ${NAME:-default}, or $${ for the two characters as they are",
            )
        name, default = inside.groups()
        value = os.environ.get(name, "")
        if value or (default is None and name in os.environ):
            return value
        if default is None:
            raise self._error(
                found[0],
                here,
                f"{name} is not set in the environment; set it, or write "
                f"${{{name}:-default}}, or $${{ for the two characters as they are",
            )
        return default

    def _error(self, reference: str, here: Position, problem: str) -> ConfigError:
        line = self._lines[here.line - 1] if 0 < here.line <= len(self._lines) else ""
        found = line.find(reference, max(here.column - 1, 0))
        column = found + 1 if found >= 0 else here.column
        return ConfigError(f"{reference[:80]}: {problem}", here.file, here.line, column)
