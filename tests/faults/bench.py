"""A run with a fault in it: started, disturbed, and watched until nothing is left of it.

Whether something is left is found by looking (tests/traces.py), and never by asking Glusto.
"""

import contextlib
import json
import os
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.hosts import Fleet, TestHost
from tests.hosts.waiting import until
from tests.running import Project
from tests.traces import open_sockets, traces_here, traces_on

REACH = 30.0  # seconds for a run to get to where the fault is
SETTLE = 20.0  # seconds for everything to be clean, where a test does not say less
USERS = ("root", "george")
RC = "/root/.bashrc"
HOLD = "/run/hold-login"

# What the modules of a run tell the test, and wait for.
TELLING = """
import os, time

def mark(name):
    new = "%s.%d" % (name, os.getpid())  # others may do the same
    with open(new, "w") as file:
        file.write(str(time.monotonic()))
    os.rename(new, name)

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)
"""

MODULE = """
import os, signal, subprocess, sys, time
from glusto import TestCase, g
from telling import mark, wait_for
{top}
FIRST, SECOND = {first!r}, {second!r}

class TestBefore(TestCase):
    servers = [SECOND]
    def test_before(self):
        assert g.rpyc_get_connection(SECOND, "root").eval("6 * 7") == 42

class TestFault(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.clean)
{setup}
    def test_1(self):
        for server in self.servers:
            assert g.rpyc_get_connection(server, "root").eval("6 * 7") == 42
            assert g.run(server, "id -un", "george").stdout.endswith("george\\n")
    def test_2(self):
        first = g.rpyc_get_connection(FIRST, "root")
{test}
    @classmethod
    def tearDownClass(cls):
        first = g.rpyc_get_connections().get("root@" + FIRST + ":1")
{teardown}
    @classmethod
    def clean(cls):
{clean}
"""

LAST = """
class TestLast(TestCase):
    def test_last(self):
        for server in self.servers:
            assert g.rpyc_get_connection(server, "root").eval("6 * 7") == 42
            assert g.run(server, "id -un", "george").stdout.endswith("george\\n")
        mark("done")
"""

BEFORE = {"TestBefore.test_before": "passed"}
FAULT = {"TestFault.test_1": "passed", "TestFault.test_2": "passed"}
ALL = {**BEFORE, **FAULT, "TestLast.test_last": "passed"}


def module(hosts: Sequence[TestHost], *, top: str = "", last: str = LAST, **places: str) -> str:
    """Return the text of a test module: a class before the fault, one with it, and one after it.

    Args:
        top: what stands at the top of the module.
        last: the class after it.
        places: what is done at a place of the class with the fault, as Python text: setup, test, teardown, clean.
    """
    texts = {"setup": "pass", "test": "pass", "teardown": "pass", "clean": "pass", **places}
    inner = {name: textwrap.indent(textwrap.dedent(text).strip(), " " * 8) for name, text in texts.items()}
    return MODULE.format(top=top, first=hosts[0].name, second=hosts[1].name, **inner) + last


