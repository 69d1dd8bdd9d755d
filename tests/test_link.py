"""Links: through noisy logins and strict servers, one ssh each, private at both ends, and gone with the run."""

import getpass
import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from glusto.errors import ConnectError, DeployError, HostError, LinkLostError
from glusto.harness import Harness
from tests.conftest import leaving_no_trace
from tests.hosts import Fleet, TestHost
from tests.hosts.waiting import until
from tests.traces import processes_below, traces_on

pytestmark = pytest.mark.live

PROJECT = Path(__file__).parents[1]
RC = "/home/george/.bashrc"
SHELLS = [path for path in map(shutil.which, ("sh", "dash", "rbash", "tcsh", "csh", "fish", "zsh", "ksh")) if path]


@pytest.fixture
def rc(host: TestHost) -> Iterator[TestHost]:
    """The first host; afterwards george's rc file is as it was."""
    before = host.read_text(RC)
    yield host
    host.write_text(RC, before, owner="george")


def use(g: Harness, user: str = "george", instances: int = 2) -> None:
    """Use h1 in every way there is."""
    opened = g.rpyc_create_connections(["h1"], user, instances)
    for conn in opened.values():
        assert conn.modules.getpass.getuser() == user
        assert len(conn.builtins.open("/usr/bin/env", "rb").read()) > 10_000
        assert conn.eval("'x' * 3_000_000") == "x" * 3_000_000
    assert f"{user}\n" in g.run("h1", "id -un", user).stdout


def as_ssh_does(g: Harness, fleet: Fleet) -> None:
    """Run a command through Glusto and through ssh, and assert that there is no difference."""
    command = "id -un; cat; id >&2; exit 3"
    argv = ["ssh", "-F", str(fleet.ssh_config), "george@h1", command]
    by_ssh = subprocess.run(argv, input=b"given\nand more\n", capture_output=True, check=False, timeout=30)
    texts = [output.decode("utf-8", "replace") for output in (by_ssh.stdout, by_ssh.stderr)]
    assert by_ssh.returncode != 255
    assert g.run("h1", command, "george", stdin="given\nand more\n") == (by_ssh.returncode, *texts)


# Logins


@pytest.mark.parametrize(
    "text",
    [
        "echo Welcome to $(hostname)",
        "printf 'no newline at the end'",
        r"printf '\000\000\377-here\000\n'; printf '\033[31m'",
        "head -c 300000 /dev/zero | tr '\\0' '#'",
        "echo to stderr >&2",
        "head -c 300000 /dev/zero | tr '\\0' '#' >&2",
        "alias exec=false command=false; exec() { echo shadowed; }; unset -f exec",
        "cd /; umask 077; PATH=$PATH:/nowhere; set -u",
        "export PYTHONHOME=/nowhere PYTHONPATH=/nowhere PYTHONSTARTUP=/nowhere PYTHONDONTWRITEBYTECODE=",
        "export LC_ALL=C LANG=C",
        "ulimit -n 64",
        "trap 'echo trapped' EXIT",
        "sleep 0.5",
    ],
)
def test_what_an_rc_file_does_is_survived(g: Harness, rc: TestHost, fleet: Fleet, text: str) -> None:
    rc.write_text(RC, f"{text}\n", owner="george")
    use(g)
    as_ssh_does(g, fleet)


@pytest.mark.parametrize("text", ["read x", "read x; read y", "read -n 1 x", "read -t 1 x"])
def test_an_rc_file_that_reads_from_stdin_is_survived(g: Harness, rc: TestHost, fleet: Fleet, text: str) -> None:
    rc.write_text(RC, f"{text}\n", owner="george")
    use(g)
    as_ssh_does(g, fleet)


def test_an_rc_file_that_exits_is_told_as_such(g: Harness, rc: TestHost) -> None:
    rc.write_text(RC, "echo maintenance, come back later; exit 7\n", owner="george")
    with pytest.raises(ConnectError, match="george@h1: the login shell ended with exit status 7") as caught:
        g.rpyc_get_connection("h1", "george")
    assert caught.value.reason == "login"
    assert "maintenance, come back later" in str(caught.value)


