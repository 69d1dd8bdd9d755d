"""Five hundred rounds of open, call and close with faults among them: the controller does not grow."""

import contextlib
import gc
import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import rpyc

from glusto.connection import HostConnection
from glusto.errors import GlustoError
from glusto.harness import Harness
from tests.conftest import leaving_no_trace
from tests.faults.bench import USERS
from tests.hosts import Fleet, TestHost
from tests.traces import processes_below

pytestmark = [pytest.mark.live, pytest.mark.slow]

SEED = 20260713
ROUNDS = 500
SETTLED = 100  # rounds after which caches and allocators have their size
GROWTH = 12 << 20  # bytes of memory that allocators may still take for themselves in 400 rounds

Fault = Callable[[Harness, HostConnection, Fleet, str], None]


def nothing(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    assert conn.eval("6 * 7") == 42


def kill(host: TestHost, *pids: int) -> None:
    """Kill processes of a host, and wait until they are dead, all of their threads."""
    script = "kill -KILL $*; for pid; do while [ -e /proc/$pid ]; do sleep 0.01; done; done"
    host.execute("sh", "-c", script, "sh", *map(str, pids))


def kill_server(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    kill(fleet.host(host), conn.modules.os.getpid())


def kill_agent(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    kill(fleet.host(host), conn.modules.os.getppid())


def kill_both(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    kill(fleet.host(host), conn.modules.os.getppid(), conn.modules.os.getpid())


def close_in_a_call(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    result = rpyc.async_(conn.modules.time.sleep)(1000)
    conn.close()
    with pytest.raises(EOFError):
        result.wait()


def close_link_in_a_call(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    rpyc.async_(conn.modules.time.sleep)(1000)
    g.ssh_close_connection(host, conn.name.partition("@")[0])


def flood(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    conn.execute("for _ in range(1000): print('x' * 1000)")
    assert "xxx" in g.take_output()


def hang(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    rpyc.async_(conn.modules.os.kill)(conn.modules.os.getpid(), signal.SIGSTOP)
    g.rpyc_close_deployed_server(host, conn.name.partition("@")[0])


def leave_children(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    conn.modules.subprocess.Popen(["sleep", "1000"])
    conn.modules.subprocess.Popen(["sleep", "1000"], start_new_session=True)
    with pytest.raises(GlustoError, match="sleep 1000"):
        g.rpyc_close_deployed_server(host, conn.name.partition("@")[0])


def time_out(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    with pytest.raises(GlustoError, match="took longer"):
        g.run(host, "sleep 1000 & sleep 1000", timeout=0.05)


def kill_sshd(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    fleet.host(host).kill_sshd()
    fleet.host(host).start_sshd()


def reboot(g: Harness, conn: HostConnection, fleet: Fleet, host: str) -> None:
    fleet.host(host).reboot()


FAULTS: dict[Fault, int] = {  # → how often, of a hundred
    nothing: 30,
    close_in_a_call: 12,
    flood: 12,
    kill_server: 12,
    kill_agent: 8,
    kill_both: 6,
    leave_children: 6,
    time_out: 4,
    close_link_in_a_call: 4,
    hang: 2,
    kill_sshd: 2,
    reboot: 2,
}


def measure(directory: Path) -> dict[str, int]:
    """Count what this process has; its memory is in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "processes": len(processes_below(directory)),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "memory": pages * os.sysconf("SC_PAGESIZE"),
    }


def test_500_rounds_with_faults_leave_the_controller_as_it_was(five: Fleet, private_tmp: Path) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    hosts = [host.name for host in five.hosts[:4]]
    counts = {}
    with leaving_no_trace(five, private_tmp), contextlib.ExitStack() as stack:
        g = Harness()
        stack.callback(g.close)
        g.config = five.lab(dead_man_seconds=10)
        for number in range(1, ROUNDS + 1):
            (fault,) = dice.choices(list(FAULTS), list(FAULTS.values()))
            host, user, instance = dice.choice(hosts), dice.choice(USERS), dice.randint(1, 2)
            conn = g.rpyc_get_connection(host, user, instance)
            assert conn.modules.os.uname()[1] == host
            fault(g, conn, five, host)
            assert g.rpyc_get_connection(host, user, instance).eval("6 * 7") == 42, f"round {number}: {fault.__name__}"
            assert g.run(host, "id -un", user).stdout == f"{user}\n"
            g.take_output()
            if dice.random() < 0.5:
                g.rpyc_close_connection(host, user, instance)
            if number in (SETTLED, ROUNDS):
                with contextlib.suppress(GlustoError):  # residue that a fault has left among these
                    g.ssh_close_connections()
                counts[number] = measure(private_tmp)
    before, after = counts[SETTLED], counts[ROUNDS]
    grown = after.pop("memory") - before.pop("memory")
    print(f"{before} → {after}, memory {grown / 1e6:+.1f} MB")
    assert after == before
    assert grown < GROWTH
