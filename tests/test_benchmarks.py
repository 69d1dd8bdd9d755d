"""The benchmarks: every family measures, publishes its rows, and leaves nothing. Not how fast anything is."""

import doctest
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import publish, rows
from benchmarks.__main__ import FAMILIES
from benchmarks.rounds import OURS, Samples, alternate
from benchmarks.rows import Row, Spread, Target
from tests.hosts import why_not
from tests.running import ROOT

FAST = Target("≤ 0.5", 0.5)
SECONDS = 240


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory that a quick run of every family has written."""
    if reason := why_not():
        pytest.skip(reason)
    output = tmp_path_factory.mktemp("benchmarks")
    temporary = tempfile.mkdtemp(prefix="gt-")  # short, for the sake of sockets
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": temporary},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert os.listdir(temporary) == []
    yield output
    shutil.rmtree(temporary)


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_measures_what_needs_no_peers(results: Path, family: str) -> None:
    found = [row for row in publish.load(results / "benchmarks" / "results.json")[1] if row.family == family]
    measured = [row for row in found if row.ours is not None]
    assert measured, found
    assert not [row.notes for row in found if row.name == f"{family}: the rest"]
    for row in measured:
        assert row.rounds >= 1 and row.name and (row.target == "") == (row.met is None)
        if row.ratio is not None:
            assert 0 < row.ratio.least <= row.ratio.median <= row.ratio.greatest
    for row in found:
        if row.ours is None:
            assert row.notes.startswith("not measured: "), row


@pytest.mark.live
@pytest.mark.slow
def test_the_page_is_valid_and_has_every_row(results: Path) -> None:
    docutils = pytest.importorskip("docutils.core")
    text = (results / "docs" / "performance-table.rst").read_text()
    docutils.publish_string(text, writer="html", settings_overrides={"halt_level": 2, "report_level": 2})
    found = publish.load(results / "benchmarks" / "results.json")[1]
    assert text.count("\n   * - ") == len(found) + 2  # and two headings


def test_examples_in_docstrings_are_true() -> None:
    failed, tried = doctest.testmod(rows)
    assert tried and not failed


def test_contenders_take_turns_and_begin_in_turn() -> None:
    order: list[str] = []

    def contender(name: str) -> Callable[[], float]:
        def measured() -> float:
            order.append(name)
            return 1.0

        return measured

    samples = alternate({name: contender(name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"
    assert samples.of("a") == [1.0, 1.0, 1.0]


def test_one_that_fails_is_out_and_told_in_its_row() -> None:
    def broken() -> float:
        raise OSError("no such peer")

    row = alternate({OURS: lambda: 1.0, "other": broken}, 2).row("family", "name", "other", FAST)
    assert (row.met, row.ratio) == (None, None)
    assert row.notes == "not measured: other: OSError: no such peer"


def test_a_ratio_is_the_median_of_pairs() -> None:
    samples = Samples()
    samples.rounds = [{OURS: 1.0, "other": 4.0}, {OURS: 3.0, "other": 6.0}, {OURS: 9.0, "other": 10.0}, {OURS: 1.0}]
    row = samples.row("family", "name", "other", FAST, unit="ms", factor=1000)
    assert row.ratio == Spread(0.5, 0.25, 0.9)
    assert (row.met, row.rounds, row.ours, row.theirs) == (True, 3, 2000.0, 6000.0)


def test_results_of_other_families_stay(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    publish.store(results, [Row("a", "old"), Row("b", "kept")], ["a", "b"], ["b", "a"])
    found = publish.store(results, [Row("a", "new", ratio=Spread(1, 1, 1))], ["a"], ["b", "a"])
    assert [row.name for row in found] == ["kept", "new"]
    assert publish.load(results)[1] == found
    assert set(json.loads(results.read_text())["machine"]) >= {"cores", "kernel", "date", "packages"}
