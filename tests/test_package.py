"""The package: its public names, how light it is to import, and what is in the wheel."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import glusto

ROOT = Path(__file__).resolve().parents[1]
NAMES = [
    "CleanupError",
    "CommandFailed",
    "CommandTimeout",
    "ConfigError",
    "ConnectError",
    "DeployError",
    "GlustoError",
    "Harness",
    "HostError",
    "LinkLostError",
    "ParallelError",
    "ResidueError",
    "TestCase",
    "TransferError",
    "g",
]
HEAVY = ["asyncio", "plumbum", "rpyc", "xmlrunner"]


def run(words: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment}
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the working tree."""
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    return next(directory.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel installed, and nothing else."""
    directory = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", "--target", str(directory)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, timeout=120)
    return directory


def test_the_public_names_are_these() -> None:
    assert sorted(glusto.__all__) == sorted(NAMES)
    assert all(hasattr(glusto, name) for name in NAMES)


def test_the_old_address_gives_the_same_object() -> None:
    from glusto.core import Glusto

    assert Glusto is glusto.g


@pytest.mark.parametrize("page", ["README.rst", "CHANGELOG.rst"])
def test_a_page_is_plain_restructuredtext(page: str) -> None:
    docutils = pytest.importorskip("docutils.core")
    docutils.publish_string(
        (ROOT / page).read_text(), writer="html", settings_overrides={"halt_level": 2, "report_level": 2}
    )


@pytest.mark.parametrize("module", HEAVY)
def test_importing_glusto_imports_nothing_heavy(module: str) -> None:
    done = run([sys.executable, "-c", f"import sys, glusto; print({module!r} in sys.modules)"])
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_wheel_has_the_types_the_agent_and_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    wanted = {"glusto/py.typed", *(f"glusto/agent/{file.name}" for file in (ROOT / "glusto/agent").glob("*.py"))}
    assert wanted <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("glusto/", f"glusto-{glusto.__version__}.dist-info/")) for name in names)


def test_the_console_script_exits_with_the_status_of_the_run(installed: Path, tmp_path: Path) -> None:
    script = [sys.executable, str(installed / "bin" / "glusto")]
    done = run([*script, "--version"], PYTHONPATH=str(installed))
    assert (done.returncode, done.stdout.split()[-1]) == (0, glusto.__version__)
    done = run([*script, "-c", str(tmp_path / "none.yml")], PYTHONPATH=str(installed))
    assert done.returncode == 2


def test_what_is_installed_can_be_sent_to_a_host(installed: Path, tmp_path: Path) -> None:
    code = (
        "import glusto; from glusto import g; print(glusto.__file__);"
        "g.config = {'servers': {'here': {'connection': 'local'}}};"
        "print(g.rpyc_get_connection('here').eval('6 * 7')); g.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == [str(installed / "glusto" / "__init__.py"), "42"], done.stderr
