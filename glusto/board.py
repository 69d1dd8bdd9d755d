"""Boards: the state of every host as every user while they are checked, as a live table or as plain lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TextIO

from glusto.diagnosis import ASPECTS, OF_REASONS, Problem, amount
from glusto.errors import ConnectError
from glusto.survey import Survey

if TYPE_CHECKING:
    from rich.table import Table

PER_SECOND = 10  # redraws
HEADERS = ("reached", "key", "login", "Python", "agent", "clock", "free", "sshd", "left")
PATHS_FROM = 120  # columns of a terminal from which there is room for paths
COLORS = {"good": "green", "bad": "bold red", "warning": "yellow", "unknown": "dim", "waiting": "dim"}


class Cell(NamedTuple):
    """A word on one aspect of a host, and whether it is good, bad, warning, unknown or waiting."""

    text: str
    state: str


class Board(Protocol):
    """What shows surveys as they come."""

    def __enter__(self) -> Board: ...
    def __exit__(self, *_: object) -> None: ...

    def show(self, survey: Survey, problems: Sequence[Problem]) -> None:
        """Show what is known of one `user@host` now; may be called from any thread."""


def cells(survey: Survey, problems: Sequence[Problem]) -> list[Cell]:
    """Return a cell for each aspect of a survey, in the order of `ASPECTS`."""
    told = _told(survey)
    bad = {problem.aspect: problem.hurts for problem in reversed(problems)}
    failed = next(
        (place for place, aspect in enumerate(ASPECTS) if survey.error is not None and bad.get(aspect)), len(ASPECTS)
    )
    found: list[Cell] = []
    for place, aspect in enumerate(ASPECTS):
        if aspect in bad:
            text = told.get(aspect, "") if told.get(aspect) not in ("✓", None) else _word(survey, aspect)
            found.append(Cell(f"{'✗' if bad[aspect] else '!'} {text}".rstrip(), "bad" if bad[aspect] else "warning"))
        elif aspect in told:
            found.append(Cell(told[aspect], "unknown" if told[aspect] in ("–", "unchecked") else "good"))
        elif survey.done and place < failed and failed < len(ASPECTS) and place < 3:
            found.append(Cell("✓", "good"))
        else:
            found.append(Cell("–", "unknown") if survey.done else Cell("…", "waiting"))
    return found


def _told(survey: Survey) -> dict[str, str]:
    """What is known of each aspect that turned out well, or is not looked at."""
    found: dict[str, str] = {}
    is_local = survey.host.connection == "local"
    if is_local:
        found |= {"reachable": "local", "host key": "–", "login": "–", "sshd": "–"}
    if not survey.facts:
        return found
    if not is_local:
        found |= {"reachable": "✓", "host key": "✓" if survey.key_checked else "unchecked", "login": "✓"}
    found["python"] = f"{survey.facts['python']} {survey.facts['executable']}"
    found["agent"] = f"{survey.seconds * 1000:.0f} ms"
    if survey.offset is not None:
        found["clock"] = clock_text(survey.offset)
    if survey.found:
        free = survey.found["free"]
        found["space"] = "–" if free is None else f"{amount(free)} {survey.found['place']}"
        found["leftovers"] = "none"
        if survey.found["processes"] or survey.found["directories"]:
            found["leftovers"] = str(len(survey.found["processes"]) + len(survey.found["directories"]))
    if survey.done and survey.error is None and not is_local:
        found["sshd"] = "✓"
    return found


def _word(survey: Survey, aspect: str) -> str:
    """A word for what is bad."""
    if isinstance(survey.error, ConnectError) and OF_REASONS[survey.error.reason] == aspect:
        return "" if survey.error.reason in ("host key", "login", "ssh") else survey.error.reason
    return {"python": "none", "sshd": "limits"}.get(aspect, "")


def clock_text(offset: float) -> str:
    """A difference of clocks for people.

    >>> clock_text(0.0004), clock_text(-3.21)
    ('+0.4 ms', '-3.2 s')
    """
    if abs(offset) >= 1:
        return f"{offset:+.1f} s"
    return f"{round(offset * 1000, 1) + 0.0:+.1f} ms"  # and no -0.0


class Plain:
    """A line for each `user@host` once it is done, for files, pipes and CI."""

    def __init__(self, stream: TextIO, names: Iterable[str]) -> None:
        self._stream = stream
        self._width = max(map(len, names), default=0)

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def show(self, survey: Survey, problems: Sequence[Problem]) -> None:
        if survey.done:
            status = "FAILED" if any(problem.hurts for problem in problems) else "warning" if problems else "ok"
            known = zip(ASPECTS, cells(survey, problems), strict=True)
            told = ", ".join(f"{aspect} {_said(cell)}" for aspect, cell in known if cell.state != "unknown")
            self._stream.write(f"{survey.name:<{self._width}}  {status:<7}  {told}\n")
            self._stream.flush()


def _said(cell: Cell) -> str:
    """A cell in words.

    >>> [_said(cell) for cell in (Cell("✓", "good"), Cell("✗ timeout", "bad"), Cell("! 2", "warning"))]
    ['ok', 'failed: timeout', '2']
    """
    mark, _, text = cell.text.partition(" ")
    if cell.state == "bad":
        return f"failed: {text}" if text else "failed"
    return text or "warning" if mark == "!" else cell.text.replace("✓", "ok")


class Live:
    """A table that is redrawn as surveys come."""

    def __init__(self, stream: TextIO, names: Iterable[str]) -> None:
        import rich.console
        import rich.live

        self._rows: dict[str, list[Cell]] = {name: [Cell("…", "waiting") for _ in ASPECTS] for name in names}
        self._console = rich.console.Console(
            file=stream, force_terminal=True, highlight=False, markup=False, emoji=False
        )
        self._live = rich.live.Live(
            console=self._console,
            get_renderable=self._table,
            refresh_per_second=PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, survey: Survey, problems: Sequence[Problem]) -> None:
        self._rows[survey.name] = cells(survey, problems)

    def _table(self) -> Table:
        import rich.box
        import rich.table
        import rich.text

        has_room = self._console.width >= PATHS_FROM
        padding = (0, 3 if has_room else 1, 0, 0)
        table = rich.table.Table(
            box=rich.box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding, collapse_padding=True
        )
        table.add_column("host", no_wrap=True)
        for header in HEADERS:
            table.add_column(header, no_wrap=True, justify="right" if header in ("agent", "clock") else "left")
        for name, row in list(self._rows.items()):
            marked = [rich.text.Text(_fitting(cell, has_room), style=COLORS[cell.state]) for cell in row]
            table.add_row(rich.text.Text(name, style="bold"), *marked)
        return table


def _fitting(cell: Cell, has_room: bool) -> str:
    """The text of a cell, without paths where there is no room for them."""
    return cell.text if has_room else cell.text.partition(" /")[0]


def choose(stream: TextIO, names: Iterable[str]) -> Board:
    """Return the board for a stream: a live one when it is a terminal and neither NO_COLOR nor CI is set."""
    is_plain = any(os.environ.get(name) for name in ("NO_COLOR", "CI")) or os.environ.get("TERM", "dumb") == "dumb"
    return Plain(stream, names) if is_plain or not stream.isatty() else Live(stream, names)


def told(problems: Sequence[Problem]) -> str:
    """Return the problems as text: each once, with all whom it concerns, its line of the config, and what mends it."""
    together: dict[tuple[Any, ...], list[Problem]] = {}
    for problem in problems:
        _, _, host = problem.name.rpartition("@")
        together.setdefault((host, problem.text, problem.position), []).append(problem)
    lines: list[str] = []
    for same in together.values():
        first = same[0]
        names = ", ".join(problem.name for problem in same)
        lines.append(f"{'problem' if first.hurts else 'warning'}: {names}: {first.text}")
        if first.position is not None:
            lines.append(f"  {first.position}" + (":" if first.excerpt else ""))
            lines += [f"  {line}" for line in first.excerpt.splitlines()]
        if first.fix:
            lines.append(f"  fix: {first.fix}")
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def as_data(surveys: Sequence[Survey], problems: Sequence[Problem]) -> dict[str, Any]:
    """Return surveys and problems as plain data, for `--json`."""
    hosts: dict[str, Any] = {}
    for survey in surveys:
        own = [problem for problem in problems if problem.name == survey.name]
        row = zip(ASPECTS, cells(survey, own), strict=True)
        hosts[survey.name] = {
            "ok": not any(problem.hurts for problem in own),
            "address": survey.host.address,
            "states": {aspect: cell.state for aspect, cell in row},
            "python": survey.facts.get("python"),
            "executable": survey.facts.get("executable"),
            "system": survey.facts.get("system"),
            "agent_seconds": survey.seconds or None,
            "clock_offset_seconds": survey.offset,
            "socket_forwarded": survey.forwarded,
            **_of_host(survey.found),
        }
    return {
        "ok": not any(problem.hurts for problem in problems),
        "hosts": hosts,
        "problems": [_plain(one) for one in problems],
    }


def _of_host(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "place": found.get("place"),
        "free_bytes": found.get("free"),
        "sshd": found.get("sshd", {}),
        "leftover_directories": found.get("directories", []),
        "leftover_processes": found.get("processes", []),
    }


def _plain(problem: Problem) -> dict[str, Any]:
    position = problem.position
    return {
        "name": problem.name,
        "aspect": problem.aspect,
        "severity": "problem" if problem.hurts else "warning",
        "text": problem.text,
        "fix": problem.fix or None,
        "file": position.file if position else None,
        "line": position.line if position else None,
        "column": position.column if position else None,
    }
