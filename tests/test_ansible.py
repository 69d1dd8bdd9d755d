"""Ansible inventories: INI and YAML, as configs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto import ansible
from glusto.ansible_readers import expand, parse_ini, parse_yaml
from glusto.config import Config, load
from glusto.document import Position
from glusto.errors import ConfigError
from glusto.inventory import Inventory

INI = """\
# the lab
mail.example.com ansible_user=bob

[web]
web[01:03].example.com:2222 size=4 note="a b"   # three of them
web02.example.com ansible_host=10.0.0.2

[servers:children]
web
db

[db]
db-[a:b]

[db:vars]
ansible_user=pg
ansible_python_interpreter=/opt/python3
tier=1

[servers:vars]
tier=0
ring=outer

[all:vars]
ansible_ssh_private_key_file=/keys/lab

[clients]
desk ansible_connection=local
"""
YAML = """\
all:
  vars: {ansible_ssh_private_key_file: /keys/lab}
  hosts:
    mail.example.com: {ansible_user: bob}
  children:
    servers:
      vars: {tier: 0, ring: outer}
      children:
        web:
          hosts:
            web[01:03].example.com: {ansible_port: 2222, size: 4, note: a b}
            web02.example.com: {ansible_host: 10.0.0.2}
        db:
          hosts: {"db-[a:b]": }
          vars: {ansible_user: pg, ansible_python_interpreter: /opt/python3, tier: 1}
    clients:
      hosts:
        desk: {ansible_connection: local}
