"""The deployed server as the agent sees it: its process, its private directory, and what it prints."""

import _signal as signal
import _socket
import os

from . import directory, processes, server
from .command import close_all_but, restore_signals
from .frames import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .main import Agent

GRACE = 0.5  # seconds between SIGTERM and SIGKILL
DEATH = 2.0  # seconds that killed processes may take to be gone


class Deployed:
    """A running deployed server. `stop` ends it, whatever its code is doing, and says what it left."""

    def __init__(self, agent: "Agent") -> None:
        self.agent = agent
        self.directory = directory.create(agent.token)
        self.listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            self.listener.bind(self.directory.socket)
            self.listener.listen(128)
        except OSError:
            self.listener.close()
            self.directory.remove()
            raise
        alive, self.alive = os.pipe()
        self.output, output = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.become(alive, output)
        os.close(alive)
        os.close(output)
        self.listener.close()
        os.set_blocking(self.output, False)
        agent.watch_source(self.output, self.read)

    def become(self, alive: int, output: int) -> None:
        """In the child: detach from the agent and serve."""
        try:
            os.setsid()
            os.dup2(output, 1)
            os.dup2(output, 2)
            restore_signals()
            for number in (signal.SIGPIPE, signal.SIGXFSZ):  # as in any Python: an error of the call, not the end
                signal.signal(number, signal.SIG_IGN)
            close_all_but({alive, self.listener.fileno()})
            server.die_with_agent(alive)
            processes.rename("deployed-rpyc " + self.agent.label)
            server.run(self.listener)
        except BaseException as error:
            os.write(2, f"deployed server: {type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        finally:
            os._exit(1)

    def read(self, descriptor: int) -> bool:
        """Pass on what the server and its children print; False when there is nothing now."""
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return False
        if data:
            self.agent.send({"op": "printed"}, data)
        else:
            self.agent.unwatch(descriptor)
        return bool(data)

    def drain(self) -> None:
        """Pass on what has been printed up to now, 4 MB at the most."""
        for _ in range(64):
            if not self.read(self.output):
                return

    def stray(self, pids: "list[int]") -> "list[dict[str, object]]":
        """Describe those that have left the server's session, each once; note that they are kept if they are to be."""
        strays = [pid for pid in pids if processes.session(pid) not in (0, self.pid) and pid not in self.agent.kept]
        if self.agent.keep_residue:
            self.agent.kept.update(strays)
        return [processes.describe(pid) for pid in strays]

    def stop(self) -> "dict[str, object]":
        """End the server and its group, then what it left in other sessions, and remove the directory.

        Returns what a person should know: `residue`, the processes that had left the server's session,
        `alive`, those that would not die, and `left`, why the directory could not be removed.
        """
        family = processes.family(self.pid, self.agent.token)
        residue = self.stray(family)
        reaped = processes.end_group(self.pid, GRACE)
        for _ in range(processes.PASSES):
            for pid in family:
                if pid != self.pid and pid not in self.agent.kept:
                    processes.send_signal(pid, signal.SIGKILL)
            late = [pid for pid in processes.family(None, self.agent.token) if pid not in family]
            if not late:
                break
            residue += self.stray(late)  # forked since the last look
            family += late
        mortal = [pid for pid in family if pid not in self.agent.kept]
        alive = [processes.describe(pid) for pid in processes.wait_gone(mortal, DEATH)]
        if not reaped and not alive:
            alive = [processes.describe(self.pid)]
        self.drain()
        self.agent.unwatch(self.output)
        os.close(self.output)
        os.close(self.alive)
        left = ""
        try:
            self.directory.remove()
        except OSError as error:
            left = f"{self.directory.path}: {error.strerror}"
        return {"residue": residue, "alive": alive, "left": left}
