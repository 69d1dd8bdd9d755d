"""Colours: codes, and where they are wanted."""

from __future__ import annotations

import io

import pytest

from glusto.colors import Color, colorfy, is_wanted


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "codes"),
    [
        (Color.RED, "31"),
        (Color.BG_RED, "41"),
        (Color.WHITE | Color.BG_DKGRAY, "97;100"),
        (Color.DEFAULT | Color.BG_DEFAULT, "39;49"),
        (Color.BOLD | Color.DIM | Color.UNDERLINE | Color.BLINK | Color.REVERSE | Color.HIDDEN, "1;2;4;5;7;8"),
        (Color.COLOR_COMMAND, "1;90"),
        (Color.COLOR_STDOUT, "1;30;47"),
        (Color.COLOR_STDERR, "1;31"),
        (Color.COLOR_RCODE, "1;34"),
    ],
)
def test_colours_are_joined(color: int, codes: str) -> None:
    assert colorfy(color, "text {0}") == f"\x1b[{codes}mtext {{0}}\x1b[0m"
    assert colorfy(int(color), "text", enabled=False) == "text"


def test_every_colour_has_a_code_of_its_own() -> None:
    codes = {colorfy(color, "") for color in Color}
    assert len(codes) == 40


def test_normal_is_the_text_as_it_is() -> None:
    assert colorfy(Color.NORMAL, "text") == "text"


def test_only_a_terminal_shows_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert is_wanted(True, Terminal())
    assert not is_wanted(True, io.StringIO())
    closed = Terminal()
    monkeypatch.setattr("sys.stdout", closed)
    assert is_wanted()
    monkeypatch.setattr("sys.stdout", None)
    assert not is_wanted()


@pytest.mark.parametrize("log_color", [False, "False", "no", "off", 0, "0", "", None])
def test_the_config_turns_them_off(log_color: object) -> None:
    assert not is_wanted(log_color, Terminal())


def test_no_color_turns_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_wanted(True, Terminal())
    monkeypatch.setenv("NO_COLOR", "")
    assert is_wanted(True, Terminal())
