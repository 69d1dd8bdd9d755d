"""Store: objects written to files, and read again."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.config import load_data
from glusto.errors import ConfigError
from glusto.readers import parse_ini
from glusto.store import format_ini, store

CONFIG: dict[str, Any] = {"defaults": {"this": "yada1", "that": "yada2"}, "globals": {"the_other": "yada3"}}


@dataclass
class Volume:
    """An object that is no mapping."""

    name: str = "data"


@pytest.mark.parametrize("name", ["c.yml", "c.yaml", "c.json", "c.ini", "C.YML"])
def test_what_is_stored_is_loaded_again(tmp_path: Path, name: str) -> None:
    store(CONFIG, tmp_path / name)
    assert load_data(tmp_path / name) == CONFIG


@pytest.mark.parametrize("kind", ["yml", "yaml", "json", "ini"])
def test_a_type_is_taken_that_the_name_does_not_say(tmp_path: Path, kind: str) -> None:
    store(CONFIG, str(tmp_path / "noext"), config_type=kind)
    assert load_data(str(tmp_path / "noext"), config_type=kind) == CONFIG


def test_csv_takes_its_own_arguments(tmp_path: Path) -> None:
    rows = [{"A": "z", "B": "y"}, {"A": "a", "B": 3}]
    store(rows, tmp_path / "t.csv")
    assert load_data(tmp_path / "t.csv") == [{"A": "z", "B": "y"}, {"A": "a", "B": "3"}]
    store(rows, tmp_path / "t.csv", header=False, delimiter=":", fieldnames=["B", "A"])
    assert (tmp_path / "t.csv").read_text() == "y:z\n3:a\n"
    assert load_data(tmp_path / "t.csv", header=False, delimiter=":") == [["y", "z"], ["3", "a"]]


def test_anything_is_stored_as_plain_data(tmp_path: Path) -> None:
    shared = ["root"]
    obj = {"volume": Volume(), "a": shared, "b": shared, "ordered": OrderedDict(z=1, a=2)}
    for name in ("c.yml", "c.json"):
        store(obj, tmp_path / name)
        assert load_data(tmp_path / name) == {
            "volume": {"name": "data"},
            "a": ["root"],
            "b": ["root"],
            "ordered": {"z": 1, "a": 2},
        }
    assert "&" not in (tmp_path / "c.yml").read_text()


def test_a_list_at_the_top_is_stored_and_loaded(tmp_path: Path) -> None:
    for name in ("c.yml", "c.json"):
        store([1, {"a": "ü"}], tmp_path / name)
        assert load_data(tmp_path / name) == [1, {"a": "ü"}]


def test_ini_keeps_case_and_order() -> None:
    text = format_ini({"mixed": {"mixed_CASE": "Value"}, "first": {"a": True, "b": None}}, order=["first"])
    assert text == "[first]\na = True\nb\n\n[mixed]\nmixed_CASE = Value\n\n"
    assert "mixed_case = Value" in format_ini({"m": {"mixed_CASE": "Value"}}, allow_mixed_case=False)


def test_ini_takes_a_list_of_names_without_values() -> None:
    assert parse_ini(format_ini({"flags": ["this", "that"]})).data == {"flags": {"this": "", "that": ""}}


def test_ini_keeps_references_as_they_are() -> None:
    text = format_ini({"s": {"this": "a", "both": "%(this)s and 100%"}})
    assert parse_ini(text).data == {"s": {"this": "a", "both": "a and 100%"}}


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        (["a"], "section → dictionary or list"),
        ({"s": 1}, "'s' is a dictionary or a list"),
        ({"s": {"a": [1]}}, "no place for a list in s.a"),
        ({"s": {"a=b": "c"}}, "would be read as something else"),
        ({"s": {"#a": "c"}}, "would be read as something else"),
        ({"s": {"a": " spaces "}}, "would be read as something else"),
        ({"DEFAULT": {"a": "1"}}, "would be read as something else"),
        ({"s": {"a": "\0"}}, "can't be written as INI"),
    ],
)
def test_what_ini_can_not_hold_is_refused(obj: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        format_ini(obj)


def test_an_order_names_sections_that_are_there() -> None:
    with pytest.raises(ConfigError, match="'gone'"):
        format_ini(CONFIG, order=["gone"])


@given(st.dictionaries(st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.none(), st.integers()))))
def test_any_ini_is_read_again_the_same_or_refused(obj: dict[str, dict[str, Any]]) -> None:
    try:
        text = format_ini(obj)
    except ConfigError:
        return
    expected = {
        section: {name: value if value is None else str(value) for name, value in names.items()}
        for section, names in obj.items()
    }
    assert parse_ini(text, interpolate=False).data == expected


@pytest.mark.parametrize("name", ["c", "c.docx"])
def test_a_type_that_can_not_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="yml, yaml, json, ini, csv"):
        store(CONFIG, tmp_path / name)


def test_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        store(CONFIG, tmp_path / "no" / "c.yml")
    with pytest.raises(ConfigError, match="URL"):
        store(CONFIG, "http://127.0.0.1/c.yml")
    with pytest.raises(ConfigError, match="can't be written"):
        store(CONFIG, "a\0b.yml")


def test_what_can_not_be_written_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "c.ini").write_text("[a]\n")
    with pytest.raises(ConfigError):
        store(["a"], tmp_path / "c.ini")
    assert (tmp_path / "c.ini").read_text() == "[a]\n"


def test_json_is_indented_and_readable(tmp_path: Path) -> None:
    store({"a": ["ü"]}, tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text()) == {"a": ["ü"]}
    assert '    "a": [' in (tmp_path / "c.json").read_text()
