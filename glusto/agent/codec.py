"""How the controller writes to the deployed server: in marshal, which C reads and writes, and not in RPyC's brine.

What marshal doesn't know, as slices, goes in brine. The other way all is brine, since the controller trusts no host,
and marshal is not made for bytes that may be forged.
"""

import marshal
import types

from rpyc.core import brine
from rpyc.core.protocol import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TUPLE = b"("  # how marshal begins a tuple, which every message is; brine begins none so


class Codec:
    """What stands in the place of `brine` where RPyC writes a message, and reads one."""

    I1, I8I8 = brine.I1, brine.I8I8

    @staticmethod
    def dump(message: "tuple[Any, ...]") -> bytes:
        """Return a message in bytes.

        >>> Codec.load(Codec.dump((1, "text"))), Codec.load(Codec.dump((1, slice(2))))
        ((1, 'text'), (1, slice(None, 2, None)))
        """
        try:
            return marshal.dumps(message, 2)
        except ValueError:
            return bytes(brine.dump(message))

    @staticmethod
    def load(data: bytes) -> "tuple[Any, ...]":
        """Return the message that `dump` has written."""
        message: "tuple[Any, ...]" = marshal.loads(data) if data[:1] == TUPLE else brine.load(data)
        return message


def with_codec(name: str) -> "Callable[..., Any]":
    """Return a method of rpyc's Connection, unchanged but for what it writes and reads with."""
    method = getattr(Connection, name)
    return types.FunctionType(method.__code__, {**method.__globals__, "brine": Codec}, name, method.__defaults__)
