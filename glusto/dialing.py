"""Dialing: a socket that is connected to a deployed server, once the server has greeted."""

from __future__ import annotations

import asyncio
import socket

from glusto.agent.server import GREETING
from glusto.errors import LinkLostError

GREETING_SECONDS = 20.0  # for a deployed server to accept a connection


async def dialed(name: str, path: str) -> socket.socket | None:
    """Return a socket connected to the Unix socket at `path`; None when nobody serves there.

    Raises:
        LinkLostError: the socket is gone, or the server at `user@host` does not answer.
    """
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(peer, path)
    except OSError as error:
        peer.close()
        raise LinkLostError(name, f"{path}: {error.strerror}") from error
    return await greeted(name, peer)


async def greeted(name: str, peer: socket.socket) -> socket.socket | None:
    """Read the server's greeting; None when the connection is closed before it.

    Raises:
        LinkLostError: the server at `user@host` does not answer.
    """
    loop = asyncio.get_running_loop()
    greeting = b""
    try:
        async with asyncio.timeout(GREETING_SECONDS):
            while len(greeting) < len(GREETING):
                part = await loop.sock_recv(peer, len(GREETING) - len(greeting))
                if not part:
                    break
                greeting += part
    except TimeoutError:
        peer.close()
        raise LinkLostError(name, f"the deployed server did not answer for {GREETING_SECONDS:g} s") from None
    except OSError:
        greeting = b""
    if greeting != GREETING:
        peer.close()
        return None
    peer.setblocking(True)
    return peer
