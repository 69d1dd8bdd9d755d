"""The result of a run: takes what unittest tells, tells it on as events, and keeps what the reports need."""

from __future__ import annotations

import functools
import inspect
import os
import traceback
import unittest
from collections.abc import Callable, Mapping
from time import time
from typing import Any, TextIO
from unittest.runner import _WritelnDecorator
from unittest.suite import _ErrorHolder  # type: ignore[attr-defined]

from xmlrunner.result import _XMLTestResult, testcase_name

from glusto.errors import CleanupError, ConfigError, GlustoError, HostError, ParallelError
from glusto.events import Events
from glusto.junit import Reports, TestRecord

OUTCOMES = {  # xmlrunner's word → that of events, from good to bad
    "ok": "passed",
    "skip": "skipped",
    "expected failure": "xfailed",
    "unexpected success": "xpassed",
    "FAIL": "failed",
    "ERROR": "error",
}
BY_GRAVITY = list(OUTCOMES)
LIBRARIES = (os.path.dirname(__file__) + os.sep, os.path.dirname(os.__file__) + os.sep)  # Glusto, the standard library
ErrorInfo = Any  # (type, exception, traceback), as unittest hands it on


class Outcome(_XMLTestResult):  # type: ignore[misc]
    """What happened so far.

    Attributes:
        records: suite (class) name → its records, in the order they came.
        hosts_failed: hosts could not be provisioned or cleaned.
        config_failed: a class could not be set up because of the config.
        interrupted: the run was stopped.
    """

    def __init__(
        self,
        stream: TextIO,
        reports: Reports | None,
        remote_output: Callable[[], str],
        properties: Callable[[], Mapping[str, str]],
        events: Events,
    ) -> None:
        super().__init__(_WritelnDecorator(stream), True, 0, infoclass=TestRecord)
        self.buffer = True
        self.records: dict[str, list[TestRecord]] = {}
        self.hosts_failed = self.config_failed = self.interrupted = False
        self._reports, self._remote_output, self._suite_properties = reports, remote_output, properties
        self._events, self._number, self._began = events, 0, 0.0
        self._fresh: list[tuple[TestRecord, str]] = []
        self._running: unittest.TestCase | None = None
        self._written: dict[str, int] = {}  # how many records of a class its report has

    # What unittest tells

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        unittest.TestResult.startTest(self, test)  # xmlrunner's reads the source of each test, to find its line
        self.start_time = time()
        self.filename, self.lineno = position(test)
        self._running = test
        self._fresh = []
        self._number = self._events.test = self._events.number()
        self._began = self._events.now()
        self._events.record("test_started", id=self._number, name=test.id(), suite=testcase_name(test))

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        if not self._fresh:
            self._record_interrupt(test)
        remote = self._remote_output()
        self._save_output_data()
        stdout, stderr = self._stdout_data or "", self._stderr_data or ""
        self._mirrorOutput = False  # it is shown with the failure, and in the report
        super().stopTest(test)
        *others, (last, _) = self._fresh
        for record, _ in others:
            record.attach("", "")
        hide = self._events.mask.known
        last.attach(hide(stdout + remote), hide(stderr))
        last.elapsed_time = self.stop_time - self.start_time - sum(record.elapsed_time for record, _ in others)
        self._tell(test, last)
        self._running = None

    def _record_interrupt(self, test: unittest.TestCase) -> None:
        """A test that ended without an outcome was interrupted."""
        self.interrupted = True
        self.addError(test, (KeyboardInterrupt, KeyboardInterrupt("the run was interrupted in this test"), None))

    def addError(self, test: unittest.TestCase, err: ErrorInfo) -> None:  # noqa: N802
        if isinstance(test, _ErrorHolder):
            self.hosts_failed |= isinstance(err[1], (HostError, ParallelError, CleanupError))
            self.config_failed |= isinstance(err[1], ConfigError)
        super().addError(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        if self._running is None and isinstance(test, unittest.TestCase):
            self.startTest(test)  # Python 3.12.1 leaves that out for a test that is skipped by its decorator
        super().addSkip(test, reason)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: ErrorInfo) -> None:  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None and self.failfast:
            self.stop()
        if err is None:
            record = TestRecord(self, test, TestRecord.SUCCESS, None, subTest=subtest)
            self._prepare_callback(record, self.successes, "ok", ".")

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        if not self._fresh:  # a test with sub-tests is reported as those
            super().addSuccess(test)

    def _prepare_callback(
        self, test_info: TestRecord, target_list: list[Any], verbose_str: str, short_str: str
    ) -> None:
        """Called by xmlrunner for every outcome: keep the record; `stopTest` tells of it."""
        if target_list is self.successes:
            target_list.append(test_info)
        test_info.hide(self._events.mask)
        self.records.setdefault(test_info.test_name, []).append(test_info)
        if self._running is None:  # a fixture: no stopTest will come
            test_info.filename = test_info.lineno = None
            test_info.attach(self._events.mask.known(self._remote_output()), "")
            self._tell_fixture(test_info, verbose_str)
        else:
            test_info.filename, test_info.lineno, test_info.number = self.filename, self.lineno, self._number
            test_info.elapsed_time = time() - self.start_time - sum(record.elapsed_time for record, _ in self._fresh)
            self._fresh.append((test_info, verbose_str))

    def _exc_info_to_string(self, err: ErrorInfo, test: unittest.TestCase) -> str:
        if isinstance(err[1], GlustoError):
            return told_shortly(err[1])
        self.buffer = False  # else the captured output is put into the traceback's text as well
        try:
            return str(super()._exc_info_to_string(err, test))
        finally:
            self.buffer = True

    def _tell_fixture(self, record: TestRecord, word: str) -> None:
        record.number = self._events.number()
        fields = told(record, word) | {"suite": record.test_name, "stdout": record.stdout or None}
        self._events.flush()
        self._events.record("fixture_ended", id=record.number, **fields)

    def _tell(self, test: unittest.TestCase, last: TestRecord) -> None:
        """Tell how a test ended, with what is worst of it."""
        worst, word = max(self._fresh, key=lambda one: BY_GRAVITY.index(one[1]))
        subtests = [told(record, word) for record, word in self._fresh]
        fields = told(worst, word) | {"name": test.id(), "seconds": self._events.now() - self._began}
        self._events.flush()
        self._events.record(
            "test_ended",
            id=self._number,
            suite=last.test_name,
            stdout=last.stdout or None,
            stderr=last.stderr or None,
            subtests=subtests if len(subtests) > 1 or subtests[0]["name"] != test.id() else None,
            **fields,
        )
        self._events.test = 0

    # Reports

    def class_began(self, name: str) -> None:
        """A class begins, before anything of it has run."""
        self._events.record("class_started", suite=name)

    def class_ended(self, name: str) -> None:
        """A class is over, its cleanup too: write its report."""
        self._events.record("class_ended", suite=name)
        self.write(name)

    def write(self, name: str) -> None:
        """Write the report of a class as far as it is, unless that has been done."""
        records = self.records.get(name, ())
        if self._reports is not None and self._written.get(name, 0) < len(records):
            self._written[name] = len(records)
            self._reports.write(name, records, self._suite_properties())

    def write_all(self) -> None:
        """Write every report, those of modules and of what went wrong between classes too."""
        for name in self.records:
            self.write(name)

    def add_trouble(self, where: str, error: Exception) -> None:
        """Record an error that belongs to no class."""
        holder = _ErrorHolder(where)
        self.addError(holder, (type(error), error, error.__traceback__))

    def all_records(self) -> list[TestRecord]:
        """Return every record, in order."""
        return [record for records in self.records.values() for record in records]

    def count(self, outcome: int) -> int:
        """Return how many records have an outcome."""
        return sum(record.outcome == outcome for record in self.all_records())


