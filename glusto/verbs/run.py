"""Run tests against the hosts of an inventory, and leave nothing on them."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from glusto import __version__
from glusto.arguments import add_config_arguments, load_config
from glusto.errors import ConfigError

if TYPE_CHECKING:
    from glusto.display import Display
    from glusto.inventory import Inventory
    from glusto.runner import Status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run."""
    add_config_arguments(parser)
    add = parser.add_argument
    add("names", nargs="*", metavar="TEST", help="a module, class, method, file or directory; by default the unittest: section's")
    add("-d", "--discover", metavar="DIR", help="discover tests below DIR")
    add("-u", action="store_true", dest="configured", help="run what the config's unittest: section says (the default)")
    add("-k", action="append", default=[], metavar="PATTERN", dest="patterns", help="only tests whose name matches")
    add("-x", "--failfast", action="store_true", help="stop at the first failure")
    add("--repeat", type=int, default=1, metavar="N", help="run all of it N times")
    add("--failed-first", action="store_true", help="begin with the tests that failed when they last ran, by the reports")
    add("-q", "--quiet", action="store_true", help="print failures and the summary only")
    add("-v", "--verbose", action="store_true", help="log what is done on the hosts to the terminal")
    add("--pytest", metavar="ARGS", help='run pytest with these arguments, in one word: --pytest "-x tests/"')
    add("--unittest", metavar="ARGS", help="run unittest with these arguments, in one word")
    add("--nosetests", metavar="ARGS", help=argparse.SUPPRESS)
    add("--reports", metavar="DIR", help="where reports go; by default what the config says, or reports")
    add("--no-page", action="store_true", help="write no events file and no HTML report")
    add("-l", "--log", metavar="FILE", help="the log file; by default glusto.log among the reports")
    add("--log-level", metavar="LEVEL", help="the least level that is logged; DEBUG by default")
    add("--version", action="version", version=f"glusto {__version__}")


def main(options: argparse.Namespace) -> Status:
    """Load the config, then import, run and report the tests.

    Raises:
        ConfigError: the config, or an argument, can't be used.
    """
    if options.nosetests is not None:
        raise ConfigError('nose is gone since Python 3.10; its tests run under pytest: --pytest "ARGS"')
    inventory = load_config(options)  # before tests are imported: they may read g.config when they are

    from glusto import display
    from glusto.harness import g
    from glusto.junit import new_run
    from glusto.lasting import Lasting
    from glusto.runner import worst

    if options.repeat < 1:
        raise ConfigError(f"--repeat takes a number from 1 up, not {options.repeat}")
    directory = options.reports or inventory.reports.dir
    stream = cast("TextIO", Lasting(sys.stdout))
    screen = display.Plain(stream) if options.pytest is not None else display.choose(stream, quiet=options.quiet)
    shown = screen.log_handler() if options.verbose else None
    named = options.log or g.config.get("log_file") or g.config.get("log_filename")  # config keys of old
    level = options.log_level or g.config.get("log_level") or "DEBUG"
    log_to(str(named or os.path.join(directory, "glusto.log")), level, shown)
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    statuses: list[Status] = []
    if options.pytest is not None:
        statuses.append(run_pytest(shlex.split(options.pytest), directory, new_run()))
    ours = options.names or options.discover or options.unittest is not None or options.configured
    if ours or options.pytest is None:
        statuses.append(run_unittest(options, inventory, directory, screen))
    return worst(statuses)


def run_unittest(options: argparse.Namespace, inventory: Inventory, directory: str, screen: Display) -> Status:
    """Run the tests that the command line asks for, with reports; returns the status."""
    from glusto import failed, selection
    from glusto.events import EventsFile
    from glusto.harness import g
    from glusto.junit import Reports, new_run
    from glusto.report import EVENTS, page_for, point_at, write_page
    from glusto.runner import Runner, status_of

    run = new_run()
    reports = Reports(directory, run) if inventory.unittest.output_junit else None
    events = EventsFile(os.path.join(directory, EVENTS.format(run)))
    g.events.begin(g.config)
    suites = [selection.load(options, inventory.unittest) for _ in range(options.repeat)]
    if options.failed_first:
        suites = [failed.first(suite, failed.read(directory)) for suite in suites]
    if not options.no_page:
        point_at(events.filename)
        g.events.listen(events)
    g.events.record("run_started", run=run, **description())

    def page() -> str:
        events.close()
        name = page_for(events.filename)
        try:
            write_page(events.filename, name)
        except OSError as error:
            return f"the HTML report could not be written: {error}"
        return f"report: {name}"

    sought = selection.sought(options, inventory.unittest)
    runner = Runner(
        g, reports, screen, page=None if options.no_page else page, failfast=options.failfast, sought=sought
    )
    outcome = runner.run(*suites)
    failed.write(directory, outcome.all_records())
    return status_of(outcome)


def description() -> dict[str, Any]:
    """Return what the first event of a run says of it."""
    import datetime
    import getpass
    import platform

    from glusto.harness import g
    from glusto.plain import mask

    return {
        "time": datetime.datetime.now().astimezone().isoformat(timespec="milliseconds"),
        "glusto": __version__,
        "python": platform.python_version(),
        "controller": f"{getpass.getuser()}@{platform.node()}",
        "pid": os.getpid(),
        "directory": os.getcwd(),
        "command": shlex.join(["glusto", *sys.argv[1:]]),
        "config": mask(g.config),
    }


def run_pytest(arguments: Sequence[str], directory: str, run: str) -> Status:
    """Run pytest in this process, with JUnit XML into the reports; returns our status for its own."""
    try:
        import pytest
    except ImportError:
        raise ConfigError("--pytest needs pytest: pip install pytest") from None
    from glusto.errors import CleanupError
    from glusto.harness import g
    from glusto.interrupts import signals_interrupt
    from glusto.junit import Reports
    from glusto.runner import Status

    words = list(arguments)
    if not any(word.startswith(("--junit-xml", "--junitxml")) for word in words):
        words.append(f"--junitxml={Reports(directory, run).path('pytest')}")
    meanings = {0: Status.PASSED, 1: Status.FAILED, 2: Status.INTERRUPTED, 4: Status.USAGE, 5: Status.NO_TESTS}
    with signals_interrupt():
        try:
            status = meanings.get(int(pytest.main(words)), Status.FAILED)
        finally:
            try:
                g.close()
            except CleanupError as error:
                print(f"glusto: {error}", file=sys.stderr)
                status = Status.HOSTS
    return status


def log_to(filename: str, level: str, shown: logging.Handler | None) -> None:
    """Have Glusto's log written to a file, and by `shown` as well, without the secrets of the config."""
    from glusto.handlers import MaskingFormatter
    from glusto.harness import g
    from glusto.logs import level_number
    from glusto.masking import Mask

    number = level_number(level)
    formatter = MaskingFormatter("%(asctime)s %(levelname)s (%(funcName)s) %(message)s", Mask(g.config))
    handlers = [shown] if shown is not None else []
    try:
        Path(filename).expanduser().parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(os.path.expanduser(filename), encoding="utf-8", errors="replace"))
    except OSError as error:
        raise ConfigError(f"the log can't be written there: {error.strerror}", filename) from error
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.setLevel(number)
        g.log.addHandler(handler)
    g.log.setLevel(number)
    g.log.propagate = False
