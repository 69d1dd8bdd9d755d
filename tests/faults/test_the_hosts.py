"""The matrix, from the side of the hosts: what is killed, cut, rebooted, hung or in the way there."""

import contextlib
import re
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.faults.bench import ALL, BEFORE, FAULT, REACH, USERS, Bench, Run, module
from tests.hosts import TestHost
from tests.hosts.waiting import until

pytestmark = pytest.mark.live
fault = pytest.mark.fault

WAIT = "mark('ready'); wait_for('go')"
USE = "assert g.rpyc_get_connection(FIRST, 'root').eval('6 * 7') == 42"
PHASES = ("provisioning", "test", "cleanup")
SHORT = 5.0  # seconds of a cut that is survived
CONTROLLER_SECONDS = 10.0  # for the cleanup, when a host does not answer
DEAD_MAN = 3.0


def disturbed(bench: Bench, phase: str, disturb: Callable[[TestHost], None], text: dict[str, str] | None = None) -> Run:
    """Start a run and disturb one of its hosts in a phase; the run then goes on.

    While hosts are provisioned that is the second, which has its server already.
    """
    places = {"test": {"test": f"{WAIT}\n{USE}"}, "cleanup": {"clean": WAIT}}.get(phase, {})
    if phase == "provisioning":
        bench.hold_login()
    run = bench.start(module(bench.hosts, **{**places, **(text or {})}))
    if phase == "provisioning":
        bench.until_login(run)
        disturb(bench.hosts[1])
        bench.release_login()
    else:
        run.until("ready")
        disturb(bench.hosts[0])
        run.go_on("go")
    return run


# 4: what is killed there


@pytest.mark.parametrize(
    ("victim", "phase"),
    [
        pytest.param(victim, phase, marks=fault(4, f"SIGKILL of {name}", phase))
        for victim, name in (
            ("deployed-rpyc root@", "the deployed server"),
            ("agent root@", "the agent"),
            ("(agent|deployed-rpyc) root@", "both at once"),
        )
        for phase in PHASES
    ],
)
def test_what_is_killed_on_a_host_is_replaced(bench: Bench, victim: str, phase: str) -> None:
    run = disturbed(bench, phase, lambda host: bench.signal(host, victim, "KILL"))
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output


@fault(4, "SIGKILL of both and of the runner, then glusto clean", "test")
def test_what_is_left_when_all_are_killed_is_removed_by_the_verb_clean(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, test=WAIT))
    run.until("ready")
    first, second = bench.hosts
    bench.kill_all(run)
    left = [trace for trace in bench.host_traces() if "/glusto-" in trace]
    assert any(first.name in trace for trace in left) and any(second.name in trace for trace in left)
    cleaner = bench.start("", "clean", "-c", "lab.yml")
    assert cleaner.finish() == 0, cleaner.output
    assert f"root@{first.name}" in cleaner.output and "/glusto-" in cleaner.output
    bench.settle(cleaner.started, BEFORE)
    again = bench.start("", "clean", "-c", "lab.yml")
    assert again.finish() == 0
    assert "/glusto-" not in again.output


@fault(4, "SIGKILL of both and of the runner, then the next run", "test")
def test_what_is_left_when_all_are_killed_is_swept_by_the_next_run(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, test=WAIT))
    run.until("ready")
    bench.kill_all(run)
    assert any("/glusto-" in trace for trace in bench.host_traces())
    again = bench.start(module(bench.hosts).replace("TestBefore", "TestAgain"), "-c", "lab.yml", "--reports", "again")
    assert again.finish() == 0, again.output
    bench.settle(again.started, BEFORE)


# 5: the network


@fault(5, "network cut for good", "provisioning")
def test_a_cut_while_hosts_connect_is_an_error_in_bounded_time(bench: Bench) -> None:
    bench.configure(dead_man_seconds=DEAD_MAN, ssh={"connect_timeout": 1})
    bench.hold_login()
    run = bench.start(module(bench.hosts, last="", top="import glusto.link; glusto.link.LOGIN_SECONDS = 1"))
    bench.until_login(run)
    since = cut_off(bench, bench.hosts[0])
    bench.release_login()
    bench.settle(since, {**BEFORE, "TestFault.setUpClass": "error"})
    assert run.finish() == 3, run.output


