"""A suite of old times runs unchanged, in every way that old command lines named tests, on the test hosts."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.hosts import Fleet
from tests.running import ROOT, Project
from tests.traces import traces_on

pytestmark = pytest.mark.live

WAYS = {
    "pytest": ["--pytest", "-q -p no:cacheprovider examples/legacy/test_volume.py"],
    "unittest": ["--unittest", "examples.legacy.test_volume"],
    "unittest section": ["-u"],
    "discovery": ["-d", "examples/legacy"],
    "the template by name": ["examples.legacy.test_volume.TestVolume"],
}
TESTS = ("test_bricks_by_rpyc", "test_create", "test_heal", "test_io_while_running")
CLASSES = ("TestVolume_cplex_distributed_glusterfs", "TestVolume_cplex_replicated_glusterfs")


@pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)
def test_the_legacy_suite_passes(fleet: Fleet, tmp_path: Path, arguments: list[str]) -> None:
    config = yaml.safe_load((ROOT / "examples/legacy/legacy.yml").read_text())
    config["servers"] = [host.address for host in fleet.hosts[:2]]
    config["ssh"] = fleet.lab()["ssh"]
    config["unittest"] = {"load_tests_from_module": {"module_name": "examples.legacy.test_volume"}}
    (tmp_path / "legacy.yml").write_text(yaml.safe_dump(config))
    ran = subprocess.run(
        [sys.executable, "-m", "glusto", "-c", str(tmp_path / "legacy.yml"), "--reports", str(tmp_path), *arguments],
        cwd=ROOT,
        env=Project(tmp_path).environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    cases = [case for path in tmp_path.glob("TEST-*.xml") for case in ElementTree.parse(path).iter("testcase")]
    names = sorted(f"{case.attrib['classname'].rpartition('.')[2]}.{case.attrib['name']}" for case in cases)
    assert names == [f"{name}.{test}" for name in CLASSES for test in TESTS]
    assert all(case.find(outcome) is None for case in cases for outcome in ("failure", "error", "skipped"))
    assert [line for host in fleet.hosts[:2] for line in traces_on(host) if "bricks" in line] == []
