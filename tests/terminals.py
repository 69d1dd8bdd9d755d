"""A program on a terminal, as a user sees it: a pty, and the text that was written to it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

ROWS, COLUMNS = 40, 100
SECONDS = 60.0
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)")


class Terminal:
    """`python -m glusto ARGUMENTS` on a terminal of its own.

    Attributes:
        raw: all that was written to it.
        status: how it ended; None until `finish`.
    """

    def __init__(self, directory: Path, environment: dict[str, str], *arguments: str) -> None:
        self.raw = ""
        self.status: int | None = None
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "glusto", *arguments],
            cwd=directory,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    @property
    def text(self) -> str:
        """What was written, without colours and movements."""
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def read_until(self, words: str) -> None:
        """Read on until these words have been written."""
        end = time.monotonic() + SECONDS
        while words not in self.text:
            assert self._read(end), f"it ended without {words!r}:\n{self.text}"

    def finish(self) -> str:
        """Read to the end; the text."""
        end = time.monotonic() + SECONDS
        while self._read(end):
            pass
        os.close(self._ours)
        self.status = self._process.wait(SECONDS)
        return self.text

    def end(self) -> None:
        """End it, if a test that failed has left it running; it cleans up as it does after any SIGTERM."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(SECONDS)

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def _read(self, end: float) -> bool:
        if not select.select([self._ours], [], [], max(end - time.monotonic(), 0))[0]:
            self._process.kill()
            raise TimeoutError(f"nothing more within {SECONDS:g} s:\n{self.text}")
        try:
            part = os.read(self._ours, 1 << 16)
        except OSError:  # EIO: the other end is closed
            return False
        self.raw += part.decode("utf-8", "replace")
        return bool(part)
