"""The pytest plugin: its options, markers and fixtures. docs/pytest.rst describes them.

pytest imports this in every run, whatever that tests. So it imports and does nothing until there is a config, or a test
module uses Glusto; then `run` has the hooks that find hosts, clean them, and report.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

if TYPE_CHECKING:
    from glusto.config import Config
    from glusto.connection import HostConnection
    from glusto.harness import Harness

ScopeName = Literal["function", "class", "module", "package", "session"]
SCOPES = ("function", "class", "module", "package", "session")
MARKERS = (
    "hosts(servers=N, clients=N): the test needs so many hosts of these roles, and gets no more",
    "connection(host, ..., user=None, instance=1, scope=None): the test runs once for each host (a name, or a role), "
    "user and instance, with `connection` a connection to it",
)
SCOPED = "the fixtures servers, clients, connection and connections"
NO_CONFIG = "no lab: give a config (--glusto-config lab.yml), or set GLUSTO_CONFIG, or glusto_config in the ini file"
RUN = "glusto run"
BEFORE = pytest.StashKey[dict[str, Any]]()  # g.config as it was before a config was loaded for this run
INHERITED = pytest.StashKey[bool]()  # whoever started pytest has loaded a config, and will close what is open


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    add = parser.getgroup("glusto", "tests on hosts").addoption
    add(
        "--glusto-config",
        action="append",
        default=[],
        metavar="FILE",
        help="a config file, or several in one word; repeatable, a later one is merged over it; else what "
        "GLUSTO_CONFIG names, or glusto_config in the ini file",
    )
    add(
        "--glusto-scope",
        choices=SCOPES,
        help=f"the scope of {SCOPED}; else glusto_scope, or function",
    )
    add("--glusto-strict", action="store_true", help="fail tests that need more hosts than there are; else they skip")
    parser.addini("glusto_config", "config files; relative to the ini file", type="args", default=[])
    parser.addini("glusto_scope", f"the scope of {SCOPED}", default="function")


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Load the config before anything of the suite is imported."""
    load(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and with a config start to work."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    load(config)
    scope_of_fixtures("", config)
    inherited = getattr(config, "workerinput", {}).get("glusto_config")
    if inherited is not None:  # an xdist worker, whose controller was given a config by `python -m glusto`
        import pickle

        put(config, pickle.loads(inherited))  # noqa: S301 - it comes from the controller
    if has_config():
        activate(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without a config, start to work when a module of tests, or a conftest, uses Glusto: it may have its own."""
    plugins = session.config.pluginmanager.get_plugins()
    modules = {getattr(item, "module", None) for item in session.items} | {
        plugin for plugin in plugins if isinstance(plugin, ModuleType) and not plugin.__name__.startswith("glusto.")
    }
    if any(uses_glusto(module) for module in modules if isinstance(module, ModuleType)):
        activate(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave all as it was."""
    run = config.pluginmanager.get_plugin(RUN)
    if run is not None:
        run.restore_signals()
    if BEFORE in config.stash:
        from glusto.harness import g

        g.set_config(config.stash[BEFORE])


def has_config() -> bool:
    """Whether there is a config, loaded by whomever."""
    return "glusto.harness" in sys.modules and bool(sys.modules["glusto.harness"].g.config)


def put(config: pytest.Config, data: dict[str, Any] | Config) -> None:
    """Put a config in the place of `g.config`, for this run."""
    from glusto.harness import g

    config.stash[BEFORE] = g.config
    g.set_config(data)


def load(config: pytest.Config) -> None:
    """Load the config that the options, the environment or the ini file name, once, unless one is loaded already."""
    if INHERITED in config.stash:
        return
    given = config.known_args_namespace.glusto_config
    config.stash[INHERITED] = has_config() and not given
    if config.stash[INHERITED]:
        return
    if not given and not os.environ.get("GLUSTO_CONFIG"):
        given = [shlex.quote(beside_ini(config, name)) for name in config.getini("glusto_config")]
    if given or os.environ.get("GLUSTO_CONFIG"):
        read(config, given)


def read(config: pytest.Config, names: list[str]) -> None:
    """Load configs, with mistakes told as pytest tells those of its own command line; none: those of GLUSTO_CONFIG."""
    from glusto.arguments import read_config
    from glusto.errors import ConfigError
    from glusto.inventory import Inventory

    try:
        found = read_config(argparse.Namespace(config=names, inventory=[], assignments=[], ssh_keyfile=None))
        if found is not None:
            Inventory.from_config(found)
            put(config, found)
    except ConfigError as error:
        raise pytest.UsageError(f"{error}\n{error.excerpt}".rstrip()) from None


def beside_ini(config: pytest.Config, name: str) -> str:
    """Return the name of a config that the ini file names."""
    if "://" in name or config.inipath is None:
        return name
    return os.path.join(config.inipath.parent, os.path.expanduser(name))


def activate(config: pytest.Config) -> None:
    """Connect, clean and report in this run."""
    from glusto.pytest_plugin.run import Run

    if not config.pluginmanager.has_plugin(RUN):
        config.pluginmanager.register(Run(config, closes=not config.stash[INHERITED]), RUN)


def uses_glusto(module: ModuleType) -> bool:
    """Whether a module has `glusto`, `g`, or a subclass of TestCase among its names."""
    package, harness, case = (sys.modules.get(name) for name in ("glusto", "glusto.harness", "glusto.case"))
    g = harness.g if harness else package
    base: tuple[type, ...] = (case.TestCase,) if case else ()
    return any(
        value is package or value is g or (issubclass(type(value), type) and issubclass(value, base))
        for value in vars(module).values()
    )


def scope_of_fixtures(fixture_name: str, config: pytest.Config) -> ScopeName:
    """Return the scope that the options give to the fixtures that may have any."""
    scope = config.getoption("--glusto-scope") or config.getini("glusto_scope")
    if scope not in SCOPES:
        raise pytest.UsageError(f"glusto_scope is one of {', '.join(SCOPES)}, not {scope!r}")
    return cast("ScopeName", scope)


@pytest.fixture(scope="session")
def g() -> Harness:
    """The harness, with the lab's config. What a test or a fixture opens with it is closed at the end of its scope."""
    if not has_config():
        pytest.fail(NO_CONFIG, pytrace=False)
    from glusto.harness import g as harness

    return harness


@pytest.fixture(scope=scope_of_fixtures)
def servers(request: pytest.FixtureRequest, g: Harness) -> list[str]:
    """The names of the servers; as many as `@pytest.mark.hosts(servers=N)` asks for."""
    from glusto.pytest_plugin.hosts import hosts_for

    return hosts_for(request.node, "servers")


@pytest.fixture(scope=scope_of_fixtures)
def clients(request: pytest.FixtureRequest, g: Harness) -> list[str]:
    """The names of the clients; as many as `@pytest.mark.hosts(clients=N)` asks for."""
    from glusto.pytest_plugin.hosts import hosts_for

    return hosts_for(request.node, "clients")


@pytest.fixture(scope=scope_of_fixtures)
def connection(request: pytest.FixtureRequest, g: Harness) -> HostConnection:
    """A connection to the first server, or to what `@pytest.mark.connection`, or an indirect parameter, names.

    A parameter is `[user@]host[:instance]`, or a dictionary with some of `host`, `user` and `instance`.
    """
    from glusto.pytest_plugin.hosts import place_of

    return g.rpyc_get_connection(**place_of(getattr(request, "param", {})))


@pytest.fixture(scope=scope_of_fixtures)
def connections(servers: list[str], clients: list[str], g: Harness) -> dict[str, HostConnection]:
    """Connections to all servers and clients as every user of the config, opened at once: `user@host:instance` → it."""
    return g.provision(list(dict.fromkeys([*servers, *clients])), g.inventory.users, g.inventory.instances)
