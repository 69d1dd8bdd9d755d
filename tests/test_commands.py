"""What `run` and its kin mean, sentence by sentence, on real hosts and here."""

import concurrent.futures
import gc
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from glusto.errors import (
    CommandFailed,
    CommandTimeout,
    ConfigError,
    ConnectError,
    HostError,
    LinkLostError,
    ParallelError,
)
from glusto.harness import Harness
from tests.hosts import Fleet, TestHost
from tests.hosts.waiting import until

pytestmark = pytest.mark.live

HOSTS = ["h1", "h2", "h3"]
PROJECT = Path(__file__).parents[1]


def runs(host: TestHost, args: str) -> list[int]:
    return [process.pid for process in host.processes() if process.args == args]


# What comes back


def test_a_result_is_return_code_stdout_and_stderr(g: Harness, user: str) -> None:
    result = g.run("h1", "id -un; hostname >&2; exit 3", user)
    returncode, stdout, stderr = result
    assert (returncode, stdout, stderr) == (3, f"{user}\n", "h1\n")
    assert (result.returncode, result.stdout, result.stderr, result.error) == (3, f"{user}\n", "h1\n", None)


def test_output_is_text_never_stripped_and_empty_when_there_is_none(g: Harness) -> None:
    assert g.run("h1", "true") == (0, "", "")
    assert g.run("h1", r"printf '\n  a \t\n\n'; printf '\r\n b' >&2") == (0, "\n  a \t\n\n", "\r\n b")
    assert g.run("h1", "echo äöü € 🐍").stdout == "äöü € 🐍\n"


def test_invalid_utf8_is_replaced(g: Harness) -> None:
    assert g.run("h1", r"printf 'a\377b\303'; printf '\200' >&2") == (0, "a\ufffdb\ufffd", "\ufffd")
    assert g.run("h1", r"printf 'a\000b'").stdout == "a\0b"


def test_stderr_holds_the_commands_own_and_nothing_else(g: Harness, host: TestHost, tmp_path: Path) -> None:
    host.execute("sh", "-c", "echo Trespassers will be shot > /etc/banner")
    host.configure_sshd("Banner /etc/banner\nPrintMotd yes")
    g.config["ssh"]["options"]["UserKnownHostsFile"] = str(tmp_path / "new")  # ssh says "Permanently added …"
    assert g.run(host.name, "echo mine >&2") == (0, "", "mine\n")
    assert (tmp_path / "new").exists()
    assert [g.run(host.name, "true", "george").stderr for _ in range(3)] == ["", "", ""]


@pytest.mark.parametrize("code", [1, 2, 126, 127, 128, 254, 255])
def test_any_return_code_is_the_commands_own_and_nothing_is_retried(g: Harness, scratch: str, code: int) -> None:
    result = g.run("h1", f"echo again >> {scratch}/tries; exit {code}")
    assert result == (code, "", "") and result.error is None
    assert g.run("h1", f"cat {scratch}/tries").stdout == "again\n"


def test_a_command_that_is_not_there_is_the_shells_business(g: Harness) -> None:
    returncode, stdout, stderr = g.run("h1", "no-such-command")
    assert (returncode, stdout) == (127, "")
    assert "no-such-command: command not found" in stderr


def test_a_command_ended_by_a_signal_returns_128_and_more(g: Harness) -> None:
    assert g.run("h1", "kill -KILL $$").returncode == 128 + signal.SIGKILL
    assert g.run("h1", "kill -TERM $$").returncode == 128 + signal.SIGTERM


# What the shell gets


