"""What every family is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.rows import Row
from benchmarks.site import Site
from tests.hosts import Fleet, TestHost

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """The hosts to measure on, and how thoroughly.

    Attributes:
        rounds: how many, at the most.
        quick: only see that everything works, with little of everything.
    """

    fleet: Fleet
    site: Site
    rounds: int
    quick: bool

    def some(self, count: int) -> list[str]:
        """Return the names of so many hosts, or of all that there are."""
        return self.site.names[:count]

    def size(self, full: T, quick: T) -> T:
        """Return one or the other."""
        return quick if self.quick else full

    def at_most(self, rounds: int) -> int:
        """Return how many rounds, for what takes long."""
        return min(self.rounds, rounds)

    @property
    def host(self) -> TestHost:
        """The first host, seen from outside."""
        return self.fleet.hosts[0]


Measure = Callable[[Bench], Iterator[Row]]
