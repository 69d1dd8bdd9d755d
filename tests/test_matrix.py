"""The matrix: generated classes, what their `super()` reaches, and how loaders find them."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
import unittest
import warnings
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from glusto.errors import ConfigError, GlustoError
from glusto.matrix import CarteTestClass, generated_from, load_tests

PROJECT = str(Path(__file__).parents[1])


class runs_on(CarteTestClass):  # noqa: N801 - as suites write it
    """A decorator as old suites have it."""

    def __init__(self, value: Any) -> None:
        self.axis_names = ["volume", "mount"]
        self.available_options = [["replicated", "distributed", "dispersed"], ["glusterfs", "nfs"]]
        self.selections = ["ALL", ["nfs", "glusterfs"]]
        self.limits = value


class Base(unittest.TestCase):
    """What decorated classes call by `super()`; it counts."""

    volume: str
    mount: str
    calls: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.calls = ["Base.setUpClass"]

    def setUp(self) -> None:
        self.calls.append("Base.setUp")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.calls.append("Base.tearDownClass")

    @staticmethod
    def helper() -> str:
        return "Base.helper"

    @staticmethod
    def get_super_method(obj: Any, method_name: str) -> Any:
        """Find the method of the base class, as suites do that had to."""
        current = obj if isinstance(obj, type) else obj.__class__
        while getattr(super(current, obj), method_name) == getattr(obj, method_name):
            current = current.__base__
        return getattr(super(current, obj), method_name)


def names(test_class: type) -> list[str]:
    found = generated_from(test_class)
    assert found is not None
    return [each.__name__ for each in found]


def run(test_class: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.TestLoader().loadTestsFromTestCase(test_class).run(result)
    return result


def run_all(test_class: type) -> list[list[str]]:
    """Run every generated class; returns what each one's `calls` has."""
    calls = []
    for each in generated_from(test_class) or []:
        result = run(each)
        assert result.wasSuccessful(), result.errors + result.failures
        assert result.testsRun > 0
        calls.append(each.calls)
    return calls


def test_there_is_a_class_for_every_combination_in_the_order_selected() -> None:
    @runs_on([["distributed", "replicated"], "ALL"])
    class TestIt(Base):
        pass

    assert names(TestIt) == [
        "TestIt_cplex_replicated_nfs",
        "TestIt_cplex_replicated_glusterfs",
        "TestIt_cplex_distributed_nfs",
        "TestIt_cplex_distributed_glusterfs",
    ]
    first = (generated_from(TestIt) or [])[0]
    assert (first.volume, first.mount, first.__module__) == ("replicated", "nfs", __name__)
    assert sys.modules[__name__].TestIt_cplex_replicated_nfs is first
    assert first.__qualname__.endswith("<locals>.TestIt_cplex_replicated_nfs")
    assert issubclass(first, TestIt)


def test_a_false_limit_drops_its_axis() -> None:
    @runs_on([None, ["nfs"]])
    class TestIt(Base):
        volume = "none"

    assert names(TestIt) == ["TestIt_cplex_nfs"]
    assert [each.volume for each in generated_from(TestIt) or []] == ["none"]

    @runs_on(None)
    class TestAll(Base):
        pass

    assert names(TestAll) == ["TestAll_cplex"]


def test_names_are_verbatim_and_the_middle_can_be_chosen() -> None:
    class on(CarteTestClass):  # noqa: N801
        cplex_name = "on"

        def __init__(self, value: Any) -> None:
            self.axis_names = ["kind", "port"]
            self.available_options = [["a-b", "c d"], [80, 443]]
            self.selections = ["a-b", "ALL"]
            self.limits = value

    @on(["ALL", (443, 80, 80)])
    class TestIt(Base):
        pass

    assert names(TestIt) == ["TestIt_on_a-b_80", "TestIt_on_a-b_443"]


def test_the_lists_of_the_user_stay_as_they_are() -> None:
    limits = ["ALL", "ALL"]

    @runs_on(limits)
    class TestIt(Base):
        pass

    assert limits == ["ALL", "ALL"]


