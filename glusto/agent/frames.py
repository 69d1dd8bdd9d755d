"""Frames, the words that controller and agent exchange: a JSON header and a body of raw bytes."""

import json
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LENGTHS = struct.Struct("!II")
MAX_HEADER = 1 << 20
MAX_BODY = 1 << 24
CHUNK = 1 << 16  # how much output or file content goes into one frame


class FrameError(Exception):
    """What arrived is no frame: the other end is not ours, or the stream is damaged."""


def encode(header: "dict[str, object]", body: bytes = b"") -> bytes:
    """Return the bytes of one frame.

    >>> list(Decoder().feed(encode({"op": "ping"}, b"x")))
    [({'op': 'ping'}, b'x')]
    """
    text = json.dumps(header).encode()
    return LENGTHS.pack(len(text), len(body)) + text + body


class Decoder:
    """Takes bytes as they come, in pieces of any size, and gives back whole frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> "Iterator[tuple[dict[str, Any], bytes]]":
        """Yield every frame that `data` completes.

        Raises:
            FrameError: lengths out of range, or a header that is no JSON object.
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
                header = json.loads(buffer[LENGTHS.size : start].decode())
            except ValueError as error:
                raise FrameError(f"the header is no JSON: {error}") from error
            if not isinstance(header, dict):
                raise FrameError("the header is no JSON object")
            body = bytes(buffer[start:end])
            del buffer[:end]
            yield header, body
