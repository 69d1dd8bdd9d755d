"""What a run shows: on a terminal as it happens, elsewhere in plain lines; the failing host's last commands."""

import io
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from glusto.display import Command, LastCommands, Plain, choose, counted, relevant
from tests.running import LOCAL, Project
from tests.terminals import Terminal

FAILING = """
    import pathlib, time, unittest
    from glusto import TestCase, g

    class TestStorage(TestCase):
        def test_a_passes(self): pass
        def test_b_fails(self):
            g.run("one", "echo all is well")
            result = g.run("two", "echo 'no space left' >&2; exit 28")
            self.assertEqual(result.returncode, 0, "writing")
        @unittest.skip("not here")
        def test_c_is_skipped(self): pass
        def test_d_is_slow(self):
            g.run("one", "while ! test -e go; do sleep 0.01; done")
"""
Start = Callable[..., Terminal]


@pytest.fixture
def project(tmp_path: Path, private_tmp: Path) -> Project:
    project = Project(tmp_path)
    project.write("test_it.py", FAILING.replace("test -e go", f"test -e {tmp_path}/go"))
    return project


@pytest.fixture
def start(project: Project) -> Iterator[Start]:
    started: list[Terminal] = []

    def start(*arguments: str, **variables: str) -> Terminal:
        quiet = {"NO_COLOR": "", "CI": "", "TERM": "xterm-256color"}
        environment = project.environment(**{**quiet, **variables})
        started.append(Terminal(project.directory, environment, "-c", "lab.yml", *arguments))
        return started[-1]

    yield start
    for terminal in started:
        terminal.end()


def test_a_terminal_shows_hosts_tests_failures_and_a_summary(project: Project, start: Start) -> None:
    terminal = start()
    terminal.read_until("test_d_is_slow  1.")  # it is shown while it runs, with its seconds
    terminal.read_until("while ! test -e")  # and the command it waits for
    assert "3/4 tests  1 failed" in terminal.text
    (project.directory / "go").touch()
    text = terminal.finish()
    assert terminal.status == 1
    assert "connected" in text and "connected 2 of 2 in" in text
    lines = ("test_it.TestStorage\n", "  ✓ test_a_passes", "  ✗ test_b_fails", "  – test_c_is_skipped  not here")
    assert [line for line in lines if line not in text] == []
    assert "AssertionError: 28 != 0 : writing" in text
    under = text.partition("✗ test_b_fails")[2].partition("test_c_is_skipped")[0]
    assert "root@two $ echo 'no space left' >&2; exit 28  returncode 28" in under
    assert "\n          no space left" in under
    assert "all is well" not in under  # it went well, on another host
    summary = text.rpartition("slowest")[2]
    assert "test_it.TestStorage.test_d_is_slow" in summary
    assert "FAIL   test_it.TestStorage.test_b_fails" in summary
    assert "2 passed  1 failed  1 skipped  in" in summary
    assert "reports: 1 in reports" in summary
    assert "report: reports/report-" in summary
    assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h")  # the cursor is there again


@pytest.mark.parametrize("variable", ["NO_COLOR", "CI"])
def test_a_terminal_gets_plain_lines_when_that_is_asked_for(project: Project, start: Start, variable: str) -> None:
    (project.directory / "go").touch()
    terminal = start(**{variable: "1"})
    text = terminal.finish()
    assert "ok     test_it.TestStorage.test_a_passes" in text
    assert "\x1b" not in terminal.raw


def test_quiet_shows_failures_only(project: Project, start: Start) -> None:
    (project.directory / "go").touch()
    text = start("-q").finish()
    assert "test_it.TestStorage.test_b_fails" in text
    assert "✓" not in text
    assert "2 passed" in text


def test_verbose_shows_the_log_between_the_tests(project: Project, start: Start) -> None:
    (project.directory / "go").touch()
    text = start("-v").finish()
    assert "root@one: echo all is well" in text
    assert "  ✓ test_a_passes" in text


def test_an_interrupt_on_a_terminal_ends_with_a_summary(project: Project, start: Start) -> None:
    terminal = start()
    terminal.read_until("test_d_is_slow  0.")
    terminal.signal(signal.SIGINT)
    text = terminal.finish()
    assert terminal.status == 130
    assert "Ctrl-C: cleaning up" in text
    assert "interrupted" in text.rpartition("slowest")[2]
    assert terminal.raw.count("\x1b[?25l") == terminal.raw.count("\x1b[?25h")


def test_hosts_that_fail_are_counted_while_others_connect(tmp_path: Path, private_tmp: Path) -> None:
    project = Project(tmp_path, LOCAL.rstrip("}\n") + "}, gone: {address: 127.0.0.1, port: 1}}\n")
    project.write("test_it.py", FAILING)
    environment = project.environment(NO_COLOR="", CI="", TERM="xterm-256color")
    terminal = Terminal(tmp_path, environment, "-c", "lab.yml")
    text = terminal.finish()
    assert terminal.status == 3
    assert "connected 2 of 3, 1 failed in" in text
    assert "✗ setUpClass" in text
    assert "nothing listens on port 1" in text


def test_plain_output_has_the_last_commands_of_the_failing_host(project: Project) -> None:
    (project.directory / "go").touch()
    output = project.run("-c", "lab.yml").stdout
    block = output.partition("FAIL: test_it.TestStorage.test_b_fails")[2].partition("slowest")[0]
    assert "--- last commands\nroot@two: echo 'no space left' >&2; exit 28  (returncode 28, " in block
    assert "\n    no space left\n" in block


def test_plain_output_says_why_a_test_was_skipped(project: Project) -> None:
    output = project.run("-c", "lab.yml", "test_it.TestStorage.test_c_is_skipped").stdout
    line = next(line for line in output.splitlines() if line.startswith("skip"))
    assert line.startswith("skip   test_it.TestStorage.test_c_is_skipped  0.")
    assert line.endswith(" s  not here")


def test_a_terminal_says_that_no_test_was_found(start: Start) -> None:
    text = start("-k", "nothing", "test_it").finish()
    assert "no test was found whose name matches `nothing` (-k), in test_it\n" in text
    assert "0 passed" not in text


def test_one_error_is_no_errors() -> None:
    assert [counted("error", number) for number in (1, 2)] == ["1 error", "2 errors"]
    assert counted("skipped", 2) == "2 skipped"


def test_what_is_no_terminal_gets_plain_lines() -> None:
    assert isinstance(choose(io.StringIO()), Plain)


def test_commands_of_tests_that_pass_are_forgotten() -> None:
    last = LastCommands()
    for test, outcome in ((1, "passed"), (2, "failed")):
        last({"kind": "command_started", "id": test, "host": "h", "command": "true", "test": test})
        last({"kind": "command_ended", "id": test, "returncode": 0, "seconds": 1.0, "stdout": "x\n"})
        last({"kind": "test_ended", "id": test, "outcome": outcome})
    assert {test: list(commands) for test, commands in last.of.items()} == {2: [Command("h", "true", 0, 1.0, "x")]}


def test_a_command_that_still_runs_is_shown_as_running() -> None:
    last = LastCommands()
    last({"kind": "command_started", "id": 1, "host": "h", "command": "sleep 9", "test": 1})
    assert [command.told for command in relevant(last.of[1], "")] == ["running"]
