"""Files to a host and from it: one large one, and a tree of many small ones, over connections that are open."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.phases import busy
from benchmarks.rounds import OURS, Contender, UnavailableError, alternate
from benchmarks.rows import Row, Target, single
from benchmarks.site import masters, run
from glusto.harness import Harness

HOSTS = 1
FAMILY = "transfers"
SCP, RSYNC, SCP_R = "scp", "rsync", "scp -r"
LARGE = Target("≥ 0.95", 0.95, least=True)
SMALL = Target("≥ rsync", 1, least=True)
THERE = "/srv/bench-transfers"
SECONDS = 300.0
FOLDER = 100  # files a directory


def measure(bench: Bench) -> Iterator[Row]:
    """Measure 500 MB, and 5,000 files."""
    name = bench.site.names[0]
    here = bench.site.directory
    size, count = bench.size(500, 5), bench.size(5000, 50)
    large, tree = here / "large", here / "tree"
    write_large(large, size)
    write_tree(tree, count)
    bench.host.execute("mkdir", "-p", THERE)
    harness = Harness()
    harness.config = bench.site.lab([name])
    try:
        with masters(bench.site, [name]) as controls:
            harness.run(name, "true", check=True)
            over = ["-F", bench.site.config, "-oControlMaster=no", f"-oControlPath={controls[name]}"]
            shell = f"ssh -F {bench.site.config} -S {controls[name]}"
            moves = Moves(bench, harness, name, over, shell)
            for path, amount, unit, what in (
                (large, size * 1.048576, "MB/s", f"{size} MB"),
                (tree, count, "files/s", f"{count} small files"),
            ):
                yield from directions(bench, moves, path, amount, unit, what)
    finally:
        harness.close()
        bench.host.execute("rm", "-rf", THERE)


class Moves:
    """The ways to bring a file or a tree there, and back."""

    def __init__(self, bench: Bench, harness: Harness, name: str, over: list[str], shell: str) -> None:
        self._bench, self._harness, self._name, self._over, self._shell = bench, harness, name, over, shell

    def uploads(self, path: Path) -> dict[str, Callable[[str], object]]:
        """Return contender → what brings `path` to a name there."""
        name, local = self._name, str(path)
        slash = "/" if path.is_dir() else ""
        return {
            OURS: lambda there: self._harness.upload(name, local, there),
            SCP: lambda there: run(["scp", "-q", "-r", *self._over, local, f"{name}:{there}"], SECONDS),
            RSYNC: lambda there: run([*self._rsync(), local + slash, f"{name}:{there}"], SECONDS),
        }

    def downloads(self, path: str, *, tree: bool) -> dict[str, Callable[[str], object]]:
        """Return contender → what brings a path there to a name here."""
        name = self._name
        slash = "/" if tree else ""
        return {
            OURS: lambda here: self._harness.download(name, path, here),
            SCP: lambda here: run(["scp", "-q", "-r", *self._over, f"{name}:{path}", here], SECONDS),
            RSYNC: lambda here: run([*self._rsync(), f"{name}:{path}{slash}", here], SECONDS),
        }

    def _rsync(self) -> list[str]:
        if shutil.which("rsync") is None:
            raise UnavailableError("rsync is not installed")
        return ["rsync", "-a", "--whole-file", "-e", self._shell]


def directions(
    bench: Bench, moves: Moves, path: Path, amount: float, unit: str, what: str
) -> Iterator[Row]:
    """Yield the rows of one thing, up and down."""
    rounds = bench.at_most(3) if path.is_dir() else bench.rounds
    spent: dict[str, list[float]] = {}
    source, arrived = f"{THERE}/source", bench.site.directory / "arrived"
    expected = weight(path)
    moves.uploads(path)[OURS](source)

    def timed(label: str, move: Callable[[str], object], place: str) -> float:
        before, started = busy(), time.perf_counter()
        move(place)
        taken = time.perf_counter() - started
        spent.setdefault(label, []).append(busy() - before)
        return taken

    def up(name: str, move: Callable[[str], object]) -> Contender:
        def measured() -> float:
            there = f"{THERE}/target"
            bench.host.execute("rm", "-rf", there, timeout=60)
            taken = timed(f"upload, {name}", move, there)
            found = bench.host.execute("sh", "-c", f"find {there} -type f -printf '%s\\n'").stdout.split()
            check(expected, (len(found), sum(map(int, found))))
            return amount / taken

        return measured

    def down(name: str, move: Callable[[str], object]) -> Contender:
        def measured() -> float:
            remove(arrived)
            taken = timed(f"download, {name}", move, str(arrived))
            check(expected, weight(arrived))
            return amount / taken

        return measured

    try:
        there, here = moves.uploads(path), moves.downloads(source, tree=path.is_dir())
        for verb, both in (
            ("upload", {name: up(name, move) for name, move in there.items()}),
            ("download", {name: down(name, move) for name, move in here.items()}),
        ):
            samples = alternate(both, rounds)
            targets = {SCP: None if path.is_dir() else LARGE, RSYNC: SMALL if path.is_dir() else None}
            for other, target in targets.items():
                against = SCP_R if path.is_dir() and other == SCP else other
                yield samples.row(FAMILY, f"{verb} of {what}", other, target, against=against, unit=unit)
        for label, values in spent.items() if path.is_file() else ():
            name = f"{label}: CPU of both ends together"
            yield single(FAMILY, name, statistics.median(values), "s", rounds=len(values), notes=what)
    finally:
        remove(arrived)
        bench.host.execute("rm", "-rf", source, f"{THERE}/target", timeout=60)


def write_large(path: Path, megabytes: int) -> None:
    """Write a file that can't be compressed."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))


def write_tree(path: Path, count: int) -> None:
    """Write small files, of up to 4 kB, in directories of a hundred."""
    chance = random.Random(1)
    for number in range(count):
        folder = path / f"folder-{number // FOLDER:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file-{number:05}").write_bytes(chance.randbytes(chance.randrange(4096)))


def weight(path: Path) -> tuple[int, int]:
    """Return how many files there are, and how many bytes in them."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return len(files), sum(one.stat().st_size for one in files)


def check(expected: tuple[int, int], found: tuple[int, int]) -> None:
    """Raise when not everything has arrived."""
    if expected != found:
        raise RuntimeError(f"{found[0]} files with {found[1]} bytes arrived, of {expected[0]} with {expected[1]}")


def remove(path: Path) -> None:
    """Remove a file or a tree, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
