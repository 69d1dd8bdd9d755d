"""JUnit files: their names, and what text they can hold."""

from pathlib import Path

from glusto.junit import Reports, clean


def test_classes_with_long_names_have_files_of_their_own(tmp_path: Path) -> None:
    reports = Reports(tmp_path, "run")
    one, two = (reports.path("test_it.Test" + "x" * 200 + end) for end in ("_glusterfs", "_nfs"))
    assert one != two
    assert len(one.name) < 255


def test_text_keeps_all_that_xml_can_hold() -> None:
    assert clean("plain") == "plain"
    assert clean("zwei\nZeilen\tä€") == "zwei\nZeilen\tä€"
    assert clean("\x1b[1;31mred\x1b[0m\x00\x08\udcff\ufffe") == "red"
