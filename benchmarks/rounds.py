"""Rounds: contenders take turns, each once a round, and are compared round by round."""

from __future__ import annotations

import importlib
import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.rows import Row, Spread, Target, missing

Contender = Callable[[], float]
OURS = "glusto"


class UnavailableError(Exception):
    """A contender that can't take part; the message says why."""


def peer(module: str) -> Any:
    """Import a peer.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnavailableError(f"{module.partition('.')[0]} can't be imported ({error})") from error


class Samples:
    """What contenders measured.

    Attributes:
        rounds: a mapping contender → value for each round; who failed in a round is not in it.
        trouble: contender → why it does not take part any more.
    """

    def __init__(self) -> None:
        self.rounds: list[dict[str, float]] = []
        self.trouble: dict[str, str] = {}

    def of(self, name: str) -> list[float]:
        """Return the values of a contender."""
        return [values[name] for values in self.rounds if name in values]

    def median(self, name: str) -> float:
        """Return the median of a contender's values; it has one at least."""
        return statistics.median(self.of(name))

    def fastest(self, *but: str) -> str:
        """Return the contender of the least median, but for some of them; "" when there is none."""
        names = {name for values in self.rounds for name in values} - set(but)
        return min(names, key=self.median, default="")

    def ratios(self, name: str, other: str) -> list[float]:
        """Return the ratios of two, in the rounds that both have taken part in."""
        return [values[name] / values[other] for values in self.rounds if name in values and other in values]

    def row(
        self,
        family: str,
        name: str,
        theirs: str,
        target: Target | None = None,
        *,
        ours: str = OURS,
        against: str = "",
        unit: str = "s",
        factor: float = 1,
        notes: str = "",
    ) -> Row:
        """Return a row of two contenders.

        Args:
            theirs, ours: whose values are compared.
            against: how the table names the other; `theirs` by default.
            factor: of the values, for the unit: 1000 for ms.
        """
        against = against or theirs
        pairs = self.ratios(ours, theirs)
        if not pairs:
            why = [f"{one}: {self.trouble.get(one, 'no value')}" for one in (ours, theirs) if not self.of(one)]
            return missing(family, name, against, target, "; ".join(why) or "no round with both")
        ratio = Spread.of(pairs)
        return Row(
            family,
            name,
            against,
            target.text if target is not None else "",
            unit,
            self.median(ours) * factor,
            self.median(theirs) * factor,
            ratio,
            target.is_met(ratio.median) if target is not None else None,
            len(pairs),
            notes,
        )


def alternate(contenders: Mapping[str, Contender], rounds: int) -> Samples:
    """Let each contender measure once a round; each round begins with another one.

    One that raises is out, and the others go on.
    """
    samples = Samples()
    names = list(contenders)
    for number in range(rounds):
        values: dict[str, float] = {}
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if name in samples.trouble:
                continue
            try:
                values[name] = contenders[name]()
            except Exception as error:
                samples.trouble[name] = f"{type(error).__name__}: {error}"[:300] if str(error) else type(error).__name__
                print(f"  {name} is out: {samples.trouble[name]}", file=sys.stderr, flush=True)
        samples.rounds.append(values)
    return samples
