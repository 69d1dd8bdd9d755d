"""The JSON Schema: it is what is shipped, and it judges as the code does."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import glusto
from glusto.config import Config, parse_yaml
from glusto.errors import ConfigError
from glusto.inventory import Inventory
from glusto.lab_schema import lab_schema
from glusto.store import format_json

ROOT = Path(__file__).parent.parent
SHIPPED = Path(glusto.__file__).parent / "lab.schema.json"
VALIDATOR = jsonschema.Draft7Validator(lab_schema())


def complaints(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_the_shipped_file_is_what_the_code_generates() -> None:
    assert SHIPPED.read_text() == format_json(lab_schema()), "python -m glusto schema > glusto/lab.schema.json"


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(SHIPPED.read_text()))


@pytest.mark.parametrize("path", sorted(ROOT.glob("configs/*.yml")), ids=lambda path: path.name)
def test_the_sample_configs_name_it_and_pass(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("$schema=")[2]).resolve() == SHIPPED.resolve()
    assert complaints(path.read_text()) == []


GOOD = [
    "servers: [a, 10.0.0.1, {name: b, port: 22}, {address: c}]",
    "servers: {a: , b: 10.0.0.1, c: {address: x, user: u, port: 22, keyfile: /k}}",
    "clients: {c: {python: p, connection: local, vars: {x: [1]}}}",
    "roles: {storage: [a], other: {b: }}\nroles_of_mine: {x: 1}",
    "users: [root]\ninstances: 3",
    "ssh: {strict_host_key_checking: no, connect_timeout: 0.5, options: {Compression: yes, ServerAliveInterval: 15}}",
    "ssh: {strict_host_key_checking: accept-new, forward_agent: true, keyfile: }",
    "ssh:",
    "servers: {a: {port: '${PORT}'}}\ninstances: ${N:-2}\nkeep_residue: '${KEEP}'",
    "unittest: {discover_tests: {start_dir: x, pattern: 'a*.py'}, load_tests_from_names: [a.b]}",
    "unittest: {load_tests_from_list: true, unittest_list: {module_name: m, list: [A, B]}}",
    "my_own: {anything: [goes, 1, {x: }]}",
    "",
]
BAD = [
    "servers: 5",
    "servers: web",
    "servers: {a: 5}",
    "servers: {a: {adress: x}}",
    "servers: [{port: 22}]",
    "servers: {-oProxyCommand=x: }",
    "servers: {a: {port: 70000}}",
    "servers: {a: {port: '22'}}",
    "servers: {a: {connection: telnet}}",
    "roles: [a]",
    "users: root",
    "users: [-x]",
    "instances: 0",
    "instances: 1.5",
    "ssh: {usr: x}",
    "ssh: {connect_timeout: 0}",
    "ssh: {options: {Proxy Jump: x}}",
    "ssh: {forward_agent: 1}",
    "reports: {dir: 5}",
    "unittest: {unittest_list: {list: [a]}}",
    "dead_man_seconds: soon",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_code_takes_passes(text: str) -> None:
    assert complaints(text or "{}") == []
    if "${" not in text:
        Inventory.from_config(Config(parse_yaml(text)))


@pytest.mark.parametrize("text", BAD)
def test_what_the_code_refuses_does_not_pass(text: str) -> None:
    assert complaints(text)
    with pytest.raises(ConfigError):
        Inventory.from_config(Config(parse_yaml(text)))


def walk(schema: Any) -> list[tuple[str, Any]]:
    if isinstance(schema, dict):
        own = list(schema.get("properties", {}).items())
        return own + [found for value in schema.values() for found in walk(value)]
    return [found for value in schema for found in walk(value)] if isinstance(schema, list) else []


def test_every_key_is_described() -> None:
    named = walk(lab_schema())
    assert {"servers", "roles", "strict_host_key_checking", "keyfile", "pattern", "python"} <= {
        name for name, _ in named
    }
    assert [name for name, about in named if not about.get("description")] == []
