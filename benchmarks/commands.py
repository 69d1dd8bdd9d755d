"""Commands on hosts, over connections that are open: one, on many hosts, many on one, and much output."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.bench import Bench
from benchmarks.rounds import OURS, Contender, Samples, UnavailableError, alternate, peer
from benchmarks.rows import Row, Target, missing, single
from benchmarks.site import LOGIN_SECONDS, Site, masters, run, run_all
from glusto.harness import Harness

HOSTS = 32
FAMILY = "commands"
SHELL = "the login shell by itself"
SSH, PLUMBUM, FABRIC, ASYNCSSH, PSSH = "ssh -S", "plumbum", "fabric", "asyncssh", "parallel-ssh"
ONE = Target("≤ 1/6", 1 / 6)
MANY = Target("≤ 1/8", 1 / 8)
AT_ONCE = 50
AHEAD = 2.0  # seconds for hosts to be ready to begin at the same time
SHELLS = """
import os, time
shell = os.environ["SHELL"]
time.sleep(max(0, {begin} - time.time()))
started = time.perf_counter()
for _ in range({times}):
    os.waitpid(os.posix_spawn(shell, [shell, "-c", "true"], os.environ, setsid=True), 0)
print((time.perf_counter() - started) / {times})
"""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure one command, one on 32 hosts, and 50 on one host."""
    names = bench.some(HOSTS)
    with contextlib.ExitStack() as stack:
        controls = stack.enter_context(masters(bench.site, names))
        harness = Harness()
        stack.callback(harness.close)
        harness.config = bench.site.lab(names)
        harness.run_parallel(names, "true")  # opens the links
        peers = Peers(bench.site, stack)
        yield from one(bench, harness, peers, controls)
        yield from many(bench, harness, peers, controls)
        yield at_once(harness, names[0])


class Peers:
    """Opens the peers' connections, which are closed with the stack; one that can't be had is so at its turn."""

    def __init__(self, site: Site, stack: contextlib.ExitStack) -> None:
        self._site = site
        self._stack = stack
        self._loop = asyncio.new_event_loop()
        stack.callback(self._loop.close)

    def plumbum(self, name: str, master: str) -> Callable[[], Any]:
        """Return what runs `true` by plumbum."""
        options = ["-F", self._site.config, "-S", master]
        machine = peer("plumbum").SshMachine(name, user="root", ssh_opts=options, scp_opts=options)
        self._stack.callback(machine.close)
        run_it: Callable[[], Any] = machine["true"].run
        return run_it

    def fabric(self, names: Sequence[str]) -> Callable[[], Any]:
        """Return what runs `true` by fabric, on all at once if there are several."""
        fabric = peer("fabric")
        connections = []
        for name in names:
            address, port = self._site.addresses[name]
            options = {"key_filename": self._site.keyfile, "look_for_keys": False, "allow_agent": False}
            connection = fabric.Connection(
                address, "root", port, config=fabric.Config(lazy=True), connect_kwargs=options, connect_timeout=30
            )
            self._stack.callback(connection.close)
            connection.open()
            connections.append(connection)
        run_it = connections[0] if len(names) == 1 else fabric.ThreadingGroup.from_connections(connections)
        return lambda: run_it.run("true", hide=True, in_stream=False)

    def asyncssh(self, names: Sequence[str]) -> Callable[[int], None]:
        """Return what runs `true` so many times by asyncssh, on all at once."""
        module = peer("asyncssh")

        async def connect(name: str) -> Any:
            address, port = self._site.addresses[name]
            options = {"client_keys": [self._site.keyfile], "known_hosts": None, "config": None}
            return await module.connect(address, port, username="root", **options)

        async def all_of(steps: Sequence[Any]) -> list[Any]:
            return await asyncio.wait_for(asyncio.gather(*steps), LOGIN_SECONDS)

        async def true(connections: Sequence[Any], times: int) -> None:
            for _ in range(times):
                await all_of([connection.run("true", check=True) for connection in connections])

        async def close(connections: Sequence[Any]) -> None:
            for connection in connections:
                connection.close()
            await all_of([connection.wait_closed() for connection in connections])

        connections = self._loop.run_until_complete(all_of([connect(name) for name in names]))
        self._stack.callback(lambda: self._loop.run_until_complete(close(connections)))
        return lambda times: self._loop.run_until_complete(true(connections, times))

    def parallel_ssh(self, names: Sequence[str]) -> Callable[[], None]:
        """Return what runs `true` by parallel-ssh on all at once."""
        addresses = [self._site.addresses[name][0] for name in names]
        client = peer("pssh.clients").ParallelSSHClient(addresses, user="root", pkey=self._site.keyfile, timeout=60)

        def true() -> None:
            output = client.run_command("true")
            client.join(output)
            if any(one.exit_code for one in output):
                raise RuntimeError(f"not all of {len(output)} hosts have run it")

        true()
        return true


