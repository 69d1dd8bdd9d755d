"""Events: what a run tells as it happens, and its file."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from glusto.events import Event, Events, EventsFile
from glusto.harness import Harness
from tests.hosts import TestHost
from tests.hosts.waiting import until
from tests.running import LOCAL, Project


@pytest.fixture
def project(tmp_path: Path, private_tmp: Path) -> Project:
    return Project(tmp_path, LOCAL + "db: {password: hunter22}\n")


def read(project: Project) -> list[Event]:
    (name,) = project.reports.glob("events-*.jsonl")
    return [json.loads(line) for line in name.read_text().splitlines()]


def of_kind(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["kind"] == kind]


def test_nothing_is_told_when_nobody_listens() -> None:
    events = Events()
    events.record("x")
    events.command("h", "true")((0, "", ""))
    assert not events.on
    assert events.calls("root@h:1") is None


def test_texts_are_masked_and_cut_however_deep() -> None:
    told: list[Event] = []
    events = Events()
    events.begin({"token": "s3cret"})
    events.listen(told.append)
    events.record("x", text="s3cret " * 10_000, nested={"list": ["s3cret", None, 1.23456789], "none": None}, none=None)
    assert "s3cret" not in json.dumps(told)
    assert len(told[0]["text"]) < 10_000
    assert told[0]["nested"] == {"list": ["***", None, 1.234568]}
    assert set(told[0]) == {"kind", "t", "text", "nested"}


def test_each_event_is_in_the_file_at_once(tmp_path: Path) -> None:
    file = EventsFile(tmp_path / "new" / "events.jsonl")
    file({"kind": "a", "text": "é\ud800\n"})
    assert json.loads((tmp_path / "new" / "events.jsonl").read_text()) == {"kind": "a", "text": "é\ud800\n"}
    file.close()


def test_a_file_that_can_not_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    file = EventsFile(tmp_path / "file" / "events.jsonl")
    file({"kind": "a"})
    file({"kind": "b"})
    assert len(caplog.records) == 1
    assert "events are not written any more" in caplog.text


def test_a_forked_child_tells_nobody(tmp_path: Path) -> None:
    harness = Harness()
    told: list[Event] = []
    harness.events.listen(told.append)
    child = os.fork()
    if child == 0:
        os._exit(int(harness.events.on))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert harness.events.on


def test_a_run_tells_all_that_happens(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import unittest
        from glusto import TestCase, g

        class TestAll(TestCase):
            def test_command(self):
                g.run("one", "echo out; echo err >&2; exit 3")
                g.run_local("echo here")
                g.run("two", "login --password=abc hunter22; seq 100000")
            def test_call(self):
                conn = g.rpyc_get_connection("two")
                conn.modules.os.listdir("/")
                with self.assertRaises(OSError):
                    conn.modules.os.stat("/no/such")
            def test_files(self): g.upload("one", __file__, "copy.py")
            def test_subs(self):
                for n in range(2):
                    with self.subTest(n=n): self.assertEqual(n, 0)
            @unittest.skip("not now")
            def test_skipped(self): pass
        """,
    )
    assert project.run("-c", "lab.yml").returncode == 1
    events = read(project)
    assert [events[0]["kind"], events[-1]["kind"]] == ["run_started", "run_ended"]
    assert events[0]["config"]["db"] == {"password": "***"}
    assert (events[-1]["status"], events[-1]["exit"]) == ("failed", 1)

    connected = {event["host"].partition("@")[2]: event for event in of_kind(events, "host_connected")}
    assert set(connected) == {"one", "two"}
    assert connected["one"]["facts"]["python"].startswith("3.")

    tests = {event["name"].rpartition(".")[2]: event for event in of_kind(events, "test_ended")}
    numbers = {name: event["id"] for name, event in tests.items()}
    assert {name: event["outcome"] for name, event in tests.items()} == {
        "test_command": "passed",
        "test_call": "passed",
        "test_files": "passed",
        "test_subs": "failed",
        "test_skipped": "skipped",
    }
    assert [sub["outcome"] for sub in tests["test_subs"]["subtests"]] == ["passed", "failed"]
    assert tests["test_subs"]["message"] == "AssertionError: 1 != 0"

    started = of_kind(events, "command_started")
    first, local, secret = started
    ended = {event["id"]: event for event in of_kind(events, "command_ended")}
    assert all(event["test"] == numbers["test_command"] for event in started)
    result = ended[first["id"]]
    assert (result["returncode"], result["stdout"], result["stderr"]) == (3, "out\n", "err\n")
    assert local["host"] == "localhost"
    assert secret["command"] == "login --password=*** ***; seq 100000"
    assert ended[secret["id"]]["stdout_size"] == 588_895
    assert len(ended[secret["id"]]["stdout"]) < 10_000

    calls = {event["what"]: event for event in of_kind(events, "rpyc")}
    assert calls["os.listdir('/')"]["test"] == numbers["test_call"]
    assert calls["os.listdir('/')"]["seconds"] > 0
    assert calls["os.stat('/no/such')"]["error"] == "FileNotFoundError"
    assert [event["direction"] for event in of_kind(events, "transfer_started")] == ["upload"]
    assert [event["what"] for event in of_kind(events, "cleanup_started")] == ["class", "run"]
    assert "hunter22" not in "".join(path.read_text() for path in project.reports.glob("events-*"))


