"""JUnit XML: what happened in each test, kept while a run goes on and written after every class."""

from __future__ import annotations

import os
import re
import secrets
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from xmlrunner.result import _TestInfo

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
FIXTURE = re.compile(r"(setUpClass|tearDownClass|setUpModule|tearDownModule) \((.*)\)")
LONGEST = 150  # characters of a suite's name in a file's
UNSAFE = re.compile(r"[^\w.\-]+")


def clean(text: object) -> str:
    r"""Return text that XML can hold: no control characters, no terminal colours, no half characters.

    >>> clean("\x1b[31mred\x1b[0m \x00end")
    'red end'
    """
    text = str(text)
    return text if text.isprintable() and text.isascii() else ILLEGAL.sub("", ANSI.sub("", text))


class TestRecord(_TestInfo):  # type: ignore[misc]
    """The outcome of one test, sub-test, or fixture of a class or module."""

    __test__ = False
    test_id: str
    test_exception_info: str
    number: int  # of its test, in events

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        fixture = FIXTURE.fullmatch(self.test_id)
        if fixture:  # reported with its class, not with unittest's own machinery
            self.test_name = fixture.group(2)
            self.test_id = f"{fixture.group(2)}.{fixture.group(1)}"
        self.test_id = clean(self.test_id)
        self.timestamp = time.strftime("%Y-%m-%dT%H:%M:%S")

    @property
    def label(self) -> str:
        """What the test is called on the terminal."""
        return str(self.test_id)

    def attach(self, stdout: str, stderr: str) -> None:
        """Keep what was printed while the test ran."""
        self.stdout, self.stderr = clean(stdout), clean(stderr)

    def hide(self, mask: Callable[[str], str]) -> None:
        """Hide secrets in what went wrong."""
        for name in ("test_exception_info", "test_exception_message"):
            if hasattr(self, name):
                setattr(self, name, mask(getattr(self, name)))

    def make_clean(self) -> None:
        """Make sure that no text of it breaks the report."""
        self.test_exception_info = clean(self.test_exception_info)
        for name in ("test_exception_message", "test_exception_name"):
            if hasattr(self, name):
                setattr(self, name, clean(getattr(self, name)))


def new_run() -> str:
    """Return a name for a run, that no other has; later ones sort after earlier ones."""
    return f"{time.strftime('%Y%m%d%H%M%S')}-{secrets.token_hex(3)}"


class Reports:
    """Writes one `TEST-<class>-<run>.xml` for every class into a directory.

    Two runs may write into one directory: the second part of the names is the run's own.

    Args:
        directory: made when the first report is written.
        run: the run's own part of the names.
    """

    def __init__(self, directory: str | os.PathLike[str], run: str) -> None:
        self.directory = Path(directory)
        self.written: list[Path] = []
        self._run = run

    def path(self, suite: str) -> Path:
        """Return where the report of a suite goes."""
        name = UNSAFE.sub("_", suite)
        if len(name) > LONGEST:  # the end is what differs, as in the classes of a matrix
            name = f"{name[:LONGEST]}-{zlib.crc32(suite.encode('utf-8', 'replace')):08x}"
        return self.directory / f"TEST-{name}-{self._run}.xml"

    def write(self, suite: str, records: Sequence[TestRecord], properties: Mapping[str, str]) -> None:
        """Write the report of one suite, whole or not at all."""
        for record in records:
            record.make_clean()
        root = suite_element(clean(suite), records, properties)
        ElementTree.indent(root)
        path = self.path(suite)
        self.directory.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        ElementTree.ElementTree(root).write(unfinished, "UTF-8", xml_declaration=True)
        unfinished.replace(path)
        if path not in self.written:
            self.written.append(path)


def suite_element(name: str, records: Sequence[TestRecord], properties: Mapping[str, str]) -> Element:
    """Return a suite as JUnit has it; its texts are clean."""

    def count(outcome: int) -> str:
        return str(sum(record.outcome == outcome for record in records))

    suite = Element(
        "testsuite",
        name=name,
        tests=str(len(records)),
        file=name.rpartition(".")[0].replace(".", "/") + ".py",
        time=f"{sum(record.elapsed_time for record in records):.3f}",
        timestamp=max((record.timestamp for record in records), default=""),
        failures=count(TestRecord.FAILURE),
        errors=count(TestRecord.ERROR),
        skipped=count(TestRecord.SKIP),
    )
    if properties:
        holder = SubElement(suite, "properties")
        for key, value in properties.items():
            SubElement(holder, "property", name=clean(key), value=clean(value))
    directory = os.getcwd() + os.sep
    for record in records:
        suite.append(case_element(record, directory))
    return suite


def case_element(record: TestRecord, directory: str) -> Element:
    """Return a test; its file's name is that below the directory, if it is there."""
    where, _, parameters = record.test_id.partition(" ")
    classname, _, name = where.removeprefix("__main__.").rpartition(".")
    case = Element(
        "testcase",
        classname=classname,
        name=f"{name} {parameters}" if parameters else name,
        time=f"{record.elapsed_time:.3f}",
        timestamp=record.timestamp,
    )
    if record.filename is not None:
        case.set("file", record.filename.removeprefix(directory))
    if record.lineno is not None:
        case.set("line", str(record.lineno))
    outcome = record.OUTCOME_ELEMENTS[record.outcome]
    if outcome is not None:
        exception = {"type": record.test_exception_name, "message": record.test_exception_message}
        SubElement(case, outcome, exception).text = record.get_error_info() or None
    for stream, text in (("system-out", record.stdout), ("system-err", record.stderr)):
        if text:
            SubElement(case, stream).text = text
    return case
