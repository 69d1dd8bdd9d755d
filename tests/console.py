"""A terminal that tests type at: a program on a pseudo-terminal, and what it shows."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 30.0
_CONTROLS = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])|\r")


class Console:
    """A program that runs on a terminal of its own.

    Attributes:
        shown: all that it has written so far, controls included.
    """

    def __init__(
        self,
        argv: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 140,
        lines: int = 40,
    ) -> None:
        self.shown = ""
        self._past = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        plain = {
            name: value for name, value in environment.items() if name not in ("CI", "NO_COLOR", "COLUMNS", "LINES")
        }
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *argv],  # it becomes the program, as the leader of a session on this terminal
            cwd=directory,
            env={**plain, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    @property
    def text(self) -> str:
        """What has been written, without colours and the like."""
        return _CONTROLS.sub("", self.shown)

    def type(self, text: str) -> None:
        """Type it."""
        os.write(self._master, text.encode())

    def wait_for(self, wanted: str) -> None:
        """Read until a text has been shown, after what was waited for before."""
        end = time.monotonic() + SECONDS
        while wanted not in self.text[self._past :]:
            if not self._read(end):
                raise AssertionError(f"{wanted!r} was not shown, but:\n{self.text}")
        self._past = self.text.index(wanted, self._past) + len(wanted)

    def signal(self, number: int) -> None:
        """Send the program a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Read to the end; the exit status.

        Raises:
            AssertionError: it did not end in time.
        """
        end = time.monotonic() + SECONDS
        while self._read(end):
            pass
        late = time.monotonic() > end
        os.close(self._master)
        try:
            if late:
                raise AssertionError(f"it did not end:\n{self.text}")
            return self._process.wait(SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self, end: float) -> bool:
        """Read what there is; False when nothing will come, or not in time."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # the last one has closed the terminal
            data = b""
        self.shown += data.decode("utf-8", "replace")
        return bool(data)
