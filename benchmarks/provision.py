"""A Python that answers on every host: how long that takes, and again, and over a long line, and to clean up."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from benchmarks import provisioners
from benchmarks.apart import apart
from benchmarks.bench import Bench
from benchmarks.proxy import far_away
from benchmarks.rounds import OURS, Contender, Samples, alternate
from benchmarks.rows import Row, Spread, Target, missing, single
from benchmarks.site import HEAVY, LIGHT, Site, give_rc_file, run_all

HOSTS = 128
FAMILY = "provision"
SSH, BARE, MITOGEN, EXECNET, ZERO = "ssh host true", "ssh host python3", "mitogen", "execnet", "zero-deploy"
TO_SSH = Target("≤ 1.45", 1.45)
TO_MITOGEN = Target("≤ 0.85", 0.85)
TO_ZERO = Target("≤ 1/2.5", 1 / 2.5)
AGAIN = Target("≤ 1/15", 1 / 15)
CLEANUP = Target("≤ 0.5 s", 0.5, absolute=True)
ROUND_TRIPS = Target("≤ 2 more", 2, absolute=True)
ROUND_TRIP = 0.1
SECONDS = 300.0
ONE_BY_ONE = 8  # hosts that zero-deploy gets: more take as long each


def measure(bench: Bench) -> Iterator[Row]:
    """Measure all of it; the largest fleet in three rounds at the most."""
    for count, rounds in ((8, bench.rounds), (32, bench.rounds), (128, bench.at_most(3))):
        names = bench.some(count)
        contenders = all_at_once(bench.site, names)
        if count == 128:
            del contenders[BARE]  # it is the same a host
        yield from rows(alternate(contenders, rounds), len(names), list(contenders))
        if bench.quick:
            break
    yield from next_class(bench)
    names = bench.some(32)
    try:
        give_rc_file(bench.fleet, names, HEAVY)
        contenders = all_at_once(bench.site, names)
        heavy = {one: contenders[one] for one in (SSH, OURS, MITOGEN)}
        samples = alternate(heavy, bench.at_most(3))
    finally:
        give_rc_file(bench.fleet, names, LIGHT.read_text() if LIGHT.exists() else "")
    for other in (SSH, MITOGEN):
        name = f"provision {len(names)} hosts, heavy rc file"
        yield samples.row(FAMILY, name, other, unit="s a host", factor=1 / len(names))
    yield from far(bench)


def all_at_once(site: Site, names: Sequence[str], one_by_one: int = ONE_BY_ONE) -> dict[str, Contender]:
    """Return the contenders for these hosts. Each returns the seconds that all take, zero-deploy by extrapolation."""
    few = list(names)[:one_by_one]
    arguments = {"names": list(names), "config": site.config}

    def glusto() -> float:
        return float(apart(provisioners.glusto, SECONDS, names=list(names), lab=site.lab(names))["seconds"])

    def zero_deploy() -> float:
        result = apart(
            provisioners.zero_deploy, SECONDS, names=few, config=site.config, directory=str(site.directory)
        )
        return float(result["seconds"]) * len(names) / len(few)

    return {
        SSH: lambda: run_all([site.ssh(name, "true") for name in names], SECONDS),
        BARE: lambda: run_all([site.ssh(name, "python3 -S -E -c pass") for name in names], SECONDS),
        OURS: glusto,
        MITOGEN: lambda: float(apart(provisioners.mitogen, SECONDS, **arguments)["seconds"]),
        EXECNET: lambda: float(apart(provisioners.execnet, SECONDS, **arguments)["seconds"]),
        ZERO: zero_deploy,
    }


def rows(samples: Samples, count: int, contenders: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of one size of fleet, in seconds a host."""
    name = f"provision {count} hosts"
    targets = {SSH: TO_SSH, MITOGEN: TO_MITOGEN, ZERO: TO_ZERO}
    notes = {
        SSH: "all at once; the floor",
        BARE: "`-S -E -c pass` there: the floor of whatever uses Python",
        MITOGEN: "all at once, a thread for each",
        EXECNET: "all at once, a thread for each",
        ZERO: f"an ssh master for each; one after the other; measured on {min(count, ONE_BY_ONE)} hosts",
    }
    for other in contenders:
        if other != OURS:
            note, target = notes[other], targets.get(other)
            yield samples.row(FAMILY, name, other, target, unit="s a host", factor=1 / count, notes=note)


