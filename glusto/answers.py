"""Answers: what an agent may say, checked where it comes in. The controller trusts no host."""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)
PROCESS = {"pid": int, "name": str, "command": str}
REPORT = {"residue": [PROCESS], "alive": [PROCESS], "left": str}
EXITED = {**REPORT, "status": int}
SHAPES: dict[str, Any] = {  # request → its answer
    "serve": {"pid": int, "socket": str},
    "ping": {"time": NUMBER},
    "stop": REPORT,
    "end": REPORT,
    "look": {"place": str, "free": (int, type(None)), "sshd": dict, "directories": [str], "processes": [PROCESS]},
    "clear": {"directories": [str], "processes": [PROCESS], "alive": [PROCESS], "stuck": [str]},
}
HELLO = {
    **dict.fromkeys(("python", "executable", "system", "hostname", "user"), str),
    "pid": int,
    "time": NUMBER,
    "alive": [PROCESS],
    "swept": [str],
}


def check(value: Any, shape: Any, name: str) -> Any:
    """Return a value that has a shape: a type or several, a list of one shape, a dictionary with at least these keys.

    Raises:
        ValueError: it has not.

    >>> check({"pid": 7, "socket": "/s"}, SHAPES["serve"], "serve")
    {'pid': 7, 'socket': '/s'}
    >>> check({"pid": "7", "socket": "/s"}, SHAPES["serve"], "serve")
    Traceback (most recent call last):
    ValueError: serve.pid is a str
    """
    kind: Any = type(shape) if isinstance(shape, dict | list) else shape
    if not isinstance(value, kind):
        raise ValueError(f"{name} is a {type(value).__name__}")
    if isinstance(shape, list):
        for one in value:
            check(one, shape[0], name)
    elif isinstance(shape, dict):
        for key, inner in shape.items():
            check(value.get(key), inner, f"{name}.{key}")
    return value
