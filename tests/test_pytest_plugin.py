"""The pytest plugin as a user drives it: pytest in a process of its own, on local hosts, and on the test hosts."""

import getpass
import importlib.metadata
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import leaving_no_trace
from tests.hosts import Fleet
from tests.hosts.waiting import until
from tests.running import ROOT, Project
from tests.traces import processes_below

pytest_plugins = ["pytester"]

ME = getpass.getuser()
LAB = "{servers: {one: {connection: local}, two: {connection: local}}, clients: {three: {connection: local}}}\n"
ENTRY = any(entry.name == "glusto" for entry in importlib.metadata.entry_points(group="pytest11"))
PLUGIN = () if ENTRY else ("-p", "glusto.pytest_plugin")  # as in a tree that was installed before it had one
WITH_LAB = ("--glusto-config", "lab.yml")
SECONDS = 60

NAMES = f"""
from glusto import g as harness

def open_now():
    return sorted(name.removeprefix("{ME}@") for name in harness.rpyc_get_connections())
"""


class Suite:
    """A directory with a lab.yml and tests, and pytest in it."""

    def __init__(self, pytester: pytest.Pytester, scratch: Path) -> None:
        self.pytester, self.path, self._scratch = pytester, pytester.path, scratch
        self.write("pytest.ini", "[pytest]\n")
        self.write("lab.yml", LAB)
        self.write("names.py", NAMES)

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def test(self, source: str) -> None:
        """Make the test module."""
        self.pytester.makepyfile(test_it=source)

    def run(self, *arguments: str, config: str | None = "lab.yml") -> pytest.RunResult:
        """Run pytest; nothing may be left of that, however it ended."""
        result = self.run_only(*(["--glusto-config", config] if config else []), *arguments)
        assert self.left() == []
        return result

    def run_only(self, *arguments: str) -> pytest.RunResult:
        """Run pytest; what may be left is the caller's to look for."""
        return self.pytester.runpytest_subprocess(*PLUGIN, *arguments, timeout=SECONDS)

    def left(self) -> list[object]:
        """What is left on the local hosts, and here."""
        return [*processes_below(self._scratch), *self._scratch.iterdir()]

    @contextmanager
    def started(self, *arguments: str, running: int = 1) -> Iterator["subprocess.Popen[str]"]:
        """Have pytest running, as the leader of a process group, once so many tests say that they run."""
        project = Project(self.path, (self.path / "lab.yml").read_text())
        with project.start(*PLUGIN, "--basetemp=base", *arguments, module="pytest") as process:
            try:
                until(lambda: len(list(self.path.glob("running*"))) == running, 30, "the tests run")
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def junit(self) -> ElementTree.Element:
        suite = ElementTree.parse(self.path / "junit.xml").getroot().find("testsuite")
        assert suite is not None
        return suite


@pytest.fixture
def suite(pytester: pytest.Pytester, private_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("GLUSTO_CONFIG", raising=False)
    return Suite(pytester, private_tmp)


# Without Glusto


def test_the_entry_point_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"glusto": "glusto.pytest_plugin"}


def test_a_suite_that_does_not_use_glusto_is_not_disturbed(suite: Suite) -> None:
    suite.test(
        """
        import signal, sys
        import pytest

        @pytest.fixture
        def connection(): return "its own"
        @pytest.fixture(scope="module")
        def servers(): return "its own too"

        @pytest.mark.hosts("means something else")
        def test_it(connection, servers, request):
            assert (connection, servers) == ("its own", "its own too")
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
            assert not {"rpyc", "asyncio", "yaml", "glusto.harness", "glusto.pytest_plugin.run"} & set(sys.modules)
            assert not request.config.pluginmanager.has_plugin("glusto run")
        """
    )
    result = suite.run("--strict-markers", "-Werror", config=None)
    result.assert_outcomes(passed=1)


def test_without_a_config_the_fixtures_say_how_to_give_one(suite: Suite) -> None:
    suite.test("def test_it(connection): pass")
    result = suite.run(config=None)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no lab: give a config (--glusto-config lab.yml)*"])


# The config


