"""Inventory: roles and hosts out of a config, and everything wrong that may stand in one."""

from __future__ import annotations

import copy
import getpass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.config import Config, load, parse_yaml
from glusto.errors import ConfigError
from glusto.inventory import Host, Inventory

LAB = """
servers: [192.168.1.221, 192.168.1.222]
clients:
  workstation: {address: 192.168.1.225, user: tester, port: 2222}
users: [root, george, root]
instances: 2
ssh: {user: admin, connect_timeout: 10, options: {ServerAliveInterval: 15}}
unittest: {discover_tests: {start_dir: examples, pattern: "test_*.py"}, output_junit: true}
reports: {dir: out}
dead_man_seconds: 2
gluster: {volume: [a, b]}
"""


def inventory(text: str) -> Inventory:
    return Inventory.from_config(Config(parse_yaml(text, "lab.yml")))


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        inventory(text)
    return str(caught.value)


def test_a_lab_is_read() -> None:
    lab = inventory(LAB)
    assert lab.roles == {"servers": ("192.168.1.221", "192.168.1.222"), "clients": ("workstation",)}
    assert lab.hosts["workstation"] == Host("workstation", "192.168.1.225", user="tester", port=2222)
    assert (lab.users, lab.instances) == (("root", "george"), 2)
    assert (lab.dead_man_seconds, lab.keep_residue) == (2, False)
    assert (lab.ssh.user, lab.reports.dir) == ("admin", "out")
    assert lab.unittest.discover_tests is not None


def test_an_empty_config_is_an_inventory_without_hosts() -> None:
    lab = inventory("")
    assert (lab.roles, lab.hosts, lab.users) == ({"servers": (), "clients": ()}, {}, ())


@pytest.mark.parametrize("text", [
    "servers: {web: 10.0.0.1}",
    "servers: {web: {address: 10.0.0.1}}",
    "servers: [{name: web, address: 10.0.0.1}]",
])
def test_a_host_may_be_written_in_several_ways(text: str) -> None:
    assert inventory(text).hosts == {"web": Host("web", "10.0.0.1")}


@pytest.mark.parametrize("text", [
    "servers: [web]", "servers: {web: }", "servers: {web: {}}", "servers: [{name: web}]",
    "servers: [{address: web}]"])
def test_the_name_is_the_address_when_there_is_no_other(text: str) -> None:
    assert inventory(text).hosts == {"web": Host("web", "web")}


def test_a_host_has_all_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/george")
    host = inventory("""
    servers:
      web: {address: "fe80::1%eth0", user: george, port: 1, keyfile: ~/id, python: ~/py, connection: local,
            vars: {bricks: [/a, {b: 1}]}}
    """).host("web")
    assert host == Host("web", "fe80::1%eth0", "george", 1, "/home/george/id", "~/py", "local",
                        {"bricks": ("/a", {"b": 1})})


def test_any_role_may_stand_under_roles() -> None:
    lab = inventory("servers: [a]\nroles: {storage: [a, b], run: {c: 10.0.0.1}, none: }")
    assert lab.roles == {"servers": ("a",), "clients": (), "storage": ("a", "b"), "run": ("c",), "none": ()}
    assert list(lab.hosts) == ["a", "b", "c"]
    assert inventory("roles: {servers: [a]}").roles["servers"] == ("a",)


@pytest.mark.parametrize("text", [
    "servers: {web: {address: 10.0.0.1, user: a}}\nclients: [web]",
    "servers: [web]\nclients: {web: {address: 10.0.0.1, user: a}}",
    "servers: {web: {address: 10.0.0.1, user: a}}\nclients: {web: {user: a, address: 10.0.0.1}}",
    "servers: [web]\nclients: {web: {address: 10.0.0.1, user: a}}\nroles: {x: [web]}",
])
def test_a_host_may_be_in_two_roles(text: str) -> None:
    lab = inventory(text)
    assert lab.hosts == {"web": Host("web", "10.0.0.1", "a")}
    assert lab.roles["servers"] == lab.roles["clients"] == ("web",)


