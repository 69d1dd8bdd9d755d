"""Bytes on their way to a descriptor that takes them when it can."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AT_ONCE = 16  # parts in one system call
SMALL = 1 << 12  # bytes that are copied more quickly than written apart


class Outbox:
    """What is still to be written, in the order in which it was put in; nothing of it is copied.

    Attributes:
        size: how many bytes that are.
    """

    def __init__(self) -> None:
        self.size = 0
        self._parts: "list[Any]" = []

    def put(self, head: bytes, body: bytes = b"") -> None:
        """Put in a head, and what comes after it."""
        self._parts += [head, body] if len(body) > SMALL else [head + body]
        self.size += len(head) + len(body)

    def write(self, descriptor: int) -> int:
        """Write as much as the descriptor takes now; return how many bytes that were.

        Raises:
            OSError: nobody reads there any more.
        """
        if not self.size:
            return 0
        try:
            written = taken = os.writev(descriptor, self._parts[:AT_ONCE])
        except BlockingIOError:
            return 0
        whole = 0
        while taken and taken >= len(self._parts[whole]):
            taken -= len(self._parts[whole])
            whole += 1
        del self._parts[:whole]
        if taken:
            self._parts[0] = memoryview(self._parts[0])[taken:]
        self.size -= written
        return written

    def clear(self) -> None:
        """Drop it all."""
        self._parts.clear()
        self.size = 0