class Run:
    """One `python -m glusto` that is going on."""

    def __init__(self, bench: "Bench", arguments: Sequence[str], variables: Mapping[str, str], module: str) -> None:
        self.bench = bench
        self.process = bench.project.start(*arguments, module=module, **variables)
        self.started = time.monotonic()
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.output = self.process.stdout.read()

    def until(self, name: str) -> float:
        """Wait until the module has marked something; returns when that was."""
        path = self.bench.project.directory / name
        until(lambda: path.exists() or self.process.poll() is not None, REACH, f"the run is at {name}")
        if not path.exists():
            self.finish()
            raise AssertionError(f"the run ended before {name!r}:\n{self.output[-4000:]}")
        return float(path.read_text())

    def go_on(self, name: str) -> None:
        """Let the module go on that waits for something."""
        (self.bench.project.directory / name).touch()

    def until_cleaning(self, times: int) -> None:
        """Wait until Glusto has begun to clean for so many times, and see that it has not ended that yet."""
        until(lambda: self.events().count("cleanup_started") >= times, REACH, "the run cleans")
        assert self.events().count("cleanup_ended") < times, "it had ended before the fault came"

    def events(self) -> list[str]:
        """Return the kinds of the events up to now."""
        (lines, *_) = [
            path.read_text().splitlines(keepends=True) for path in self.bench.project.reports.glob("*.jsonl")
        ] or [[]]
        return [json.loads(line)["kind"] for line in lines if line.endswith("\n")]

    def log(self) -> str:
        """Return what has been logged."""
        return (self.bench.project.reports / "glusto.log").read_text()

    def send(self, number: signal.Signals) -> float:
        """Send the runner a signal; returns when that was."""
        now = time.monotonic()
        self.process.send_signal(number)
        return now

    def finish(self, seconds: float = SETTLE) -> int:
        """Wait for the run to end; returns its exit status."""
        try:
            self.process.wait(seconds)
        finally:
            self.close()
        return self.process.returncode

    def close(self) -> None:
        """Kill the runner if it still runs, and have all of its output."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self._reader.join(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Bench:
    """Hosts, a directory in which runs are started against them, and the clock.

    Attributes:
        hosts: those that runs use.
        seconds: what was measured: "host", "controller", "report" → seconds since the fault.
    """

    def __init__(self, fleet: Fleet, hosts: Sequence[TestHost], directory: Path, temporary: Path) -> None:
        self.fleet, self.hosts, self._temporary = fleet, list(hosts), temporary
        self.project = Project(directory)
        self.project.write("telling.py", TELLING)
        self.configure()
        self.seconds: dict[str, float] = {}
        self.runs: list[Run] = []
        self.aside: set[TestHost] = set()

    def configure(self, **extra: Any) -> None:
        """Write the lab.yml, with some keys on top of the usual."""
        lab = self.fleet.lab(users=list(USERS))
        lab["servers"] = {host.name: lab["servers"][host.name] for host in self.hosts}
        lab["ssh"].update(extra.pop("ssh", {}))
        (self.project.directory / "lab.yml").write_text(json.dumps({**lab, **extra}))

    def start(self, text: str, *arguments: str, module: str = "glusto", **variables: str) -> Run:
        """Start a run of one module."""
        path = self.project.directory / "test_it.py"
        if not path.exists() or path.read_text() != text:
            self.project.write("test_it.py", text)
        run = Run(self, arguments or ("-c", "lab.yml"), variables, module)
        self.runs.append(run)
        return run

    # The login of the first host can be held up, so that a fault comes while hosts are being provisioned.

    def hold_login(self) -> None:
        """Have root's login at the first host wait, as long as that is not called off."""
        self.hosts[0].execute("touch", HOLD)
        self.hosts[0].write_text(RC, f"while [ -e {HOLD} ]; do touch {HOLD}.reached; sleep 0.02; done\n")

    def until_login(self, run: Run) -> None:
        """Wait until a login is held up at the first host, and the others have their servers in use."""
        first, *others = self.hosts

        def is_there() -> bool:
            if first.execute("test", "-e", f"{HOLD}.reached", check=False).returncode:
                return False
            return all("/socket" in host.execute("ss", "-xH", "state", "connected").stdout for host in others)

        until(lambda: is_there() or run.process.poll() is not None, REACH, "the login is held up")
        assert run.process.poll() is None, f"the run ended before its login:\n{run.output[-4000:]}"

    def release_login(self) -> None:
        """Let the login go on."""
        self.hosts[0].execute("rm", "-f", HOLD, f"{HOLD}.reached", RC)

    def signal(self, host: TestHost, who: str, number: str) -> None:
        """Send a signal to the processes of a host whose command line has `who` in it.

        `who` is "agent", "deployed-rpyc" or "warden", also with a user: "agent root@".
        """
        host.execute("pkill", f"-{number}", "-f", who)

    @contextlib.contextmanager
    def sshd(self, settings: str) -> Iterator[None]:
        """Have the sshd of the first host set up like this, and find keys also where there is no home directory."""
        host = self.hosts[0]
        for user in USERS:
            home = "/root" if user == "root" else f"/home/{user}"
            host.execute("install", "-D", "-m", "644", f"{home}/.ssh/authorized_keys", f"/etc/ssh/keys/{user}")
        host.configure_sshd(f"AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u\n{settings}")
        try:
            yield
        finally:
            host.configure_sshd("")

    def kill_all(self, run: Run) -> None:
        """Kill a run, and on every host its agents and servers, all before one of them can clean up."""
        run.send(signal.SIGSTOP)
        for number in ("STOP", "KILL"):
            for host in self.hosts:
                self.signal(host, "^(glusto-agent|deployed-rpyc) ", number)
        run.send(signal.SIGKILL)

    # Looking

    def host_traces(self) -> list[str]:
        """What is left on the hosts; of hosts set aside only what is not sshd's own."""
        found = []
        for host in self.hosts:
            traces = traces_on(host) if host.is_on else []
            found += [one for one in traces if host not in self.aside or "sshd" not in one]
        return found

    def controller_traces(self) -> list[str]:
        """What is left of the runs on this machine, the runs themselves among it."""
        return traces_here(self._temporary, open_sockets())

    def outcomes(self) -> dict[str, str]:
        """Return what the reports say: `Class.test` → passed, failure, error or skipped."""
        return {
            name: next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
            for name, case in self.project.cases().items()
        }

    def report_faults(self, cases: Mapping[str, str]) -> list[str]:
        """What is wrong with the reports: they do not parse, or do not say what they should."""
        if unfinished := list(self.project.reports.glob("*.part")):
            return [f"{unfinished} stays"]
        try:
            outcomes = self.outcomes()
        except ElementTree.ParseError as error:
            return [f"does not parse: {error}"]
        return [] if outcomes == cases else [f"the reports say {outcomes}, not {dict(cases)}"]

    def settle(self, since: float, cases: Mapping[str, str], seconds: float = SETTLE) -> None:
        """Wait until hosts, controller and reports are as they should be, and note when each of them was.

        Args:
            since: when the fault was, or when the tests were over that went on after it.
            cases: what the reports are to say.
            seconds: how long it may take.
        """
        looks: dict[str, Callable[[], list[str]]] = {
            "host": self.host_traces,
            "controller": self.controller_traces,
            "report": lambda: self.report_faults(cases),
        }
        while len(self.seconds) < len(looks) and time.monotonic() - since < seconds:
            for name, look in looks.items():
                if name not in self.seconds and not look():
                    self.seconds[name] = time.monotonic() - since
        left = [line for look in looks.values() for line in look()]
        said = "".join(f"\n{run.output[-4000:]}" for run in self.runs)
        assert left == [], f"{left}{said}"

    def close(self) -> None:
        """End what still runs, and set the hosts right for the next test."""
        for run in self.runs:
            run.close()
        for host in self.fleet.hosts:
            if not host.is_on:
                host.power_on()
            host.heal()
            if host in self.hosts:
                self.hosts[0].execute("rm", "-f", RC, HOLD, f"{HOLD}.reached")
            if traces_on(host):
                host.reboot()
                host.execute("sh", "-c", "rm -rf /var/tmp/* /home/*/glusto-* /root/glusto-*")
