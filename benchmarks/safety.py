"""Who else gets in: another user of the machine, with RPyC's zero-deploy and with ours. The reason for this design."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import provisioners
from benchmarks.apart import apart
from benchmarks.bench import Bench
from benchmarks.rounds import UnavailableError, peer
from benchmarks.rows import Row, Target, missing

HOSTS = 1
FAMILY = "safety"
STRANGER = 1001
THERE = "george"  # an account of the host's
ZERO = "zero-deploy"
NAME = f"another local user (uid {STRANGER}) runs code as the SSH user"
TARGET = Target("0 ways", 0, absolute=True)
SECONDS = 120.0
TRY_SOCKET = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    print(error.strerror)
else:
    print("in")
"""
LISTENING = "awk '$4 == \"0A\" {print $2}' /proc/net/tcp /proc/net/tcp6"


def measure(bench: Bench) -> Iterator[Row]:
    """Let a stranger try, and count the ways that are open."""
    name = bench.site.names[0]
    before = listening(bench)
    ours = apart(into_glusto, SECONDS, name=name, lab=bench.site.lab([name]), enter=bench.host.enter([], THERE))
    opened = ours["here"] + ours["there"]
    ways = sum(answer == "in" for answer in opened)
    told = f"ours: {', '.join(sorted(set(opened)))}; {len(set(ours['ports']) - before)} new TCP ports on the host"
    try:
        arguments = {"name": name, "config": bench.site.config, "directory": str(bench.site.directory)}
        theirs = apart(into_zero_deploy, SECONDS, **arguments)
    except (UnavailableError, RuntimeError) as error:
        yield missing(FAMILY, NAME, ZERO, TARGET, f"{error}; {told}")
        return
    finding = f"zero-deploy: through its port on localhost, {theirs['answer']}; {told}"
    print(f"  {NAME}: {finding}", flush=True)
    yield Row(
        FAMILY,
        NAME,
        ZERO,
        TARGET.text,
        "ways",
        ways,
        float(theirs["in"]),
        met=TARGET.is_met(ways),
        rounds=1,
        notes=finding,
    )


def listening(bench: Bench) -> set[str]:
    """Return the TCP ports that something listens on at the host, as the kernel writes them."""
    return set(bench.host.execute("sh", "-c", LISTENING).stdout.split())


def as_stranger(act: Callable[[], str]) -> str:
    """Do something as another user, in a child of this process; what it says, or why it could not."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            said = act()
        except BaseException as error:
            said = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        os.write(writer, said.encode()[:4096])
        os._exit(0)
    os.close(writer)
    with open(reader) as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said


def into_glusto(name: str, lab: dict[str, Any], enter: list[str]) -> dict[str, list[str]]:
    """In a process of its own: deploy, and let a stranger try every socket here, and the one on the host."""
    from glusto.harness import Harness

    def connect(path: str) -> str:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(path)
        return "in"

    harness = Harness()
    harness.config = lab
    try:
        harness.rpyc_get_connection(name).modules.os.getpid()
        link = harness._lab.links[f"root@{name}"]
        assert link.control is not None
        here = [as_stranger(functools.partial(connect, str(path))) for path in link.control.parent.iterdir()]
        if not here:
            raise RuntimeError("there is no socket to try")
        there = subprocess.run(
            [*enter, "/usr/bin/python3", "-c", TRY_SOCKET, link.socket or link._forwarded],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout.strip()
        ports = harness.run(name, LISTENING, check=True).stdout.split()
    finally:
        harness.close()
    return {"here": here, "there": [there], "ports": ports}


def into_zero_deploy(name: str, config: str, directory: str) -> dict[str, Any]:
    """In a process of its own: deploy RPyC's way, and let a stranger run code through the port on localhost."""
    import encodings.idna  # noqa: F401 - the stranger may not read it, if this Python is in somebody's home

    zerodeploy = peer("rpyc.utils.zerodeploy")
    classic = peer("rpyc.utils.classic")
    plumbum = peer("plumbum")
    options = ["-F", config, "-oControlMaster=auto", f"-oControlPath={directory}/zero-safety", "-oControlPersist=60"]
    machine = plumbum.SshMachine(name, user="root", ssh_opts=options, scp_opts=options)
    try:
        server = zerodeploy.DeployedServer(machine)

        def break_in() -> str:
            there = classic.connect("localhost", server.local_port).modules.os
            return f"uid {os.getuid()} here ran code as uid {there.geteuid()} on {there.uname()[1]}"

        try:
            answer = as_stranger(break_in)
        finally:
            server.close(timeout=10)
    finally:
        exit_ = [*provisioners.master_of(config, f"{directory}/zero-safety"), "-O", "exit", name]
        subprocess.run(exit_, capture_output=True, check=False, timeout=30)
    return {"answer": answer, "in": "ran code" in answer}
