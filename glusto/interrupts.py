"""Interrupts: SIGTERM and SIGHUP, what CI and a closed terminal send, end things as orderly as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

ENDING = (signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGHUP asks the run to end, as Ctrl-C does."""


@contextlib.contextmanager
def signals_call(act: Callable[[int, Any], Any]) -> Iterator[None]:
    """Within this, SIGTERM and SIGHUP call `act` with their number and the frame."""
    before = {number: signal.signal(number, act) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def signals_interrupt() -> contextlib.AbstractContextManager[None]:
    """Within this, SIGTERM and SIGHUP raise Interrupted, so that everything is cleaned as after Ctrl-C."""
    return signals_call(interrupt)


def interrupt(number: int, frame: object) -> NoReturn:
    """Raise Interrupted with the name of a signal."""
    raise Interrupted(signal.Signals(number).name)
