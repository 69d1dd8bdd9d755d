"""`python -m glusto check`: what it sees on real hosts, and how it says it."""

import json
import re
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import leaving_no_trace
from tests.console import Console
from tests.hosts import Fleet, TestHost
from tests.hosts.waiting import until
from tests.running import Project

pytestmark = pytest.mark.live
COMMAND = [sys.executable, "-m", "glusto", "check", "-c", "lab.yml"]


def lab(fleet: Fleet) -> str:
    hosts = "".join(f"  {host.name}:\n    address: {host.address}\n" for host in fleet.hosts)
    return (
        f"servers:\n{hosts}users: [root, george]\nssh:\n  keyfile: {fleet.keyfile}\n  connect_timeout: 3\n"
        f"  options: {{UserKnownHostsFile: {fleet.known_hosts}}}\n"
    )


@pytest.fixture
def project(fleet: Fleet, tmp_path: Path, private_tmp: Path) -> Iterator[Project]:
    """A project whose lab.yml is the fleet. What is done with it may leave nothing, there or here."""
    with leaving_no_trace(fleet, private_tmp):
        yield Project(tmp_path, lab(fleet))


def checked(project: Project, *arguments: str) -> tuple[int, dict[str, object]]:
    ran = project.run("check", "-c", "lab.yml", "--json", *arguments)
    return ran.returncode, json.loads(ran.stdout[ran.stdout.index("\n{") if ran.stdout[0] != "{" else 0 :])


def states(found: dict[str, object], name: str) -> dict[str, str]:
    return found["hosts"][name]["states"]  # type: ignore[index,no-any-return]


