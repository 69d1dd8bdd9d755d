"""Assignments: `--set ssh.user=admin`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.config import Config, parse_yaml
from glusto.errors import ConfigError

LAB = """
servers:
  web.example.com: {port: 22}
  db: 10.0.0.1
users: [root, george]
matrix: {1: one}
"""


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("ssh.user=admin", ("ssh", "user"), "admin"),
        ("ssh.connect_timeout=2.5", ("ssh", "connect_timeout"), 2.5),
        ("ssh.options={ProxyJump: bastion}", ("ssh", "options", "ProxyJump"), "bastion"),
        ("users=[a, b]", ("users", 1), "b"),
        ("users[1]=admin", ("users", 1), "admin"),
        ("users.0=admin", ("users", 0), "admin"),
        ("servers.web.example.com.port=33", ("servers", "web.example.com", "port"), 33),
        ('servers."new.example.com".port=33', ("servers", "new.example.com", "port"), 33),
        ("servers.db=10.0.0.2", ("servers", "db"), "10.0.0.2"),
        ("matrix.1=uno", ("matrix", 1), "uno"),
        ("volume.name=a=b", ("volume", "name"), "a=b"),
        ("volume.name=", ("volume", "name"), None),
        ("keep_residue=true", ("keep_residue",), True),
    ],
)
def test_a_value_is_set_and_levels_are_made(assignment: str, path: tuple[object, ...], value: object) -> None:
    config = Config(parse_yaml(LAB, "lab.yml"))
    config.assign(assignment)
    found: object = config.data
    for step in path:
        found = found[step]  # type: ignore[index]
    assert found == value
    place = config.where(path)
    assert place is not None
    assert place.file.startswith("--set ")


def test_what_is_beside_it_stays_as_it_was_and_where_it_was() -> None:
    document = parse_yaml(LAB, "lab.yml")
    config = Config(document)
    config.assign("users[0]=admin")
    config.assign("servers.web.example.com.user=me")
    assert config.data["users"] == ["admin", "george"]
    assert str(config.where(("users", 1))) == "lab.yml:5:15"
    assert str(config.where(("servers", "web.example.com", "port"))) == "lab.yml:3:27"
    assert str(config.where(("servers", "db"))) == "lab.yml:4:7"
    assert document.data["users"] == ["root", "george"]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("ssh.user", "is KEY=VALUE"),
        ("=x", "is KEY=VALUE"),
        ("a..b=x", "is KEY=VALUE"),
        (".a=x", "is KEY=VALUE"),
        ("users[2]=x", "users is a list of 2"),
        ("users.first=x", "users is a list of 2"),
        ("servers.db.port=22", "servers.db is '10.0.0.1'"),
        ("users=[a", "no valid YAML"),
        ("users=!!python/name:os.system x", "not allowed"),
    ],
)
def test_what_can_not_be_set_is_refused(assignment: str, message: str) -> None:
    config = Config(parse_yaml(LAB, "lab.yml"))
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")) as caught:
        config.assign(assignment)
    assert "--set" in str(caught.value)


def test_a_mistake_in_what_is_set_quotes_the_assignment() -> None:
    config = Config()
    config.assign("ssh.usr=admin")
    assert config.error(("ssh", "usr"), "unknown", key=True).excerpt == "  ssh.usr=admin\n  ^^^^^^^"
    config.assign("ssh.port=x")
    assert config.error(("ssh", "port"), "wrong").excerpt == "  ssh.port=x\n           ^"


@given(st.text(max_size=30))
def test_any_text_is_set_or_refused(text: str) -> None:
    config = Config(parse_yaml(LAB))
    try:
        config.assign(text)
    except ConfigError:
        assert config.data == parse_yaml(LAB).data
