"""Readers: what is read, where it stands, and what is refused."""

from __future__ import annotations

import contextlib
import datetime
import re
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glusto import readers
from glusto.config import dump
from glusto.document import MAX_DEPTH
from glusto.errors import ConfigError
from glusto.readers import decode, parse_ini, parse_json, parse_yaml

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]

LAUGHS = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__, autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs with the C parser and with the pure Python one."""
    monkeypatch.setattr(readers, "_LOADER", request.param)


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "lab.yml")
    return caught.value


def test_scalars_mean_what_safe_load_says() -> None:
    text = """
    text: word
    quoted: "12"
    number: 12
    hexadecimal: 0x1F
    real: 1.5
    on: off
    none: ~
    empty:
    day: 2024-05-06
    moment: 2024-05-06T07:08:09Z
    binary: !!binary aGVsbG8=
    forced: !!str 12
    non-specific: ! 12
    set: !!set {a, b}
    list: !!seq [1]
    block: |
      two
      lines
    """
    text = text.replace("on: off", '"on": off')
    assert parse_yaml(text).data == yaml.safe_load(text)


def test_an_equals_sign_is_text() -> None:
    assert parse_yaml("a: =").data == {"a": "="}


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "--- ~\n"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    assert parse_yaml(text).data == {}


def test_values_and_keys_know_their_line_and_column() -> None:
    place = parse_yaml("# lab\nssh:\n  user: admin\nservers:\n- a\n- {name: b}\n", "lab.yml").place
    user = place.inner["ssh"].inner["user"]
    assert (str(user.key), str(user.position)) == ("lab.yml:3:3", "lab.yml:3:9")
    assert str(place.inner["servers"].inner[1].inner["name"].position) == "lab.yml:6:10"


def test_aliases_and_merge_keys_work() -> None:
    data = parse_yaml("""
    base: &base {port: 22, user: root}
    more: &more {user: admin, python: py3}
    a: *base
    b: {<<: *base, user: george}
    c:
      <<: [*base, *more]
    d: {"<<": plain text}
    """).data
    assert data["a"] == {"port": 22, "user": "root"}
    assert data["b"] == {"port": 22, "user": "george"}
    assert data["c"] == {"port": 22, "user": "root", "python": "py3"}
    assert data["d"] == {"<<": "plain text"}


def test_an_alias_is_a_copy_of_its_own() -> None:
    data = parse_yaml("a: &a {x: [1]}\nb: *a").data
    data["b"]["x"].append(2)
    assert data["a"] == {"x": [1]}


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    error = refused("a: 1\nb:\n  x: 1\n  y: 2\n  x: 3\n")
    assert (error.file, error.line, error.column) == ("lab.yml", 5, 3)
    assert "'x'" in str(error)
    assert "line 3" in str(error)


@pytest.mark.parametrize("tag", [
    "!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!vault x", "!!omap [a: 1]",
    "!!int [1]", "!!map x", "!!seq {}", "!<tag:example.org,2024:x> 1"])
def test_a_tag_that_is_more_than_data_is_refused(tag: str) -> None:
    error = refused(f"a: 1\nb: {tag}")
    assert (error.line, error.column) == (2, 4)


@pytest.mark.parametrize(("text", "line", "says"), [
    ("a: 1\nb: [1,}", 2, "no valid YAML"),
    ("a: b: c", 1, "no valid YAML"),
    ("a: 1\n\tb: 2", 2, "no valid YAML"),
    ("a: *nobody", 1, "nobody"),
    ("a: &a [*a]", 1, "never end"),
    ("a: &a {b: {c: *a}}", 1, "never end"),
    ("- a\n- b", 1, "a config is a mapping"),
    ("just text", 1, "a config is a mapping"),
    ("a: 1\n2: b", 2, '"2"'),
    ("a: 1\nyes: b", 2, "True"),
    ("a: 1\n[b]: c", 2, "can't be a key"),
    ("a: 1\n{b: c}: d", 2, "can't be a key"),
    ("a: 1\n---\nb: 2", 2, "second YAML document"),
    ("a: 1\nb: !!int word", 2, "can't be read as int"),
    ("a: 1\nb: 2024-13-45", 2, "can't be read as timestamp"),
    ("a: !!binary a", 1, "can't be read as binary"),
    ("a: " + "9" * 5000, 1, "can't be read as int"),
    ("a: 1\n<<: 2", 2, "takes a mapping"),
    ("a: &a {}\nb: {<<: *a, c: 1, <<: *a}", 2, "[*a, *b]"),
    ("a: 1\nb: x\0y", 2, "'\\x00'"),
    ("a: 1\nb: \x1b[1m", 2, "'\\x1b'"),
    ("a: \ud800", 1, "can't stand in a config"),
])
def test_a_bad_document_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    error = refused(text)
    assert error.line == line
    assert error.column > 0
    assert error.file == "lab.yml"
    assert says in str(error)


def test_escapes_that_are_no_characters_are_refused() -> None:
    refused(r'a: "\ud800"')
    refused(r'a: "\UFFFFFFFF"')


def test_a_billion_laughs_are_refused_at_once() -> None:
    started = time.monotonic()
    assert "aliases" in str(refused(LAUGHS))
    assert time.monotonic() - started < 5


def test_a_billion_laughs_by_merge_keys_are_refused() -> None:
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 40)]
    assert "aliases" in str(refused("\n".join(lines)))


def test_as_many_aliases_as_a_big_lab_has_are_fine() -> None:
    hosts = "".join(f"  host{n}: {{<<: *base, address: 10.0.0.1}}\n" for n in range(2000))
    data = parse_yaml(f"base: &base {{user: root, port: 22, python: py}}\nservers:\n{hosts}").data
    assert data["servers"]["host1999"] == {"user": "root", "port": 22, "python": "py", "address": "10.0.0.1"}


@pytest.mark.parametrize("text", [
    "a: " + "[" * 100_000,
    "a: " + "{a: " * 10_000,
    "a:\n " + "- " * 10_000,
    "a: " + "[" * 500 + "]" * 500,
    "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300)),
])
def test_deep_nesting_is_refused(text: str) -> None:
    assert re.search("deep|depth", str(refused(text)))


def test_nesting_up_to_the_limit_can_be_read_and_dumped() -> None:
    text = "a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    data = parse_yaml(text).data
    assert parse_yaml(dump(data)).data == data


def test_bytes_that_are_no_utf8_are_refused_with_their_place() -> None:
    with pytest.raises(ConfigError) as caught:
        decode("\ufeffa: 1\nb: ü".encode() + b"\xff", "lab.yml")
    assert (caught.value.line, caught.value.column) == (2, 5)
    assert "0xff" in str(caught.value)


def test_json_is_read_with_positions() -> None:
    found = parse_json('{"a": 1,\n "b": {"c": [true, null]}}', "lab.json")
    assert found.data == {"a": 1, "b": {"c": [True, None]}}
    assert str(found.place.inner["b"].inner["c"].position) == "lab.json:2:13"


@pytest.mark.parametrize(("text", "place"), [
    ('{"a": 1,\n "b": }', (2, 7)), ("", (1, 1)), ("[1]", (1, 1)), ('{"a": 1, "a": 2}', (1, 10)),
    ('{"a": ' + "[" * 200 + "]" * 200 + "}", (1, 107)),
    ('{"a": ' + "9" * 5000 + "}", (1, 7)), ('{"a": "\0"}', (1, 8)),
])
def test_bad_json_is_refused(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_json(text, "lab.json")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("lab.json", *place)


def test_json_that_is_nested_without_end_is_refused_where_it_is_too_deep() -> None:
    with pytest.raises(ConfigError, match=r"lab\.json:1:\d+: "):
        parse_json('{"a": ' + "[" * 100_000, "lab.json")


def test_ini_keeps_case_and_percent_signs_and_names_alone() -> None:
    assert parse_ini("[Web]\nRoot = 100%\nalone\n").data == {"Web": {"Root": "100%", "alone": None}}


@pytest.mark.parametrize(("text", "line"), [
    ("a = 1", 1), ("[s]\na = 1\n[s]\n", 3), ("[s]\na = 1\na = 2", 3), ("[s]\n= 1", 2)])
def test_bad_ini_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_ini(text, "lab.ini")
    assert (caught.value.file, caught.value.line) == ("lab.ini", line)


def test_dates_stay_dates() -> None:
    assert parse_yaml("day: 2024-05-06").data == {"day": datetime.date(2024, 5, 6)}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for parse in readers.PARSERS.values():
        try:
            parse(decode(content), "")
        except ConfigError:
            continue


@given(st.text("ab:-[]{}&*!|>'\"#%@`,? \n<~.0123", max_size=60))
def test_any_text_of_yaml_characters_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_yaml("x: " + text).data, dict)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates()
NESTED: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner), max_leaves=20)


@given(st.dictionaries(st.text(), NESTED))
def test_what_is_dumped_is_loaded_again_the_same(data: dict[str, Any]) -> None:
    assert parse_yaml(dump(data)).data == data


@pytest.mark.parametrize(("section", "name", "value"), [
    ("this = a\nboth = %(this)s and %(this)s", "both", "a and a"),
    ("c = %(b)s\nb = %(a)s\na = 1", "c", "1"),
    ("format = %(levelname)s %(message)s 100%", "format", "%(levelname)s %(message)s 100%"),
    ("a = %(a)s", "a", "%(a)s"),
    ("a = %(b)s\nb = %(a)s", "a", "%(a)s"),
    ("a = \nb = [%(a)s]", "b", "[]"),
])
def test_ini_values_refer_to_others_of_their_section(section: str, name: str, value: str) -> None:
    assert parse_ini(f"[s]\n{section}\n").data["s"][name] == value


def test_a_billion_laughs_of_ini_stay_small() -> None:
    lines = ["a0 = ha", *(f"a{n + 1} = {f'%(a{n})s' * 20}" for n in range(9))]
    section = parse_ini("[s]\n" + "\n".join(lines)).data["s"]
    assert max(len(value) for value in section.values()) <= 20_000


def test_positions_in_json_are_known_where_yaml_means_something_else() -> None:
    document = parse_json('{"a": [1e5,\n Infinity]}', "a.json")
    assert [str(one.position) for one in document.place.inner["a"].inner.values()] == ["a.json:1:8", "a.json:2:2"]
    assert document.place.inner["a"].inner[0].value == 1e5
