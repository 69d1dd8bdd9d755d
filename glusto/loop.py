"""The one event loop, in a background thread, on which every link lives; the public API waits for it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import resource
import subprocess
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from glusto.errors import GlustoError

T = TypeVar("T")
DESCRIPTORS = 16_384  # open files, for some thousands of links


class Loop:
    """An asyncio event loop in a daemon thread.

    >>> loop = Loop()
    >>> loop.wait_for(asyncio.sleep(0, "done"))
    'done'
    >>> loop.close()
    """

    def __init__(self) -> None:
        allow_descriptors()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="glusto", daemon=True)
        self._thread.start()

    @property
    def asyncio(self) -> asyncio.AbstractEventLoop:
        """The loop itself."""
        return self._loop

    def start(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start `work` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait_for(self, work: Coroutine[Any, Any, T], *, finish: bool = False) -> T:
        """Run `work` on the loop and wait for it.

        Args:
            finish: an interrupt (Ctrl-C) waits until the work, which is bounded in time, is done; else
                it is cancelled.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("this would wait for itself: it was called on Glusto's own thread")
        future = self.start(work)
        try:
            return future.result()
        except GlustoError as error:  # where on the loop it came from helps nobody who reads it
            raise error.with_traceback(None) from error.__cause__
        except KeyboardInterrupt:
            if finish:
                concurrent.futures.wait([future])
            raise
        finally:
            future.cancel()

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the loop's thread and wait for it."""

        async def work() -> T:
            return function(*arguments)

        return self.wait_for(work())

    def close(self) -> None:
        """Stop the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()


def allow_descriptors() -> None:
    """Raise this process's limit of open files to what it may be: a link takes four, and 1,024 is a common limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def wait_exit(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Wait until a child process has ended, `timeout` seconds at most; True when it has."""
    if process.poll() is not None:
        return True
    if not hasattr(os, "pidfd_open"):
        try:
            await asyncio.to_thread(process.wait, timeout)
        except subprocess.TimeoutExpired:
            return False
        return True
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, lambda: ended.done() or ended.set_result(None))  # type: ignore[func-returns-value]
    try:
        await asyncio.wait_for(ended, timeout)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    process.wait()
    return True