@pytest.mark.parametrize("way", ["option", "twice", "one word", "environment", "ini"])
def test_the_config_is_loaded_before_anything_is_imported(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    suite.write("more.yml", "volume: big\n")
    suite.write("conftest.py", "from glusto import g\nassert g.config['volume'] == 'big'\n")
    suite.test("from glusto import g\nNAMES = list(g.config['servers'])\ndef test_it(servers): assert servers == NAMES")
    arguments = {
        "option": ["--glusto-config", "all.yml"],
        "twice": ["--glusto-config", "lab.yml", "--glusto-config", "more.yml"],
        "one word": ["--glusto-config", "lab.yml more.yml"],
    }.get(way, [])
    suite.write("all.yml", LAB.replace("{servers", "{volume: big, servers"))
    if way == "environment":
        monkeypatch.setenv("GLUSTO_CONFIG", "lab.yml more.yml")
    if way == "ini":
        (suite.path / "inner").mkdir()
        (suite.path / "conftest.py").rename(suite.path / "inner" / "conftest.py")
        (suite.path / "test_it.py").rename(suite.path / "inner" / "test_it.py")
        suite.write("pytest.ini", "[pytest]\nglusto_config = lab.yml more.yml\n")
        monkeypatch.chdir(suite.path / "inner")
    result = suite.run(*arguments, config=None)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["glusto: servers: one, two; clients: three"])


def test_a_mistake_in_the_config_is_a_usage_error_with_its_place(suite: Suite) -> None:
    suite.write("lab.yml", "servers: [one]\nssh: {usr: root}\n")
    suite.test("def test_it(): pass")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: lab.yml:2:7: ssh.usr*", "*ssh: {usr: root}", "*^^^"])


def test_a_config_that_is_not_there_is_a_usage_error(suite: Suite) -> None:
    result = suite.run(config="nowhere.yml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: nowhere.yml: no such file*"])


def test_a_scope_that_is_none_is_a_usage_error(suite: Suite) -> None:
    result = suite.run("-o", "glusto_scope=tests")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*glusto_scope is one of function, class, module, package, session, not 'tests'"])


# Fixtures


def test_fixtures_give_the_lab(suite: Suite) -> None:
    suite.test(
        f"""
        import glusto
        from names import open_now

        def test_names(g, servers, clients):
            assert g is glusto.g
            assert (servers, clients) == (["one", "two"], ["three"])

        def test_nothing_is_opened_before_it_is_asked_for(servers):
            assert open_now() == []

        def test_a_connection_goes_to_the_first_server(connection):
            assert connection.eval("6 * 7") == 42
            assert connection.name == "{ME}@one:1"

        def test_connections_go_everywhere(connections):
            assert sorted(connections) == ["{ME}@one:1", "{ME}@three:1", "{ME}@two:1"]
        """
    )
    suite.run().assert_outcomes(passed=4)


def test_a_connection_is_parametrised_by_host_user_and_instance(suite: Suite) -> None:
    suite.test(
        f"""
        import pytest

        WANTED = ["two", "{ME}@two", "{ME}@three:2", {{"host": "two", "instance": 3}}, {{"user": "{ME}"}}]

        @pytest.mark.parametrize("connection", WANTED, indirect=True, ids=str)
        def test_it(connection, request):
            expected = ["two:1", "two:1", "three:2", "two:3", "one:1"]
            names = dict(zip(map(str, WANTED), expected))
            assert connection.name == "{ME}@" + names[request.node.callspec.id]
        """
    )
    suite.run().assert_outcomes(passed=5)


def test_the_connection_marker_makes_a_test_for_each_place(suite: Suite) -> None:
    suite.test(
        f"""
        import pytest

        @pytest.mark.connection("servers")
        def test_role(connection): pass
        @pytest.mark.connection("three", "one", user=["{ME}"], instance=[1, 2])
        def test_product(connection): pass
        @pytest.mark.connection(instance=2)
        def test_default(connection): assert connection.name == "{ME}@one:2"

        @pytest.mark.connection("clients")
        class TestOfClass:
            def test_inherits(self, connection): assert connection.name == "{ME}@three:1"
            @pytest.mark.connection("two")
            def test_nearest(self, connection): assert connection.name == "{ME}@two:1"
            def test_without(self): pass
        """
    )
    result = suite.run("-v", "--strict-markers")
    result.assert_outcomes(passed=10)
    me = ME
    ids = {line.split("::", 1)[1].split(" ")[0] for line in result.outlines if "::" in line}
    assert ids == {
        "test_role[one]", "test_role[two]", f"test_product[{me}@three]", f"test_product[{me}@three:2]",
        f"test_product[{me}@one]", f"test_product[{me}@one:2]", "test_default[one:2]",
        "TestOfClass::test_inherits[three]", "TestOfClass::test_nearest[two]", "TestOfClass::test_without",
    }  # fmt: skip


