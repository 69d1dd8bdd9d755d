"""The test hosts themselves: that they are hosts, that they fail as hosts do, and that they go away."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import Fleet, HostError, TestHost, why_not
from tests.hosts.waiting import until

pytestmark = pytest.mark.live

PROJECT = Path(__file__).parents[1]
OWNER = """
import sys
from tests.hosts import Fleet
fleet = Fleet(2, name=sys.argv[1]).open()
print(fleet.directory, fleet.group, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    if reason := why_not():
        pytest.skip(reason)
    with Fleet(2, name="test-hosts") as fleet:
        yield fleet


@pytest.fixture
def host(fleet: Fleet) -> Iterator[TestHost]:
    """The first host, set right again after a test that did something to it."""
    host = fleet.hosts[0]
    yield host
    if host.is_on:
        host.heal()
    else:
        host.power_on()
    host.configure_sshd("")
    fleet.learn_host_keys()


def ssh(fleet: Fleet, target: str, command: str, *options: str) -> list[str]:
    return [
        "ssh",
        "-F",
        str(fleet.ssh_config),
        "-oBatchMode=yes",
        "-oConnectTimeout=2",
        *options,
        target,
        command,
    ]


def run_ssh(fleet: Fleet, target: str, command: str, *options: str) -> subprocess.CompletedProcess[str]:
    argv = ssh(fleet, target, command, *options)
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )


def runs(host: TestHost, args: str) -> bool:
    return any(process.args == args for process in host.processes())


@pytest.mark.parametrize("user", ["root", "george", "alexander"])
def test_every_account_is_reached_by_ssh(fleet: Fleet, user: str) -> None:
    for host in fleet.hosts:
        done = run_ssh(fleet, f"{user}@{host.address}", "id -un; hostname; echo $HOME; echo $SHELL")
        home = "/root" if user == "root" else f"/home/{user}"
        assert (done.stdout.split(), done.stderr) == ([user, host.name, home, "/bin/bash"], "")


def test_hosts_are_reached_by_name_and_reach_each_other(fleet: Fleet) -> None:
    first, second = fleet.hosts
    assert run_ssh(fleet, f"george@{first.name}", "hostname").stdout == "h1\n"
    assert first.execute("ssh-keyscan", "-t", "ed25519", second.name).stdout.split()[2] in second.host_key


