"""Handlers: files that move, standard output that changes, records that are completed and passed on."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from glusto.errors import ConfigError
from glusto.handlers import Completing, FileHandler, Follower, StdoutHandler, formatter_for, open_handler


def record(message: str, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("name", level, __file__, 1, message, args, None)


def test_a_closed_file_is_not_opened_again_by_a_thread_that_is_late(tmp_path: Path) -> None:
    handler = open_handler(str(tmp_path / "a.log"))
    handler.handle(record("one"))
    handler.close()
    handler.close()
    handler.handle(record("two"))
    assert (tmp_path / "a.log").read_text() == "one\n"


def test_a_handler_takes_over_the_file_of_another(tmp_path: Path) -> None:
    one, two = open_handler(str(tmp_path / "1.log")), open_handler(str(tmp_path / "2.log"))
    assert isinstance(one, FileHandler)
    assert isinstance(two, FileHandler)
    one.take_over(two)
    one.handle(record("here"))
    one.close()
    assert ((tmp_path / "1.log").read_text(), (tmp_path / "2.log").read_text()) == ("", "here\n")


def test_stdout_is_looked_up_for_each_record(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = StdoutHandler()
    streams = io.StringIO(), io.StringIO()
    for number, stream in enumerate(streams):
        monkeypatch.setattr("sys.stdout", stream)
        handler.handle(record("%d", number))
    assert [stream.getvalue() for stream in streams] == ["0\n", "1\n"]


def test_only_files_lose_their_colours(tmp_path: Path) -> None:
    file, stdout = open_handler(str(tmp_path / "a.log")), open_handler("STDOUT")
    red = record("\x1b[31mred\x1b[0m")
    assert formatter_for(file, "%(message)s").format(red) == "red"
    assert formatter_for(stdout, "%(message)s").format(red) == "\x1b[31mred\x1b[0m"
    file.close()


def test_a_bad_format_closes_the_file(tmp_path: Path) -> None:
    handler = open_handler(str(tmp_path / "a.log"))
    with pytest.raises(ConfigError, match="no format"):
        formatter_for(handler, "%(message")
    assert isinstance(handler, FileHandler)
    assert handler.is_closed


def test_a_record_that_fits_is_left_alone() -> None:
    fits, lacks = record("%s", 1), record("%s %s", 1)
    assert Completing().filter(fits)
    assert Completing().filter(lacks)
    assert (fits.msg, fits.args) == ("%s", (1,))
    assert lacks.getMessage() == "%s %s (1,)"


def test_a_follower_passes_on_what_the_other_log_takes() -> None:
    log = logging.Logger("other", logging.WARNING)  # noqa: LOG001 - one that nobody else has
    stream = io.StringIO()
    log.addHandler(logging.StreamHandler(stream))
    follower = Follower(log)
    follower.handle(record("no"))
    follower.handle(record("yes", level=logging.ERROR))
    assert stream.getvalue() == "yes\n"