def position(test: unittest.TestCase) -> tuple[str | None, int | None]:
    """Return the file and the line in which a test is written, as far as that can be known."""
    doctest = getattr(test, "_dt_test", None)
    if doctest is not None:
        return doctest.filename, doctest.lineno
    cls: type = type(test)
    method: Any = getattr(test, test._testMethodName, None)
    code = getattr(inspect.unwrap(getattr(method, "func", method)), "__code__", None)
    return _file_of(cls), getattr(code, "co_firstlineno", None)


@functools.cache
def _file_of(cls: type) -> str | None:
    try:
        return inspect.getsourcefile(cls)
    except TypeError:  # it was made in an interactive session, or is built in
        return None


def told(record: TestRecord, word: str) -> dict[str, Any]:
    """Return what an event says of a record."""
    message = getattr(record, "test_exception_message", "")
    name = getattr(record, "test_exception_name", "")
    return {
        "name": record.label,
        "outcome": OUTCOMES[word],
        "seconds": float(record.elapsed_time),
        "message": (f"{name}: {message}" if name and word != "skip" else message) or None,
        "details": record.get_error_info() or None,
    }


def told_shortly(error: GlustoError) -> str:
    """Return one of our errors with the lines of the test that lead to it, and without those of Glusto's inside.

    What an error of ours has to say is in its message.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(LIBRARIES)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join([*lines, f"glusto.{type(error).__name__}: {error}\n"])
