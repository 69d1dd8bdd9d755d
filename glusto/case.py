"""TestCase: what tests subclass. It connects before a class's tests and leaves nothing after them."""

from __future__ import annotations

import os
import unittest
from collections.abc import Sequence
from typing import Any

from glusto.errors import ConfigError
from glusto.harness import g

CONFIG_VARIABLE = "GLUSTO_CONFIG"


class FromInventory:
    """A class attribute that is the inventory's, unless a class sets its own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type[TestCase]) -> Any:
        inventory = g.inventory
        if self._name in inventory.roles:
            return list(inventory.roles[self._name])
        value = getattr(inventory, self._name)
        return list(value) if isinstance(value, tuple) else value


class TestCase(unittest.TestCase):
    """Tests that find their hosts connected, and of which nothing is left on any host, however they end.

    Attributes:
        config: a config file, or several, to load for this class; else what the runner loaded with `-c`,
            else what the environment variable GLUSTO_CONFIG names (several with spaces between).
        servers, clients: names of hosts, those of the inventory unless a class sets fewer.
        users: each host is connected as each of these, unless it has a user of its own.
        instances: the number of connections for each host and user.

    Example:
        >>> class TestPlatform(TestCase):
        ...     def test_every_server_runs_linux(self):
        ...         for server in self.servers:
        ...             conn = g.rpyc_get_connection(server)
        ...             self.assertEqual(conn.modules.sys.platform, "linux")
    """

    config: str | Sequence[str] | None = None
    servers: Sequence[str] = FromInventory("servers")  # type: ignore[assignment]
    clients: Sequence[str] = FromInventory("clients")  # type: ignore[assignment]
    users: Sequence[str] = FromInventory("users")  # type: ignore[assignment]
    instances: int = FromInventory("instances")  # type: ignore[assignment]

    @classmethod
    def setUpClass(cls) -> None:
        """Load the config, and connect to every host as every user, all at once.

        Raises:
            ConfigError: the config has a mistake.
            ParallelError: hosts could not be connected, after all were tried.
        """
        super().setUpClass()
        cls.addClassCleanup(g.scope("class").close)  # before anything is open: whatever happens from here on is cleaned
        cls.load_config()
        g.provision([*cls.servers, *cls.clients], cls.users, cls.instances)

    @classmethod
    def load_config(cls) -> None:
        """Load the config of this class, if it is not loaded yet.

        Raises:
            ConfigError: there is none, or it has a mistake.
        """
        names = [cls.config] if isinstance(cls.config, str) else list(cls.config or ())
        if names:
            g.clear_config()
            g.load_configs(names)
        elif not g.config:
            named = os.environ.get(CONFIG_VARIABLE, "").split()
            if not named:
                raise ConfigError(
                    f"no config for {cls.__qualname__}: run with `python -m glusto -c lab.yml`, set {CONFIG_VARIABLE}, "
                    'or give the class `config = "lab.yml"`'
                )
            g.load_configs(named)
