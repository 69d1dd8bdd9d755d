"""Make the HTML report of a run from its events, also of a run that was killed."""

from __future__ import annotations

import argparse
import os
import sys

from glusto.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a report."""
    add = parser.add_argument
    add("where", nargs="?", default="reports", metavar="DIR|FILE", help="the reports of runs, of which the newest is taken; or one events file")
    add("--all", action="store_true", help="make the report of every run there")
    add("-o", "--output", metavar="FILE", help="where it goes; by default beside the events, as report-<run>.html")


def main(options: argparse.Namespace) -> int:
    """Write the report, and say where it is.

    Raises:
        ConfigError: there are no events there.
    """
    from glusto.report import EVENTS, find_events, page_for, write_page

    found = [options.where] if os.path.isfile(options.where) else find_events(options.where)
    if not found:
        raise ConfigError(f"no {EVENTS.format('<run>')} there: it is what `glusto run` writes into its --reports directory", options.where)
    if options.output and options.all:
        raise ConfigError("--output is for one report, and --all makes several")
    for events in found if options.all else found[-1:]:
        page = options.output or page_for(events)
        try:
            write_page(events, page)
        except OSError as error:
            raise ConfigError(f"the report can't be made: {error.strerror}", error.filename or page) from error
        sys.stdout.write(f"{page}\n")
    return 0
