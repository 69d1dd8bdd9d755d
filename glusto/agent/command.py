"""Commands on this host: each in a session of its own, its output sent on as it comes."""

import os
import pwd
import _signal as signal

from . import processes, trees
from .frames import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .main import Agent

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


def execute(command: str) -> None:
    """Become the user's shell with the command; never returns."""
    path = shell()
    try:
        os.execve(path, [os.path.basename(path), "-c", command], environment())
    except OSError as error:
        os.write(2, f"{path}: {error.strerror}\n".encode())


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
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


class Command:
    """One command: `text` for the user's shell, or a call of `trees` in a child process of the agent.

    It is over when its process has ended and its stdout and stderr are closed, as sshd sees it.
    """

    def __init__(self, agent: "Agent", number: int, header: "dict[str, Any]") -> None:
        self.agent = agent
        self.number = number
        self.status: int | None = None
        self.pending = bytearray()
        self.taken = 0
        self.input_ended = False
        self.ended_by: str | None = None
        stdin = os.pipe() if header.get("stdin") else None
        stdout, stderr = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.become(header, stdin[0] if stdin else None, stdout[1], stderr[1])
        agent.guard(self.pid)
        os.close(stdout[1])
        os.close(stderr[1])
        self.outputs = {stdout[0]: "out", stderr[0]: "err"}
        for descriptor in self.outputs:
            agent.watch_source(descriptor, self.read)
        self.stdin: int | None = None
        if stdin:
            os.close(stdin[0])
            self.stdin = stdin[1]
            os.set_blocking(self.stdin, False)
        if header.get("timeout") is not None:
            agent.later(number, float(header["timeout"]), lambda: self.kill("timeout"))

    def become(self, header: "dict[str, Any]", stdin: "int | None", stdout: int, stderr: int) -> None:
        """In the child: take the pipes as standard streams and do what was asked."""
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin, 0)
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            restore_signals()
            if "call" in header:
                close_all_but(set())
                getattr(trees, str(header["call"]))(*header["arguments"])
                os._exit(0)
            execute(str(header["command"]))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
            os._exit(1)
        finally:
            os._exit(127)

    def read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.agent.send({"id": self.number, "stream": self.outputs[descriptor]}, data)
            return
        self.agent.unwatch(descriptor)
        os.close(descriptor)
        del self.outputs[descriptor]
        self.finish()

    def give_input(self, data: bytes) -> None:
        """Pass bytes to the command's stdin; no bytes close it."""
        if self.stdin is None:
            return
        if data:
            self.pending += data
        else:
            self.input_ended = True
        self.write(self.stdin)

    def write(self, descriptor: int) -> None:
        try:
            while self.pending:
                written = os.write(descriptor, self.pending[: 1 << 20])
                del self.pending[:written]
                self.taken += written
        except BlockingIOError:
            self.agent.watch(descriptor, self.write, writing=True)
        except OSError:  # it does not want any more
            self.taken += len(self.pending)
            self.pending.clear()
            self.input_ended = True
        if self.taken >= ACKNOWLEDGE or not self.pending:
            self.agent.send({"id": self.number, "taken": self.taken})
            self.taken = 0
        if not self.pending:
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
            self.status = -signal.SIGKILL
        for descriptor in self.outputs:  # a daemon that left the group may hold them for ever
            self.agent.unwatch(descriptor)
            os.close(descriptor)
        self.outputs = {}
        self.finish()

    def reap(self) -> None:
        """Called at SIGCHLD: see whether this is the child that ended."""
        if self.status is not None:
            return
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0
        if pid:
            self.status = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            self.finish()

    def finish(self) -> None:
        if self.status is None or self.outputs or not self.agent.drop(self.number):
            return
        self.close_input()
        self.agent.release(self.pid)
        # what `ssh host command` returns for a command that a signal ended
        returncode = self.status if self.status >= 0 else 128 - self.status
        self.agent.send({"id": self.number, "returncode": returncode, "ended_by": self.ended_by})

