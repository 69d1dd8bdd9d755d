"""Glusto: a test harness for software that runs on many machines.

    from glusto import g, TestCase

`g` is the one Harness; `TestCase` is what tests subclass. Importing opens nothing.
"""

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
