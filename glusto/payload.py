"""What a link sends to its host: the bootstrap, and the agent's and RPyC's sources, to be run from memory."""

from __future__ import annotations

import functools
import importlib.resources
import importlib.util
import marshal
import re
import shlex
import zlib
from collections.abc import Sequence
from pathlib import Path

from glusto.agent.processes import TAG

LAZY = ("collections", "inspect", "logging", "pickle", "random", "socket", "traceback")
PADDING = b"\n" * 16  # what a shell's rc file that reads a line from standard input may have
RPYC = (  # what a host serves with
    *(f"core/{name}" for name in ("async_", "brine", "channel", "consts", "netref", "protocol", "service", "vinegar")),
    *(f"lib/{name}" for name in ("__init__", "colls", "compat")),
    "utils/teleportation",
    "version",
)
MAGIC = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
LIGHTER = {
    **{f"import {name}": f"from glusto_agent.lazy import {name}" for name in LAZY},
    "import importlib.util": "from glusto_agent.lazy import importlib",
    "import concurrent.futures as c_futures": "from glusto_agent.lazy import concurrent_futures as c_futures",
    "import cPickle as pickle": "from glusto_agent.lazy import pickle",
    "from functools import partial": "from _functools import partial",
}
IMPORTS = re.compile(rf"^( *)({'|'.join(map(re.escape, LIGHTER))})(?= *(?:#.*)?$)", re.MULTILINE)
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
    told, code = marshal.dumps(settings, 2), compiled()
    return PADDING + b"\0%s\0%d %d %d\0" % (token.encode(), MAGIC, len(told), len(code)) + told + code


def second_input(token: str) -> bytes:
    """Return what a bootstrap on another version of Python asks for: the sources."""
    code = sources()
    return b"\0%s\0%d\0" % (token.encode(), len(code)) + code


@functools.cache
def survey() -> bytes:
    """Return the source of agent/survey.py, which goes with the request for it."""
    return (importlib.resources.files("glusto.agent") / "survey.py").read_bytes()


@functools.cache
def compiled() -> bytes:
    """Return every module that the host may import from memory, compiled for this Python, compressed."""
    code = {
        name: (is_package, marshal.dumps(compile(text, f"<glusto>/{name}", "exec", dont_inherit=True, optimize=2)))
        for name, (is_package, text) in texts().items()
    }
    return zlib.compress(marshal.dumps(code, 2), 3)  # more takes longer to make than it saves on the way


@functools.cache
def sources() -> bytes:
    """Return every module that the host may import from memory, as source text, compressed."""
    return zlib.compress(marshal.dumps(texts(), 2), 3)


def texts() -> dict[str, tuple[bool, str]]:
    """Return the source of each module: name → (is a package, text). Packages import nothing by themselves."""
    found = dict.fromkeys(("glusto_agent", "rpyc", "rpyc.core", "rpyc.utils"), (True, ""))
    for file in (Path(__file__).parent / "agent").glob("*.py"):
        if file.stem not in ("__init__", "boot", "survey"):
            found[f"glusto_agent.{file.stem}"] = (False, file.read_text())
    spec = importlib.util.find_spec("rpyc")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("rpyc is not installed")
    rpyc = Path(spec.submodule_search_locations[0])
    for part in RPYC:
        text = lighter((rpyc / f"{part}.py").read_text())
        found[f"rpyc.{part.removesuffix('/__init__').replace('/', '.')}"] = (part.endswith("__init__"), text)
    return found


def lighter(text: str) -> str:
    r"""Return a module of RPyC's that takes what it seldom needs from `agent/lazy.py`.

    >>> lighter("import inspect\nimport sys\n")
    'from glusto_agent.lazy import inspect\nimport sys\n'
    """
    return IMPORTS.sub(lambda found: found[1] + LIGHTER[found[2]], text)
