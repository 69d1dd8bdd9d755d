"""The inventory: a frozen view of a config. Roles, the hosts in them, and the settings Glusto knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from glusto.config import Config, spell
from glusto.errors import ConfigError
from glusto.names import check_host_name, check_user_name
from glusto.schema import Spot, build, checked, convert, freeze, nothing, shown
from glusto.settings import (
    FilePath,
    Interpreter,
    Port,
    Reports,
    Settings,
    SshSettings,
    UnittestSettings,
    UserName,
    Vars,
)

__all__ = ["Host", "Inventory", "check_host_name", "check_user_name"]

HostName = Annotated[str, check_host_name]


@dataclass(frozen=True)
class Host:
    """One host, as the inventory has it.

    Attributes:
        name: what tests call it.
        address: what ssh calls it; its name by default.
        user: connect as this user only, whatever `users` says.
        port: where its sshd listens; by default what ssh's own configuration says.
        keyfile: the private key for this host, before that of `ssh:`.
        python: the interpreter to use there; by default the first that is 3.6 or newer of the usual ones.
        connection: "local" runs the same things on this machine, without ssh.
        vars: whatever the tests want to know of it; read-only.
    """

    name: HostName
    address: HostName
    user: UserName | None = None
    port: Port | None = None
    keyfile: FilePath | None = None
    python: Interpreter | None = None
    connection: Literal["ssh", "local"] = "ssh"
    vars: Vars = field(default_factory=nothing, hash=False)


@dataclass(frozen=True)
class Inventory:
    """All that Glusto takes from a config; what else stands there is the tests' own.

    Attributes:
        roles: role → names of its hosts, in order; `servers` and `clients` are always there.
        hosts: name → host, in order of first appearance.
        users: connect to each host as each of these; empty for the one default user.
        instances: connections for each host and user.
        ssh, reports, unittest: those sections.
        dead_man_seconds: hosts clean themselves when the runner is silent this long.
        keep_residue: leave what is found on the hosts, to look at it.

    >>> lab = Inventory.from_config(Config({"servers": {"web": "10.0.0.1"}, "clients": ["desk"]}))
    >>> lab.roles["servers"], lab.host("web").address, lab.user_of(lab.host("desk"))
    (('web',), '10.0.0.1', 'root')
    """

    roles: Mapping[str, tuple[str, ...]]
    hosts: Mapping[str, Host]
    users: tuple[str, ...]
    instances: int
    ssh: SshSettings
    reports: Reports
    unittest: UnittestSettings
    dead_man_seconds: float
    keep_residue: bool

    @classmethod
    def from_config(cls, config: Config) -> Inventory:
        """Check a config and freeze what Glusto needs of it.

        Raises:
            ConfigError: a known section holds something wrong; with file, line and column when it was read
                from a file.
        """
        settings = build(Settings, config.data, Spot(config), others_allowed=True)
        keyfile = settings.ssh.keyfile or settings.ssh_keyfile or settings.keyfile
        roster = _Roster()
        roles = {role: roster.add(role, value, spot) for role, value, spot in _roles(config)}
        return cls(
            roles=freeze({"servers": (), "clients": ()} | roles),
            hosts=freeze(roster.hosts),
            users=tuple(dict.fromkeys(settings.users)),
            instances=settings.instances,
            ssh=replace(settings.ssh, keyfile=keyfile),
            reports=settings.reports,
            unittest=settings.unittest,
            dead_man_seconds=settings.dead_man_seconds,
            keep_residue=settings.keep_residue,
        )

    def host(self, name: str) -> Host:
        """The host of that name, else the first of that address, else a new one that ssh may know.

        Raises:
            ConfigError: there is none, and the name is not one that ssh may be given.
        """
        if name in self.hosts:
            return self.hosts[name]
        for host in self.hosts.values():
            if host.address == name:
                return host
        return Host(name=check_host_name(name), address=name)

    def user_of(self, host: Host, user: str | None = None) -> str:
        """The user to connect to a host as: the one asked for, else the host's, else the default.

        Raises:
            ConfigError: the one asked for is no user name.
        """
        if user is not None:
            return check_user_name(user)
        if host.user is not None:
            return host.user
        return _current_user() if host.connection == "local" else self.ssh.user

    def users_of(self, host: Host, users: Sequence[str]) -> tuple[str, ...]:
        """All users to connect to a host as.

        Args:
            host: one with a `user` of its own is connected as that one only, and so is a local one, where
                nobody but the current user can be had.
            users: those to connect to any other host as; empty for the default one.
        """
        if host.user is not None or host.connection == "local" or not users:
            return (self.user_of(host),)
        return tuple(dict.fromkeys(check_user_name(user) for user in users))


    def everybody(self) -> list[tuple[Host, str]]:
        """Every host with every user that it is connected as.

        Raises:
            ConfigError: there are no hosts.
        """
        wanted = [(host, user) for host in self.hosts.values() for user in self.users_of(host, self.users)]
        if not wanted:
            raise ConfigError("the config has no hosts; name some under `servers`, as in servers: [10.0.0.1]")
        return wanted


def host_spots(config: Config) -> dict[str, Spot]:
    """Where each host is described, or else first named: name → spot.

    >>> {name: spot.path for name, spot in host_spots(Config({"servers": ["a", "b"], "clients": {"b": None}})).items()}
    {'a': ('servers', 0), 'b': ('servers', 1)}
    """
    found: dict[str, tuple[bool, Spot]] = {}
    for _, value, spot in _roles(config):
        for fields, entry in _entries(value, spot):
            is_described = fields["address"] != fields["name"] or len(fields) > 2
            if fields["name"] not in found or (is_described and not found[fields["name"]][0]):
                found[fields["name"]] = is_described, entry
    return {name: spot for name, (_, spot) in found.items()}


class _Roster:
    """The hosts met so far, and where, to find those that are described twice and differently."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self._described: dict[str, Spot] = {}

    def add(self, role: str, value: object, spot: Spot) -> tuple[str, ...]:
        names: list[str] = []
        for fields, entry in _entries(value, spot):
            host = build(Host, fields, entry)
            if host.name in names:
                raise entry.key().error(f"{host.name} is in {role} already; once is enough")
            names.append(host.name)
            if set(fields) != {"name", "address"} or host.address != host.name:
                self._check_same(host, entry)
                self._described[host.name] = entry
                self.hosts[host.name] = host
            self.hosts.setdefault(host.name, host)
        return tuple(names)

    def _check_same(self, host: Host, entry: Spot) -> None:
        before = self._described.get(host.name)
        known = self.hosts.get(host.name)
        if before is None or known == host:
            return
        name = next(name for name in vars(host) if getattr(host, name) != getattr(known, name))
        place = entry.config.where(before.path, key=True) or spell(before.path)
        raise entry.key().error(
            f"{host.name} is described differently at {place}: {name} is {getattr(known, name)!r} there and "
            f"{getattr(host, name)!r} here; describe it once, and give just its name in other roles")


