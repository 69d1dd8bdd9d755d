"""Waiting for a condition, never for a while."""

import time
from collections.abc import Callable

from .errors import HostError

POLL_SECONDS = 0.01


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return as soon as ``condition()`` is true.

    Args:
        condition: is asked again and again; what it raises ends the wait.
        seconds: the limit.
        what: names the condition in the error, as in ``"h1: sshd answers"``.

    Raises:
        HostError: the condition stayed false for ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise HostError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(POLL_SECONDS)
