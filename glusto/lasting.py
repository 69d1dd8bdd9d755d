"""A stream that outlives its reader: a closed terminal or pipe ends what is shown, and not the run."""

from __future__ import annotations

import io
import os
from typing import TextIO


class Lasting(io.TextIOBase):
    """Writes to a stream for as long as somebody reads there; what comes after goes nowhere.

    A run goes on when its terminal is closed or the `head` it was piped into has seen enough: hosts have to be
    cleaned, and reports written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._let_go()
            return len(text)

    def flush(self) -> None:
        if self._stream.closed:  # as when Python drops this object after its stream
            return
        try:
            self._stream.flush()
        except OSError:
            self._let_go()

    def _let_go(self) -> None:
        """Have the stream write nowhere, and what it still holds too: Python flushes it when it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