@pytest.mark.parametrize("path", SHELLS)
def test_any_login_shell_will_do(g: Harness, host: TestHost, path: str) -> None:
    host.execute("usermod", "--shell", path, "alexander")
    try:
        if path.endswith("/rbash"):  # it may not run what has a slash in its name: it shall be told, not hang
            with pytest.raises(ConnectError, match="alexander@h1: the login shell ended"):
                g.rpyc_get_connection("h1", "alexander")
        else:
            use(g, "alexander")
    finally:
        host.execute("usermod", "--shell", "/bin/bash", "alexander")


# Strict servers


@pytest.mark.parametrize(
    "settings",
    [
        "AllowStreamLocalForwarding no",
        "AllowTcpForwarding no",
        "DisableForwarding yes",
        "MaxSessions 1",
        "DisableForwarding yes\nMaxSessions 1\nMaxStartups 3:100:3",
        "PermitTTY no\nPermitUserEnvironment no\nAcceptEnv none",
        "Match User george\nAllowStreamLocalForwarding no",
    ],
)
def test_a_strict_sshd_is_enough(g: Harness, host: TestHost, settings: str) -> None:
    host.configure_sshd(settings)
    use(g, "george", 3)
    assert [g.run("h1", f"echo {number}", "george").stdout for number in range(12)] == [f"{n}\n" for n in range(12)]
    g.rpyc_close_deployed_servers()
    use(g, "george")


