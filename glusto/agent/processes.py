"""Processes of this host: who descends from the deployed server, and who of them is still alive.

Read from /proc. On a host without it only the server's process group can be found and ended.
"""

import _signal as signal
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = "GLUSTO_AGENT"
PASSES = 5  # looks for what was forked while others were ended
EXEC_SECONDS = 0.1  # longest that a process is taken to be between two programs

BORDERS = {"cmdline": (45, 46), "environ": (47, 48)}  # where /proc/PID/stat has them, after the name; see proc(5)


def state(pid: int) -> "tuple[str, str, int, int] | None":
    """Return (name, state letter, parent, session) of a process, None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    fields = text[text.rindex(")") + 2 :].split()
    return name, fields[0], int(fields[1]), int(fields[3])


def is_alive(pid: int) -> bool:
    """True while the process runs; a zombie, which only waits for its parent, counts as gone."""
    if os.path.isdir("/proc/self"):
        found = state(pid)
        return found is not None and found[1] not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def session(pid: int) -> int:
    """Return the session of a process, 0 when it is gone."""
    found = state(pid)
    return found[3] if found is not None else 0


def all_pids() -> "list[int]":
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def family(root: "int | None", token: str) -> "list[int]":
    """Return the living processes that descend from `root`, or that carry the link's tag and left it.

    The tag is an environment variable, which a daemon keeps when it detaches. The agent itself, its
    children other than the server, and this process are not among them. With no root it goes by the tag alone.
    """
    parents = {}
    tagged = set()
    for pid in all_pids():
        found = state(pid)
        if found is None or found[1] in "ZX":
            continue
        parents[pid] = found[2]
        if has_tag(pid, token):
            tagged.add(pid)
    members = set()
    for pid in parents if root is not None else ():
        seen = pid
        while seen in parents and seen != root:
            seen = parents[seen]
        if seen == root:
            members.add(pid)
    agent = os.getpid()
    members |= {pid for pid in tagged if pid != agent and parents[pid] != agent}
    return sorted(members)


def evict(token: str) -> "list[int]":
    """End every process that carries a link's tag: an agent that lost its controller, and what it started.

    It is asked to clean up first, and killed when it does not. Returns those that would not die.
    """
    alive: "list[int]" = []
    for _ in range(PASSES):
        found = [pid for pid in all_pids() if pid != os.getpid() and pid not in alive and has_tag(pid, token)]
        if not found:
            break
        alive += end_all(found)
    return alive


def end_all(pids: "list[int]") -> "list[int]":
    """Ask processes to end, and kill those that do not; return those that would not die."""
    for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0)):
        for pid in pids:
            send_signal(pid, number)
            send_signal(pid, signal.SIGCONT)
        pids = wait_gone(pids, seconds)
    return pids


def has_tag(pid: int, token: str) -> bool:
    """True when a process carries a link's tag in its environment; of another user's we can't tell."""
    return f"{TAG}={token}".encode() in words(pid, "environ")


def describe(pid: int) -> "dict[str, object]":
    """Return pid, name and command line of a process, for people to read."""
    found = state(pid)
    command = b" ".join(words(pid, "cmdline")).decode("utf-8", "replace").strip()
    return {"pid": pid, "name": found[0] if found else "", "command": command[:200]}


def words(pid: int, name: str) -> "list[bytes]":
    """Return the ``cmdline`` or the ``environ`` of a process; none when it is gone or another user's.

    While a process turns into another program it has neither for a moment, which is waited for.
    """
    end = time.monotonic() + EXEC_SECONDS
    try:
        while True:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                found = file.read()
            if found or _has_none(pid, name) or time.monotonic() > end:
                return found.split(b"\0")
            time.sleep(0.001)
    except OSError:
        return []


def _has_none(pid: int, name: str) -> bool:
    """True when a process's ``cmdline`` or ``environ`` really is empty, or it has no memory at all."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    memory, loaded, start, end = (int(fields[index]) for index in (20, 24, *BORDERS[name]))
    return not memory or (loaded != 0 and start == end)


def send_signal(pid: int, number: int, group: bool = False) -> None:
    """Signal a process or its group; one that is gone, or that may not be signalled, is left as it is."""
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def wait_gone(pids: "list[int]", seconds: float) -> "list[int]":
    """Wait until none of the processes is alive; return those that still are when time is up."""
    end = time.monotonic() + seconds
    while True:
        left = [pid for pid in pids if is_alive(pid)]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.005)


def ended_children() -> "Iterator[tuple[int, int]]":
    """Reap every child that has ended: (process id, exit status), the status negative for a signal."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def reap(pid: int, seconds: float) -> bool:
    """Wait for a child to end, at most so long; True when it has been reaped."""
    end = time.monotonic() + seconds
    while True:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.002)


def end_group(pid: int, grace: float) -> bool:
    """End a child and its process group: SIGTERM, after `grace` seconds SIGKILL. True when it is reaped."""
    send_signal(pid, signal.SIGTERM, group=True)
    send_signal(pid, signal.SIGCONT, group=True)
    gone = reap(pid, grace)
    send_signal(pid, signal.SIGKILL, group=True)
    return gone or reap(pid, 2)


def rename(title: str) -> None:
    """Show `title` in `ps` in place of the command line this process was started with (Linux)."""
    try:
        with open("/proc/self/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            memory.seek(start)
            memory.write(title.encode()[: end - start - 1].ljust(end - start, b"\0"))
    except (OSError, ValueError, IndexError):
        return  # no /proc, or not allowed: the name is for people, nothing depends on it
