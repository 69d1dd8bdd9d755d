"""Identity: who and what a host is, as its agent says it first of all."""

import os
import pwd
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def identity() -> "dict[str, Any]":
    """Return the process, the Python, the system and the user that an agent is."""
    name = os.uname()
    return {
        "pid": os.getpid(),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "executable": sys.executable,
        "system": pretty_name() or name.sysname + " " + name.release,
        "hostname": name.nodename,
        "user": user_name(),
    }


def pretty_name() -> str:
    """Return the name that /etc/os-release gives the system; "" when it gives none."""
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("PRETTY_NAME="):
                    return line.partition("=")[2].strip().strip("\"'")
    except OSError:
        pass  # not a Linux, or a very small one
    return ""


def user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
