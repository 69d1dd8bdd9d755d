"""The run: suites in, a line a test, JUnit XML, a clean fleet and an exit status out."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Mapping, Sequence

from glusto.display import Display, LastCommands, Summary
from glusto.errors import CleanupError
from glusto.facts import properties
from glusto.harness import Harness
from glusto.interrupts import signals_interrupt
from glusto.junit import Reports
from glusto.outcome import Outcome
from glusto.suites import ClassSuite


class Status(enum.IntEnum):
    """Exit statuses, as CI expects them."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    HOSTS = 3
    NO_TESTS = 5
    INTERRUPTED = 130


class Runner:
    """Runs suites against the lab of a harness.

    Args:
        harness: `g`.
        reports: where JUnit files go; None for none.
        display: what shows the run.
        page: writes the HTML report, once all events are told, and returns a line that says where; None for none.
        failfast: stop at the first failure.
        sought: where the tests were looked for, to be said when there is none.
    """

    def __init__(
        self,
        harness: Harness,
        reports: Reports | None,
        display: Display,
        *,
        page: Callable[[], str] | None = None,
        failfast: bool = False,
        sought: str = "",
    ) -> None:
        self.harness, self.reports, self.display = harness, reports, display
        self._page, self._failfast, self._sought = page, failfast, sought
        self._commands = LastCommands()
        self.facts: dict[str, Mapping[str, object]] = {}

    def run(self, *suites: ClassSuite) -> Outcome:
        """Run suites one after the other, clean up whatever happens, write the reports and show the summary."""
        started = time.monotonic()
        events = self.harness.events
        events.listen(self._commands)
        events.listen(self.display)
        outcome = Outcome(self.display.stream, self.reports, self.harness.take_output, self._properties, events)
        outcome.failfast = self._failfast
        lines: list[str] = []
        self.display.begin(sum(suite.countTestCases() for suite in suites))
        try:
            with signals_interrupt():
                self._run_and_clean(suites, outcome)
        finally:
            outcome.write_all()
            status = status_of(outcome)
            events.record("run_ended", status=status.name.lower(), exit=int(status), seconds=time.monotonic() - started)
            events.end()
            if self.reports is not None and self.reports.written:
                lines.append(f"reports: {len(self.reports.written)} in {self.reports.directory}")
            if self._page is not None:
                self._bear_interrupts(lambda: lines.append(self._page()))  # type: ignore[misc]
            seconds = time.monotonic() - started
            records, commands = outcome.all_records(), self._commands.of
            self.display.summarise(Summary(records, commands, seconds, outcome.interrupted, lines, self._sought))
        return outcome

    def _run_and_clean(self, suites: Sequence[ClassSuite], outcome: Outcome) -> None:
        running = suites[0]
        try:
            for running in suites:
                if not outcome.shouldStop:
                    running(outcome)
        except KeyboardInterrupt as stop:
            outcome.interrupted = True
            self.display.say(f"\n{str(stop) or 'Ctrl-C'}: cleaning up")
            self.harness.drop_interrupted()
            self._bear_interrupts(lambda: running.finish(outcome))
        finally:
            self._bear_interrupts(lambda: self._close(outcome))

    def _bear_interrupts(self, step: Callable[[], None]) -> None:
        """Take a step of the cleanup; an interrupt ends the step at most, not the cleanup."""
        try:
            step()
        except KeyboardInterrupt:
            self.display.say("still cleaning up; this is bounded in time")

    def _close(self, outcome: Outcome) -> None:
        self.facts = self.harness.facts()
        try:
            self.harness.close()
        except CleanupError as error:
            outcome.add_trouble("end of the run", error)

    def _properties(self) -> Mapping[str, str]:
        """Return what a report says of its hosts."""
        return properties(self.harness.facts() or self.facts)


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
