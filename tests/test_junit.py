"""JUnit files: their names, and what text they can hold."""

import functools
import unittest
from collections.abc import Callable
from pathlib import Path

from glusto.junit import Reports, clean
from glusto.outcome import position


def decorated(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapper(*args: object) -> None:
        function(*args)

    return wrapper


class Plain(unittest.TestCase):
    __test__ = False

    def test_plain(self) -> None:
        pass

    @decorated
    def test_decorated(self) -> None:
        pass


def test_a_test_is_where_it_is_written_and_not_where_its_decorator_is() -> None:
    lines = Path(__file__).read_text().splitlines()
    for name, first in (("test_plain", "    def test_plain(self) -> None:"), ("test_decorated", "    @decorated")):
        assert position(Plain(name)) == (__file__, lines.index(first) + 1)


def test_classes_with_long_names_have_files_of_their_own(tmp_path: Path) -> None:
    reports = Reports(tmp_path, "run")
    one, two = (reports.path("test_it.Test" + "x" * 200 + end) for end in ("_glusterfs", "_nfs"))
    assert one != two
    assert len(one.name) < 255


def test_text_keeps_all_that_xml_can_hold() -> None:
    assert clean("plain") == "plain"
    assert clean("zwei\nZeilen\tä€") == "zwei\nZeilen\tä€"
    assert clean("\x1b[1;31mred\x1b[0m\x00\x08\udcff\ufffe") == "red"
