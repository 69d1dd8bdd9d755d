"""How soon the command line answers, and what an import takes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.apart import environment
from benchmarks.bench import Bench
from benchmarks.rounds import Contender, alternate
from benchmarks.rows import Row, Target

HOSTS = 0
FAMILY = "startup"
HELP, IMPORT, PLAIN = "python -m glusto --help", "import glusto", 'python -c "import unittest, yaml"'
TARGET = Target("≤ 1.5", 1.5)


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the whole life of the processes."""
    times = bench.size(10, 1)
    samples = alternate(
        {
            HELP: starts(["-m", "glusto", "--help"], times),
            IMPORT: starts(["-c", "import glusto"], times),
            PLAIN: starts(["-c", "import unittest, yaml"], times),
        },
        bench.rounds,
    )
    for name in (HELP, IMPORT):
        yield samples.row(FAMILY, name, PLAIN, TARGET, ours=name, unit="ms", factor=1000)


def starts(words: list[str], times: int) -> Contender:
    """Return a contender that runs Python with these words so many times, and measures one."""

    def measured() -> float:
        started = time.perf_counter()
        for _ in range(times):
            subprocess.run(
                [sys.executable, *words],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=60,
            )
        return (time.perf_counter() - started) / times

    return measured
