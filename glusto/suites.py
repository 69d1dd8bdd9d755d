"""Suites: which tests run, found as the command line or the `unittest:` section says."""

from __future__ import annotations

import os
import unittest
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from glusto import lookup
from glusto.errors import ConfigError
from glusto.outcome import Outcome
from glusto.settings import DiscoverTests, ModuleTests, UnittestSettings


class ClassSuite(unittest.TestSuite):
    """A suite that tells the outcome when a class begins and when it has ended, its cleanup done."""

    def _handleClassSetUp(self, test: unittest.TestCase, result: unittest.TestResult) -> None:  # noqa: N802
        result.current_class = type(test)  # type: ignore[attr-defined]
        if type(test) is not getattr(result, "_previousTestClass", None) and isinstance(result, Outcome):
            result.class_began(class_name(type(test)))
        try:
            super()._handleClassSetUp(test, result)  # type: ignore[misc]
        except SystemExit as error:
            type(test)._classSetupFailed = True  # type: ignore[attr-defined]
            self._exited(result, error, "setUpClass", class_name(type(test)))
            self._clean_class(type(test), result)

    def _tearDownPreviousClass(self, test: unittest.TestCase | None, result: unittest.TestResult) -> None:  # noqa: N802
        previous: Any = getattr(result, "_previousTestClass", None)
        try:
            super()._tearDownPreviousClass(test, result)  # type: ignore[misc]
        except SystemExit as error:
            self._exited(result, error, "tearDownClass", class_name(previous))
            self._clean_class(previous, result)
        if previous is not None and previous is not type(test) and isinstance(result, Outcome):
            result.class_ended(class_name(previous))

    def _handleModuleFixture(self, test: unittest.TestCase, result: unittest.TestResult) -> None:  # noqa: N802
        try:
            super()._handleModuleFixture(test, result)  # type: ignore[misc]
        except SystemExit as error:
            result._moduleSetUpFailed = True  # type: ignore[attr-defined]
            self._exited(result, error, "setUpModule", type(test).__module__)

    def _handleModuleTearDown(self, result: unittest.TestResult) -> None:  # noqa: N802
        try:
            super()._handleModuleTearDown(result)  # type: ignore[misc]
        except SystemExit as error:
            self._exited(result, error, "tearDownModule", result._previousTestClass.__module__)  # type: ignore[attr-defined]

    def _exited(self, result: unittest.TestResult, error: SystemExit, fixture: str, where: str) -> None:
        """`sys.exit` in a fixture is an error there, as it is in a test, and not the end of the run."""
        self._createClassOrModuleLevelException(result, error, fixture, where)  # type: ignore[attr-defined]

    def _clean_class(self, cls: Any, result: unittest.TestResult) -> None:
        """Do the cleanups of a class that are still to be done."""
        while cls._class_cleanups:
            try:
                cls.doClassCleanups()
            except SystemExit as error:
                self._exited(result, error, "tearDownClass", class_name(cls))
            for info in cls.tearDown_exceptions:
                self._createClassOrModuleLevelException(  # type: ignore[attr-defined]
                    result, info[1], "tearDownClass", class_name(cls), info=info
                )

    def finish(self, result: Outcome) -> None:
        """After an interrupt: end the class and the module that were running."""
        interrupted = getattr(result, "current_class", None)
        try:
            self._tearDownPreviousClass(None, result)
            self._handleModuleTearDown(result)
        finally:
            if interrupted is not None:
                interrupted.doClassCleanups()
                for error in interrupted.tearDown_exceptions:
                    result.add_trouble(f"tearDownClass ({class_name(interrupted)})", error[1])


def class_name(cls: type) -> str:
    """Return the name under which a class is reported."""
    return cls.__name__ if cls.__module__ == "__main__" else f"{cls.__module__}.{cls.__name__}"


def rebuilt(suite: Iterable[Any]) -> ClassSuite:
    """Return a suite with plain TestSuites, which a module's `load_tests` may have made, turned into ours."""
    return ClassSuite(rebuilt(test) if type(test) in (unittest.TestSuite, ClassSuite) else test for test in suite)


