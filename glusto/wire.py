"""The bytes of a link: an ssh (or shell) process whose standard streams carry frames."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from glusto.agent.frames import Decoder, FrameError, request_head, widen
from glusto.agent.outbox import Outbox
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
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox()
        self._blocked = self._closing = False
        self._stdout: asyncio.ReadTransport | None = None
        self._buried = self._loop.create_future()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for the run to handle, not for ssh
        )
        assert self._process.stdin
        os.set_blocking(self._process.stdin.fileno(), False)
        self._attaching = self._loop.create_task(self._attach())
        self.send_bytes(first_input)

    @property
    def status(self) -> int | None:
        return self._process.returncode

    async def _attach(self) -> None:
        """Have the loop read the process's output."""
        stdout, stderr = self._process.stdout, self._process.stderr
        self._stdout, _ = await self._loop.connect_read_pipe(lambda: _Reader(self._read, self._closed), stdout)
        await self._loop.connect_read_pipe(lambda: _Reader(self._read_complaint, lambda: None), stderr)

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
        self._loop.create_task(self._bury())

    async def _bury(self) -> None:
        await self._end(OUTLIVE_SECONDS if self.marked else 2)
        self._listener.ended()
        self._buried.set_result(None)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send one frame. What can't be taken at once is kept, what comes after the end is dropped."""
        self.send_bytes(request_head(header, len(body)), body)

    def send_bytes(self, head: bytes, body: bytes = b"") -> None:
        """Send what is, or is not, a frame."""
        if self._closing:
            return
        self._outbox.put(head, body)
        if not self._blocked:
            self._flush()

    def _flush(self) -> None:
        """Write what the process takes now, and the rest when it takes more."""
        stdin = self._process.stdin
        assert stdin
        try:
            self._outbox.write(stdin.fileno())
        except OSError:  # the process is gone, as the end of its output tells
            self._outbox.clear()
        if bool(self._outbox.size) != self._blocked:
            self._blocked = not self._blocked
            if self._blocked:
                self._loop.add_writer(stdin.fileno(), self._flush)
            else:
                self._loop.remove_writer(stdin.fileno())
        if self._closing and not self._blocked:
            stdin.close()

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
        await self._end(seconds)
        if self._stdout is not None:
            self._stdout.close()
        await asyncio.wait([self._buried], timeout=1)

    async def _end(self, seconds: float) -> None:
        await asyncio.wait([self._attaching])
        if not self._closing:
            self._closing = True
            self._flush()
        if not await wait_exit(self._process, seconds):
            self.outlived = True
            self._process.send_signal(signal.SIGKILL)
            await wait_exit(self._process, 5)
        self._outbox.clear()  # what the process did not take any more
        if self._blocked:
            self._flush()

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