@pytest.mark.parametrize(("text", "message"), [
    ("servers:\n  web: 10.0.0.1\nclients:\n  web: 10.0.0.2",
     "lab.yml:4:3: clients.web: web is described differently at lab.yml:2:3: address is '10.0.0.1' there and "
     "'10.0.0.2' here"),
    ("servers: {web: {port: 1}}\nroles: {a: [web], b: {web: {port: 2}}}",
     "differently at lab.yml:1:11: port is 1"),
    ("servers: [a, a]", "lab.yml:1:14: servers[1]: a is in servers already"),
    ("servers: [a]\nroles: {servers: [b]}",
     "lab.yml:2:9: roles.servers: servers stands at the top too (lab.yml:1:1)"),
    ("servers:\n  web: {addres: x}", "lab.yml:2:9: servers.web.addres: unknown key; did you mean `address`?"),
    ("servers:\n- {hostname: x, name: y}",
     "lab.yml:2:4: servers[0].hostname: unknown key; did you mean `name`?"),
    ("servers: [{user: x}]", "lab.yml:1:11: servers[0]: a host has a `name`, an `address`, or both"),
    ("servers: {web: {name: x}}", "lab.yml:1:17: servers.web.name: the name stands before it already (web)"),
    ("servers: web",
     "lab.yml:1:10: servers: expected a list of names, or a mapping name → address; write [web]"),
    ("servers: 3", "expected a list of names"),
    ("servers: [3]", 'servers[0]: expected text; got 3; quotes make it text: "3"'),
    ("servers: [[a]]", "servers[0]: expected text; got ['a']"),
    ("servers: [~]", "servers[0]: expected text; got nothing"),
    ("servers: {10.1: x}", "lab.yml:1:11: servers.10.1: a host name is text"),
    ("servers: {web: 3}", "servers.web: expected an address"),
    ("servers: {web: [a]}", "servers.web: expected an address"),
    ("servers: [-oProxyCommand=x]",
     "lab.yml:1:11: servers[0]: the host name '-oProxyCommand=x' is refused: it starts"),
    ("servers: {web: '-x'}", "lab.yml:1:16: servers.web: the host name '-x' is refused"),
    ("servers: {web: {address: a;b}}", "lab.yml:1:26: servers.web.address: the host name 'a;b' is refused"),
    ("servers: {'a b': 10.0.0.1}", "lab.yml:1:11: servers.a b: the host name 'a b' is refused: white space"),
    ("servers: [root@web]", "'@' is in it"),
    ("servers: [web:22]", "a port is written as `port: 22`"),
    ("servers: ['']", "it is empty"),
    ("servers: [{name: '', address: x}]", "lab.yml:1:18: servers[0].name: the host name '' is refused"),
    ("servers: {web: {user: -l}}", "servers.web.user: the user name '-l' is refused"),
    ("servers: {web: {port: 0}}", "servers.web.port: 0 is out of range; write a number from 1 to 65535"),
    ("servers: {web: {port: 65536}}", "out of range"),
    ("servers: {web: {port: true}}", "lab.yml:1:23: servers.web.port: expected a whole number; got true"),
    ("servers: {web: {port: '22'}}", "write it without quotes"),
    ("servers: {web: {python: -c}}", "the interpreter '-c' is refused"),
    ("servers: {web: {python: 3}}", 'quotes make it text: "3"'),
    ("servers: {web: {keyfile: \"a\\0b\"}}", "'\\x00' is in it"),
    ("servers: {web: {connection: docker}}", "expected one of ssh, local; got 'docker'"),
    ("servers: {web: {vars: [a]}}", "expected a mapping"),
    ("servers: {web: {vars: {1: a}}}", "lab.yml:1:24: servers.web.vars[1]: expected text; got 1"),
    ("roles: [a]", "lab.yml:1:8: roles: expected a mapping role → hosts"),
    ("roles: {1: [a]}", "lab.yml:1:9: roles[1]: a role is named by a text"),
    ("roles: {storage: {web: {prt: 1}}}",
     "lab.yml:1:25: roles.storage.web.prt: unknown key; did you mean `port`?"),
    ("instances: x", "lab.yml:1:12: instances: expected a whole number"),
    ("ssh: {usr: x}", "did you mean `user`?"),
])
def test_a_wrong_inventory_is_refused_with_its_place(text: str, message: str) -> None:
    assert message in refused(text)


