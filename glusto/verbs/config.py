"""Print the config as it is merged, in YAML, and beside each value the file and line that won."""

from __future__ import annotations

import argparse
import sys

from glusto.arguments import add_config_arguments, need_config
from glusto.inventory import Inventory
from glusto.provenance import annotated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the printing."""
    add_config_arguments(parser)


def main(options: argparse.Namespace) -> int:
    """Print it, secrets masked, and then check it; 2 when it has a mistake.

    Raises:
        ConfigError: it can't be read, or has a mistake.
    """
    config = need_config(options)
    sys.stdout.write(annotated(config))
    sys.stdout.flush()
    Inventory.from_config(config)
    return 0
