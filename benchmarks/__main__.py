"""Measure, print a row as soon as it is known, and write results, tables and charts.

Test hosts are made for it, which takes root. A peer that is not installed is a note in its rows.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import publish
from benchmarks.bench import Bench
from benchmarks.charts import draw
from benchmarks.rounds import UnavailableError
from benchmarks.rows import Row, told
from benchmarks.site import site_of
from tests.hosts import Fleet, why_not

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = (
    "provision", "commands", "output", "calls", "transfers", "scale", "harness_cost", "startup", "safety", "phases",
)  # fmt: skip
ROUNDS = 5
QUICK_HOSTS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; 2 when there can be no test hosts, else 0."""
    options = _parser().parse_args(arguments)
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 2
    families = [name for name in FAMILIES if name in options.families] if options.families else list(FAMILIES)
    rows = measure(families, options.rounds, quick=options.quick)
    print(f"\n{publish.plain(rows)}", end="")
    output = Path(options.output) if options.output else None if options.quick else ROOT
    if output is not None:
        write(output, rows, families, quick=options.quick)
    missed = [row for row in rows if row.met is False or (row.target and row.met is None)]
    print(f"\n{len(rows)} rows; not as they should be, or not measured: {len(missed)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("families", nargs="*", type=_family, metavar="FAMILY", help=", ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="see that it works, with two hosts and little data")
    parser.add_argument("--rounds", type=int, default=0, help=f"how many, {ROUNDS} by default and 1 with --quick")
    where = "where results go; by default the project, and nowhere with --quick"
    parser.add_argument("--output", metavar="DIR", help=where)
    return parser


def _family(name: str) -> str:
    if name not in FAMILIES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(FAMILIES)}")
    return name


def measure(families: Sequence[str], rounds: int, *, quick: bool) -> list[Row]:
    """Measure families, each to its end or to its first error."""
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in families}
    count = QUICK_HOSTS if quick else max(1, *(module.HOSTS for module in modules.values()))
    rows: list[Row] = []
    with Fleet(count) as fleet, site_of(fleet) as site:
        bench = Bench(fleet, site, rounds or (1 if quick else ROUNDS), quick)
        for name, module in modules.items():
            started = time.monotonic()
            print(f"{name}:", flush=True)
            try:
                for row in module.measure(bench):
                    rows.append(row)
                    print("  " + " | ".join(told(row)), flush=True)
            except Exception as error:
                rows.append(publish.failed(name, error))
                print(f"  {rows[-1].notes}", flush=True)
            print(f"  ({time.monotonic() - started:.0f} s)", flush=True)
            gc.collect()
    return rows


def write(output: Path, rows: Sequence[Row], families: Sequence[str], *, quick: bool) -> None:
    """Write what a run leaves, below a directory that is laid out as the project is."""
    results = output / "benchmarks" / "results.json"
    all_rows = publish.store(results, rows, families, FAMILIES, quick=quick)
    docs = output / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    facts, _ = publish.load(results)
    (docs / "performance-table.rst").write_text(publish.page(facts, all_rows))
    readme = output / "README.rst"
    if readme.exists():
        readme.write_text(publish.with_summary(readme.read_text(), all_rows))
    with contextlib.suppress(UnavailableError):  # matplotlib is for those who publish
        draw(all_rows, docs / "images")


if __name__ == "__main__":
    sys.exit(main())
