"""The output of a command that runs: kept for its result, and read as it comes by whoever wants that."""

from __future__ import annotations

import io
import threading
from typing import Any, BinaryIO, TextIO


class Output(io.RawIOBase):
    """Takes bytes on one thread, and gives them to a reader on another, who waits for more until the end.

    Args:
        target: write everything there, and keep nothing.
    """

    def __init__(self, target: BinaryIO | None = None) -> None:
        self._target = target
        self._kept = bytearray()
        self._read = 0
        self._ended = False
        self._whole: str | None = None
        self._changed = threading.Condition()
        self._reader: TextIO | None = None

    def add(self, data: bytes) -> None:
        """Take what has come."""
        if self._target is not None:
            self._target.write(data)
            return
        with self._changed:
            self._kept += data
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def text(self) -> str:
        """Return all that is kept, decoded as UTF-8 with replacement."""
        with self._changed, memoryview(self._kept) as view:
            return str(view, "utf-8", "replace")

    def release(self, text: str) -> None:
        """Free what is kept, unless it is being read; from then on a reader is given `text`."""
        with self._changed:
            if self._reader is None:
                self._kept = bytearray()
                self._whole = text

    def reader(self) -> TextIO:
        """Return the text stream in which the output can be read, from its beginning on."""
        with self._changed:
            if self._reader is None and self._whole is not None:
                self._reader = io.StringIO(self._whole)  # four bytes a character: only for who wants it
            elif self._reader is None:
                self._reader = io.TextIOWrapper(io.BufferedReader(self), "utf-8", "replace", newline="")
            return self._reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for output and give some; 0 bytes at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._read < len(self._kept))
            part = self._kept[self._read : self._read + len(buffer)]
            self._read += len(part)
        buffer[: len(part)] = part
        return len(part)
