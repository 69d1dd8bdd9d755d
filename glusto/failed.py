"""Failed tests: which failed when they last ran, kept among the reports, so that they can run first."""

from __future__ import annotations

import json
import os
import unittest
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from glusto.junit import TestRecord
from glusto.suites import ClassSuite

FILENAME = "last-failed.json"


def read(directory: str) -> set[str]:
    """Return the names of the tests that failed when they last ran; none when nothing is known."""
    try:
        with open(os.path.join(directory, FILENAME), encoding="utf-8") as file:
            return {str(name) for name in json.load(file)["failed"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def write(directory: str, records: Iterable[TestRecord]) -> None:
    """Keep which tests failed; what is known of tests that did not run stays."""
    failed = read(directory)
    outcomes: dict[str, bool] = {}
    for record in records:
        name = without_parameters(record.label)
        outcomes[name] = outcomes.get(name, False) or record.outcome in (TestRecord.FAILURE, TestRecord.ERROR)
    known = failed.difference(outcomes) | {name for name, bad in outcomes.items() if bad}
    path = os.path.join(directory, FILENAME)
    os.makedirs(directory, exist_ok=True)
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        json.dump({"failed": sorted(known)}, file, indent=1)
    os.replace(f"{path}.part", path)


def without_parameters(name: str) -> str:
    """Return the name of the test that a sub-test belongs to.

    >>> without_parameters("test_it.TestSubs.test_subs (server=1)")
    'test_it.TestSubs.test_subs'
    """
    return name.partition(" ")[0]


def first(suite: ClassSuite, failed: Collection[str]) -> ClassSuite:
    """Return the same tests, with classes of which something failed first, and in them what failed first."""
    by_class: dict[type, list[Any]] = {}
    for test in flat(suite):
        by_class.setdefault(type(test), []).append(test)

    def place(test: Any) -> bool:
        return not (isinstance(test, unittest.TestCase) and test.id() in failed)

    groups = [sorted(tests, key=place) for tests in by_class.values()]
    groups.sort(key=lambda tests: not is_concerned(tests, failed))
    return ClassSuite(test for tests in groups for test in tests)


def is_concerned(tests: Iterable[Any], failed: Collection[str]) -> bool:
    """Whether one of the tests of a class failed, or a fixture of it."""
    names = [test.id() for test in tests if isinstance(test, unittest.TestCase)]
    fixtures = {f"{name.rpartition('.')[0]}.{fixture}" for name in names for fixture in ("setUpClass", "tearDownClass")}
    return not fixtures.isdisjoint(failed) or not set(names).isdisjoint(failed)


def flat(suite: Iterable[Any]) -> Iterator[Any]:
    """Yield the tests of a suite; a suite of a kind of its own counts as one test."""
    for test in suite:
        if type(test) in (unittest.TestSuite, ClassSuite):
            yield from flat(test)
        else:
            yield test
