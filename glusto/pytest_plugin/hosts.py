"""Which hosts a test gets: what its markers and parameters ask for, and what the lab has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from glusto.errors import ConfigError
from glusto.harness import as_list, g

Node = pytest.Item | pytest.Collector


def first_host() -> str:
    """Return the host that is meant when none is named: the first of the servers, or of all."""
    for name in (*g.inventory.roles["servers"], *g.inventory.hosts):
        return name
    raise ConfigError("the config has no hosts")


def hosts_for(node: Node, role: str) -> list[str]:
    """Return the names of the hosts of a role that a test, or all tests of a class or module, may use."""
    return list(g.inventory.roles.get(role, ())[: numbers_of(node).get(role)])


def numbers_of(node: Node) -> dict[str, int]:
    """Return how many hosts of which roles the `hosts` markers ask for; the nearest marker counts."""
    found: dict[str, int] = {}
    for marker in node.iter_markers("hosts"):
        if marker.args or not all(type(number) is int and number >= 0 for number in marker.kwargs.values()):
            pytest.fail("@pytest.mark.hosts takes numbers by role, as in hosts(servers=2, clients=1)", pytrace=False)
        found = {**marker.kwargs, **found}
    return found


def place_of(wanted: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for `g.rpyc_get_connection` that a parameter of `connection` stands for."""
    place = dict(wanted) if isinstance(wanted, Mapping) else parse_place(wanted)
    return {"host": first_host(), **place} if "host" not in place else place


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
    roles = g.inventory.roles
    names = [name for word in hosts for name in roles.get(word, (word,))]
    prefixes = [""] if users is None else [f"{user}@" for user in as_list(users)]
    numbers = [instances] if isinstance(instances, int) else list(instances)
    suffixes = ["" if number == 1 else f":{number}" for number in numbers]
    return [f"{prefix}{name}{suffix}" for name in names for prefix in prefixes for suffix in suffixes]
