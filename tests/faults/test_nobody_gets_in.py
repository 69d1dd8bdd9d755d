"""What another user of a host or of the controller can see, reach and spoil: nothing; nor can a hostile host."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto.errors import ConnectError
from glusto.harness import Harness
from tests.conftest import leaving_no_trace
from tests.faults.bench import Bench
from tests.hosts import Fleet, TestHost
from tests.hosts.waiting import until

pytestmark = pytest.mark.live

SECRET = "correct-horse-battery-staple"
OTHER = "alexander"  # the user who is curious; the tests' are root and george


@pytest.fixture
def g(five: Fleet, private_tmp: Path) -> Iterator[Harness]:
    """A harness for the fleet of five."""
    with leaving_no_trace(five, private_tmp):
        harness = Harness()
        harness.config = five.lab()
        yield harness
        harness.close()


@pytest.fixture
def host(five: Fleet) -> TestHost:
    """The first host."""
    return five.hosts[0]


def directory_of(host: TestHost) -> str:
    """Return the directory that a deployed server has there."""
    (directory,) = host.execute("find", "/tmp", "-maxdepth", "1", "-name", "glusto-*").stdout.split()
    return directory


def refused(host: TestHost, *argv: str) -> str:
    """Run something as the other user, which has to fail; returns what it said."""
    done = host.execute(*argv, user=OTHER, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


# Another user of the host


@pytest.mark.parametrize("user", ["root", "george"])
def test_another_user_of_the_host_can_not_connect_to_the_server(g: Harness, host: TestHost, user: str) -> None:
    g.rpyc_get_connection("h1", user)
    socket = f"{directory_of(host)}/socket"
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    assert "PermissionError" in refused(host, "python3", "-c", connect, socket)
    listening = host.execute("ss", "-Htlnp").stdout.splitlines()
    assert all("sshd" in line for line in listening), "there is a port"
    abstract = [line for line in host.read_text("/proc/net/unix").splitlines() if " @" in line]
    assert abstract == []


@pytest.mark.parametrize("user", ["root", "george"])
def test_another_user_of_the_host_can_not_list_or_change_the_directory(g: Harness, host: TestHost, user: str) -> None:
    g.rpyc_get_connection("h1", user)
    directory = directory_of(host)
    for argv in (("ls", directory), ("cat", f"{directory}/lock"), ("touch", f"{directory}/mine"),
                 ("rm", "-rf", directory), ("mv", directory, "/tmp/away"), ("chmod", "777", directory)):  # fmt: skip
        assert re.search("Permission denied|not permitted", refused(host, *argv))
    assert g.rpyc_get_connection("h1", user).eval("6 * 7") == 42


def test_another_user_of_the_host_sees_no_secret_in_ps_or_proc(g: Harness, host: TestHost) -> None:
    g.config["database"] = {"password": SECRET}
    g.config["servers"]["h1"]["vars"] = {"token": SECRET}
    conn = g.rpyc_get_connection("h1", "george")
    conn.namespace["password"] = SECRET
    g.run("h1", f"cat > /dev/null; sleep 0 # {len(SECRET)}", "george", stdin=SECRET)
    running = g.run_async("h1", "cat > /dev/null; sleep 1005", "george", stdin=SECRET)
    until(lambda: any("sleep 1005" in process.args for process in host.processes()), 10, "the command runs")
    script = (
        "ps -ww -e -o args; for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/fd/*; do cat $file; done"
    )
    seen = host.execute("sh", "-c", script, user=OTHER, check=False)
    assert "glusto-agent george@h1" in seen.stdout  # it does see that we are there, and whose we are
    assert SECRET not in seen.stdout
    environments = "cat /proc/$(pgrep -f '^deployed-rpyc')/environ"
    assert "Permission denied" in refused(host, "sh", "-c", environments)
    running.kill()


def test_names_that_are_planted_on_the_host_are_not_used_and_not_touched(
    g: Harness, host: TestHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [f"{number:016x}" for number in range(1, 20)]
    given = iter(tokens)
    monkeypatch.setattr("glusto.link.secrets.token_hex", lambda size: next(given))  # as if they could be guessed
    plant = """
        mkdir /home/alexander/trap; echo precious > /home/alexander/trap/file
        ln -s /home/alexander/trap /tmp/glusto-0000000000000001
        mkdir -m 777 /tmp/glusto-0000000000000002; echo lock > /tmp/glusto-0000000000000002/lock
        echo file > /tmp/glusto-0000000000000003
        ln -s /nowhere /tmp/glusto-0000000000000004
        ln -s /etc /tmp/glusto-etc
    """
    host.execute("sh", "-c", plant, user=OTHER)
    look = "find /tmp /home/alexander/trap -user alexander -printf '%p %M %s %l\\n' | sort; cat /home/alexander/trap/*"
    before = host.execute("sh", "-c", look).stdout
    places = set()
    try:
        for user in ("root", "george", "root", "george"):
            conn = g.rpyc_get_connection("h1", user)
            assert conn.eval("6 * 7") == 42
            (place,) = host.execute("sh", "-c", "find /tmp /var/tmp -name socket -not -user alexander").stdout.split()
            places.add(place)
            g.ssh_close_connection("h1", user)
        assert all(place.startswith("/var/tmp/") for place in places), "what was planted in /tmp has been used"
        assert host.execute("sh", "-c", look).stdout == before
    finally:
        host.execute("sh", "-c", "rm -rf /tmp/glusto-* /home/alexander/trap")


def test_what_is_abandoned_is_swept_but_nothing_of_another_user_and_nothing_behind_a_link(
    g: Harness, host: TestHost
) -> None:
    plant = """
        mkdir -p -m 700 /tmp/glusto-00000000000000aa; touch /tmp/glusto-00000000000000aa/lock
        ln -s /srv/precious /tmp/glusto-00000000000000cc
    """
    mine = """
        mkdir /srv/precious; touch /srv/precious/lock /srv/precious/file
        mkdir -m 700 /tmp/glusto-00000000000000bb; touch /tmp/glusto-00000000000000bb/lock
        ln -s /srv/precious /tmp/glusto-00000000000000bb/link
        touch -d '2 minutes ago' /tmp/glusto-00000000000000bb /tmp/glusto-00000000000000aa
    """
    host.execute("sh", "-c", plant, user=OTHER)
    host.execute("sh", "-c", mine)
    try:
        g.rpyc_get_connection("h1", "root")
        left = host.execute(
            "sh",
            "-c",
            "cd /tmp; ls -d glusto-*aa glusto-*cc glusto-*bb; ls /srv/precious",
            check=False,
        )
        assert left.stdout.split() == ["glusto-00000000000000aa", "glusto-00000000000000cc", "file", "lock"]
    finally:
        g.close()
        host.execute("sh", "-c", "rm -rf /tmp/glusto-* /srv/precious")


# Another user of the controller

CURIOUS = 65534  # nobody


def as_nobody(*argv: str) -> "subprocess.CompletedProcess[str]":
    """Run something on this machine as a user who is none of ours."""
    words = ["setpriv", f"--reuid={CURIOUS}", f"--regid={CURIOUS}", "--clear-groups", "--", *argv]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)


def test_another_user_of_the_controller_can_not_reach_the_sockets(g: Harness, private_tmp: Path) -> None:
    private_tmp.chmod(0o755)
    g.rpyc_get_connection("h1", "root")
    (directory,) = private_tmp.iterdir()
    sockets = list(directory.iterdir())
    assert sockets
    assert "Permission denied" in as_nobody("ls", str(directory)).stderr
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    for path in sockets:
        assert "PermissionError" in as_nobody("/usr/bin/python3", "-c", connect, str(path)).stderr
        asked = as_nobody("ssh", "-F", "none", "-O", "check", "-o", f"ControlPath={path}", "h1")
        assert asked.returncode != 0
    listening = subprocess.run(["ss", "-Htlnp"], capture_output=True, text=True, check=True).stdout
    assert f"pid={os.getpid()}," not in listening


def test_a_symlink_planted_on_the_controller_is_not_followed(
    g: Harness, private_tmp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap").mkdir()
    names = iter(["aaaa", "bbbb"])
    monkeypatch.setattr(
        "tempfile._RandomNameSequence.__next__", lambda self: next(names)
    )  # as if they could be guessed
    (private_tmp / "glusto-aaaa").symlink_to(tmp_path / "trap")
    g.rpyc_get_connection("h1", "root")
    assert list((private_tmp / "glusto-bbbb").iterdir())
    assert list((tmp_path / "trap").iterdir()) == []
    g.close()
    assert (private_tmp / "glusto-aaaa").is_symlink()
    (private_tmp / "glusto-aaaa").unlink()


SECRETIVE = """
import os, subprocess
from glusto import TestCase, g

