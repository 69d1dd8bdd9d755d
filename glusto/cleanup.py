"""Cleanup: whether hosts are clean, who has yet to confirm it, and what was found that nobody has been told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from glusto.errors import CleanupError, HostError, ResidueError

if TYPE_CHECKING:
    from glusto.link import Link

CONFIRM_SECONDS = 4.0  # for a new link to confirm what one that was lost could not


class Cleanup:
    """The books of one lab. Everything here runs on the loop's thread.

    Args:
        reopen: opens a new link in the place of a lost one; its agent ends and sweeps what the other left.

    Attributes:
        lost: `user@host` → the link that was lost there and that no new one has taken the place of.
    """

    def __init__(self, reopen: Callable[[Link], Awaitable[Link]]) -> None:
        self.lost: dict[str, Link] = {}
        self._reopen = reopen
        self._found: list[ResidueError] = []

    def note(self, name: str, report: Mapping[str, Any]) -> None:
        """Keep what an agent found when nobody had asked it to clean, to be told at the next cleanup."""
        try:
            check_clean(name, report)
        except ResidueError as error:
            self._found.append(error)

    def to_tell(self) -> list[Awaitable[None]]:
        """Return the steps that raise what was kept."""

        async def tell(error: ResidueError) -> None:
            raise error

        found, self._found = self._found, []
        return [tell(error) for error in found]

    def to_confirm(self) -> list[Awaitable[None]]:
        """Return the steps that confirm the links that were lost, but for those that have been told of."""
        return [self.confirm(link) for link in self.lost.values() if not link.told]

    async def confirm(self, link: Link) -> None:
        """Confirm over a new link that nothing is left of one that was lost.

        Raises:
            HostError: that can't be done, or something would not die: ResidueError.
        """
        self.lost[link.name] = link
        link.told = True
        try:
            fresh = await asyncio.wait_for(self._reopen(link), CONFIRM_SECONDS)
        except (HostError, TimeoutError) as error:
            why = error.problem if isinstance(error, HostError) else f"no new link within {CONFIRM_SECONDS:g} s"
            later = f"it cleans itself {link.inventory.dead_man_seconds:g} s after it last heard of us"
            reason = link.error.problem if link.error is not None else "it did not answer"
            problem = f"it can't be confirmed that it is clean: {reason}, and then: {why}; {later}"
            raise HostError(link.name, problem) from error
        check_clean(link.name, {"residue": [], "alive": fresh.hello["alive"], "left": ""})


async def take(steps: Iterable[Awaitable[None]]) -> None:
    """Take all steps of a cleanup at once, and raise what went wrong in them as one CleanupError."""
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if errors:
        raise CleanupError(errors)


def check_clean(name: str, report: Mapping[str, Any]) -> None:
    """Raise ResidueError when an agent's report of its cleaning names anything."""
    found = [f"process {one['pid']} ({one['name']}) was left: {one['command']}" for one in report["residue"]]
    found += [f"process {one['pid']} ({one['name']}) can't be killed" for one in report["alive"]]
    if report["left"]:
        found.append(f"the directory could not be removed: {report['left']}")
    if found:
        raise ResidueError(name, found)
