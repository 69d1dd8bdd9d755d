"""Intraconfig: an object's attributes as a config."""

from __future__ import annotations

from pathlib import Path

import pytest

from glusto.config import load_data
from glusto.configurable import Intraconfig
from glusto.errors import ConfigError


class Thing(Intraconfig):
    """Something with attributes."""

    kind = "of the class"

    def __init__(self) -> None:
        self.this = "yada1"
        self.that = ["yada2"]


def test_attributes_are_shown_and_returned_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    Thing().show_config()
    assert capsys.readouterr().out == Thing().get_config() == "this: yada1\nthat:\n- yada2\n"


def test_a_config_becomes_attributes(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("nodes: [a, b]\nthis: other\n")
    thing = Thing()
    thing.load_config(tmp_path / "c.yml")
    thing.update_config({"more": 1})
    assert vars(thing) == {"this": "other", "that": ["yada2"], "nodes": ["a", "b"], "more": 1}


@pytest.mark.parametrize("name", ["c.yml", "c.json"])
def test_attributes_are_stored(tmp_path: Path, name: str) -> None:
    Thing().store_config(str(tmp_path / name))
    assert load_data(tmp_path / name) == {"this": "yada1", "that": ["yada2"]}


def test_ini_is_stored_when_the_attributes_are_sections(tmp_path: Path) -> None:
    thing = Intraconfig()
    thing.update_config({"section": {"Key": "value"}})
    thing.store_config(tmp_path / "conf", "ini")
    again = Intraconfig()
    again.load_config(tmp_path / "conf", "ini")
    assert vars(again) == {"section": {"Key": "value"}}


def test_what_is_no_mapping_of_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("[1, 2]")
    with pytest.raises(ConfigError, match="this is a list"):
        Thing().load_config(tmp_path / "c.yml")
    (tmp_path / "c.yml").write_text("1: 2")
    with pytest.raises(ConfigError, match="1 is not"):
        Thing().load_config(tmp_path / "c.yml")
    thing = Thing()
    with pytest.raises(ConfigError):
        thing.update_config({"this": "changed", 1: 2})  # type: ignore[dict-item]
    assert thing.this == "yada1"