def told(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_a_good_lab_is_good(project: Project) -> None:
    ran = project.run("check", "-c", "lab.yml")
    assert ran.returncode == 0, ran.stdout
    good = re.compile(r"^(?:root|george)@h\d +ok +reachable ok, host key ok, login ok, python 3", re.MULTILINE)
    assert len(good.findall(ran.stdout)) == 6
    assert "all 6 can be used" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_json_has_what_is_measured(project: Project) -> None:
    status, found = checked(project)
    assert (status, found["ok"], found["problems"]) == (0, True, [])
    host = found["hosts"]["george@h2"]  # type: ignore[index]
    assert host["executable"].startswith("/")
    assert 0 < host["agent_seconds"] < 20
    assert abs(host["clock_offset_seconds"]) < 0.5
    assert host["socket_forwarded"] is True
    assert host["place"] == "/tmp"
    assert host["free_bytes"] > 1 << 20
    assert set(host["states"].values()) == {"good"}
    assert found["hosts"]["root@h2"]["sshd"]["maxsessions"] == "10"  # type: ignore[index]


def test_the_table_is_drawn_as_hosts_answer(project: Project) -> None:
    console = Console(COMMAND, project.directory, project.environment())
    assert console.end() == 0
    assert "host" in console.text
    assert "…" in console.text.split("✓")[0]
    last = console.text[console.text.rindex("reached") :]
    assert re.search(
        r"george@h3 +✓ +✓ +✓ +3\.\d+\.\d+ /\S+ +\d+ ms +[+-]\d\.\d ms +[\d.]+ [GM]iB /tmp +✓ +none", last
    ), last
    assert "all 6 can be used" in last
    assert console.shown.rstrip().endswith("\x1b[?25h") or console.shown.count("\x1b[?25l") == console.shown.count(
        "\x1b[?25h"
    )


def test_a_lab_that_is_longer_than_the_terminal_is_shown_whole_at_the_end(tmp_path: Path, private_tmp: Path) -> None:
    names = [f"n{number:02}" for number in range(12)]
    project = Project(tmp_path, "servers:\n" + "".join(f"  {name}: {{connection: local}}\n" for name in names))
    console = Console(COMMAND, project.directory, project.environment(), lines=8)
    assert console.end() == 0
    last = console.text[console.text.rindex("reached") :]
    assert re.findall(r"@(n\d\d) +local", last) == names


@pytest.mark.parametrize("variable", ["NO_COLOR", "CI"])
def test_a_terminal_that_wants_plain_lines_gets_them(project: Project, variable: str) -> None:
    environment = {**project.environment(), "WANTED": variable}
    console = Console(["/bin/sh", "-c", f'{variable}=1 exec "$0" "$@"', *COMMAND], project.directory, environment)
    assert console.end() == 0
    assert "\x1b" not in console.shown
    assert "root@h1" in console.text


def test_a_narrow_terminal_holds_the_table(project: Project) -> None:
    console = Console(COMMAND, project.directory, project.environment(), columns=80)
    assert console.end() == 0
    last = console.text[console.text.rindex("reached") :].split("all 6")[0]
    assert max(map(len, last.splitlines())) <= 80
    assert "george@h3" in last
    assert "+0" in last or "-0" in last


def test_each_problem_has_its_line_and_its_command(project: Project, fleet: Fleet) -> None:
    first, second, third = fleet.hosts
    key = second.host_key
    second.new_host_key()
    third.cut()
    first.write_text("/home/george/.ssh/authorized_keys", "", owner="george", mode=0o600)
    try:
        ran = project.run("check", "-c", "lab.yml")
    finally:
        third.heal()
        first.execute("cp", "/root/.ssh/authorized_keys", "/home/george/.ssh/authorized_keys")
        assert second.host_key != key
        fleet.learn_host_keys()
    assert ran.returncode == 1
    assert "1 of 6 can be used" in ran.stdout
    problems = {
        part.split("\n")[0].split(": ")[1]: part for part in ran.stdout.split("\n\n") if part.startswith("problem: ")
    }
    assert set(problems) == {"george@h1", "root@h2, george@h2", "root@h3, george@h3"}
    login, changed, away = problems["george@h1"], problems["root@h2, george@h2"], problems["root@h3, george@h3"]
    assert "does not let george in" in login
    assert f"lab.yml:10:12:\n      keyfile: {fleet.keyfile}\n               ^^^" in login
    assert f"fix: ssh-copy-id -i {fleet.keyfile} george@{first.address}" in login
    assert "its host key has changed" in changed
    assert "lab.yml:4:3:\n      h2:\n      ^^" in changed
    assert f"fix: ssh-keygen -f {fleet.known_hosts} -R '{second.address}'" in changed
    assert "no answer within 3 s" in away
    assert f"lab.yml:7:14:\n        address: {third.address}\n                 ^^^" in away
    assert f"fix: ping -c 3 {third.address}" in away


@pytest.mark.parametrize(
    ("break_it", "aspect", "said", "fix"),
    [
        ("pkill -KILL '^sshd'", "reachable", "nothing listens on port 22", "systemctl start sshd"),
        ("usermod -s /bin/false george", "login", "the login shell ended", "george@"),
    ],
)
def test_what_is_broken_is_told_apart(
    project: Project, host: TestHost, break_it: str, aspect: str, said: str, fix: str
) -> None:
    host.execute("sh", "-c", break_it, check=False)
    try:
        status, found = checked(project)
    finally:
        host.execute("usermod", "-s", "/bin/bash", "george", check=False)
        if "sshd" in break_it:
            host.start_sshd()
    assert status == 1
    (problem,) = [one for one in found["problems"] if one["name"] == "george@h1"]  # type: ignore[attr-defined]
    assert (problem["aspect"], problem["severity"], problem["line"]) == (
        aspect,
        "problem",
        3 if aspect == "reachable" else 2,
    )
    assert said in problem["text"]
    assert fix in problem["fix"]
    assert states(found, "george@h1")[aspect] == "bad"
    assert states(found, "george@h1")["space"] == "unknown"
    assert states(found, "george@h2")["space"] == "good"


def test_no_python_is_a_problem_of_the_line_that_names_one(project: Project) -> None:
    status, found = checked(project, "--set", "servers.h1.python=/no/python3")
    assert status == 1
    (first, _) = found["problems"]  # type: ignore[misc]
    assert (first["aspect"], first["file"]) == ("python", "--set servers.h1.python")  # type: ignore[has-type]
    assert "python3" in first["fix"]  # type: ignore[has-type]
    assert states(found, "root@h1")["login"] == "good"


def test_limits_of_sshd_are_warnings_with_the_setting_to_change(project: Project, host: TestHost) -> None:
    host.configure_sshd("AllowStreamLocalForwarding no\nMaxSessions 2\nMaxStartups 1:30:10")
    ran = project.run("check", "-c", "lab.yml")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"george@h1 +warning", ran.stdout)
    text = told(ran.stdout)
    assert "warning: root@h1: its sshd does not forward to sockets (AllowStreamLocalForwarding no)" in text
    assert "warning: george@h1: its sshd does not forward to sockets" in text
    assert "root@h1, george@h1: its sshd allows 2 sessions a connection (MaxSessions)" in text
    assert "root@h1, george@h1: its sshd turns logins away once 1 are under way (MaxStartups), and 2 users" in text
    assert "'sed -i \"1i MaxSessions 10\" /etc/ssh/sshd_config && systemctl reload sshd'" in text


def test_little_room_is_a_warning_and_none_a_problem(project: Project, host: TestHost) -> None:
    host.execute("mount", "-t", "tmpfs", "-o", "size=8m,mode=1777", "small", "/tmp")
    host.execute("sh", "-c", "mount -t tmpfs -o nr_inodes=1,mode=1777 full /var/tmp; chmod 755 /dev/shm")
    try:
        ran = project.run("check", "-c", "lab.yml")
        assert ran.returncode == 0, ran.stdout
        assert "warning: root@h1, george@h1: only 8.0 MiB are free in /tmp, where our directory is" in ran.stdout
        assert "du -xh /tmp | sort -h | tail" in ran.stdout
        host.execute("sh", "-c", "chmod 755 /tmp; chown root /home/george")
        ran = project.run("check", "-c", "lab.yml")
    finally:
        host.execute("sh", "-c", "umount /tmp /var/tmp; chmod 1777 /dev/shm; chown george /home/george")
    assert ran.returncode == 1
    assert re.search(r"george@h1 +FAILED", ran.stdout)
    assert "/var/tmp: No space left on device" in ran.stdout
    assert "df -h /tmp /var/tmp /dev/shm" in ran.stdout


