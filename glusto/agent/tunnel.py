"""A connection to the deployed server carried in frames, where sshd forbids forwarding."""

import _socket
import os

from .frames import CHUNK
from .outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .main import Agent


class Tunnel:
    """Bytes from frames to the server's socket, and back."""

    def __init__(self, agent: "Agent", number: int, path: str) -> None:
        self.agent = agent
        self.number = number
        self.pending = Outbox()
        peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            peer.connect(path)
        except OSError:
            peer.close()
            raise
        peer.setblocking(False)
        self.incoming = peer.detach()
        self.outgoing = os.dup(self.incoming)  # of its own, so that it can be watched for writing
        agent.watch_source(self.incoming, self.read)

    def read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.agent.send({"id": self.number, "stream": "out"}, data)
        else:
            self.kill("closed")

    def give_input(self, data: bytes) -> None:
        """Pass bytes to the server; no bytes close the connection."""
        if data:
            self.pending.put(data)
            self.write(self.outgoing)
        else:
            self.kill("closed")

    def write(self, descriptor: int) -> None:
        try:
            self.pending.write(descriptor)
        except OSError:
            self.kill("closed")
            return
        if self.pending.size:
            self.agent.watch(descriptor, self.write, writing=True)
        else:
            self.agent.unwatch(descriptor)

    def kill(self, reason: str) -> None:
        if not self.agent.drop(self.number):
            return
        for descriptor in (self.incoming, self.outgoing):
            self.agent.unwatch(descriptor)
            os.close(descriptor)
        self.agent.send({"id": self.number, "returncode": 0, "ended_by": reason})
