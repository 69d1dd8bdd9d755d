"""The matrix, from the side of the runner: fixtures that raise, signals, exits, forks, two runs at once."""

import signal
import time

import pytest

from tests.faults.bench import ALL, BEFORE, FAULT, REACH, Bench, module
from tests.hosts.waiting import until

pytestmark = pytest.mark.live
fault = pytest.mark.fault

LINGER = "mark('ready'); first.modules.time.sleep(1000)"  # within a call
WAIT = "mark('ready'); wait_for('go')"  # in a cleanup of the test's own, ahead of Glusto's


@fault(1, "setUpClass raises after super()", "provisioning")
def test_a_setup_that_raises_leaves_nothing(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, setup="raise RuntimeError('own setup')"))
    bench.settle(run.until("done"), {**BEFORE, "TestFault.setUpClass": "error", "TestLast.test_last": "passed"})
    assert run.finish() == 1


@fault(1, "a test raises", "test")
def test_a_test_that_raises_leaves_nothing(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, test="raise RuntimeError('own test')"))
    bench.settle(run.until("done"), {**ALL, "TestFault.test_2": "error"})
    assert run.finish() == 1


@fault(1, "a cleanup raises", "cleanup")
def test_a_cleanup_that_raises_leaves_nothing(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, clean="raise RuntimeError('own cleanup')"))
    bench.settle(run.until("done"), {**ALL, "TestFault.tearDownClass": "error"})
    assert run.finish() == 1


@fault(1, "tearDownClass raises, without super()", "cleanup")
def test_a_teardown_without_super_that_raises_leaves_nothing(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, teardown="raise RuntimeError('own teardown')"))
    bench.settle(run.until("done"), {**ALL, "TestFault.tearDownClass": "error"})
    assert run.finish() == 1


def signals(when: str) -> list[object]:
    names = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
    return [pytest.param(number, marks=fault(2, name, when), id=name) for number, name in names.items()]


@pytest.mark.parametrize("number", signals("provisioning"))
def test_a_signal_while_hosts_connect_leaves_nothing(bench: Bench, number: signal.Signals) -> None:
    bench.hold_login()
    run = bench.start(module(bench.hosts))
    bench.until_login(run)
    since = run.send(number)
    bench.release_login()
    bench.settle(since, BEFORE)
    assert run.finish() == 130


@pytest.mark.parametrize("number", signals("test"))
def test_a_signal_in_a_test_leaves_nothing(bench: Bench, number: signal.Signals) -> None:
    run = bench.start(module(bench.hosts, test=LINGER))
    run.until("ready")
    bench.settle(run.send(number), {**BEFORE, **FAULT, "TestFault.test_2": "error"})
    assert run.finish() == 130


@pytest.mark.parametrize("number", signals("cleanup"))
def test_a_signal_in_a_cleanup_leaves_nothing(bench: Bench, number: signal.Signals) -> None:
    run = bench.start(module(bench.hosts, clean=WAIT))
    run.until("ready")
    bench.settle(run.send(number), {**BEFORE, **FAULT})
    assert run.finish() == 130


@fault(2, "Ctrl-C, and again while hosts are cleaned", "cleanup")
def test_ctrl_c_again_during_the_cleanup_does_not_end_it(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, test=LINGER))
    run.until("ready")
    bench.signal(bench.hosts[0], "agent root@", "STOP")  # so that the cleanup takes a while
    since = run.send(signal.SIGINT)
    run.until_cleaning(2)
    for _ in range(3):
        run.send(signal.SIGINT)
        time.sleep(0.2)  # a person's fingers
    bench.settle(since, {**BEFORE, **FAULT, "TestFault.test_2": "error"})
    assert run.finish() == 130


EXITS = [
    ("sys.exit(7)", "setup", "provisioning", 1, {"TestFault.setUpClass": "error", "TestLast.test_last": "passed"}),
    ("sys.exit(7)", "test", "test", 1, {**ALL, "TestFault.test_2": "error"}),
    ("sys.exit(7)", "teardown", "cleanup", 1, {**ALL, "TestFault.tearDownClass": "error"}),
    ("os._exit(7)", "setup", "provisioning", 7, {}),
    ("os._exit(7)", "test", "test", 7, {}),
    ("os._exit(7)", "teardown", "cleanup", 7, {}),
]


@pytest.mark.parametrize(
    ("statement", "place", "status", "cases"),
    [
        pytest.param(statement, place, status, cases, marks=fault(2, statement.replace("(7)", ""), phase))
        for statement, place, phase, status, cases in EXITS
    ],
)
def test_an_exit_leaves_nothing(bench: Bench, statement: str, place: str, status: int, cases: dict[str, str]) -> None:
    run = bench.start(module(bench.hosts, **{place: f"mark('exit'); {statement}"}))
    since = run.until("exit")
    if cases:
        since = run.until("done")
    bench.settle(since, {**BEFORE, **cases})
    assert run.finish() == status


