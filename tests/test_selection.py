"""Where tests are looked for, in words."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from glusto.selection import sought
from glusto.settings import DiscoverTests, UnittestSettings


def options(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(
        **{"names": [], "discover": None, "unittest": None, "configured": False, "patterns": []} | given
    )


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_by_default_that_is_the_working_directory(tmp_path: Path) -> None:
    assert sought(options(), UnittestSettings()) == f"in test*.py below {tmp_path}"


def test_what_the_command_line_names_is_named(tmp_path: Path) -> None:
    given = options(names=["test_a", "test_b.TestB"], discover="suites", unittest="-k x")
    told = f"in test_a and test_b.TestB and test*.py below {tmp_path}/suites and what --unittest '-k x' means"
    assert sought(given, UnittestSettings()) == told


def test_patterns_are_told_before_the_places(tmp_path: Path) -> None:
    told = f"whose name matches `brick` or `*heal` (-k), in test*.py below {tmp_path}"
    assert sought(options(patterns=["brick", "*heal"]), UnittestSettings()) == told


def test_what_the_config_names_is_told_as_the_configs(tmp_path: Path) -> None:
    settings = UnittestSettings(discover_tests=DiscoverTests("suites", "*.py"), load_tests_from_name="test_a")
    told = f"in *.py below {tmp_path}/suites, load_tests_from_name (the config's unittest:)"
    assert sought(options(), settings) == told
    assert sought(options(configured=True), UnittestSettings(load_tests_from_name="test_a")) == (
        "in load_tests_from_name (the config's unittest:)"
    )
