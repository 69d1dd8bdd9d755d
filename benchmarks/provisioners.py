"""Ways to have a Python that answers on every host, each to be called in a process of its own.

What each has to import is imported before its clock starts, and what each sends or compiles is not.
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.memory import of_controller
from benchmarks.rounds import peer

PYTHON = "/usr/bin/python3"
PEER_SECONDS = 240


def glusto(names: Sequence[str], lab: dict[str, Any], again: int = 0) -> dict[str, Any]:
    """Provision all at once and have a first call answered by each; then for the next class; then close.

    Returns:
        `seconds` of the first time, `provisioned` without the first call, `again` of the other times, `class` to
        close what a class had, `close` for everything, `imports`; CPU seconds: `controller` of this process,
        `ssh` of its ssh, `agent` of all agents and `server` of all deployed servers up to the first call;
        `memory` in MB a host; `answered` and `failed`, how many hosts.
    """
    began = time.perf_counter()
    import glusto.connection
    import glusto.lab
    import glusto.loop  # noqa: F401 - what a harness imports at first use
    from glusto.errors import ParallelError
    from glusto.harness import Harness

    imported = time.perf_counter() - began
    harness = Harness()
    harness.config = lab
    memory, cpu = of_controller(), time.process_time()
    failed = 0
    try:
        started = time.perf_counter()
        try:
            connections = harness.provision(names)
        except ParallelError as error:
            failed = sum(isinstance(result, BaseException) for result in error.results.values())
            connections = harness.rpyc_get_connections()
        provisioned = time.perf_counter() - started
        in_threads(lambda name: connections[name].modules.os.getpid(), list(connections))
        seconds = time.perf_counter() - started
        cpu = time.process_time() - cpu
        memory = (of_controller() - memory) / max(1, len(connections))
        spent = [spent_on_host(connection) for connection in connections.values()]
        rounds = [next_class(harness, names) for _ in range(again)]
        started = time.perf_counter()
    finally:
        harness.close()
    return {
        "seconds": seconds,
        "provisioned": provisioned,
        "again": [first for first, _ in rounds],
        "class": [last for _, last in rounds],
        "close": time.perf_counter() - started,
        "imports": imported,
        "controller": cpu,
        "ssh": sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
        "memory": memory,
        "agent": sum(agent for agent, _ in spent),
        "server": sum(server for _, server in spent),
        "answered": len(connections),
        "failed": failed,
    }


def spent_on_host(connection: Any) -> tuple[float, float]:
    """Return the CPU seconds of an agent, with the login shell that became it, and of its deployed server."""
    read = "open('/proc/{}/schedstat').read()"  # in nanoseconds
    agent, server = (
        connection.eval(read.format(pid)) for pid in (connection.eval("__import__('os').getppid()"), "self")
    )
    return int(agent.split()[0]) / 1e9, int(server.split()[0]) / 1e9


def next_class(harness: Any, names: Sequence[str]) -> tuple[float, float]:
    """End a class and provision for the next; how long the second and the first took."""
    started = time.perf_counter()
    harness.end_class()
    ended = time.perf_counter()
    connections = harness.provision(names)
    in_threads(lambda name: connections[name].modules.os.getpid(), list(connections))
    return time.perf_counter() - ended, ended - started


def mitogen(names: Sequence[str], config: str) -> dict[str, Any]:
    """Connect to all at once with mitogen, a thread for each, and have a first call answered by each."""
    peer("mitogen.ssh")
    master = peer("mitogen.master")
    broker = master.Broker()
    router = master.Router(broker)

    def one(name: str) -> None:
        context = router.ssh(
            hostname=name,
            username="root",
            ssh_args=["-F", config],
            python_path=PYTHON,
            check_host_keys="accept",
            connect_timeout=PEER_SECONDS,
        )
        context.call(os.getpid)

    try:
        return {"seconds": in_threads(one, names)}
    finally:
        broker.shutdown()
        broker.join()


def execnet(names: Sequence[str], config: str) -> dict[str, Any]:
    """Connect to all at once with execnet, a thread for each, and have a first answer from each."""
    group = peer("execnet").Group()

    def one(name: str) -> None:
        gateway = group.makegateway(f"ssh={name}//python={PYTHON}//ssh_config={config}//id={name}")
        gateway.remote_exec("import os; channel.send(os.getpid())").receive(PEER_SECONDS)

    try:
        return {"seconds": in_threads(one, names)}
    finally:
        group.terminate(5)


def in_threads(one: Any, names: Sequence[str]) -> float:
    """Do one thing for every host at once; how long it took."""
    with ThreadPoolExecutor(len(names)) as pool:
        started = time.perf_counter()
        list(pool.map(one, names))
        return time.perf_counter() - started


def zero_deploy(names: Sequence[str], config: str, directory: str) -> dict[str, Any]:
    """Deploy RPyC's own way, one host after the other, over an ssh master for each, as Glusto did of old."""
    zerodeploy = peer("rpyc.utils.zerodeploy")
    plumbum = peer("plumbum")
    open_, masters = [], []
    started = time.perf_counter()
    try:
        for name in names:
            control = f"{directory}/zero-{name}"
            masters.append([*master_of(config, control), "-O", "exit", name])
            options = ["-F", config, "-oControlMaster=auto", f"-oControlPath={control}", "-oControlPersist=60"]
            machine = plumbum.SshMachine(name, user="root", ssh_opts=options, scp_opts=options)
            server = zerodeploy.DeployedServer(machine)
            connection = server.classic_connect()
            open_.append((connection, server))
            connection.modules.os.getpid()
        return {"seconds": time.perf_counter() - started}
    finally:
        for connection, server in open_:
            connection.close()
            server.close(timeout=10)
        for words in masters:
            subprocess.run(words, capture_output=True, check=False, timeout=30)


def master_of(config: str, control: str) -> list[str]:
    """Return the beginning of a command line for an ssh master."""
    return ["ssh", "-F", config, "-S", control]
