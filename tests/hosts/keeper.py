"""The keeper of a fleet: a process that takes everything down when the fleet's owner is gone.

A script of its own, standard library only, started by its path as ``keeper.py DIRECTORY GROUP OWNER``.
It waits for the end of its stdin or of the process ``OWNER``, whichever comes first, so that a SIGKILL of
the owner leaves nothing behind. Before that, ``close`` on its stdin has it begin at once, and ``keep``
sends it away with the fleet left standing.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

KEEP, CLOSE = b"keep\n", b"close\n"
DEADLINE_SECONDS = 30.0


def machines(directory: str) -> list[int]:
    """The processes that run ``machine.py`` for ``directory`` or below it: launchers and hosts' PID 1."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            arguments = Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended since it was listed
        program, place = arguments[-2:] if len(arguments) >= 2 else ("", "")
        if os.path.basename(program) == "machine.py" and f"{place}/".startswith(f"{directory}/"):
            found.append(int(entry))
    return found


def kill_machines(directory: str) -> bool:
    """Send SIGKILL to every machine of ``directory``; True when there was none."""
    found = machines(directory)
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # killed together with its launcher
    return not found


def demolish(directory: str, group: int) -> None:
    """Remove the links of ``group``, the machines of ``directory``, its mount and the directory itself.

    Whatever is already gone is no error, and it may be called again.

    Raises:
        RuntimeError: something is still there after the deadline.
        OSError: the directory can't be removed.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (_cut_links(group) and kill_machines(directory)):
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"{directory}: links in group {group} or processes {machines(directory)} remain"
            )
        time.sleep(0.02)
    if os.path.ismount(directory):
        subprocess.run(("umount", "--lazy", directory), check=True, timeout=DEADLINE_SECONDS)
    if os.path.isdir(directory):
        os.rmdir(directory)


def _cut_links(group: int) -> bool:
    """Delete every link of the group, so that dying hosts say no last word; True when there was none."""
    show = ("ip", "-json", "link", "show", "group", str(group))
    shown = subprocess.run(show, stdout=subprocess.PIPE, check=True, timeout=30).stdout
    if not any(json.loads(shown or "[]")):
        return True
    # It fails when the last of them went by itself, with its host: the next look tells.
    delete = ("ip", "link", "delete", "group", str(group))
    subprocess.run(delete, stderr=subprocess.DEVNULL, check=False, timeout=30)
    return False


def main(directory: str, group: int, owner: int) -> None:
    """Wait for the owner's end, then demolish."""
    waiting = select.poll()
    waiting.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    try:
        waiting.register(os.pidfd_open(owner), select.POLLIN)
        waiting.poll()
    except ProcessLookupError:
        demolish(directory, group)  # it was killed before we came to watch it
        return
    readable = select.select([sys.stdin.fileno()], [], [], 0)[0]
    if not (readable and os.read(sys.stdin.fileno(), len(KEEP)) == KEEP):
        demolish(directory, group)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