@pytest.mark.parametrize(
    ("command", "stdout"),
    [
        ("echo one\necho two\n", "one\ntwo\n"),
        ("x='a  b'; echo \"$x\" '$x' \\$x", "a  b $x $x\n"),
        ("echo `echo back` $(echo dollar) {a,b} {} %s 100%", "back dollar a b {} %s 100%\n"),
        ("echo 'it''s' \"it's\" '\"'", "its it's \"\n"),
        ("for i in 1 2; do\n  echo $((i * 2))\ndone", "2\n4\n"),
        ("cat <<'END'\n$HOME `x`\nEND", "$HOME `x`\n"),
        ("echo '#' # a comment", "#\n"),
        ("echo ~; cd /; pwd", "/root\n/\n"),
        ("echo a | tr a b && false || echo c", "b\nc\n"),
        ("", ""),
        ("echo -n -e 'x\\ty'", "x\ty"),
        ("echo ÄÖÜ | wc -c", "7\n"),
    ],
)
def test_the_command_is_passed_on_as_it_is(g: Harness, command: str, stdout: str) -> None:
    assert g.run("h1", command) == (0, stdout, "")


@pytest.mark.parametrize("words", [["echo", "a", "b"], ("echo", "a", "b"), ["echo 'a", "b' |", "cat"]])
def test_a_list_is_joined_with_spaces(g: Harness, words: list[str]) -> None:
    assert g.run("h1", words).stdout == "a b\n"
    assert g.run_async("h1", words).async_communicate().stdout == "a b\n"
    assert g.run_parallel(["h1"], words)["h1"].stdout == "a b\n"
    assert g.run_local(words).stdout == "a b\n"


def test_the_shell_is_the_users_login_shell(g: Harness, host: TestHost) -> None:
    assert g.run("h1", "echo $0", "george").stdout == "bash\n"
    host.execute("usermod", "--shell", "/bin/dash", "alexander")
    try:
        assert g.run("h1", "echo $0", "alexander").stdout == "dash\n"
    finally:
        host.execute("usermod", "--shell", "/bin/bash", "alexander")


def test_stdin_is_at_its_end_and_there_is_no_tty(g: Harness, user: str) -> None:
    assert g.run("h1", "cat; read x; echo $?; tty; tty <&1", user).stdout == "1\nnot a tty\nnot a tty\n"
    assert g.run("h1", "echo > /dev/tty", user).returncode != 0


@pytest.mark.parametrize("stdin", ["two\nlines", b"two\nlines"])
def test_stdin_is_what_was_given(g: Harness, stdin: str | bytes, user: str) -> None:
    assert g.run("h1", "cat", user, stdin=stdin).stdout == "two\nlines"
    assert g.run("h1", "cat", user, stdin="").stdout == ""
    assert g.run_async("h1", "wc -c", user, stdin="äö").async_communicate().stdout == "4\n"


def test_stdin_that_nobody_reads_does_no_harm(g: Harness) -> None:
    assert g.run("h1", "exit 4", stdin=b"x" * 10_000_000).returncode == 4
    assert g.run("h1", "head -c 3", stdin=b"x" * 10_000_000) == (0, "xxx", "")
    assert g.run("h1", "exec <&-; sleep 0.2; echo done", stdin=b"x" * 10_000_000) == (0, "done\n", "")