def test_where_nothing_is_forwarded_that_is_said_once_and_the_tunnel_does_it_all(
    g: Harness, host: TestHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.configure_sshd("DisableForwarding yes")
    with caplog.at_level(logging.INFO, "glustolog"):
        first, second = g.rpyc_create_connections(["h1"], "george", 2).values()
        third = g.rpyc_get_connection("h1", "george", 3)
    assert "does not forward" in caplog.text
    data = bytes(range(256)) * 20_000
    assert third.builtins.len(data) == len(data)
    first.close()
    g.rpyc_close_connection("h1", "george", 2)
    assert second.closed
    assert third.eval("40 + 2") == 42
    host.execute("kill", "-KILL", str(third.modules.os.getpid()))
    with pytest.raises(LinkLostError, match="george@h1"):
        third.eval("1")
    assert g.rpyc_get_connection("h1", "george", 3).eval("1") == 1


# Places for the socket


@pytest.fixture
def seal(host: TestHost) -> Iterator[Callable[[Sequence[str]], None]]:
    """What makes directories of the first host read-only, until the test is over."""
    sealed: list[str] = []

    def seal(places: Sequence[str]) -> None:
        for place in places:
            host.execute("mount", "-t", "tmpfs", "-o", "ro", "read-only", place)
            sealed.append(place)

    yield seal
    for place in sealed:
        host.execute("umount", place)


@pytest.mark.parametrize(
    ("closed", "taken"),
    [
        (["/tmp"], "/var/tmp"),
        (["/tmp", "/var/tmp"], "/dev/shm"),
        (["/tmp", "/var/tmp", "/dev/shm"], "/home/george"),
    ],
)
def test_another_directory_is_taken_where_the_usual_is_read_only(
    g: Harness, host: TestHost, seal: Callable[[Sequence[str]], None], closed: list[str], taken: str
) -> None:
    seal(closed)
    use(g)
    found = host.execute("find", *("/tmp", "/var/tmp", "/dev/shm", "/home"), "-name", "socket").stdout.split()
    assert [os.path.dirname(os.path.dirname(path)) for path in found] == [taken]


def test_a_host_without_any_place_says_so_and_still_runs_commands(
    g: Harness, host: TestHost, seal: Callable[[Sequence[str]], None]
) -> None:
    assert g.run("h1", "id -un", "george").stdout == "george\n"
    seal(("/tmp", "/var/tmp", "/dev/shm", "/home/george"))
    with pytest.raises(DeployError, match="george@h1: .*/tmp: Read-only file system.*/var/tmp"):
        g.rpyc_get_connection("h1", "george")
    assert g.run("h1", "id -un", "george").stdout == "george\n"


# One ssh, private at both ends


def test_there_is_one_ssh_for_each_user_and_host(g: Harness, private_tmp: Path) -> None:
    g.provision(["h1", "h2"], ["root", "george"], 3)
    g.run("h1", "true", "george")
    processes = [args for _, args in processes_below(private_tmp)]
    assert len([args for args in processes if args.startswith("ssh ")]) == 4
    assert len(processes) == 5  # and the janitor


def test_a_deployed_server_listens_on_no_port_and_nobody_else_reaches_its_socket(g: Harness, host: TestHost) -> None:
    listening = host.execute("ss", "-Htlnu").stdout
    g.rpyc_get_connection("h1", "george")
    assert host.execute("ss", "-Htlnu").stdout == listening
    (directory,) = host.execute("find", "/tmp", "-maxdepth", "1", "-name", "glusto-*").stdout.split()
    assert host.execute("stat", "-c", "%a %U", directory).stdout == "700 george\n"
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    told = host.execute("python3", "-c", connect, f"{directory}/socket", user="alexander", check=False)
    assert told.returncode != 0 and "PermissionError" in told.stderr


def test_the_controllers_directory_is_private(g: Harness, private_tmp: Path) -> None:
    g.rpyc_get_connection("h1", "george")
    (directory,) = private_tmp.iterdir()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert all(stat.S_ISSOCK(path.stat().st_mode) for path in directory.iterdir())
    g.ssh_close_connections()
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("length", [30, 90])
def test_a_temporary_directory_with_a_long_name_is_no_obstacle(
    g: Harness, private_tmp: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    import tempfile

    long = private_tmp / ("d" * length)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    use(g)
    g.close()
    long.rmdir()


# plumbum


def test_plumbums_machines_ride_on_the_links(g: Harness, private_tmp: Path, tmp_path: Path) -> None:
    assert g.ssh_get_connections() == {}
    g.provision(["h1", "h2"], ["george"])
    machines = g.ssh_get_connections()
    assert sorted(machines) == ["george@h1", "george@h2"]
    assert machines["george@h2"]["hostname"]() == "h2\n"
    assert machines["george@h1"].env["HOME"] == "/home/george"
    assert g.ssh_get_connections()["george@h1"] is machines["george@h1"]
    (tmp_path / "file").write_text("by plumbum")
    machines["george@h1"].upload(str(tmp_path / "file"), "by-plumbum")
    assert g.run("h1", "cat by-plumbum; rm by-plumbum", "george").stdout == "by plumbum"
    g.ssh_close_connection("h1", "george")
    assert sorted(g.ssh_get_connections()) == ["george@h2"]
    with pytest.raises(Exception, match="."):
        machines["george@h1"]["hostname"]()


def test_plumbum_where_no_second_session_is_allowed_is_an_error_not_a_hang(g: Harness, host: TestHost) -> None:
    host.configure_sshd("MaxSessions 1")
    g.run("h1", "true", "george")
    with pytest.raises(ConnectError, match="george@h1: plumbum's session could not be opened"):
        g.ssh_get_connections()
    assert g.run("h1", "echo fine", "george").stdout == "fine\n"


# Links that are lost


def test_a_killed_ssh_is_told_and_replaced(g: Harness, private_tmp: Path, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    running = g.run_async("h1", "sleep 1100", "george")
    until(lambda: any(process.args == "sleep 1100" for process in host.processes()), 5, "the command runs")
    (pid,) = [pid for pid, args in processes_below(private_tmp) if args.startswith("ssh ")]
    os.kill(pid, signal.SIGKILL)
    assert isinstance(running.async_communicate(5).error, LinkLostError)
    with pytest.raises(LinkLostError, match="george@h1:1: the link was lost"):
        conn.eval("1")
    again = g.rpyc_get_connection("h1", "george")
    assert again is not conn and again.eval("1") == 1
    assert not any(process.args == "sleep 1100" for process in host.processes())


def test_a_call_under_way_fails_when_the_host_goes_down(g: Harness, host: TestHost) -> None:
    import rpyc

    conn = g.rpyc_get_connection("h1", "george")
    result = rpyc.async_(conn.modules.time.sleep)(1000)
    host.kill_sshd()
    with pytest.raises(LinkLostError, match="george@h1"):
        result.wait()
    host.start_sshd()
    assert g.rpyc_get_connection("h1", "george").eval("1") == 1


def test_a_short_cut_of_the_network_is_survived(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    process = g.run_async("h1", "sleep 1; echo still here", "george")
    host.cut()
    time.sleep(0.5)  # how long the cut lasts
    host.heal()
    assert process.async_communicate(15) == (0, "still here\n", "")
    assert conn.eval("1") == 1
    assert g.rpyc_get_connection("h1", "george") is conn


def test_a_host_that_is_cut_off_cleans_itself_and_is_given_up(g: Harness, host: TestHost) -> None:
    g.config["dead_man_seconds"] = 2
    conn = g.rpyc_get_connection("h1", "george")
    running = g.run_async("h1", "sleep 1101", "george")
    until(lambda: any(process.args == "sleep 1101" for process in host.processes()), 5, "the command runs")
    host.cut()

    def is_clean() -> bool:
        return not [trace for trace in traces_on(host) if "sshd: " not in trace]

    until(is_clean, 8, "the host has cleaned itself")
    assert isinstance(running.async_communicate(8).error, LinkLostError)
    with pytest.raises(LinkLostError, match="nothing was heard of it for 2 s"):
        conn.eval("1")
    host.heal()
    assert g.rpyc_get_connection("h1", "george").eval("1") == 1


def test_a_host_whose_end_can_not_be_confirmed_is_an_error_that_says_so(g: Harness, host: TestHost) -> None:
    g.config["ssh"]["connect_timeout"] = 1
    g.rpyc_get_connection("h1", "george")
    g.rpyc_get_connection("h2", "george")
    host.kill_sshd()
    try:
        with pytest.raises(ExceptionGroup) as caught:
            g.close()
        (error,) = caught.value.exceptions
        assert isinstance(error, HostError) and error.host == "george@h1"
        assert "can't be confirmed that it is clean" in str(error)
    finally:
        host.start_sshd()


# The end of the run, however it ends

RUNNER = """
import json, sys, time
from glusto.harness import Harness

g = Harness()
g.config = json.loads(sys.argv[1])
g.provision(["h1", "h2"], ["root", "george"], 2)
g.run_async("h1", "sleep 1102 & sleep 1102", "george")
while "sleep 1102" not in g.run("h1", "ps -e -o args").stdout:
    pass
print("ready", flush=True)
exec(sys.argv[2])
"""


@pytest.mark.parametrize(
    ("end", "number"),
    [
        ("time.sleep(1000)", signal.SIGKILL),
        ("time.sleep(1000)", signal.SIGINT),
        ("time.sleep(1000)", signal.SIGTERM),
        ("import os; os._exit(3)", 0),
        ("sys.exit(4)", 0),
        ("raise KeyError", 0),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 0),
        ("g.rpyc_get_connection('h1').modules.time.sleep(1000)", signal.SIGINT),
    ],
)
def test_nothing_is_left_however_the_runner_ends(fleet: Fleet, private_tmp: Path, end: str, number: int) -> None:
    with leaving_no_trace(fleet, private_tmp):
        argv = [sys.executable, "-c", RUNNER, json.dumps(fleet.lab()), end]
        with subprocess.Popen(argv, cwd=PROJECT, stdout=-1, stderr=-3, text=True) as runner:
            assert runner.stdout and runner.stdout.readline() == "ready\n"
            if number:
                runner.send_signal(number)
            runner.wait(15)
            assert runner.returncode != 0


# Without ssh


def test_a_local_connection_does_the_same_without_ssh(private_tmp: Path, tmp_path: Path, fleet: Fleet) -> None:
    with leaving_no_trace(fleet, private_tmp):
        g = Harness()
        g.config = {"servers": {"a": {"connection": "local"}, "b": {"connection": "local"}}}
        opened = g.provision(["a", "b"], ["root", "george"], 2)
        me = getpass.getuser()
        assert list(opened) == [f"{me}@a:1", f"{me}@a:2", f"{me}@b:1", f"{me}@b:2"]
        pids = {name: conn.modules.os.getpid() for name, conn in opened.items()}
        assert len(set(pids.values())) == 2
        directories = {os.path.dirname(link.socket) for link in g._lab.links.values()}
        assert len(directories) == 2 and all(map(os.path.isdir, directories))
        assert g.run("a", "echo $0; cat; exit 3", stdin="x").returncode == 3
        (tmp_path / "file").write_text("x")
        g.upload("a", str(tmp_path / "file"), str(tmp_path / "up"))
        g.download("b", str(tmp_path / "up"), str(tmp_path / "down"))
        assert (tmp_path / "down").read_text() == "x"
        assert not [args for _, args in processes_below(private_tmp) if args.startswith("ssh ")]
        with pytest.raises(ConnectError, match="`connection: local` works as"):
            g.rpyc_get_connection("a", "george" if me != "george" else "root")
        g.close()
        assert not any(map(os.path.exists, directories))
