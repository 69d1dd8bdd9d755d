"""The arguments that say which lab, and the verbs `config` and `schema`, from the command line."""

import json
from pathlib import Path

import pytest
import yaml

from tests.pages import ROOT, play
from tests.running import Project

LAB = "servers:\n  one: {connection: local}\nssh: {user: root, connect_timeout: 5}\ndb: {password: hunter2}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, LAB)


def test_the_config_is_printed_with_what_won(project: Project) -> None:
    project.write("more.yml", "ssh: {user: admin}\nusers: ['${WHO}']\n")
    ran = project.run("config", "-c", "lab.yml", "-c", "more.yml", "--set", "instances=2", WHO="george")
    assert ran.returncode == 0
    assert ran.stdout.splitlines() == [
        "servers:",
        "  one:",
        "    connection: local  # lab.yml:2",
        "ssh:",
        "  user: admin          # more.yml:1",
        "  connect_timeout: 5   # lab.yml:3",
        "db:",
        "  password: '***'      # lab.yml:4",
        "users:",
        "  - george             # more.yml:2",
        "instances: 2           # --set instances",
    ]


def test_an_inventory_comes_first_and_configs_go_over_it(project: Project) -> None:
    project.write("hosts.ini", "[clients]\ntwo ansible_port=2222 ansible_become=yes\n")
    project.write("more.yml", "clients: {two: {user: me}}\n")
    ran = project.run("config", "-i", "hosts.ini", "-c", "more.yml")
    assert "glusto: hosts.ini:2:23: ansible_become is of no use here" in ran.stdout
    shown = yaml.safe_load("\n".join(line for line in ran.stdout.splitlines() if not line.startswith("glusto:")))
    assert shown == {"clients": {"two": {"port": 2222, "user": "me"}}, "roles": {"all": {"two": None}}}


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--set", "ssh.usr=x"], ["--set ssh.usr:1:1: ssh.usr: unknown key", "  ssh.usr=x", "  ^^^^^^^"]),
        (["--set", "ssh"], ["--set ssh: an assignment is KEY=VALUE"]),
        (["-c", "bad.yml"], ["bad.yml:2:7: ssh.port: unknown key", "  ssh: {port: x}", "        ^^^^"]),
        (
            ["-c", "unset.yml"],
            ["unset.yml:2:9: ${NOT_SET}: NOT_SET is not set", "    user: ${NOT_SET}", "          ^^"],
        ),
        (["-i", "bad.ini"], ["bad.ini:1:1: [a:b] is no section", "  [a:b]", "  ^"]),
        (["--ssh-keyfile", "nowhere"], ["nowhere: there is no such key file"]),
    ],
)
@pytest.mark.parametrize("verb", ["config", "check", "clean", "shell", "run"])
def test_every_verb_shows_the_line_of_a_mistake(
    project: Project, verb: str, arguments: list[str], shown: list[str]
) -> None:
    project.write("bad.yml", "\nssh: {port: x}\n")
    project.write("unset.yml", "ssh:\n  user: ${NOT_SET}\n")
    project.write("bad.ini", "[a:b]\n")
    ran = project.run(verb, "-c", "lab.yml", *arguments)
    assert ran.returncode == 2, ran.stdout
    assert "Traceback" not in ran.stdout
    lines = ran.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("glusto: "))
    for line, wanted in zip(lines[place:], [f"glusto: {shown[0]}", *shown[1:]], strict=False):
        assert line.startswith(wanted), ran.stdout


@pytest.mark.parametrize("verb", ["config", "check", "clean"])
def test_a_verb_without_a_lab_says_how_to_name_one(project: Project, verb: str) -> None:
    ran = project.run(verb)
    assert ran.returncode == 2
    assert "-c lab.yml" in ran.stdout
    assert "-i hosts.ini" in ran.stdout


def test_the_environment_names_a_lab_for_every_verb(project: Project) -> None:
    assert "connection: local" in project.run("config", GLUSTO_CONFIG="lab.yml").stdout


@pytest.mark.parametrize("verb", ["check", "clean", "shell"])
def test_a_lab_without_hosts_is_a_mistake(project: Project, verb: str) -> None:
    ran = project.run(verb, "--set", "users=[root]")
    assert ran.returncode == 2
    assert "no hosts" in ran.stdout


def test_a_run_takes_what_is_set_and_merges_deeply(project: Project, private_tmp: Path) -> None:
    project.write("more.yml", "servers: {one: {vars: {size: 3}}}\n")
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestIt(TestCase):
            def test_it(self):
                self.assertEqual(g.inventory.hosts["one"].connection, "local")
                self.assertEqual(dict(g.inventory.hosts["one"].vars), {"size": 3})
                self.assertEqual(g.config["own"]["x"], 5)
        """,
    )
    ran = project.run("-c", "lab.yml", "-c", "more.yml", "--set", "own.x=5")
    assert ran.returncode == 0, ran.stdout


def test_the_schema_is_printed(project: Project) -> None:
    ran = project.run("schema")
    assert ran.returncode == 0
    assert "servers" in json.loads(ran.stdout)["properties"]


@pytest.mark.parametrize("verb", ["run", "check", "clean", "shell", "config", "schema"])
def test_every_verb_has_help(project: Project, verb: str) -> None:
    ran = project.run(verb, "--help")
    assert ran.returncode == 0
    assert f"usage: glusto {verb}" in ran.stdout


@pytest.mark.parametrize(("page", "typed"), [("config", 5), ("checking", 2)])
def test_the_pages_show_what_happens(
    tmp_path: Path, private_tmp: Path, monkeypatch: pytest.MonkeyPatch, page: str, typed: int
) -> None:
    for name in ("GLUSTO_CONFIG", "LAB_USER"):
        monkeypatch.delenv(name, raising=False)
    assert play(ROOT / "docs" / f"{page}.rst", tmp_path, {}) == typed