def test_20_megabytes_go_in_and_come_out(g: Harness) -> None:
    data = bytes(range(32, 127)) * (20_000_000 // 95)
    result = g.run("h1", "tee /dev/stderr", stdin=data)
    assert result.returncode == 0
    assert result.stdout.encode() == data  # not in an assert that would show 20 MB
    assert len(result.stderr) == len(data)
    assert g.run("h1", "wc -c", stdin=data).stdout == f"{len(data)}\n"


def without_own_signals(text: str) -> list[str]:
    """The lines, with the C library's own two signals, 32 and 33, not ignored: posix_spawn leaves them so."""
    own = 0b11 << 31
    return re.sub(r"(?<=SigIgn:\t)\w+", lambda mask: f"{int(mask[0], 16) & ~own:016x}", text).splitlines()


def test_it_is_the_environment_that_ssh_gives(g: Harness, fleet: Fleet, user: str) -> None:
    look = (
        "env | grep -v ^SSH_ | LC_ALL=C sort; pwd; umask; ulimit -a; id; echo $-;"
        "grep -E '^(Sig(Blk|Ign|Cgt)|NoNewPrivs|Seccomp|Cap...):' /proc/self/status; ls /proc/self/fd"
    )
    by_ssh = subprocess.run(
        ["ssh", "-F", fleet.ssh_config, f"{user}@h1", look],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    ours = g.run("h1", look, user).stdout
    assert without_own_signals(ours) == without_own_signals(by_ssh.stdout)
    assert g.run("h1", "echo ${SSH_CONNECTION%% *}", user).stdout == f"{fleet.hosts[0].address.rpartition('.')[0]}.1\n"


# When it comes back


def test_it_waits_for_stdout_and_stderr_to_be_closed_as_sshd_does(g: Harness) -> None:
    started = time.monotonic()
    assert g.run("h1", "sleep 1 & echo x") == (0, "x\n", "")
    assert time.monotonic() - started >= 1
    started = time.monotonic()
    assert g.run("h1", "(sleep 0.6; echo late >&2) & echo x") == (0, "x\n", "late\n")
    assert g.run("h1", "sleep 2 > /dev/null 2>&1 & echo x") == (0, "x\n", "")
    assert time.monotonic() - started < 1.6


def test_output_closed_early_does_not_end_it(g: Harness) -> None:
    assert g.run("h1", "exec >&- 2>&-; sleep 0.3; exit 9") == (9, "", "")


def test_a_timeout_kills_the_command_and_its_children_on_the_host(g: Harness, host: TestHost, user: str) -> None:
    started = time.monotonic()
    with pytest.raises(CommandTimeout, match=rf"{user}@h1: .*took longer than its timeout") as caught:
        g.run(host.name, "echo before; echo why >&2; sleep 1000 & sleep 1000", user, timeout=0.5)
    assert 0.5 <= time.monotonic() - started < 2.5
    assert runs(host, "sleep 1000") == []
    assert (caught.value.stdout, caught.value.stderr) == ("before\n", "why\n")
    assert g.run(host.name, "id -un", user, timeout=5) == (0, f"{user}\n", "")


def test_a_timeout_kills_what_ignores_signals(g: Harness, host: TestHost) -> None:
    with pytest.raises(CommandTimeout):
        g.run(host.name, "trap '' TERM HUP INT; sleep 1001; sleep 1001", timeout=0.3)
    assert runs(host, "sleep 1001") == []


def test_a_command_killed_by_its_timeout_times_out_for_whoever_waits(g: Harness) -> None:
    process = g.run_async("h1", "sleep 1000", timeout=0.3)
    for _ in range(2):
        with pytest.raises(CommandTimeout):
            process.async_communicate()


def test_the_commands_of_a_harness_end_with_it(g: Harness, host: TestHost) -> None:
    process = g.run_async(host.name, "sleep 1002 & sleep 1002", "george")
    until(lambda: len(runs(host, "sleep 1002")) == 2, 5, "the command runs")
    g.close()
    assert runs(host, "sleep 1002") == []
    assert process.async_communicate().returncode == 255
    assert isinstance(process.async_communicate().error, HostError)


def test_a_command_is_dead_when_the_link_is_lost(g: Harness, host: TestHost) -> None:
    process = g.run_async(host.name, "echo so far; sleep 1003 & sleep 1003", "george")
    until(lambda: len(runs(host, "sleep 1003")) == 2, 5, "the command runs")
    host.kill_sshd()
    result = process.async_communicate(10)
    host.start_sshd()
    assert (result.returncode, result.stdout) == (255, "so far\n")
    assert isinstance(result.error, LinkLostError)
    until(lambda: runs(host, "sleep 1003") == [], 5, "the command is dead")


# Hosts that are not there


def test_an_unreachable_host_is_255_and_why(g: Harness, host: TestHost) -> None:
    host.kill_sshd()
    try:
        result = g.run("h1", "true", "george")
        assert result == (255, "", str(result.error))
        assert result.stderr.startswith("george@h1: nothing listens on port 22")
        assert isinstance(result.error, ConnectError) and result.error.reason == "refused"
        assert g.run_async("h1", "true", "george").async_communicate() == result
        with pytest.raises(ConnectError, match="george@h1: nothing listens"):
            g.run("h1", "true", "george", check=True)
    finally:
        host.start_sshd()
    assert g.run("h1", "id -un", "george") == (0, "george\n", "")


def test_check_raises_for_a_command_that_failed(g: Harness) -> None:
    assert g.run("h1", "echo fine", check=True) == (0, "fine\n", "")
    with pytest.raises(
        CommandFailed, match="root@h1: `echo out; echo no room >&2; exit 28` ended with 28: no room"
    ) as e:
        g.run("h1", "echo out; echo no room >&2; exit 28", check=True)
    assert e.value.result == (28, "out\n", "no room\n")


def test_every_host_has_an_entry_also_one_that_is_not_there(g: Harness, host: TestHost) -> None:
    host.kill_sshd()
    try:
        results = g.run_parallel(["h3", "h1", "h2"], "hostname; exit 2", "george")
    finally:
        host.start_sshd()
    assert list(results) == ["h3", "h1", "h2"]
    assert results["h3"] == (2, "h3\n", "") and results["h2"] == (2, "h2\n", "")
    assert results["h1"].returncode == 255
    assert isinstance(results["h1"].error, ConnectError)


def test_a_reboot_returns_and_the_next_command_reconnects(g: Harness, host: TestHost) -> None:
    g.config["ssh"]["options"] |= {"ServerAliveInterval": 1, "ServerAliveCountMax": 1}
    before = g.run(host.name, "cat /proc/sys/kernel/random/boot_id; echo $PPID", "george")
    process = g.run_async(host.name, "echo going down; sleep 1000", "george")
    until(lambda: runs(host, "sleep 1000") != [], 5, "the command runs")
    host.reboot()
    returncode, stdout, stderr = process.async_communicate(10)
    assert (returncode, stdout) == (255, "going down\n")
    assert stderr.startswith("george@h1: ")
    assert before.returncode == 0
    assert g.run(host.name, "id -un", "george") == (0, "george\n", "")


def test_a_command_that_ends_its_own_sshd_returns(g: Harness, host: TestHost) -> None:
    """What `reboot` looks like from here, at its quickest."""
    try:
        result = g.run(host.name, "echo bye; pkill -KILL ^sshd; sleep 1000")
        assert (result.returncode, result.stdout.replace("bye\n", "")) == (255, "")
        assert isinstance(result.error, LinkLostError)
    finally:
        host.start_sshd()
    assert g.run(host.name, "echo back") == (0, "back\n", "")


# Many


def test_fifty_at_once_on_one_host_work_silently(g: Harness, caplog: pytest.LogCaptureFixture) -> None:
    started = time.monotonic()
    with caplog.at_level(logging.WARNING):
        processes = [g.run_async("h1", f"sleep 0.5; echo {number}", "george") for number in range(50)]
        assert [process.async_communicate() for process in processes] == [(0, f"{n}\n", "") for n in range(50)]
    assert time.monotonic() - started < 8
    assert caplog.messages == []


def test_run_parallel_takes_as_long_as_one(g: Harness) -> None:
    g.run_parallel(HOSTS, "true")
    started = time.monotonic()
    assert g.run_parallel(HOSTS, "sleep 1; hostname") == {name: (0, f"{name}\n", "") for name in HOSTS}
    assert time.monotonic() - started < 2


def test_a_timeout_on_many_tells_of_all(g: Harness, fleet: Fleet) -> None:
    with pytest.raises(ParallelError, match="1 of 3 failed") as caught:
        g.run_parallel(HOSTS, "hostname; [ $(hostname) != h2 ] || sleep 1004", timeout=1)
    results = caught.value.results
    assert list(results) == HOSTS
    assert results["h1"] == (0, "h1\n", "") and isinstance(results["h2"], CommandTimeout)
    assert runs(fleet.host("h2"), "sleep 1004") == []


def test_run_serial_takes_one_host_after_the_other(g: Harness) -> None:
    results = g.run_serial(["h2", "h1"], "hostname; date +%s.%N")
    assert list(results) == ["h2", "h1"]
    first, second = (result.stdout.split() for result in results.values())
    assert (first[0], second[0]) == ("h2", "h1")
    assert float(first[1]) < float(second[1])


def test_threads_may_run_commands(g: Harness) -> None:
    def run(number: int) -> str:
        user = ("root", "george", "alexander")[number % 3]
        return g.run(HOSTS[number % 2], f"id -un; echo {number}", user).stdout

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(run, range(60)))
    assert got == [f"{('root', 'george', 'alexander')[n % 3]}\n{n}\n" for n in range(60)]
    assert len(g.ssh_list_connections()) == 6


FORKED = """
import gc, json, os, sys
from glusto.harness import Harness

g = Harness()
g.config = json.loads(sys.argv[1])
how = sys.argv[2]
conn = g.rpyc_get_connection("h1", "george")
agent = g.run("h1", "echo $PPID", "george").stdout
child = os.fork()
if child == 0:
    taken = [open(os.devnull) for _ in range(64)]
    gc.collect()
    for file in taken:
        os.fstat(file.fileno())
    if how != "idle":
        own = g.run("h1", "id -un; echo $PPID", "george").stdout.split()
        assert own[0] == "george" and own[1] != agent.strip(), own
        assert g.rpyc_get_connection("h1", "george").modules.getpass.getuser() == "george"
        assert len(g.ssh_list_connections()) == 1
    if how == "kill":
        os.kill(os.getpid(), 9)
    if how == "close":
        g.close()
        os._exit(0)
    sys.exit(0)
status = os.waitpid(child, 0)[1]
assert status == (9 if how == "kill" else 0), status
for _ in range(3):
    assert g.run("h1", "echo $PPID", "george", timeout=10) == (0, agent, ""), "the parent's link is another"
assert conn.modules.getpass.getuser() == "george"
assert g.rpyc_get_connection("h1", "george") is conn
print("parent is fine")
"""


@pytest.mark.parametrize("how", ["exit", "close", "kill", "idle"])
def test_a_forked_child_runs_commands_and_its_end_leaves_the_parents_links_alone(
    g: Harness, fleet: Fleet, how: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, json.dumps(g.config), how],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("parent is fine\n")


POOL = """
import json, multiprocessing, sys
from glusto.harness import Harness

g = Harness()
g.config = json.loads(sys.argv[1])

def work(number):
    return g.run("h1", f"echo {number}", "george")

if __name__ == "__main__":
    assert work(0).stdout == "0\\n"
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert [one.stdout for one in pool.map(work, range(12))] == [f"{n}\\n" for n in range(12)]
        pool.close()
        pool.join()
    assert work(1).stdout == "1\\n"
    print("fine")
"""


def test_results_come_back_from_a_pool_of_processes(g: Harness, fleet: Fleet) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", POOL, json.dumps(g.config)],
        cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


# run_async


def test_an_async_command_starts_at_once_and_is_asked_again_and_again(g: Harness) -> None:
    g.run("h1", "true")
    started = time.monotonic()
    process = g.run_async("h1", "echo out; echo err >&2; sleep 0.7; exit 5")
    assert time.monotonic() - started < 0.4
    assert process.returncode is None and process.poll() is None
    assert process.async_communicate() == (5, "out\n", "err\n")
    assert process.async_communicate() == (5, "out\n", "err\n")
    assert process.returncode == process.poll() == process.wait() == process.wait(1) == 5
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: process.async_communicate(), range(8))) == {(5, "out\n", "err\n")}


