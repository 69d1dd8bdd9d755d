"""Events as a large run writes them, made up: the same ones every time."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLASSES = 50
WORDS = ("volume", "brick", "quota", "snapshot", "heal", "rebalance", "mount", "lock", "rename", "replica")


def events(tests: int, hosts: int, total: int) -> Iterator[dict[str, Any]]:
    """Yield about `total` events of so many tests on so many hosts; one test in 50 fails."""
    chance = random.Random(1)
    names = [f"root@node{number:02}" for number in range(1, hosts + 1)]
    t = 0.0
    yield {"kind": "run_started", "t": 0, "run": "generated", "time": "2030-01-01T12:00:00+00:00", "config": {}}
    for name in names:
        yield {"kind": "host_connecting", "t": t, "host": name, "address": "10.0.0.1"}
    for name in names:
        t += chance.uniform(0.001, 0.01)
        facts = {"python": "3.11.2", "executable": "/usr/bin/python3", "system": "Linux", "hostname": name[5:]}
        yield {"kind": "host_connected", "t": t, "host": name, "seconds": t, "facts": facts}
    each = (total - 2 * hosts) // tests - 2
    for number in range(1, tests + 1):
        suite = f"test_{WORDS[number * CLASSES // (tests + 1) % len(WORDS)]}.Test{number * CLASSES // (tests + 1)}"
        name = f"{suite}.test_{chance.choice(WORDS)}_{chance.choice(WORDS)}_{number}"
        began = t
        yield {"kind": "test_started", "t": t, "id": number, "name": name, "suite": suite}
        for event in range(0, each, 3):
            host, seconds = chance.choice(names), chance.expovariate(50)
            key = 10_000 + number * 1000 + event
            text = f"{chance.choice(WORDS)} --set {number} --on {host}"
            yield {"kind": "command_started", "t": t, "id": key, "host": host, "command": text, "test": number}
            call = {"kind": "rpyc", "t": t, "host": chance.choice(names), "instance": 1, "seconds": seconds / 2}
            yield {**call, "what": f"os.{chance.choice(WORDS)}", "test": number}
            t += seconds
            code = int(chance.random() < 0.01)
            yield {
                "kind": "command_ended", "t": t, "id": key, "returncode": code, "seconds": seconds, "stdout": text * 3,
            }  # fmt: skip
        bad = number % 50 == 0
        yield {
            "kind": "test_ended", "t": t, "id": number, "name": name, "suite": suite, "seconds": t - began,
            "outcome": "failed" if bad else "passed", **({"message": "AssertionError: 1 != 0"} if bad else {}),
        }  # fmt: skip
    yield {"kind": "run_ended", "t": t, "status": "failed", "exit": 1, "seconds": t}


def write(filename: Path, tests: int, hosts: int, total: int) -> int:
    """Write such events into a file; how many there are."""
    lines = [json.dumps(event) for event in events(tests, hosts, total)]
    filename.write_text("\n".join(lines) + "\n")
    return len(lines)
