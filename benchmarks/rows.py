"""Rows: what was measured, against what, and whether that is what it should be."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """What a row should be.

    Attributes:
        text: as issues and tables write it.
        limit: the bound.
        least: it is a lower bound.
        absolute: it bounds ours, and not the ratio.
    """

    text: str
    limit: float
    least: bool = False
    absolute: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a value keeps it.

        >>> Target("≥ 0.9", 0.9, least=True).is_met(0.95)
        True
        """
        return value >= self.limit if self.least else value <= self.limit


@dataclass(frozen=True)
class Spread:
    """The median, the least and the greatest of some values."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return that of values, of which there is one at least.

        >>> Spread.of([3, 1, 2])
        Spread(median=2, least=1, greatest=3)
        """
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Row:
    """A measurement.

    Attributes:
        family: the module it comes from.
        name, against: what is compared with what; `against` is "" where there is nothing.
        target: in words; "" for a row that is only told.
        unit: of ours and theirs.
        ours, theirs: medians; None where there is none.
        ratio: ours to theirs, in each round.
        met: the target is kept; None without one.
        rounds: how many pairs there were.
        notes: what else a reader should know.
    """

    family: str
    name: str
    against: str = ""
    target: str = ""
    unit: str = "s"
    ours: float | None = None
    theirs: float | None = None
    ratio: Spread | None = None
    met: bool | None = None
    rounds: int = 0
    notes: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Row:
        """Return the row that `to_json` made this of."""
        ratio = fields["ratio"]
        return cls(**{**fields, "ratio": Spread(**ratio) if ratio is not None else None})


def single(
    family: str, name: str, ours: float, unit: str, target: Target | None = None, *, rounds: int = 1, notes: str = ""
) -> Row:
    """Return a row that stands by itself, against nothing."""
    told = target.text if target is not None else ""
    met = target.is_met(ours) if target is not None else None
    return Row(family, name, target=told, unit=unit, ours=ours, met=met, rounds=rounds, notes=notes)


def missing(family: str, name: str, against: str, target: Target | None, why: str) -> Row:
    """Return a row for what could not be measured."""
    return Row(family, name, against, target.text if target is not None else "", notes=f"not measured: {why}")


def number(value: float | None) -> str:
    """Write a value with three significant digits.

    >>> [number(value) for value in (None, 0.0123456, 1.5, 123456.7)]
    ['', '0.0123', '1.5', '123457']
    """
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def told(row: Row) -> tuple[str, ...]:
    """Return the cells of a row, as tables have them: name, against, target, ours, theirs, ratio, met, notes."""
    ratio = ""
    if row.ratio is not None:
        ratio = f"{number(row.ratio.median)} ({number(row.ratio.least)}–{number(row.ratio.greatest)})"
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    if row.target and row.met is None:
        met = "?"
    ours, theirs = ("" if value is None else f"{number(value)} {row.unit}".strip() for value in (row.ours, row.theirs))
    return row.name, row.against, row.target, ours, theirs, ratio, met, row.notes
