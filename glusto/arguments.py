"""The arguments that every verb takes: which config."""

from __future__ import annotations

import argparse
import os
import shlex

from glusto.errors import ConfigError
from glusto.harness import g
from glusto.inventory import Inventory


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of a verb."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="a config file, or several in one word; repeatable, a later one wins; else what GLUSTO_CONFIG names",
    )
    parser.add_argument("--ssh-keyfile", metavar="FILE", help="the private key to use")


def load_config(options: argparse.Namespace) -> Inventory:
    """Load what the arguments name into `g.config`, and return the inventory in it.

    Raises:
        ConfigError: it can't be used.
    """
    names = [name for word in options.config for name in shlex.split(word)]
    names = names or os.environ.get("GLUSTO_CONFIG", "").split()
    if names:
        g.load_configs(names)
    if options.ssh_keyfile and not g.ssh_set_keyfile(options.ssh_keyfile):
        raise ConfigError("there is no such key file", options.ssh_keyfile)
    return g.inventory
