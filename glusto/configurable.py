"""Intraconfig: a base class that reads and writes an object's attributes as a config."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from glusto import config as configs
from glusto.errors import ConfigError


class Intraconfig:
    """Gives an object a config of its own: its attributes.

    Example:
        >>> class Volume(Intraconfig):
        ...     def __init__(self):
        ...         self.name = "data"
        >>> volume = Volume()
        >>> volume.update_config({"bricks": ["web:/b1"]})
        >>> volume.show_config()
        name: data
        bricks:
        - web:/b1
    """

    def update_config(self, config: Mapping[str, Any]) -> None:
        """Set an attribute for each top-level key.

        Raises:
            ConfigError: it is no mapping, or a key is no text.
        """
        if not isinstance(config, Mapping):
            raise ConfigError(f"attributes come from a mapping, and this is a {type(config).__name__}")
        for key in config:
            if not isinstance(key, str):
                raise ConfigError(f"an attribute's name is text, and {key!r} is not")
        vars(self).update(config)

    def get_config(self) -> str:
        """Return the attributes as YAML text."""
        return configs.dump(vars(self))

    def show_config(self) -> None:
        """Print the attributes as YAML."""
        print(self.get_config(), end="")  # noqa: T201 - as was asked for

    def load_config(self, filename: str | os.PathLike[str], config_type: str | None = None) -> None:
        """Set an attribute for each top-level key of a config file; arguments and errors as for `g.load_config`."""
        self.update_config(configs.load_data(filename, config_type))

    def store_config(self, filename: str | os.PathLike[str], config_type: str | None = None) -> None:
        """Write the attributes to a file; arguments and errors as for `g.store_config`."""
        from glusto.store import store

        store(vars(self), filename, config_type)
