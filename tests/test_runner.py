"""`python -m glusto` from end to end, on local hosts: what runs, what is printed and written, how it exits."""

import getpass
import signal
import textwrap
from pathlib import Path

import pytest

from tests.hosts.waiting import until
from tests.running import LOCAL, Project
from tests.traces import processes_below

PASSING = """
    from glusto import TestCase, g

    class TestPlatform(TestCase):
        def test_every_server_runs_python(self):
            for server in self.servers:
                self.assertEqual(g.rpyc_get_connection(server).eval("6 * 7"), 42)
"""


@pytest.fixture
def project(tmp_path: Path, private_tmp: Path) -> Project:
    return Project(tmp_path)


def test_a_passing_run_exits_0_and_writes_a_report_for_each_class(project: Project) -> None:
    project.write("test_it.py", PASSING)
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout
    suite = project.suites()["test_it.TestPlatform"]
    assert suite.attrib["tests"] == "1"
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert properties["hosts"] == "one two"
    assert properties["one.python"].startswith("3.")
    assert properties["one.system"]


def test_failures_and_errors_exit_1_and_are_named_in_the_summary(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import sys
        from glusto import TestCase

        class TestBad(TestCase):
            def test_fails(self): self.fail("too slow")
            def test_breaks(self): raise RuntimeError("broke")
            def test_exits(self): sys.exit(0)
            def test_passes(self): pass
        """,
    )
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 1
    summary = ran.stdout.rpartition("failed:\n")[2]
    for name in ("test_fails", "test_breaks", "test_exits"):
        assert name in summary
    assert "test_passes" not in summary
    assert "1 passed, 1 failed, 2 errors" in summary
    assert {name: [child.tag for child in case] for name, case in project.cases().items()} == {
        "TestBad.test_fails": ["failure"],
        "TestBad.test_breaks": ["error"],
        "TestBad.test_exits": ["error"],
        "TestBad.test_passes": [],
    }


def test_the_slowest_tests_are_named(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestSlow(TestCase):
            def test_slow(self): g.run(self.servers[0], "sleep 0.3")
        """,
    )
    assert "test_slow" in project.run("-c", "lab.yml").stdout.partition("slowest:")[2]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("servers: [one\n", "lab.yml:2"),
        ("ssh: {usr: root}\n", "lab.yml:1:7: ssh.usr"),
        ("servers: {one: {adress: 10.0.0.1}}\n", "address"),
    ],
)
def test_a_config_mistake_exits_2_with_file_line_and_key(tmp_path: Path, config: str, said: str) -> None:
    ran = Project(tmp_path, config).run("-c", "lab.yml")
    assert ran.returncode == 2
    assert said in ran.stdout
    assert "Traceback" not in ran.stdout


def test_a_missing_config_exits_2(project: Project) -> None:
    ran = project.run("-c", "nowhere.yml")
    assert ran.returncode == 2
    assert "nowhere.yml: no such file" in ran.stdout


def test_usage_errors_exit_2(project: Project) -> None:
    assert project.run("--no-such-option").returncode == 2
    ran = project.run("-c", "lab.yml", "--nosetests", "x")
    assert ran.returncode == 2
    assert "--pytest" in ran.stdout


def test_a_class_without_any_config_exits_2_and_says_how_to_give_one(project: Project) -> None:
    project.write("test_it.py", PASSING)
    ran = project.run("test_it")
    assert ran.returncode == 2
    assert "GLUSTO_CONFIG" in ran.stdout


def test_no_test_found_exits_5_and_says_where_it_was_looked_for(project: Project) -> None:
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 5
    assert f"no test was found in test*.py below {project.directory}\n" in ran.stdout
    assert "passed" not in ran.stdout
    project.write("test_it.py", PASSING)
    ran = project.run("-c", "lab.yml", "-k", "nothing", "test_it")
    assert ran.returncode == 5
    assert "no test was found whose name matches `nothing` (-k), in test_it\n" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["test_itt"], "there is no module, file or directory test_itt; did you mean `test_it`?"),
        (["test_it.TestPlatfrom"], "test_it has no TestPlatfrom; did you mean `test_it.TestPlatform`?"),
        (["test_itt.py"], "there is no test_itt.py; did you mean `test_it.py`?"),
        (["test_it.TestCase.assertEqual", "test_it.nobody"], "test_it has no nobody"),
        (["test_it.print_it"], "test_it.print_it: calling <function print_it"),
        (["-d", "nowhere"], "there is no directory nowhere"),
        (["--set", "unittest.load_tests_from_name=test_itt"], "the config's unittest: there is no module, file"),
        (["--set", "unittest.load_tests_from_module.module_name=a"], "the config's unittest: there is no module, file"),
        (["--set", "unittest.discover_tests.start_dir=nowhere"], "the config's unittest: there is no directory"),
    ],
)
def test_a_name_that_leads_to_no_test_exits_2_and_is_told(project: Project, arguments: list[str], said: str) -> None:
    project.write("test_it.py", f"def print_it(): pass\n{textwrap.dedent(PASSING)}")
    ran = project.run("-c", "lab.yml", *arguments)
    assert ran.returncode == 2, ran.stdout
    assert ran.stdout.startswith(f"glusto: {said}")
    assert "Traceback" not in ran.stdout
    assert project.suites() == {}