def make_loader(settings: UnittestSettings, patterns: Sequence[str] = ()) -> unittest.TestLoader:
    """Return a loader that finds what the settings call a test."""
    loader = unittest.TestLoader()
    loader.suiteClass = ClassSuite
    loader.testMethodPrefix = settings.test_method_prefix
    if patterns:
        loader.testNamePatterns = [pattern if "*" in pattern else f"*{pattern}*" for pattern in patterns]
    return loader


def from_names(loader: unittest.TestLoader, names: Sequence[str]) -> ClassSuite:
    """Load tests by dotted name, by file (`examples/test_run.py`) or by directory.

    A module that can't be imported is a test that fails.

    Raises:
        ConfigError: a name leads to no test.
    """
    suites: list[unittest.TestSuite] = []
    for name in names:
        if os.path.isdir(name):
            suites.append(from_directory(loader, DiscoverTests(start_dir=name)))
        elif name.endswith(".py") and os.path.isfile(name):
            suites.append(from_directory(loader, DiscoverTests(os.path.dirname(name) or ".", os.path.basename(name))))
        else:
            suites.append(from_name(loader, name))
    return rebuilt(suites)


def from_name(loader: unittest.TestLoader, name: str) -> unittest.TestSuite:
    """Load the tests of a module, a class, or a method."""
    try:
        return found(loader, name, lambda _: loader.loadTestsFromNames(lookup.generated(name) or [name]))
    except TypeError as error:  # a function that makes no tests
        raise ConfigError(f"{name}: {error}") from error


def from_module(loader: unittest.TestLoader, chosen: ModuleTests) -> unittest.TestSuite:
    """Load the tests of a module, as its `load_tests` has them or all there are."""

    def load(module: Any) -> unittest.TestSuite:
        if chosen.use_load_tests:
            return loader.loadTestsFromModule(module)
        classes = [value for value in vars(module).values() if isinstance(value, type)]
        cases = [value for value in classes if issubclass(value, unittest.TestCase)]
        return ClassSuite(loader.loadTestsFromTestCase(case) for case in cases)

    return found(loader, chosen.module_name, load)


def found(
    loader: unittest.TestLoader, name: str, load: Callable[[Any], unittest.TestSuite]
) -> unittest.TestSuite:
    """Load tests from what a name leads to; when that can't be imported, a test that fails with why."""
    try:
        thing = lookup.find(name)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what the module's own code raises
        return loader.suiteClass([lookup.stand_in(name, error)])
    return load(thing)


def from_directory(loader: unittest.TestLoader, where: DiscoverTests) -> ClassSuite:
    """Discover tests below a directory; from the working directory when that can import them, else from there.

    Raises:
        ConfigError: there is no such directory.
    """
    top = where.top_level_dir
    start = os.path.abspath(where.start_dir)
    if not os.path.isdir(start):
        raise ConfigError(f"there is no directory {where.start_dir}")
    if top is None and os.path.isfile(os.path.join(start, "__init__.py")):
        top = start
        while os.path.isfile(os.path.join(top, "__init__.py")):
            top = os.path.dirname(top)
    loader._top_level_dir = None  # type: ignore[attr-defined]  # else the first discovery's is kept
    return rebuilt(loader.discover(start, where.pattern, top))


def from_settings(loader: unittest.TestLoader, settings: UnittestSettings) -> ClassSuite:
    """Load what the `unittest:` section names; with nothing named, discover from the working directory."""
    suites: list[Any] = []
    if settings.discover_tests is not None:
        suites.append(from_directory(loader, settings.discover_tests))
    if settings.load_tests_from_list and settings.unittest_list is not None:
        module = settings.unittest_list.module_name
        suites.append(from_names(loader, [f"{module}.{name}" for name in settings.unittest_list.list]))
    if settings.load_tests_from_module is not None:
        suites.append(from_module(loader, settings.load_tests_from_module))
    if settings.load_tests_from_name is not None:
        suites.append(from_names(loader, [settings.load_tests_from_name]))
    if settings.load_tests_from_names:
        suites.append(from_names(loader, settings.load_tests_from_names))
    return rebuilt(suites) if suites else from_directory(loader, DiscoverTests())
