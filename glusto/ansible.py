"""An Ansible inventory as a config: its groups are roles, and its variables say how hosts are reached.

The groups `servers` and `clients` are those roles; all others, `all` and `ungrouped` among them, stand under
`roles`. A host is described where it appears first, and named elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from glusto.document import Document, Place, Position
from glusto.errors import ConfigError
from glusto.readers import decode
from glusto.sources import extension_of, path_of, read


class Valued(NamedTuple):
    """A variable's value and where it is written."""

    value: Any
    position: Position


@dataclass
class Group:
    """What an inventory says of one group.

    Attributes:
        position: where it is first named.
        hosts: the names of its own hosts, and where each stands.
        children: the names of the groups within it.
        vars: variables of all its hosts.
    """

    position: Position
    hosts: dict[str, Position] = field(default_factory=dict)
    children: dict[str, Position] = field(default_factory=dict)
    vars: dict[str, Valued] = field(default_factory=dict)


@dataclass
class Groups:
    """A whole inventory, as it is written: groups, and what is said of hosts wherever they stand."""

    groups: dict[str, Group] = field(default_factory=dict)
    host_vars: dict[str, dict[str, Valued]] = field(default_factory=dict)

    def group(self, name: str, position: Position) -> Group:
        """The group of that name, made when it is new."""
        return self.groups.setdefault(name, Group(position))

    def add_host(self, group: str, name: str, position: Position, variables: Mapping[str, Valued]) -> None:
        """Put a host into a group; variables that it had already are overwritten."""
        self.group(group, position).hosts.setdefault(name, position)
        self.host_vars.setdefault(name, {}).update(variables)


FIELDS = {
    "ansible_host": "address",
    "ansible_ssh_host": "address",
    "ansible_port": "port",
    "ansible_ssh_port": "port",
    "ansible_user": "user",
    "ansible_ssh_user": "user",
    "ansible_ssh_private_key_file": "keyfile",
    "ansible_private_key_file": "keyfile",
    "ansible_python_interpreter": "python",
    "ansible_connection": "connection",
}
CONNECTIONS = {"local": "local", "ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh"}
WITHOUT_MEANING = {  # what can't be done with it, and what to do instead; a host would not be reached as it says
    "ansible_password": "hosts are reached with keys: ssh-copy-id puts one there",
    "ansible_ssh_pass": "hosts are reached with keys: ssh-copy-id puts one there",
    "ansible_ssh_common_args": "write it as `ssh: options` in a config (ProxyJump: bastion), or in ~/.ssh/config",
    "ansible_ssh_extra_args": "write it as `ssh: options` in a config (ProxyJump: bastion), or in ~/.ssh/config",
    "ansible_ssh_executable": "ssh is the one in PATH",
}
FOUND_BY_ITSELF = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")


def load(filename: str | os.PathLike[str]) -> tuple[Document, list[str]]:
    """Read an inventory, in INI or YAML.

    Args:
        filename: a path or a URL; `.yml`, `.yaml` and `.json` are read as YAML, all else as INI.

    Returns:
        The config it amounts to, and a line for each thing in it that is of no use here.

    Raises:
        ConfigError: it can't be read, is no inventory, or says something that can't be done; with file and line.
    """
    name = path_of(filename)
    text = decode(read(name), name)
    try:
        return _read(name, text)
    except ConfigError as error:
        error.quote(text)
        raise


def _read(name: str, text: str) -> tuple[Document, list[str]]:
    from glusto import ansible_readers

    if text.startswith("#!"):
        problem = (
            "an inventory script is not run; write what it gives to a file: ansible-inventory -i FILE --list --yaml"
        )
        raise ConfigError(problem, name, 1, 1)
    is_yaml = extension_of(name) in ("yml", "yaml", "json")
    groups = ansible_readers.parse_yaml(text, name) if is_yaml else ansible_readers.parse_ini(text, name)
    notes: list[str] = []
    root = _Maker(groups, notes).config()
    for beside in ("group_vars", "host_vars"):
        directory = os.path.join(os.path.dirname(name), beside)
        if os.path.isdir(directory):
            notes.append(f"{directory}: is not read; ansible-inventory -i {name} --list --yaml has it all in one file")
    return Document(root.value, root, text), notes


