"""A fleet of test hosts: made together, taken down together."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

from . import keeper, machine
from .errors import HostError
from .host import TestHost
from .network import MOST_HOSTS, Network
from .pythons import interpreters, make_relocatable

_PREFIX = "glusto-hosts-"
_PROJECT = Path(__file__).resolve().parents[2]


@final
class Fleet:
    """``count`` hosts named h1, h2, … on a network of their own.

    Nothing is made before ``open``, which ``with`` calls. From then on a second process, the keeper,
    watches: when this process ends, however it ends, the keeper takes the fleet down.

    Args:
        count: how many hosts, from 1 to 240.
        name: by which ``Fleet.find`` knows it, in other processes as well.

    Example::

        with Fleet(2) as fleet:
            fleet.hosts[0].execute("hostname").stdout    # "h1\\n"
    """

    def __init__(self, count: int, name: str = "") -> None:
        if not 1 <= count <= MOST_HOSTS:
            raise ValueError(f"a fleet has 1 to {MOST_HOSTS} hosts, not {count}")
        self.count = count
        self.name = name or f"fleet-{os.getpid()}"
        self.hosts: list[TestHost] = []
        self._directory: Path | None = None
        # All its interfaces are in this link group: ``ip link show group …``.
        self.group = secrets.randbits(30) | 1 << 30
        self._keeper: subprocess.Popen[str] | None = None
        self._kept = False

    def __enter__(self) -> "Fleet":
        return self.open()

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self.close()

    def __repr__(self) -> str:
        return f"Fleet({self.count}, name={self.name!r})"

    # Its life

    def open(self) -> "Fleet":
        """Make the hosts and wait until every sshd answers.

        Returns:
            The fleet itself.

        Raises:
            HostError: a host did not come up, which one and the tail of its log; nothing is left behind.
        """
        if self._directory is not None:
            raise HostError(f"{self} is open already")
        self._directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            watched = (str(self.directory), str(self.group), str(os.getpid()))
            self._keeper = subprocess.Popen(
                (sys.executable, "-IS", keeper.__file__, *watched),
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd="/",
            )  # fmt: skip
            # A filesystem of its own: an overlay can't be written to inside the one it covers.
            mount = ("mount", "-t", "tmpfs", "-o", "mode=700", f"{_PREFIX}state", self.directory)
            subprocess.run(mount, check=True, timeout=30)
            self._make_hosts(Network.claim(self.group))
            for host in self.hosts:
                host.power_on(wait=False)
            for host in self.hosts:
                host.await_boot()
            self.learn_host_keys()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Take everything down: processes, namespaces, network, mounts, directory. May be called again.

        Raises:
            HostError: something could not be removed.
        """
        if self._directory is None:
            return
        if not self._keeper_closes():
            try:
                keeper.demolish(str(self.directory), self.group)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                raise HostError(f"{self}: {error}") from error
        for host in self.hosts:
            host.reap()
        self.hosts, self._directory, self._keeper = [], None, None

    def keep(self) -> None:
        """Send the keeper away: the fleet then outlives this process, and leaving ``with`` lets it stand.

        Only ``close`` takes it down, here or, by way of ``Fleet.find``, in another process.
        """
        if self._keeper is not None:
            self._keeper.communicate(keeper.KEEP.decode(), timeout=keeper.DEADLINE_SECONDS)
            self._keeper = None
            self._kept = True

    @classmethod
    def find(cls, name: str) -> "Fleet":
        """The open fleet of this name, whichever process made it.

        Raises:
            HostError: there is none.
        """
        for fleet in cls.all():
            if fleet.name == name:
                return fleet
        raise HostError(f"there is no fleet named {name!r}")

    @classmethod
    def all(cls) -> "Iterator[Fleet]":
        """The open fleets of this machine."""
        for directory in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
            try:
                if directory.stat().st_uid == os.getuid():
                    yield cls._read(directory)
            except FileNotFoundError:
                continue  # not made yet, or just taken down

    @classmethod
    def _read(cls, directory: Path) -> "Fleet":
        known = json.loads((directory / "fleet.json").read_text())
        fleet = cls(len(known["hosts"]), known["name"])
        fleet._directory, fleet.group, fleet._kept = directory, known["group"], True
        places = [directory / name for name in known["hosts"]]
        fleet.hosts = [TestHost(place, machine.Spec.read(place)) for place in places]
        return fleet

    def _keeper_closes(self) -> bool:
        """Whether the keeper did it; it can't when it was sent away or killed."""
        if self._keeper is None:
            return False
        try:
            self._keeper.communicate(keeper.CLOSE.decode(), timeout=2 * keeper.DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.communicate()
        return self._keeper.returncode == 0

    # What belongs to it

    @property
    def directory(self) -> Path:
        """Where its state is, on a filesystem of its own, until it is closed."""
        if self._directory is None:
            raise HostError(f"{self} is not open")
        return self._directory

    @property
    def keyfile(self) -> Path:
        """The private key that root, george and alexander accept on every host."""
        return self.directory / "id"

    @property
    def known_hosts(self) -> Path:
        """The host keys, by address and by name."""
        return self.directory / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """A configuration for ``ssh -F`` with which the hosts are reached by address or by name."""
        return self.directory / "ssh_config"

    def host(self, name: str) -> TestHost:
        """The host of this name."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise HostError(f"{self} has no host {name!r}, only {', '.join(host.name for host in self.hosts)}")

    def lab(self, **extra: Any) -> dict[str, Any]:
        """A glusto configuration of the fleet.

        Args:
            extra: sections to add; where the section exists, its keys are added to it.
        """
        lab: dict[str, Any] = {
            "servers": {host.name: {"address": host.address} for host in self.hosts},
            "ssh": {
                "user": "root",
                "keyfile": str(self.keyfile),
                "options": {"UserKnownHostsFile": str(self.known_hosts)},
            },
        }
        for section, value in extra.items():
            both = isinstance(value, dict) and isinstance(lab.get(section), dict)
            lab[section] = {**lab[section], **value} if both else value
        return lab

    def pythons(self) -> dict[str, str]:
        """The interpreters under /opt/pythons in every host, version → path there.

        They are those of the pyenv in the home directory of whoever made the fleet, mounted read-only;
        none without a pyenv. Every account may use them.
        """
        return machine.Spec.read(self.hosts[0].directory).pythons

    def learn_host_keys(self) -> None:
        """Write the keys that the hosts have now to ``known_hosts``."""
        lines = (f"{host.address},{host.name} {host.host_key}\n" for host in self.hosts)
        self.known_hosts.write_text("".join(lines))

    def _make_hosts(self, network: Network) -> None:
        keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", self.keyfile)
        subprocess.run(keygen, check=True, timeout=30)
        versions, relocated = Path.home() / ".pyenv" / "versions", self.directory / "pythons"
        make_relocatable(versions, relocated)
        neighbours = {f"h{position + 1}": network.address(position) for position in range(self.count)}
        for position, (name, address) in enumerate(neighbours.items()):
            spec = machine.Spec(
                name=name,
                address=address,
                mac=network.mac(position),
                link=network.link(position),
                bridge=network.bridge,
                group=network.group,
                neighbours=neighbours,
                public_key=self.keyfile.with_suffix(".pub").read_text(),
                pythons=interpreters(versions),
                pythons_from=[str(relocated), str(versions)],
                hidden=str(_PROJECT),
            )
            (self.directory / name).mkdir()
            spec.write(self.directory / name)
            self.hosts.append(TestHost(self.directory / name, spec))
        self.ssh_config.write_text(
            "".join(f"Host {name}\n  HostName {address}\n" for name, address in neighbours.items())
            + f"Host {' '.join((*neighbours, *neighbours.values()))}\n"
            f"  IdentityFile {self.keyfile}\n  IdentitiesOnly yes\n  UserKnownHostsFile {self.known_hosts}\n"
        )
        state = {"name": self.name, "group": self.group, "hosts": list(neighbours)}
        (self.directory / "fleet.new").write_text(json.dumps(state))
        (self.directory / "fleet.new").rename(self.directory / "fleet.json")
