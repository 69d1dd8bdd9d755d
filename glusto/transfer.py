"""Files and directories to and from a host: a stream through the link, packed and unpacked by `trees`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from glusto.agent import trees
from glusto.errors import HostError, TransferError

if TYPE_CHECKING:
    from glusto.link import Link

WINDOW = 1 << 23  # bytes that may be under way, in either direction


class Transfer:
    """A channel with a tree in it: pieces are written to the host's end, or come from there.

    Made on the loop's thread; used on the thread of whoever transfers.
    """

    def __init__(self, link: Link, call: str, arguments: list[str]) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._moved = threading.Condition()
        self._under_way = 0
        self._arrived: deque[bytes] = deque()
        self._complaint = bytearray()
        self._stopped = False
        self._outcome: concurrent.futures.Future[int] = concurrent.futures.Future()
        link.widen()
        self._number = link.open_channel(
            self, "run", call=call, arguments=arguments, stdin=call == "receive", window=WINDOW
        )

    # On the loop's thread

    def frame(self, header: dict[str, Any], body: bytes) -> None:
        with self._moved:
            if "taken" in header:
                self._under_way -= int(header["taken"])
            elif header.get("stream") == "out" and not self._stopped:
                self._arrived.append(body)
            elif header.get("stream") == "err":
                self._complaint += body
            elif "error" in header:
                self._complaint += str(header["error"]).encode()
                self._outcome.set_result(1)
            elif "returncode" in header:
                self._outcome.set_result(int(header["returncode"]))
            self._moved.notify_all()

    def lost(self, error: HostError) -> None:
        with self._moved:
            self._outcome.set_exception(error)
            self._moved.notify_all()

    # On the thread that transfers

    def write(self, piece: bytes) -> None:
        """Send a piece, once there is room for it on the way.

        Raises:
            BrokenPipeError: the host's end takes no more.
        """
        with self._moved:
            self._moved.wait_for(lambda: self._under_way < WINDOW or self._outcome.done())
            if self._outcome.done():
                raise BrokenPipeError
            self._under_way += len(piece)
        self._send("input", piece)

    def end_input(self) -> None:
        """Tell the host's end that nothing more comes."""
        self._send("input")

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes, until the host's end has ended."""
        taken = 0
        while True:
            with self._moved:
                self._moved.wait_for(lambda: self._arrived or self._outcome.done())
                if not self._arrived:
                    return
                piece = self._arrived.popleft()
            taken += len(piece)
            if taken >= WINDOW // 4:
                self._send("taken", count=taken)
                taken = 0
            yield piece

    def _send(self, verb: str, body: bytes = b"", **fields: int) -> None:
        self._loop.call_soon_threadsafe(self._link.send, {"op": verb, "id": self._number, **fields}, body)

    def finish(self, trouble: Exception | None) -> str:
        """Wait for the host's end to be done; returns what went wrong at either end, "" when nothing did."""
        try:
            status = self._outcome.result()
        except HostError as error:
            return error.problem
        complaint = self._complaint.decode("utf-8", "replace").strip()
        if not complaint and trouble is not None:
            complaint = str(trouble) or type(trouble).__name__
        return complaint or (f"the host's end ended with {status}" if status else "")

    def stop(self) -> None:
        """End the host's end, for good. What is still on its way from there is dropped."""
        with self._moved:
            self._stopped = True
            self._arrived.clear()
        self._send("kill")


def upload(transfer: Transfer, name: str, localpath: str, remotepath: str) -> None:
    """Pack `localpath` into the transfer.

    Raises:
        TransferError: it did not arrive, or not whole.
    """
    trouble: Exception | None = None
    try:
        for piece in trees.pack(localpath):
            transfer.write(piece)
        transfer.end_input()
    except Exception as error:  # the host's own complaint, when there is one, says more than a broken pipe
        transfer.stop()
        trouble = error
    except BaseException:  # Ctrl-C
        transfer.stop()
        raise
    complaint = transfer.finish(trouble)
    if complaint:
        raise TransferError(name, f"upload of {localpath} to {remotepath}: {complaint}") from trouble


def download(transfer: Transfer, name: str, remotepath: str, localpath: str) -> None:
    """Unpack what the transfer brings at `localpath`.

    Raises:
        TransferError: it did not arrive, or not whole.
    """
    trouble: Exception | None = None
    try:
        trees.unpack(localpath, os.path.basename(remotepath.rstrip("/")), transfer.pieces())
    except Exception as error:
        transfer.stop()
        trouble = error
    except BaseException:  # Ctrl-C
        transfer.stop()
        raise
    complaint = transfer.finish(trouble)
    if complaint:
        raise TransferError(name, f"download of {remotepath} to {localpath}: {complaint}") from trouble


def relay(source: Transfer, target: Transfer, name: str, sourcepath: str, targetpath: str) -> None:
    """Pass what one host sends on to another.

    Raises:
        TransferError: it did not arrive, or not whole.
    """
    trouble: Exception | None = None
    try:
        for piece in source.pieces():
            target.write(piece)
    except Exception as error:
        trouble = error
    complaint = source.finish(trouble) if trouble is None else ""
    if complaint or trouble is not None:
        source.stop()
        target.stop()
    else:
        target.end_input()
    complaint = complaint or target.finish(trouble)
    if complaint:
        raise TransferError(name, f"transfer of {sourcepath} to {targetpath}: {complaint}") from trouble
