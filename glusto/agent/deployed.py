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

    def stop(self) -> "dict[str, object]":
        """End the server and its group, then what it left in other sessions, and remove the directory.

        Returns what a person should know: `residue`, the processes that had left the server's session,
        `alive`, those that would not die, and `left`, why the directory could not be removed.
        """
        family = processes.family(self.pid, self.agent.token)
        strays = [pid for pid in family if processes.session(pid) != self.pid]
        residue = [processes.describe(pid) for pid in strays]
        reaped = processes.end_group(self.pid, GRACE)
        mortal = set(family)
        if self.agent.keep_residue:
            mortal -= set(strays)
        else:
            for pid in strays:
                processes.send_signal(pid, signal.SIGKILL)
        alive = [processes.describe(pid) for pid in processes.wait_gone(sorted(mortal), DEATH)]
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
