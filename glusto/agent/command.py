"""Commands on this host: each in a session of its own, its output sent on as it comes."""

import _signal as signal
import os
import pwd

from . import processes, trees
from .frames import CHUNK, widen
from .outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .main import Agent

PIPE = 1 << 16  # what a pipe holds
ACKNOWLEDGE = 1 << 18  # tell the controller about this much input taken


def shell() -> str:
    """Return this user's login shell, which is what sshd hands a command to."""
    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "/bin/sh"


def environment() -> "dict[bytes, bytes]":
    """Return the environment that the login gave: without the link's tag, and what Python set for itself."""
    found = dict(os.environb)
    found.pop(processes.TAG.encode(), None)
    try:
        with open("/proc/self/environ", "rb") as file:
            given = file.read().split(b"\0")
    except OSError:
        return found
    if not any(entry.startswith(b"LC_CTYPE=") for entry in given):  # Python does where the locale is C
        found.pop(b"LC_CTYPE", None)
    return found


SHELL = shell()
ENVIRONMENT = environment()
DEFAULTS = [
    getattr(signal, name)
    for name in ("SIGCHLD", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGINT", "SIGXFSZ")
    if hasattr(signal, name)
]


def spawn(command: str, stdin: int, stdout: int, stderr: int) -> int:
    """Start the user's shell with a command, in a session of its own, as sshd does; returns its process id.

    Raises:
        OSError: the shell can't be started.
    """
    arguments = [os.path.basename(SHELL), "-c", command]
    streams = ((stdin, 0), (stdout, 1), (stderr, 2))
    try:
        actions = [(os.POSIX_SPAWN_DUP2, given, number) for given, number in streams]
        return os.posix_spawn(SHELL, arguments, ENVIRONMENT, file_actions=actions, setsid=True, setsigdef=DEFAULTS)
    except (AttributeError, NotImplementedError):  # before Python 3.8, or a C library without setsid
        pid = os.fork()
    if pid == 0:
        try:
            become(streams)
            os.execve(SHELL, arguments, ENVIRONMENT)
        except OSError as error:
            os.write(2, f"{SHELL}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    return pid


def call(function: str, arguments: "list[Any]", stdin: int, stdout: int, stderr: int) -> int:
    """Call a function of `trees` in a child process of the agent; returns its process id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            become(((stdin, 0), (stdout, 1), (stderr, 2)))
            close_all_but(set())
            getattr(trees, function)(*arguments)
            status = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        finally:
            os._exit(status)
    return pid


def become(streams: "tuple[tuple[int, int], ...]") -> None:
    """In a child: lead a session of its own, with these standard streams."""
    os.setsid()
    for given, number in streams:
        os.dup2(given, number)
    restore_signals()


def close_all_but(kept: "set[int]") -> None:
    """Close every descriptor of a forked child that it was not given."""
    try:
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        descriptors = list(range(3, 1024))
    for descriptor in descriptors:
        if descriptor > 2 and descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the listing's own, closed by now


def restore_signals() -> None:
    """Give a child the signal handling it would have had from sshd."""
    signal.set_wakeup_fd(-1)
    for number in DEFAULTS:
        signal.signal(number, signal.SIG_DFL)


class Command:
    """One command: `text` for the user's shell, or a call of `trees` in a child process of the agent.

    It is over when its process has ended and its stdout and stderr are closed, as sshd sees it.
    """

    def __init__(self, agent: "Agent", number: int, header: "dict[str, Any]") -> None:
        self.agent = agent
        self.number = number
        self.status: int | None = None
        self.pending = Outbox()
        self.taken = 0
        self.input_ended = False
        self.ended_by: str | None = None
        self.window = int(header.get("window") or 0)  # what may be under way of its output; by default anything
        self.under_way = 0
        self.chunk = PIPE
        self.stdin: int | None = None
        given, stdin = os.pipe()
        (stdout, out), (stderr, err) = os.pipe(), os.pipe()
        try:
            if "call" in header:
                self.pid = call(header["call"], header["arguments"], given, out, err)
            else:
                self.pid = spawn(header["command"], given, out, err)
        except BaseException:
            for descriptor in (stdin, stdout, stderr):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (given, out, err):
                os.close(descriptor)
        agent.guard(self.pid)
        self.outputs = {stdout: "out", stderr: "err"}
        for descriptor in self.outputs:
            agent.watch_source(descriptor, self.read)
        if header.get("stdin"):
            self.stdin = stdin
            widen(stdin)
            widen(agent.input)
            os.set_blocking(stdin, False)
        else:
            os.close(stdin)
        if header.get("timeout") is not None:
            agent.later(number, float(header["timeout"]), lambda: self.kill("timeout"))

    def read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, self.chunk)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.agent.send({"id": self.number, "stream": self.outputs[descriptor]}, data)
            if len(data) == PIPE and self.chunk == PIPE:  # there is much more to come
                self.chunk = CHUNK
                widen(descriptor)
                widen(self.agent.output)
            self.under_way += len(data)
            if self.window and self.under_way >= self.window:
                self.agent.unwatch(descriptor)
            return
        self.agent.unwatch(descriptor)
        os.close(descriptor)
        del self.outputs[descriptor]
        self.finish()

    def acknowledge(self, count: int) -> None:
        """So much of its output has been used; go on when it waits for that."""
        waited = self.window and self.under_way >= self.window
        self.under_way -= count
        if waited and self.under_way < self.window:
            for descriptor in self.outputs:
                self.agent.watch_source(descriptor, self.read)

    def give_input(self, data: bytes) -> None:
        """Pass bytes to the command's stdin; no bytes close it."""
        if self.stdin is None:
            return
        if data:
            self.pending.put(data)
        else:
            self.input_ended = True
        self.write(self.stdin)

    def write(self, descriptor: int) -> None:
        try:
            self.taken += self.pending.write(descriptor)
        except OSError:  # it does not want any more
            self.taken += self.pending.size
            self.pending.clear()
            self.input_ended = True
        if self.taken >= ACKNOWLEDGE or not self.pending.size:
            self.agent.send({"id": self.number, "taken": self.taken})
            self.taken = 0
        if self.pending.size:
            self.agent.watch(descriptor, self.write, writing=True)
            return
        self.agent.unwatch(descriptor)
        if self.input_ended:
            self.close_input()

    def close_input(self) -> None:
        if self.stdin is not None:
            self.agent.unwatch(self.stdin)
            os.close(self.stdin)
            self.stdin = None

    def kill(self, reason: str) -> None:
        """End the command and whatever of it is in its process group; say so when it is dead."""
        self.ended_by = reason
        processes.send_signal(self.pid, signal.SIGKILL, group=True)
        if self.status is None:  # just forked, it may not have made its group yet
            processes.send_signal(self.pid, signal.SIGKILL)
        for descriptor in list(self.outputs):
            os.set_blocking(descriptor, False)
            self.read(descriptor)
        if self.status is None and processes.reap(self.pid, 2):
            self.status = -int(signal.SIGKILL)
        for descriptor in self.outputs:  # a daemon that left the group may hold them for ever
            self.agent.unwatch(descriptor)
            os.close(descriptor)
        self.outputs = {}
        self.finish()

    def ended(self, status: int) -> None:
        """The process has ended, by itself, with this exit status; negative for a signal."""
        self.status = status
        self.finish()

    def finish(self) -> None:
        if self.status is None or self.outputs or not self.agent.drop(self.number):
            return
        self.close_input()
        self.agent.release(self.pid)
        # what `ssh host command` returns for a command that a signal ended
        returncode = self.status if self.status >= 0 else 128 - self.status
        self.agent.send({"id": self.number, "returncode": returncode, "ended_by": self.ended_by})

