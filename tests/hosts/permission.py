"""Whether test hosts can be made on this machine."""

import os
import shutil
import subprocess
import sys

_PROGRAMS = ("ip", "mount", "nsenter", "pkill", "ps", "setpriv", "ssh", "ssh-keygen", "umount", "unshare")
# Everything of a host that a kernel or a container may refuse, in namespaces that vanish with the probe.
_PROBE = """
set -e
ip link add name probe type bridge
ip link add probe-1 type veth peer name probe-2
mount -t tmpfs probe /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay probe /mnt/root -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work
"""


def why_not() -> str | None:
    """Say why test hosts can't be made here; None when they can."""
    if sys.platform != "linux":
        return f"test hosts are made of Linux namespaces, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "only root may make test hosts"
    if missing := [program for program in _PROGRAMS if shutil.which(program) is None]:
        return f"test hosts need {', '.join(missing)}, which this machine does not have"
    if not os.access("/usr/sbin/sshd", os.X_OK):
        return "test hosts need /usr/sbin/sshd (package openssh-server), which this machine does not have"
    probe = ("unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "sh", "-c", _PROBE)
    done = subprocess.run(
        probe, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )
    if done.returncode:
        return f"this machine does not permit test hosts: {done.stderr.strip()}"
    return None
