"""What the dotted name of a test leads to, and what is said when that is nothing."""

import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto import lookup
from glusto.errors import ConfigError

SUITE = """
import unittest

NUMBER = 3


class Helper:
    pass


class TestBricks(unittest.TestCase):
    def test_make(self): pass
    def test_heal(self): pass
"""


@pytest.fixture(autouse=True)
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with a package, a module and modules that can't be imported; it is the working directory."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "lookup_bricks.py").write_text(SUITE)
    (tmp_path / "lookup_suite").mkdir()
    (tmp_path / "lookup_suite" / "test_volume.py").write_text(SUITE)
    (tmp_path / "lookup_bad.py").write_text("import lookup_no_such_module\n")
    (tmp_path / "lookup_worse.py").write_text("def (\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    ["lookup_bricks", "lookup_bricks.TestBricks", "lookup_bricks.TestBricks.test_heal", "lookup_suite.test_volume"],
)
def test_a_name_leads_to_a_module_a_class_or_a_method(name: str) -> None:
    assert lookup.find(name).__name__.endswith(name.rpartition(".")[2])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lookup_brick", "there is no module, file or directory lookup_brick; did you mean `lookup_bricks`?"),
        ("quite_another", "there is no module, file or directory quite_another"),
        ("lookup_bricks.TestBrick", "lookup_bricks has no TestBrick; did you mean `lookup_bricks.TestBricks`?"),
        (
            "lookup_bricks.TestBricks.test_heel",
            "lookup_bricks.TestBricks has no test_heel; did you mean `lookup_bricks.TestBricks.test_heal`?",
        ),
        ("lookup_suite.test_volum", "lookup_suite has no test_volum; did you mean `lookup_suite.test_volume`?"),
        (
            "lookup_suite/test_volum.py",
            "there is no lookup_suite/test_volum.py; did you mean `lookup_suite/test_volume.py`?",
        ),
        ("nowhere/test_volume.py", "there is no nowhere/test_volume.py"),
        ("lookup_bricks..TestBricks", "there is no lookup_bricks..TestBricks: it is no name"),
        ("lookup_bricks.NUMBER", "lookup_bricks.NUMBER is no test: it is 3"),
        ("lookup_bricks.Helper", "lookup_bricks.Helper is no class of tests: it is no unittest.TestCase"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lookup.find(name)
    assert str(caught.value) == said


def test_a_module_that_imports_what_is_not_there_raises_that() -> None:
    with pytest.raises(ModuleNotFoundError, match="lookup_no_such_module"):
        lookup.find("lookup_bad.TestIt")


def test_a_module_that_can_not_be_imported_is_a_failure_with_its_own_lines_only() -> None:
    try:
        lookup.find("lookup_bad")
    except ModuleNotFoundError as error:
        test = lookup.stand_in("lookup_bad", error)
    result = unittest.TestResult()
    test.run(result)
    told = result.errors[0][1]
    assert "Failed to import test module: lookup_bad" in told
    assert "lookup_bad.py" in told and "import lookup_no_such_module" in told
    assert "lookup.py" not in told.replace("test_lookup.py", "")


def test_a_module_with_a_mistake_in_its_syntax_shows_the_line() -> None:
    try:
        lookup.find("lookup_worse")
    except SyntaxError as error:
        test = lookup.stand_in("lookup_worse", error)
    result = unittest.TestResult()
    test.run(result)
    assert "lookup_worse.py" in result.errors[0][1] and "def (" in result.errors[0][1]


def test_a_module_that_skips_itself_is_a_skipped_test() -> None:
    result = unittest.TestResult()
    lookup.stand_in("lookup_bricks", unittest.SkipTest("not on this system")).run(result)
    assert [reason for _, reason in result.skipped] == ["not on this system"]
