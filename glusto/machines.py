"""plumbum's SshMachines, riding on the links: for tests that want plumbum's way with commands and paths."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from plumbum import SshMachine
from plumbum.commands.processes import ProcessExecutionError

from glusto.errors import ConnectError

if TYPE_CHECKING:
    from glusto.link import Link


class Machines:
    """One SshMachine a link, made on first use: its session costs round trips that most runs can do without."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Link, SshMachine]] = {}
        self._making = threading.Lock()

    def all(self, links: Mapping[str, Link]) -> dict[str, SshMachine]:
        """Return a machine for each SSH link that lives. Not for the loop's thread: it waits for the hosts.

        Raises:
            ConnectError: a session can't be opened.
        """
        with self._making:
            for name, link in list(links.items()):
                if link.control is None or link.error is not None or not link.is_ready:
                    continue
                if name not in self._made or self._made[name][0] is not link:
                    self._made[name] = link, open_machine(link)
            return {name: machine for name, (link, machine) in self._made.items() if links.get(name) is link}

    def close(self, name: str) -> None:
        """Close the machine on a link, if there is one."""
        _, machine = self._made.pop(name, (None, None))
        if machine is not None:
            with contextlib.suppress(OSError, EOFError):  # its ssh may be gone with the link
                machine.close()


def open_machine(link: Link) -> SshMachine:
    """Return a new machine on a link's own SSH connection."""
    try:
        return SshMachine(
            link.host.address,
            user=link.user,
            port=link.host.port,
            ssh_opts=["-oControlMaster=no", f"-oControlPath={link.control}"],
            scp_opts=["-oControlMaster=no", f"-oControlPath={link.control}"],
        )
    except (ProcessExecutionError, OSError, EOFError) as error:
        raise ConnectError(link.name, f"plumbum's session could not be opened: {error}", "login") from error