def test_files_arrive_by_sftp(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("text")
    target = f"george@{fleet.hosts[0].address}:there"
    subprocess.run(("scp", "-q", "-F", fleet.ssh_config, tmp_path / "here", target), check=True, timeout=30)
    assert fleet.hosts[0].read_text("/home/george/there") == "text"
    assert fleet.hosts[1].execute("ls", "/home/george").stdout == ""


def test_execute_runs_as_the_user_and_reports(fleet: Fleet) -> None:
    host = fleet.hosts[0]
    assert host.execute("sh", "-c", "id -un; echo $HOME", user="george").stdout == "george\n/home/george\n"
    assert host.execute("cat", input="text").stdout == "text"
    assert host.execute("false", check=False).returncode == 1
    with pytest.raises(HostError, match="h1: sh -c 'echo why >&2; exit 3' ended with 3: why"):
        host.execute("sh", "-c", "echo why >&2; exit 3")


def test_a_command_that_takes_too_long_is_dead_in_the_host(fleet: Fleet) -> None:
    host = fleet.hosts[0]
    with pytest.raises(subprocess.TimeoutExpired):
        host.execute("sleep", "4711", timeout=0.3)
    until(lambda: not runs(host, "sleep 4711"), 5, "the sleep is dead")


def test_written_files_have_their_mode_and_owner(fleet: Fleet) -> None:
    host = fleet.hosts[0]
    host.write_text("/var/tmp/written", "päper\n", mode=0o600, owner="george")
    assert host.read_text("/var/tmp/written") == "päper\n"
    assert host.execute("stat", "-c", "%U:%G %a", "/var/tmp/written").stdout == "george:george 600\n"


def test_processes_shows_what_ssh_started_and_nothing_of_its_own(fleet: Fleet) -> None:
    host, other = fleet.hosts
    with subprocess.Popen(ssh(fleet, f"george@{host.address}", "exec sleep 4712")) as client:
        until(lambda: runs(host, "sleep 4712"), 10, "the sleep runs")
        (sleep,) = [process for process in host.processes() if process.args == "sleep 4712"]
        assert sleep.user == "george"
        assert not runs(other, "sleep 4712")
        host.execute("kill", str(sleep.pid))
        assert client.wait(10) != 0
    assert not [process for process in host.processes() if process.args.startswith(("ps", "sh "))]


def test_every_python_works_for_every_account(fleet: Fleet) -> None:
    pythons = {**fleet.pythons(), "the machine's": "/usr/bin/python3"}
    for version, path in pythons.items():
        script = "import json, ssl, ctypes, platform; print(platform.python_version())"
        says = fleet.hosts[0].execute(path, "-c", script, user="george").stdout.strip()
        assert version in (says, "the machine's")


def test_a_cut_host_is_silent_and_heals(fleet: Fleet, host: TestHost) -> None:
    with subprocess.Popen(
        ssh(fleet, f"root@{host.address}", "cat"), stdin=-1, stdout=-1, text=True
    ) as client:
        assert client.stdin and client.stdout
        print("before", file=client.stdin, flush=True)
        assert client.stdout.readline() == "before\n"
        host.cut()
        print("after", file=client.stdin, flush=True)
        assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 255
        assert client.poll() is None
        assert host.execute("hostname").stdout == "h1\n"
        host.heal()
        assert client.stdout.readline() == "after\n"  # TCP had not given up
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 0


def test_a_reboot_ends_everything_and_empties_tmp(fleet: Fleet, host: TestHost) -> None:
    host.write_text("/tmp/file", "")
    host.write_text("/home/george/file", "kept", owner="george")
    options = ("-oServerAliveInterval=1", "-oServerAliveCountMax=2")
    with subprocess.Popen(ssh(fleet, f"george@{host.address}", "sleep 4713", *options), stderr=-1) as client:
        until(lambda: runs(host, "sleep 4713"), 10, "the sleep runs")
        host.reboot()
        assert not runs(host, "sleep 4713")
        assert host.execute("ls", "/tmp").stdout == ""
        assert host.read_text("/home/george/file") == "kept"
        assert client.wait(20) == 255
    assert run_ssh(fleet, f"george@{host.address}", "true").returncode == 0


def test_a_host_without_power_says_so(fleet: Fleet, host: TestHost) -> None:
    host.power_off()
    assert not host.is_on
    with pytest.raises(HostError, match="h1 is off"):
        host.execute("true")
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 255
    host.power_on()
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 0
    with pytest.raises(HostError, match="h1 is on already"):
        host.power_on()


def test_killed_sshd_takes_its_sessions_along_and_starts_again(fleet: Fleet, host: TestHost) -> None:
    with subprocess.Popen(ssh(fleet, f"george@{host.address}", "sleep 4714"), stderr=-1) as client:
        until(lambda: runs(host, "sleep 4714"), 10, "the sleep runs")
        host.kill_sshd()
        assert not [process for process in host.processes() if process.args.startswith("sshd")]
        assert client.wait(10) == 255
    done = run_ssh(fleet, f"root@{host.address}", "true")
    assert done.returncode == 255 and "Connection refused" in done.stderr
    host.start_sshd()
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 0


def test_settings_of_sshd_come_first_and_go_away(fleet: Fleet, host: TestHost) -> None:
    host.configure_sshd("PermitRootLogin no\nMatch User george\nForceCommand echo forced")
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 255
    assert run_ssh(fleet, f"george@{host.address}", "true").stdout == "forced\n"
    assert run_ssh(fleet, f"alexander@{host.address}", "true").returncode == 0
    host.configure_sshd("")
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 0
    with pytest.raises(HostError, match="NoSuchSetting"):
        host.configure_sshd("NoSuchSetting yes")
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 0


def test_sshd_may_listen_elsewhere(fleet: Fleet, host: TestHost) -> None:
    host.configure_sshd("Port 2222")
    assert run_ssh(fleet, f"root@{host.address}", "true", "-p2222", "-oHostKeyAlias=h1").returncode == 0
    assert "Connection refused" in run_ssh(fleet, f"root@{host.address}", "true").stderr
    host.reboot()
    assert "Connection refused" in run_ssh(fleet, f"root@{host.address}", "true").stderr


def test_a_new_host_key_alarms_ssh_until_it_is_learnt(fleet: Fleet, host: TestHost) -> None:
    host.new_host_key()
    done = run_ssh(fleet, f"root@{host.address}", "true")
    assert done.returncode == 255 and "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.stderr
    fleet.learn_host_keys()
    assert run_ssh(fleet, f"root@{host.address}", "true").returncode == 0


def test_fleets_stand_side_by_side_and_are_found_by_name(fleet: Fleet) -> None:
    with Fleet(1, name="beside") as other:
        assert other.hosts[0].address != fleet.hosts[0].address
        assert run_ssh(other, f"root@{other.hosts[0].address}", "true").returncode == 0
        assert Fleet.find("beside").directory == other.directory
        assert Fleet.find("test-hosts").hosts[1].execute("hostname").stdout == "h2\n"
        directory = other.directory
        other.close()
        other.close()
    assert not directory.exists()
    with pytest.raises(HostError, match="no fleet named 'beside'"):
        Fleet.find("beside")


def test_lab_takes_more_sections_and_more_keys(fleet: Fleet) -> None:
    lab = fleet.lab(ssh={"user": "george"}, volumes={"count": 2})
    assert lab["ssh"]["user"] == "george" and lab["ssh"]["keyfile"] == str(fleet.keyfile)
    assert lab["volumes"] == {"count": 2}
    assert lab["servers"]["h2"] == {"address": fleet.hosts[1].address}


@pytest.mark.usefixtures("fleet")
def test_a_host_that_does_not_come_up_is_named_and_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.hosts.network.Network.mac", lambda network, position: f"nothing-{position}")
    broken = Fleet(2, name="broken")
    with pytest.raises(HostError, match="(?s)h1: it ended while booting.*nothing-0") as caught:
        broken.open()
    (directory,) = set(re.findall(r"/\S+/glusto-hosts-\w+", str(caught.value))) or {"none named"}
    assert traces(directory, broken.group) == []


@pytest.mark.usefixtures("fleet")
def test_nothing_stays_when_the_owner_is_killed() -> None:
    argv = (sys.executable, "-c", OWNER, "killed")
    with subprocess.Popen(argv, stdin=-1, stdout=-1, text=True, cwd=PROJECT) as owner:
        assert owner.stdout
        directory, group = owner.stdout.readline().split()
        # The bridge, two cables, the mount, the directory, the keeper, and two processes for each host.
        assert len(traces(directory, int(group))) == 1 + 2 + 1 + 1 + 1 + 2 * 2
        owner.send_signal(signal.SIGKILL)
    until(lambda: not traces(directory, int(group)), 10, "no trace of the fleet")


def traces(directory: str, group: int) -> list[str]:
    """Every interface, mount, process and directory of a fleet that is there right now."""
    links = ("ip", "-oneline", "link", "show", "group", str(group))
    processes = ("pgrep", "-af", f"(machine|keeper).py {directory}")
    shown = [
        *subprocess.run(links, stdout=-1, text=True, check=False).stdout.splitlines(),
        *subprocess.run(processes, stdout=-1, text=True, check=False).stdout.splitlines(),
        *(line for line in Path("/proc/mounts").read_text().splitlines() if directory in line),
    ]
    return [*shown, directory] if Path(directory).exists() else shown
