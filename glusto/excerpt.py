"""Excerpts: the line of a file that an error is about, and a caret under the word."""

from __future__ import annotations

import re
import unicodedata

WIDEST = 100  # characters of a long line that are shown

_WORD = re.compile(r"\$\{[^}]*\}?|\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|[^\s,:=\[\]{}]+|.")
_SECRET = re.compile(
    r"((?:passw(?:or)?d|passphrase|secret|token|private[ ._-]?key|api[ ._-]?key|access[ ._-]?key|credential)[\w .-]*"
    r"[\"']?\s*[:=]\s*)([^\s,}][^,}]*)",
    re.IGNORECASE,
)


def excerpt(text: str, line: int, column: int) -> str:
    r"""Return a line of a text, and under it carets below the word at the column; "" when there is no such line.

    What stands behind a key that names a secret is shown as stars.

    Args:
        text: all of the file.
        line, column: counted from 1; without a column there are no carets.

    >>> print(excerpt("ssh:\n  usr: admin\n", 2, 3))
        usr: admin
        ^^^
    """
    lines = text.splitlines()
    if lines and line == len(lines) + 1:  # something is missing at the end
        line, column = len(lines), len(lines[-1]) + 1
    if not 0 < line <= len(lines):
        return ""
    shown = _SECRET.sub(lambda found: found[1] + "*" * len(found[2]), lines[line - 1])
    start = min(column - 1, len(shown)) if column else 0
    word = _WORD.match(shown, start)
    length = len(word[0]) if word else 1
    cut = max(0, min(start - WIDEST // 2, len(shown) - WIDEST))
    before, below = shown[cut:start], shown[start : start + length][:WIDEST]
    quoted = f"  {'…' if cut else ''}{shown[cut : cut + WIDEST].rstrip()}{'…' if cut + WIDEST < len(shown) else ''}"
    if not column:
        return quoted
    blank = "".join("\t" if char == "\t" else " " * _width(char) for char in before)
    return f"{quoted}\n  {' ' if cut else ''}{blank}{'^' * max(1, sum(map(_width, below)))}"


def _width(char: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
