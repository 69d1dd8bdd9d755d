"""Many hosts: with some that do not answer, and what a host takes of the controller's memory."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import provisioners
from benchmarks.apart import apart
from benchmarks.bench import Bench
from benchmarks.memory import of_controller
from benchmarks.rounds import OURS, alternate
from benchmarks.rows import Row, Spread, Target, missing, single
from benchmarks.site import Site
from tests.hosts.network import Network, ip

HOSTS = 240
FAMILY = "scale"
HOLES = (*range(2, 10), 251, 252)  # addresses of the fleet's network that no host has
DEAD_MAC = "02:98:00:00:ff:ff"
WITHOUT = "the same without them"
MEMORY = Target("≤ 4 MB", 4, absolute=True)
FLAT = Target("flat: ≤ 1 MB", 1, absolute=True)
SECONDS = 300.0


def measure(bench: Bench) -> Iterator[Row]:
    """Measure all hosts with ten black holes among them, and without; and a thousand classes on one host."""
    names = bench.site.names
    timeout = bench.size(10, 1)
    results: dict[str, list[dict[str, Any]]] = {OURS: [], WITHOUT: []}
    with black_holes(bench, bench.size(HOLES, HOLES[:1])) as (site, holes):
        # Spread, so that they hold up others as they would in a lab.
        step = max(1, len(names) // len(holes))
        mixed = [one for i, name in enumerate(names) for one in [*holes[i // step : i // step + (i % step == 0)], name]]

        def provision(which: str, wanted: Sequence[str]) -> float:
            lab = site.lab(wanted, connect_timeout=timeout)
            result = apart(provisioners.glusto, SECONDS, names=list(wanted), lab=lab)
            results[which].append(result)
            return float(result["seconds"])

        samples = alternate(
            {OURS: lambda: provision(OURS, mixed), WITHOUT: lambda: provision(WITHOUT, names)}, bench.at_most(2)
        )
    name = f"provision {len(names)} hosts and {len(holes)} black holes"
    expected = len(names), len(holes)
    yield with_holes(samples.row(FAMILY, name, WITHOUT), samples.rounds, results[OURS], expected, timeout)
    memory = [result["memory"] for result in results[WITHOUT]]
    if memory:
        notes = f"PSS, with its ssh, of {len(names)} hosts"
        name = "controller's memory for a host"
        yield single(FAMILY, name, statistics.median(memory), "MB", MEMORY, rounds=len(memory), notes=notes)
    rounds = bench.size(1000, 10)
    name = f"controller's memory, growth in {rounds} rounds of open, call, close"
    try:
        grown = apart(churn, SECONDS, name=names[0], lab=bench.site.lab(names[:1]), rounds=rounds)
    except RuntimeError as error:
        yield missing(FAMILY, name, "", FLAT, str(error))
    else:
        before, after, each = grown["before"], grown["after"], grown["seconds"] / rounds * 1000
        notes = f"PSS, from {before:.1f} to {after:.1f} MB; {each:.0f} ms a round"
        yield single(FAMILY, name, after - before, "MB", FLAT, notes=notes)


def with_holes(
    row: Row, rounds: list[dict[str, float]], results: list[dict[str, Any]], expected: tuple[int, int], timeout: float
) -> Row:
    """Return the row with its target: the time that a hole may take, and every host that works works."""
    if row.ratio is None:
        return row
    pairs = [values for values in rounds if len(values) == 2]
    over = Spread.of([values[OURS] - 1.1 * values[WITHOUT] for values in pairs])
    found = {(result["answered"], result["failed"]) for result in results}
    good = found == {expected}
    others = f"all {expected[0]} work, {expected[1]} are told as failed" if good else f"of {expected}: {found}"
    return Row(
        **{
            **vars(row),
            "target": "≤ connect_timeout + 10 % more; the others all work",
            "met": over.median <= timeout and good,
            "notes": f"connect_timeout {timeout:g} s; {others}",
        }
    )


@contextlib.contextmanager
def black_holes(bench: Bench, numbers: Sequence[int]) -> Iterator[tuple[Site, list[str]]]:
    """Give a site that has hosts too whose packets go nowhere, and their names.

    Their hardware address is known, and nobody has it: unlike an address that does not resolve, nothing says
    that there is no such host.
    """
    network = Network(int(bench.host.address.split(".")[2]), bench.fleet.group)
    prefix = bench.host.address.rpartition(".")[0]
    addresses = {f"hole{number}": f"{prefix}.{number}" for number in numbers}
    try:
        for address in addresses.values():
            ip("neighbour", "replace", address, "lladdr", DEAD_MAC, "dev", network.bridge, "nud", "permanent")
        yield bench.site.at("holes", {name: (address, 22) for name, address in addresses.items()}), list(addresses)
    finally:
        for address in addresses.values():
            ip("neighbour", "delete", address, "dev", network.bridge)


def churn(name: str, lab: dict[str, Any], rounds: int) -> dict[str, float]:
    """In a process of its own: open, call and close again and again; what memory that takes."""
    import gc
    import time

    from glusto.harness import Harness

    harness = Harness()
    harness.config = lab

    def one(times: int) -> float:
        for _ in range(times):
            harness.rpyc_get_connection(name).modules.os.getpid()
            harness.end_class()
        gc.collect()
        return of_controller()

    try:
        before = one(max(5, rounds // 10))
        started = time.perf_counter()
        after = one(rounds)
        return {"before": before, "after": after, "seconds": time.perf_counter() - started}
    finally:
        harness.close()