@pytest.mark.parametrize(
    ("text", "said"), [("import no_such_module\n", "no_such_module"), ("1 / 0\n", "1 / 0"), ("def (\n", "def (")]
)
@pytest.mark.parametrize("name", ["test_it", "test_it.TestIt", "test_it.py"])
def test_a_named_module_that_can_not_be_imported_exits_1_with_its_traceback(
    project: Project, name: str, text: str, said: str
) -> None:
    project.write("test_it.py", text)
    ran = project.run("-c", "lab.yml", name)
    assert ran.returncode == 1
    assert said in ran.stdout and "test_it.py" in ran.stdout
    assert "0 passed, 1 error in" in ran.stdout
    assert any(case.find("error") is not None for case in project.cases().values())


def test_a_test_module_that_can_not_be_imported_exits_1(project: Project) -> None:
    project.write("test_it.py", "import no_such_module\n")
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 1
    assert "no_such_module" in ran.stdout
    assert any(case.find("error") is not None for case in project.cases().values())


def test_hosts_that_can_not_be_provisioned_exit_3(tmp_path: Path, private_tmp: Path) -> None:
    project = Project(tmp_path, "servers: {gone: {address: 127.0.0.1, port: 1}}\n")
    project.write("test_it.py", PASSING)
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 3
    assert "root@gone: nothing listens on port 1" in ran.stdout
    assert project.cases()["TestPlatform.setUpClass"].find("error") is not None


def test_residue_exits_3_and_is_an_error_of_its_class(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestStray(TestCase):
            def test_leaves_a_process(self):
                conn = g.rpyc_get_connection("one")
                conn.modules.subprocess.Popen(["sleep", "1001"], start_new_session=True)
        """,
    )
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 3, ran.stdout
    error = project.cases()["TestStray.tearDownClass"].find("error")
    assert error is not None
    assert "one: process" in str(error.text)
    assert "sleep 1001" in str(error.text)


def test_a_class_is_cleaned_whatever_it_does_in_its_fixtures(project: Project, private_tmp: Path) -> None:
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestA(TestCase):
            @classmethod
            def setUpClass(cls):
                super().setUpClass()
                raise RuntimeError("own setup")
            def test_a(self): pass

        class TestB(TestCase):
            @classmethod
            def tearDownClass(cls): raise RuntimeError("own teardown, without super()")
            def test_b(self): assert g.rpyc_list_connections() == ["%s@one:1", "%s@two:1"]

        class TestC(TestCase):
            servers = ["one"]
            def test_c(self): assert g.rpyc_list_deployed_servers() == ["%s@one"]
        """.replace("%s", getpass.getuser()),
    )
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 1, ran.stdout
    cases = project.cases()
    assert cases["TestA.setUpClass"].find("error") is not None
    assert cases["TestB.tearDownClass"].find("error") is not None
    assert cases["TestC.test_c"].find("failure") is None
    assert cases["TestC.test_c"].find("error") is None
    assert processes_below(private_tmp) == []


def test_what_remote_code_prints_is_with_the_test_that_caused_it(project: Project) -> None:
    project.write(
        "test_it.py",
        r"""
        import sys
        from glusto import TestCase, g

        class TestPrints(TestCase):
            def test_a(self): g.rpyc_get_connection("one").execute("print('from a')")
            def test_b(self): g.rpyc_get_connection("two").execute("import os; os.system('echo from b >&2')")
            def test_c(self):
                conn = g.rpyc_get_connection("one", instance=2)
                conn.modules.sys.stdout = sys.stdout
                conn.execute("print('from c')")
        """,
    )
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 0, ran.stdout
    outputs = {name: str(case.findtext("system-out")) for name, case in project.cases().items()}
    assert "@one: from a" in outputs["TestPrints.test_a"]
    assert "@two: from b" in outputs["TestPrints.test_b"]
    assert outputs["TestPrints.test_c"] == "from c\n"