@fault(5, "network cut for good", "test")
def test_a_cut_in_a_test_is_told_and_the_host_cleans_itself(bench: Bench) -> None:
    bench.configure(dead_man_seconds=DEAD_MAN, ssh={"connect_timeout": 1})
    lost = "assert g.run(FIRST, 'true').error is not None"
    run = bench.start(module(bench.hosts, test=f"{WAIT}\n{lost}\nmark('lost')", last=""))
    run.until("ready")
    since = cut_off(bench, bench.hosts[0])
    run.go_on("go")
    lost_at = run.until("lost")
    bench.settle(since, {**BEFORE, **FAULT, "TestFault.tearDownClass": "error"})
    assert run.finish() == 3, run.output
    assert bench.seconds["controller"] - (lost_at - since) < CONTROLLER_SECONDS
    assert f"root@{bench.hosts[0].name}: it can't be confirmed that it is clean" in run.output


@fault(5, "network cut for good", "cleanup")
def test_a_cut_in_a_cleanup_is_told_and_the_host_cleans_itself(bench: Bench) -> None:
    bench.configure(dead_man_seconds=DEAD_MAN)
    run = bench.start(module(bench.hosts, clean=WAIT, last=""))
    run.until("ready")
    since = cut_off(bench, bench.hosts[0])
    run.go_on("go")
    bench.settle(since, {**BEFORE, **FAULT, "TestFault.tearDownClass": "error"})
    assert run.finish() == 3, run.output
    assert bench.seconds["controller"] < CONTROLLER_SECONDS
    assert f"root@{bench.hosts[0].name}: it can't be confirmed that it is clean" in run.output


def cut_off(bench: Bench, host: TestHost) -> float:
    """Cut a host off for good; of what is left there sshd's own sessions don't count. Returns when that was."""
    bench.aside.add(host)
    host.cut()
    return time.monotonic()


@pytest.mark.parametrize(
    "phase", [pytest.param(phase, marks=fault(5, "network cut for 5 s", phase)) for phase in PHASES]
)
def test_a_short_cut_is_survived(bench: Bench, phase: str) -> None:
    run = disturbed(bench, phase, TestHost.cut)  # what it does next it does without a network
    time.sleep(SHORT)  # how long the cut is
    for host in bench.hosts:
        host.heal()
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output


# 6: hosts that go down and come back


def restart_sshd(host: TestHost) -> None:
    host.kill_sshd()
    host.start_sshd()


DOWN = {"host rebooted": TestHost.reboot, "sshd killed and started again": restart_sshd}


@pytest.mark.parametrize(
    ("bring_down", "phase"),
    [pytest.param(act, phase, marks=fault(6, name, phase)) for name, act in DOWN.items() for phase in PHASES],
)
def test_a_host_that_comes_back_is_connected_again(
    bench: Bench, bring_down: Callable[[TestHost], None], phase: str
) -> None:
    run = disturbed(bench, phase, bring_down)
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output
    if phase != "cleanup":
        assert "connecting again" in run.log()


@fault(6, "host rebooted before a command", "test")
def test_the_next_command_connects_again(bench: Bench) -> None:
    run = bench.start(
        module(bench.hosts, test=f"{WAIT}\nassert g.run(FIRST, 'id -un', 'george').stdout == 'george\\n'")
    )
    run.until("ready")
    bench.hosts[0].reboot()
    run.go_on("go")
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output
    assert f"george@{bench.hosts[0].name}: connecting again" in run.log()


@pytest.mark.parametrize(
    "bring_down", [pytest.param(act, marks=fault(6, f"{name}, a call in flight", "test")) for name, act in DOWN.items()]
)
def test_a_call_in_flight_says_that_the_link_was_lost(bench: Bench, bring_down: Callable[[TestHost], None]) -> None:
    bench.configure(dead_man_seconds=DEAD_MAN)
    call = """
        mark('ready')
        from glusto.errors import LinkLostError
        try:
            first.modules.time.sleep(1000)
        except LinkLostError as error:
            assert FIRST in str(error) and "link was lost" in str(error) or "nothing was heard" in str(error), error
        else:
            raise AssertionError("it went on")
    """
    run = bench.start(module(bench.hosts, test=f"{textwrap.dedent(call)}\nwait_for('go')\n{USE}"))
    run.until("ready")
    bring_down(bench.hosts[0])
    run.go_on("go")
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output


# 7: what hangs there for good

HANG = "import rpyc; hung = rpyc.async_({}); g.hung = hung({})"
HUNG = {
    "server blocked in C": HANG.format("first.modules.ctypes.PyDLL(None).sleep", "1000"),
    "server ignores all signals": "libc = first.modules.ctypes.PyDLL(None); [libc.signal(n, 1) for n in range(1, 65)]; "
    + HANG.format("first.modules.ctypes.PyDLL(None).sleep", "1000"),
    "server SIGSTOPped": HANG.format("first.modules.os.kill", "first.modules.os.getpid(), 19"),
    "agent SIGSTOPped": "first.modules.os.kill(first.modules.os.getppid(), 19)",
}
PLACES = {"provisioning": "setup", "test": "test", "cleanup": "teardown"}


