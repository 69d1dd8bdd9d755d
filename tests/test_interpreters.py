"""Every Python from 3.6 up that the machine has serves connections and runs commands, and is gone afterwards."""

from pathlib import Path

import pytest

from glusto.harness import Harness
from tests.hosts import Fleet
from tests.hosts.pythons import interpreters

pytestmark = pytest.mark.live

VERSIONS = [version for version in interpreters(Path.home() / ".pyenv" / "versions") if not version.startswith("2.")]
ACCOUNTS = ("root", "george")


def use(g: Harness, fleet: Fleet, version: str) -> None:
    """Have h1 use this interpreter, under a name that tells which."""
    g.config["servers"] = {"h1": {"address": fleet.hosts[0].address, "python": fleet.pythons()[version]}}


def test_an_interpreter_is_found_where_none_is_named(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    assert tuple(conn.modules.sys.version_info)[:2] >= (3, 6)


@pytest.mark.skipif(not VERSIONS, reason="no pyenv in the home of whoever runs this")
@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_serves_connections(g: Harness, fleet: Fleet, version: str) -> None:
    use(g, fleet, version)
    opened = g.provision(["h1"], ACCOUNTS, 2)
    assert len(opened) == 4
    for name, conn in opened.items():
        assert conn.modules.platform.python_version() == version
        assert conn.modules.getpass.getuser() == name.partition("@")[0]
        conn.execute("def double(n):\n    return 2 * n")
        assert list(conn.eval("[double(n) for n in range(4)]")) == [0, 2, 4, 6]
        with pytest.raises(FileNotFoundError):
            conn.modules.os.stat("/no/such/file")
        # what needs site-packages, compiled modules, and modules that are imported late
        assert conn.eval("__import__('json').dumps({'a': 1})") == '{"a": 1}'
        assert len(conn.modules.hashlib.sha256(b"").hexdigest()) == 64
        with pytest.raises(ModuleNotFoundError):
            conn.modules["no_such_module"]
        assert any(path.endswith("site-packages") for path in conn.modules.sys.path)
        conn.builtins.print(version)


@pytest.mark.skipif(not VERSIONS, reason="no pyenv in the home of whoever runs this")
@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_runs_commands_and_carries_files(
    g: Harness, fleet: Fleet, version: str, scratch: str, tmp_path: Path
) -> None:
    use(g, fleet, version)
    (tmp_path / "tree" / "below").mkdir(parents=True)
    (tmp_path / "tree" / "below" / "file").write_bytes(bytes(range(256)) * 1000)
    for user in ACCOUNTS:
        assert g.run("h1", "id -un; cat; exit 3", user, stdin="given") == (3, f"{user}\ngiven", "")
        g.upload("h1", str(tmp_path / "tree"), f"{scratch}/{user}", user)
        g.download("h1", f"{scratch}/{user}", str(tmp_path / user), user)
        there = tmp_path / user / "below" / "file"
        assert there.read_bytes() == (tmp_path / "tree" / "below" / "file").read_bytes()


@pytest.mark.skipif(not VERSIONS, reason="no pyenv in the home of whoever runs this")
def test_a_python_2_hands_over_to_a_python_3(g: Harness, fleet: Fleet, scratch: str) -> None:
    old = [path for version, path in fleet.pythons().items() if version.startswith("2.7")]
    if not old:
        pytest.skip("no Python 2.7 in the pyenv of whoever runs this")
    host = fleet.hosts[0]
    host.execute("ln", "-s", old[0], f"{scratch}/python3")
    host.write_text("/home/george/.bashrc", f"PATH={scratch}:$PATH\n", owner="george")
    try:
        conn = g.rpyc_get_connection("h1", "george")
    finally:
        host.write_text("/home/george/.bashrc", host.read_text("/etc/skel/.bashrc"), owner="george")
    assert conn.modules.sys.version_info[0] == 3
    assert g.run("h1", "python3 --version 2>&1", "george").stdout.startswith("Python 2.7")
