"""The harness: what `g` is to a suite, apart from the hosts."""

from __future__ import annotations

import copy
import logging
import pickle
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from glusto import harness, logs
from glusto.core import Glusto
from glusto.errors import ConfigError
from glusto.harness import Harness
from glusto.harness import g as the_one


@pytest.fixture
def g() -> Iterator[Harness]:
    """A harness of its own; the log of Glusto, which it shares, is set right again."""
    log = logs.get_log()
    before = log.handlers[:], log.level, log.propagate
    yield Harness()
    log.handlers[:], log.level, log.propagate = before


def test_the_address_of_old_gives_the_same_g() -> None:
    assert Glusto is the_one


# Config


def test_configs_are_loaded_and_updated_as_of_old(g: Harness, tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("servers: [a]\nthis: 1\n")
    (tmp_path / "two.json").write_text('{"this": 2}')
    config = g.load_configs([str(tmp_path / "one.yml"), str(tmp_path / "two.json")])
    g.update_config(config)
    assert g.config == {"servers": ["a"], "this": 2}
    assert g.inventory.roles["servers"] == ("a",)
    g.config["servers"] = ["b"]
    assert g.inventory.roles["servers"] == ("b",)
    g.set_config({"servers": ["c"]})
    assert g.inventory.roles["servers"] == ("c",)
    g.config = {"other": 1}
    assert g.config["other"] == 1
    g.clear_config()
    assert g.config == {}


def test_updating_the_config_with_itself_keeps_what_is_known_of_its_places(g: Harness, tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("ssh: [wrong]\n")
    g.update_config(g.load_configs(str(tmp_path / "one.yml")))
    with pytest.raises(ConfigError, match=r"one\.yml:1:6"):
        _ = g.inventory


def test_any_kind_of_file_is_loaded(g: Harness, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("host:port\nweb:80\n")
    (tmp_path / "a.INI").write_text("[s]\nMixed = 1\n")
    (tmp_path / "list.yml").write_text("- a\n")
    (tmp_path / "empty.yml").write_text("")
    (tmp_path / "README").write_text("text ü\n")
    assert g.load_config(tmp_path / "a.csv", delimiter=":") == [{"host": "web", "port": "80"}]
    assert g.load_config(tmp_path / "a.csv", header=False, delimiter=":") == [["host", "port"], ["web", "80"]]
    assert g.load_config(tmp_path / "a.INI") == {"s": {"Mixed": "1"}}
    assert g.load_config(tmp_path / "a.INI", allow_mixed_case=False) == {"s": {"mixed": "1"}}
    assert g.load_config(tmp_path / "list.yml") == ["a"]
    assert g.load_config(tmp_path / "empty.yml") == {}
    assert g.load_config(tmp_path / "README") == "text ü\n"
    assert g.load_config(tmp_path / "list.yml", "text") == "- a\n"
    assert g.config == {}
    with pytest.raises(ConfigError, match="no such file"):
        g.load_config(tmp_path / "gone.txt")


def test_strings_are_loaded(g: Harness) -> None:
    assert g.load_yaml_string("clusters: [a]") == {"clusters": ["a"]}
    assert g.load_json_string('["a", {"b": null}]') == ["a", {"b": None}]
    with pytest.raises(ConfigError, match="not allowed"):
        g.load_yaml_string("!!python/object/apply:os.getpid []")
    with pytest.raises(ConfigError, match="no valid JSON"):
        g.load_json_string("{")


def test_a_config_is_stored_and_shown(g: Harness, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(tmp_path / "c.conf")
    g.store_config({"This": {"that": "1"}}, filename=name, config_type="ini")
    g.show_file(name)
    assert capsys.readouterr().out == "[This]\nthat = 1\n\n\n"
    g.show_config({"a": [1]})
    assert capsys.readouterr().out.rstrip() == g.get_config({"a": [1]}).rstrip() == "a:\n- 1"
    with pytest.raises(ConfigError):
        g.show_file(tmp_path / "gone")


def test_a_config_is_logged_without_its_secrets(g: Harness, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "glustolog"):
        g.log_config({"user": "root", "password": "hush"})
    assert caplog.messages == ["dict:\nuser: root\npassword: '***'\n"]


def test_defaults_are_taken_over_and_those_of_ini_go_to_the_top(
    g: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "DEFAULTS_DIRECTORY", str(tmp_path))
    g.config["kept"] = True
    g.load_config_defaults()
    assert g.config == {"kept": True}
    (tmp_path / "defaults.yml").write_text("log_color: true\nfrom: yml\n")
    (tmp_path / "defaults.json").write_text('{"from": "json"}')
    (tmp_path / "defaults.ini").write_text("[defaults]\nfrom = ini\n[other]\na = 1\n")
    g.load_config_defaults()
    assert g.config == {
        "kept": True,
        "log_color": True,
        "from": "ini",
        "defaults": {"from": "ini"},
        "other": {"a": "1"},
    }
    (tmp_path / "defaults.ini").write_text("[")
    with pytest.raises(ConfigError, match=r"defaults\.ini"):
        g.load_config_defaults()


def test_the_keys_of_old_are_accepted(g: Harness) -> None:
    g.config = {
        "ssh_keyfile": "/k/old",
        "use_controlpersist": True,
        "log_color": "False",
        "log_file": "/tmp/x.log",
        "log_filename": "/tmp/x.log",
        "log_level": "DEBUG",
        "servers": ["web"],
        "servers_info": {"web": {"host": "web", "brick_root": "/bricks"}},
    }
    assert g.ssh_get_keyfile() == "/k/old"
    g.config["keyfile"] = "/k/older"
    assert g.ssh_get_keyfile() == "/k/old"
    del g.config["ssh_keyfile"]
    assert g.ssh_get_keyfile() == "/k/older"
    g.config["ssh"] = {"keyfile": "/k/ours"}
    assert g.ssh_get_keyfile() == "/k/ours"


def test_use_controlpersist_can_be_set_and_read(g: Harness) -> None:
    assert g.use_controlpersist
    g.use_controlpersist = False
    assert not g.use_controlpersist
    assert g.config["use_controlpersist"] is False


def test_the_user_can_be_set(g: Harness) -> None:
    assert g.user == "root"
    g.user = "george"
    assert g.user == g.inventory.ssh.user == "george"


# Log and colour


def test_the_log_can_be_replaced_while_tests_run(
    g: Harness, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    g.log.info("before %s", "anything is loaded")
    g.log = g.create_log("replaced", str(tmp_path / "r.log"), "INFO", "%(message)s")
    g.log.info("%s and %s", 1)  # noqa: PLE1206 - that is the point
    g.log.warn("old")
    g.run_local("echo $((1 + 1))")
    logs.get_log().error("from within")
    assert (tmp_path / "r.log").read_text().splitlines()[:2] == ["%s and %s (1,)", "old"]
    assert "echo $((1 + 1))" in (tmp_path / "r.log").read_text()
    assert (tmp_path / "r.log").read_text().splitlines()[-1] == "from within"
    assert capsys.readouterr().err == ""
    g.remove_log(g.log)


def test_any_object_can_be_the_log(g: Harness) -> None:
    g.log = mock.Mock()
    g.log.info("x")
    g.log.info.assert_called_once_with("x")


def test_a_logger_of_the_suite_is_prepared_too(g: Harness, caplog: pytest.LogCaptureFixture) -> None:
    g.log = logging.getLogger("suite's own")
    g.log.warn("%s", 1, 2)
    assert caplog.messages == ["%s (1, 2)"]


def test_logs_are_handled_by_the_names_of_old(g: Harness, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(tmp_path / "my.log")
    log = g.create_log(name="mylog", filename=name, level="WARNING")
    g.add_log(log, "STDOUT", level="CRITICAL")
    g.set_log_level("mylog", "mylog1", "ERROR")
    g.set_log_filename("mylog", "mylog1", name + "2")
    g.disable_log_levels("ERROR")
    log.error("no")
    g.reset_log_levels()
    log.error("yes")
    g.show_logs(log)
    assert capsys.readouterr().out == f"Log:  mylog\n- mylog1: {name}2 (ERROR)\n- mylog2: sys.stdout (CRITICAL)\n"
    assert " yes\n" in Path(name + "2").read_text()
    g.clear_log("mylog", "mylog1")
    assert Path(name + "2").read_text() == ""
    g.remove_log(log, "mylog1")
    g.remove_log(log)


def test_colours_are_for_terminals_and_the_config_has_a_say(g: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert g.colorfy(g.BOLD | g.RED | g.BG_YELLOW, "text") == "text"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert g.colorfy(g.BOLD | g.RED | g.BG_YELLOW, "text") == "\x1b[1;31;43mtext\x1b[0m"
    assert g.colorfy(g.COLOR_STDERR, "text") == "\x1b[1;31mtext\x1b[0m"
    g.config["log_color"] = False
    assert g.colorfy(g.RED, "text") == "text"


# A class-like thing


def test_a_matrix_a_template_and_an_order_are_names_of_g(g: Harness, tmp_path: Path) -> None:
    class runs_on(g.CarteTestClass):  # type: ignore[misc, name-defined]  # noqa: N801
        def __init__(self, value: Any) -> None:
            self.axis_names = ["kind"]
            self.available_options = self.selections = [["a", "b"]]
            self.limits = value

    @runs_on(["ALL"])
    class TestIt(unittest.TestCase):
        def test_one(self) -> None: ...
        def test_two(self) -> None: ...

    assert g.load_tests(TestIt, unittest.TestLoader(), ["test_two"]).countTestCases() == 4
    (tmp_path / "t").write_text("{{ a }}")
    assert g.render_template(template_filename=str(tmp_path / "t"), template_vars={"a": 1}) == "1"
    assert g.rest_get("http://127.0.0.1:1").retcode == 255
    for call in (g.rest_post, g.rest_put, g.rest_delete):
        assert call("http://127.0.0.1:1", {"a": 1})[0] == 255


def test_methods_can_be_replaced_and_put_back(g: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(g, "run", lambda host, command: (0, host, command))
    assert g.run("web", "true") == (0, "web", "true")
    monkeypatch.undo()
    with mock.patch.object(g, "render_template", return_value="x"):
        assert g.render_template("t") == "x"
    assert "run" not in vars(g)


def test_a_suite_may_keep_things_in_g(g: Harness) -> None:
    g.mylog = "mine"  # type: ignore[attr-defined]
    assert g.mylog == "mine"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rpyc_get_conection", "did you mean 'rpyc_get_connection'?"),
        ("run_paralel", "did you mean 'run_parallel'?"),
        ("Log", "did you mean 'log'?"),
        ("xyzzy", "^g has no 'xyzzy'$"),
    ],
)
def test_a_name_that_g_does_not_have_gives_the_nearest_one(g: Harness, name: str, says: str) -> None:
    with pytest.raises(AttributeError, match=says):
        getattr(g, name)
    assert not hasattr(g, name)
    assert getattr(g, name, 1) == 1


def test_an_attribute_error_within_a_property_is_its_own(g: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    g._config = None  # type: ignore[assignment]
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'data'"):
        _ = g.inventory


def test_looking_for_special_names_does_not_recur() -> None:
    bare = object.__new__(Harness)
    with pytest.raises(AttributeError):
        _ = bare._config
    with pytest.raises(TypeError):
        pickle.dumps(Harness())
    with pytest.raises(TypeError):
        copy.deepcopy(Harness())


def test_importing_g_brings_in_nothing_heavy() -> None:
    heavy = "jinja2 requests csv configparser urllib.request http rpyc plumbum asyncio xmlrunner"
    code = f"import sys, glusto; print([name for name in {heavy.split()} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_low_limit_of_open_files_is_raised_when_something_is_opened() -> None:
    script = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))
from glusto.harness import Harness
g = Harness()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (256, 4096)
g.config = {"servers": {"one": {"connection": "local"}}}
g.rpyc_get_connection("one")
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
g.close()
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert ran.stdout == "4096 4096\n", ran.stderr