def test_what_went_wrong_with_hosts_is_told(tmp_path: Path, private_tmp: Path) -> None:
    project = Project(tmp_path, "servers: {one: {connection: local}, gone: {address: 127.0.0.1, port: 1}}\n")
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestGone(TestCase):
            def test_a(self): pass

        class TestStray(TestCase):
            servers = ["one"]
            def test_b(self):
                g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1003"], start_new_session=True)
        """,
    )
    assert project.run("-c", "lab.yml").returncode == 3
    events = read(project)
    (failed,) = of_kind(events, "host_failed")
    assert (failed["host"], failed["reason"]) == ("root@gone", "refused")
    (residue,) = of_kind(events, "residue")
    assert "sleep 1003" in residue["why"]
    assert {event["name"].rpartition(".")[2] for event in of_kind(events, "fixture_ended")} == {
        "setUpClass",
        "tearDownClass",
    }


def test_the_events_of_a_killed_run_say_what_it_hung_on(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        from glusto import TestCase, g

        class TestHang(TestCase):
            def test_hangs(self):
                g.run_async("one", "sleep 1004")
                g.rpyc_get_connection("two").modules.time.sleep(1005)
        """,
    )
    with project.start("-c", "lab.yml") as process:
        until(lambda: _told(project, "rpyc_started"), 20, "the call is told")
        process.send_signal(signal.SIGKILL)
    events = read(project)
    assert of_kind(events, "run_ended") == []
    assert [event["command"] for event in of_kind(events, "command_started")] == ["sleep 1004"]
    assert [event["what"] for event in of_kind(events, "rpyc_started")] == ["time.sleep(1005)"]


def _told(project: Project, kind: str) -> bool:
    return any(kind in path.read_text() for path in project.reports.glob("events-*.jsonl"))


def test_each_of_two_runs_in_one_directory_has_its_own_file(project: Project) -> None:
    project.write("test_it.py", "from glusto import TestCase\nclass TestA(TestCase):\n    def test_a(self): pass\n")
    with project.start("-c", "lab.yml") as one, project.start("-c", "lab.yml") as two:
        assert [one.wait(60), two.wait(60)] == [0, 0]
    names = sorted(path.name for path in project.reports.glob("events-*.jsonl"))
    assert len(names) == 2
    assert (project.reports / "events.jsonl").resolve().name in names
    for name in names:
        lines = (project.reports / name).read_text().splitlines()
        assert [json.loads(line)["kind"] for line in (lines[0], lines[-1])] == ["run_started", "run_ended"]


def test_no_page_means_no_events(project: Project) -> None:
    project.write("test_it.py", "from glusto import TestCase\nclass TestA(TestCase):\n    def test_a(self): pass\n")
    assert project.run("-c", "lab.yml", "--no-page").returncode == 0
    assert list(project.reports.glob("*.jsonl")) == list(project.reports.glob("*.html")) == []


@pytest.mark.live
def test_a_lost_link_and_the_one_in_its_place_are_told(g: Harness, host: TestHost) -> None:
    told: list[dict[str, Any]] = []
    g.events.listen(told.append)
    g.run(host.name, "true", check=True)
    host.reboot()
    until(lambda: g.run(host.name, "true").returncode == 0, 20, "it is connected again")
    kinds = [event["kind"] for event in told if event["kind"].startswith(("host_connected", "link"))]
    assert kinds[0] == "host_connected"
    assert "link_lost" in kinds
    assert kinds[-1] == "host_connected"