def test_a_connection_marker_with_a_wrong_argument_is_an_error(suite: Suite) -> None:
    suite.test("import pytest\n@pytest.mark.connection('one', usr='x')\ndef test_it(connection): pass")
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["@pytest.mark.connection() got an unexpected keyword argument 'usr'*"])


# Scopes


def test_what_a_fixture_or_a_test_opens_is_closed_at_the_end_of_its_scope(suite: Suite) -> None:
    suite.test(
        """
        import pytest
        from glusto import TestCase
        from names import open_now

        @pytest.fixture(scope="session", autouse=True)
        def of_session(g): return g.rpyc_get_connection("one")
        @pytest.fixture(scope="module")
        def of_module(g): return g.rpyc_get_connection("one", instance=2)
        @pytest.fixture(scope="class")
        def of_class(g): return g.rpyc_get_connection("one", instance=3)
        @pytest.fixture
        def of_function(g): return g.rpyc_get_connection("one", instance=4)

        def test_body(g):
            g.rpyc_get_connection("two")
            assert open_now() == ["one:1", "two:1"]

        def test_function(of_function): assert open_now() == ["one:1", "one:4"]

        class TestOne:
            def test_module(self, of_module): assert open_now() == ["one:1", "one:2"]
            def test_class(self, of_class): assert open_now() == ["one:1", "one:2", "one:3"]
            def test_stays(self, request):
                request.getfixturevalue("of_module")  # asked for within a test: it is the module's all the same
                assert open_now() == ["one:1", "one:2", "one:3"]

        class TestTwo(TestCase):
            servers = ["two"]
            def test_a(self):
                harness = __import__("glusto").g
                harness.rpyc_get_connection("one", instance=5)
                harness.rpyc_get_connection("one")
            def test_b(self): assert open_now() == ["one:1", "one:2", "one:5", "three:1", "two:1"]

        def test_the_others_are_closed(of_session):
            assert open_now() == ["one:1", "one:2"]
            assert of_session.eval("6 * 7") == 42
        """
    )
    suite.pytester.makepyfile(
        test_later="""
        from names import open_now
        def test_the_module_is_over(of_session): assert open_now() == ["one:1"]
        import pytest
        @pytest.fixture(scope="session", autouse=True)
        def of_session(g): return g.rpyc_get_connection("one")
        """
    )
    suite.run().assert_outcomes(passed=9)


def test_a_module_fixture_that_a_test_asks_for_outlives_the_test(suite: Suite) -> None:
    suite.test(
        """
        import pytest
        from names import open_now

        @pytest.fixture(scope="module")
        def volume(g): return g.rpyc_get_connection("one")
        def test_a(g, request):
            g.rpyc_get_connection("one")
            g.rpyc_get_connection("two")
            request.getfixturevalue("volume")
        def test_b(volume):
            assert open_now() == ["one:1"]
            assert volume.eval("6 * 7") == 42
        """
    )
    suite.run().assert_outcomes(passed=2)


def test_commands_are_killed_at_the_end_of_the_scope_that_started_them(suite: Suite) -> None:
    suite.test(
        """
        import pytest

        @pytest.fixture(scope="module")
        def capture(g): return g.run_async("one", "sleep 1000")
        started = []
        def test_a(g, capture): started.append(g.run_async("two", "sleep 1000"))
        def test_b(capture):
            assert started[0].wait(5) != 0
            assert capture.poll() is None
        """
    )
    suite.run().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("scope", "instances"), [("function", [1, 1, 1]), ("class", [1, 2, 1]), ("module", [1, 2, 3])]
)
def test_the_scope_of_the_fixtures_is_an_option(suite: Suite, scope: str, instances: list[int]) -> None:
    suite.test(
        f"""
        from names import open_now

        def count(connection):
            connection.execute("n = globals().get('n', 0) + 1")
            return connection.eval("n")

        class TestOne:
            def test_a(self, connection): assert count(connection) == {instances[0]}
            def test_b(self, connection): assert count(connection) == {instances[1]}
        class TestTwo:
            def test_c(self, connection): assert count(connection) == {instances[2]}
        """
    )
    suite.run("--glusto-scope", scope).assert_outcomes(passed=3)
    suite.run("-o", f"glusto_scope={scope}").assert_outcomes(passed=3)


