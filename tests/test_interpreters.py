"""Every Python from 3.6 up that the machine has serves connections and runs commands, and is gone afterwards."""

from pathlib import Path

import pytest

from glusto.harness import Harness
from tests.hosts import Fleet
from tests.hosts.pythons import interpreters

pytestmark = pytest.mark.live

HOSTS_OWN = "the host's own"
FOUND = interpreters(Path.home() / ".pyenv" / "versions")
VERSIONS = [HOSTS_OWN, *(version for version in FOUND if not version.startswith("2."))]
TOO_OLD = """\
#!/usr/bin/python3 -S
import sys
if "-c" not in sys.argv:
    sys.exit("Python 2.7.18")
sys.version_info = (2, 7, 18)
sys.argv = sys.argv[sys.argv.index("-c"):]
exec(sys.argv.pop(1))
"""
ACCOUNTS = ("root", "george")


def use(g: Harness, fleet: Fleet, version: str) -> None:
    """Have h1 use this interpreter, under a name that tells which."""
    python = {**fleet.pythons(), HOSTS_OWN: "/usr/bin/python3"}[version]
    g.config["servers"] = {"h1": {"address": fleet.hosts[0].address, "python": python}}


def test_an_interpreter_is_found_where_none_is_named(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    assert tuple(conn.modules.sys.version_info)[:2] >= (3, 6)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_serves_connections(g: Harness, fleet: Fleet, version: str) -> None:
    use(g, fleet, version)
    opened = g.provision(["h1"], ACCOUNTS, 2)
    assert len(opened) == 4
    for name, conn in opened.items():
        assert conn.modules.platform.python_version() == version or version == HOSTS_OWN
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
        assert any(path.endswith(("site-packages", "dist-packages")) for path in conn.modules.sys.path)
        conn.builtins.print(version)


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


def test_a_python_2_hands_over_to_a_python_3(g: Harness, fleet: Fleet, scratch: str) -> None:
    host = fleet.hosts[0]
    old = [path for version, path in fleet.pythons().items() if version.startswith("2.7")]
    if old:
        host.execute("ln", "-s", old[0], f"{scratch}/python3")
    else:
        host.write_text(f"{scratch}/python3", TOO_OLD, mode=0o755)
    before = host.read_text("/home/george/.bashrc")
    host.write_text("/home/george/.bashrc", f"PATH={scratch}:$PATH\n", owner="george")
    try:
        conn = g.rpyc_get_connection("h1", "george")
        assert "Python 2.7" in g.run("h1", "python3 --version 2>&1", "george").stdout
    finally:
        host.write_text("/home/george/.bashrc", before, owner="george")
    assert conn.modules.sys.version_info[0] == 3
