"""Surveys: what a check learns of a host as a user, without changing anything there."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from glusto import payload
from glusto.errors import HostError, LinkLostError
from glusto.events import Events
from glusto.inventory import Host, Inventory
from glusto.lab import Lab
from glusto.link import Link
from glusto.loop import Loop

CLOCK_TRIES = 5  # the one with the shortest way there and back counts
ANSWER_SECONDS = 20.0  # for a host to look around
SESSION_SECONDS = 10.0  # for a session of the probe to answer
SESSIONS_NEEDED = 3  # the link, plumbum's machine of ssh_get_connections(), and scp or a shell on it
HERE = "echo here; cat"


@dataclass(frozen=True)
class Survey:
    """What is known of `user@host`, at first nothing; each step makes a new one.

    Attributes:
        name: `user@host`.
        key_checked: ssh compares the host's key with the known one.
        done: nothing more will come.
        error: why it ended early; None when all went well.
        facts: the agent's first words: python, executable, system, …; empty before there is an agent.
        seconds: from the start of ssh to those.
        offset: how many seconds the host's clock is ahead of ours, half of the way there and back taken off.
        roundtrip: seconds there and back.
        forwarded: connections go through a forwarded socket, rather than more slowly through the link.
        sessions: how many more sessions the probe could open; None when `sshd` says it, or there is no ssh.
        found: what the host says: place, free, sshd, directories, processes; see `agent/survey.py`.
    """

    name: str
    host: Host
    user: str
    key_checked: bool = True
    done: bool = False
    error: HostError | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    offset: float | None = None
    roundtrip: float = 0.0
    forwarded: bool | None = None
    sessions: int | None = None
    found: Mapping[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def onlooker() -> Iterator[tuple[Loop, Lab]]:
    """A lab of its own, whose agents sweep nothing when they start; closed at the end, also after SIGTERM.

    Raises:
        CleanupError: at the end, when something could not be closed or confirmed.
    """
    from glusto.interrupts import signals_interrupt

    loop, lab = Loop(), Lab(Events(), sweep=False)
    with signals_interrupt():
        try:
            yield loop, lab
        finally:
            try:
                loop.wait_for(lab.close(), finish=True)
            finally:
                loop.close()


async def survey_all(
    lab: Lab, inventory: Inventory, wanted: Iterable[tuple[Host, str]], tell: Callable[[Survey], None]
) -> list[Survey]:
    """Survey every host as every user, all at once.

    Args:
        tell: called at each step, on the loop's thread.
    """
    return await asyncio.gather(*(survey(lab, inventory, host, user, tell) for host, user in wanted))


async def survey(lab: Lab, inventory: Inventory, host: Host, user: str, tell: Callable[[Survey], None]) -> Survey:
    """Connect, deploy a server as a test would, use it once, and ask the host what else there is to know."""
    state = Survey(f"{user}@{host.name}", host, user, inventory.ssh.strict_host_key_checking != "no")
    try:
        link = await lab.link(inventory, host, user)
        state = replace(state, facts=link.hello, seconds=link.seconds)
        tell(state)
        offset, roundtrip = await clock(link)
        state = replace(state, offset=offset, roundtrip=roundtrip)
        state = replace(state, found=await ask(link, "look"))
        tell(state)
        await lab.deploy(inventory, host, user)
        peer = await link.dial()
        peer.close()
        state = replace(state, forwarded=link.control is None or link.socket != "", found=await ask(link, "look"))
        if link.control is not None and "maxsessions" not in state.found["sshd"]:
            state = replace(state, sessions=await sessions(link, SESSIONS_NEEDED - 1))
        state = replace(state, done=True)
    except HostError as error:
        state = replace(state, done=True, error=error)
    tell(state)
    return state


async def clear_all(
    lab: Lab, inventory: Inventory, wanted: Iterable[tuple[Host, str]]
) -> dict[str, Mapping[str, Any] | HostError]:
    """Remove what dead runs have left, on every host as every user, all at once.

    Returns:
        `user@host` → directories and processes that are gone, alive and stuck that would not go; or why it can't be
        told.
    """

    async def clear(host: Host, user: str) -> Mapping[str, Any] | HostError:
        try:
            return await ask(await lab.link(inventory, host, user), "clear")
        except HostError as error:
            return error

    wanted = list(wanted)
    cleared = await asyncio.gather(*(clear(host, user) for host, user in wanted))
    return {f"{user}@{host.name}": found for (host, user), found in zip(wanted, cleared, strict=True)}


async def ask(link: Link, what: str) -> dict[str, Any]:
    """Have the host call a function of `agent/survey.py`, and return what it says.

    Raises:
        HostError: it doesn't.
    """
    try:
        return await asyncio.wait_for(link.ask("survey", payload.survey(), what=what), ANSWER_SECONDS)
    except TimeoutError:
        raise LinkLostError(link.name, f"it did not answer for {ANSWER_SECONDS:g} s") from None


async def clock(link: Link) -> tuple[float, float]:
    """Compare a host's clock with ours: seconds it is ahead, and the seconds that asking took.

    Raises:
        HostError: it doesn't answer.
    """
    best = 0.0, float("inf")
    for _ in range(CLOCK_TRIES):
        before, started = time.time(), time.monotonic()
        try:
            answer = await asyncio.wait_for(link.ask("ping"), ANSWER_SECONDS)
        except TimeoutError:
            raise LinkLostError(link.name, f"it did not answer for {ANSWER_SECONDS:g} s") from None
        took = time.monotonic() - started
        if took < best[1]:
            best = float(answer["time"]) - before - took / 2, took
    return best


async def sessions(link: Link, wanted: int) -> int:
    """Try to have more sessions at the same time on the SSH connection of a link; return how many there were."""
    settings = link.inventory.ssh
    words = ["ssh", "-T", *(["-F", settings.config_file] if settings.config_file else [])]
    options = ("BatchMode=yes", f"ControlPath={str(link.control).replace('%', '%%')}", "ProxyCommand=false")
    command = [*words, *(f"-o{option}" for option in options), "-l", link.user, "--", link.host.address, HERE]
    started = [
        await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        for _ in range(wanted)
    ]
    try:
        answers = await asyncio.gather(*(_first_line(one.stdout) for one in started if one.stdout))
        return sum(b"here" in answer for answer in answers)
    finally:
        for one in started:
            if one.returncode is None:
                one.kill()
            await one.communicate()


async def _first_line(stream: asyncio.StreamReader) -> bytes:
    """The first line with our word in it, past what rc files print; or what there was until the end."""
    try:
        return await asyncio.wait_for(stream.readuntil(b"here\n"), SESSION_SECONDS)
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return b""