def test_the_connection_marker_may_give_a_scope(suite: Suite) -> None:
    suite.test(
        """
        import pytest

        @pytest.mark.connection("servers", scope="class")
        class TestOne:
            def test_a(self, connection): connection.execute("left = 1")
            def test_b(self, connection): assert connection.eval("left") == 1
        """
    )
    suite.run().assert_outcomes(passed=4)


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
def test_what_is_left_on_a_host_is_an_error_where_the_scope_ends(suite: Suite, scope: str) -> None:
    suite.test(
        f"""
        import pytest

        @pytest.fixture(scope="{scope}")
        def stray(g):
            g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)

        class TestOne:
            def test_a(self, stray): pass
            def test_b(self): pass
        """
    )
    result = suite.run()
    result.assert_outcomes(passed=2, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    last = "test_a" if scope == "function" else "test_b"
    what = "test" if scope == "function" else scope
    result.stdout.fnmatch_lines(
        [f"*ERROR at teardown of TestOne.{last}*", f"end of the {what}: *", f"  {ME}@one: *was left: sleep 1003"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.fixture
def breaking(suite: Suite) -> Suite:
    """A suite with a host that is gone for good before it can say that it is clean."""
    (suite.path / "python").symlink_to(sys.executable)
    suite.write("lab.yml", f"servers: {{one: {{connection: local, python: {suite.path / 'python'}}}}}\n")
    suite.test(
        f"""
        import os, pathlib, signal
        import pytest

        @pytest.fixture(scope="module")
        def breaks(g):
            yield
            pathlib.Path("python").unlink()
            os.kill(g.facts()["{ME}@one"]["pid"], signal.SIGKILL)
        def test_it(g, breaks): g.run("one", "true")
        """
    )
    return suite


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_host_that_does_not_confirm_that_it_is_clean_is_an_error(breaking: Suite, workers: tuple[str, ...]) -> None:
    result = breaking.run_only(*WITH_LAB, *workers)
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_it*", "end of the run: *", f"  {ME}@one: it can't be confirmed *"]
    )


def test_a_testcase_that_leaves_something_is_an_error(suite: Suite) -> None:
    suite.test(
        """
        from glusto import TestCase, g
        class TestStray(TestCase):
            def test_it(self):
                g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)
        """
    )
    result = suite.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*was left: sleep 1003"])


def test_the_test_s_own_error_is_not_hidden_by_one_of_the_cleanup(suite: Suite) -> None:
    suite.test(
        """
        def test_it(connection):
            connection.modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)
            assert "cause" == "found"
        """
    )
    result = suite.run()
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["*was left: sleep 1003", "E*AssertionError: assert 'cause' == 'found'"])


# Markers


HOSTS = """
import pytest

@pytest.mark.hosts(servers=1)
def test_fewer(servers, clients): assert (servers, clients) == (["one"], ["three"])
@pytest.mark.hosts(servers=2, clients=1)
def test_all(servers, clients): assert (servers, clients) == (["one", "two"], ["three"])
@pytest.mark.hosts(servers=3)
def test_more(servers): assert False
@pytest.mark.hosts(storage=1)
def test_no_such_role(): assert False

@pytest.mark.hosts(servers=1, clients=0)
class TestOfClass:
    def test_inherits(self, servers, clients): assert (servers, clients) == (["one"], [])
    @pytest.mark.hosts(servers=2)
    def test_nearest_counts(self, servers, clients): assert (servers, clients) == (["one", "two"], [])
"""


def test_the_hosts_marker_narrows_and_skips(suite: Suite) -> None:
    suite.test(HOSTS)
    result = suite.run("-ra", "--strict-markers")
    result.assert_outcomes(passed=4, skipped=2)
    result.stdout.fnmatch_lines_random(["*test_it.py*: it needs 3 servers, not 2", "*: it needs 1 storage, not 0"])


def test_strict_makes_missing_hosts_errors(suite: Suite) -> None:
    suite.test(HOSTS)
    result = suite.run("--glusto-strict")
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines_random(["it needs 3 servers, not 2", "it needs 1 storage, not 0"])


def test_a_hosts_marker_that_says_no_numbers_is_an_error(suite: Suite) -> None:
    suite.test("import pytest\n@pytest.mark.hosts(2)\ndef test_it(servers): pass")
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["@pytest.mark.hosts takes numbers by role, as in hosts(servers=2, clients=1)"])


