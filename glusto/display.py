"""The display of a run: what is printed as events come, and the summary. Plain lines here; `terminal` is for eyes."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from glusto.events import Event
from glusto.junit import TestRecord

SLOWEST = 5  # tests named in the summary
WORTH_NAMING = 0.25  # seconds that the slowest must have taken
REMEMBERED = 30  # commands of a test
SHOWN = 4  # commands under a failure
OUTPUT_LINES = 6  # of what such a command printed
WORDS = {"passed": "ok", "skipped": "skip", "xfailed": "xfail", "xpassed": "XPASS", "failed": "FAIL", "error": "ERROR"}
BAD = ("failed", "error")


@dataclass(frozen=True)
class Command:
    """A command under a failure.

    Attributes:
        host, command: what ran where.
        returncode: None while it runs, and when it gave none.
        seconds: how long it took.
        output: the end of what it printed, stderr if there is any, or why there is no result.
    """

    host: str
    command: str
    returncode: int | None = None
    seconds: float | None = None
    output: str = ""

    @property
    def failed(self) -> bool:
        """It did not end well, or not yet."""
        return self.returncode != 0

    @property
    def told(self) -> str:
        """How it ended, and after how long."""
        if self.seconds is None:
            return "running"
        status = "no result" if self.returncode is None else f"returncode {self.returncode}"
        return f"{status}, {self.seconds:.3f} s"


@dataclass(frozen=True)
class Summary:
    """What there is to say at the end of a run.

    Attributes:
        records: every outcome, in order.
        commands: number of a test → its last commands, for those that failed.
        seconds: how long it all took.
        interrupted: it was stopped.
        reports: lines that say where reports are.
        sought: where the tests were looked for, and which.
    """

    records: Sequence[TestRecord]
    commands: Mapping[int, Sequence[Command]]
    seconds: float
    interrupted: bool
    reports: Sequence[str]
    sought: str = ""

    @property
    def bad(self) -> list[TestRecord]:
        """What failed or had an error."""
        return [record for record in self.records if record.outcome in (TestRecord.FAILURE, TestRecord.ERROR)]

    @property
    def slowest(self) -> list[TestRecord]:
        """The slowest tests, if any is slow."""
        slow = sorted(self.records, key=lambda record: -record.elapsed_time)[:SLOWEST]
        return slow if slow and slow[0].elapsed_time >= WORTH_NAMING else []

    @property
    def counts(self) -> dict[str, int]:
        """How many passed, failed, … : those that there are, and passed in any case."""
        kinds = {"passed": TestRecord.SUCCESS, "failed": TestRecord.FAILURE, "error": TestRecord.ERROR}
        kinds["skipped"] = TestRecord.SKIP
        counts = {name: sum(record.outcome == kind for record in self.records) for name, kind in kinds.items()}
        return {name: count for name, count in counts.items() if count or name == "passed"}

    @property
    def nothing(self) -> str:
        """That no test was found, and where it was looked for; "" when there was one."""
        if self.records or self.interrupted:
            return ""
        return f"no test was found {self.sought}".rstrip()

    @property
    def verdict(self) -> str:
        """The counts in words."""
        told = ", ".join(counted(name, count) for name, count in self.counts.items())
        return f"{told} in {self.seconds:.1f} s" + (", interrupted" if self.interrupted else "")


class Display(Protocol):
    """What shows a run.

    Attributes:
        stream: where it goes.
    """

    stream: TextIO

    def __call__(self, event: Event) -> None:
        """Show an event; on any thread."""

    def begin(self, total: int) -> None:
        """So many tests will run."""

    def say(self, line: str) -> None:
        """Show a line."""

    def log_handler(self) -> logging.Handler:
        """Return what shows lines of the log."""

    def summarise(self, summary: Summary) -> None:
        """Show the summary. Nothing is shown after it."""


class Plain:
    """Plain lines, for files, pipes and CI.

    Args:
        quiet: show the failures and the summary only.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self.stream = stream
        self._quiet = quiet

    def __call__(self, event: Event) -> None:
        if self._quiet or event["kind"] not in ("test_ended", "fixture_ended"):
            return
        for part in event.get("subtests") or [event]:
            why = f"  {reason(part)}" if part["outcome"] == "skipped" else ""
            self.say(f"{WORDS[part['outcome']]:<5}  {part['name']}  {part['seconds']:.3f} s{why}")

    def begin(self, total: int) -> None:
        """Nothing to show."""

    def say(self, line: str) -> None:
        self.stream.write(f"{line}\n")
        self.stream.flush()

    def log_handler(self) -> logging.Handler:
        return logging.StreamHandler()

    def summarise(self, summary: Summary) -> None:
        write = self.stream.write
        for record in summary.bad:
            write(f"\n{'=' * 70}\n{kind(record)}: {record.label}\n{'-' * 70}\n{record.get_error_info().rstrip()}\n")
            for title, text in (("printed", record.stdout), ("printed on stderr", record.stderr)):
                if text and text.strip():
                    write(f"--- {title}\n{tail(text)}\n")
            commands = relevant(summary.commands.get(record.number, ()), record.get_error_info())
            if commands:
                write("--- last commands\n")
            for command in commands:
                write(f"{command.host}: {command.command}  ({command.told})\n")
                write("".join(f"    {line}\n" for line in command.output.splitlines()))
        write("\n")
        if summary.slowest:
            write("slowest:\n" + "".join(f"  {one.elapsed_time:8.3f} s  {one.label}\n" for one in summary.slowest))
        if summary.bad:
            write("failed:\n" + "".join(f"  {kind(one):<8}  {one.label}\n" for one in summary.bad))
        write(f"{summary.nothing or summary.verdict}\n")
        write("".join(f"{line}\n" for line in summary.reports))
        self.stream.flush()


