"""Logs: handlers made, changed and removed while tests run."""

from __future__ import annotations

import itertools
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto import logs
from glusto.errors import ConfigError, GlustoError
from glusto.handlers import Follower

numbers = itertools.count()


@pytest.fixture
def name() -> Iterator[str]:
    """The name of a log that no other test has; its files are closed afterwards."""
    name = f"log-{next(numbers)}-"
    yield name
    logs.remove_log(logging.getLogger(name))


@pytest.fixture
def own() -> Iterator[logging.Logger]:
    """The log of Glusto itself, set right again afterwards."""
    log = logs.get_log()
    before = log.handlers[:], log.level, log.propagate
    yield log
    log.handlers[:], log.level, log.propagate = before


def lines(path: Path) -> list[str]:
    return [line.partition(" (")[2] for line in path.read_text().splitlines()]


def test_a_log_is_written_with_time_level_and_function(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "deep" / "my.log"))
    log.debug("%s is %d", "this", 1)
    text = (tmp_path / "deep" / "my.log").read_text()
    pattern = (
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} DEBUG \(test_a_log_is_written_with_time_level_and_function\) this is 1\n"
    )
    assert re.fullmatch(pattern, text)


def test_a_log_is_added_to_and_not_propagated(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "my.log").write_text("before\n")
    logs.create_log(name, str(tmp_path / "my.log"), "INFO").info("after")
    assert (tmp_path / "my.log").read_text().startswith("before\n")
    assert not caplog.records


def test_the_level_and_the_format_are_taken(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "my.log"), level="warning", log_format="%(levelname)s: %(message)s")
    log.info("no")
    log.warning("yes")
    assert (tmp_path / "my.log").read_text() == "WARNING: yes\n"


def test_handlers_are_named_after_the_log_and_shown(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), "WARNING")
    logs.add_log(log, str(tmp_path / "b.log"), "CRITICAL")
    logs.add_log(log, "STDOUT")
    assert logs.show_logs(log) == [f"{name}1", f"{name}2", f"{name}3"]
    assert capsys.readouterr().out == (
        f"Log:  {name}\n"
        f"- {name}1: {tmp_path}/a.log (WARNING)\n- {name}2: {tmp_path}/b.log (CRITICAL)\n- {name}3: sys.stdout (INFO)\n"
    )
    logs.remove_log(log, f"{name}2")
    logs.add_log(log, str(tmp_path / "c.log"))
    assert logs.show_logs(log) == [f"{name}1", f"{name}3", f"{name}2"]


def test_a_log_that_is_created_again_loses_its_handlers_and_closes_them(tmp_path: Path, name: str) -> None:
    first = logs.create_log(name, str(tmp_path / "a.log")).handlers[0]
    log = logs.create_log(name, str(tmp_path / "b.log"))
    log.info("x")
    assert lines(tmp_path / "a.log") == []
    assert len(log.handlers) == 1
    assert isinstance(first, logging.FileHandler)
    assert first.stream is None
    logs.create_log(name, str(tmp_path / "c.log"), allow_multiple=True)
    assert len(log.handlers) == 2


def test_an_added_log_gets_what_its_level_says_and_the_others_stay_as_they_are(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), "ERROR")
    logs.add_log(log, str(tmp_path / "b.log"), "DEBUG")
    log.debug("x")
    assert lines(tmp_path / "a.log") == []
    assert len(lines(tmp_path / "b.log")) == 1


def test_stdout_is_what_it_is_at_the_time(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.create_log(name, "STDOUT", log_format="%(message)s")
    log.info("here")
    assert capsys.readouterr().out == "here\n"
    with capsys.disabled():
        pass
    log.info("again")
    assert capsys.readouterr().out == "again\n"


def test_a_handler_is_removed_by_name_and_removing_is_idempotent(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"))
    logs.add_log(log, str(tmp_path / "b.log"))
    logs.remove_log(log, f"{name}1")
    logs.remove_log(log, f"{name}1")
    assert [handler.get_name() for handler in log.handlers] == [f"{name}2"]
    logs.remove_log(log)
    logs.remove_log(log)
    assert not log.handlers


def test_levels_are_changed_and_silenced(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), "WARNING", "%(message)s")
    log.info("one")
    logs.set_log_level(name, f"{name}1", "INFO")
    log.info("two")
    logs.disable_log_levels("WARNING")
    log.warning("three")
    log.error("four")
    logs.reset_log_levels()
    log.info("five")
    logs.set_log_level(name, f"{name}1", "ERROR")
    log.warning("six")
    assert (tmp_path / "a.log").read_text().split() == ["two", "four", "five"]


def test_a_handler_moves_to_another_file_and_keeps_the_rest(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), "INFO", "%(message)s")
    log.info("one")
    logs.set_log_filename(name, f"{name}1", str(tmp_path / "b.log"))
    log.info("two")
    log.debug("no")
    assert ((tmp_path / "a.log").read_text(), (tmp_path / "b.log").read_text()) == ("one\n", "two\n")
    with pytest.raises(ConfigError, match="can't be written there"):
        logs.set_log_filename(name, f"{name}1", str(tmp_path))
    log.info("three")
    assert (tmp_path / "b.log").read_text() == "two\nthree\n"