def test_limits_that_match_nothing_give_a_warning_and_no_tests(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(UserWarning, match="TestIt has no tests: its limits have nothing of what is selected for mount"):

        @runs_on(["ALL", ["smb"]])
        class TestIt(Base):
            def test_one(self) -> None:
                pass

    assert names(TestIt) == []
    assert "TestIt has no tests" in caplog.text
    assert unittest.TestLoader().loadTestsFromTestCase(TestIt).countTestCases() == 0


@pytest.mark.parametrize(
    ("limits", "says"), [([["nfs"]], "2 axes (volume, mount) have 1 limits"), ("nfs", "have 'nfs' limits")]
)
def test_axes_that_do_not_fit_are_refused(limits: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):

        @runs_on(limits)
        class TestIt(Base):
            pass


def test_two_combinations_of_one_name_are_refused() -> None:
    class on(CarteTestClass):  # noqa: N801
        def __init__(self, value: Any) -> None:
            self.axis_names = ["one", "two"]
            self.available_options = self.selections = [["a", "a_b"], ["b_c", "c"]]
            self.limits = value

    with pytest.raises(ConfigError, match="two combinations have the name TestIt_cplex_a_b_c"):

        @on(["ALL", "ALL"])
        class TestIt(Base):
            pass


def test_a_class_is_decorated_once() -> None:
    with pytest.raises(GlustoError, match="decorated already"):

        @runs_on([["replicated"], ["nfs"]])
        @runs_on([["dispersed"], ["nfs"]])
        class TestIt(Base):
            pass


EXPECTED = [["Base.setUpClass", "setUpClass", "Base.setUp", "setUp", "helper and Base.helper", "tearDownClass"]] * 2


def test_super_without_arguments_reaches_the_base_class_once() -> None:
    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            cls.calls.append("setUpClass")

        def setUp(self) -> None:
            super().setUp()
            self.calls.append("setUp")

        @classmethod
        def tearDownClass(cls) -> None:
            cls.calls.append("tearDownClass")

        @staticmethod
        def helper() -> str:
            return "helper and " + super(__class__, __class__).helper()  # type: ignore[name-defined]

        def test_it(self) -> None:
            self.calls.append(self.helper())

    assert run_all(TestIt) == EXPECTED


def test_super_of_the_own_class_reaches_the_base_class_once() -> None:
    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        @classmethod
        def setUpClass(cls) -> None:
            super(cls, cls).setUpClass()
            cls.calls.append("setUpClass")

        def setUp(self) -> None:
            super(self.__class__, self).setUp()
            self.calls.append("setUp")

        @classmethod
        def tearDownClass(cls) -> None:
            cls.calls.append("tearDownClass")

        def help(self) -> str:
            return "helper and " + super(type(self), self).helper()

        def test_it(self) -> None:
            self.calls.append(self.help())

    assert run_all(TestIt) == EXPECTED


def test_super_of_the_class_by_name_reaches_the_base_class_once() -> None:
    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            cls.calls.append("setUpClass")

        def setUp(self) -> None:
            super(TestIt, self).setUp()  # noqa: UP008 - that is the point
            self.calls.append("setUp")

        @classmethod
        def tearDownClass(cls) -> None:
            cls.calls.append("tearDownClass")

        def test_it(self) -> None:
            self.calls.append("helper and " + Base.helper())

    assert run_all(TestIt) == EXPECTED


def test_suites_that_search_the_base_class_by_themselves_reach_it_once() -> None:
    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        @classmethod
        def setUpClass(cls) -> None:
            cls.get_super_method(cls, "setUpClass")()
            cls.calls.append("setUpClass")

        def setUp(self) -> None:
            self.get_super_method(self, "setUp")()
            self.calls.append("setUp")

        @classmethod
        def tearDownClass(cls) -> None:
            cls.calls.append("tearDownClass")

        def test_it(self) -> None:
            self.calls.append("helper and " + self.helper())

    assert run_all(TestIt) == EXPECTED


def test_a_method_that_the_base_class_lacks_is_not_found_there() -> None:
    @runs_on([["replicated"], ["nfs"]])
    class TestIt(Base):
        def only_here(self) -> None:
            pass

        def test_it(self) -> None:
            self.calls.append(str(hasattr(super(type(self), self), "only_here")))

    assert run_all(TestIt)[0][-2] == "False"


def test_attributes_are_shared_as_with_any_subclass() -> None:
    @runs_on([["replicated", "dispersed"], ["nfs"]])
    class TestIt(Base):
        seen: list[str] = []  # noqa: RUF012
        count = 0

        def test_it(self) -> None:
            TestIt.seen.append(self.volume)
            type(self).count += 1
            TestIt.shared = len(TestIt.seen)  # type: ignore[attr-defined]

    run_all(TestIt)
    one, two = generated_from(TestIt) or []
    assert one.seen is two.seen is TestIt.seen
    assert one.seen == ["replicated", "dispersed"]
    assert (one.count, two.count, TestIt.count) == (1, 1, 0)
    assert one.shared == two.shared == 2
    one.count = 7
    assert (one.count, two.count) == (7, 1)


def test_properties_wrappers_and_special_methods_work() -> None:
    def wrapped(function: Any) -> Any:
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        __slots__ = ("slot",)

        def __init__(self, name: str = "runTest") -> None:
            super().__init__(name)
            self.slot = "slot"

        @property
        def kind(self) -> str:
            return f"{self.volume} on {self.mount}"

        @cached_property
        def lasting(self) -> object:
            return object()

        @wrapped
        def setUp(self) -> None:
            super(self.__class__, self).setUp()
            self.calls.append("wrapped")

        def __str__(self) -> str:
            return f"here {super().__str__()}"

        @unittest.skip("not now")
        def test_skipped(self) -> None:
            self.fail()

        @mock.patch("os.getpid", return_value=7)
        def test_it(self, getpid: mock.Mock) -> None:
            assert (os.getpid(), self.kind, self.slot) == (7, f"replicated on {self.mount}", "slot")
            assert self.lasting is self.lasting
            assert str(self).startswith("here test_it (")

    assert run_all(TestIt) == [["Base.setUpClass", "Base.setUp", "wrapped", "Base.tearDownClass"]] * 2


def test_a_base_class_may_be_abstract_or_have_its_own_metaclass() -> None:
    class Meta(type(ABC)):  # type: ignore[misc]
        def __new__(cls, name: str, bases: Any, namespace: Any) -> Any:
            namespace["made"] = name
            return super().__new__(cls, name, bases, namespace)

    class Abstract(Base, metaclass=Meta):
        made: str

        @abstractmethod
        def work(self) -> str: ...

    class Mixin:
        def work(self) -> str:
            return "work"

    @runs_on([["replicated"], ["nfs"]])
    class TestIt(Mixin, Abstract):
        def work(self) -> str:
            return super().work() + "ed"

        def test_it(self) -> None:
            self.calls.append(self.work() + " " + self.made)

    assert run_all(TestIt)[0][2] == "worked TestIt_cplex_replicated_nfs"


def test_hooks_of_subclasses_are_called_as_for_a_sibling() -> None:
    made: list[str] = []

    class Hooked(Base):
        def __init_subclass__(cls) -> None:
            made.append(cls.__name__)
            super().__init_subclass__()

    @runs_on([["replicated"], ["nfs"]])
    class TestIt(Hooked):
        def __init_subclass__(cls) -> None:
            made.append(f"own {cls.__name__}")
            super().__init_subclass__()

    class TestMore(TestIt):
        pass

    assert made == ["TestIt", "TestIt_cplex_replicated_nfs", "own TestMore", "TestMore"]


def test_a_subclass_of_a_decorated_class_is_an_ordinary_test_class() -> None:
    @runs_on([["replicated"], ["nfs"]])
    class TestIt(Base):
        def setUp(self) -> None:
            super().setUp()
            self.calls.append("TestIt.setUp")

        def test_it(self) -> None:
            self.calls.append(getattr(self, "volume", "no volume"))

    class TestMore(TestIt):
        def setUp(self) -> None:
            super().setUp()
            self.calls.append("TestMore.setUp")

        def test_more(self) -> None:
            super().test_it()

    result = run(TestMore)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])
    setup = ["Base.setUp", "TestIt.setUp", "TestMore.setUp", "no volume"]
    assert TestMore.calls == ["Base.setUpClass", *setup, *setup, "Base.tearDownClass"]
    assert generated_from(TestMore) is None
    assert not TestIt.__test__  # type: ignore[attr-defined]
    assert TestMore.__test__  # type: ignore[attr-defined]


