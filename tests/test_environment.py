"""References: `${NAME}` in configs."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.config import Config, load
from glusto.environment import fill
from glusto.errors import ConfigError
from glusto.harness import Harness
from glusto.inventory import Inventory
from glusto.readers import parse_yaml


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_USER", "admin")
    monkeypatch.setenv("LAB_PORT", "2222")
    monkeypatch.setenv("LAB_EMPTY", "")
    monkeypatch.delenv("LAB_NONE", raising=False)


def config(directory: Path, text: str, name: str = "lab.yml") -> Config:
    (directory / name).write_text(text)
    return Config(load(directory / name))


def test_values_in_known_sections_are_filled_in(tmp_path: Path) -> None:
    text = """
servers:
  web: {address: "${LAB_USER}.lab", vars: {note: "as ${LAB_USER}"}}
  db:
    port: ${LAB_PORT}
users: ["${LAB_USER}", root]
ssh:
  keyfile: /keys/${LAB_USER}/${LAB_NONE:-id}
dead_man_seconds: ${LAB_NONE:-7.5}
"""
    lab = Inventory.from_config(config(tmp_path, text))
    assert lab.hosts["web"].address == "admin.lab"
    assert lab.hosts["web"].vars["note"] == "as admin"
    assert lab.hosts["db"].port == 2222
    assert lab.users == ("admin", "root")
    assert (lab.ssh.keyfile, lab.dead_man_seconds) == ("/keys/admin/id", 7.5)


def test_quotes_make_it_text_as_always(tmp_path: Path) -> None:
    text = "servers: {a: {vars: {n: '${LAB_PORT}'}}}\nroles:\n  r:\n    b:\n      vars:\n        n: ${LAB_PORT}\n"
    data = config(tmp_path, text).data
    assert data["servers"]["a"]["vars"]["n"] == "2222"
    assert data["roles"]["r"]["b"]["vars"]["n"] == 2222


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${LAB_EMPTY:-x}", "x"),
        ("a${LAB_EMPTY}b", "ab"),
        ("${LAB_EMPTY}", None),
        ("$${LAB_USER}", "${LAB_USER}"),
        ("$$ and $LAB_USER", "$$ and $LAB_USER"),
        ("${LAB_NONE:-}", None),
        ("&here ${LAB_PORT}", 2222),
        ("!!str ${LAB_PORT}", "2222"),
        ("|\n      ${LAB_PORT}", "2222\n"),
    ],
)
def test_defaults_escapes_and_what_is_none(tmp_path: Path, written: str, value: object) -> None:
    assert config(tmp_path, f"ssh:\n  options:\n    A: {written}\n").data["ssh"]["options"]["A"] == value


def test_the_tests_own_data_and_keys_are_left_alone(tmp_path: Path) -> None:
    text = "shell: echo ${HOME} ${LAB_NONE}\nssh:\n  options: {'${LAB_NONE}': x}\n"
    assert config(tmp_path, text).data == {
        "shell": "echo ${HOME} ${LAB_NONE}",
        "ssh": {"options": {"${LAB_NONE}": "x"}},
    }


def test_an_alias_is_filled_in_where_it_is_used(tmp_path: Path) -> None:
    found = config(tmp_path, "own: &u\n  user: ${LAB_USER}\nssh: *u\n")
    assert (found.data["own"]["user"], found.data["ssh"]["user"]) == ("${LAB_USER}", "admin")


@pytest.mark.parametrize(("name", "text"), [
    ("lab.json", json.dumps({"ssh": {"user": "${LAB_USER}"}, "own": "${LAB_USER}"})),
    ("lab.ini", "[ssh]\nuser = ${LAB_USER}\n[own]\nx = ${LAB_USER}\n"),
])  # fmt: skip
def test_json_and_ini_are_filled_in_too_and_keep_their_positions(tmp_path: Path, name: str, text: str) -> None:
    found = config(tmp_path, text, name)
    assert found.data["ssh"]["user"] == "admin"
    assert "${LAB_USER}" in str(found.data["own"])
    place = found.where(("ssh", "user"))
    assert place is not None
    assert place.line


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("ssh:\n  user: x-${LAB_NONE}\n", "LAB_NONE is not set", 2, 11),
        ("ssh:\n  user: ${LAB-x}\n", "is no reference; write ${NAME}", 2, 9),
        ("ssh:\n  user: ${LAB_USER\n", "is no reference", 2, 9),
        ("ssh: {user: ${LAB_USER}}\n", 'in quotes: "${NAME}"', 1, 14),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(tmp_path: Path, text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.excerpt.endswith("^")


def test_g_fills_in_configs_but_not_data(tmp_path: Path) -> None:
    (tmp_path / "lab.yml").write_text("ssh: {user: '${LAB_USER}'}\n")
    harness = Harness()
    assert harness.load_configs(str(tmp_path / "lab.yml"))["ssh"]["user"] == "admin"
    assert harness.load_config(str(tmp_path / "lab.yml"))["ssh"]["user"] == "${LAB_USER}"


@given(st.text(st.sampled_from("ab${}:-_ \"'"), max_size=30))
def test_any_text_is_filled_in_or_refused(text: str) -> None:
    document = parse_yaml(f"ssh: {{user: {json.dumps(text)}}}")
    try:
        fill(document, ("ssh",))
    except ConfigError:
        return
    if "${" not in text:
        assert document.data["ssh"]["user"] == text
