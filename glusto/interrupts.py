"""Interrupts: SIGTERM and SIGHUP, what CI and a closed terminal send, end things as orderly as Ctrl-C does.

A forked child is none of that: it ends at them as it would without Glusto. Between a fork and the child's first step
Python forgets the signals that it has a handler for, and who ends a child so soon (multiprocessing's Pool does)
would wait for it for ever; so they are held back meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

ENDING = (signal.SIGTERM, signal.SIGHUP)

_covered: list[dict[signal.Signals, Any]] = []  # the handlers that ours stand in for, the first ones first
_forking = threading.local()


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGHUP asks the run to end, as Ctrl-C does."""


@contextlib.contextmanager
def signals_call(act: Callable[[int, Any], Any]) -> Iterator[None]:
    """Within this, SIGTERM and SIGHUP call `act` with their number and the frame."""
    before = {number: signal.signal(number, act) for number in ENDING}
    _covered.append(before)
    try:
        yield
    finally:
        if before in _covered:  # else this is a child, and they are put back already
            _covered.remove(before)
            for number, handler in before.items():
                signal.signal(number, handler)


def signals_interrupt() -> contextlib.AbstractContextManager[None]:
    """Within this, SIGTERM and SIGHUP raise Interrupted, so that everything is cleaned as after Ctrl-C."""
    return signals_call(interrupt)


def interrupt(number: int, frame: object) -> NoReturn:
    """Raise Interrupted with the name of a signal."""
    raise Interrupted(signal.Signals(number).name)


def _before_fork() -> None:
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING if _covered else ())


def _after_in_parent() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _after_in_child() -> None:
    if _covered:
        for number, handler in _covered[0].items():
            signal.signal(number, handler)
        _covered.clear()
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