@pytest.mark.parametrize(
    ("hang", "phase"),
    [pytest.param(text, phase, marks=fault(7, name, phase)) for name, text in HUNG.items() for phase in PHASES],
)
def test_what_hangs_is_killed_in_bounded_time(bench: Bench, hang: str, phase: str) -> None:
    first = "first = g.rpyc_get_connection(FIRST, 'root')\n" if phase == "provisioning" else ""
    cases = ALL
    if phase == "provisioning":  # no test gets an answer of that host, and one that waits is interrupted
        hang += "; raise RuntimeError('own setup')"
        cases = {**BEFORE, "TestFault.setUpClass": "error", "TestLast.test_last": "passed"}
    text = {PLACES[phase]: f"{first}{hang}"}
    text["clean"] = "mark('cleaning')"
    run = bench.start(module(bench.hosts, **text))
    since = run.until("cleaning")
    assert run.until("done") - since < CONTROLLER_SECONDS
    bench.settle(since, cases)
    assert run.finish() == (1 if phase == "provisioning" else 0), run.output


# 8: children that remote code leaves

POPEN = "first.modules.subprocess.Popen({})"
DAEMON = (  # it detaches as daemons do, and keeps its environment
    "first.execute('import os\\nif os.fork() == 0:\\n os.setsid()\\n"
    ' if os.fork() == 0: os.execvp("sleep", ["sleep", "1003"])\\n os._exit(0)\\n'
    'while os.system("pgrep -fx sleep.1003 > /dev/null"): pass\')'
)
STRAYS = {
    "child in a session of its own": POPEN.format("['sleep', '1003'], start_new_session=True"),
    "child that became a daemon": DAEMON,
}


@pytest.mark.parametrize(
    "phase", [pytest.param(phase, marks=fault(8, "child in the server's process group", phase)) for phase in PHASES]
)
def test_a_child_in_the_servers_group_is_killed(bench: Bench, phase: str) -> None:
    first = "first = g.rpyc_get_connection(FIRST, 'root')\n" if phase == "provisioning" else ""
    child = POPEN.format("['sleep', '1003']")
    run = bench.start(module(bench.hosts, **{PLACES[phase]: first + child}))
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output


@pytest.mark.parametrize(
    ("stray", "phase"),
    [pytest.param(text, phase, marks=fault(8, name, phase)) for name, text in STRAYS.items() for phase in PHASES],
)
def test_a_child_that_left_is_reported_by_name_and_killed(bench: Bench, stray: str, phase: str) -> None:
    first = "first = g.rpyc_get_connection(FIRST, 'root')\n" if phase == "provisioning" else ""
    run = bench.start(module(bench.hosts, **{PLACES[phase]: first + stray}))
    bench.settle(run.until("done"), {**ALL, "TestFault.tearDownClass": "error"})
    assert run.finish() == 3, run.output
    assert re.search(rf"root@{bench.hosts[0].name}: process \d+ \(sleep\) was left: sleep 1003", run.output)


@fault(8, "child in a session of its own, its server killed", "test")
def test_a_child_of_a_server_that_was_killed_is_reported_and_killed(bench: Bench) -> None:
    stray = STRAYS["child in a session of its own"]
    run = bench.start(module(bench.hosts, test=f"{stray}\n{WAIT}\n{USE}"))
    run.until("ready")
    bench.signal(bench.hosts[0], "deployed-rpyc root@", "KILL")
    until(lambda: not any("sleep 1003" in trace for trace in bench.host_traces()), REACH, "the child is dead")
    run.go_on("go")
    bench.settle(run.until("done"), {**ALL, "TestFault.tearDownClass": "error"})
    assert run.finish() == 3, run.output
    assert re.search(rf"root@{bench.hosts[0].name}: process \d+ \(sleep\) was left: sleep 1003", run.output)


@pytest.mark.xfail(strict=True, reason="nothing tells it from a daemon of the host's own; docs/faults.rst")
@fault(8, "daemon with an environment of its own", "test")
def test_a_daemon_that_hides_is_reported_and_killed(bench: Bench) -> None:
    hidden = DAEMON.replace("os.execvp(", "os.execve(").replace('"sleep", ["sleep"', '"/bin/sleep", ["sleep"')
    run = bench.start(module(bench.hosts, test=hidden.replace('"1003"])', '"1003"], {})')))
    bench.settle(run.until("done"), {**ALL, "TestFault.tearDownClass": "error"}, 3)


