"""Excerpts: the line of an error, and a caret under the word."""

import pytest

from glusto.excerpt import excerpt


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        ("a: 1\nssh: {usr: x}", 2, 7, "  ssh: {usr: x}\n        ^^^"),
        ("\tuser: x", 1, 2, "  \tuser: x\n  \t^^^^"),
        ('a: "b c", d', 1, 4, '  a: "b c", d\n     ^^^^^'),
        ("名前: x y", 1, 5, "  名前: x y\n        ^"),
        ("a: b", 1, 0, "  a: b"),
        ("a: [b\n", 2, 1, "  a: [b\n       ^"),
        ("a: b", 9, 1, ""),
        ("", 1, 1, ""),
        ("a: b", 0, 0, ""),
        ("a:   ", 1, 4, "  a:\n     ^"),
    ],
)
def test_the_word_is_marked(text: str, line: int, column: int, shown: str) -> None:
    assert excerpt(text, line, column) == shown


def test_a_long_line_is_cut_around_the_word() -> None:
    shown = excerpt("x" * 500 + " word " + "y" * 500, 1, 502)
    first, carets = shown.splitlines()
    assert len(first) < 110
    assert first[carets.index("^") :].startswith("word")
    assert carets.strip() == "^^^^"


@pytest.mark.parametrize(
    "line",
    ["ssh: {usr: x, password: hunter2}", "db_password = hunter2", '"API-Key": "hunter2"', "ssh_token: hunter2, b: 1"],
)
def test_secrets_are_not_quoted(line: str) -> None:
    shown = excerpt(line, 1, 1)
    assert "hunter2" not in shown
    assert len(shown.splitlines()[0]) == len(line) + 2
