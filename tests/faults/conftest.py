"""The fleet of the faults, the bench on which runs are disturbed, and the rows of the table."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import Bench
from tests.hosts import Fleet, why_not


@pytest.fixture(scope="session")
def five() -> Iterator[Fleet]:
    """Five hosts, h1 to h5, beside the fleet of the other tests."""
    if reason := why_not():
        pytest.skip(reason)
    with Fleet(5, f"faults-{os.getpid()}") as fleet:
        yield fleet


@pytest.fixture
def bench(request: pytest.FixtureRequest, five: Fleet, tmp_path: Path, private_tmp: Path) -> Iterator[Bench]:
    """A bench with the first two hosts, or as many as the test's mark says. Its row goes into the table."""
    mark = request.node.get_closest_marker("fault")
    assert mark is not None, "a test on the bench is a row of the table, and says which: pytest.mark.fault(...)"
    number, fault, phase = mark.args
    bench = Bench(five, five.hosts[: mark.kwargs.get("hosts", 2)], tmp_path, private_tmp)
    facts = request.node.user_properties  # they go into pytest's JUnit file, and from there into the table
    facts += [("number", number), ("fault", fault), ("phase", phase)]
    try:
        yield bench
    finally:
        facts += [(name, f"{seconds:.2f}") for name, seconds in bench.seconds.items()]
        bench.close()