def test_an_async_command_is_hashable_and_equal_to_itself_only(g: Harness) -> None:
    first, second = g.run_async("h1", "true"), g.run_async("h1", "true")
    assert {first: 1, second: 2}[second] == 2
    assert first != second


def test_an_async_command_goes_on_when_nobody_holds_it(g: Harness, scratch: str, fleet: Fleet) -> None:
    g.run_async("h1", f"sleep 0.5; touch {scratch}/done", "george")
    gc.collect()
    host = fleet.hosts[0]
    until(lambda: host.execute("test", "-e", f"{scratch}/done", check=False).returncode == 0, 5, "it has done its work")


def test_output_is_drained_without_anybody_waiting(g: Harness) -> None:
    process = g.run_async("h1", "head -c 8000000 /dev/zero | tr '\\0' x; head -c 8000000 /dev/zero | tr '\\0' y >&2")
    until(lambda: process.poll() is not None, 20, "the command ends")
    returncode, stdout, stderr = process.async_communicate()
    assert (returncode, len(stdout), len(stderr)) == (0, 8_000_000, 8_000_000)


def test_waiting_may_end_before_the_command_does(g: Harness, host: TestHost) -> None:
    process = g.run_async(host.name, "sleep 1005", "george")
    with pytest.raises(CommandTimeout, match="george@h1: `sleep 1005` still runs after 0.3 s"):
        process.wait(0.3)
    until(lambda: len(runs(host, "sleep 1005")) == 1, 5, "it runs on")
    process.kill()
    assert runs(host, "sleep 1005") == []


