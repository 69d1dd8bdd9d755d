"""Colours: text wrapped in ANSI codes, where somebody can see them."""

from __future__ import annotations

import enum
import os
import sys
from typing import TextIO

_OFF = ("", "0", "false", "no", "off", "none")


class Color(enum.IntFlag):
    """What can be joined with `|`: one foreground, one background (`BG_`), and any number of attributes."""

    NORMAL = 0
    BOLD = enum.auto()
    DIM = enum.auto()
    UNDERLINE = enum.auto()
    BLINK = enum.auto()
    REVERSE = enum.auto()
    HIDDEN = enum.auto()
    DEFAULT = enum.auto()
    BLACK = enum.auto()
    RED = enum.auto()
    GREEN = enum.auto()
    YELLOW = enum.auto()
    BLUE = enum.auto()
    MAGENTA = enum.auto()
    CYAN = enum.auto()
    LTGRAY = enum.auto()
    DKGRAY = enum.auto()
    LTRED = enum.auto()
    LTGREEN = enum.auto()
    LTYELLOW = enum.auto()
    LTBLUE = enum.auto()
    LTMAGENTA = enum.auto()
    LTCYAN = enum.auto()
    WHITE = enum.auto()
    BG_DEFAULT = enum.auto()
    BG_BLACK = enum.auto()
    BG_RED = enum.auto()
    BG_GREEN = enum.auto()
    BG_YELLOW = enum.auto()
    BG_BLUE = enum.auto()
    BG_MAGENTA = enum.auto()
    BG_CYAN = enum.auto()
    BG_LTGRAY = enum.auto()
    BG_DKGRAY = enum.auto()
    BG_LTRED = enum.auto()
    BG_LTGREEN = enum.auto()
    BG_LTYELLOW = enum.auto()
    BG_LTBLUE = enum.auto()
    BG_LTMAGENTA = enum.auto()
    BG_LTCYAN = enum.auto()
    BG_WHITE = enum.auto()
    COLOR_COMMAND = BOLD | DKGRAY
    COLOR_STDOUT = BOLD | BG_LTGRAY | BLACK
    COLOR_STDERR = BOLD | RED
    COLOR_RCODE = BOLD | BLUE


_SINGLE = tuple(Color)  # those of one bit
ATTRIBUTES, FOREGROUNDS, BACKGROUNDS = (Color.NORMAL, *_SINGLE[:6]), _SINGLE[6:23], _SINGLE[23:]
ALIASES = (Color.COLOR_COMMAND, Color.COLOR_STDOUT, Color.COLOR_STDERR, Color.COLOR_RCODE)
_CODES_OF_ATTRIBUTES = (1, 2, 4, 5, 7, 8)  # bold, dim, underline, blink, reverse, hidden
_CODES_OF_COLOURS = (39, *range(30, 38), *range(90, 98))  # default, eight dark ones, eight light ones
_CODES = (*_CODES_OF_ATTRIBUTES, *_CODES_OF_COLOURS, *(code + 10 for code in _CODES_OF_COLOURS))


def colorfy(color: int, message: str, *, enabled: bool = True) -> str:
    r"""Return a message in a colour.

    Args:
        color: members of Color, joined with `|`.
        message: any text.
        enabled: False gives the message as it is.

    >>> colorfy(Color.BOLD | Color.RED, "no!")
    '\x1b[1;31mno!\x1b[0m'
    """
    codes = ";".join(str(code) for bit, code in enumerate(_CODES) if color & 1 << bit)
    return f"\x1b[{codes}m{message}\x1b[0m" if enabled and codes else str(message)


def is_wanted(log_color: object = True, stream: TextIO | None = None) -> bool:
    """Say whether a stream is to show colours.

    Args:
        log_color: what the config says; false turns them off, as a text too.
        stream: by default sys.stdout. One that is no terminal shows none; and none does with NO_COLOR set.
    """
    stream = sys.stdout if stream is None else stream
    if str(log_color).strip().lower() in _OFF or os.environ.get("NO_COLOR"):
        return False
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # none at all, or closed
        return False