def test_the_xml_says_where_a_test_is_written(project: Project) -> None:
    text = """
        import unittest

        class TestOne(unittest.TestCase):
            def test_a(self): pass
            def test_b(self): self.fail("no")

        class TestTwo(unittest.TestCase):
            @classmethod
            def setUpClass(cls): raise OSError("not today")
            def test_c(self): pass
    """
    project.write("test_it.py", text)
    assert project.run("-c", "lab.yml").returncode == 1
    lines = (project.directory / "test_it.py").read_text().splitlines()
    where = {name: (case.get("file"), case.get("line")) for name, case in project.cases().items()}
    for name, first in (("TestOne.test_a", "def test_a"), ("TestOne.test_b", "def test_b")):
        number = next(number for number, line in enumerate(lines, 1) if first in line)
        assert where[name] == ("test_it.py", str(number))
    assert where["TestTwo.setUpClass"] == (None, None)


def test_any_output_gives_xml_that_parses(project: Project) -> None:
    project.write(
        "test_it.py",
        r"""
        import unittest
        from glusto import TestCase, g

        class TestOutput(TestCase):
            def test_control(self): print("\x1b[31mred\x1b[0m \x00\x01 ]]> \ud800 \ufffe & <")
            def test_message(self): self.fail("\x00 \x1b[1m ]]> \udfff --")
            def test_doc(self):
                "A docstring -- with dashes -"
            @unittest.skip("\x02 why")
            def test_skip(self): pass
            def test_sub(self):
                for value in ("\x03", "]]>", "a\nb"):
                    with self.subTest(value=value): pass
            def test_big(self):
                print("x" * 20_000_000)
                g.rpyc_get_connection("one").execute("print('y' * 20_000_000)")
        """,
    )
    ran = project.run("-c", "lab.yml")
    assert ran.returncode == 1, ran.stdout[-2000:]
    cases = project.cases()
    assert "red" in str(cases["TestOutput.test_control"].findtext("system-out"))
    assert str(cases["TestOutput.test_big"].findtext("system-out")).count("x") == 20_000_000
    assert str(cases["TestOutput.test_big"].findtext("system-out")).count("y") == 20_000_000


