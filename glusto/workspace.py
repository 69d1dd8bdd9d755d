"""The controller's private directory: the sockets of the links, gone with the run however it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path


class Workspace:
    """A 0700 directory, made on first use.

    A small shell waits beside it for the end of this process, and removes it when that could not.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._janitor: subprocess.Popen[bytes] | None = None

    @property
    def path(self) -> Path:
        """The directory."""
        if self._path is None:
            base = tempfile.gettempdir()
            if len(base) > 40:  # a socket's path may have 104 bytes in all, and ssh adds to ours
                base = "/tmp"
            self._path = Path(tempfile.mkdtemp(prefix="glusto-", dir=base))
            self._janitor = subprocess.Popen(
                ["/bin/sh", "-c", 'read _; rm -rf -- "$1"', "glusto-janitor", str(self._path)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        return self._path

    def close(self) -> None:
        """Remove the directory."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
        if self._janitor is not None:
            assert self._janitor.stdin
            self._janitor.stdin.close()
            self._janitor.wait()
        self._path = self._janitor = None

    def forget(self) -> None:
        """In a forked child: the directory is the parent's."""
        if self._janitor is not None and self._janitor.stdin is not None:
            os.close(self._janitor.stdin.fileno())
        self._path = self._janitor = None