def one(bench: Bench, harness: Harness, peers: Peers, controls: dict[str, str]) -> Iterator[Row]:
    """Yield the rows of one command, in ms, against the fastest peer and against each."""
    name = bench.site.names[0]
    over = bench.site.over(controls[name], name, "true")
    contenders: dict[str, Contender] = {
        OURS: repeated(lambda: harness.run(name, "true", check=True), bench.size(200, 5)),
        SHELL: lambda: shells(harness, [name], bench.size(100, 3)),
        SSH: repeated(lambda: run(over), bench.size(50, 3)),
    }
    opened = {
        PLUMBUM: lambda: repeated(peers.plumbum(name, controls[name]), bench.size(50, 3)),
        FABRIC: lambda: repeated(peers.fabric([name]), bench.size(50, 3)),
        ASYNCSSH: lambda: asynchronous(peers.asyncssh([name]), bench.size(100, 3)),
    }
    left_out = open_all(opened, contenders)
    samples = alternate(contenders, bench.rounds)
    samples.trouble |= left_out
    yield fastest(samples, 'run(host, "true")', ONE)
    for other in (SSH, *opened, SHELL):
        yield samples.row(FAMILY, 'run(host, "true")', other, unit="ms", factor=1000)
    yield samples.row(FAMILY, SHELL, samples.fastest(OURS, SHELL), ours=SHELL, unit="ms", factor=1000)


def many(bench: Bench, harness: Harness, peers: Peers, controls: dict[str, str]) -> Iterator[Row]:
    """Yield the rows of one command on all hosts at once, in ms."""
    names = bench.some(HOSTS)
    overs = [bench.site.over(controls[name], name, "true") for name in names]
    contenders: dict[str, Contender] = {
        OURS: repeated(lambda: harness.run_parallel(names, "true"), bench.size(20, 2)),
        SHELL: lambda: shells(harness, names, bench.size(20, 1)),
        SSH: repeated(lambda: run_all(overs), bench.size(5, 1)),
    }
    opened = {
        FABRIC: lambda: repeated(peers.fabric(names), bench.size(5, 1)),
        ASYNCSSH: lambda: asynchronous(peers.asyncssh(names), bench.size(5, 1)),
        PSSH: lambda: repeated(peers.parallel_ssh(names), bench.size(5, 1)),
    }
    left_out = open_all(opened, contenders)
    samples = alternate(contenders, bench.rounds)
    samples.trouble |= left_out
    name = f'run_parallel({len(names)} hosts, "true")'
    for other in (SSH, *opened, SHELL):
        target = MANY if other == SSH else None
        against = f"{len(names)} {SSH} at once" if other == SSH else ""
        yield samples.row(FAMILY, name, other, target, against=against, unit="ms", factor=1000)
    name, against = f"{SHELL}, {len(names)} at once", f"{len(names)} {SSH} at once"
    yield samples.row(FAMILY, name, SSH, ours=SHELL, against=against, unit="ms", factor=1000)


def shells(harness: Harness, names: Sequence[str], times: int) -> float:
    """Return how long a host takes to start its login shell for `true`, when all do so at the same time."""
    script = SHELLS.format(begin=time.time() + AHEAD, times=times)
    results = harness.run_parallel(names, f"/usr/bin/python3 -c {shlex.quote(script)}")
    return statistics.mean(float(result.stdout) for result in results.values())


def open_all(opened: dict[str, Callable[[], Contender]], contenders: dict[str, Contender]) -> dict[str, str]:
    """Add the contenders that can be opened; returns why the others can't."""
    left_out = {}
    for name, open_it in opened.items():
        try:
            contenders[name] = open_it()
        except Exception as error:
            left_out[name] = str(error) if isinstance(error, UnavailableError) else f"{type(error).__name__}: {error}"
    return left_out


def repeated(call: Callable[[], Any], times: int) -> Contender:
    """Return a contender that makes a call so many times, and measures the time of one."""

    def measured() -> float:
        started = time.perf_counter()
        for _ in range(times):
            call()
        return (time.perf_counter() - started) / times

    return measured


def asynchronous(call: Callable[[int], None], times: int) -> Contender:
    """Return a contender that is told how often it has to do what it does."""

    def measured() -> float:
        started = time.perf_counter()
        call(times)
        return (time.perf_counter() - started) / times

    return measured


def fastest(samples: Samples, name: str, target: Target) -> Row:
    """Return the row against the fastest of the peers."""
    other = samples.fastest(OURS, SHELL)
    if not other:
        return missing(FAMILY, name, "the fastest of the peers", target, "no peer took part")
    against = f"the fastest, {other}"
    return samples.row(FAMILY, name, other, target, against=against, unit="ms", factor=1000)


def at_once(harness: Harness, name: str) -> Row:
    """Return the row of many commands at once on a host whose sshd has its defaults."""
    started = time.perf_counter()
    processes = [harness.run_async(name, "sleep 1; echo done", timeout=60) for _ in range(AT_ONCE)]
    good = sum(process.async_communicate()[:2] == (0, "done\n") for process in processes)
    target = Target("all succeed", AT_ONCE, least=True, absolute=True)
    took = f"each sleeps 1 s; together {time.perf_counter() - started:.2f} s"
    return single(FAMILY, f"{AT_ONCE} run_async at once on one host", good, "succeed", target, notes=took)
