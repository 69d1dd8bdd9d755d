"""What a link sends to its host: the bootstrap, and the agent's and RPyC's sources, to be run from memory."""

from __future__ import annotations

import functools
import importlib.resources
import importlib.util
import json
import marshal
import shlex
import zlib
from collections.abc import Sequence
from pathlib import Path

from glusto.agent.processes import TAG

PADDING = b"\n" * 16  # what a shell's rc file that reads a line from standard input may have
RPYC_PARTS = ("core", "lib", "utils")
PYTHONS = (
    "python3",
    "/usr/bin/python3",
    "/usr/local/bin/python3",
    "/usr/libexec/platform-python",
    "/opt/rh/rh-python38/root/usr/bin/python3",
    "/opt/rh/rh-python36/root/usr/bin/python3",
)

# The first interpreter there is becomes the agent; one that is too old tries the rest itself (boot.py).
_FIND = (
    'B=$1 T=$2; shift 2; while [ $# -gt 0 ]; do P=$1; shift; if command -v "$P" >/dev/null 2>&1; then '
    f"{TAG}=$T; export {TAG}; "
    'exec "$P" -S -E -c "import sys;exec(sys.argv[1])" "$B" "$T" "$@"; fi; done; '
    r'printf "\\000%s-none\\000" "$T"; exit 127'
)


@functools.cache
def boot() -> str:
    """Return the bootstrap's source."""
    return (importlib.resources.files("glusto.agent") / "boot.py").read_text()


def remote_command(token: str, pythons: Sequence[str]) -> str:
    """Return the command that any login shell can run to become the agent.

    Args:
        token: the link's own random token.
        pythons: the interpreters to try, in order.
    """
    source = f"exec({boot()!r})"  # on one line, for the sake of csh
    words = ["/bin/sh", "-c", _FIND, "glusto", source, token, *pythons]
    return "exec " + " ".join(shlex.quote(word) for word in words)


def here(token: str) -> bytes:
    """Return what the bootstrap prints when it runs."""
    return b"\0" + token.encode() + b"-here\0"


def none(token: str) -> bytes:
    """Return what is printed when no interpreter will do."""
    return b"\0" + token.encode() + b"-none\0"


def first_input(token: str, settings: dict[str, object]) -> bytes:
    """Return what the bootstrap reads from its standard input, ahead of the frames."""
    code = modules()
    return PADDING + b"\0%s\0%s\0%d\0" % (token.encode(), json.dumps(settings).encode(), len(code)) + code


@functools.cache
def modules() -> bytes:
    """Return every module that the host may import from memory, compressed."""
    found: dict[str, tuple[bool, str]] = {"rpyc": (True, "")}
    agent = Path(__file__).parent / "agent"
    found["glusto_agent"] = (True, "")
    for file in agent.glob("*.py"):
        if file.stem not in ("__init__", "boot"):
            found[f"glusto_agent.{file.stem}"] = (False, file.read_text())
    spec = importlib.util.find_spec("rpyc")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("rpyc is not installed")
    rpyc = Path(spec.submodule_search_locations[0])
    found["rpyc.version"] = (False, (rpyc / "version.py").read_text())
    for part in RPYC_PARTS:
        for file in (rpyc / part).glob("*.py"):
            if file.stem == "__init__":
                found[f"rpyc.{part}"] = (True, file.read_text())
            else:
                found[f"rpyc.{part}.{file.stem}"] = (False, file.read_text())
    return zlib.compress(marshal.dumps(found, 2), 9)