# Reports


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_junit_file_has_the_hosts_and_what_they_printed(suite: Suite, workers: tuple[str, ...]) -> None:
    suite.test(
        """
        import os
        def test_a(g): g.rpyc_get_connection("one").execute("print('from a')")
        def test_b(g): g.rpyc_get_connection("two").execute("import os; os.system('echo from b >&2')"); assert 0
        """
    )
    result = suite.run("--junitxml=junit.xml", *workers)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*Captured stdout on hosts call*", f"{ME}@two: from b"])
    junit = suite.junit()
    properties = {one.attrib["name"]: one.attrib["value"] for one in junit.iter("property")}
    assert properties["hosts"] == "one two"
    assert properties["users"] == ME
    for host in ("one", "two"):
        assert properties[f"{host}.python"].startswith("3.")
        assert properties[f"{host}.system"]
    outputs = {case.attrib["name"]: case.findtext("system-out") or "" for case in junit.iter("testcase")}
    assert f"{ME}@one: from a" in outputs["test_a"]
    assert "from b" not in outputs["test_a"]
    assert f"{ME}@two: from b" in outputs["test_b"]


def test_output_stays_out_of_the_junit_file_when_the_command_line_says_so(suite: Suite) -> None:
    suite.test("def test_a(connection): connection.execute(\"print('from a')\")")
    suite.run("--junitxml=junit.xml", "-o", "junit_logging=no").assert_outcomes(passed=1)
    assert suite.junit().find(".//system-out") is None


def test_errors_are_shown_without_the_inside_of_glusto(suite: Suite) -> None:
    suite.test(
        """
        def test_command(g): g.run("one", "ls /no/such/place", check=True)
        def test_call(connection): connection.modules.os.listdir("/no/such/place")
        """
    )
    result = suite.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([f"E   glusto.errors.CommandFailed: {ME}@one: `ls /no/such/place` ended with 2: *"])
    result.stdout.fnmatch_lines(["E*FileNotFoundError: * '/no/such/place'"])
    for inner in ("*harness.py:*", "*netref.py:*", "*protocol.py:*"):
        result.stdout.no_fnmatch_line(inner)


# Interrupts

LONG = """
import pathlib
import pytest

@pytest.fixture(scope="module")
def volume(g):
    yield g.rpyc_get_connection("two")
    pathlib.Path("torn-down").touch()

def wait(module):  # a remote one: who shows this frame's arguments asks the host, which is busy
    module.sleep(1000)

@pytest.mark.parametrize("n", [1, 2])
def test_long(g, volume, n):
    connection = g.rpyc_get_connection("one")
    pathlib.Path(f"running{n}").touch()
    wait(connection.modules.time)
"""
DEAF = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"  # to what execnet does after five seconds


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_cleans_and_reports(suite: Suite, number: signal.Signals) -> None:
    suite.test("def test_first(g): g.run('one', 'true')\n" + LONG)
    with suite.started(*WITH_LAB, "--junitxml=junit.xml") as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert ("KeyboardInterrupt" if number == signal.SIGINT else number.name) in output
    assert (suite.path / "torn-down").exists()
    assert "test_first" in [case.get("name") for case in suite.junit().iter("testcase")]
    assert "hosts" in {one.attrib["name"] for one in suite.junit().iter("property")}
    assert suite.left() == []


def test_hosts_that_are_not_clean_after_an_interrupt_are_told_of(suite: Suite) -> None:
    stray = "connection.modules.subprocess.Popen(['sleep', '1003'], start_new_session=True)\n    pathlib"
    suite.test(LONG.replace("    pathlib.Path(f", f"    {stray}.Path(f"))
    with suite.started(*WITH_LAB) as process:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert "hosts are not clean" in output
    assert "was left: sleep 1003" in output
    assert suite.left() == []


