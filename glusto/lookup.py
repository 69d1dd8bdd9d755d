"""Lookup: what the dotted name of a test leads to, and the nearest right name when it leads nowhere."""

from __future__ import annotations

import difflib
import os
import pkgutil
import pydoc
import sys
import traceback
import unittest
from collections.abc import Iterable
from types import ModuleType, TracebackType
from typing import Any

from glusto.errors import ConfigError
from glusto.matrix import generated_from


def find(name: str) -> Any:
    """Return the module, class or function of that name; modules on the way are imported.

    Whatever the code of such a module raises is raised.

    Raises:
        ConfigError: it leads nowhere, or to what holds no tests; with the nearest name that does better.
    """
    if os.sep in name or name.endswith(".py"):
        folder, word = os.path.split(name)
        raise ConfigError(f"there is no {name}{_nearest(word, _files(folder), folder)}")
    if not all(name.split(".")):
        raise ConfigError(f"there is no {name}: it is no name")
    found: Any = None
    path = ""
    for word in name.split("."):
        around, path = path, f"{path}.{word}" if path else word
        if (found is None or hasattr(found, "__path__")) and _is_imported(path):
            found = sys.modules[path]
        elif found is None:
            raise ConfigError(f"there is no module, file or directory {word}{_nearest(word, _modules([os.getcwd()]))}")
        elif hasattr(found, word):
            found = getattr(found, word)
        else:
            raise ConfigError(f"{around} has no {word}{_nearest(word, _tests(found), around)}")
    a_class = isinstance(found, type)
    if a_class and not issubclass(found, unittest.TestCase):
        raise ConfigError(f"{name} is no class of tests: it is no unittest.TestCase")
    if not a_class and not isinstance(found, ModuleType) and not callable(found):
        raise ConfigError(f"{name} is no test: it is {found!r:.60}")
    return found


def generated(name: str) -> list[str]:
    """Return the names of the tests that a CarteTestClass made of the class, or the method of it, so named."""
    parts = name.split(".")
    for end in (len(parts), len(parts) - 1):
        found = locate(".".join(parts[:end]))
        if isinstance(found, type) and (classes := generated_from(found)):
            return [".".join([cls.__module__, cls.__name__, *parts[end:]]) for cls in classes]
    return []


def locate(name: str) -> object:
    """Return what a dotted name means; None when that is nothing, or fails, which loading the tests will tell."""
    try:
        return pydoc.locate(name)
    except pydoc.ErrorDuringImport:
        return None


def stand_in(name: str, error: BaseException) -> unittest.TestCase:
    """Return a test in the place of those of a module: it fails with what the import has raised, or is skipped."""
    problem: BaseException = error
    if not isinstance(error, unittest.SkipTest):
        told = "".join(traceback.format_exception(type(error), error, _module_code(error.__traceback__)))
        problem = ImportError(f"Failed to import test module: {name}\n{told}")  # as unittest's discovery has it
    test: unittest.TestCase = unittest.loader._FailedTest(name, problem)  # type: ignore[attr-defined]  # noqa: SLF001
    return test


def _module_code(place: TracebackType | None) -> TracebackType | None:
    """Return what of a traceback comes after the import machinery, and this module's own lines."""
    while place is not None and place.tb_frame.f_code is not _is_imported.__code__:
        place = place.tb_next
    while place is not None and place.tb_frame.f_code.co_filename.startswith((__file__, "<frozen importlib")):
        place = place.tb_next
    return place


def _is_imported(path: str) -> bool:
    """Import a module; False when there is none of that name."""
    try:
        __import__(path)
    except ModuleNotFoundError as error:
        if error.name != path:  # it is there, and imports what is not
            raise
        return False
    return True


def _files(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder or ".") if name.endswith(".py")]
    except OSError:
        return []


def _modules(places: Iterable[str]) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(places)]


def _tests(found: object) -> list[str]:
    """Return the names of what may be tests in a package, a module or a class."""
    names = _modules(getattr(found, "__path__", ()))
    if isinstance(found, ModuleType):
        cases = [name for name, value in vars(found).items() if isinstance(value, type)]
        return names + [name for name in cases if issubclass(getattr(found, name), unittest.TestCase)]
    return names + [name for name in dir(found) if callable(getattr(found, name, None)) and name.startswith("test")]


def _nearest(word: str, known: Iterable[str], around: str = "") -> str:
    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    if not near:
        return ""
    between = os.sep if near[0].endswith(".py") else "."
    return f"; did you mean `{f'{around}{between}' if around else ''}{near[0]}`?"