LEAVER = (  # it leaves when it is told to end, and is given the time because the server does not end at once
    "leave = 'trap \"setsid sleep 1003 & exit\" TERM; touch /run/leaver; while :; do sleep 0.02; done'\n"
    "first.modules.subprocess.Popen(['bash', '-c', leave])\n"
    "while not first.modules.os.path.exists('/run/leaver'): pass\n"
    "first.modules.ctypes.PyDLL(None).signal(15, 1)"
)


@fault(8, "child that leaves when the server is ended", "cleanup")
def test_a_child_that_leaves_during_the_cleanup_is_reported_and_killed(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, teardown=LEAVER, last="", clean="mark('done')"))
    bench.settle(run.until("done"), {**BEFORE, **FAULT, "TestFault.tearDownClass": "error"})
    bench.hosts[0].execute("rm", "/run/leaver")
    assert run.finish() == 3, run.output
    assert "(sleep) was left: sleep 1003" in run.output


@fault(8, "child in a session of its own, keep_residue: true", "test")
def test_a_child_that_is_to_be_kept_is_reported_and_lives(bench: Bench) -> None:
    bench.configure(keep_residue=True)
    run = bench.start(module(bench.hosts, test=STRAYS["child in a session of its own"]))
    since = run.until("done")
    assert run.finish() == 3, run.output
    (told,) = set(re.findall(rf"root@{bench.hosts[0].name}: process (\d+) \(sleep\) was left: sleep 1003", run.output))
    assert [process.pid for process in bench.hosts[0].processes() if process.args == "sleep 1003"] == [int(told)]
    bench.hosts[0].execute("kill", told)
    bench.settle(since, {**ALL, "TestFault.tearDownClass": "error"})


# 9: what remote code does to its server

MISCHIEF = {
    "prints 100 MB": "first.execute('for _ in range(100): print(\"x\" * (1 << 20))')",
    "closes its stdout": "first.execute('import os; os.close(1); os.close(2)')",
    "chdirs, and removes where it is": "os = first.modules.os; [do('/tmp/x') for do in (os.mkdir, os.chdir, os.rmdir)]",
    "changes its environment": 'first.execute(\'import os; os.environ.clear(); os.environ["PATH"] = "/nowhere"\')',
    "forks": "first.execute('import os, time\\nif os.fork() == 0: time.sleep(1000)')",
    "forks, and both answer": "first.modules.os.fork()",
}


@pytest.mark.parametrize(
    "mischief",
    [
        pytest.param(text, marks=fault(9, f"remote code that {name}", "test"), id=name)
        for name, text in MISCHIEF.items()
    ],
)
def test_a_server_survives_its_code_or_is_replaced(bench: Bench, mischief: str) -> None:
    run = bench.start(module(bench.hosts, test=mischief))
    bench.settle(run.until("done"), ALL, 60)
    assert run.finish() == 0, run.output


# 10: hosts that are in the way


@contextlib.contextmanager
def mounted(host: TestHost, places: Iterable[str], options: str) -> Iterator[None]:
    """Have file systems mounted there, in the place of what was there."""
    for place in places:
        host.execute("mount", "-t", "tmpfs", "-o", options, "in-the-way", place)
    try:
        yield
    finally:
        for place in places:
            host.execute("umount", place)


@pytest.mark.parametrize(
    ("options", "places"),
    [
        pytest.param("ro", ["/tmp"], marks=fault(10, "read-only /tmp", "provisioning")),
        pytest.param("mode=1777,nr_inodes=1", ["/tmp"], marks=fault(10, "full /tmp", "provisioning")),
        pytest.param("ro", ["/tmp", "/var/tmp"], marks=fault(10, "read-only /tmp and /var/tmp", "provisioning")),
    ],
)
def test_another_directory_is_found(bench: Bench, options: str, places: list[str]) -> None:
    with mounted(bench.hosts[0], places, options):
        run = bench.start(module(bench.hosts))
        bench.settle(run.until("done"), ALL)
        assert run.finish() == 0, run.output


@fault(10, "no writable directory at all", "provisioning")
def test_that_there_is_no_directory_is_said(bench: Bench) -> None:
    places = ["/tmp", "/var/tmp", "/dev/shm", "/root", "/home/george"]
    with bench.sshd(""), mounted(bench.hosts[0], places, "ro"):
        run = bench.start(module(bench.hosts), "-c", "lab.yml", "test_it.TestFault")
        assert run.finish() == 3, run.output
        bench.settle(run.started, {"TestFault.setUpClass": "error"})
    for user in USERS:
        assert re.search(rf"{user}@h1: .*/tmp: Read-only file system; /var/tmp: Read-only file system", run.output), (
            run.output
        )


