"""The matrix: one test class for every combination of the options that a decorator names.

The decorated class becomes a template, which no loader runs. Each generated class is a subclass of it, and so
shares its attributes, and has the template's methods as its own besides. To make every way of calling `super()`
reach the base class once, the template's own entries step aside when they are found beyond a generated class:
`super(cls, cls)` goes from the generated class, over the template, to the base class, and `super()` as well as
`super(TestName, self)`, which start at the template, go there anyway.
"""

from __future__ import annotations

import itertools
import sys
import types
import unittest
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from glusto.errors import ConfigError, GlustoError
from glusto.logs import get_log

T = TypeVar("T", bound=type[Any])

ALL = "ALL"
GENERATED = "_glusto_generated"  # of a template: the classes made of it
SOURCES = "_glusto_sources"  # of a generated class: method → the template that it is from


class CarteTestClass:
    """Decorates a test class, to have it run with every combination of options.

    Subclass it, and set these attributes in `__init__(self, value)`:

    Attributes:
        axis_names: the class attributes that hold a combination's options.
        available_options: for each axis, the options there are.
        selections: for each axis, the options that this run selects; "ALL" are the available ones.
        limits: for each axis, the options that the test class can do; "ALL" are the available ones, and a false one
            drops the axis. It is the `value` that the decorator is given.
        cplex_name: stands between the names of the class and the options; "cplex" by default.

    Example:
        >>> class runs_on(CarteTestClass):
        ...     def __init__(self, value):
        ...         self.axis_names = ["volume_type", "mount_type"]
        ...         self.available_options = [["replicated", "dispersed"], ["glusterfs", "nfs"]]
        ...         self.selections = ["ALL", "ALL"]
        ...         self.limits = value
        >>> @runs_on([["replicated"], "ALL"])
        ... class TestFiles(unittest.TestCase):
        ...     def test_copy(self):
        ...         print(self.volume_type, self.mount_type)
        >>> [case.__name__ for case in generated_from(TestFiles)]
        ['TestFiles_cplex_replicated_glusterfs', 'TestFiles_cplex_replicated_nfs']
    """

    axis_names: Sequence[str]
    available_options: Sequence[Sequence[Any]]
    selections: Sequence[Any]
    limits: Any
    cplex_name: str = "cplex"

    def __init__(self, value: Any) -> None:
        self.axis_names, self.available_options, self.selections = [], [], []
        self.limits = value

    def __call__(self, test_class: T) -> T:
        """Put the generated classes into the module of the test class, and return it as their template.

        Raises:
            ConfigError: the axes, selections and limits don't fit, or two combinations have one name.
            GlustoError: the class has been decorated already.
        """
        if GENERATED in vars(test_class):
            raise GlustoError(f"{test_class.__qualname__} is decorated already; one matrix can have several axes")
        axes = self._axes(test_class.__qualname__)
        module = vars(sys.modules[test_class.__module__])
        generated: list[type[Any]] = []
        sources = _make_template(test_class, generated)
        for options in itertools.product(*axes.values()):
            name = "_".join([test_class.__name__, self.cplex_name, *map(str, options)])
            if any(name == each.__name__ for each in generated):
                raise ConfigError(f"two combinations have the name {name}; change the options or cplex_name")
            generated.append(_generate(test_class, name, sources, dict(zip(axes, options, strict=True))))
            module[name] = generated[-1]
        if not generated:
            empty = next(axis for axis, options in axes.items() if not options)
            message = f"{test_class.__qualname__} has no tests: its limits have nothing of what is selected for {empty}"
            get_log().warning(message)
            warnings.warn(message, stacklevel=2)
        return test_class

    def _axes(self, name: str) -> dict[str, list[Any]]:
        """Return axis → its options, in the order selected, of the axes that the limits don't drop."""
        names = list(self.axis_names)
        columns = {
            "available_options": self.available_options,
            "selections": self.selections,
            "limits": [None] * len(names) if not self.limits else self.limits,
        }
        for what, column in columns.items():
            if isinstance(column, str) or len(column) != len(names):
                found = repr(column) if isinstance(column, str) else f"{len(column)}"
                raise ConfigError(f"{name}: {len(names)} axes ({', '.join(names)}) have {found} {what}")
        axes: dict[str, list[Any]] = {}
        for axis, available, selection, limit in zip(names, *columns.values(), strict=True):
            if limit:
                allowed = _options(limit, available)
                axes[axis] = [option for option in _options(selection, available) if option in allowed]
        return axes


def generated_from(test_class: type[Any]) -> list[type[Any]] | None:
    """Return the classes that were generated from a class, in order; None when it isn't decorated."""
    generated: list[type[Any]] | None = vars(test_class).get(GENERATED)
    return generated


