"""--failed-first: what failed is remembered, and comes first."""

from pathlib import Path

import pytest

from glusto import failed
from tests.running import Project

TESTS = """
    import pathlib, unittest

    class TestA(unittest.TestCase):
        def test_one(self): pass
        def test_two(self): pass

    class TestB(unittest.TestCase):
        def test_one(self): pass
        def test_two(self): assert pathlib.Path("mended").exists()
        def test_three(self): pass
"""


@pytest.fixture
def project(tmp_path: Path, private_tmp: Path) -> Project:
    project = Project(tmp_path)
    project.write("test_it.py", TESTS)
    return project


def order(output: str) -> list[str]:
    return [line.split()[1].removeprefix("test_it.") for line in output.splitlines() if line[:5] in ("ok   ", "FAIL ")]


def test_what_failed_comes_first_and_then_its_class(project: Project) -> None:
    assert order(project.run("-c", "lab.yml").stdout)[0] == "TestA.test_one"
    again = project.run("-c", "lab.yml", "--failed-first")
    in_b = [f"TestB.test_{name}" for name in ("two", "one", "three")]
    assert order(again.stdout) == [*in_b, "TestA.test_one", "TestA.test_two"]
    (project.directory / "mended").touch()
    assert project.run("-c", "lab.yml", "--failed-first").returncode == 0
    assert order(project.run("-c", "lab.yml", "--failed-first").stdout)[0] == "TestA.test_one"


def test_what_did_not_run_stays_failed(project: Project) -> None:
    project.run("-c", "lab.yml")
    project.run("-c", "lab.yml", "test_it.TestA")
    assert failed.read(str(project.reports)) == {"test_it.TestB.test_two"}


def test_damaged_state_is_no_state(project: Project) -> None:
    project.reports.mkdir()
    (project.reports / failed.FILENAME).write_text('{"failed": 3')
    assert project.run("-c", "lab.yml", "--failed-first").returncode == 1
    assert failed.read(str(project.reports)) == {"test_it.TestB.test_two"}


def test_it_stops_at_the_first_failure_also_in_a_sub_test(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import unittest

        class TestA(unittest.TestCase):
            def test_one(self):
                with self.subTest(n=1): self.fail()
            def test_two(self): pass
        """,
    )
    assert order(project.run("-c", "lab.yml", "-x").stdout) == ["TestA.test_one"]


def test_repeat_runs_all_of_it_again(project: Project) -> None:
    ran = project.run("-c", "lab.yml", "--repeat", "3", "-k", "TestA")
    assert ran.returncode == 0
    assert order(ran.stdout) == ["TestA.test_one", "TestA.test_two"] * 3
    assert project.suites()["test_it.TestA"].attrib["tests"] == "6"
    assert project.run("-c", "lab.yml", "--repeat", "0").returncode == 2


def test_repeat_with_failfast_stops(project: Project) -> None:
    ran = project.run("-c", "lab.yml", "--repeat", "3", "-x")
    assert order(ran.stdout).count("TestB.test_two") == 1
    assert ran.returncode == 1
