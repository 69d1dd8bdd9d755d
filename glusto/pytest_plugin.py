"""The pytest plugin: its options, markers and fixtures. docs/pytest.rst describes them.

pytest imports this in every run, whatever that tests. So it does nothing until there is a config, or a test module
uses Glusto; then `pytest_run` has the hooks that find hosts, clean them, and report.
"""

from __future__ import annotations

import argparse
import os
import pickle
import shlex
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

import glusto
from glusto.arguments import read_config
from glusto.errors import ConfigError
from glusto.harness import Harness, as_list
from glusto.harness import g as harness

if TYPE_CHECKING:
    from glusto.connection import HostConnection

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
        config.stash[BEFORE] = harness.config
        harness.set_config(pickle.loads(inherited))  # noqa: S301 - it comes from the controller
    if harness.config:
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
        harness.set_config(config.stash[BEFORE])


def load(config: pytest.Config) -> None:
    """Load the config that the options, the environment or the ini file name, once, unless one is loaded already."""
    given = config.known_args_namespace.glusto_config
    if INHERITED in config.stash:
        return
    config.stash[INHERITED] = bool(harness.config) and not given
    if config.stash[INHERITED]:
        return
    if not given and not os.environ.get("GLUSTO_CONFIG"):
        given = [shlex.quote(beside_ini(config, name)) for name in config.getini("glusto_config")]
    before = harness.config
    try:
        read = read_config(argparse.Namespace(config=given, inventory=[], assignments=[], ssh_keyfile=None))
        if read is not None:
            harness.set_config(read)
            harness.inventory  # noqa: B018 - its mistakes are to be told now
            config.stash[BEFORE] = before
    except ConfigError as error:
        harness.set_config(before)
        raise pytest.UsageError(f"{error}\n{error.excerpt}".rstrip()) from None


def beside_ini(config: pytest.Config, name: str) -> str:
    """Return the name of a config that the ini file names."""
    if "://" in name or config.inipath is None:
        return name
    return os.path.join(config.inipath.parent, os.path.expanduser(name))


def activate(config: pytest.Config) -> None:
    """Connect, clean and report in this run."""
    from glusto.pytest_run import Run

    if not config.pluginmanager.has_plugin(RUN):
        config.pluginmanager.register(Run(config, closes=not config.stash[INHERITED]), RUN)


def uses_glusto(module: ModuleType) -> bool:
    """Whether a module has `glusto`, `g`, or a subclass of TestCase among its names."""
    return any(
        value is glusto or value is harness or (issubclass(type(value), type) and issubclass(value, glusto.TestCase))
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
    if not harness.config:
        pytest.fail(NO_CONFIG, pytrace=False)
    return harness


@pytest.fixture(scope=scope_of_fixtures)
def servers(request: pytest.FixtureRequest, g: Harness) -> list[str]:
    """The names of the servers; as many as `@pytest.mark.hosts(servers=N)` asks for."""
    return hosts_for(request.node, "servers")


@pytest.fixture(scope=scope_of_fixtures)
def clients(request: pytest.FixtureRequest, g: Harness) -> list[str]:
    """The names of the clients; as many as `@pytest.mark.hosts(clients=N)` asks for."""
    return hosts_for(request.node, "clients")


@pytest.fixture(scope=scope_of_fixtures)
def connection(request: pytest.FixtureRequest, g: Harness) -> HostConnection:
    """A connection to the first server, or to what `@pytest.mark.connection`, or an indirect parameter, names.

    A parameter is `[user@]host[:instance]`, or a dictionary with some of `host`, `user` and `instance`.
    """
    wanted = getattr(request, "param", {})
    arguments = dict(wanted) if isinstance(wanted, Mapping) else parse_place(wanted)
    arguments.setdefault("host", first_host())
    return g.rpyc_get_connection(**arguments)


@pytest.fixture(scope=scope_of_fixtures)
def connections(servers: list[str], clients: list[str], g: Harness) -> dict[str, HostConnection]:
    """Connections to all servers and clients as every user of the config, opened at once: `user@host:instance` → it."""
    return g.provision(list(dict.fromkeys([*servers, *clients])), g.inventory.users, g.inventory.instances)


def first_host() -> str:
    """Return the host that is meant when none is named: the first of the servers, or of all."""
    for name in (*harness.inventory.roles["servers"], *harness.inventory.hosts):
        return name
    raise ConfigError("the config has no hosts")


def hosts_for(node: pytest.Item | pytest.Collector, role: str) -> list[str]:
    """Return the names of the hosts of a role that a test, or all tests of a class or module, may use."""
    return list(harness.inventory.roles.get(role, ())[: numbers_of(node).get(role)])


def numbers_of(node: pytest.Item | pytest.Collector) -> dict[str, int]:
    """Return how many hosts of which roles the `hosts` markers ask for; the nearest marker counts."""
    found: dict[str, int] = {}
    for marker in node.iter_markers("hosts"):
        if marker.args or not all(type(number) is int and number >= 0 for number in marker.kwargs.values()):
            pytest.fail("@pytest.mark.hosts takes numbers by role, as in hosts(servers=2, clients=1)", pytrace=False)
        found = {**marker.kwargs, **found}
    return found


def parse_place(text: str) -> dict[str, Any]:
    """Return the arguments for `g.rpyc_get_connection` that `[user@]host[:instance]` stands for.

    >>> parse_place("george@server1:2")
    {'host': 'server1', 'user': 'george', 'instance': 2}
    >>> parse_place("server1")
    {'host': 'server1'}
    """
    user, _, host = text.rpartition("@")
    name, colon, number = host.partition(":")
    place: dict[str, Any] = {"host": name if number.isdigit() else host}
    if user:
        place["user"] = user
    if colon and number.isdigit():
        place["instance"] = int(number)
    return place


def places(hosts: Iterable[str], users: str | Iterable[str] | None, instances: int | Iterable[int]) -> list[str]:
    """Return hosts × users × instances as `[user@]host[:instance]`; a role stands for its hosts.

    >>> places(["server1"], ["root", "george"], 2)
    ['root@server1:2', 'george@server1:2']
    """
    roles = harness.inventory.roles
    names = [name for word in hosts for name in roles.get(word, (word,))]
    prefixes = [""] if users is None else [f"{user}@" for user in as_list(users)]
    numbers = [instances] if isinstance(instances, int) else list(instances)
    suffixes = ["" if number == 1 else f":{number}" for number in numbers]
    return [f"{prefix}{name}{suffix}" for name in names for prefix in prefixes for suffix in suffixes]