def test_sub_tests_are_all_reported_and_counted(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from glusto import TestCase

        class TestSubs(TestCase):
            def test_subs(self):
                for server in range(3):
                    with self.subTest(server=server):
                        self.assertNotEqual(server, 1)
        """,
    )
    assert project.run("-c", "lab.yml").returncode == 1
    suite = project.suites()["test_it.TestSubs"]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_cleans_reports_and_exits_130(project: Project, private_tmp: Path, number: signal.Signals) -> None:
    project.write(
        "test_it.py",
        """
        import pathlib
        from glusto import TestCase, g

        class TestLong(TestCase):
            @classmethod
            def tearDownClass(cls):
                g.rpyc_get_connection("one").eval("1 + 1")  # the call that was interrupted is in nobody's way
                pathlib.Path("torn-down").touch()
            def test_a(self): pass
            def test_b(self):
                pathlib.Path("running").touch()
                g.rpyc_get_connection("one").modules.time.sleep(1000)
        """,
    )
    with project.start("-c", "lab.yml") as process:
        until((project.directory / "running").exists, 20, "the test runs")
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "interrupted" in output
    assert (project.directory / "torn-down").exists()
    cases = project.cases()
    assert not list(cases["TestLong.test_a"])
    assert cases["TestLong.test_b"].find("error") is not None
    assert processes_below(private_tmp) == []
    assert list(private_tmp.iterdir()) == []


def test_the_report_of_a_finished_class_survives_sigkill_of_the_runner(project: Project, private_tmp: Path) -> None:
    project.write(
        "test_it.py",
        """
        import os, signal
        from glusto import TestCase

        class TestA(TestCase):
            def test_a(self): pass

        class TestB(TestCase):
            def test_b(self): os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert project.run("-c", "lab.yml").returncode == -signal.SIGKILL
    assert list(project.cases()) == ["TestA.test_a"]
    until(lambda: processes_below(private_tmp) == [] and list(private_tmp.iterdir()) == [], 5, "all is clean")


def test_two_runs_share_a_report_directory(project: Project) -> None:
    project.write("test_it.py", PASSING)
    with project.start("-c", "lab.yml") as one, project.start("-c", "lab.yml") as two:
        assert [one.wait(60), two.wait(60)] == [0, 0]
    assert len(list(project.reports.glob("TEST-*.xml"))) == 2


def test_tests_are_named_by_module_class_method_file_and_directory(project: Project) -> None:
    project.write("test_it.py", PASSING)
    (project.directory / "more").mkdir()
    project.write("more/test_more.py", PASSING.replace("TestPlatform", "TestMore"))
    for name in ("test_it", "test_it.TestPlatform", "test_it.TestPlatform.test_every_server_runs_python", "test_it.py"):
        ran = project.run("-c", "lab.yml", name)
        assert "1 passed" in ran.stdout, ran.stdout
    assert "TestMore" in project.run("-c", "lab.yml", "more").stdout
    assert "TestMore" in project.run("-c", "lab.yml", "-d", "more").stdout
    assert project.run("-c", "lab.yml", "-k", "nothing_like_it").returncode == 5


def test_the_unittest_section_says_what_runs(tmp_path: Path, private_tmp: Path) -> None:
    section = "unittest: {discover_tests: {start_dir: inner, pattern: 'check_*.py'}, test_method_prefix: check}\n"
    project = Project(tmp_path, LOCAL + section + "reports: {dir: out}\n")
    (tmp_path / "inner").mkdir()
    project.write("inner/check_it.py", PASSING.replace("def test_", "def check_"))
    ran = project.run("-c", "lab.yml")
    assert "1 passed" in ran.stdout, ran.stdout
    assert list((tmp_path / "out").glob("TEST-*.xml"))


def test_output_junit_false_writes_no_xml(tmp_path: Path, private_tmp: Path) -> None:
    project = Project(tmp_path, LOCAL + "unittest: {output_junit: false}\n")
    project.write("test_it.py", PASSING)
    assert project.run("-c", "lab.yml").returncode == 0
    assert project.suites() == {}


def test_configs_are_repeated_or_several_in_one_word_and_later_ones_win(project: Project) -> None:
    project.write("test_it.py", PASSING)
    project.write("more.yml", "reports: {dir: elsewhere}\n")
    for arguments in (["-c", "lab.yml", "-c", "more.yml"], ["-c", "lab.yml more.yml"]):
        assert project.run(*arguments).returncode == 0
    assert len(list((project.directory / "elsewhere").glob("TEST-*.xml"))) == 2


@pytest.mark.parametrize("module", ["unittest", "pytest"])
def test_other_runners_take_the_config_from_the_environment(project: Project, private_tmp: Path, module: str) -> None:
    project.write("test_it.py", PASSING)
    ran = project.run("test_it.py" if module == "pytest" else "test_it", module=module, GLUSTO_CONFIG="lab.yml")
    assert ran.returncode == 0, ran.stdout
    assert processes_below(private_tmp) == []


@pytest.mark.parametrize("module", ["unittest", "pytest"])
def test_other_runners_take_the_config_from_the_class(project: Project, private_tmp: Path, module: str) -> None:
    class_line = "TestPlatform(TestCase):"
    project.write("test_it.py", PASSING.replace(class_line, f"{class_line}\n        config = 'lab.yml'"))
    ran = project.run("test_it.py" if module == "pytest" else "test_it", module=module)
    assert ran.returncode == 0, ran.stdout
    assert processes_below(private_tmp) == []


@pytest.mark.parametrize("module", ["unittest", "pytest"])
def test_residue_fails_a_run_of_other_runners(project: Project, module: str) -> None:
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestStray(TestCase):
            def test_leaves_a_process(self):
                g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1002"], start_new_session=True)
        """,
    )
    ran = project.run("test_it.py" if module == "pytest" else "test_it", module=module, GLUSTO_CONFIG="lab.yml")
    assert ran.returncode == 1, ran.stdout
    assert "sleep 1002" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--pytest", "-q test_it.py"], 0),
        (["--unittest", "test_it"], 0),
        (["--unittest", "discover -s . -p 'test_*.py'"], 0),
        (["-u"], 0),
        (["-d", "."], 0),
        (["--pytest", "-q -k nothing_like_it test_it.py"], 5),
        (["--pytest", "--no-such-option"], 2),
    ],
)
def test_old_ways_to_name_tests(project: Project, private_tmp: Path, arguments: list[str], status: int) -> None:
    project.write("test_it.py", PASSING)
    ran = project.run("-c", "lab.yml", *arguments)
    assert ran.returncode == status, ran.stdout
    assert processes_below(private_tmp) == []
    if status == 0:
        assert list(project.reports.glob("TEST-*.xml"))


def test_modules_that_read_the_config_when_imported_find_it(project: Project) -> None:
    project.write("test_it.py", "from glusto import g\nNAMES = list(g.config['servers'])\n" + "\n".join(
        line.removeprefix("    ") for line in PASSING.splitlines()
    ))
    for arguments in (["--pytest", "-q test_it.py"], ["--unittest", "test_it"], ["-u"], ["-d", "."]):
        ran = project.run("-c", "lab.yml", *arguments)
        assert ran.returncode == 0, ran.stdout
