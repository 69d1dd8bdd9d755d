"""Much output of a command: how fast it comes, and what memory that takes here."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.apart import apart
from benchmarks.bench import Bench
from benchmarks.memory import peak
from benchmarks.rounds import OURS, alternate
from benchmarks.rows import Row, Target, single
from benchmarks.site import masters

HOSTS = 1
FAMILY = "output"
PATH = "/srv/bench-output"
READ, DROPPED, TO_FILE = "ssh host cat, read here", "ssh host cat > /dev/null", "ssh host cat > file"
THROUGHPUT = Target("≥ 0.9", 0.9, least=True)
STREAMED = Target("≤ 64 MB", 64, absolute=True)
TIMES_THE_OUTPUT = 3
SECONDS = 120.0


def measure(bench: Bench) -> Iterator[Row]:
    """Measure 200 MB of text."""
    size = bench.size(200, 2) << 20
    name = bench.site.names[0]
    bench.host.execute("sh", "-c", f"yes 'a line of the kind that commands print' | head -c {size} > {PATH}")
    peaks: dict[str, list[float]] = {"collected": [], "streamed": []}
    lab = bench.site.lab([name])

    def glusto(kind: str) -> float:
        result = apart(collect if kind == "collected" else stream, SECONDS, name=name, lab=lab, size=size)
        peaks[kind].append(result["peak"])
        return size / 1e6 / float(result["seconds"])

    try:
        with masters(bench.site, [name]) as controls:
            words = bench.site.over(controls[name], name, f"cat {PATH}")

            def reads() -> float:
                result = apart(read, SECONDS, words=words, size=size)
                return size / 1e6 / float(result["seconds"])

            def drops(target: str) -> float:
                with open(target, "wb") as file:
                    started = time.perf_counter()
                    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=file, check=True, timeout=SECONDS)
                    return size / 1e6 / (time.perf_counter() - started)

            samples = alternate(
                {
                    OURS: lambda: glusto("collected"),
                    "streamed": lambda: glusto("streamed"),
                    READ: reads,
                    DROPPED: lambda: drops(os.devnull),
                    TO_FILE: lambda: drops(str(bench.site.directory / "output")),
                },
                bench.rounds,
            )
    finally:
        bench.host.execute("rm", "-f", PATH)
    told = f"{size >> 20} MB"
    for other, target in ((READ, THROUGHPUT), (DROPPED, None)):
        yield samples.row(FAMILY, f"run: {told} of output", other, target, unit="MB/s")
    name = f"run_async(stdout=file): {told}"
    yield samples.row(FAMILY, name, TO_FILE, ours="streamed", unit="MB/s")
    if peaks["collected"]:
        limit = TIMES_THE_OUTPUT * (size >> 20)
        target = Target(f"≤ {limit} MB", limit, absolute=True)
        notes = f"all of it, Python and Glusto too: at most {TIMES_THE_OUTPUT} × the output"
        yield single(FAMILY, f"controller's peak memory, {told} of output", max(peaks["collected"]), "MB", target,
                     rounds=len(peaks["collected"]), notes=notes)  # fmt: skip
    if peaks["streamed"]:
        yield single(FAMILY, f"controller's peak memory, {told} streamed", max(peaks["streamed"]), "MB", STREAMED,
                     rounds=len(peaks["streamed"]))  # fmt: skip


def collect(name: str, lab: dict[str, Any], size: int) -> dict[str, float]:
    """In a process of its own: run the command and have its output."""
    from glusto.harness import Harness

    harness = Harness()
    harness.config = lab
    try:
        harness.run(name, "true", check=True)
        started = time.perf_counter()
        result = harness.run(name, f"cat {PATH}", check=True)
        taken = time.perf_counter() - started
        check_size(len(result.stdout), size)
    finally:
        harness.close()
    return {"seconds": taken, "peak": peak()}


def stream(name: str, lab: dict[str, Any], size: int) -> dict[str, float]:
    """In a process of its own: run the command with its output going into a file."""
    from glusto.harness import Harness

    harness = Harness()
    harness.config = lab
    try:
        harness.run(name, "true", check=True)
        with tempfile.TemporaryFile() as file:
            started = time.perf_counter()
            harness.run_async(name, f"cat {PATH}", stdout=file).async_communicate()
            taken = time.perf_counter() - started
            check_size(file.tell(), size)
    finally:
        harness.close()
    return {"seconds": taken, "peak": peak()}


def read(words: list[str], size: int) -> dict[str, float]:
    """In a process of its own: what any program does that wants the output of ssh."""
    started = time.perf_counter()
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=SECONDS
    )
    taken = time.perf_counter() - started
    check_size(len(done.stdout), size)
    return {"seconds": taken}


def check_size(arrived: int, size: int) -> None:
    """Raise when not everything has arrived."""
    if arrived != size:
        raise RuntimeError(f"{arrived} bytes came, of {size}")
