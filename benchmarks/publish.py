"""What a run leaves: benchmarks/results.json, and the tables that docs/performance.rst and the README show."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.rows import Row, number, told

HEADINGS = ("what", "against", "target", "ours", "theirs", "ratio", "met", "notes")
WIDTHS = (22, 14, 9, 10, 10, 14, 5, 16)
PACKAGES = ("rpyc", "plumbum", "mitogen", "execnet", "fabric", "asyncssh", "parallel-ssh", "unittest-xml-reporting")
PHASES = "phases"
BEGIN, END = ".. figures begin: written by `make bench`", ".. figures end"
SUMMARY = {  # what the README shows: the row, and against whom
    "provision 32 hosts": ("ssh host true", "mitogen", "zero-deploy"),
    'run(host, "true")': ("ssh -S", "asyncssh"),
    "one RPyC call, os.getpid()": ("execnet",),
    "run: 200 MB of output": ("ssh host cat, read here",),
    "upload of 500 MB": ("scp",),
    "upload of 5000 small files": ("rsync",),
    "10000 empty tests": ("python -m xmlrunner",),
}


def machine() -> dict[str, Any]:
    """Return the facts of this machine that figures depend on."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": _first("/proc/cpuinfo", r"model name\s*: (.*)"),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "kernel": platform.release(),
        "system": _first("/etc/os-release", r'PRETTY_NAME="?([^"\n]*)'),
        "python": platform.python_version(),
        "ssh": _says(["ssh", "-V"]),
        "rsync": _says(["rsync", "--version"]),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _first(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text())
    except OSError:
        return "unknown"
    return found[1].strip() if found else "unknown"


def _says(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return "not installed"
    return (done.stdout + done.stderr).strip().partition("\n")[0]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def load(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Read results; nothing when there are none."""
    if not path.exists():
        return {}, []
    data = json.loads(path.read_text())
    return {**data["machine"], "quick": data["quick"]}, [Row.from_json(row) for row in data["rows"]]


def store(
    path: Path, rows: Iterable[Row], families: Sequence[str], order: Sequence[str], *, quick: bool = False
) -> list[Row]:
    """Write results: the new rows in the place of those of their families; returns all of them, in order."""
    _, before = load(path)
    rows = [*(row for row in before if row.family not in families), *rows]
    rows.sort(key=lambda row: order.index(row.family) if row.family in order else len(order))
    data = {"machine": machine(), "quick": quick, "rows": [row.to_json() for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return rows


def plain(rows: Sequence[Row]) -> str:
    """Return the rows as lines for a terminal."""
    table = [HEADINGS[:-1], *(tuple(cell.replace("**", "") for cell in told(row)[:-1]) for row in rows)]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(HEADINGS) - 1)]
    padded = ([cell.ljust(width) for cell, width in zip(cells, widths, strict=True)] for cells in table)
    return "".join("  ".join(cells).rstrip() + "\n" for cells in padded)


def page(facts: dict[str, Any], rows: Sequence[Row]) -> str:
    """Return docs/performance-table.rst: a page of its own, that the page around it includes without its title."""
    compared = [row for row in rows if row.family != PHASES]
    met = [row.met for row in compared if row.target]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    parts = [
        ".. Written by `make bench`; don't edit it.\n",
        "Measured\n========\n",
        ".. begin\n",
        *(["**A trial of two hosts and one round: these figures mean nothing.**\n"] if facts["quick"] else []),
        f"{sum(one is True for one in met)} of {len(met)} targets are met. Measured on {facts['date']}: "
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory']}, {facts['system']}, "
        f"Linux {facts['kernel']}, Python {facts['python']}, {facts['ssh']}; {packages}.\n",
        _list_table(HEADINGS, WIDTHS, [_escaped(told(row)) for row in compared]),
        "CPU for each host, in ms:\n",
        _list_table(
            ("where, and what", "ms", "notes"),
            (60, 10, 30),
            [_escaped((row.name, number(row.ours), row.notes)) for row in rows if row.family == PHASES],
        ),
    ]
    return "\n".join(parts)


def with_summary(text: str, rows: Sequence[Row]) -> str:
    r"""Return the README's text with the figures in it that are measured now.

    >>> print(with_summary(f"a\n{BEGIN}\nold\n{END}\nb", []))
    a
    .. figures begin: written by `make bench`
    <BLANKLINE>
    (not measured)
    <BLANKLINE>
    .. figures end
    b
    """
    found = {(row.name, row.against): row for row in rows if row.ratio is not None}
    cells = []
    for name, others in SUMMARY.items():
        beside = [found[name, other] for other in others if (name, other) in found]
        if beside:
            theirs = "; ".join(f"{row.against}: {number(row.theirs)}" for row in beside)
            cells.append(_escaped((name, f"{number(beside[0].ours)} {beside[0].unit}", theirs)))
    table = _list_table(("what", "Glusto", "beside it"), (30, 20, 50), cells)
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table}\n{END}{rest.partition(END)[2]}" if rest else text


def _escaped(cells: Sequence[str]) -> list[str]:
    """Return cells in which only what is meant as markup is: `code` and **no**."""
    return [re.sub(r"`([^`]+)`", r"``\1``", re.sub(r"(?<!\*)\*(?!\*)|\|", r"\\\g<0>", cell)) for cell in cells]


def _list_table(headings: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for cells in [headings, *rows]:
        lines += [f"   {'*' if first else ' '} - {cell}".rstrip() for first, cell in _with_first(cells)]
    return "\n".join(lines) + "\n" if rows else "(not measured)\n"


def _with_first(cells: Sequence[str]) -> list[tuple[bool, str]]:
    return [(position == 0, cell.replace("\n", " ")) for position, cell in enumerate(cells)]


def failed(family: str, error: BaseException) -> Row:
    """Return the row of a family that broke off."""
    said = str(error).replace("\n", " ")[:300]
    row = Row(family, f"{family}: the rest", notes=f"not measured: {type(error).__name__}: {said}")
    return replace(row, met=False)
