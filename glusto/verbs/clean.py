"""Remove from the hosts what runs that were killed have left there: their processes and their directories.

Runs that are alive are left alone. Exit status: 0 all hosts are clean now, 1 some are not, or could not be reached.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from glusto.arguments import add_config_arguments, need_config
from glusto.errors import CleanupError, HostError
from glusto.inventory import Inventory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a cleaning."""
    add_config_arguments(parser)


def main(options: argparse.Namespace) -> int:
    """Clean every host as every user, and say what was removed; 1 when something could not be.

    Raises:
        ConfigError: the config has a mistake, or no hosts.
    """
    from glusto.survey import clear_all, onlooker

    inventory = Inventory.from_config(need_config(options))
    wanted = inventory.everybody()
    trouble = 0
    try:
        with onlooker() as (loop, lab):
            for name, found in loop.wait_for(clear_all(lab, inventory, wanted)).items():
                if isinstance(found, HostError):
                    trouble = 1
                    sys.stderr.write(f"{found}\n")
                else:
                    sys.stdout.writelines(f"{name}: {line}\n" for line in told(found))
                    trouble |= bool(found["alive"] or found["stuck"])
    except CleanupError as error:
        sys.stderr.write(f"glusto: {error}\n")
        trouble = 1
    return trouble


def told(found: Mapping[str, Any]) -> Iterator[str]:
    """A line for each thing that was removed, or could not be; one that says so when there was nothing."""
    for one in found["processes"]:
        yield f"ended process {one['pid']} ({one['name']}): {one['command']}"
    for path in found["directories"]:
        yield f"removed {path}"
    for one in found["alive"]:
        yield f"process {one['pid']} ({one['name']}) would not die: {one['command']}"
    for path in found["stuck"]:
        yield f"{path} could not be removed"
    if not any(found.values()):
        yield "clean"