def test_kill_ends_it_on_the_host(g: Harness, host: TestHost, user: str) -> None:
    process = g.run_async(host.name, "echo started; sleep 1006 & sleep 1006", user)
    until(lambda: len(runs(host, "sleep 1006")) == 2, 5, "the command runs")
    process.kill()
    assert runs(host, "sleep 1006") == []
    assert process.async_communicate() == (128 + signal.SIGKILL, "started\n", "")
    process.kill()  # a second time does nothing
    assert process.returncode == 128 + signal.SIGKILL


def test_kill_before_the_link_is_there_is_not_lost(g: Harness, host: TestHost) -> None:
    process = g.run_async(host.name, "sleep 1007", "alexander")
    process.kill()
    assert process.returncode == 128 + signal.SIGKILL
    assert runs(host, "sleep 1007") == []


# run_local


def test_local_commands_go_through_the_local_shell() -> None:
    g = Harness()
    assert g.run_local("echo $((6 * 7)) | cat; echo err >&2; exit 3") == (3, "42\n", "err\n")
    assert g.run_local("true") == (0, "", "")
    assert g.run_local("exit 255") == (255, "", "")
    assert g.run_local(r"printf 'a\377\n'").stdout == "a\ufffd\n"
    assert g.run_local("cat; tty").stdout == "not a tty\n"
    assert g.run_local("kill -KILL $$").returncode == 128 + signal.SIGKILL
    assert g.run_local("exit 1").error is None
    assert g.run_local("head -c 20000000 /dev/zero | tr '\\0' x").stdout == "x" * 20_000_000


