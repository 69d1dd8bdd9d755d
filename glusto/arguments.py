"""The arguments that every verb takes: which config."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from glusto.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from glusto.config import Config, Document
    from glusto.inventory import Inventory


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of a verb."""
    add = parser.add_argument_group("which lab").add_argument
    add(
        "-c",
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="a config file, or several in one word; repeatable, each merged over those before; else GLUSTO_CONFIG's",
    )
    add(
        "-i",
        "--inventory",
        action="append",
        default=[],
        metavar="FILE",
        help="an Ansible inventory, INI or YAML; its groups are roles; configs are merged over it",
    )
    add(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="KEY=VALUE",
        help="set one value of the config, as in ssh.user=admin; repeatable",
    )
    add("--ssh-keyfile", metavar="FILE", help="the private key to use")


def read_config(options: argparse.Namespace) -> Config | None:
    """Read what the arguments name: inventories, configs merged over them, then what is set; None for nothing.

    Raises:
        ConfigError: one of them can't be used.
    """
    from glusto.config import Config, load, load_defaults
    from glusto.harness import DEFAULTS_DIRECTORY

    names = [name for word in options.config for name in shlex.split(word)]
    names = names or os.environ.get("GLUSTO_CONFIG", "").split()
    defaults = load_defaults(DEFAULTS_DIRECTORY)
    if not (names or defaults or options.inventory or options.assignments or options.ssh_keyfile):
        return None
    config = Config(*defaults)
    for name in options.inventory:
        config.merge(read_inventory(name))
    for document in [load(name) for name in names]:
        config.merge(document)
    for assignment in options.assignments:
        config.assign(assignment)
    if options.ssh_keyfile:
        keyfile = os.path.expanduser(options.ssh_keyfile)
        if not os.path.isfile(keyfile):
            raise ConfigError("there is no such key file", options.ssh_keyfile)
        import json

        config.assign(f"ssh.keyfile={json.dumps(keyfile)}", origin="--ssh-keyfile:")
    return config


def read_inventory(name: str) -> Document:
    """Read an Ansible inventory, and tell what of it is of no use here."""
    from glusto import ansible as inventories

    document, notes = inventories.load(name)
    sys.stderr.writelines(f"glusto: {note}\n" for note in notes)
    return document


def need_config(options: argparse.Namespace) -> Config:
    """Read what the arguments name, which must be something.

    Raises:
        ConfigError: they name nothing, or it can't be used.
    """
    config = read_config(options)
    if config is None:
        raise ConfigError("which lab? Give a config (-c lab.yml), an Ansible inventory (-i hosts.ini) or GLUSTO_CONFIG")
    return config


def load_config(options: argparse.Namespace) -> Inventory:
    """Load what the arguments name into `g.config`, and return the inventory in it.

    Raises:
        ConfigError: it can't be used.
    """
    from glusto.harness import g

    config = read_config(options)
    if config is not None:
        g.set_config(config)
    if options.ssh_keyfile:
        g.ssh_set_keyfile(options.ssh_keyfile)  # whatever config the tests load later
    return g.inventory