def test_hosts_that_are_not_clean_when_a_run_stops_early_fail_it(suite: Suite) -> None:
    suite.test(
        """
        import pytest
        @pytest.fixture(scope="module")
        def stray(g):
            g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)
        def test_a(stray): pytest.exit("enough", returncode=0)
        """
    )
    result = suite.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*hosts are not clean*", "end of the module: *", "*was left: sleep 1003"])


def test_the_handlers_of_before_are_put_back(suite: Suite) -> None:
    suite.write(
        "main.py",
        f"""
import signal, sys, pytest
from glusto import g
signal.signal(signal.SIGTERM, signal.SIG_IGN)
g.config = {{"mine": 1}}
status = pytest.main([*{PLUGIN!r}, "--glusto-config", "lab.yml"])
assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
assert g.config == {{"mine": 1}}
assert not g.rpyc_get_connections()
sys.exit(status)
""",
    )
    suite.test("import signal\ndef test_it(connection): assert callable(signal.getsignal(signal.SIGTERM))")
    result = suite.pytester.runpython(suite.path / "main.py")
    assert result.ret == 0
    assert suite.left() == []


def test_a_suite_with_a_config_of_its_own_is_cleaned_too(suite: Suite) -> None:
    suite.test(
        """
        import pathlib
        from glusto import TestCase, g
        class TestLong(TestCase):
            config = "lab.yml"
            def test_it(self):
                pathlib.Path("running").touch()
                g.rpyc_get_connection("one").modules.time.sleep(1000)
        """
    )
    with suite.started() as process:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert suite.left() == []


# pytest-xdist

SPREAD = """
import os, pathlib
import pytest
from glusto import TestCase, g as harness

@pytest.mark.parametrize("n", range(6))
def test_spread(connections, n):
    assert all(one.eval("6 * 7") == 42 for one in connections.values())

class TestOld(TestCase):
    def test_a(self): assert harness.rpyc_get_connection("one").eval("1") == 1
    def test_b(self): assert harness.rpyc_get_connection("two").eval("1") == 1
"""


def test_every_worker_of_xdist_cleans_up_after_itself(suite: Suite) -> None:
    suite.test(SPREAD)
    suite.run("-n", "2", "--dist", "load").assert_outcomes(passed=8)


def test_what_a_worker_leaves_on_a_host_fails_the_run(suite: Suite) -> None:
    suite.test(
        """
        import pytest
        @pytest.fixture(scope="session")
        def stray(g):
            g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)
        def test_a(stray): pass
        """
    )
    result = suite.run("-n", "2")
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["end of the session: *", "*was left: sleep 1003"])


def test_a_worker_that_crashes_leaves_nothing_and_the_others_go_on(suite: Suite) -> None:
    suite.test(SPREAD + "\ndef test_crash(connections): os._exit(1)\n")
    result = suite.run_only(*WITH_LAB, "-n", "2")
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["worker 'gw*' crashed while running 'test_it.py::test_crash'"])
    until(lambda: suite.left() == [], 10, "nothing is left")


@pytest.mark.parametrize("whom", ["all, as Ctrl-C does", "the controller, as CI does"])
def test_an_interrupt_under_xdist_cleans_in_every_worker(suite: Suite, whom: str) -> None:
    suite.test(LONG if whom.startswith("all") else DEAF + LONG)
    with suite.started(*WITH_LAB, "-n", "2", running=2) as process:
        if whom.startswith("all"):
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert (suite.path / "torn-down").exists()
    until(lambda: suite.left() == [], 10, "nothing is left")


# python -m glusto --pytest


@pytest.mark.parametrize("workers", ["", " -n 2"])
def test_the_runner_gives_its_config_to_the_plugin(suite: Suite, workers: str) -> None:
    project = Project(suite.path, LAB)
    suite.test(SPREAD + "\ndef test_config(g): assert g.config['volume'] == 'big'\n")
    words = " ".join([*PLUGIN, "-ra --basetemp=base test_it.py"]) + workers
    ran = project.run("-c", "lab.yml", "--set", "volume=big", "--pytest", words)
    assert ran.returncode == 0, ran.stdout
    assert "9 passed" in ran.stdout
    assert "warning" not in ran.stdout
    properties = {one.attrib["name"] for path in project.reports.glob("TEST-*.xml")
                  for one in ElementTree.parse(path).iter("property")}  # fmt: skip
    assert "one.python" in properties
    assert suite.left() == []


