"""The bytes of a link: an ssh (or shell) process whose standard streams carry frames."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from glusto.agent.frames import Decoder, FrameError, encode, widen
from glusto.loop import wait_exit

TAIL = 16_384  # how much of a complaint, or of noise ahead of the agent, is kept
OUTLIVE_SECONDS = 0.3  # for ssh to end, and say why, once the agent is gone


class Listener(Protocol):
    """What a wire tells."""

    def frame(self, header: dict[str, Any], body: bytes) -> None:
        """A frame has come."""

    def complained(self, text: str) -> None:
        """Something was written to standard error."""

    def damaged(self, problem: str) -> None:
        """What comes is no sequence of frames."""

    def ended(self) -> None:
        """The process has ended."""


class Wire:
    """A process, the marker that ends the noise of the login shell, and frames from there on.

    Attributes:
        marked: the marker has been seen.
        noise: the last of what came before it.
        complaint: the last of what was written to standard error.
        status: the exit status of the process, None while it runs.
        outlived: the other end was gone, and the process had to be killed. ssh stays, for one, while a
            connection that it forwards is open.
    """

    def __init__(self, command: Sequence[str], marker: bytes, first_input: bytes, listener: Listener) -> None:
        self.marked = self.outlived = False
        self.noise = bytearray()
        self.complaint = bytearray()
        self._marker, self._listener = marker, listener
        self._decoder = Decoder()
        self._unsent = bytearray(first_input)
        self._stdin: asyncio.WriteTransport | None = None
        self._stdout: asyncio.ReadTransport | None = None
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for the run to handle, not for ssh
        )
        self._attaching = asyncio.get_running_loop().create_task(self._attach())

    @property
    def status(self) -> int | None:
        return self._process.returncode

    async def _attach(self) -> None:
        """Connect the process's streams to the loop."""
        loop = asyncio.get_running_loop()
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        self._stdout, _ = await loop.connect_read_pipe(lambda: _Reader(self._read, self._closed), process.stdout)
        await loop.connect_read_pipe(lambda: _Reader(self._read_complaint, lambda: None), process.stderr)
        self._stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
        self._stdin.write(bytes(self._unsent))
        self._unsent.clear()

    def _read(self, data: bytes) -> None:
        if not self.marked:
            self.noise += data
            before, mark, data = bytes(self.noise).partition(self._marker)
            self.noise[:] = before[-TAIL:]
            if not mark:
                return
            self.marked = True
        try:
            for header, body in self._decoder.feed(data):
                self._listener.frame(header, body)
        except (FrameError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._listener.damaged(f"{type(error).__name__}: {error}")

    def _read_complaint(self, data: bytes) -> None:
        self.complaint += data
        del self.complaint[:-TAIL]
        self._listener.complained(data.decode("utf-8", "replace"))

    def _closed(self) -> None:
        asyncio.get_running_loop().create_task(self._bury())

    async def _bury(self) -> None:
        await self.end(OUTLIVE_SECONDS if self.marked else 2)
        self._listener.ended()

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send one frame. What can't be taken at once is kept, what comes after the end is dropped."""
        if self._stdin is None:
            self._unsent += encode(header, body)
        elif not self._stdin.is_closing():
            self._stdin.write(encode(header, body))

    def send_bytes(self, data: bytes) -> None:
        """Send what is no frame."""
        if self._stdin is not None:
            self._stdin.write(data)

    def widen(self) -> None:
        """Prepare for much to come and go."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                widen(stream.fileno())

    def kill(self) -> None:
        """Kill the process, which closes the wire."""
        if self._process.poll() is None:
            self._process.kill()

    async def end(self, seconds: float) -> None:
        """Close the wire and wait until the process has ended; it is killed when that takes too long."""
        await asyncio.wait([self._attaching])
        if self._stdin is not None:
            self._stdin.close()
        if not await wait_exit(self._process, seconds):
            self.outlived = True
            self._process.send_signal(signal.SIGKILL)
            await wait_exit(self._process, 5)

    def forget(self) -> None:
        """In a forked child: let go of the parent's process without a word to it."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None and not stream.closed:
                os.close(stream.fileno())


class _Reader(asyncio.Protocol):
    """Hands on what a pipe gives, and that it has closed."""

    def __init__(self, received: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        self._received, self._closed = received, closed

    def data_received(self, data: bytes) -> None:
        self._received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()


def status_text(status: int | None) -> str:
    """Say an exit status as people do.

    >>> status_text(-9), status_text(3)
    ('killed by SIGKILL', 'exit status 3')
    """
    if status is None or status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
