"""Glusto: a test harness for software that runs on many machines.

    from glusto import g, TestCase

`g` is the one Harness; `TestCase` is what tests subclass. Importing opens nothing.

For pytest, which has its plugin from here: PYTEST_DONT_REWRITE
"""

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from glusto.case import TestCase
    from glusto.errors import (
        CleanupError,
        CommandFailed,
        CommandTimeout,
        ConfigError,
        ConnectError,
        DeployError,
        GlustoError,
        HostError,
        LinkLostError,
        ParallelError,
        ResidueError,
        TransferError,
    )
    from glusto.harness import Harness, g

__version__ = "1.0.0.dev0"

__all__ = [
    "CleanupError",
    "CommandFailed",
    "CommandTimeout",
    "ConfigError",
    "ConnectError",
    "DeployError",
    "GlustoError",
    "Harness",
    "HostError",
    "LinkLostError",
    "ParallelError",
    "ResidueError",
    "TestCase",
    "TransferError",
    "g",
]


def __getattr__(name: str) -> "Any":
    """Import a public name when it is first asked for: `python -m glusto --help` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'glusto' has no attribute {name!r}")
    home = {"TestCase": "case", "g": "harness", "Harness": "harness"}.get(name, "errors")
    value = globals()[name] = getattr(importlib.import_module(f"glusto.{home}"), name)
    return value


def __dir__() -> "list[str]":
    return sorted([*globals(), *__all__])
