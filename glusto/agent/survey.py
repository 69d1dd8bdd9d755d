"""What `glusto check` and `glusto clean` ask of a host: its room, its sshd's limits, and what dead runs have left.

It is sent with the request, and not with the agent, to which it would be a burden for nothing.
"""

import os
import re
import time

from . import directory, processes

SSHD_SECONDS = 5
SETTLE = 0.3  # a run that ends just now is not dead


def look(place: str) -> "dict[str, object]":
    """Return what there is to know; nothing is changed. `place` is where our directory is."""
    return {
        "place": place,
        "free": free(place),
        "sshd": sshd(),
        "directories": directory.abandoned(),
        "processes": [processes.describe(pid) for pid in left_running()],
    }


def clear(place: str) -> "dict[str, object]":
    """End the processes and remove the directories of dead runs; return which, and which would not go."""
    found = left_running()
    described = {pid: processes.describe(pid) for pid in found}
    alive = processes.end_all(found)
    old = directory.abandoned()
    removed = [path for path in old if directory.is_removed(path)]
    return {
        "directories": removed,
        "processes": [described[pid] for pid in found if pid not in alive],
        "alive": [described[pid] for pid in alive],
        "stuck": [path for path in old if path not in removed and os.path.lexists(path)],
    }


def free(place: str) -> "int | None":
    """Return the bytes that this user may still write there; 0 when there is no inode left."""
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    if found.f_files and not found.f_favail:
        return 0
    return found.f_bavail * found.f_frsize


def left_running() -> "list[int]":
    """Return the living processes whose agent is gone: they carry its tag, and no agent does."""
    found = orphans()
    if found:
        time.sleep(SETTLE)
        found = [pid for pid in orphans() if pid in found]
    return found


def orphans() -> "list[int]":
    tagged: "dict[bytes, list[int]]" = {}
    for pid in processes.all_pids():
        token = tag(pid)
        if token and processes.is_alive(pid):
            tagged.setdefault(token, []).append(pid)
    here = namespace(os.getpid())
    return sorted(
        pid
        for token, pids in tagged.items()
        if not any(is_agent(pid, token) for pid in pids)
        for pid in pids
        if namespace(pid) == here  # what runs in a container of this host is another host's
    )


def tag(pid: int) -> bytes:
    """Return the token of the link that a process belongs to."""
    for variable in processes.words(pid, "environ"):
        name, _, value = variable.partition(b"=")
        if name == processes.TAG.encode():
            return value
    return b""


def is_agent(pid: int, token: bytes) -> bool:
    """True for an agent, and for what is about to become one."""
    words = processes.words(pid, "cmdline")
    return token in words or any(word.startswith(b"glusto-agent ") for word in words[:1])


def namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def sshd() -> "dict[str, str]":
    """Return the settings of the sshd that this user came through, as far as they can be seen."""
    listener = find_listener()
    found = re.search(r"(\d+) of (\d+)-(\d+) startups", listener)
    settings = {"maxstartups": f"{found.group(2)}:?:{found.group(3)}"} if found else {}
    if os.getuid() == 0 and "SSH_CONNECTION" in os.environ:
        settings.update(effective(listener))
    return settings


def find_listener() -> str:
    """Return the command line of the sshd that listens, among this process's forebears."""
    pid = os.getpid()
    while pid > 1:
        state = processes.state(pid)
        if state is None:
            break
        pid = state[2]
        line = b" ".join(processes.words(pid, "cmdline")).decode("utf-8", "replace")
        if "[listener]" in line:
            return line
    return ""


def effective(listener: str) -> "dict[str, str]":
    """Return what `sshd -T` says: the settings for this user and this connection, as only root can see them."""
    import pwd
    import shutil
    import subprocess

    address, _, here, port = os.environ["SSH_CONNECTION"].split()
    program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if program is None:
        return {}
    user = pwd.getpwuid(os.getuid()).pw_name
    command = [program, "-T", "-C", f"user={user},host={address},addr={address},laddr={here},lport={port}"]
    config = re.search(r" -f (\S+)", listener)
    if config:
        command[1:1] = ["-f", config.group(1)]
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        done = subprocess.run(command, check=False, stdin=null, stdout=pipe, stderr=null, timeout=SSHD_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.split(" ", 1) for line in done.stdout.decode("utf-8", "replace").splitlines() if " " in line)
    wanted = ("maxsessions", "maxstartups", "allowstreamlocalforwarding", "disableforwarding")
    return {name: value for name, value in pairs if name in wanted}