def test_a_config_made_by_a_program_is_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"^servers\[1\]: the host name '-x' is refused"):
        Inventory.from_config(Config({"servers": ("a", "-x")}))
    assert Inventory.from_config(Config({"servers": ("a", "b")})).roles["servers"] == ("a", "b")


def test_an_inventory_does_not_follow_the_config() -> None:
    config = Config(parse_yaml("servers: {a: {vars: {x: [1]}}}"))
    lab = Inventory.from_config(config)
    config.data["servers"]["a"]["vars"]["x"].append(2)
    assert lab.host("a").vars == {"x": (1,)}
    hosts: Any = lab.hosts
    with pytest.raises(TypeError):
        hosts["b"] = None
    assert len({lab.host("a"), copy.copy(lab.host("a"))}) == 1


def test_a_host_is_found_by_name_then_by_address_and_else_is_new() -> None:
    lab = inventory("servers: {a: {address: b, port: 1}, b: {address: c, port: 2}}")
    assert lab.host("a").port == 1
    assert lab.host("b").port == 2
    assert lab.host("c").port == 2
    assert lab.host("other.example") == Host("other.example", "other.example")
    with pytest.raises(ConfigError, match="refused"):
        lab.host("-oProxyCommand=x")


def test_the_user_is_the_one_asked_for_then_the_hosts_then_the_default() -> None:
    lab = inventory("servers: {a: , b: {user: george}, c: {connection: local}}\nssh: {user: admin}")
    assert [lab.user_of(lab.host(name)) for name in "abc"] == ["admin", "george", getpass.getuser()]
    assert [lab.user_of(lab.host(name), "x") for name in "abc"] == ["x", "x", "x"]
    assert inventory("").user_of(Host("a", "a")) == "root"
    with pytest.raises(ConfigError, match="'-x' is refused"):
        lab.user_of(lab.host("a"), "-x")


def test_a_host_with_a_user_and_a_local_one_are_connected_as_one_user_only() -> None:
    lab = inventory("servers: {a: , b: {user: george}, c: {connection: local}}")
    assert [lab.users_of(lab.host(name), ["x", "y"]) for name in "abc"] == [
        ("x", "y"), ("george",), (getpass.getuser(),)]
    assert [lab.users_of(lab.host(name), []) for name in "ab"] == [("root",), ("george",)]
    with pytest.raises(ConfigError, match="'a b' is refused"):
        lab.users_of(lab.host("a"), ["a b"])


def test_a_json_lab_has_errors_with_lines(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text('{"servers": {\n  "web": {"prt": 1}}}')
    with pytest.raises(ConfigError, match=r"lab\.json:2:11: servers\.web\.prt: unknown key"):
        Inventory.from_config(Config(load(tmp_path / "lab.json")))


WORDS = st.sampled_from([
    "servers", "clients", "roles", "users", "instances", "ssh", "unittest", "reports", "name", "address",
    "user", "port", "vars", "options", "discover_tests", "unittest_list", "web", "-x", "", "a b"])
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.integers(), inner, max_size=4),
    max_leaves=15)


@given(st.dictionaries(WORDS, ANYTHING))
def test_any_data_is_an_inventory_or_a_config_error(data: dict[str, Any]) -> None:
    try:
        lab = Inventory.from_config(Config(data))
    except ConfigError:
        return
    for host in lab.hosts.values():
        assert lab.host(host.name) == host


def test_the_names_of_old_for_the_keyfile_count_when_ours_does_not_say() -> None:
    assert inventory("ssh_keyfile: /k/a\nkeyfile: /k/b").ssh.keyfile == "/k/a"
    assert inventory("keyfile: /k/b").ssh.keyfile == "/k/b"
    assert inventory("ssh_keyfile: /k/a\nssh: {keyfile: /k/c, user: admin}").ssh.keyfile == "/k/c"
    with pytest.raises(ConfigError, match="ssh_keyfile: expected text"):
        inventory("ssh_keyfile: [a]")
