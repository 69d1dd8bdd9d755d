"""Remove from the hosts what runs that were killed have left there."""

from __future__ import annotations

import argparse
import sys

from glusto.arguments import add_config_arguments, load_config
from glusto.harness import g


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a cleaning."""
    add_config_arguments(parser)


def main(options: argparse.Namespace) -> int:
    """Clean every host as every user, and say what was removed; 1 when a host could not be reached."""
    load_config(options)
    trouble = 0
    try:
        for name, result in g.open_links().items():
            if isinstance(result, Exception):
                trouble = 1
                sys.stderr.write(f"{result}\n")
            else:
                sys.stdout.write(f"{name}: {', '.join(f'removed {path}' for path in result['swept']) or 'clean'}\n")
    finally:
        g.close()
    return trouble