def _roles(config: Config) -> Iterator[tuple[str, object, Spot]]:
    top = Spot(config)
    for role in ("servers", "clients"):
        if role in config.data:
            yield role, config.data[role], top.at(role)
    others = config.data.get("roles") or {}
    if not isinstance(others, Mapping):
        raise top.at("roles").error("expected a mapping role → hosts, such as {storage: [a, b]}")
    for role, value in others.items():
        spot = top.at("roles", role)
        if not isinstance(role, str) or not role.strip():
            raise spot.key().error(f'a role is named by a text; quotes make it one: "{role}"')
        if role in ("servers", "clients") and role in config.data:
            place = config.where((role,), key=True) or "set by the program"
            raise spot.key().error(f"{role} stands at the top too ({place}); remove one of them")
        yield role, value, spot


def _entries(value: object, spot: Spot) -> Iterator[tuple[dict[str, Any], Spot]]:
    """Each host of a role as the fields of a Host, whichever way it is written."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield _from_mapping(name, item, spot.at(name)), spot.at(name)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield _from_list(item, spot.at(index)), spot.at(index)
    elif value is not None:
        example = f"; write [{value}]" if isinstance(value, str) else ""
        raise spot.error(f"expected a list of names, or a mapping name → address{example}")


def _from_mapping(name: Any, item: object, spot: Spot) -> dict[str, Any]:
    checked(check_host_name, name, spot.key())
    if item is None:
        return {"name": name, "address": name}
    if isinstance(item, str):
        return {"name": name, "address": convert(HostName, item, spot)}
    if not isinstance(item, Mapping):
        raise spot.error(f"expected an address, or a mapping, {{address: 10.0.0.1}}; got {shown(item)}")
    if "name" in item:
        raise spot.at("name").key().error(f"the name stands before it already ({name})")
    return {"name": name, "address": name, **item}


def _from_list(item: object, spot: Spot) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        name = convert(HostName, item, spot)
        return {"name": name, "address": name}
    name = item.get("name", item.get("address"))
    if name is None:
        raise spot.error("a host has a `name`, an `address`, or both")
    return {"name": name, "address": name, **item}


def _current_user() -> str:
    import getpass

    return getpass.getuser()
