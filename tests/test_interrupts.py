"""SIGTERM and SIGHUP end a run orderly, and its forked children at once."""

import os
import signal
import time

import pytest

from glusto.interrupts import ENDING, Interrupted, signals_interrupt

FORKS = 100


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with signals_interrupt(), pytest.raises(Interrupted, match=number.name):
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", ENDING)
def test_a_child_ends_at_a_signal_however_soon_it_comes(number: signal.Signals) -> None:
    """As multiprocessing's Pool ends its workers: one that forgets the signal is waited for in vain."""
    ended = []
    with signals_interrupt():
        for _ in range(FORKS):
            pid = os.fork()
            if pid == 0:
                try:
                    time.sleep(20)
                finally:
                    os._exit(3)
            os.kill(pid, number)
            ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        with pytest.raises(Interrupted):
            signal.raise_signal(number)
    assert ended == [-number] * FORKS