KILLED_SECONDS = 5.0  # in which hosts are clean once the runner is killed


@fault(3, "SIGKILL of the runner", "provisioning", hosts=5)
def test_sigkill_while_hosts_connect_leaves_nothing(bench: Bench) -> None:
    bench.hold_login()
    run = bench.start(module(bench.hosts))
    bench.until_login(run)
    since = run.send(signal.SIGKILL)
    bench.release_login()
    bench.settle(since, BEFORE, KILLED_SECONDS)


@fault(3, "SIGKILL of the runner", "test", hosts=5)
def test_sigkill_in_a_test_leaves_nothing(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, test=f"commands = g.run_async(FIRST, 'sleep 1000 & sleep 1000'); {LINGER}"))
    run.until("ready")
    bench.settle(run.send(signal.SIGKILL), BEFORE, KILLED_SECONDS)


@fault(3, "SIGKILL of the runner", "cleanup", hosts=5)
def test_sigkill_in_a_cleanup_leaves_nothing(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, clean=WAIT))
    run.until("ready")
    bench.settle(run.send(signal.SIGKILL), BEFORE, KILLED_SECONDS)


# 12: a runner that forks, or is stopped

FORKS = """
import multiprocessing
def child():
    assert g.rpyc_get_connections() == {}
    assert g.rpyc_get_connection(FIRST, "root").eval("6 * 7") == 42
    assert g.run(FIRST, "id -un", "george").stdout == "george\\n"
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.apply(str, (1,))
children = [multiprocessing.get_context("fork").Process(target=child) for _ in range(2)]
for one in children:
    one.start()
for one in children:
    one.join(20)
    assert one.exitcode == 0, one.exitcode
assert first.eval("6 * 7") == 42
assert not first.closed
"""


@fault(12, "the runner forks (multiprocessing)", "test")
def test_a_childs_exit_does_not_close_its_parents_links(bench: Bench) -> None:
    run = bench.start(module(bench.hosts, test=FORKS))
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output


@fault(12, "the runner forks (pytest-xdist)", "test")
def test_workers_of_xdist_have_links_of_their_own(bench: Bench) -> None:
    text = module(bench.hosts).replace("TestBefore(TestCase)", "TestA(TestCase)")
    words = "-q -p no:cacheprovider --basetemp=pytests-own -n 2 --dist loadscope test_it.py"
    run = bench.start(text, "-c", "lab.yml", "--pytest", words)
    bench.settle(run.until("done"), {"TestA.test_before": "passed", **FAULT, "TestLast.test_last": "passed"})
    assert run.finish() == 0, run.output


@fault(12, "the runner is SIGSTOPped past the dead-man time, and continued", "test")
def test_a_runner_that_was_stopped_connects_again(bench: Bench) -> None:
    bench.configure(dead_man_seconds=1)
    again = "assert g.rpyc_get_connection(FIRST, 'root').eval('6 * 7') == 42"
    run = bench.start(module(bench.hosts, test=f"{WAIT}\n{again}\nassert g.run(SECOND, 'id -un').stdout == 'root\\n'"))
    run.until("ready")
    run.send(signal.SIGSTOP)
    bench.aside |= set(bench.hosts)  # their sshds' sessions last as long as the runner's ssh
    until(lambda: not bench.host_traces(), 10, "the hosts have cleaned themselves")
    bench.aside.clear()
    run.go_on("go")
    run.send(signal.SIGCONT)
    bench.settle(run.until("done"), ALL)
    assert run.finish() == 0, run.output
    assert "connecting again" in run.log()


# 14: the reports


@fault(14, "two runs at once in one report directory", "test")
def test_two_runs_at_once_do_not_overwrite_each_others_reports(bench: Bench) -> None:
    runs = [bench.start(module(bench.hosts, test=WAIT)) for _ in range(2)]

    def in_the_test() -> int:
        return sum('TestFault.test_2"' in path.read_text() for path in bench.project.reports.glob("events-*.jsonl"))

    until(lambda: in_the_test() == 2, REACH, "both are in the test")
    runs[0].go_on("go")
    bench.settle(runs[0].until("done"), ALL)
    assert [run.finish() for run in runs] == [0, 0], runs[1].output
    written = sorted(path.name.partition("-2")[0] for path in bench.project.reports.glob("TEST-*.xml"))
    assert written == sorted(2 * [f"TEST-test_it.{name}" for name in ("TestBefore", "TestFault", "TestLast")])


@fault(14, "SIGKILL of the runner in a later class", "test")
def test_sigkill_between_two_classes_loses_no_finished_class(bench: Bench) -> None:
    run = bench.start(module(bench.hosts).replace('mark("done")', 'mark("last"); time.sleep(1000)'))
    run.until("last")
    bench.settle(run.send(signal.SIGKILL), {**BEFORE, **FAULT})
