"""Memory of processes, by what Linux says of them."""

from __future__ import annotations

import os
import re
from pathlib import Path


def proportional(pid: int) -> float:
    """Return the PSS of a process in MB: its own memory, and its share of what others map as well."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0  # it has just ended
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def of_controller() -> float:
    """Return the PSS of this process and of all that it has started, in MB."""
    return sum(proportional(pid) for pid in family(os.getpid()))


def peak() -> float:
    """Return the most that this process has had in memory at a time, in MB."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