def test_a_file_is_cleared_and_written_on(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), log_format="%(message)s")
    log.info("one")
    logs.clear_log(name, f"{name}1")
    assert (tmp_path / "a.log").read_text() == ""
    log.info("two")
    assert (tmp_path / "a.log").read_text() == "two\n"
    logs.set_log_filename(name, f"{name}1", "STDOUT")
    log.info("three")
    assert capsys.readouterr().out == "three\n"
    with pytest.raises(GlustoError, match="sys.stdout, which is no file"):
        logs.clear_log(name, f"{name}1")


def test_a_handler_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, name: str) -> None:
    logs.create_log(name, str(tmp_path / "a.log"))
    with pytest.raises(GlustoError, match=f"no handler {name}7; it has {name}1"):
        logs.set_log_level(name, f"{name}7", "INFO")
    with pytest.raises(GlustoError, match="it has none"):
        logs.clear_log("nolog", "nolog1")


@pytest.mark.parametrize("level", ["LOUD", "", True, None])
def test_a_level_that_there_is_not_is_refused(name: str, level: str) -> None:
    with pytest.raises(ConfigError, match="no log level"):
        logs.create_log(name, "STDOUT", level)


def test_where_no_log_can_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "a.log", "a\0.log"):
        with pytest.raises(ConfigError, match="can't be written there"):
            logs.create_log(name, str(place))
    with pytest.raises(ConfigError, match="no format for a log"):
        logs.create_log(name, str(tmp_path / "a.log"), log_format="%(message")
    assert not logging.getLogger(name).handlers


@pytest.mark.parametrize(
    ("message", "args", "logged"),
    [
        ("%s and %s", (1,), "%s and %s (1,)"),
        ("%s", (1, 2), "%s (1, 2)"),
        ("no place", ("lost",), "no place ('lost',)"),
        ("%d", ("x",), "%d ('x',)"),
        ("100%", ("x",), "100% ('x',)"),
        ("%(a)s", ({"b": 1},), "%(a)s {'b': 1}"),
        ("%s", ("fine",), "fine"),
        ("100%", (), "100%"),
    ],
)
def test_arguments_that_do_not_fit_are_logged_all_the_same(
    tmp_path: Path, name: str, message: str, args: tuple[object, ...], logged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), log_format="%(message)s")
    log.info(message, *args)
    assert (tmp_path / "a.log").read_text() == f"{logged}\n"
    assert capsys.readouterr().err == ""


def test_arguments_that_can_not_be_shown_do_not_lose_the_message(tmp_path: Path, name: str) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    log = logs.create_log(name, str(tmp_path / "a.log"), log_format="%(message)s")
    log.info("a %s", Broken())
    assert (tmp_path / "a.log").read_text().startswith("a %s (arguments that can't be shown")


def test_warn_is_warning_and_tells_the_function_that_called(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), log_format="%(levelname)s %(funcName)s %(message)s")
    log.warn("%s!", "careful")
    function = test_warn_is_warning_and_tells_the_function_that_called.__name__
    assert (tmp_path / "a.log").read_text() == f"WARNING {function} careful!\n"


def test_files_have_no_colours(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), log_format="%(message)s")
    log.info("\x1b[1;31m%s\x1b[0m", "red")
    assert (tmp_path / "a.log").read_text() == "red\n"


def test_text_that_is_no_unicode_is_logged(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.create_log(name, str(tmp_path / "a.log"), log_format="%(message)s")
    log.info("half \udc80 ü")
    assert (tmp_path / "a.log").read_text(encoding="utf-8") == "half \\udc80 ü\n"
    assert capsys.readouterr().err == ""


def test_what_glusto_logs_follows_to_another_log(tmp_path: Path, name: str, own: logging.Logger) -> None:
    first = logs.create_log(name, str(tmp_path / "a.log"), "INFO", "%(message)s")
    logs.follow(first)
    own.info("one")
    own.debug("too low")
    second = logs.create_log(f"{name}b", str(tmp_path / "b.log"), "DEBUG", "%(message)s")
    logs.follow(second)
    own.debug("two")
    logs.follow(own)
    own.error("three")
    logs.remove_log(second)
    assert (tmp_path / "a.log").read_text() == "one\n"
    assert (tmp_path / "b.log").read_text() == "two\n"


def test_a_log_below_glustos_own_does_not_go_round_in_circles(own: logging.Logger) -> None:
    logs.follow(logging.getLogger("glustolog.mine"))
    logging.getLogger("glustolog.mine").error("once")
    assert not any(isinstance(handler, Follower) for handler in own.handlers)


def test_many_threads_log_while_the_log_is_changed(tmp_path: Path, name: str) -> None:
    log = logs.create_log(name, str(tmp_path / "0.log"), log_format="%(message)s")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            log.info("line %s")
            log.info("line %s", 1, 2)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 50):
        logs.set_log_filename(name, f"{name}1", str(tmp_path / f"{number}.log"))
        logs.clear_log(name, f"{name}1")
    stop.set()
    for thread in threads:
        thread.join()
    assert [handler.get_name() for handler in log.handlers] == [f"{name}1"]


def test_importing_makes_no_handler_and_no_file(tmp_path: Path) -> None:
    code = (
        "import logging, os; before = logging.getLogger('glustolog')\n"
        "from glusto import g\n"
        "assert g.log is before and not before.handlers and not logging.root.handlers\n"
        "g.log.info('%s and %s', 1); g.log.warn('seen'); assert os.listdir('.') == []\n"
    )
    root = str(Path(__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "seen\n")
