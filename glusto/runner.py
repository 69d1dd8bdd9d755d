"""The run: suites in, a line a test, JUnit XML, a clean fleet and an exit status out."""

from __future__ import annotations

import contextlib
import enum
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import TextIO

from glusto.errors import CleanupError
from glusto.harness import Harness
from glusto.junit import Reports, TestRecord
from glusto.outcome import Outcome
from glusto.suites import ClassSuite

SLOWEST = 5  # tests named in the summary


class Status(enum.IntEnum):
    """Exit statuses, as CI expects them."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    HOSTS = 3
    NO_TESTS = 5
    INTERRUPTED = 130


class Interrupted(KeyboardInterrupt):
    """SIGTERM or SIGHUP asks the run to end, as Ctrl-C does."""


@contextlib.contextmanager
def signals_interrupt() -> Iterator[None]:
    """Within this, SIGTERM and SIGHUP raise Interrupted, so that everything is cleaned as after Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Runner:
    """Runs suites against the lab of a harness.

    Args:
        harness: `g`.
        reports: where JUnit files go; None for none.
        verbosity: 0 prints the failures and the summary only, 1 a line a test.
        failfast: stop at the first failure.
    """

    def __init__(
        self,
        harness: Harness,
        reports: Reports | None,
        *,
        stream: TextIO | None = None,
        verbosity: int = 1,
        failfast: bool = False,
    ) -> None:
        self.harness, self.reports = harness, reports
        self.stream = stream or sys.stdout
        self._verbosity, self._failfast = verbosity, failfast

    def run(self, suite: ClassSuite) -> Outcome:
        """Run the suite, clean up whatever happens, write the reports and print the summary."""
        started = time.monotonic()
        outcome = Outcome(
            self.stream, self.reports, self.harness.take_output, self._properties, verbosity=self._verbosity
        )
        outcome.failfast = self._failfast
        self.facts: dict[str, Mapping[str, object]] = {}
        try:
            with signals_interrupt():
                self._run_and_clean(suite, outcome)
        finally:
            outcome.write_all()
        self._summarise(outcome, time.monotonic() - started)
        return outcome

    def _run_and_clean(self, suite: ClassSuite, outcome: Outcome) -> None:
        try:
            suite(outcome)
        except KeyboardInterrupt as stop:
            outcome.interrupted = True
            self.stream.write(f"\n{str(stop) or 'Ctrl-C'}: cleaning up\n")
            self._bear_interrupts(lambda: suite.finish(outcome))
        finally:
            self._bear_interrupts(lambda: self._close(outcome))

    def _bear_interrupts(self, step: Callable[[], None]) -> None:
        """Take a step of the cleanup; an interrupt ends the step at most, not the cleanup."""
        try:
            step()
        except KeyboardInterrupt:
            self.stream.write("still cleaning up; this is bounded in time\n")

    def _close(self, outcome: Outcome) -> None:
        self.facts = self.harness.facts()
        try:
            self.harness.close()
        except CleanupError as error:
            outcome.add_trouble("end of the run", error)

    def _properties(self) -> Mapping[str, str]:
        """Return what a report says of its hosts."""
        facts = self.harness.facts() or self.facts
        found = {
            "hosts": " ".join(sorted({name.partition("@")[2] for name in facts})),
            "users": " ".join(sorted({name.partition("@")[0] for name in facts})),
        }
        for name, fact in sorted(facts.items()):
            host = name.partition("@")[2]
            found[f"{host}.python"] = f"{fact['python']} ({fact['executable']})"
            found[f"{host}.system"] = str(fact["system"])
            found[f"{host}.hostname"] = str(fact["hostname"])
        return found

    def _summarise(self, outcome: Outcome, seconds: float) -> None:
        """Print what failed and why, what was slow, and where the reports are."""
        write = self.stream.write
        records = outcome.all_records()
        bad = [record for record in records if record.outcome in (TestRecord.FAILURE, TestRecord.ERROR)]
        for record in bad:
            write(f"\n{'=' * 70}\n{kind(record)}: {record.label}\n{'-' * 70}\n{record.get_error_info().rstrip()}\n")
            for title, text in (("printed", record.stdout), ("printed on stderr", record.stderr)):
                if text and text.strip():
                    write(f"--- {title}\n{tail(text)}\n")
        write("\n")
        slow = sorted(records, key=lambda record: -record.elapsed_time)[:SLOWEST]
        if slow and slow[0].elapsed_time >= 0.1:
            write("slowest:\n" + "".join(f"  {one.elapsed_time:8.3f} s  {one.label}\n" for one in slow))
        if bad:
            write("failed:\n" + "".join(f"  {kind(one):<8}  {one.label}\n" for one in bad))
        counts = {
            "passed": outcome.count(TestRecord.SUCCESS),
            "failed": outcome.count(TestRecord.FAILURE),
            "errors": outcome.count(TestRecord.ERROR),
            "skipped": outcome.count(TestRecord.SKIP),
        }
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "passed")
        write(f"{told} in {seconds:.1f} s" + (", interrupted" if outcome.interrupted else "") + "\n")
        if self.reports is not None and self.reports.written:
            write(f"reports: {len(self.reports.written)} in {self.reports.directory}\n")
        self.stream.flush()


def status_of(outcome: Outcome) -> Status:
    """Return the exit status of a run that has an outcome."""
    if outcome.interrupted:
        return Status.INTERRUPTED
    if outcome.hosts_failed:
        return Status.HOSTS
    if outcome.config_failed:
        return Status.USAGE
    if not outcome.wasSuccessful():
        return Status.FAILED
    return Status.PASSED if outcome.all_records() else Status.NO_TESTS


def worst(statuses: Sequence[Status]) -> Status:
    """Return the status of several runs together."""
    order = (Status.PASSED, Status.NO_TESTS, Status.FAILED, Status.HOSTS, Status.USAGE, Status.INTERRUPTED)
    return max(statuses, key=order.index)


def kind(record: TestRecord) -> str:
    """Say how a record is bad."""
    return "FAIL" if record.outcome == TestRecord.FAILURE else "ERROR"


def tail(text: str, limit: int = 4000) -> str:
    """Return the end of a text; all of it is in the report."""
    text = text.rstrip()
    return text if len(text) <= limit else f"[{len(text) - limit} characters before]\n{text[-limit:]}"


