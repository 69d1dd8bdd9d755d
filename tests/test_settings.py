"""Settings: sections of a config as dataclasses, and what is said of a wrong one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from glusto.config import Config, parse_yaml
from glusto.errors import ConfigError
from glusto.schema import Spot, build
from glusto.settings import DiscoverTests, Settings, SshSettings, UnittestList


def settings(text: str) -> Settings:
    config = Config(parse_yaml(text, "lab.yml"))
    return build(Settings, config.data, Spot(config), others_allowed=True)


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(text)
    return str(caught.value)


def test_without_a_config_there_are_defaults() -> None:
    found = settings("")
    assert found == Settings()
    assert (found.users, found.instances, found.dead_man_seconds, found.keep_residue) == ((), 1, 60, False)
    assert (found.ssh.user, found.ssh.connect_timeout) == ("root", 10)
    assert found.ssh.strict_host_key_checking == "accept-new"
    assert found.reports.dir == "reports"
    assert found.unittest.output_junit is True


@pytest.mark.parametrize("section", ["ssh", "reports", "unittest"])
def test_an_empty_section_has_defaults(section: str) -> None:
    assert settings(f"{section}:") == Settings()


def test_the_ssh_section_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ssh = settings("""
    ssh: {user: admin, keyfile: ~/.ssh/id, strict_host_key_checking: no, connect_timeout: 2.5,
          config_file: ~/.ssh/config, forward_agent: true,
          options: {ServerAliveInterval: 15, Compression: yes, EscapeChar: "~"}}
    """).ssh
    assert ssh == SshSettings(
        "admin", f"{tmp_path}/.ssh/id", "no", 2.5, f"{tmp_path}/.ssh/config",
        {"ServerAliveInterval": "15", "Compression": "yes", "EscapeChar": "~"}, forward_agent=True)


def test_the_unittest_section_is_read() -> None:
    found = settings("""
    unittest:
      output_junit: false
      discover_tests: {start_dir: examples, pattern: "test_*.py"}
      load_tests_from_list: true
      unittest_list: {module_name: tests.a, list: [A.test_b]}
      load_tests_from_module: {module_name: tests.a, use_load_tests: true}
      load_tests_from_name: tests.a
      load_tests_from_names: [tests.a, tests.b]
    """).unittest
    assert found.discover_tests == DiscoverTests("examples", "test_*.py", None)
    assert found.unittest_list == UnittestList("tests.a", ("A.test_b",))
    assert found.load_tests_from_names == ("tests.a", "tests.b")


@pytest.mark.parametrize("value", ["yes", "no", "true", "false", "accept-new", '"yes"'])
def test_yes_and_no_are_words_where_ssh_has_words(value: str) -> None:
    expected = {"true": "yes", "false": "no", '"yes"': "yes"}.get(value, value)
    assert settings(f"ssh: {{strict_host_key_checking: {value}}}").ssh.strict_host_key_checking == expected


@pytest.mark.parametrize(("text", "message"), [
    ("ssh:\n  usr: admin", "lab.yml:2:3: ssh.usr: unknown key; did you mean `user`?"),
    ("ssh: {conect-timeout: 1}", "1:7: ssh.conect-timeout: unknown key; did you mean `connect_timeout`"),
    ("reports: {zzz: 1}", "lab.yml:1:11: reports.zzz: unknown key; known are dir"),
    ("ssh: {1: x}", "ssh[1]: unknown key"),
    ("unittest: {discover_tests: {patern: x}}", "did you mean `pattern`?"),
    ("ssh: [a]", "lab.yml:1:6: ssh: expected a mapping of user, keyfile"),
    ("ssh: {user: 12}", 'lab.yml:1:13: ssh.user: expected text; got 12; quotes make it text: "12"'),
    ("ssh: {user: }", "ssh.user: expected text; got nothing"),
    ("ssh: {user: -oX=y}", "lab.yml:1:13: ssh.user: the user name '-oX=y' is refused"),
    ("ssh: {keyfile: \"a\\nb\"}", "lab.yml:1:16: ssh.keyfile: 'a\\nb' is refused: '\\n' is in it"),
    ("ssh: {keyfile: ''}", "ssh.keyfile: it is empty"),
    ("ssh: {strict_host_key_checking: ask}", "expected one of accept-new, yes, no; got 'ask'"),
    ("ssh: {strict_host_key_checking: 1}", "expected one of accept-new, yes, no; got 1"),
    ("ssh: {connect_timeout: 0}", "write a number above 0"),
    ("ssh: {connect_timeout: true}", "expected a number; got true"),
    ("ssh: {connect_timeout: '10'}", "write it without quotes"),
    ("ssh: {connect_timeout: .inf}", "expected a number; got inf"),
    ("ssh: {connect_timeout: .nan}", "expected a number; got nan"),
    ("ssh: {forward_agent: 1}", "expected true or false; got 1"),
    ("ssh: {options: {'-oX': 1}}", "lab.yml:1:17: ssh.options.-oX: '-oX' is no ssh_config(5) option"),
    ("ssh: {options: {X: [1]}}", "ssh.options.X: expected text; got [1]"),
    ("ssh: {options: {X: \"a\\nProxyCommand b\"}}", "'\\n' is in it"),
    ("ssh: {options: [X]}", "expected a mapping (`key: value`); got ['X']"),
    ("users: root", "lab.yml:1:8: users: expected a list; got 'root'; write [root]"),
    ("users: [root, 'a b']", "lab.yml:1:15: users[1]: the user name 'a b' is refused: white space"),
    ("users: [1]", "users[0]: expected text; got 1"),
    ("instances: 0", "instances: 0 is out of range; write a number from 1"),
    ("instances: true", "expected a whole number; got true"),
    ("instances: 1.5", "expected a whole number; got 1.5"),
    ("instances: [1, 2]", "expected a whole number; got [1, 2]"),
    ("dead_man_seconds: -1", "write a number above 0"),
    ("keep_residue: maybe", "expected true or false; got 'maybe'; write it without quotes"),
    ("unittest: {unittest_list: {list: [a]}}", "1:12: unittest.unittest_list: `module_name` is missing"),
])
def test_a_wrong_value_is_refused_with_what_to_write(text: str, message: str) -> None:
    assert message in refused(text)


def test_other_top_level_keys_are_the_tests_own() -> None:
    assert settings("gluster: {a: [1]}\nsever: x\n") == Settings()


def test_settings_are_read_only_values() -> None:
    ssh = settings("ssh: {options: {Compression: true}}").ssh
    assert hash(ssh) != 0
    options: Any = ssh.options
    with pytest.raises(TypeError):
        options["x"] = "y"
    with pytest.raises(dataclasses.FrozenInstanceError):
        ssh.user = "x"  # type: ignore[misc]