class LastCommands:
    """A listener that remembers the last commands of each test, for as long as they may be shown.

    Attributes:
        of: number of a test → its commands; 0 for those between tests.
    """

    def __init__(self) -> None:
        self.of: dict[int, deque[Command]] = {}
        self._running: dict[int, tuple[int, Command]] = {}

    def __call__(self, event: Event) -> None:
        match event["kind"]:
            case "command_started":
                started = Command(event["host"], event["command"])
                self._running[event["id"]] = event["test"], started
                self.of.setdefault(event["test"], deque(maxlen=REMEMBERED)).append(started)
            case "command_ended" if event["id"] in self._running:
                test, started = self._running.pop(event["id"])
                output = event.get("error") or event.get("stderr") or event.get("stdout") or ""
                ended = Command(
                    started.host, started.command, event.get("returncode"), event["seconds"], last_lines(output)
                )
                commands = self.of.get(test, deque())
                for place, command in enumerate(commands):
                    if command is started:
                        commands[place] = ended
            case "test_ended" if event["outcome"] not in BAD:
                self.of.pop(event["id"], None)
            case "fixture_ended":
                self.of[event["id"]] = self.of.get(0, deque()).copy()
            case "class_started":
                self.of.pop(0, None)


def relevant(commands: Sequence[Command], failure: str) -> list[Command]:
    """Return the last few of a failed test's commands that may say why.

    They are those on a host that the failure names, else on one where something failed, else all.

    >>> commands = [Command("root@h1", "true", 0), Command("root@h2", "false", 1), Command("root@h1", "date", 0)]
    >>> [one.command for one in relevant(commands, "1 != 0")]
    ['false']
    >>> [one.command for one in relevant(commands, "root@h1: it is gone")]
    ['true', 'date']
    """
    commands = list(commands)
    named = {one.host for one in commands if one.host in failure}
    hosts = named or {one.host for one in commands if one.failed} or {one.host for one in commands}
    return [one for one in commands if one.host in hosts][-SHOWN:]


def last_lines(text: str) -> str:
    r"""Return the end of what a command printed.

    >>> last_lines("1\n2\n3\n4\n5\n6\n7\n8\n")
    '…\n3\n4\n5\n6\n7\n8'
    """
    lines = text.rstrip().splitlines()
    return "\n".join(lines if len(lines) <= OUTPUT_LINES else ["…", *lines[-OUTPUT_LINES:]])


def counted(name: str, count: int) -> str:
    """Say how many there are of an outcome.

    >>> counted("failed", 2), counted("error", 2), counted("error", 1)
    ('2 failed', '2 errors', '1 error')
    """
    return f"{count} {name}{'s' if name == 'error' and count != 1 else ''}"


def reason(event: Event) -> str:
    """Return why a test was skipped, in one line."""
    return " ".join((event.get("message") or "").split())


def kind(record: TestRecord) -> str:
    """Say how a record is bad."""
    return "FAIL" if record.outcome == TestRecord.FAILURE else "ERROR"


def tail(text: str, limit: int = 4000) -> str:
    """Return the end of a text; all of it is in the report."""
    text = text.rstrip()
    return text if len(text) <= limit else f"[{len(text) - limit} characters before]\n{text[-limit:]}"


def choose(stream: TextIO, *, quiet: bool = False) -> Display:
    """Return the display for a stream: for eyes when it is a terminal and neither NO_COLOR nor CI is set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("CI") or os.environ.get("TERM", "dumb") == "dumb"
    if plain or not stream.isatty():
        return Plain(stream, quiet=quiet)
    from glusto.terminal import Terminal

    return Terminal(stream, quiet=quiet)