class _Maker:
    """Makes a config of an inventory."""

    def __init__(self, inventory: Groups, notes: list[str]) -> None:
        self._inventory, self._notes = inventory, notes
        self._groups = inventory.groups
        self._described: set[str] = set()
        self._noted: set[Position] = set()
        self._members = {group: list(dict.fromkeys(self._within(group, ()))) for group in self._groups}
        self._around: dict[str, list[tuple[int, str]]] = {}  # host → its groups, with their depths
        for group in self._groups.keys() - {"all", "ungrouped"}:
            depth = self._depth(group)
            for host in self._members[group]:
                self._around.setdefault(host, []).append((depth, group))
        self._ungrouped = [host for host in inventory.host_vars if host not in self._around]

    def config(self) -> Place:
        places: dict[str, Place] = {name: self._role(name) for name in ("servers", "clients") if name in self._groups}
        others = [name for name in self._groups if name not in ("servers", "clients", "all", "ungrouped")]
        roles = {name: self._role(name) for name in others}
        if self._ungrouped:
            roles["ungrouped"] = self._hosts(self._ungrouped, "ungrouped")
        roles["all"] = self._hosts(list(self._inventory.host_vars), "all")
        return _mapping({**places, "roles": _mapping(roles)})

    def _role(self, group: str) -> Place:
        return self._hosts(self._members[group], group)

    def _hosts(self, names: list[str], group: str) -> Place:
        position = self._groups[group].position if group in self._groups else Position(self._file)
        hosts = {}
        for name in names:
            key = self._where(name)
            if name in self._described:
                hosts[name] = Place(key, None, key)
            else:
                self._described.add(name)
                hosts[name] = self._host(name, key)
        return _mapping(hosts, position)

    @property
    def _file(self) -> str:
        return next((group.position.file for group in self._groups.values()), "")

    def _where(self, host: str) -> Position:
        return next(group.hosts[host] for group in self._groups.values() if host in group.hosts)

    def _within(self, group: str, around: tuple[str, ...]) -> Iterator[str]:
        """The hosts of a group and of those within it."""
        if group in around:
            raise ConfigError(
                f"the group {group} is within itself: {' > '.join((*around, group))}", *self._groups[group].position
            )
        yield from self._groups[group].hosts
        for child in self._groups[group].children:
            yield from self._within(child, (*around, group))

    def _host(self, name: str, key: Position) -> Place:
        fields: dict[str, Place] = {}
        others: dict[str, Place] = {}
        for variable, (value, position) in self._variables(name).items():
            if variable in FIELDS:
                meant = self._field(variable, value, position)
                if meant is not None:
                    fields[FIELDS[variable]] = Place(position, meant, position)
            elif variable in WITHOUT_MEANING:
                raise ConfigError(f"{variable} can't be followed: {WITHOUT_MEANING[variable]}", *position)
            elif variable.startswith("ansible_"):
                self._note(variable, position)
            else:
                others[variable] = Place(position, value, position)
        if others:
            fields["vars"] = _mapping(others, key)
        return _mapping(fields, key) if fields else Place(key, None, key)

    def _variables(self, host: str) -> dict[str, Valued]:
        """The variables of a host: those of `all`, of its groups from the outermost in, and its own."""
        found = dict(self._groups["all"].vars) if "all" in self._groups else {}
        for _, group in sorted(self._around.get(host, ())):
            found.update(self._groups[group].vars)
        return {**found, **self._inventory.host_vars[host]}

    def _depth(self, group: str) -> int:
        parents = [name for name, one in self._groups.items() if group in one.children and name != "all"]
        return 1 + max((self._depth(parent) for parent in parents), default=0)

    def _field(self, variable: str, value: Any, position: Position) -> Any:
        """A variable as the field of a host that it is; None for what Glusto finds by itself."""
        if "{{" in str(value):
            raise ConfigError(
                f"{variable} is a template; write its value, or have Ansible do it: ansible-inventory --list --yaml",
                *position,
            )
        kind = FIELDS[variable]
        if kind == "connection":
            if value not in CONNECTIONS:
                raise ConfigError(f"{variable}={value}: hosts are reached by ssh, or are local", *position)
            return CONNECTIONS[value]
        if kind == "python" and value in FOUND_BY_ITSELF:
            return None
        if kind == "port":
            return int(value) if isinstance(value, str) and value.isdecimal() else value
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def _note(self, variable: str, position: Position) -> None:
        if position not in self._noted:
            self._noted.add(position)
            self._notes.append(f"{position}: {variable} is of no use here")


def _mapping(inner: dict[str, Place], position: Position | None = None) -> Place:
    """The place of a mapping that holds these."""
    first = position or next((place.position for place in inner.values()), Position(""))
    return Place(first, {key: place.value for key, place in inner.items()}, first, inner)