def next_class(bench: Bench) -> Iterator[Row]:
    """Yield the rows of what comes after the first class."""
    names = bench.some(32)
    first, again, cleaned, closed, imports = [], [], [], [], []
    for _ in range(bench.rounds):
        result = apart(provisioners.glusto, SECONDS, names=names, lab=bench.site.lab(names), again=3)
        first.append(result["seconds"])
        again.append(statistics.median(result["again"]))
        cleaned.append(statistics.median(result["class"]))
        closed.append(result["close"])
        imports.append(result["imports"])
    ratio = Spread.of([one / other for one, other in zip(again, first, strict=True)])
    yield Row(
        FAMILY,
        f"provision {len(names)} hosts again for the next class, links kept",
        "the first time",
        AGAIN.text,
        "s",
        statistics.median(again),
        statistics.median(first),
        ratio,
        AGAIN.is_met(ratio.median),
        len(first),
    )
    name = f"confirmed cleanup of {len(names)} hosts"
    ended = f"everything, links too; what one class had: {statistics.median(cleaned):.2g} s"
    yield single(FAMILY, name, statistics.median(closed), "s", CLEANUP, rounds=len(closed), notes=ended)
    once = "once a run, on the controller; within no other row"
    yield single(FAMILY, "imports at first use", statistics.median(imports), "s", rounds=len(imports), notes=once)


def far(bench: Bench) -> Iterator[Row]:
    """Yield the rows of a line of 100 ms."""
    names = bench.some(bench.size(32, 1))
    name = f"provision {len(names)} hosts over a line of {ROUND_TRIP * 1000:g} ms"
    with far_away(bench.site, names, ROUND_TRIP) as away:
        contenders = all_at_once(away, names, one_by_one=1)
        few = {one: contenders[one] for one in bench.size((SSH, OURS, MITOGEN), (SSH, OURS))}
        samples = alternate(few, bench.at_most(2))
        for other in (SSH, MITOGEN)[: len(few) - 1]:
            yield samples.row(FAMILY, name, other, unit="s")
        if not bench.quick:  # half a minute a host
            both = alternate({one: contenders[one] for one in (ZERO, OURS)}, 1)
            yield both.row(FAMILY, name, ZERO, unit="s", notes="one after the other; measured on 1 host")
    yield round_trips(bench)


def round_trips(bench: Bench) -> Row:
    """Return the row of the round trips to provision one host, over those of a bare ssh."""
    names = bench.some(1)
    answered: dict[str, list[float]] = {"near": [], "far": []}

    def contenders(label: str, site: Site) -> dict[str, Contender]:
        def glusto() -> float:
            result = apart(provisioners.glusto, SECONDS, names=names, lab=site.lab(names))
            answered[label].append(result["seconds"])
            return float(result["provisioned"])

        return {f"{SSH} {label}": all_at_once(site, names)[SSH], f"{OURS} {label}": glusto}

    with far_away(bench.site, names, 0) as near, far_away(bench.site, names, ROUND_TRIP) as away:
        samples = alternate({**contenders("near", near), **contenders("far", away)}, bench.at_most(3))
    if samples.trouble:
        return missing(FAMILY, "round trips to provision a host", SSH, ROUND_TRIPS, str(samples.trouble))
    trips = {one: (samples.median(f"{one} far") - samples.median(f"{one} near")) / ROUND_TRIP for one in (SSH, OURS)}
    more = trips[OURS] - trips[SSH]
    called = (statistics.median(answered["far"]) - statistics.median(answered["near"])) / ROUND_TRIP - trips[OURS]
    told = f"{more:.1f} more, by what a line of {ROUND_TRIP * 1000:g} ms adds"
    return Row(
        FAMILY,
        "round trips to provision a host",
        SSH,
        ROUND_TRIPS.text,
        "",
        trips[OURS],
        trips[SSH],
        None,
        ROUND_TRIPS.is_met(more),
        len(samples.rounds),
        f"{told}; then {called:.1f} for `modules.os.getpid()`",
    )
