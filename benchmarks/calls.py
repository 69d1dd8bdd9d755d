"""One RPyC call, against what the tunnel that it goes through takes by itself."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.apart import environment
from benchmarks.bench import Bench
from benchmarks.commands import repeated
from benchmarks.rounds import OURS, Contender, alternate, peer
from benchmarks.rows import Row, Target
from glusto.agent.server import GREETING
from glusto.connection import HostConnection
from glusto.harness import Harness

HOSTS = 1
FAMILY = "calls"
ECHO, EXECNET = "raw echo", "execnet"
NEAR, NEAR_ECHO = "the same over a socket pair", "raw echo over it"
CALL = Target("≤ 1.4", 1.4)
MESSAGE = b"x" * 40  # about what a call has, with its header
ECHO_SOCKET = "/tmp/glusto-bench-echo"
ANSWER = """
import os
while True:
    channel.receive()
    channel.send(os.getpid())
"""
SERVER = """
import socket
listener = socket.socket(socket.AF_UNIX)
listener.bind("{path}")
listener.listen(1)
print("listening", flush=True)
peer = listener.accept()[0]
while True:
    data = peer.recv(4096)
    if not data:
        break
    peer.sendall(data)
"""


SERVE = """
import _socket
from glusto.agent import server
server.serve_connection(_socket.socket(fileno={descriptor}))
"""
REFLECT = """
import _socket
peer = _socket.socket(fileno={descriptor})
while True:
    data = peer.recv(4096)
    if not data:
        break
    peer.send(data)
"""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure a call, an echo through the same ssh, a call of execnet's through its own ssh, and RPyC with no ssh."""
    name = bench.site.names[0]
    times = bench.size(2000, 20)
    with contextlib.ExitStack() as stack:
        harness = Harness()
        stack.callback(harness.close)
        harness.config = bench.site.lab([name])
        getpid = harness.rpyc_get_connection(name).modules.os.getpid
        contenders: dict[str, Contender] = {OURS: repeated(getpid, times)}
        echo = echo_over_the_link(harness, name, bench, stack)
        contenders[ECHO] = lambda: echoed(echo, times)

        def execnet() -> float:
            module = peer("execnet")
            group = module.Group()
            try:
                gateway = group.makegateway(f"ssh={name}//python=/usr/bin/python3//ssh_config={bench.site.config}")
                channel = gateway.remote_exec(ANSWER)
                channel.send(None)
                channel.receive(60)
                started = time.perf_counter()
                for _ in range(times):
                    channel.send(None)
                    channel.receive(60)
                return (time.perf_counter() - started) / times
            finally:
                group.terminate(5)

        contenders[EXECNET] = execnet
        near = HostConnection("near", stack.enter_context(paired(SERVE)))
        near._channel.stream.read(len(GREETING))
        contenders[NEAR] = repeated(near.modules.os.getpid, times)
        reflection = stack.enter_context(paired(REFLECT))
        contenders[NEAR_ECHO] = lambda: echoed(reflection, times)
        samples = alternate(contenders, bench.rounds)
    notes = f"{len(MESSAGE)} bytes there and back, over the same ssh"
    yield samples.row(FAMILY, "one RPyC call, os.getpid()", ECHO, CALL, unit="µs", factor=1e6, notes=notes)
    yield samples.row(FAMILY, "one RPyC call, os.getpid()", EXECNET, unit="µs", factor=1e6)
    yield samples.row(FAMILY, NEAR, NEAR_ECHO, ours=NEAR, unit="µs", factor=1e6, notes="RPyC alone, no link")


@contextlib.contextmanager
def paired(script: str) -> Iterator[socket.socket]:
    """Give one end of a socket pair; a process that runs the script has the other."""
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-c", script.format(descriptor=theirs.fileno())]
    with subprocess.Popen(words, pass_fds=[theirs.fileno()], env=environment(), stdin=subprocess.DEVNULL) as process:
        theirs.close()
        try:
            yield ours
        finally:
            ours.close()
            process.kill()


def echo_over_the_link(harness: Harness, name: str, bench: Bench, stack: contextlib.ExitStack) -> socket.socket:
    """Have an echo server on the host, and a connection to it that the link's own ssh forwards."""
    server = subprocess.Popen(
        bench.host.enter(["/usr/bin/python3", "-c", SERVER.format(path=ECHO_SOCKET)]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    stack.callback(lambda: bench.host.execute("rm", "-f", ECHO_SOCKET))
    stack.callback(server.communicate)
    stack.callback(server.kill)
    assert server.stdout is not None
    if not server.stdout.readline():
        raise RuntimeError("the echo server did not start")
    control = str(harness._lab.links[f"root@{name}"].control)
    local = str(bench.site.directory / "echo")
    Path(local).unlink(missing_ok=True)
    forward = ["-O", "forward", "-L", f"{local}:{ECHO_SOCKET}"]
    words = ["ssh", "-F", bench.site.config, "-S", control, *forward, name]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=30)
    echo = socket.socket(socket.AF_UNIX)
    stack.callback(echo.close)
    echo.settimeout(60)
    echo.connect(local)
    return echo


def echoed(peer: socket.socket, times: int) -> float:
    """Have a message echoed so many times; how long one takes."""
    started = time.perf_counter()
    for _ in range(times):
        peer.sendall(MESSAGE)
        missing = len(MESSAGE)
        while missing:
            missing -= len(peer.recv(missing))
    return (time.perf_counter() - started) / times
