"""Diagnoses: what a survey found that is in the way, where in the config it comes from, and what mends it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from glusto.config import Config, Position
from glusto.errors import ConnectError, DeployError
from glusto.inventory import Inventory, host_spots
from glusto.schema import Spot
from glusto.ssh import by_hand
from glusto.survey import SESSIONS_NEEDED, Survey

FAR_OFF = 1.0  # seconds by which a clock may be wrong
LITTLE = 100 << 20  # bytes: less is worth a word
ASPECTS = ("reachable", "host key", "login", "python", "agent", "clock", "space", "sshd", "leftovers")
OF_REASONS = {
    "name": "reachable",
    "unreachable": "reachable",
    "refused": "reachable",
    "timeout": "reachable",
    "busy": "reachable",
    "ssh": "reachable",
    "host key": "host key",
    "auth": "login",
    "login": "login",
}
HINTS = {  # reason → where in the config to look: fields of the host, then other paths
    "name": (("address",), ()),
    "unreachable": (("address",), ()),
    "timeout": (("address", "port"), ()),
    "refused": (("port", "address"), ()),
    "auth": (("keyfile", "user"), (("ssh", "keyfile"), ("ssh_keyfile",), ("keyfile",), ("users",), ("ssh", "user"))),
    "login": (("user",), ()),
    "ssh": ((), (("ssh", "config_file"), ("ssh", "options"))),
    "python": (("python",), ()),
}
PACKAGES = "sudo dnf install -y python3 || sudo apt-get install -y python3"


@dataclass(frozen=True)
class Problem:
    """Something in the way of tests.

    Attributes:
        name: `user@host`.
        aspect: which of the things that are looked at, one of `ASPECTS`.
        hurts: tests can't run well; otherwise it is a warning.
        text: what it is.
        fix: the command that mends it, or shows more; "" when there is none.
        position: the line of the config that it comes from, if it comes from a file.
        excerpt: that line, with a caret under the word.
    """

    name: str
    aspect: str
    hurts: bool
    text: str
    fix: str = ""
    position: Position | None = None
    excerpt: str = ""


class Diagnosis:
    """Finds the problems in surveys.

    Args:
        cleaning: the command that cleans the lab.
    """

    def __init__(self, config: Config, inventory: Inventory, cleaning: str) -> None:
        self._config, self._inventory, self._cleaning = config, inventory, cleaning
        self._spots = host_spots(config)

    def __call__(self, survey: Survey, users: Sequence[str] = ()) -> list[Problem]:
        """The problems in one survey.

        Args:
            users: all those who connect to that host at the same time.
        """
        found = [*self._of_error(survey)]
        if survey.facts:
            found += [
                *self._of_clock(survey),
                *self._of_space(survey),
                *self._of_sshd(survey, users),
                *self._of_leftovers(survey),
            ]
        return sorted(found, key=lambda problem: (not problem.hurts, ASPECTS.index(problem.aspect)))

    def _problem(
        self, survey: Survey, aspect: str, text: str, fix: str = "", *, hurts: bool = True, hint: str = ""
    ) -> Problem:
        path, key = self._path(survey, hint)
        position = self._config.where(path, key=key) if path else None
        excerpt = self._config.error(path, "", key=key).excerpt if position else ""
        return Problem(survey.name, aspect, hurts, text, fix, position, excerpt)

    def _path(self, survey: Survey, hint: str) -> tuple[tuple[Any, ...], bool]:
        """The path of what a hint means in the config, else that of the host; and whether its key is meant."""
        spot = self._spots.get(survey.host.name, Spot(self._config))
        of_host, of_all = HINTS.get(hint, ((), ()))
        for path in (*((*spot.path, name) for name in of_host), *of_all):
            if spot.path and self._is_there(path):
                return path, False
        return spot.path, not isinstance(spot.path[-1], int) if spot.path else False

    def _is_there(self, path: tuple[Any, ...]) -> bool:
        value: Any = self._config.data
        for step in path:
            try:
                value = value[step]
            except (LookupError, TypeError):
                return False
        return value is not None and not isinstance(path[-1], int)

    def _on_host(self, survey: Survey, command: str, *, as_root: bool = False) -> str:
        if survey.host.connection == "local":
            return command
        user = "root" if as_root else survey.user
        return f"{by_hand(survey.host, user, self._inventory.ssh)} {shlex.quote(command)}"

    def _of_error(self, survey: Survey) -> Iterator[Problem]:
        error = survey.error
        if isinstance(error, ConnectError):
            fix = error.fix or self._on_host(survey, "true")
            yield self._problem(survey, OF_REASONS[error.reason], error.problem, fix, hint=error.reason)
        elif isinstance(error, DeployError) and not survey.facts:
            fix = self._on_host(survey, PACKAGES)
            yield self._problem(survey, "python", error.problem, fix, hint="python")
        elif isinstance(error, DeployError):
            yield self._problem(
                survey, "space", error.problem, self._on_host(survey, "df -h /tmp /var/tmp /dev/shm; ls -ld /tmp")
            )
        elif error is not None:
            yield self._problem(survey, "agent", error.problem, self._on_host(survey, "uptime; dmesg | tail"))

    def _of_clock(self, survey: Survey) -> Iterator[Problem]:
        if survey.offset is not None and abs(survey.offset) > FAR_OFF + survey.roundtrip:
            ahead = "ahead of" if survey.offset > 0 else "behind"
            fix = self._on_host(survey, "chronyc makestep || systemctl restart systemd-timesyncd", as_root=True)
            yield self._problem(
                survey, "clock", f"its clock is {abs(survey.offset):.1f} s {ahead} this machine's", fix, hurts=False
            )

    def _of_space(self, survey: Survey) -> Iterator[Problem]:
        free, place = survey.found.get("free"), survey.found.get("place")
        if free is not None and free < LITTLE:
            text = f"only {amount(free)} are free in {place}, where our directory is" if free else f"{place} is full"
            yield self._problem(
                survey, "space", text, self._on_host(survey, f"du -xh {place} | sort -h | tail"), hurts=not free
            )

    def _of_sshd(self, survey: Survey, users: Sequence[str]) -> Iterator[Problem]:
        found = survey.found.get("sshd", {})
        if survey.forwarded is False:
            yield self._of_forwarding(survey, found)
        allowed = found.get("maxsessions")
        sessions = int(allowed) if allowed else None if survey.sessions is None else 1 + survey.sessions
        if sessions is not None and sessions < SESSIONS_NEEDED:
            text = (
                f"its sshd allows {sessions} session{'s' if sessions > 1 else ''} a connection (MaxSessions): there is "
                f"no room for those of ssh_get_connections(), which need {SESSIONS_NEEDED}"
            )
            yield self._setting(survey, text, "MaxSessions 10")
        at_once = found.get("maxstartups", "").split(":")[0]
        if at_once.isdecimal() and int(at_once) < len(users):
            text = (
                f"its sshd turns logins away once {at_once} are under way (MaxStartups), and {len(users)} users log in "
                "together: they are tried again, which takes time"
            )
            yield self._setting(survey, text, "MaxStartups 100:30:200")

    def _of_forwarding(self, survey: Survey, found: dict[str, str]) -> Problem:
        place = survey.found.get("place")
        if found.get("disableforwarding") == "yes":
            setting, right = "DisableForwarding yes", "DisableForwarding no"
        elif found.get("allowstreamlocalforwarding") in ("no", "remote"):
            setting, right = (
                f"AllowStreamLocalForwarding {found['allowstreamlocalforwarding']}",
                "AllowStreamLocalForwarding yes",
            )
        elif place != "/tmp":  # noqa: S108 - where sockets are, for forwarding
            text = f"our directory is in {place}, since /tmp takes none: RPyC goes through the link itself, more slowly"
            return self._problem(survey, "sshd", text, self._on_host(survey, "ls -ld /tmp; df -h /tmp"), hurts=False)
        else:
            setting, right = (
                "AllowStreamLocalForwarding, or `restrict` in authorized_keys",
                "AllowStreamLocalForwarding yes",
            )
        text = f"its sshd does not forward to sockets ({setting}): RPyC goes through the link itself, more slowly"
        return self._setting(survey, text, right)

    def _setting(self, survey: Survey, text: str, right: str) -> Problem:
        command = f'sed -i "1i {right}" /etc/ssh/sshd_config && systemctl reload sshd'
        return self._problem(survey, "sshd", text, self._on_host(survey, command, as_root=True), hurts=False)

    def _of_leftovers(self, survey: Survey) -> Iterator[Problem]:
        processes = survey.found.get("processes", ())
        directories = survey.found.get("directories", ())
        if processes:
            told = "; ".join(f"{one['pid']} ({one['name']}): {one['command']}" for one in processes)
            yield self._problem(survey, "leftovers", f"a run that is over has left processes: {told}", self._cleaning)
        if directories:
            text = f"a run that was killed has left {', '.join(directories)}; the next run removes it"
            yield self._problem(survey, "leftovers", text, self._cleaning, hurts=False)


def amount(size: float) -> str:
    """A number of bytes for people.

    >>> amount(123), amount(5 << 20), amount(30e9)
    ('123 B', '5.0 MiB', '28 GiB')
    """
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.0f} {units[0]}" if size >= 10 or units[0] == "B" else f"{size:.1f} {units[0]}"
