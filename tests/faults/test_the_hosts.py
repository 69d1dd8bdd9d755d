"""The matrix, from the side of the hosts: what is killed, cut, rebooted, hung or in the way there."""

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.bench import ALL, BEFORE, FAULT, Bench, Run, module
from tests.hosts import TestHost

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
    run = bench.start(module(bench.hosts, **{**places, **(text or {})}))  # type: ignore[arg-type]
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
    run = bench.start(module(bench.hosts, last=False, top="import glusto.link; glusto.link.LOGIN_SECONDS = 1"))
    bench.until_login(run)
    cut_off(bench, bench.hosts[0])
    bench.release_login()
    bench.settle(run.started, {**BEFORE, "TestFault.setUpClass": "error"})
    assert run.finish() == 3, run.output


@fault(5, "network cut for good", "test")
def test_a_cut_in_a_test_is_told_and_the_host_cleans_itself(bench: Bench) -> None:
    bench.configure(dead_man_seconds=DEAD_MAN, ssh={"connect_timeout": 1})
    lost = "assert g.run(FIRST, 'true').error is not None"
    run = bench.start(module(bench.hosts, test=f"{WAIT}\n{lost}\nmark('lost')", last=False))
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
    run = bench.start(module(bench.hosts, clean=WAIT, last=False))
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


@pytest.mark.parametrize("phase", [pytest.param(phase, marks=fault(5, "network cut for 5 s", phase)) for phase in PHASES])
def test_a_short_cut_is_survived(bench: Bench, phase: str) -> None:
    def cut(host: TestHost) -> None:
        host.cut()
        time.sleep(SHORT)  # how long the cut is
        host.heal()

    run = disturbed(bench, phase, cut)
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output
