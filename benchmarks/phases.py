"""Where the time of provisioning goes: CPU on the host, step by step, and on the controller."""

from __future__ import annotations

import base64
import itertools
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import provisioners
from benchmarks.apart import apart
from benchmarks.bench import Bench
from benchmarks.rows import Row, single
from benchmarks.site import run_all
from glusto import payload

HOSTS = 32
FAMILY = "phases"
HOST, CONTROLLER, WHOLE = "on the host", "on the controller", "the whole machine"
PYTHON = ["/usr/bin/python3", "-S", "-E", "-c"]
SECONDS = 300.0

# What agent/boot.py and agent/main.py do, with the time taken between the steps. It runs on the host.
PROBE = """
import time
marks = []
def mark(name):
    marks.append((name, time.process_time()))
import os, sys
data = b""
while True:
    part = os.read(0, 1 << 20)
    if not part:
        break
    data += part
import binascii
data = binascii.a2b_base64(data)
mark("")
import marshal, zlib
import _frozen_importlib_external
modules = marshal.loads(zlib.decompress(data))
mark("decompressing what was sent")
class Memory:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in modules:
            return type(sys.__spec__)(name, cls, origin="<probe>", is_package=modules[name][0])
    @staticmethod
    def create_module(spec):
        return None
    @classmethod
    def exec_module(cls, module):
        code = modules[module.__name__][1]
        code = marshal.loads(code) if isinstance(code, bytes) else compile(code, module.__name__, "exec")
        exec(code, module.__dict__)
sys.meta_path.insert(0, Memory)
import glusto_agent.main
mark("importing the agent")
from glusto_agent import server
server.preload()
mark("importing what serves RPyC")
server.make_service()
mark("making the service")
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
mark("forking the deployed server")
import json
print(json.dumps(marks))
"""

BARE = """
import os
times = []
for _ in range(ROUNDS):
    pid = os.fork()
    if pid == 0:
        os.execv("/usr/bin/python3", ["python3", "-S", "-E", "-c", "pass"])
    used = os.wait4(pid, 0)[2]
    times.append(used.ru_utime + used.ru_stime)
print(sorted(times)[len(times) // 2])
"""


def measure(bench: Bench) -> Iterator[Row]:
    """Measure the steps on one host, and the whole with 32."""
    yield from on_the_host(bench)
    yield from in_all(bench)


def on_the_host(bench: Bench) -> Iterator[Row]:
    """Yield what each step takes of CPU there."""
    times = bench.size(20, 2)
    version = bench.host.execute(PYTHON[0], "-c", "import sys; print('.'.join(map(str, sys.version_info[:2])))").stdout
    here = f"{sys.version_info[0]}.{sys.version_info[1]}\n"
    sent = payload.compiled() if version == here else payload.sources()
    sending = base64.b64encode(sent).decode()
    taken: dict[str, list[float]] = {}
    for _ in range(times):
        answer = bench.host.execute(*PYTHON, PROBE, input=sending).stdout
        marks: list[tuple[str, float]] = json.loads(answer)
        for (_, before), (name, after) in itertools.pairwise(marks):
            taken.setdefault(name, []).append((after - before) * 1000)
    bare = float(bench.host.execute(*PYTHON, BARE.replace("ROUNDS", str(times))).stdout) * 1000
    what = "compiled for its version" if version == here else "as source: its version is another"
    yield single(FAMILY, f"{HOST}: Python starts and ends, -S -E -c pass", bare, "ms", rounds=times)
    for name, values in taken.items():
        notes = f"{len(sent) / 1000:.0f} kB, {what}" if name.startswith("decompressing") else ""
        yield single(FAMILY, f"{HOST}: {name}", statistics.median(values), "ms", rounds=times, notes=notes)


def in_all(bench: Bench) -> Iterator[Row]:
    """Yield what a host takes of the controller, and of the whole machine, on which the hosts are as well."""
    names = bench.some(HOSTS)
    parts = {
        "agent": f"{HOST}: login shell and agent, up to the first call",
        "server": f"{HOST}: deployed server, up to the first call",
        "controller": f"{CONTROLLER}: the process of the harness",
        "ssh": f"{CONTROLLER}: its ssh",
    }
    taken: dict[str, list[float]] = {part: [] for part in parts}

    def glusto() -> None:
        result = apart(provisioners.glusto, SECONDS, names=names, lab=bench.site.lab(names))
        for part, values in taken.items():
            values.append(result[part] * 1000 / len(names))

    whole: dict[str, list[float]] = {}
    ways: dict[str, Callable[[], object]] = {
        "bare ssh host true": lambda: run_all([bench.site.ssh(name, "true") for name in names], SECONDS),
        "glusto, with its start, its end and the cleanup": glusto,
    }
    for _ in range(bench.at_most(3)):
        for way, do_it in ways.items():
            before = busy()
            do_it()
            whole.setdefault(way, []).append((busy() - before) * 1000 / len(names))
    rounds = bench.at_most(3)
    for part, name in parts.items():
        yield single(FAMILY, name, statistics.median(taken[part]), "ms", rounds=rounds)
    for way, values in whole.items():
        yield single(FAMILY, f"{WHOLE}: {way}", statistics.median(values), "ms", rounds=rounds)


def busy() -> float:
    """Return for how many seconds the processors of this machine have been busy."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _, _, irq, softirq = map(int, words[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