LOGINS = {  # what is done to george's account there → what undoes it
    "HOME missing": ("mv /home/george /srv/george", "mv /srv/george /home/george"),
    "rc file that prints": ("echo 'echo hello; echo there >&2' > /home/george/.bashrc", "rm /home/george/.bashrc"),
    "rc file that waits for a line of input": ("echo 'read x' > /home/george/.bashrc", "rm /home/george/.bashrc"),
}
SSHD = ("MaxSessions 1", "AllowStreamLocalForwarding no", "DisableForwarding yes")


@pytest.mark.parametrize(
    ("do", "undo"),
    [pytest.param(*both, marks=fault(10, name, "provisioning"), id=name) for name, both in LOGINS.items()],
)
def test_an_odd_account_is_enough(bench: Bench, do: str, undo: str) -> None:
    with bench.sshd(""):
        bench.hosts[0].execute("sh", "-c", do)
        try:
            run = bench.start(module(bench.hosts))
            bench.settle(run.until("done"), ALL)
            assert run.finish() == 0, run.output
        finally:
            bench.hosts[0].execute("sh", "-c", undo)


@pytest.mark.parametrize("settings", [pytest.param(text, marks=fault(10, text, "provisioning")) for text in SSHD])
def test_a_strict_sshd_is_enough(bench: Bench, settings: str) -> None:
    with bench.sshd(settings):
        run = bench.start(module(bench.hosts))
        bench.settle(run.until("done"), ALL)
        assert run.finish() == 0, run.output


@fault(10, "an rc file that waits for ever", "provisioning")
def test_a_login_that_never_ends_is_an_error_in_bounded_time(bench: Bench) -> None:
    bench.configure(ssh={"connect_timeout": 1})
    bench.hold_login()
    text = module(bench.hosts, last="", top="import glusto.link; glusto.link.LOGIN_SECONDS = 1")
    run = bench.start(text)
    assert run.finish() == 3, run.output
    bench.release_login()
    bench.settle(run.started, {**BEFORE, "TestFault.setUpClass": "error"})
    assert "Does an rc file wait for input?" in run.output


@fault(10, "a user whose shell is nologin", "provisioning")
def test_a_user_without_a_shell_is_an_error_that_says_so(bench: Bench) -> None:
    bench.hosts[0].execute("usermod", "--shell", "/usr/sbin/nologin", "george")
    try:
        run = bench.start(module(bench.hosts, last=""))
        assert run.finish() == 3, run.output
        bench.settle(run.started, {**BEFORE, "TestFault.setUpClass": "error"})
    finally:
        bench.hosts[0].execute("usermod", "--shell", "/bin/bash", "george")
    assert "george@h1: the login shell ended with exit status 1. Can this user run commands?" in run.output


# 11: one of five


def servers(host: TestHost) -> list[str]:
    """Return the deployed servers that run there."""
    return [process.args for process in host.processes() if "deployed-rpyc" in process.args]


@fault(11, "one host of five does not answer when it is cleaned", "cleanup", hosts=5)
def test_one_host_that_fails_to_clean_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.configure(dead_man_seconds=DEAD_MAN)
    run = bench.start(module(bench.hosts, clean=WAIT, last=""))
    run.until("ready")
    *others, fifth = bench.hosts
    since = cut_off(bench, fifth)
    run.go_on("go")
    until(lambda: not any(map(servers, others)), CONTROLLER_SECONDS, "the other four have no server any more")
    assert servers(fifth)
    bench.settle(since, {**BEFORE, **FAULT, "TestFault.tearDownClass": "error"})
    assert run.finish() == 3, run.output
    assert set(re.findall(r"(\w+@h\d): it can't be confirmed", run.output)) == {
        f"{user}@{fifth.name}" for user in USERS
    }


# 13: a command that takes too long


@fault(13, "run(..., timeout=1) on `sleep 1000 & sleep 1000`", "test")
def test_a_command_past_its_timeout_is_dead_with_its_children(bench: Bench) -> None:
    body = """
        from glusto.errors import CommandTimeout
        began = time.monotonic()
        try:
            g.run(FIRST, 'sleep 1004 & sleep 1004', timeout=1)
        except CommandTimeout:
            assert 1 <= time.monotonic() - began < 3, time.monotonic() - began
        else:
            raise AssertionError("it went on")
        assert "sleep 1004" not in g.run(SECOND, "true").stdout + first.modules.subprocess.getoutput("ps -e -o args")
    """
    run = bench.start(module(bench.hosts, test=textwrap.dedent(body)))
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output
