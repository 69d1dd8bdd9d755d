"""Config: loading files, merging, where things stand, showing."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import enum
import subprocess
import sys
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glusto.config import Config, dump, load, load_data, load_defaults, mask, parse_yaml, plain, spell
from glusto.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lab.yml", "ssh: {user: admin}"),
        ("lab.YAML", "ssh:\n  user: admin\n"),
        ("lab.json", '{"ssh": {"user": "admin"}}'),
        ("lab.ini", "[ssh]\nuser = admin\n"),
    ],
)
def test_load_goes_by_the_extension(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load(tmp_path / name).data == {"ssh": {"user": "admin"}}


def test_load_takes_a_type_that_the_name_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text('{"a": 1}')
    assert load(tmp_path / "lab", "json").data == {"a": 1}


@pytest.mark.parametrize("name", ["lab", "lab.docx"])
def test_load_refuses_a_type_it_does_not_know(name: str) -> None:
    with pytest.raises(ConfigError, match="yml, yaml, json, ini"):
        load(name)


def test_load_takes_a_file_url_and_a_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my lab.yml").write_text("a: 1")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(f"file://{tmp_path}/my%20lab.yml").data == {"a": 1}
    assert load(f"file://localhost{tmp_path}/my%20lab.yml").data == {"a": 1}
    assert load("~/my lab.yml").data == {"a": 1}


def test_a_missing_file_is_named_with_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no such file") as caught:
        load("configs/nowhere.yml")
    assert caught.value.file == "configs/nowhere.yml"
    assert str(tmp_path) in str(caught.value)


def test_what_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="directory"):
        load(tmp_path, "yml")
    with pytest.raises(ConfigError, match="can't be read"):
        load("a\0b.yml")
    (tmp_path / "lab.yml").write_bytes(b"a: 1\nb: \xff")
    with pytest.raises(ConfigError, match=r"lab\.yml:2:4: .*0xff"):
        load(tmp_path / "lab.yml")


def test_later_documents_win_key_by_key() -> None:
    config = Config(parse_yaml("a: {x: 1}\nb: 1", "one.yml"), parse_yaml("# two\na: {y: 2}", "two.yml"))
    assert config.data == {"a": {"y": 2}, "b": 1}
    assert str(config.where(("a", "y"))) == "two.yml:2:8"
    assert str(config.where(("b",))) == "one.yml:2:4"
    config.update({"b": 2})
    assert config.data["b"] == 2
    assert config.where(("b",)) is None
    with pytest.raises(ConfigError, match="this is a list"):
        config.update([1])  # type: ignore[arg-type]


def test_a_value_has_a_position_and_its_key_another() -> None:
    config = Config(parse_yaml("ssh:\n  user: admin", "lab.yml"))
    assert str(config.where(("ssh", "user"))) == "lab.yml:2:9"
    assert str(config.where(("ssh", "user"), key=True)) == "lab.yml:2:3"


def test_what_is_not_there_is_where_the_thing_around_it_is() -> None:
    config = Config(parse_yaml("a: 1\nssh:\n  user: admin", "lab.yml"))
    assert str(config.where(("ssh", "port"))) == "lab.yml:2:1"
    assert str(config.where(("ssh", "user", "deeper"))) == "lab.yml:3:3"
    assert config.where(("nothing",)) is None
    assert config.where(()) is None


def test_what_a_program_changed_has_no_position_and_the_rest_keeps_its_own() -> None:
    config = Config(parse_yaml("servers: [a, b]\nssh: {user: admin, port: 1}", "lab.yml"))
    config.data["servers"][1] = "c"
    assert str(config.where(("servers", 0))) == "lab.yml:1:11"
    assert str(config.where(("servers", 1))) == "lab.yml:1:1"
    config.data["servers"] = ["x"]
    assert config.where(("servers", 0)) is None
    config.data = copy.deepcopy(config.data)
    assert str(config.where(("ssh", "user"))) == "lab.yml:2:13"
    config.data = {"ssh": ["other"]}
    assert config.where(("ssh", 0)) is None


def test_an_error_carries_the_path_and_the_position() -> None:
    config = Config(parse_yaml("servers:\n- {port: x}", "lab.yml"))
    error = config.error(("servers", 0, "port"), "no number")
    assert str(error) == "lab.yml:2:10: servers[0].port: no number"
    assert (error.file, error.line, error.column) == ("lab.yml", 2, 10)
    assert str(config.error(("gone",), "is missing")) == "gone: is missing"


def test_ini_values_and_names_have_positions(tmp_path: Path) -> None:
    (tmp_path / "lab.ini").write_text("# first\n[ssh]\n\n  user : -x\n    y\n  keyfile= /k\n[other]\nflag\n")
    config = Config(load(tmp_path / "lab.ini"))
    assert config.data["ssh"] == {"user": "-x\ny", "keyfile": "/k"}
    found = {path: config.where(path) for path in (("ssh",), ("ssh", "user"), ("ssh", "keyfile"), ("other", "flag"))}
    assert {path: place and place[1:] for path, place in found.items()} == {
        ("ssh",): (2, 1), ("ssh", "user"): (4, 10), ("ssh", "keyfile"): (6, 12), ("other", "flag"): (8, 1)}
    assert config.where(("ssh", "user"), key=True) == (str(tmp_path / "lab.ini"), 4, 3)


def test_a_path_with_odd_keys_is_shown_on_one_line() -> None:
    assert spell(("a\nb", "x" * 200)) == "'a\\nb'." + "x" * 77 + "..."


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int = 1


@dataclasses.dataclass(slots=True)
class Slotted:
    y: tuple[int, ...] = (1, 2)


class Thing:
    def __init__(self) -> None:
        self.name = "thing"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, 2), [1, 2]),
        ({2, 1}, [1, 2]),
        (frozenset("a"), ["a"]),
        (Path("/x"), "/x"),
        (b"raw\xff", "raw\\xff"),
        (Colour.RED, "red"),
        (Point(), {"x": 1}),
        (Slotted(), {"y": [1, 2]}),
        (Thing(), {"name": "thing"}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ({(1, 2): "x"}, {"(1, 2)": "x"}),
        ("\ud800", "\\ud800"),
        (ValueError("why"), "why"),
        (datetime.time(1, 2), "01:02:00"),
        (int, "<class 'int'>"),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_anything_is_dumped_as_plain_data(value: object, expected: object) -> None:
    text = dump({"value": value})
    assert yaml.safe_load(text) == {"value": expected}
    assert "!" not in text


def test_dumped_text_has_no_aliases_and_keeps_the_order() -> None:
    shared = {"z": 1, "a": [1]}
    assert dump({"two": shared, "one": shared}) == "two:\n  z: 1\n  a:\n  - 1\none:\n  z: 1\n  a:\n  - 1\n"


def test_what_holds_itself_is_refused() -> None:
    data: dict[str, Any] = {}
    data["self"] = [data]
    for show in (dump, mask, plain):
        with pytest.raises(ConfigError, match="holds itself"):
            show(data)


def test_secrets_are_masked_in_a_copy() -> None:
    data = {
        "password": "x",
        "Root_Passwd": 12,
        "private-key": "x",
        "API Key": ["x"],
        "auth": {"TOKEN": "x"},
        "list": [{"client_secret": {"a": "b"}}],
        "passphrase": None,
        "PasswordAuthentication": False,
        "keyfile": "~/.ssh/id",
        "user": "root",
    }
    before = copy.deepcopy(data)
    assert mask(data) == {
        "password": "***",
        "Root_Passwd": "***",
        "private-key": "***",
        "API Key": "***",
        "auth": {"TOKEN": "***"},
        "list": [{"client_secret": "***"}],
        "passphrase": None,
        "PasswordAuthentication": False,
        "keyfile": "~/.ssh/id",
        "user": "root",
    }
    assert data == before


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_string_of_a_secret_gets_through(data: object) -> None:
    around = {"around": [{"password": "s3cr3t", "db token": data, "x": {"secret": "s3cr3t"}}]}
    assert "s3cr3t" not in dump(mask(around))


def test_importing_is_cheap() -> None:
    heavy = ("difflib", "configparser", "json", "rpyc", "ipaddress", "getpass", "urllib.parse")
    package = str(Path(__file__).parent.parent / "glusto")
    code = f"""if True:
        import sys, types
        sys.modules["glusto"] = package = types.ModuleType("glusto")
        package.__path__ = [{package!r}]
        import glusto.config, glusto.inventory
        print([name for name in {heavy!r} if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert done.stdout.strip() == b"[]"


def test_a_thousand_hosts_load_quickly() -> None:
    hosts = (f"  host{n}: {{address: 10.0.0.1, user: root, port: 22}}\n" for n in range(1000))
    text = "servers:\n" + "".join(hosts)
    started = time.monotonic()
    assert len(parse_yaml(text).data["servers"]) == 1000
    assert time.monotonic() - started < 5


def test_data_of_any_shape_is_loaded_by_its_type(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("[1, 2]")
    for kind, data in (("yml", [1, 2]), ("json", [1, 2]), ("csv", []), ("text", "[1, 2]"), ("JSON", [1, 2])):
        assert load_data(tmp_path / "data", kind) == data
    assert load_data(tmp_path / "data") == "[1, 2]"
    with pytest.raises(ConfigError, match="a config is a mapping"):
        load(tmp_path / "data", "yml")


def test_defaults_are_found_in_order(tmp_path: Path) -> None:
    assert load_defaults(tmp_path / "nowhere") == []
    (tmp_path / "defaults.ini").write_text("[defaults]\na = 1\n")
    (tmp_path / "defaults.yaml").write_text("a: 2\n")
    assert Config(*load_defaults(tmp_path)).data == {"a": "1", "defaults": {"a": "1"}}
