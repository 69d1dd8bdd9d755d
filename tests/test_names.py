"""Names: what may reach a command line and what may not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.errors import ConfigError
from glusto.names import check_host_name, check_interpreter, check_path, check_user_name

SHELL = list(";|&$<>`'\"\\(){}[]*?!#~=,^/")


@pytest.mark.parametrize("name", [
    "web", "web-1.example.com", "web_1", "192.168.1.221", "example.com.", "::1", "fe80::1%eth0",
    "2001:db8::1", "bücher.example", "1", "_dmarc.example"])
def test_host_names_are_taken(name: str) -> None:
    assert check_host_name(name) == name


@pytest.mark.parametrize("name", ["root", "george", "_apt", "a.b-c", "dev+ops", "user@realm", "www-data"])
def test_user_names_are_taken(name: str) -> None:
    assert check_user_name(name) == name


@pytest.mark.parametrize(("name", "why"), [
    ("", "it is empty"), ("-oProxyCommand=reboot", "starts with '-'"), ("-l", "starts with '-'"),
    (".hidden", "starts with '.'"), ("a b", "white space (' ')"), (" a", "white space"),
    ("a\n", "white space ('\\n')"),
    ("a\tb", "white space"), ("a\0b", "'\\x00'"),
    ("a\x1b[1m", "'\\x1b'"), ("a\x7f", "'\\x7f'"), ("a\u200bb", "'\\u200b'"),
    ("a\u202eb", "'\\u202e'"), ("x" * 300, "300 characters"), ("50%", "'%'"), ("%h", "'%'"),
    *((f"a{char}b", f"{char!r} is in it") for char in SHELL),
])
def test_what_is_refused_is_said(name: str, why: str) -> None:
    for kind, check in (("host", check_host_name), ("user", check_user_name)):
        with pytest.raises(ConfigError, match=f"the {kind} name .* is refused: .*{re.escape(why)}"):
            check(name)


@pytest.mark.parametrize("name", ["a@b", "web:22", "::g", "fe80::1%", "fe80::1%$(x)",
                                  "fe80::1%a b", "[::1]", "a%eth0"])
def test_host_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is refused"):
        check_host_name(name)


def test_a_port_in_a_host_name_has_a_place_of_its_own() -> None:
    with pytest.raises(ConfigError, match="port: 22"):
        check_host_name("web:22")


@pytest.mark.parametrize("name", [None, 12, ["a"], True])
def test_a_name_is_text(name: object) -> None:
    for check in (check_host_name, check_user_name):
        with pytest.raises(ConfigError, match="is text"):
            check(name)  # type: ignore[arg-type]


@given(st.text())
def test_no_name_that_is_taken_means_anything_to_a_shell_or_an_option_parser(name: str) -> None:
    for check in (check_host_name, check_user_name):
        try:
            check(name)
        except ConfigError:
            continue
        assert name.isprintable()
        assert not name.startswith("-")
        assert not set(name) & {*SHELL, " "}


def test_paths_are_expanded_and_interpreters_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/george")
    assert check_path("~/id") == "/home/george/id"
    assert check_interpreter("~/venv/bin/python") == "~/venv/bin/python"


@pytest.mark.parametrize("path", ["", "a\nb", "a\0", "-python", "\x9b"])
def test_paths_with_control_characters_are_refused(path: str) -> None:
    with pytest.raises(ConfigError):
        check_interpreter(path)
