"""Frames, the words that controller and agent exchange: a header and a body of raw bytes.

The agent's headers are JSON, since the controller trusts no host; the controller's are Python's own marshal
format, which every Python reads, and for which a host has to import nothing.
"""

import marshal
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

LENGTHS = struct.Struct("!II")
MAX_HEADER = 1 << 20
MAX_BODY = 1 << 24
CHUNK = 1 << 18  # how much output or file content goes into one frame
ESCAPES = {code: f"\\u{code:04x}" for code in (*range(32), 34, 92)}


def widen(descriptor: int) -> None:
    """Let a pipe hold as much as a few chunks, where the system can: fewer switches between its ends."""
    try:
        import fcntl

        fcntl.fcntl(descriptor, 1031, 4 * CHUNK)  # F_SETPIPE_SZ, which has a name since Python 3.10
    except OSError:
        pass  # not Linux, no pipe, or over this user's limit


class FrameError(Exception):
    """What arrived is no frame: the other end is not ours, or the stream is damaged."""


def to_json(value: object) -> str:
    r"""Return a value as JSON: what `json.dumps` does, without what its import costs a host.

    >>> to_json({"a": [1, 2.5, None, True], "b": 'x"'})
    '{"a":[1,2.5,null,true],"b":"x\\u0022"}'
    """
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{to_json(key)}:{to_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(to_json, value)) + "]"
    return '"' + str(value).translate(ESCAPES) + '"'


def request_head(header: "dict[str, Any]", size: int = 0) -> bytes:
    """Return what goes ahead of a body of that size in a frame to an agent.

    >>> list(Decoder(marshal.loads).feed(request_head({"op": "input"}, 1) + b"x"))
    [({'op': 'input'}, b'x')]
    """
    text = marshal.dumps(header, 2)
    return LENGTHS.pack(len(text), size) + text


def answer_head(header: "dict[str, Any]", size: int = 0) -> bytes:
    """Return what goes ahead of a body of that size in a frame from an agent.

    >>> list(Decoder().feed(answer_head({"op": "hello"}, 1) + b"x"))
    [({'op': 'hello'}, b'x')]
    """
    text = to_json(header).encode("utf-8", "backslashreplace")  # half characters, as JSON writes them
    return LENGTHS.pack(len(text), size) + text


def from_json(text: bytes) -> "dict[str, Any]":
    """Read a header that an agent has sent.

    Raises:
        ValueError: it is no JSON object.
    """
    import json

    header = json.loads(text.decode())
    if not isinstance(header, dict):
        raise ValueError("it is no JSON object")
    return header


class Decoder:
    """Takes bytes as they come, in pieces of any size, and gives back whole frames.

    Args:
        read_header: reads a header; `marshal.loads` at an agent.
    """

    def __init__(self, read_header: "Callable[[bytes], dict[str, Any]]" = from_json) -> None:
        self._buffer = bytearray()
        self._read_header = read_header

    def feed(self, data: bytes) -> "Iterator[tuple[dict[str, Any], bytes]]":
        """Yield every frame that `data` completes.

        Raises:
            FrameError: lengths out of range, or a header that can't be read.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= LENGTHS.size:
            header_length, body_length = LENGTHS.unpack_from(buffer)
            if header_length > MAX_HEADER or body_length > MAX_BODY:
                raise FrameError(f"a frame of {header_length}+{body_length} bytes is over the limit")
            start = LENGTHS.size + header_length
            end = start + body_length
            if len(buffer) < end:
                return
            try:
                header = self._read_header(bytes(buffer[LENGTHS.size : start]))
            except (ValueError, EOFError, TypeError, RecursionError) as error:
                raise FrameError(f"the header can't be read: {error}") from error
            with memoryview(buffer) as view:
                body = bytes(view[start:end])
            del buffer[:end]
            yield header, body