def test_a_decorated_subclass_of_a_decorated_class_has_classes_of_its_own() -> None:
    @runs_on([["replicated"], ["nfs"]])
    class TestIt(Base):
        @classmethod
        def setUpClass(cls) -> None:
            super(cls, cls).setUpClass()
            cls.calls.append("TestIt.setUpClass")

        def setUp(self) -> None:
            super().setUp()
            self.calls.append("TestIt.setUp")

        def test_it(self) -> None:
            self.calls.append(self.volume)

    class Between(TestIt):
        def test_it(self) -> None:
            self.calls.append("Between")
            super().test_it()

    @runs_on([["dispersed"], "ALL"])
    class TestMore(Between):
        def setUp(self) -> None:
            super(self.__class__, self).setUp()
            self.calls.append("TestMore.setUp")

    assert names(TestIt) == ["TestIt_cplex_replicated_nfs"]
    assert names(TestMore) == ["TestMore_cplex_dispersed_nfs", "TestMore_cplex_dispersed_glusterfs"]
    head = ["Base.setUpClass", "TestIt.setUpClass", "Base.setUp", "TestIt.setUp"]
    assert run_all(TestMore) == [[*head, "TestMore.setUp", "Between", "dispersed", "Base.tearDownClass"]] * 2
    assert run_all(TestIt) == [[*head, "replicated", "Base.tearDownClass"]]
    assert unittest.TestLoader().loadTestsFromTestCase(TestMore).countTestCases() == 0


