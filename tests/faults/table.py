"""Makes docs/faults-table.rst from a JUnit file of the tests of the faults: ``python -m tests.faults.table IN OUT``."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

HEAD = """\
.. Made by `make faults` from a run of the tests; not to be edited.

.. list-table::
   :header-rows: 1
   :widths: 4 44 14 10 10 10 8

   * - \\
     - Fault
     - Phase
     - Host
     - Controller
     - Report
     - Result
"""
RESULTS = {"failure": "failed", "error": "failed", "skipped": "falls short"}  # an expected failure is "skipped"
PHASES = ("provisioning", "test", "cleanup")


class Row(NamedTuple):
    """One row; the times are seconds as text, "" where nothing was measured."""

    number: int
    fault: str
    phase: str
    host: str
    controller: str
    report: str
    result: str


def rows(junit: Path) -> Iterable[Row]:
    """Yield a row for each test that is one."""
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        facts = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
        if "fault" in facts:
            bad = [RESULTS[child.tag] for child in case if child.tag in RESULTS]
            host, controller, report = (facts.get(name, "") for name in ("host", "controller", "report"))
            result = bad[0] if bad else "ok"
            yield Row(int(facts["number"]), facts["fault"], facts["phase"], host, controller, report, result)


def order(row: Row) -> tuple[int, str, int]:
    """The order of rows: by fault, then by phase as they follow each other in a run."""
    return row.number, row.fault, PHASES.index(row.phase)


def table(found: Iterable[Row]) -> str:
    """Return the rows as a reStructuredText table."""
    return HEAD + "".join(
        "".join(f"   {'*' if first else ' '} - {cell}\n" for first, cell in zip((True, *[False] * 6), row, strict=True))
        for row in sorted(found, key=order)
    ).replace("- \n", "-\n")


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(table(rows(Path(sys.argv[1]))))
