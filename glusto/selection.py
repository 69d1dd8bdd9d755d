"""Selection: which tests a run is asked for, and in words where they were looked for."""

from __future__ import annotations

import argparse
import os
import shlex
import unittest
from collections.abc import Sequence

from glusto.errors import ConfigError
from glusto.settings import DiscoverTests, UnittestSettings
from glusto.suites import ClassSuite, from_directory, from_names, from_settings, make_loader, rebuilt


def load(options: argparse.Namespace, settings: UnittestSettings) -> ClassSuite:
    """Load the tests that the command line asks for, by default those that the config names.

    Raises:
        ConfigError: what is asked for is not there.
    """
    loader = make_loader(settings, options.patterns)
    suites: list[unittest.TestSuite] = []
    if options.names:
        suites.append(from_names(loader, options.names))
    if options.discover:
        suites.append(from_directory(loader, DiscoverTests(start_dir=options.discover)))
    if options.unittest is not None:
        suites.append(from_unittest(loader, shlex.split(options.unittest)))
    if options.configured or not suites:
        try:
            suites.append(from_settings(loader, settings))
        except ConfigError as error:
            raise ConfigError(f"the config's unittest: {error}") from error
    return rebuilt(suites)


def from_unittest(loader: unittest.TestLoader, arguments: Sequence[str]) -> unittest.TestSuite:
    """Load what `python -m unittest ARGUMENTS` would run."""

    class Load(unittest.TestProgram):
        def runTests(self) -> None:  # noqa: N802
            """Runner does that."""

    words = ["unittest", *arguments]
    suite: unittest.TestSuite = vars(Load(module=None, argv=words, testLoader=loader, exit=False))["test"]
    return suite


def sought(options: argparse.Namespace, settings: UnittestSettings) -> str:
    """Say where `load` looks for tests, and for which: what goes on after "no test was found"."""
    places = list(options.names)
    if options.discover:
        places.append(below(DiscoverTests(start_dir=options.discover)))
    if options.unittest is not None:
        places.append(f"what --unittest {shlex.quote(options.unittest)} means")
    if options.configured or not places:
        places.append(configured(settings))
    told = " and ".join(places)
    named = " or ".join(f"`{pattern}`" for pattern in options.patterns)
    return f"whose name matches {named} (-k), in {told}" if named else f"in {told}"


def configured(settings: UnittestSettings) -> str:
    """Say where `from_settings` looks."""
    section = [
        name
        for name in ("load_tests_from_list", "load_tests_from_module", "load_tests_from_name", "load_tests_from_names")
        if getattr(settings, name)
    ]
    if settings.discover_tests is not None:
        return f"{below(settings.discover_tests)}{''.join(f', {name}' for name in section)} (the config's unittest:)"
    return f"{', '.join(section)} (the config's unittest:)" if section else below(DiscoverTests())


def below(where: DiscoverTests) -> str:
    """Say what discovery looks through.

    >>> below(DiscoverTests("/srv/tests"))
    'test*.py below /srv/tests'
    """
    return f"{where.pattern} below {os.path.abspath(where.start_dir)}"
