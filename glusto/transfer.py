"""Files and directories to and from a host: a tar stream through the link, packed and unpacked by `trees`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import os
import threading
from typing import TYPE_CHECKING, Any

from glusto.agent import trees
from glusto.errors import HostError, TransferError

if TYPE_CHECKING:
    from glusto.link import Link

WINDOW = 1 << 23  # bytes that may be under way, in either direction


class Transfer(io.RawIOBase):
    """A file-like channel: what is written goes to the host's end of the transfer, what it sends is read.

    Made on the loop's thread; read, written and closed on the thread of whoever transfers.
    """

    def __init__(self, link: Link, call: str, arguments: list[str]) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._moved = threading.Condition()
        self._under_way = self._taken = 0
        self._arrived = bytearray()
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
                self._arrived += body
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

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        with self._moved:
            self._moved.wait_for(lambda: self._under_way < WINDOW or self._outcome.done())
            if self._outcome.done():
                raise BrokenPipeError
            self._under_way += len(part)
        self._send(part)
        return len(part)

    def _send(self, part: bytes) -> None:
        self._loop.call_soon_threadsafe(self._link.send, {"op": "input", "id": self._number}, part)

    def readinto(self, buffer: Any) -> int:
        with self._moved:
            self._moved.wait_for(lambda: self._arrived or self._outcome.done())
            size = min(len(buffer), len(self._arrived))
            buffer[:size] = self._arrived[:size]
            del self._arrived[:size]
            self._taken += size
            if self._taken >= WINDOW // 4:
                taken, self._taken = self._taken, 0
                self._loop.call_soon_threadsafe(
                    self._link.send, {"op": "taken", "id": self._number, "count": taken}
                )
        return size

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

    def end_input(self) -> None:
        """Tell the host's end that nothing more comes."""
        self._send(b"")

    def stop(self) -> None:
        """End the host's end, for good. What is still on its way from there is dropped."""
        with self._moved:
            self._stopped = True
        self._loop.call_soon_threadsafe(self._link.send, {"op": "kill", "id": self._number})


def upload(transfer: Transfer, name: str, localpath: str, remotepath: str) -> None:
    """Pack `localpath` into the transfer.

    Raises:
        TransferError: it did not arrive, or not whole.
    """
    trouble: Exception | None = None
    try:
        trees.pack(localpath, transfer)
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
        trees.unpack(localpath, os.path.basename(remotepath.rstrip("/")), io.BufferedReader(transfer, trees.BLOCK))
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
        while data := source.read(trees.BLOCK):
            target.write(data)
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
