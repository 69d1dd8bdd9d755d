"""The display of a run on a terminal: hosts as they connect, tests as they run, failures with what led to them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from glusto.display import BAD, Command, LastCommands, Summary, counted, kind, relevant, tail
from glusto.events import Event
from glusto.junit import TestRecord

WIDEST = 110  # columns that lines are spread over
PER_SECOND = 8  # redraws of what is at the bottom
BAR = 28  # columns of a bar
MESSAGE_LINES = 4  # of a failure's message under its line
LONG = 1.0  # seconds after which the command that runs is shown

MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "error": ("✗", "bold red"),
    "skipped": ("–", "yellow"),
    "xfailed": ("✓", "yellow"),
    "xpassed": ("!", "bold yellow"),
}
COLORS = {"passed": "green", "failed": "red", "error": "red", "skipped": "yellow"}


class Terminal:
    """Shows a run on a terminal: lines that stay, and below them what goes on just now.

    Args:
        quiet: show the failures and the summary only.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self.stream = stream
        self._quiet = quiet
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)
        self._commands = LastCommands()
        self._lock = threading.Lock()
        self._total = self._done = self._bad = 0
        self._suite = ""
        self._test: tuple[str, float] | None = None
        self._running: dict[int, tuple[float, str]] = {}
        self._hosts: dict[str, str] = {}
        self._connecting_since = 0.0
        self._began = time.monotonic()
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            Bottom(self._bottom),
            console=self._console,
            refresh_per_second=PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @property
    def _width(self) -> int:
        return min(self._console.width, WIDEST)

    def begin(self, total: int) -> None:
        self._total = total
        self._live.start()

    def say(self, line: str) -> None:
        self._console.print(Text(line))

    def log_handler(self) -> logging.Handler:
        return Lines(self._console)

    # As it happens

    def __call__(self, event: Event) -> None:
        self._commands(event)
        with self._lock:
            handle = getattr(self, f"_{event['kind']}", None)
            if handle is not None:
                handle(event)

    def _class_started(self, event: Event) -> None:
        self._suite = event["suite"]
        if not self._quiet:
            self._console.print(Text(self._suite, style="bold"))

    def _host_connecting(self, event: Event) -> None:
        if not self._hosts:
            self._connecting_since = time.monotonic()
        self._hosts[event["host"]] = ""

    def _host_connected(self, event: Event) -> None:
        self._hosts[event["host"]] = "connected"

    def _host_failed(self, event: Event) -> None:
        self._hosts[event["host"]] = "failed"

    def _link_lost(self, event: Event) -> None:
        self._console.print(Text(f"    ! {event['host']}: {event['why']}", style="yellow"))

    _server_lost = _link_lost

    def _tell_connected(self) -> None:
        hosts, self._hosts = self._hosts, {}
        states = list(hosts.values())
        if not states or self._quiet:
            return
        failed = states.count("failed")
        told = f"  connected {states.count('connected')} of {len(states)}" + (f", {failed} failed" if failed else "")
        seconds = time.monotonic() - self._connecting_since
        self._console.print(Text(f"{told} in {seconds:.2f} s", style="red" if failed else "dim"))

    def _test_started(self, event: Event) -> None:
        self._tell_connected()
        self._test = event["name"].removeprefix(f"{self._suite}."), time.monotonic()

    def _test_ended(self, event: Event) -> None:
        self._test = None
        self._done += 1
        for part in event.get("subtests") or [event]:
            self._line(part, self._commands.of.get(event["id"], ()))

    def _fixture_ended(self, event: Event) -> None:
        self._tell_connected()
        self._line(event, self._commands.of.get(event["id"], ()))

    def _command_started(self, event: Event) -> None:
        self._running[event["id"]] = time.monotonic(), f"{event['host']} $ {event['command']}"

    def _command_ended(self, event: Event) -> None:
        self._running.pop(event["id"], None)

    def _line(self, part: Event, commands: Sequence[Command]) -> None:
        """Print the line of a test; under it, when it failed, why."""
        bad = part["outcome"] in BAD
        self._bad += bad
        if self._quiet and not bad:
            return
        mark, style = MARKS[part["outcome"]]
        name = part["name"] if self._quiet else part["name"].removeprefix(f"{self._suite}.")
        seconds = f"{part['seconds']:.3f} s"
        line = Text.assemble("  ", (mark, style), " ")
        line.append(name, style="bold red" if bad else "default")
        if part["outcome"] in ("skipped", "xfailed", "xpassed"):
            line.append(f"  {part.get('message') or part['outcome']}".splitlines()[0], style="dim")
        line.truncate(max(self._width - len(seconds) - 2, 20), overflow="ellipsis", pad=True)
        line.append(f"  {seconds}", style="dim")
        self._console.print(line, soft_wrap=True)
        if bad:
            lines = (part.get("message") or "").strip().splitlines()
            told = [*lines[:MESSAGE_LINES], *(["…"] if len(lines) > MESSAGE_LINES else [])]
            self._console.print(Padding(Text("\n".join(told), style="red"), (0, 0, 0, 6), expand=False))
            for command in relevant(commands, part.get("details") or ""):
                self._console.print(Padding(shown(command), (0, 0, 0, 6), expand=False))

    # What goes on just now, at the bottom

    def _bottom(self) -> RenderableType:
        """Return what is below the lines: hosts that connect, or the test that runs, and how far it all is."""
        now = time.monotonic()
        states = list(self._hosts.values())
        lines: list[RenderableType] = []
        if states and self._test is None:
            done, failed = len(states) - states.count(""), states.count("failed")
            text = Text.assemble("  ", bar(done - failed, failed, len(states)), f" {done}/{len(states)} connected")
            if failed:
                text.append(f"  {failed} failed", style="red")
            text.append(f"  {now - self._connecting_since:.1f} s", style="dim")
            lines.append(text)
        elif self._test is not None:
            name, since = self._test
            self._spinner.update(text=Text.assemble(name, (f"  {now - since:.1f} s", "dim"), no_wrap=True))
            lines.append(Padding(self._spinner, (0, 0, 0, 2)))
            slow = [told for began, told in list(self._running.values()) if now - began > LONG]
            if slow:
                lines.append(Text(f"    {slow[-1]}", style="dim", no_wrap=True, overflow="ellipsis"))
        if self._total:
            good = min(self._done, self._total) - min(self._bad, self._done)
            bad = min(self._bad, self._done)
            counts = Text.assemble("  ", bar(good, bad, self._total), f" {self._done}/{self._total} tests")
            if self._bad:
                counts.append(f"  {self._bad} failed", style="red")
            counts.append(f"  {now - self._began:.0f} s", style="dim")
            lines.append(counts)
        return Group(*lines)

    # The summary

    def summarise(self, summary: Summary) -> None:
        self._live.stop()
        write = self._console.print
        for record in summary.bad:
            write()
            write(Rule(Text(f"{kind(record)}  {record.label}", style="bold red"), style="red", align="left"))
            write(Text(record.get_error_info().rstrip()), soft_wrap=True)
            for title, text in (("printed", record.stdout), ("printed on stderr", record.stderr)):
                if text and text.strip():
                    write(Text(f"\n{title}", style="bold"))
                    write(Text(tail(text)), soft_wrap=True)
        write()
        if summary.slowest:
            write(timed(summary.slowest))
            write()
        if summary.bad:
            write(Text("failed", style="bold"))
            for record in summary.bad:
                write(Text.assemble((f"  {kind(record):<5}  ", "red"), record.label), soft_wrap=True)
            write()
        write(verdict(summary), soft_wrap=True)
        for line in summary.reports:
            write(Text(line, style="dim"), soft_wrap=True)


