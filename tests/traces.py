"""What a run has left behind, found by looking: on a test host from outside, and on this machine.

Nothing here relies on Glusto's own code: it is what judges it.
"""

import os
from pathlib import Path

from tests.hosts import TestHost

# Where an agent may make its directory; in a home or a runtime directory only what is named like one counts.
_LOOK = r"""
ps -ww -e -o pid=,ppid=,user:32=,args=
echo ---
find /tmp /var/tmp /dev/shm -mindepth 1
find /root /home /run -xdev -name 'glusto-*'
echo ---
cat /proc/net/unix | grep glusto || true
"""


def traces_on(host: TestHost) -> list[str]:
    """Every process, file and socket of a host that is not there when it has just booted."""
    looked = host.execute("sh", "-c", f"echo $$\n{_LOOK}").stdout
    me, _, rest = looked.partition("\n")
    processes, files, sockets = rest.split("---\n")
    found = [f"process {row.strip()}" for row in processes.splitlines() if not _belongs(row, me)]
    found += [f"file {path}" for path in files.splitlines()]
    found += [f"socket {line}" for line in sockets.splitlines()]
    return [f"{host.name}: {one}" for one in found]


def _belongs(row: str, looker: str) -> bool:
    """Whether a row of ps shows PID 1, the sshd listener, or the shell and the ps that look."""
    pid, ppid, _, args = row.split(None, 3)
    return pid == "1" or looker in (pid, ppid) or "[listener]" in args


def traces_here(directory: Path, descriptors: frozenset[str]) -> list[str]:
    """Everything that a harness has left on this machine.

    Args:
        directory: the temporary directory it was given, in $TMPDIR too: what it started has inherited that.
        descriptors: what `open_sockets` gave before it was made.
    """
    found = [f"file {path}" for path in sorted(directory.rglob("*"))]
    found += [f"process {pid}: {args}" for pid, args in processes_below(directory)]
    found += [f"descriptor {one}" for one in sorted(open_sockets() - descriptors)]
    return [f"controller: {one}" for one in found]


def processes_below(directory: Path) -> list[tuple[int, str]]:
    """The processes started with `directory` as their $TMPDIR, whoever their parent is now, and our zombies."""
    mark = f"TMPDIR={directory}".encode()
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            environment = Path("/proc", entry, "environ").read_bytes().split(b"\0")
            args = Path("/proc", entry, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended since it was listed
        except PermissionError:
            environment, args = [], ""  # none of ours: what we start, we may look into
        if status[0] == "Z" and int(status[1]) == os.getpid():
            found.append((int(entry), "a child that nobody waited for"))
        elif mark in environment and int(entry) != os.getpid() and "hosts/machine.py" not in args:
            found.append((int(entry), args))
    return found


def open_sockets() -> frozenset[str]:
    """The sockets, pipes and other nameless things that this process has open."""
    found = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except FileNotFoundError:
            continue  # the listing's own
        if ":" in target:
            found.add(f"{entry} → {target}")
    return frozenset(found)
