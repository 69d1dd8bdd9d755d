"""The report: a page of its own made of events, of whole runs and of killed ones."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from glusto.report import find_events, page_for, write_page
from glusto.report.model import read_model
from glusto.report.page import embedded, render
from tests import generated
from tests.hosts.waiting import until
from tests.running import Project

PASSING = """
    from glusto import TestCase, g

    class TestA(TestCase):
        def test_a(self): g.run("one", "echo hello")
"""


def write(directory: Path, *events: dict[str, Any], run: str = "1") -> Path:
    path = directory / f"events-{run}.jsonl"
    path.write_text("".join(json.dumps({"t": 0, **event}) + "\n" for event in events))
    return path


def data_of(page: Path) -> Any:
    text = page.read_text().partition('<script type="application/json" id="model">')[2].partition("</script>")[0]
    return json.loads(text)


@pytest.fixture
def project(tmp_path: Path, private_tmp: Path) -> Project:
    project = Project(tmp_path)
    project.write("test_it.py", PASSING)
    return project


def test_a_run_writes_one_page_and_says_where(project: Project) -> None:
    ran = project.run("-c", "lab.yml")
    (page,) = project.reports.glob("report-*.html")
    assert f"report: reports/{page.name}\n" in ran.stdout
    assert (project.reports / "report.html").resolve() == page.resolve()
    model = data_of(page)
    assert [test["outcome"] for test in model["tests"]] == ["passed"]
    assert model["commands"][0]["stdout"] == "hello\n"
    assert model["run"]["status"] == "passed"


def test_a_killed_run_has_a_report_too(project: Project) -> None:
    project.write("test_it.py", PASSING + '        def test_b(self): g.run("two", "sleep 1006")\n')

    def hangs() -> bool:
        return any("sleep 1006" in path.read_text() for path in project.reports.glob("events-*"))

    with project.start("-c", "lab.yml") as process:
        until(hangs, 20, "it hangs")
        process.send_signal(signal.SIGKILL)
    made = project.run("report", "reports")
    assert made.returncode == 0
    model = data_of(project.directory / made.stdout.strip())
    assert {test["name"]: test["outcome"] for test in model["tests"]} == {
        "test_it.TestA.test_a": "passed",
        "test_it.TestA.test_b": "unfinished",
    }
    assert model["run"]["killed"]
    assert "seconds" not in model["commands"][-1]


def test_the_newest_run_is_reported_or_the_one_that_is_named_or_all(tmp_path: Path, private_tmp: Path) -> None:
    project = Project(tmp_path)
    project.reports.mkdir()
    for run in ("20300101000000-aa", "20300102000000-aa"):
        write(project.reports, {"kind": "run_started", "run": run}, run=run)
    assert project.run("report").stdout == "reports/report-20300102000000-aa.html\n"
    first = project.run("report", "reports/events-20300101000000-aa.jsonl", "-o", "mine.html")
    assert first.stdout == "mine.html\n"
    assert data_of(tmp_path / "mine.html")["run"]["run"] == "20300101000000-aa"
    assert len(project.run("report", "--all").stdout.splitlines()) == 2


def test_where_there_are_no_events_that_is_said(project: Project) -> None:
    ran = project.run("report", "nowhere")
    assert ran.returncode == 2
    assert "nowhere: no events-<run>.jsonl there" in ran.stdout


def test_a_damaged_line_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, {"kind": "test_started", "id": 1, "name": "T.a", "suite": "T"})
    with path.open("ab") as file:
        file.write(b'[1]\nnull\n{"kind": "test_ended", "id": 1, "outc')
    assert [test["outcome"] for test in read_model(str(path))["tests"]] == ["unfinished"]


def test_events_of_kinds_to_come_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, {"kind": "sparkled"}, {"kind": "run_started", "run": "x"}, {"kind": "told"})
    assert read_model(str(path))["run"]["run"] == "x"


def test_whatever_was_printed_the_page_stays_whole(tmp_path: Path) -> None:
    nasty = "</script><script>alert(1)</script><!-- <script> \u2028 \ud800 {{script}} \\1 &lt; é \x00"
    path = write(
        tmp_path,
        {"kind": "command_started", "id": 1, "host": "root@h", "command": nasty, "test": 0},
        {"kind": "command_ended", "id": 1, "returncode": 0, "seconds": 1, "stdout": nasty},
    )
    page = tmp_path / "report.html"
    write_page(str(path), str(page))
    text = page.read_text()
    assert text.count("</script>") == 2
    assert "<!--" not in text
    assert data_of(page)["commands"][0]["stdout"] == nasty
    assert not set("<>&\u2028").intersection(embedded(nasty))


def test_the_page_loads_nothing_from_anywhere() -> None:
    page = render({})
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page


def test_a_fixture_that_failed_spans_its_class_set_up(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"kind": "class_started", "t": 1.0, "suite": "T"},
        {"kind": "fixture_ended", "t": 3.5, "id": 9, "suite": "T", "name": "T.setUpClass", "outcome": "error"},
        {"kind": "fixture_ended", "t": 4.0, "id": 10, "suite": "T", "name": "T.tearDownClass", "outcome": "error"},
    )
    first, second = read_model(str(path))["tests"]
    assert (first["t"], first["seconds"]) == (1.0, 2.5)
    assert (second["t"], second["seconds"]) == (4.0, 0.0)


def test_a_call_without_an_end_is_kept_once(tmp_path: Path) -> None:
    call = {"host": "root@h", "instance": 1, "what": "f", "test": 0}
    path = write(
        tmp_path,
        {"kind": "rpyc_started", "t": 1.0, **call},
        {"kind": "rpyc_started", "t": 2.0, **call},
        {"kind": "rpyc", "t": 1.0, "seconds": 9.0, **call},
    )
    model = read_model(str(path))
    assert [(call[0], call[1]) for call in model["calls"]] == [(1.0, 9.0), (2.0, None)]
    assert model["seconds"] == 10.0


def test_a_reconnected_host_has_both_attempts_and_its_trouble(tmp_path: Path) -> None:
    host = {"host": "root@h"}
    path = write(
        tmp_path,
        {"kind": "host_connecting", "address": "10.0.0.1", **host},
        {"kind": "host_connected", "t": 1, "seconds": 1, "facts": {"python": "3.6.8"}, **host},
        {"kind": "link_lost", "t": 2, "why": "it was rebooted", **host},
        {"kind": "host_connecting", "t": 3, "address": "10.0.0.1", **host},
        {"kind": "host_failed", "t": 4, "seconds": 1, "why": "refused", **host},
    )
    (found,) = read_model(str(path))["hosts"]
    assert [one.get("error") for one in found["opened"]] == [None, "refused"]
    assert [one["why"] for one in found["troubles"]] == ["it was rebooted"]
    assert found["facts"]["root@h"]["python"] == "3.6.8"


def test_events_are_found_by_run_and_the_link_to_the_newest_is_not_one_of_them(tmp_path: Path) -> None:
    write(tmp_path, run="2")
    write(tmp_path, run="1")
    (tmp_path / "events.jsonl").symlink_to("events-2.jsonl")
    assert [Path(name).name for name in find_events(str(tmp_path))] == ["events-1.jsonl", "events-2.jsonl"]
    assert page_for("events-2.jsonl") == "report-2.html"


def test_a_large_run_is_made_into_a_page_of_bearable_size(tmp_path: Path) -> None:
    path = tmp_path / "events-1.jsonl"
    count = generated.write(path, tests=1000, hosts=20, total=50_000)
    assert count > 49_000
    page = tmp_path / "report.html"
    write_page(str(path), str(page))
    assert page.stat().st_size < path.stat().st_size
