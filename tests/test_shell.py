"""`python -m glusto shell`, typed at on a terminal."""

import importlib.util
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import leaving_no_trace
from tests.console import Console
from tests.hosts import Fleet
from tests.running import Project
from tests.test_check import lab

pytestmark = pytest.mark.live
CALL = "conns['george@h3:1'].modules.subprocess.Popen(['sleep', '1004']).pid > 0\r"
PROMPTS = [
    pytest.param(["--plain"], ">>> ", id="plain"),
    pytest.param([], "In [1]: ", id="ipython", marks=pytest.mark.skipif(
        importlib.util.find_spec("IPython") is None, reason="IPython is not installed")),
]  # fmt: skip


@pytest.fixture
def project(fleet: Fleet, tmp_path: Path, private_tmp: Path) -> Iterator[Project]:
    with leaving_no_trace(fleet, private_tmp):
        yield Project(tmp_path, lab(fleet))


def shell(project: Project, prompt: str, *arguments: str) -> Console:
    command = [sys.executable, "-m", "glusto", "shell", "-c", "lab.yml", *arguments]
    environment = project.environment(
        HOME=str(project.directory), IPYTHONDIR=str(project.directory / "ipython"), PROMPT_TOOLKIT_NO_CPR="1"
    )
    console = Console(command, project.directory, environment)
    console.wait_for("cleans the hosts")
    console.wait_for(prompt)
    return console


@pytest.mark.parametrize(("arguments", "prompt"), PROMPTS)
@pytest.mark.parametrize(
    ("ending", "status"), [("\x04", 0), ("exit()\r", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_lab_is_there_and_nothing_stays(
    project: Project, arguments: list[str], prompt: str, ending: str | signal.Signals, status: int
) -> None:
    console = shell(project, prompt, *arguments)
    console.type(
        "print('<', h1.modules.os.uname().nodename, len(conns), g.run('h2', 'hostname').stdout.strip(), '>')\r"
    )
    console.wait_for("< h1 6 h2 >")
    console.type(CALL)
    console.wait_for("True")
    console.wait_for(prompt.replace("1", "3"))
    time.sleep(0.5)  # a prompt is drawn before all of what is typed is its own: what a person is too slow to notice
    if isinstance(ending, signal.Signals):
        console.signal(ending)
    else:
        console.type(ending)
    assert console.end() == status, console.text


def test_a_host_that_is_away_is_told_and_the_others_are_there(project: Project, fleet: Fleet) -> None:
    fleet.hosts[2].cut()
    try:
        console = shell(project, ">>> ", "--plain")
        console.type("print('<', sorted(conns), '>')\r")
        console.wait_for("'root@h2:1'] >")
        console.wait_for(">>> ")
        time.sleep(0.5)
        console.type("\x04")
        assert console.end() == 0
    finally:
        fleet.hosts[2].heal()
    assert "root@h3: no answer within 3 s" in console.text
    assert "root@h3:1" not in console.text.partition("<")[2]


def test_what_was_left_running_is_told_at_the_end(project: Project) -> None:
    console = shell(project, ">>> ", "--plain")
    console.type("h1.modules.subprocess.Popen(['sleep', '1005'], start_new_session=True).pid > 0\r")
    console.wait_for("True")
    console.wait_for(">>> ")
    time.sleep(0.5)
    console.type("\x04")
    assert console.end() == 3, console.text
    assert "sleep 1005" in console.text.rpartition("glusto: ")[2]