class Bottom:
    """What is at the bottom of the terminal, made anew whenever it is drawn."""

    def __init__(self, make: Callable[[], RenderableType]) -> None:
        self._make = make

    def __rich__(self) -> RenderableType:
        return self._make()


class Lines(logging.Handler):
    """Prints lines of the log above what is at the bottom of the terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        self._console.print(Text(f"    {self.format(record)}", style="dim"), soft_wrap=True)


def bar(good: int, bad: int, total: int) -> Text:
    """Return a bar: what is done, green, and red what of it failed."""
    full, red = (round(BAR * part / max(total, 1)) for part in (good + bad, bad))
    red = max(red, 1) if bad else 0
    full = max(full, red)
    return Text.assemble(("━" * (full - red), "green"), ("━" * red, "red"), ("━" * (BAR - full), "bright_black"))


def shown(command: Command) -> Text:
    """Return a command with how it ended, and what it printed below."""
    text = Text.assemble((command.host, "cyan"), " $ ", (command.command, "bold"))
    text.append(f"  {command.told}", style="red" if command.failed else "dim")
    text.append("".join(f"\n    {line}" for line in command.output.splitlines()), style="dim")
    return text


def timed(records: Sequence[TestRecord]) -> Table:
    """Return the slowest tests as a table with bars."""
    title = Text("slowest", style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title=title, title_justify="left")
    most = max(record.elapsed_time for record in records)
    for record in records:
        blocks = max(round(16 * record.elapsed_time / most), 1)
        table.add_row(f"  {record.elapsed_time:.3f} s", Text("▇" * blocks, style="cyan"), record.label)
    return table


def verdict(summary: Summary) -> Text:
    """Return the last line, in the colour of the outcome."""
    if summary.nothing:
        return Text(summary.nothing, style="bold yellow")
    text = Text()
    for name, count in summary.counts.items():
        text.append(counted(name, count), style=f"bold {COLORS[name]}" if count else "default").append("  ")
    text.append(f"in {summary.seconds:.1f} s", style="default")
    if summary.interrupted:
        text.append("  interrupted", style="bold yellow")
    return text
