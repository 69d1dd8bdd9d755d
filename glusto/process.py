"""What a command gives: `Result` when it is over, `Process` while it runs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import signal
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TextIO

from glusto.agent.frames import CHUNK
from glusto.errors import CommandFailed, CommandTimeout, DeployError, HostError, LinkLostError
from glusto.logs import level_number
from glusto.output import Output

if TYPE_CHECKING:
    from glusto.link import Link

WINDOW = 1 << 22  # bytes of input that may be under way to a host
MUCH = 1 << 16  # bytes of output at once
KILL_SECONDS = 10.0  # for a host to confirm that a command is dead
LOGGED = 4096  # characters of a command's output that go into the log


class Result(NamedTuple):
    """What a command gave: `returncode, stdout, stderr = g.run(host, command)`.

    Attributes:
        returncode: the command's own; 128 + n when signal n ended it; 255 when the host was not there.
        stdout, stderr: text, decoded as UTF-8 with replacement, not stripped.
    """

    returncode: int
    stdout: str
    stderr: str

    @property
    def error(self) -> HostError | None:
        """The HostError behind a result whose host was not there, else None."""
        return None


class Unreached(Result):
    """The result of a command whose host could not be reached, or was lost on the way."""

    _error: HostError

    @classmethod
    def because(cls, error: HostError, stdout: str = "") -> Unreached:
        """Return (255, what had been printed, the reason)."""
        result = cls(255, stdout, str(error))
        result._error = error
        return result

    @property
    def error(self) -> HostError | None:
        return self._error


class Process:
    """A command that runs; what `g.run_async` returns.

    It started at once and goes on whether or not anybody waits, and its output is drained all the while.
    The public methods may be called from any thread, again and again. It is killed at the latest when the
    class of tests that started it ends.

    Attributes:
        host, command: what runs where; `host` is `user@name`.

    Example::

        process = g.run_async("server1", "iperf3 -s -1")
        returncode, stdout, stderr = process.async_communicate()
    """

    def __init__(
        self,
        host: str,
        command: str,
        loop: asyncio.AbstractEventLoop,
        log: logging.Logger,
        level: str | int | None = None,
        *,
        timeout: float | None = None,
        stdin: bytes = b"",
        stdout: BinaryIO | None = None,
    ) -> None:
        self.host, self.command = host, command
        self._loop = loop
        self._log, self._level = log, level_number(level or logging.INFO)
        log.log(self._level, "%s: %s", host, command)
        self._link: Link | None = None
        self._number = 0
        self._streams = {"out": Output(stdout), "err": Output()}
        self._over: concurrent.futures.Future[Result] = concurrent.futures.Future()
        self._under_way = 0
        self._input, self._timeout = memoryview(stdin), timeout
        self._killed = False
        self._tell: Callable[[Result | BaseException], None] = lambda outcome: None

    def __repr__(self) -> str:
        state = "running" if self.returncode is None else f"returncode {self.returncode}"
        return f"<Process {self.host}: {self.command!r} ({state})>"

    @property
    def returncode(self) -> int | None:
        """The return code; None while the command runs."""
        if not self._over.done() or self._over.exception() is not None:
            return None
        return self._over.result().returncode

    @property
    def stdout(self) -> TextIO:
        """Its standard output as a text stream, which waits for more while the command runs."""
        return self._streams["out"].reader()

    @property
    def stderr(self) -> TextIO:
        """Its standard error as a text stream, which waits for more while the command runs."""
        return self._streams["err"].reader()

    def poll(self) -> int | None:
        """Return the return code; None while the command runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the command to end and return its return code.

        Raises:
            CommandTimeout: it still runs after `timeout` seconds; it goes on running.
        """
        return self.async_communicate(timeout).returncode

    def async_communicate(self, timeout: float | None = None) -> Result:
        """Wait for the command to end and return its result, as often as asked.

        Raises:
            CommandTimeout: it still runs after `timeout` seconds, and goes on running; or it was killed
                because its own timeout had passed.
        """
        if not concurrent.futures.wait([self._over], timeout).done:
            raise CommandTimeout(self.host, f"`{self.command}` still runs after {timeout:g} s")
        return self._over.result()

    communicate = async_communicate

    def result(self, *, check: bool) -> Result:
        """Wait for the command to end and return its result.

        Raises:
            CommandFailed: with `check`, its return code is not 0.
            HostError: with `check`, its host can't be reached or was lost.
            CommandTimeout: it was killed because its own timeout had passed.
        """
        result = self.async_communicate()
        if check and result.error is not None:
            raise result.error
        if check and result.returncode != 0:
            raise CommandFailed(self.host, self.command, result)
        return result

    def kill(self) -> None:
        """Kill the command and its process group; returns when they are dead on the host."""
        self._loop.call_soon_threadsafe(self.kill_soon)
        self.async_communicate(KILL_SECONDS)

    def when_over(self, tell: Callable[[Result | BaseException], None]) -> None:
        """Have `tell` called with the result, or with the exception, before anybody else gets it."""
        self._tell = tell

    # On the loop's thread

    def start(self, link: Link) -> None:
        """Send the command over a link."""
        self._link = link
        request: dict[str, Any] = {"command": self.command, "stdin": bool(self._input)}
        if self._timeout is not None:
            request["timeout"] = self._timeout
        self._number = link.open_channel(self, "run", **request)
        if self._killed:
            self.kill_soon()
        self._feed()

    def kill_soon(self) -> None:
        """Ask the host to kill the command."""
        self._killed = True
        if self._link is not None:
            self._link.send({"op": "kill", "id": self._number})

    def _feed(self) -> None:
        """Send of its input what may be under way."""
        while self._input and self._under_way < WINDOW and self._link is not None:
            part, self._input = self._input[:CHUNK], self._input[CHUNK:]
            self._under_way += len(part)
            self._link.send({"op": "input", "id": self._number}, bytes(part))
            if not self._input:
                self._link.send({"op": "input", "id": self._number})

    def frame(self, header: dict[str, Any], body: bytes) -> None:
        """Take what the agent says of the command."""
        if "stream" in header:
            self._streams[header["stream"]].add(body)
            if len(body) > MUCH and self._link is not None:
                self._link.widen()
        elif "taken" in header:
            self._under_way -= int(header["taken"])
            self._feed()
        elif "error" in header:
            self.lost(DeployError(self.host, f"the command could not be started: {header['error']}"))
        elif header["ended_by"] == "timeout":
            stdout, stderr = self._texts()
            problem = f"`{self.command}` took longer than its timeout, and was killed"
            self._fail(CommandTimeout(self.host, problem, stdout, stderr))
        elif header["ended_by"] == "end":
            self.lost(LinkLostError(self.host, "the link is closed, and the command was killed"))
        else:
            self._settle(Result(int(header["returncode"]), *self._texts()))

    def lost(self, error: HostError) -> None:
        """The host can't be reached, or is gone."""
        self._settle(Unreached.because(error, self._texts()[0]))

    def _texts(self) -> tuple[str, str]:
        return self._streams["out"].text(), self._streams["err"].text()

    def _settle(self, result: Result) -> None:
        if self._over.done():
            return
        log_result(self._log, self._level, self.host, result)
        self._tell(result)
        self._over.set_result(result)
        self._release(result.stdout, result.stderr)

    def _fail(self, error: Exception) -> None:
        if self._over.done():
            return
        self._log.log(self._level, "%s", error)
        self._tell(error)
        self._over.set_exception(error)
        self._release(getattr(error, "stdout", ""), getattr(error, "stderr", ""))

    def _release(self, stdout: str, stderr: str) -> None:
        for name, text in (("out", stdout), ("err", stderr)):
            self._streams[name].end()
            self._streams[name].release(text)
        self._input = memoryview(b"")


def log_result(log: logging.Logger, level: int, host: str, result: Result) -> None:
    """Log what a command gave: the return code at the command's level, its output at DEBUG."""
    log.log(level, "%s: returncode %d", host, result.returncode)
    if log.isEnabledFor(logging.DEBUG):
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            if text:
                log.debug("%s: %s: %s", host, name, text if len(text) < LOGGED else text[:LOGGED] + " …")


def run_local(command: str, log: logging.Logger, level: str | int | None, timeout: float | None) -> Result:
    """Run a command in the local shell; see `Harness.run_local`."""
    log.log(level_number(level or logging.INFO), "localhost: %s", command)
    process = subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as expired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        problem = f"`{command}` took longer than {timeout:g} s, and was killed"
        raise CommandTimeout("localhost", problem, *decode(stdout, stderr)) from expired
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    result = Result(status, *decode(stdout, stderr))
    log_result(log, level_number(level or logging.INFO), "localhost", result)
    return result


def decode(stdout: bytes, stderr: bytes) -> tuple[str, str]:
    """Return output as text: UTF-8, with replacement."""
    return stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace")