"""
WEB = ("web01.example.com", "web02.example.com", "web03.example.com")


def read(directory: Path, text: str, name: str = "hosts.ini") -> tuple[Config, list[str]]:
    (directory / name).write_text(text)
    document, notes = ansible.load(directory / name)
    return Config(document), notes


def lab(directory: Path, text: str, name: str = "hosts.ini") -> Inventory:
    return Inventory.from_config(read(directory, text, name)[0])


@pytest.mark.parametrize(("text", "name"), [(INI, "hosts.ini"), (INI, "hosts"), (YAML, "hosts.yml")])
def test_groups_are_roles_and_variables_say_how_hosts_are_reached(tmp_path: Path, text: str, name: str) -> None:
    found = lab(tmp_path, text, name)
    assert set(found.roles["servers"]) == {*WEB, "db-a", "db-b"}
    assert found.roles["clients"] == ("desk",)
    assert found.roles["web"] == WEB
    assert found.roles["db"] == ("db-a", "db-b")
    assert found.roles["ungrouped"] == ("mail.example.com",)
    assert set(found.roles["all"]) == set(found.hosts)
    web = found.hosts["web02.example.com"]
    assert (web.address, web.port, web.user, web.keyfile) == ("10.0.0.2", 2222, None, "/keys/lab")
    assert dict(web.vars) == {"size": 4, "note": "a b", "tier": 0, "ring": "outer"}
    database = found.hosts["db-a"]
    assert (database.user, database.python, database.address) == ("pg", "/opt/python3", "db-a")
    assert dict(database.vars) == {"tier": 1, "ring": "outer"}
    assert found.hosts["desk"].connection == "local"
    assert found.hosts["mail.example.com"].user == "bob"


def test_every_value_has_the_line_it_is_written_on(tmp_path: Path) -> None:
    config, _ = read(tmp_path, INI)
    places = {
        ("servers", "web01.example.com"): (5, 1),
        ("servers", "web01.example.com", "vars", "size"): (5, 29),
        ("servers", "web02.example.com", "address"): (6, 19),
        ("servers", "db-a", "user"): (16, 1),
        ("servers", "db-a", "keyfile"): (25, 1),
    }
    found = {path: config.where(path) for path in places}
    assert {path: place and place[1:] for path, place in found.items()} == places


def test_a_config_is_merged_over_an_inventory(tmp_path: Path) -> None:
    config, _ = read(tmp_path, INI)
    (tmp_path / "lab.yml").write_text("servers: {db-a: {port: 7}}\nusers: [root]\n")
    config.merge(load(tmp_path / "lab.yml"))
    host = Inventory.from_config(config).hosts["db-a"]
    assert (host.port, host.user) == (7, "pg")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web", ["web"]),
        ("w[1:3]", ["w1", "w2", "w3"]),
        ("w[08:11]", ["w08", "w09", "w10", "w11"]),
        ("w[1:9:4]", ["w1", "w5", "w9"]),
        ("w-[a:c]", ["w-a", "w-b", "w-c"]),
        ("r[1:2]-n[a:b].x", ["r1-na.x", "r1-nb.x", "r2-na.x", "r2-nb.x"]),
    ],
)
def test_ranges(pattern: str, names: list[str]) -> None:
    assert expand(pattern, Position("")) == names


@pytest.mark.parametrize(
    ("written", "name", "port"),
    [
        ("web:2222", "web", 2222),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222),
        ("2001:db8::1", "2001:db8::1", None),
        ("10.0.0.1:22", "10.0.0.1", 22),
    ],
)
def test_ports_behind_names(written: str, name: str, port: int | None) -> None:
    groups = parse_yaml(f'g: {{hosts: {{"{written}": }}}}')
    found = {key: value.value for key, value in groups.host_vars[name].items()}
    assert found == ({"ansible_port": port} if port else {})
    if not written.startswith("["):
        assert list(parse_ini(f"[g]\n{written}\n").host_vars) == [name]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("[a:children]\nb\n[b:children]\na", "the group a is within itself: a > b > a", 1, 1),
        ("\nh ansible_connection=winrm", "ansible_connection=winrm", 2, 3),
        ("h x=1 ansible_ssh_common_args='-o ProxyJump=x'", "ProxyJump", 1, 7),
        ("h ansible_password=hunter2", "ssh-copy-id", 1, 3),
        ("w[5:1]", "is no range", 1, 1),
        ("w[1:99999999]", "is no range", 1, 1),
        ("w[1:9999][1:9999]", "more than 100000 hosts", 1, 1),
        ("h foo", "'foo' is no variable", 1, 3),
        ("h 'a", "quotes don't match", 1, 1),
        ("[a:b]", "is no section", 1, 1),
        ("[a:vars]\nfoo", "NAME=VALUE", 2, 1),
        ("h ansible_host={{ip}}", "is a template", 1, 3),
        ("#!/bin/sh\necho", "script is not run", 1, 1),
    ],
)
def test_what_can_not_be_followed_is_named_with_its_line(
    tmp_path: Path, text: str, message: str, line: int, column: int
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.excerpt
    assert "hunter2" not in caught.value.excerpt


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plugin: aws_ec2", "a plugin's own config"),
        ("_meta: {hostvars: {}}", "--yaml"),
        ("[a, b]", "an inventory is a mapping"),
        ("all: [a]", "a group is a mapping"),
        ("all: {host: }", "host is no part of a group"),
        ("all: {hosts: [a]}", "hosts are a mapping"),
        ("all: {vars: 1}", "variables are a mapping"),
        ("all: {hosts: {a: {x: !vault y}}}", "not allowed"),
        ("all: {children: [a]}", "children are a mapping"),
    ],
)
def test_yaml_that_is_no_inventory_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(tmp_path, text, "hosts.yml")
    assert caught.value.line == 1


def test_a_value_that_is_wrong_is_shown_in_the_inventory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hosts\.ini:2:4: .*port: expected a whole number"):
        lab(tmp_path, "[servers]\nh1 ansible_port=ssh\n")


def test_what_is_of_no_use_is_noted_and_not_lost_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    config, notes = read(tmp_path, "[servers]\nh[1:3] ansible_become=true ansible_python_interpreter=auto x=1\n")
    assert notes[0].endswith("hosts.ini:2:8: ansible_become is of no use here")
    assert "group_vars: is not read" in notes[1]
    assert len(notes) == 2
    assert config.data["servers"]["h1"] == {"vars": {"x": 1}}


def test_an_empty_inventory_is_no_hosts(tmp_path: Path) -> None:
    assert lab(tmp_path, "").hosts == {}
    assert lab(tmp_path, "all:\n", "hosts.yml").hosts == {}


def test_a_thousand_hosts_in_fifty_groups_are_quick(tmp_path: Path) -> None:
    import time

    text = "".join(f"[g{number}]\nh{number}-[1:20] x={number}\n" for number in range(50))
    text += "[servers:children]\n" + "".join(f"g{number}\n" for number in range(50))
    started = time.monotonic()
    assert len(lab(tmp_path, text).roles["servers"]) == 1000
    assert time.monotonic() - started < 5


@given(st.text(st.sampled_from("ab[]:=1 \n#'\"{}-"), max_size=60))
def test_any_text_is_an_inventory_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.getbasetemp()
    for name in ("any.ini", "any.yml"):
        try:
            lab(directory, text, name)
        except ConfigError:
            continue
