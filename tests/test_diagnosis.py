"""Diagnoses and boards: what is said of surveys that real hosts here can't give."""

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glusto import board
from glusto.config import Config, parse_yaml
from glusto.diagnosis import ASPECTS, Diagnosis, Problem
from glusto.errors import ConnectError, DeployError, LinkLostError
from glusto.inventory import Inventory
from glusto.survey import Survey
from glusto.verbs.check import cleaning

LAB = """
servers:
  web: {address: 10.0.0.1, keyfile: /k}
  here: {connection: local}
users: [root, george]
ssh: {keyfile: /all, options: {ProxyJump: b}}
"""
FOUND = {"place": "/tmp", "free": 1 << 33, "sshd": {}, "directories": [], "processes": []}
FACTS = {"python": "3.9.1", "executable": "/usr/bin/python3", "system": "X"}


def survey(**fields: Any) -> Survey:
    host = Inventory.from_config(Config(parse_yaml(LAB))).hosts["web"]
    good: dict[str, Any] = {
        "done": True,
        "facts": FACTS,
        "seconds": 0.1,
        "offset": 0.0,
        "forwarded": True,
        "found": FOUND,
    }
    return Survey("root@web", host, "root", **{**good, **fields})


def problems(text: str = LAB, users: tuple[str, ...] = ("root",), **fields: Any) -> list[Problem]:
    config = Config(parse_yaml(text, "lab.yml"))
    return Diagnosis(config, Inventory.from_config(config), "clean it")(survey(**fields), users)


def test_a_good_survey_has_no_problem() -> None:
    assert problems() == []
    assert [cell.state for cell in board.cells(survey(), [])] == ["good"] * len(ASPECTS)


@pytest.mark.parametrize(
    ("offset", "roundtrip", "said"),
    [
        (3.2, 0.0, "its clock is 3.2 s ahead of this machine's"),
        (-70.0, 0.1, "its clock is 70.0 s behind this machine's"),
        (1.5, 2.0, None),
        (0.9, 0.0, None),
    ],
)
def test_a_clock_that_is_off_is_a_warning(offset: float, roundtrip: float, said: str | None) -> None:
    found = problems(offset=offset, roundtrip=roundtrip)
    assert [one.text for one in found] == ([said] if said else [])
    if found:
        assert not found[0].hurts
        assert found[0].fix.startswith("ssh -oProxyJump=b -i /k root@10.0.0.1 'chronyc makestep")


@pytest.mark.parametrize(("sessions", "count"), [(2, 0), (1, 1), (0, 1), (None, 0)])
def test_sessions_that_the_probe_could_open_are_counted(sessions: int | None, count: int) -> None:
    found = problems(sessions=sessions)
    assert len(found) == count
    assert all("MaxSessions" in one.text for one in found)


@pytest.mark.parametrize(
    ("sshd", "said"),
    [
        ({"disableforwarding": "yes"}, "DisableForwarding yes"),
        ({"allowstreamlocalforwarding": "remote"}, "AllowStreamLocalForwarding remote"),
        ({}, "`restrict` in authorized_keys"),
    ],
)
def test_why_there_is_no_forwarding_is_said_as_far_as_it_is_known(sshd: dict[str, str], said: str) -> None:
    (found,) = problems(forwarded=False, found={**FOUND, "sshd": sshd})
    assert said in found.text
    assert not found.hurts


@pytest.mark.parametrize(
    ("reason", "place"),
    [
        ("auth", "lab.yml:3:37"),
        ("name", "lab.yml:3:18"),
        ("refused", "lab.yml:3:18"),
        ("ssh", "lab.yml:6:31"),
        ("login", "lab.yml:3:3"),
        ("busy", "lab.yml:3:3"),
        ("host key", "lab.yml:3:3"),
    ],
)
def test_an_error_leads_to_the_line_that_can_be_changed(reason: str, place: str) -> None:
    (found,) = problems(facts={}, error=ConnectError("root@web", "no", reason, "mend it"), found={})
    assert (str(found.position), found.fix, found.hurts) == (place, "mend it", True)
    assert found.excerpt.splitlines()[0].strip() == LAB.splitlines()[found.position.line - 1].strip()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "facts", "aspect"),
    [
        (DeployError("root@web", "no Python"), {}, "python"),
        (DeployError("root@web", "no directory"), FACTS, "space"),
        (LinkLostError("root@web", "gone"), FACTS, "agent"),
    ],
)
def test_other_errors_are_put_where_they_belong(error: Exception, facts: dict[str, str], aspect: str) -> None:
    (found,) = problems(error=error, facts=facts, found={}, offset=None)
    assert found.aspect == aspect
    assert found.fix
    state = dict(
        zip(ASPECTS, board.cells(survey(error=error, facts=facts, found={}, offset=None), [found]), strict=True)
    )
    assert state[aspect].state == "bad"
    assert state["login"].state == "good"
    assert state["leftovers"].state == "unknown"


def test_a_host_that_no_file_names_has_problems_without_a_line() -> None:
    (found,) = problems("servers: [other]", facts={}, error=ConnectError("root@web", "no", "name"), found={})
    assert (found.position, found.excerpt) == (None, "")


def test_what_is_not_known_yet_is_waited_for() -> None:
    cells = board.cells(survey(done=False, facts={}, found={}, offset=None), [])
    assert {cell.state for cell in cells} == {"waiting"}
    connected = board.cells(survey(done=False), [])
    assert [cell.state for cell in connected] == ["good"] * 7 + ["waiting", "good"]


def test_a_local_host_has_nothing_of_ssh() -> None:
    local = Inventory.from_config(Config(parse_yaml(LAB))).hosts["here"]
    cells = dict(zip(ASPECTS, board.cells(replace(survey(), host=local), []), strict=True))
    assert [cells[aspect].text for aspect in ("reachable", "host key", "login", "sshd")] == ["local", "–", "–", "–"]


def test_the_same_problem_of_several_users_is_told_once() -> None:
    config = parse_yaml(LAB, "lab.yml")
    found = problems(offset=5.0)
    told = board.told(
        [*found, *(replace(one, name="george@web") for one in found), replace(found[0], name="root@other")]
    )
    assert told.count("its clock is 5.0 s ahead") == 2
    assert "warning: root@web, george@web: its clock" in told
    assert config.text == LAB


def test_a_stream_that_is_no_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    screen = board.choose(stream, ["root@web"])
    with screen:
        screen.show(survey(done=False), [])
        screen.show(survey(), [])
    assert stream.getvalue().count("\n") == 1
    assert "rich.live" not in sys.modules or isinstance(screen, board.Plain)


def test_the_command_that_cleans_names_the_same_lab(tmp_path: Path) -> None:
    import argparse

    options = argparse.Namespace(config=["a.yml", "b.yml"], inventory=["hosts.ini"], assignments=["ssh.user=me too"])
    assert cleaning(options) == "python -m glusto clean -c a.yml -c b.yml -i hosts.ini --set 'ssh.user=me too'"


def test_a_key_that_nobody_looks_at_is_not_called_good() -> None:
    cells = dict(zip(ASPECTS, board.cells(survey(key_checked=False), []), strict=True))
    assert cells["host key"] == ("unchecked", "unknown")
