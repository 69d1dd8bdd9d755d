"""Templates: rendered to text, and to files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from glusto.errors import ConfigError, GlustoError
from glusto.templates import render_template


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "hosts.jinja").write_text("{% for host in hosts %}{{ host }} ü\n{% endfor %}<{{ missing }}>\n")
    (tmp_path / "parts" / "outer.jinja").write_text("{% include 'inner.jinja' %} {% include 'hosts.jinja' %}")
    (tmp_path / "parts" / "inner.jinja").write_text("inner")
    return tmp_path


def test_a_template_is_rendered_and_written(here: Path) -> None:
    text = render_template("hosts.jinja", {"hosts": ["<web>", "db"]}, "out.txt")
    assert text == "<web> ü\ndb ü\n<>"
    assert (here / "out.txt").read_text(encoding="utf-8") == text
    assert render_template("hosts.jinja") == "<>"


def test_a_template_is_found_by_path_and_by_searchpath(here: Path) -> None:
    absolute = render_template(here / "parts" / "outer.jinja", {"hosts": ["web"]})
    assert absolute == render_template("parts/outer.jinja", {"hosts": ["web"]}) == "inner web ü\n<>"
    assert render_template("inner.jinja", {}, None, "parts") == "inner"


def test_a_parent_directory_may_be_in_the_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here / "parts")
    assert render_template("../hosts.jinja", {"hosts": ["web"]}) == "web ü\n<>"


def test_a_template_that_is_not_there_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="no template nothing.jinja in . or /"):
        render_template("nothing.jinja")
    with pytest.raises(ConfigError, match="no template hosts.jinja in parts"):
        render_template("hosts.jinja", searchpath="parts")
    (here / "bad.jinja").write_text("{% include 'gone' %}")
    with pytest.raises(ConfigError, match="no template gone"):
        render_template("bad.jinja")


@pytest.mark.parametrize(
    ("template", "line", "says"),
    [
        ("one\n{% for %}", 2, "Expected"),
        ("one\n\n{{ a", 3, "end of"),
        ("{{ missing.deeper }}", 0, "missing"),
    ],
)
def test_a_bad_template_is_refused_with_its_line(here: Path, template: str, line: int, says: str) -> None:
    (here / "bad.jinja").write_text(template)
    with pytest.raises(ConfigError, match=says) as caught:
        render_template("bad.jinja")
    assert (Path(caught.value.file).name, caught.value.line) == ("bad.jinja", line)


def test_what_can_not_be_read_or_written_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        render_template("hosts.jinja", {}, "no/out.txt")
    (here / "bad.jinja").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="can't be rendered"):
        render_template("bad.jinja")


def test_without_jinja_the_error_says_what_to_install(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(GlustoError, match=r"pip install 'glusto\[templates\]'"):
        render_template("hosts.jinja")