def test_a_host_that_does_not_confirm_that_it_is_clean_gives_the_runner_its_status_for_that(breaking: Suite) -> None:
    ran = Project(breaking.path, (breaking.path / "lab.yml").read_text()).run(
        "-c", "lab.yml", "--pytest", " ".join([*PLUGIN, "test_it.py"])
    )
    assert ran.returncode == 3, ran.stdout
    assert f"{ME}@one: it can't be confirmed that it is clean" in ran.stdout


def test_an_interrupt_of_the_runner_ends_the_plugin_s_run_too(suite: Suite) -> None:
    suite.test(LONG)
    with Project(suite.path, LAB).start("-c", "lab.yml", "--pytest", " ".join([*PLUGIN, "test_it.py"])) as process:
        until((suite.path / "running1").exists, 30, "the test runs")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert (suite.path / "torn-down").exists()
    assert suite.left() == []


# On the test hosts


@pytest.fixture
def lab(suite: Suite, fleet: Fleet, private_tmp: Path) -> Iterator[Suite]:
    """A suite for the fleet, on which nothing may be left of it."""
    suite.write("lab.yml", yaml.safe_dump(fleet.lab()))
    with leaving_no_trace(fleet, private_tmp):
        yield suite


LIVE = """
import os, pathlib, pytest
from glusto import TestCase, g as harness

@pytest.fixture(scope="module")
def volume(g, request):
    return g.rpyc_get_connection("h2", "alexander")

@pytest.mark.connection("h1", "h2", user=["root", "george", "alexander"], instance=[1, 2])
def test_users(connection, volume, request):
    assert f"{connection.modules.getpass.getuser()}@" in connection.name
    assert connection.modules.socket.gethostname() in connection.name
    assert len([one for one in harness.rpyc_list_connections() if one.startswith("alexander@h2:1")]) == 1

class TestOld(TestCase):
    servers = ["h3"]
    clients = []
    users = ["root", "george"]
    def test_it(self):
        assert {"root@h3:1", "george@h3:1", "alexander@h2:1"} <= set(harness.rpyc_get_connections())

def test_after(volume):
    assert list(harness.rpyc_get_connections()) == ["alexander@h2:1"]
"""


@pytest.mark.live
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_on_hosts_every_scope_is_cleaned(lab: Suite, workers: tuple[str, ...]) -> None:
    lab.test(LIVE if not workers else LIVE.partition("def test_after")[0])
    result = lab.run_only(*WITH_LAB, "--junitxml=junit.xml", *workers)
    result.assert_outcomes(passed=13 if workers else 14)
    properties = {one.attrib["name"]: one.attrib["value"] for one in lab.junit().iter("property")}
    assert properties["hosts"] == "h1 h2 h3"
    assert properties["h2.hostname"] == "h2"


@pytest.mark.live
def test_on_hosts_a_test_s_server_is_gone_when_the_next_test_runs(lab: Suite, fleet: Fleet) -> None:
    lab.test(
        """
        import pytest
        @pytest.fixture(scope="module")
        def volume(g): return g.rpyc_get_connection("h2")
        def deployed(g, host): return int(g.run(host, "pgrep -cf '^deployed-rpyc'").stdout)
        def test_a(g, volume):
            g.rpyc_get_connection("h1")
            assert (deployed(g, "h1"), deployed(g, "h2")) == (1, 1)
        def test_b(g): assert (deployed(g, "h1"), deployed(g, "h2")) == (0, 1)
        """
    )
    result = lab.run_only(*WITH_LAB)
    result.assert_outcomes(passed=2)


@pytest.mark.live
def test_on_hosts_a_crashed_worker_leaves_nothing(lab: Suite) -> None:
    lab.test(LIVE.partition("def test_after")[0] + "\ndef test_crash(connections): os._exit(1)\n")
    result = lab.run_only(*WITH_LAB, "-n", "2")
    result.assert_outcomes(passed=13, failed=1)


@pytest.mark.live
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_on_hosts_ctrl_c_leaves_nothing(lab: Suite, workers: tuple[str, ...]) -> None:
    lab.test(LONG.replace('"one"', '"h1"').replace('"two"', '"h2"'))
    with lab.started(*WITH_LAB, *workers, running=2 if workers else 1) as process:
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    assert (lab.path / "torn-down").exists()
