"""What RPyC reads from and writes to, at both ends: a connected socket, with as few system calls as will do."""

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHUNK = 1 << 16
READABLE = select.POLLIN | select.POLLPRI


class Stream:
    """A socket as a stream of rpyc.core.channel. Closing it wakes whoever waits for it."""

    MAX_IO_CHUNK = CHUNK - 64  # RPyC sends what is longer in several pieces

    def __init__(self, peer: "Any") -> None:
        self.peer = peer
        self.closed = False
        self._arrived = b""
        self._poller = select.poll()
        self._poller.register(peer.fileno(), READABLE)

    def fileno(self) -> int:
        if self.closed:
            raise EOFError("the connection is closed")
        return int(self.peer.fileno())

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            self.peer.shutdown(2)
        except OSError:
            pass  # the other end was faster
        self.peer.close()

    def poll(self, timeout: "Any") -> bool:
        """Wait until there is something to be read, or for as long as an rpyc.lib.Timeout says.

        Without a limit that is a plain receive: one system call where waiting and receiving are two.
        """
        if self._arrived:
            return True
        self.fileno()
        left = timeout.timeleft() if hasattr(timeout, "timeleft") else timeout
        if left is None:
            self._arrived = self._receive(CHUNK)
            return True
        return bool(self._poller.poll(left * 1000))

    def _receive(self, count: int) -> bytes:
        try:
            data = self.peer.recv(count)
        except OSError as error:
            self.close()
            raise EOFError(str(error)) from error
        if not data:
            self.close()
            raise EOFError("the connection was closed")
        return bytes(data)

    def read(self, count: int) -> bytes:
        """Return exactly so many bytes.

        Raises:
            EOFError: the connection ended before.
        """
        data = self._arrived
        if len(data) < count:
            parts = [data]
            missing = count - len(data)
            while missing > 0:
                part = self._receive(max(CHUNK, missing))
                parts.append(part)
                missing -= len(part)
            data = b"".join(parts)
        self._arrived = data[count:]
        return data[:count]

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            EOFError: the connection has ended.
        """
        try:
            self.peer.sendall(data)
        except OSError as error:
            self.close()
            raise EOFError(str(error)) from error
