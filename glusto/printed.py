"""What deployed servers and their children print, until a test's report takes it."""

from __future__ import annotations

import logging

log = logging.getLogger("glustolog")


class Printed:
    """Takes bytes from any number of hosts, logs their lines, and gives them back as text, host by host."""

    def __init__(self) -> None:
        self._pieces: list[tuple[str, bytes]] = []

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, name: str, data: bytes) -> None:
        """Take what was printed at `user@host`."""
        self._pieces.append((name, data))
        for line in data.decode("utf-8", "replace").splitlines():
            log.info("%s: %s", name, line)

    def take(self) -> str:
        """Return what has come since this was last called, each line with its host before it."""
        pieces, self._pieces = self._pieces, []
        by_host: dict[str, bytearray] = {}
        for name, data in pieces:
            by_host.setdefault(name, bytearray()).extend(data)
        return "".join(
            f"{name}: {line}\n"
            for name, data in by_host.items()
            for line in data.decode("utf-8", "replace").splitlines()
        )