class TestSecrets(TestCase):
    servers = ["h1"]
    def test_uses_them(self):
        g.log_config(g.config)
        g.show_config(g.config)
        conn = g.rpyc_get_connection("h1", "root")
        conn.eval("len(%r)" % g.config["database"]["password"])
        g.run("h1", "true --password=" + g.config["database"]["password"])
        g.run("h1", "cat > /dev/null", stdin=g.config["api"]["token"])
    def test_fails_with_one(self):
        g.run("h1", "echo token: " + g.config["api"]["token"] + " >&2; exit 1", check=True)
    def test_is_seen_from_outside(self):
        ps = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c"]
        look = "ps -ww -e -o args; cat /proc/[0-9]*/environ 2>/dev/null"
        seen = subprocess.run([*ps, look], stdout=subprocess.PIPE, text=True).stdout
        assert "glusto" in seen
        with open("seen", "w") as file:
            file.write(seen)
"""


def test_secrets_of_the_config_are_in_no_report_no_log_and_no_output(bench_of_one: Bench) -> None:
    bench = bench_of_one
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\\nc2VjcmV0LWtleS1tYXRlcmlhbA==\\n-----END OPENSSH PRIVATE KEY-----"
    secrets = [SECRET, "tok-3f9a8b7c6d", "c2VjcmV0LWtleS1tYXRlcmlhbA=="]
    bench.configure(database={"password": SECRET}, api={"token": secrets[1], "private_key": key.replace("\\n", "\n")})
    run = bench.start(SECRETIVE, "-c", "lab.yml", "-v")
    assert run.finish() == 1, run.output
    cli = bench.start("", "config", "-c", "lab.yml")
    assert cli.finish() == 0, cli.output
    places = {
        "the terminal": run.output,
        "glusto config": cli.output,
        "what others see in ps": (bench.project.directory / "seen").read_text(),
    }
    places |= {
        path.name: path.read_text(errors="replace") for path in bench.project.reports.iterdir() if path.is_file()
    }
    assert len(places) >= 6, sorted(places)
    lines = [(place, line) for place, text in places.items() for line in text.splitlines()]
    assert [(place, line) for place, line in lines if any(secret in line for secret in secrets)] == []
    assert "***" in cli.output


@pytest.fixture
def bench_of_one(five: Fleet, tmp_path: Path, private_tmp: Path) -> Iterator[Bench]:
    """A bench that is no row of the table."""
    bench = Bench(five, five.hosts[:1], tmp_path, private_tmp)
    try:
        yield bench
    finally:
        bench.close()


# Host keys, and the ssh agent


def test_an_unknown_host_is_accepted_once_and_a_changed_key_is_refused_with_the_way_to_accept_it(
    g: Harness, host: TestHost, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    g.config["ssh"]["options"]["UserKnownHostsFile"] = str(known)
    assert g.run("h1", "true").returncode == 0
    assert host.host_key.split()[1] in known.read_text()
    g.ssh_close_connections()
    known.write_text(f"{host.address} ssh-ed25519 {'A' * 68}\n")
    other = known.read_text().replace("A" * 68, "AAAAC3NzaC1lZDI1NTE5AAAAIJ6ozaoSQCDnDxQBkZFOeCNzKfQKQXBh8X8sFbD0iHuV")
    known.write_text(other)
    with pytest.raises(ConnectError, match="host key has changed") as caught:
        g.rpyc_get_connection("h1")
    assert caught.value.reason == "host key"
    (advice,) = re.findall(r"ssh-keygen -f \S+ -R \S+", str(caught.value))
    subprocess.run(["sh", "-c", advice], check=True, capture_output=True)
    assert g.rpyc_get_connection("h1").eval("6 * 7") == 42


@pytest.mark.parametrize(("forward", "seen"), [(None, "none"), (False, "none"), (True, "agent")])
def test_the_ssh_agent_is_forwarded_only_when_asked_for(
    g: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forward: bool | None, seen: str
) -> None:
    path = f"{g.config['ssh']['keyfile']}.agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as agent:
        try:
            until(lambda: os.path.exists(path), 10, "the agent is there")
            monkeypatch.setenv("SSH_AUTH_SOCK", path)
            if forward is not None:
                g.config["ssh"]["forward_agent"] = forward
            assert g.run("h1", 'test -S "$SSH_AUTH_SOCK" && echo agent || echo none').stdout == f"{seen}\n"
            conn = g.rpyc_get_connection("h1")
            assert bool(conn.eval("__import__('os').environ.get('SSH_AUTH_SOCK')")) == (seen == "agent")
            g.close()
        finally:
            agent.terminate()
    Path(path).unlink(missing_ok=True)


# A hostile host

REACHING = {
    "import a module here": "theirs.__globals__['os'].system('touch {0}')",
    "reach builtins": "theirs.__globals__['__builtins__']['open']('{0}', 'w')",
    "climb through a class": "[c for c in theirs.__class__.__mro__[-1].__subclasses__()]",
    "read a private attribute": "theirs._hidden",
    "set an attribute": "setattr(theirs, 'visible', 'changed')",
    "set a private attribute": "setattr(theirs, '_hidden', 'changed')",
    "delete an attribute": "delattr(theirs, 'visible')",
    "see the code": "theirs.method.__func__.__code__",
    "see the globals of a function": "theirs.method.__globals__",
    "take a module from the root": "conn.root.getmodule('os')",
    "execute at the root": 'conn.root.execute(\'open("{0}", "w")\')',
    "evaluate at the root": 'conn.root.eval(\'open("{0}", "w")\')',
    "ask for a namespace": "dict(conn.root.namespace)",
    "unpickle here": "conn.sync_request(__import__('rpyc').core.consts.HANDLE_PICKLE, theirs, 2)",
    "inspect": "conn.sync_request(__import__('rpyc').core.consts.HANDLE_INSPECT, (('builtins.type', 1, 1),))",
    "our own requests": "conn.sync_request(101, 'os')",
    "our own execute": 'conn.sync_request(102, \'open("{0}", "w")\')',
    "our own evaluate": 'conn.sync_request(103, \'open("{0}", "w")\')',
}


TAKE = """
def take(given):
    global theirs, conn
    theirs = given
    conn = object.__getattribute__(given, '____conn__')
"""


class Handed:
    """What a test hands to a host."""

    visible = "public"

    def __init__(self) -> None:
        self._hidden = SECRET

    def method(self) -> str:
        return "called"


@pytest.mark.parametrize("what", REACHING)
def test_a_host_can_use_what_it_is_handed_and_reach_nothing_else_here(g: Harness, tmp_path: Path, what: str) -> None:
    conn = g.rpyc_get_connection("h1")
    conn.execute(TAKE)
    handed = Handed()
    conn.namespace["take"](handed)
    assert conn.eval("(theirs.visible, theirs.method())") == ("public", "called")
    made = tmp_path / "made"
    with pytest.raises(Exception, match="."):
        conn.execute(f"result = str({REACHING[what].format(made)})\nif not result: raise ValueError(result)")
    assert not made.exists()
    assert vars(handed) == {"_hidden": SECRET} and handed.visible == "public"
    assert SECRET not in conn.eval("repr(globals())")
