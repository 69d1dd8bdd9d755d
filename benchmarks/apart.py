"""Functions called in a process of their own: `apart(function, seconds, name=value)`.

Arguments and result are what JSON can carry. The process ends with the call, and all that it started in its
session with it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.rounds import UnavailableError

ROOT = Path(__file__).resolve().parents[1]
OUT = 3  # the exit status of a contender that can't take part


def environment(**variables: str) -> dict[str, str]:
    """Return an environment in which glusto and benchmarks can be imported."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GLUSTO", "PYTEST"))}
    return {**inherited, "PYTHONPATH": str(ROOT), **variables}


def apart(function: Callable[..., Mapping[str, Any]], seconds: float, **arguments: Any) -> dict[str, Any]:
    """Call a function of a module in a fresh process.

    Raises:
        UnavailableError: it raised that.
        RuntimeError: it failed, with its last words; or it took longer than so many seconds.
    """
    name = f"{function.__module__}:{function.__name__}"
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.apart", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    ) as process:
        try:
            output, complaint = process.communicate(json.dumps(arguments), seconds)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{function.__name__} took longer than {seconds:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    said = (complaint.strip().splitlines() or ["it said nothing"])[-1]
    if process.returncode == OUT:
        raise UnavailableError(said)
    if process.returncode:
        raise RuntimeError(f"{function.__name__} ended with {process.returncode}: {said}")
    result: dict[str, Any] = json.loads(output)
    return result


def main() -> int:
    """In the fresh process: call the function, and print its result."""
    module, _, function = sys.argv[1].partition(":")
    arguments = json.load(sys.stdin)
    result = os.dup(1)
    os.dup2(2, 1)  # what is printed meanwhile is no result
    try:
        answer = getattr(importlib.import_module(module), function)(**arguments)
    except UnavailableError as error:
        print(error, file=sys.stderr)
        return OUT
    with open(result, "w") as file:
        json.dump(answer, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