def test_a_local_timeout_kills_the_command_and_its_children() -> None:
    started = time.monotonic()
    with pytest.raises(CommandTimeout, match="localhost: .* took longer than 0.3 s") as caught:
        Harness().run_local("echo before; echo $$; sleep 1000 & sleep 1000", timeout=0.3)
    assert time.monotonic() - started < 2
    before, group = caught.value.stdout.split()
    assert before == "before"
    until(lambda: not group_exists(int(group)), 5, "the whole group is dead")


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


# The log


@pytest.mark.parametrize(
    "run",
    [
        lambda g, level: g.run("h1", "echo x; exit 2", "george", level),
        lambda g, level: g.run_async("h1", "echo x; exit 2", "george", level).async_communicate(),
        lambda g, level: g.run_parallel(["h1"], "echo x; exit 2", "george", level),
    ],
    ids=["run", "run_async", "run_parallel"],
)
def test_command_and_return_code_are_logged_at_the_level_asked_for(
    g: Harness, caplog: pytest.LogCaptureFixture, run: Callable[[Harness, str | None], object]
) -> None:
    for level, number in ((None, logging.INFO), ("DEBUG", logging.DEBUG), ("warning", logging.WARNING)):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "glustolog"):
            run(g, level)
        told = [(record.levelno, record.getMessage()) for record in caplog.records]
        assert (number, "george@h1: echo x; exit 2") in told
        assert (number, "george@h1: returncode 2") in told
        assert (logging.DEBUG, "george@h1: stdout: x\n") in told


def test_a_level_that_does_not_exist_is_an_error_before_anything_runs(g: Harness) -> None:
    with pytest.raises(ConfigError, match="'LOUD' is no log level"):
        g.run("h1", "true", log_level="LOUD")
    assert g.ssh_list_connections() == []
