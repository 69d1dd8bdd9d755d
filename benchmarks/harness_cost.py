"""What the harness takes around tests that do nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.apart import environment
from benchmarks.bench import Bench
from benchmarks.rounds import OURS, Contender, alternate
from benchmarks.rows import Row, Target

HOSTS = 0
FAMILY = "harness_cost"
XMLRUNNER, WITH_PAGE = "python -m xmlrunner", "with a page"
TARGET = Target("≤ 1.1", 1.1)
CLASSES = 100
SECONDS = 300


def measure(bench: Bench) -> Iterator[Row]:
    """Measure 10,000 empty tests in a hundred classes: start, discovery and reports too."""
    each = bench.size(100, 2)
    directory = bench.site.directory / "suite"
    directory.mkdir()
    write_suite(directory, each)
    glusto = ["glusto", "-c", "lab.yml", "-d", ".", "--reports", "reports-glusto"]
    contenders: dict[str, Contender] = {
        OURS: runs(directory, [*glusto, "--no-page"]),
        WITH_PAGE: runs(directory, glusto),
        XMLRUNNER: runs(directory, ["xmlrunner", "discover", "-o", "reports-xmlrunner"]),
    }
    samples = alternate(contenders, bench.at_most(3))
    name = f"{CLASSES * each} empty tests"
    yield samples.row(FAMILY, name, XMLRUNNER, TARGET, notes="JUnit files, as xmlrunner writes them: --no-page")
    notes = "by default: events and the HTML report too"
    yield samples.row(FAMILY, name, XMLRUNNER, TARGET, ours=WITH_PAGE, notes=notes)


def write_suite(directory: Path, each: int) -> None:
    """Write a module of empty tests, and a config without hosts."""
    lines = ["import unittest"]
    for number in range(CLASSES):
        lines.append(f"class Test{number}(unittest.TestCase):")
        lines += [f"    def test_{position}(self): pass" for position in range(each)]
    (directory / "test_empty.py").write_text("\n".join(lines) + "\n")
    (directory / "lab.yml").write_text("servers: {}\n")


def runs(directory: Path, words: list[str]) -> Contender:
    """Return a contender that runs a module of Python there."""

    def measured() -> float:
        with (directory / "output").open("wb") as output:
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", *words],
                cwd=directory,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=True,
                timeout=SECONDS,
            )
            return time.perf_counter() - started

    return measured
