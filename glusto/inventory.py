"""The inventory: a frozen view of a config. Roles, the hosts in them, and the settings Glusto knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from glusto.config import Config, Path
from glusto.errors import ConfigError
from glusto.names import check_host_name, check_user_name
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
    build,
    convert,
    freeze,
    nothing,
)

__all__ = ["Host", "Inventory", "check_host_name", "check_user_name"]

HostName = Annotated[str, check_host_name]


@dataclass(frozen=True)
class Host:
    """One host, as the inventory has it.

    Attributes:
        name: what tests call it.
        address: what ssh calls it.
        user: connect as this user only; None when the inventory doesn't say.
        port, keyfile, python: where sshd listens, the private key's file, the interpreter to try first.
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
        settings = build(Settings, config.data, (), config, others_allowed=True)
        roster = _Roster(config)
        roles = {role: roster.add(role, path, value) for role, path, value in _roles(config)}
        return cls(
            roles=freeze({"servers": (), "clients": ()} | roles),
            hosts=freeze(roster.hosts),
            users=tuple(dict.fromkeys(settings.users)),
            instances=settings.instances,
            ssh=settings.ssh,
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


class _Roster:
    """The hosts met so far, and where, to find those that are described twice and differently."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.hosts: dict[str, Host] = {}
        self._described: dict[str, Path] = {}

    def add(self, role: str, path: Path, value: object) -> tuple[str, ...]:
        names: list[str] = []
        for entry, fields in self._entries(path, value):
            host = build(Host, fields, entry, self._config)
            if host.name in names:
                raise self._config.error(entry, f"{host.name} is in {role} already; once is enough", key=True)
            names.append(host.name)
            if set(fields) != {"name", "address"} or host.address != host.name:
                self._check_same(host, entry)
                self._described[host.name] = entry
                self.hosts[host.name] = host
            self.hosts.setdefault(host.name, host)
        return tuple(names)

    def _check_same(self, host: Host, entry: Path) -> None:
        known = self.hosts.get(host.name)
        before = self._described.get(host.name)
        if known is None or before is None or known == host:
            return
        differs = next(name for name in vars(host) if getattr(host, name) != getattr(known, name))
        place = self._config.where(before, key=True)
        raise self._config.error(
            entry, f"{host.name} is described differently at {place or 'another place'}: {differs} is "
            f"{getattr(known, differs)!r} there and {getattr(host, differs)!r} here; "
            "describe it once, and give just its name in other roles", key=True)

    def _entries(self, path: Path, value: object) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Each host of a role as the fields of a Host, whichever way it is written."""
        if isinstance(value, Mapping):
            for name, item in value.items():
                yield (*path, name), self._from_mapping((*path, name), name, item)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield (*path, index), self._from_list((*path, index), item)
        elif value is not None:
            example = f"; write [{value}]" if isinstance(value, str) else ""
            raise self._config.error(path, f"expected a list of names, or a mapping name → address{example}")

    def _from_mapping(self, path: Path, name: Any, item: object) -> dict[str, Any]:
        self._check_name(path, name)
        if item is None or isinstance(item, str):
            return {"name": name, "address": name if item is None else self._address(path, item)}
        if not isinstance(item, Mapping):
            raise self._config.error(
                path, f"expected an address, or a mapping such as {{address: 10.0.0.1}}; got {item!r}")
        if "name" in item:
            raise self._config.error((*path, "name"), f"the name stands before it already ({name})", key=True)
        return {"name": name, "address": name, **item}

    def _from_list(self, path: Path, item: object) -> dict[str, Any]:
        if not isinstance(item, Mapping):
            name = convert(HostName, item, path, self._config)
            return {"name": name, "address": name}
        name = item.get("name", item.get("address"))
        if name is None:
            raise self._config.error(path, "a host has a `name`, an `address`, or both")
        return {"name": name, "address": name, **item}

    def _address(self, path: Path, item: str) -> str:
        return str(convert(HostName, item, path, self._config))

    def _check_name(self, path: Path, name: Any) -> None:
        try:
            check_host_name(name)
        except ConfigError as error:
            raise self._config.error(path, error.problem, key=True) from error


def _roles(config: Config) -> Iterator[tuple[str, Path, object]]:
    for role in ("servers", "clients"):
        if role in config.data:
            yield role, (role,), config.data[role]
    others = config.data.get("roles")
    if others is not None and not isinstance(others, Mapping):
        raise config.error(("roles",), "expected a mapping role → hosts, such as {storage: [a, b]}")
    for role, value in (others or {}).items():
        path = ("roles", role)
        if not isinstance(role, str) or not role.strip():
            raise config.error(path, f'a role is named by a text; quotes make it one: "{role}"', key=True)
        if role in ("servers", "clients") and role in config.data:
            place = config.where((role,), key=True)
            raise config.error(path, f"{role} stands at the top too ({place or 'set by the program'}); "
                                     "remove one of them", key=True)
        yield role, path, value


def _current_user() -> str:
    import getpass

    return getpass.getuser()