def load_tests(
    test_class: type[unittest.TestCase], loader: Any, ordered_testcases: Iterable[str]
) -> unittest.TestSuite:
    """Return a suite of a class's tests, in an order of one's own.

    Args:
        test_class: the class. For a decorated one these are the tests of each class generated from it.
        loader: what the `load_tests` of the module is given.
        ordered_testcases: the names of the tests that come first; the others follow.

    Raises:
        GlustoError: the class has no test of such a name.
    """
    ordered = list(ordered_testcases)
    suite: unittest.TestSuite = loader.suiteClass()
    generated = generated_from(test_class)
    for case in [test_class] if generated is None else generated:
        names = list(loader.getTestCaseNames(case))
        for name in ordered:
            if not callable(getattr(case, name, None)):
                raise GlustoError(f"{case.__qualname__} has no test {name}; it has {', '.join(names)}")
        others = [name for name in names if name not in ordered]
        suite.addTest(loader.suiteClass(map(case, [*ordered, *others])))
    return suite


class _Entry:
    """A method in the namespace of a template."""

    def __init__(self, template: type[Any], name: str, method: Any) -> None:
        self._template, self._name = template, name
        self.__func__ = method  # where pytest finds the function

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        if self._is_beyond(owner):
            start: Any = owner if instance is None else instance
            return getattr(super(self._template, start), self._name)
        return self.__func__.__get__(instance, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(*args, **kwargs)

    def _is_beyond(self, owner: type[Any]) -> bool:
        """Whether a class has this method from here already, so that it was `super()` of that which led here."""
        before = itertools.takewhile(lambda each: each is not self._template, owner.__mro__)
        return any(vars(each).get(SOURCES, {}).get(self._name) is self._template for each in before)


class _NoTests(unittest.TestSuite):
    """What a template gives to who would make an instance of it."""

    def __getattr__(self, name: str) -> None:
        """Bear that a loader, which was given the name of a test, asks for its method."""
        if name.startswith("_"):
            raise AttributeError(name)


class _Collected:
    """`__test__` of a template, where pytest looks: false for it alone, and not for its subclasses."""

    def __init__(self, template: type[Any]) -> None:
        self._template = template
        self._own = vars(template).get("__test__")

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        if owner is self._template:
            return False
        return getattr(super(self._template, owner), "__test__", True) if self._own is None else self._own


def _make_template(test_class: type[Any], generated: list[type[Any]]) -> dict[str, type[Any]]:
    """Make a class a template; returns its methods' names, and the templates that they are from."""
    sources: dict[str, type[Any]] = {}
    seen: set[str] = set()
    for each in test_class.__mro__:
        if each is test_class or GENERATED in vars(each):
            names = {name: each for name, value in vars(each).items() if name not in seen and _is_method(name, value)}
            sources = names | sources
        seen.update(vars(each))
    for name, value in list(vars(test_class).items()):
        if _is_method(name, value):
            setattr(test_class, name, _Entry(test_class, name, value))
    test_class.__test__ = _Collected(test_class)
    setattr(test_class, GENERATED, generated)
    if issubclass(test_class, unittest.TestCase):
        _hide_from_unittest(test_class)
    return sources


def _is_method(name: str, value: object) -> bool:
    """Whether it is a function, a class method or the like. Properties and slots are not: those are data."""
    if isinstance(value, type | _Collected) or name.startswith("__annotate"):  # Python 3.14's, for annotations
        return False
    return hasattr(type(value), "__get__") and not hasattr(type(value), "__set__")


def _hide_from_unittest(template: type[Any]) -> None:
    """Have loaders, which make an instance for each test, get nothing to run in the place of each."""
    own = getattr(vars(template).get("__new__"), "__func__", None)

    def make(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
        if cls is template:
            return _NoTests()
        following = super(template, cls).__new__ if own is None else own
        return following(cls) if following is object.__new__ else following(cls, *args, **kwargs)

    template.__new__ = staticmethod(make)  # type: ignore[assignment]


def _generate(
    template: type[Any], name: str, sources: Mapping[str, type[Any]], combination: Mapping[str, Any]
) -> type[Any]:
    body: dict[str, Any] = {
        "__module__": template.__module__,
        "__qualname__": template.__qualname__.removesuffix(template.__name__) + name,
        "__doc__": template.__doc__,
        SOURCES: sources,
    }
    if (line := vars(template).get("__firstlineno__")) is not None:  # where Python 3.13 looks for its source
        body["__firstlineno__"] = line
    for method, source in sources.items():
        entry = vars(source)[method]
        body[method] = entry.__func__ if isinstance(entry, _Entry) else entry
    body |= combination
    return types.new_class(name, (template,), {}, lambda namespace: namespace.update(body))


def _options(value: Any, available: Iterable[Any]) -> list[Any]:
    """Return options as a list, each once; a text that is not "ALL" is the one option it names."""
    if value == ALL:
        value = available
    if value is None:
        return []
    return list(dict.fromkeys([value] if isinstance(value, str) else value))
