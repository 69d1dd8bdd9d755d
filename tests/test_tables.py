"""Tables: CSV read and written."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.errors import ConfigError
from glusto.tables import format_csv, parse_csv

ROWS = [{"A": "z", "B": "y", "C": "x"}, {"A": "1", "B": "two words", "C": 'a "quote", and more'}]
TEXT = st.text(string.printable.replace("\r", "").replace("\x0b", "").replace("\x0c", ""))


def test_a_header_names_the_fields() -> None:
    assert parse_csv(format_csv(ROWS)) == ROWS


def test_without_a_header_rows_are_lists() -> None:
    text = format_csv(ROWS, header=False, delimiter=":")
    assert text.startswith("z:y:x\n")
    assert parse_csv(text, header=False, delimiter=":")[0] == ["z", "y", "x"]


def test_fieldnames_give_order_and_names() -> None:
    assert format_csv(ROWS, fieldnames=["C", "B", "A"]).startswith("C,B,A\nx,y,z\n")
    assert format_csv([["web", 80]], fieldnames=["host", "port"]) == "host,port\nweb,80\n"
    assert parse_csv("web,80\n", header=False, fieldnames=["host", "port"]) == [{"host": "web", "port": "80"}]
    assert parse_csv("a,b\nweb,80\n", fieldnames=["host", "port"]) == [{"host": "web", "port": "80"}]


def test_lists_are_written_as_they_are() -> None:
    assert format_csv([["host", "port"], ["web", 80]]) == "host,port\nweb,80\n"
    assert format_csv([]) == ""
    assert parse_csv("") == []


def test_a_short_line_lacks_fields_and_empty_lines_are_left_out() -> None:
    assert parse_csv("a,b\n\n1\n") == [{"a": "1", "b": None}]
    assert format_csv([{"a": 1}, {"b": None}]) == "a,b\n1,\n,\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a,b\n1,2,3\n", 2, "3 fields, and only 2 have a name"),
        ('a,b\n"1,2\n', 2, "no valid CSV"),
        ("a,a\n1,2\n", 0, "'a' is there twice"),
    ],
)
def test_bad_csv_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse_csv(text, "t.csv")
    assert (caught.value.file, caught.value.line) == ("t.csv", line)


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        ({"a": 1}, {}, "a list of dictionaries or a list of lists"),
        (["ab"], {}, "a list of dictionaries or a list of lists"),
        ([{"a": 1}], {"fieldnames": ["b"]}, "row 1 has a field 'a'"),
        ([{"a": 1}], {"delimiter": "::"}, "one character"),
        ([{"a": 1}], {"delimiter": "\n"}, "one character"),
    ],
)
def test_what_is_no_table_is_refused(rows: Any, more: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        format_csv(rows, **more)


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), max_size=5), st.sampled_from(",;:|\t"))
def test_what_is_written_is_read_again_the_same(rows: list[list[str]], delimiter: str) -> None:
    assert parse_csv(format_csv(rows, delimiter=delimiter), header=False, delimiter=delimiter) == rows
