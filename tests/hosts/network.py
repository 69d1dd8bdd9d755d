"""The network of a fleet: one bridge with a /24 of its own; each host is a port of it."""

import json
import subprocess
from dataclasses import dataclass

from .errors import HostError

PREFIX = "10.98"
MOST_HOSTS = 240
_FIRST_HOST = 11


def ip(*arguments: str) -> str:
    """Run iproute2's ``ip`` and return what it prints.

    Raises:
        HostError: it failed; the message carries what it said.
    """
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise HostError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@dataclass(frozen=True)
class Network:
    """A claimed subnet 10.98.``number``.0/24; every link of it is in the link group ``group``."""

    number: int
    group: int

    @classmethod
    def claim(cls, group: int) -> "Network":
        """Make the bridge of the first subnet that is free.

        The bridge's name carries the subnet's number, and the kernel lets only one process make it: no
        lock is needed among fleets that start at the same moment.

        Raises:
            HostError: no subnet is free, or bridges can't be made here.
        """
        taken = _subnets_in_use()
        for number in (n for n in range(256) if n not in taken):
            network = cls(number, group)
            try:
                ip("link", "add", "name", network.bridge, "group", str(group), "type", "bridge",
                   "forward_delay", "0", "mcast_snooping", "0")  # fmt: skip
            except HostError as error:
                if "File exists" not in str(error):
                    raise
            else:
                ip("address", "add", f"{network.gateway}/24", "dev", network.bridge)
                ip("link", "set", network.bridge, "up")
                return network
        raise HostError(f"every subnet {PREFIX}.0.0/24 to {PREFIX}.255.0/24 is in use")

    @property
    def bridge(self) -> str:
        """The bridge's interface name."""
        return f"gh{self.number}"

    @property
    def gateway(self) -> str:
        """The address of the machine that runs the tests, as the hosts see it."""
        return f"{PREFIX}.{self.number}.1"

    def address(self, position: int) -> str:
        """The address of the host at ``position``, from 0."""
        return f"{PREFIX}.{self.number}.{_FIRST_HOST + position}"

    def mac(self, position: int) -> str:
        """A hardware address that stays the same when the host boots again."""
        return f"02:98:00:00:{self.number:02x}:{_FIRST_HOST + position:02x}"

    def link(self, position: int) -> str:
        """The name of the host's cable, at the end that is plugged into the bridge."""
        return f"{self.bridge}-{_FIRST_HOST + position}"


def _subnets_in_use() -> set[int]:
    links = json.loads(ip("-json", "-4", "address"))
    addresses = [entry["local"] for link in links for entry in link.get("addr_info", ())]
    return {int(address.split(".")[2]) for address in addresses if address.startswith(f"{PREFIX}.")}