def test_the_template_can_be_asked_but_not_made() -> None:
    @runs_on([["replicated"], ["nfs"]])
    class TestIt(Base):
        """It."""

        def test_it(self) -> None:
            """Do it."""

    assert TestIt.test_it.__doc__ == "Do it."
    assert "def test_it" in inspect.getsource(TestIt.test_it)
    assert TestIt.helper() == "Base.helper"
    assert issubclass(TestIt, unittest.TestCase)
    assert isinstance(TestIt("test_it"), unittest.TestSuite)
    one = (generated_from(TestIt) or [])[0]
    assert isinstance(one("test_it"), TestIt)
    assert one.__doc__ == "It."
    with pytest.raises(ValueError, match="no such test method"):
        one("test_nothing")


def test_a_decorator_above_counts_for_all_classes() -> None:
    @unittest.skip("all of it")
    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        def test_it(self) -> None:
            self.fail()

    for each in generated_from(TestIt) or []:
        assert [reason for _, reason in run(each).skipped] == ["all of it"]


def test_load_tests_puts_the_named_tests_first() -> None:
    class TestIt(Base):
        def test_a(self) -> None: ...
        def test_b(self) -> None: ...
        def test_c(self) -> None: ...

    suite = load_tests(TestIt, unittest.TestLoader(), ["test_c", "test_b"])
    assert [test.id().rpartition(".")[2] for test in flat(suite)] == ["test_c", "test_b", "test_a"]
    with pytest.raises(GlustoError, match="TestIt has no test test_z; it has test_a, test_b, test_c"):
        load_tests(TestIt, unittest.TestLoader(), ["test_z"])


def test_load_tests_of_a_decorated_class_loads_every_generated_one() -> None:
    @runs_on([["replicated"], "ALL"])
    class TestIt(Base):
        def test_a(self) -> None: ...
        def test_b(self) -> None: ...

    suite = load_tests(TestIt, unittest.TestLoader(), ["test_b"])
    found = [(type(test).mount, test.id().rpartition(".")[2]) for test in flat(suite)]  # type: ignore[attr-defined]
    assert found == [("nfs", "test_b"), ("nfs", "test_a"), ("glusterfs", "test_b"), ("glusterfs", "test_a")]


def flat(suite: Any) -> list[unittest.TestCase]:
    return [test for part in suite for test in (flat(part) if isinstance(part, unittest.TestSuite) else [part])]


# Under the loaders of unittest and pytest

SUITE = """
import unittest
from glusto.core import Glusto as g

class runs_on(g.CarteTestClass):
    def __init__(self, value):
        self.axis_names = ["volume_type", "mount_type"]
        self.available_options = [["replicated", "dispersed"], ["glusterfs", "nfs"]]
        self.selections = ["ALL", "ALL"]
        self.limits = value

class Base(unittest.TestCase):
    log = []
    @classmethod
    def setUpClass(cls):
        cls.log.append("base")
    def setUp(self):
        self.log.append("base setUp")

@runs_on([["dispersed", "replicated"], ["glusterfs"]])
class TestFiles(Base):
    @classmethod
    def setUpClass(cls):
        super(cls, cls).setUpClass()
    def setUp(self):
        super().setUp()
    def test_b(self):
        assert self.volume_type in type(self).__name__, self.volume_type
    def test_a(self):
        assert self.mount_type == "glusterfs"

@runs_on(["ALL", ["smb"]])
class TestNothing(Base):
    def test_a(self):
        raise AssertionError

class TestMore(TestFiles):
    def test_c(self):
        pass
"""
PLAIN = """
from glusto.core import Glusto as g
import pytest

class on(g.CarteTestClass):
    def __init__(self, value):
        self.axis_names = ["kind"]
        self.available_options = self.selections = [["a-b", "c"]]
        self.limits = value

class Base:
    def setup_method(self):
        self.ready = True

@pytest.mark.parametrize("number", [1, 2])
@on(["ALL"])
class TestPlain(Base):
    def setup_method(self):
        super().setup_method()
    @pytest.fixture
    def thing(self):
        return self.kind
    def test_it(self, thing, number):
        assert self.ready and thing == self.kind

class TestMore(TestPlain):
    kind = "z"
    def test_more(self, thing, number):
        assert self.ready and thing == "z"
"""
ORDER = """
def load_tests(loader, standard_tests, pattern):
    return g.load_tests(TestFiles, loader, ["test_b"])
"""
IMPORTED = "from test_files import TestFiles\n"
GENERATED = [f"TestFiles_cplex_{volume}_glusterfs" for volume in ("dispersed", "replicated")]
TESTS = [f"test_files.{cls}.{test}" for cls in GENERATED for test in ("test_a", "test_b")]
MORE = [f"test_files.TestMore.{test}" for test in ("test_a", "test_b", "test_c")]


