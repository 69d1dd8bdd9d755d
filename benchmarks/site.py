"""The site: where contenders find the hosts, all by the same ssh_config(5) file."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.hosts import Fleet

LOGIN_SECONDS = 60.0
LIGHT = Path("/etc/skel/.bashrc")
HEAVY = """\
# What some labs have: a few dozen processes before the first command.
for number in $(seq 30); do value=$(echo "$number" | tr 0-9 a-j); done
"""


@dataclass(frozen=True)
class Site:
    """Hosts, by names that ssh knows from `config`.

    Attributes:
        names: of the hosts.
        addresses: name → (address, port).
        config: the ssh_config(5) file.
        keyfile, known_hosts: what it says, for those that can't read it.
        directory: for files here; it is in memory where that is possible.
    """

    names: list[str]
    addresses: dict[str, tuple[str, int]]
    config: str
    keyfile: str
    known_hosts: str
    directory: Path

    def lab(self, names: Sequence[str], **ssh: Any) -> dict[str, Any]:
        """Return a glusto configuration of some of the hosts."""
        return {"servers": list(names), "ssh": {"user": "root", "config_file": self.config, **ssh}}

    def ssh(self, name: str, *words: str) -> list[str]:
        """Return the command line of ssh to a host."""
        return ["ssh", "-F", self.config, name, *words]

    def over(self, master: str, name: str, *words: str) -> list[str]:
        """Return the command line of ssh over a master."""
        return ["ssh", "-F", self.config, "-S", master, name, *words]

    def at(self, label: str, addresses: dict[str, tuple[str, int]]) -> Site:
        """Return the same hosts, or some of them, found at other addresses; `label` is that of the new config."""
        places = {**self.addresses, **addresses}
        config = self.directory / f"ssh_config-{label}"
        blocks = [
            f"Host {name}\n  HostName {address}\n  Port {port}\n  HostKeyAlias {name}\n"
            for name, (address, port) in places.items()
        ]
        config.write_text(
            "".join(blocks) + f"Host *\n  User root\n  IdentityFile {self.keyfile}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  BatchMode yes\n  ConnectTimeout {LOGIN_SECONDS:g}\n"
        )
        return replace(self, addresses=places, config=str(config))


@contextlib.contextmanager
def site_of(fleet: Fleet) -> Iterator[Site]:
    """Make a site of a fleet, where root has the light rc file that new accounts get on Debian."""
    base = "/dev/shm" if "TMPDIR" not in os.environ and Path("/dev/shm").is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="glusto-bench-", dir=base))
    try:
        names = [host.name for host in fleet.hosts]
        addresses = {host.name: (host.address, 22) for host in fleet.hosts}
        bare = Site(names, {}, "", str(fleet.keyfile), str(fleet.known_hosts), directory)
        give_rc_file(fleet, names, LIGHT.read_text() if LIGHT.exists() else "# nothing\n")
        yield bare.at("direct", addresses)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def give_rc_file(fleet: Fleet, names: Sequence[str], text: str) -> None:
    """Write root's .bashrc on some hosts; bash reads it for every command that comes by ssh."""
    for name in names:
        fleet.host(name).write_text("/root/.bashrc", text)


@contextlib.contextmanager
def masters(site: Site, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Have an ssh master to each host: name → its control socket."""
    directory = Path(tempfile.mkdtemp(prefix="glusto-bench-"))
    controls = {name: str(directory / name) for name in names}
    processes = [
        subprocess.Popen(
            site.ssh(name, "-N", "-oControlMaster=yes", f"-oControlPath={control}", "-oControlPersist=no"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name, control in controls.items()
    ]
    try:
        deadline = time.monotonic() + LOGIN_SECONDS
        for name, control in controls.items():
            while not Path(control).is_socket():
                if time.monotonic() > deadline:
                    raise RuntimeError(f"there is no ssh master to {name} after {LOGIN_SECONDS:g} s")
                time.sleep(0.01)
        yield controls
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


def run(words: Sequence[str], seconds: float = LOGIN_SECONDS) -> float:
    """Run a program to its end; how long that took.

    Raises:
        RuntimeError: it failed, with its last words.
    """
    started = time.perf_counter()
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=seconds
    )
    taken = time.perf_counter() - started
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {said}")
    return taken


def run_all(commands: Sequence[Sequence[str]], seconds: float = 300) -> float:
    """Run programs all at once; how long it took until the last has ended.

    Raises:
        RuntimeError: one failed.
    """
    started = time.perf_counter()
    null = subprocess.DEVNULL
    processes = [subprocess.Popen(words, stdin=null, stdout=null, stderr=null) for words in commands]
    try:
        statuses = [process.wait(max(0.1, started + seconds - time.perf_counter())) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    if any(statuses):
        raise RuntimeError(f"{sum(map(bool, statuses))} of {len(commands)} {commands[0][0]} failed")
    return time.perf_counter() - started
