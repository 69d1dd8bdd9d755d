"""The examples, the README and the docs do what they say, here and on real hosts."""

import doctest
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from glusto import g
from tests.conftest import leaving_no_trace
from tests.hosts import Fleet
from tests.pages import FLAGS, ROOT, blocks, play, session, types

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("test_*.py"))
DOCS = sorted((ROOT / "docs").glob("*.rst"))
TYPED = [page for page in (ROOT / "README.rst", *DOCS) if types(page)]
TALKS = [page for page in DOCS if session(page)]


def run_examples(config: Path, reports: Path) -> str:
    """Run them as a user does; returns what that printed."""
    done = subprocess.run(
        [sys.executable, "-m", "glusto", "-c", str(config), "--reports", str(reports)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def reported(reports: Path) -> dict[str, set[str]]:
    """Module → the outcomes of its tests, as the JUnit files have them."""
    outcomes: dict[str, set[str]] = {}
    for file in reports.glob("TEST-*.xml"):
        for case in ElementTree.parse(file).iter("testcase"):
            found = {child.tag for child in case} & {"failure", "error", "skipped"}
            outcomes.setdefault(str(case.get("classname")).split(".")[-2], set()).update(found or {"passed"})
    return outcomes


def test_the_quickstart_passes_and_reports(tmp_path: Path) -> None:
    printed = run_examples(ROOT / "configs" / "quickstart.yml", tmp_path)
    assert " passed" in printed.splitlines()[-3]
    outcomes = reported(tmp_path)
    assert sorted(outcomes) == EXAMPLES
    assert all("passed" in found and not found & {"failure", "error"} for found in outcomes.values())


@pytest.mark.live
def test_the_examples_pass_on_hosts_as_several_users(fleet: Fleet, private_tmp: Path, tmp_path: Path) -> None:
    start = {"start_dir": "examples", "pattern": "test_*.py"}
    lab = fleet.lab(users=["root", "george"], instances=2, unittest={"discover_tests": start})
    config = tmp_path / "lab.yml"
    config.write_text(json.dumps(lab))
    with leaving_no_trace(fleet, private_tmp):
        run_examples(config, tmp_path / "reports")
    outcomes = reported(tmp_path / "reports")
    assert sorted(outcomes) == EXAMPLES
    assert all(found == {"passed"} for found in outcomes.values()), outcomes


def names_of(fleet: Fleet) -> dict[str, str]:
    """What the pages call the hosts and the key → what they are here."""
    known_hosts = f"options: {{UserKnownHostsFile: {fleet.known_hosts}}}"
    return {
        "192.168.1.221": fleet.hosts[0].address,
        "192.168.1.222": fleet.hosts[1].address,
        "keyfile: ~/.ssh/id_ed25519": f"keyfile: {fleet.keyfile}, {known_hosts}",
    }


@pytest.mark.parametrize("page", DOCS, ids=[page.stem for page in DOCS])
def test_what_a_page_shows_as_yaml_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml":
            list(yaml.safe_load_all(block.body))


@pytest.mark.live
@pytest.mark.parametrize("page", TYPED, ids=[page.stem for page in TYPED])
def test_what_a_page_tells_to_type_gives_what_it_shows(
    page: Path, fleet: Fleet, private_tmp: Path, tmp_path: Path
) -> None:
    with leaving_no_trace(fleet, private_tmp):
        assert play(page, tmp_path, names_of(fleet))


@pytest.mark.live
@pytest.mark.parametrize("page", TALKS, ids=[page.stem for page in TALKS])
def test_the_sessions_in_a_page_give_what_they_show(
    page: Path, fleet: Fleet, private_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = doctest.DocTestParser().get_doctest(session(page), {"g": g}, page.name, str(page), 0)
    monkeypatch.chdir(private_tmp)
    lab = fleet.lab(users=["root", "george"])
    lab["servers"] = {f"server{number}": host.address for number, host in enumerate(fleet.hosts, 1)}
    told: list[str] = []
    with leaving_no_trace(fleet, private_tmp):
        g.config = lab
        try:
            doctest.DocTestRunner(optionflags=FLAGS).run(talk, out=told.append)
        finally:
            g.close()
            g.clear_config()
            for name in os.listdir(private_tmp):
                os.unlink(private_tmp / name)
    assert not told, "".join(told)
