"""A connection to a deployed server carried in the link's own frames, where sshd forwards no sockets."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from glusto.agent.frames import CHUNK
from glusto.errors import HostError

if TYPE_CHECKING:
    from glusto.link import Link


class Tunnel(asyncio.Protocol):
    """Bytes between one end of a socket pair and the frames of a link; the other end is RPyC's."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._number = link.open_channel(self, "dial")
        self._transport: asyncio.Transport | None = None
        self._waiting = bytearray()
        self._over = False

    @classmethod
    def open(cls, link: Link) -> socket.socket:
        """Start a tunnel; returns the end of it that is to be used, not blocking yet."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(lambda: cls(link), ours))
        task.add_done_callback(lambda done: done.exception())
        return theirs

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._write(bytes(self._waiting))
        if self._over:
            self._close()

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), CHUNK):
            self._link.send({"op": "input", "id": self._number}, data[start : start + CHUNK])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over:
            self._link.send({"op": "input", "id": self._number})

    def frame(self, header: dict[str, Any], body: bytes) -> None:
        if "stream" in header:
            self._write(body)
        elif "returncode" in header or "error" in header:
            self._close()

    def lost(self, error: HostError) -> None:
        self._close()

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            self._waiting += data
        else:
            self._transport.write(data)

    def _close(self) -> None:
        self._over = True
        if self._transport is not None:
            self._transport.close()
