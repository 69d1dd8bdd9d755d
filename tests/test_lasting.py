"""A run whose terminal is closed, or that is piped into what has seen enough, goes on or ends as it should."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from glusto.lasting import Lasting
from tests.hosts.waiting import until
from tests.running import Project
from tests.traces import processes_below

TESTS = """
    import pathlib
    from glusto import TestCase, g

    class TestLong(TestCase):
        @classmethod
        def tearDownClass(cls): pathlib.Path("torn-down").touch()
        def test_a(self): pass
        def test_b(self):
            pathlib.Path("running").touch()
            g.run("one", "while ! test -e %s; do sleep 0.01; done")
"""


@pytest.fixture
def project(tmp_path: Path, private_tmp: Path) -> Project:
    project = Project(tmp_path)
    project.write("test_it.py", TESTS % (tmp_path / "go"))
    return project


def test_what_nobody_reads_is_no_error() -> None:
    reading, writing = os.pipe()
    with open(writing, "w", encoding="utf-8", buffering=1) as inner:
        stream = Lasting(inner)
        stream.write("read\n")
        assert os.read(reading, 100) == b"read\n"
        os.close(reading)
        for _ in range(3):
            stream.write("not read\n")
            stream.flush()
    stream.flush()  # of a stream that is closed, as Python does when it drops the two


def test_a_run_whose_pipe_is_closed_goes_on_to_its_end(project: Project, private_tmp: Path) -> None:
    with project.start("-c", "lab.yml") as process:
        assert process.stdout is not None
        until((project.directory / "running").exists, 20, "the second test runs")
        process.stdout.close()
        (project.directory / "go").touch()
        assert process.wait(30) == 0
    assert set(project.cases()) == {"TestLong.test_a", "TestLong.test_b"}
    assert processes_below(private_tmp) == []


@pytest.mark.skipif(shutil.which("setsid") is None, reason="setsid is what gives a process a terminal of its own")
def test_a_run_whose_terminal_is_closed_ends_orderly(project: Project, private_tmp: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "glusto", "-c", "lab.yml"],
        cwd=project.directory,
        env=project.environment(NO_COLOR="", CI="", TERM="xterm"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        until((project.directory / "running").exists, 20, "the second test runs")
        os.close(ours)
        assert process.wait(30) == 130
    assert (project.directory / "torn-down").exists()
    assert set(project.cases()) == {"TestLong.test_a", "TestLong.test_b"}
    assert processes_below(private_tmp) == []