def test_leftovers_are_found_and_left_alone(project: Project, host: TestHost) -> None:
    leave_something(project, host)
    status, found = checked(project)
    assert status == 1
    mine = found["hosts"]["george@h1"]  # type: ignore[index]
    assert [one["command"] for one in mine["leftover_processes"]] == ["sleep 1003"]
    (directory,) = mine["leftover_directories"]
    severities = {one["text"].split(",")[0]: one["severity"] for one in found["problems"] if one["name"] == "george@h1"}  # type: ignore[attr-defined]
    assert sorted(severities.values()) == ["problem", "warning"]
    assert {one["fix"] for one in found["problems"]} == {"python -m glusto clean -c lab.yml"}  # type: ignore[attr-defined]
    assert "sleep 1003" in " ".join(process.args for process in host.processes())
    assert host.execute("test", "-d", directory).returncode == 0

    cleaned = project.run("clean", "-c", "lab.yml")
    assert cleaned.returncode == 0
    assert re.search(r"^(?:root|george)@h1: ended process \d+ \(sleep\): sleep 1003$", cleaned.stdout, re.MULTILINE)
    assert f"george@h1: removed {directory}\n" in cleaned.stdout
    assert "root@h2: clean\n" in cleaned.stdout
    again = project.run("clean", "-c", "lab.yml")
    assert again.returncode == 0
    assert [line.partition(": ")[2] for line in again.stdout.splitlines()] == ["clean"] * 6
    assert checked(project)[0] == 0


def test_what_a_run_that_lives_has_is_not_left_over(project: Project, host: TestHost) -> None:
    with start_something(project) as process:
        assert process.stdout
        process.stdout.readline()
        status, found = checked(project)
        cleaned = project.run("clean", "-c", "lab.yml")
        assert "sleep 1003" in " ".join(process.args for process in host.processes())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert (status, found["problems"]) == (0, [])
    assert {line.partition(": ")[2] for line in cleaned.stdout.splitlines()} == {"clean"}


def test_clean_says_what_it_could_not_reach_and_exits_1(project: Project, fleet: Fleet) -> None:
    fleet.hosts[2].cut()
    try:
        ran = project.run("clean", "-c", "lab.yml")
    finally:
        fleet.hosts[2].heal()
    assert ran.returncode == 1
    assert "root@h1: clean" in ran.stdout
    assert "george@h3: no answer within 3 s" in ran.stdout


def test_a_directory_that_can_not_be_removed_is_named(project: Project, host: TestHost) -> None:
    path = f"/tmp/glusto-{7:016x}"
    host.execute(
        "sh",
        "-c",
        f"mkdir -p {path}/in; touch {path}/lock {path}/in/file; chown -R george {path}; chown root {path}/in",
    )
    try:
        ran = project.run("clean", "-c", "lab.yml", "--set", "users=[george]")
    finally:
        host.execute("rm", "-rf", path)
    assert ran.returncode == 1
    assert f"george@h1: {path} could not be removed" in ran.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_stopped_leaves_nothing(project: Project, fleet: Fleet, number: int) -> None:
    fleet.hosts[2].cut()
    try:
        process = project.start("check", "-c", "lab.yml", "--set", "ssh.connect_timeout=20")
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        process.communicate(timeout=15)
    finally:
        fleet.hosts[2].heal()
    assert process.returncode == 130


def test_the_oldest_python_is_surveyed_too(project: Project, fleet: Fleet) -> None:
    pythons = {tuple(map(int, version.split("."))): path for version, path in fleet.pythons().items()}
    oldest = min(version for version in pythons if version >= (3, 6))
    status, found = checked(project, "--set", f"servers.h1.python={pythons[oldest]}")
    assert status == 0, found["problems"]
    assert found["hosts"]["root@h1"]["python"] == ".".join(map(str, oldest))  # type: ignore[index]
    assert found["hosts"]["root@h1"]["sshd"]["maxsessions"] == "10"  # type: ignore[index]


SCRIPT = """
    import sys
    import time
    from glusto import g

    g.load_configs("lab.yml")
    connection = g.rpyc_get_connection("h1", "george")
    connection.modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)
    print("ready", flush=True)
    import signal
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    while True:
        time.sleep(1)
"""


def start_something(project: Project):  # type: ignore[no-untyped-def]
    project.write("something.py", textwrap.dedent(SCRIPT))
    return project.start(module="something")


def leave_something(project: Project, host: TestHost) -> None:
    """Have a run whose agent and server are killed, and that leaves a process and a directory behind."""
    with start_something(project) as process:
        assert process.stdout.readline() == "ready\n"
        host.execute("pkill", "-KILL", "-f", "^(glusto|deployed)", check=False)
        process.kill()
        process.communicate(timeout=30)
    until(
        lambda: not [one for one in host.processes() if one.args.startswith(("glusto-", "deployed"))],
        10,
        "they are dead",
    )
