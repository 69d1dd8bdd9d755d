"""Handlers: where log records go, and what is done to them on the way."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from glusto.errors import ConfigError

if TYPE_CHECKING:
    Stream = logging.StreamHandler[TextIO]
else:
    Stream = logging.StreamHandler

STDOUT = "STDOUT"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Completing(logging.Filter):
    """Completes a message whose arguments don't fit, so that no handler has to complain, and nothing is lost."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.args:
            try:
                record.getMessage()
            except Exception:  # noqa: BLE001 - whatever the arguments' own code raises
                record.msg, record.args = f"{record.msg} {_shown(record.args)}", None
        return True


class MaskingFormatter(logging.Formatter):
    """Hides secrets in what is logged."""

    def __init__(self, layout: str, mask: Callable[[str], str]) -> None:
        super().__init__(layout)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))


class PlainFormatter(logging.Formatter):
    """For what is no terminal: without colours."""

    def format(self, record: logging.LogRecord) -> str:
        return _COLOUR.sub("", super().format(record))


class FileHandler(logging.FileHandler):
    """A file of ours; whoever removes it closes it, and then a thread that is late doesn't open it again."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        if not self.is_closed:
            super().emit(record)

    def take_over(self, other: FileHandler) -> None:
        """Write to the file of another handler, which ends."""
        with locked(self):
            self.stream, other.stream = other.stream, self.stream
            self.baseFilename = other.baseFilename
        other.close()


class StdoutHandler(Stream):
    """Whatever sys.stdout is at the time, as runners put others in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stdout


def open_handler(filename: str) -> logging.Handler:
    """Return a handler that adds to a file, whose directory is made, or one that writes to `STDOUT`.

    Raises:
        ConfigError: the file can't be written.
    """
    if filename == STDOUT:
        return StdoutHandler()
    name = os.path.abspath(os.path.expanduser(filename))
    try:
        os.makedirs(os.path.dirname(name), exist_ok=True)
        return FileHandler(name, encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"the log can't be written there: {why}", repr(name) if "\0" in name else name) from error


def formatter_for(handler: logging.Handler, layout: str) -> logging.Formatter:
    """Return a formatter of that layout; that for a file leaves colours out.

    Raises:
        ConfigError: it is no layout.
    """
    try:
        return PlainFormatter(layout) if isinstance(handler, logging.FileHandler) else logging.Formatter(layout)
    except ValueError as error:
        handler.close()
        raise ConfigError(f"{layout!r} is no format for a log: {error}") from error


class Follower(logging.Handler):
    """Passes what a logger logs on to another one."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Pass it on, if the other one takes records of its level."""
        if self.log.isEnabledFor(record.levelno):
            self.log.handle(record)


@contextmanager
def locked(handler: logging.Handler) -> Iterator[None]:
    """Within this, no other thread writes to the handler."""
    handler.acquire()
    try:
        yield
    finally:
        handler.release()


def _shown(args: object) -> str:
    try:
        return repr(args)
    except Exception:  # noqa: BLE001 - whatever the arguments' own code raises
        return f"(arguments that can't be shown: {type(args).__name__})"