def python(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": PROJECT, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def unittest_ids(directory: Path, *arguments: str) -> list[str]:
    """What `python -m unittest` finds, in its order; all of it has to be run and pass, but for TestMore's."""
    code = textwrap.dedent("""
        import sys, unittest
        def flat(suite):
            return [t for part in suite for t in (flat(part) if isinstance(part, unittest.TestSuite) else [part])]
        class Load(unittest.TestProgram):
            def runTests(self):
                print([test.id() for test in flat(self.test)])
        Load(module=None, argv=["unittest", *sys.argv[1:]])
    """)
    done = python(directory, "-c", code, *arguments)
    assert done.returncode == 0, done.stderr
    found = ast.literal_eval(done.stdout)
    assert isinstance(found, list)
    return found


def pytest_ids(directory: Path, *arguments: str) -> list[str]:
    done = python(directory, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", *arguments)
    return [line.replace(".py::", ".").replace("::", ".") for line in done.stdout.splitlines() if "::" in line]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "test_files.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_unittest_finds_the_generated_classes_and_no_template(suite: Path) -> None:
    assert unittest_ids(suite, "discover") == [*TESTS, *MORE]
    assert unittest_ids(suite, "test_files") == [*TESTS, *MORE]
    assert unittest_ids(suite, "test_files.TestFiles") == []
    assert unittest_ids(suite, "test_files.TestFiles.test_a") == []
    assert unittest_ids(suite, f"test_files.{GENERATED[0]}.test_a") == [TESTS[0]]


def test_pytest_finds_the_generated_classes_and_no_template(suite: Path) -> None:
    assert sorted(pytest_ids(suite)) == sorted([*TESTS, *MORE])
    assert pytest_ids(suite) == pytest_ids(suite)


def test_both_run_them(suite: Path) -> None:
    done = python(suite, "-m", "unittest", "-v", *(f"test_files.{name}" for name in GENERATED))
    assert (done.returncode, "Ran 4 tests" in done.stderr) == (0, True), done.stderr
    assert "UserWarning: TestNothing has no tests" in done.stderr
    done = python(suite, "-m", "pytest", "-p", "no:cacheprovider", "-k", "cplex")
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout
    assert "UserWarning: TestNothing has no tests" in done.stdout


def test_pytest_xdist_runs_them(suite: Path) -> None:
    pytest.importorskip("xdist")
    done = python(suite, "-m", "pytest", "-p", "no:cacheprovider", "-n2", "-k", "cplex")
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout


def test_a_template_that_is_imported_elsewhere_is_not_run_there(suite: Path) -> None:
    (suite / "test_elsewhere.py").write_text(IMPORTED)
    assert unittest_ids(suite, "test_elsewhere") == []
    assert pytest_ids(suite, "test_elsewhere.py") == []


def test_the_load_tests_of_the_module_counts(suite: Path) -> None:
    (suite / "test_files.py").write_text(SUITE + ORDER)
    selected = reversed(GENERATED)  # while loaders sort by name
    found = [f"test_files.{cls}.{test}" for cls in selected for test in ("test_b", "test_a")]
    assert unittest_ids(suite, "test_files") == found
    assert unittest_ids(suite, "discover") == found


def test_plain_pytest_classes_are_generated_too(suite: Path) -> None:
    (suite / "test_plain.py").write_text(PLAIN)
    found = [f"TestPlain_cplex_{kind}.test_it[{number}]" for kind in ("a-b", "c") for number in (1, 2)]
    found += [f"TestMore.{test}[{number}]" for test in ("test_it", "test_more") for number in (1, 2)]
    assert sorted(pytest_ids(suite, "test_plain.py")) == sorted(f"test_plain.{one}" for one in found)
    done = python(suite, "-m", "pytest", "-p", "no:cacheprovider", "test_plain.py")
    assert (done.returncode, "8 passed" in done.stdout) == (0, True), done.stdout


def test_the_warning_can_be_an_error_if_one_wants() -> None:
    with warnings.catch_warnings(), pytest.raises(UserWarning):
        warnings.simplefilter("error")

        @runs_on([["nothing"], "ALL"])
        class TestIt(Base):
            pass
