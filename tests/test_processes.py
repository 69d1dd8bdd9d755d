"""What /proc tells of a process, in each moment of its life."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto.agent import processes
from tests.hosts.waiting import until

LOOKS = 2000


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "restless"
    path.write_text("exec sh $0\n")
    return path


@pytest.fixture
def restless(script: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that turns into another program all the time, with a link's tag."""
    with subprocess.Popen(["sh", script], env={**os.environ, processes.TAG: "its-token"}) as process:
        until(lambda: processes.has_tag(process.pid, "its-token"), 5, "it has begun")
        yield process
        process.kill()


def test_a_process_that_turns_into_another_program_has_its_tag_in_each_moment(
    restless: subprocess.Popen[bytes],
) -> None:
    assert sum(not processes.has_tag(restless.pid, "its-token") for _ in range(LOOKS)) == 0


def test_a_process_that_turns_into_another_program_has_its_command_in_each_moment(
    restless: subprocess.Popen[bytes], script: Path
) -> None:
    assert {processes.describe(restless.pid)["command"] for _ in range(LOOKS)} == {f"sh {script}"}


def test_a_process_without_an_environment_has_no_tag() -> None:
    with subprocess.Popen(["sleep", "60"], env={}) as process:
        until(lambda: processes.describe(process.pid)["command"] == "sleep 60", 5, "it has begun")
        assert processes.words(process.pid, "environ") == [b""]
        process.kill()
    assert processes.words(process.pid, "environ") == []
