"""The schema: dataclasses filled from mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from glusto.config import Config, parse_yaml
from glusto.errors import ConfigError
from glusto.schema import Before, Range, Spot, build, convert, freeze


@dataclass(frozen=True)
class Inner:
    size: Annotated[int, Range(minimum=1, maximum=9)]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    more: Inner | None = None
    names: tuple[str, ...] = ()
    sizes: Mapping[str, int] | None = None
    colour: Literal["red", "blue"] = "red"
    text: Annotated[str, Before(str)] = ""
    anything: Any = None


def outer(text: str) -> Outer:
    config = Config(parse_yaml(text, "x.yml"))
    return build(Outer, config.data, Spot(config))


def test_a_dataclass_is_filled_with_the_right_types() -> None:
    found = outer("{inner: {size: 1}, more: {size: 2}, names: [a], sizes: {a: 1}, "
                  "colour: blue, text: 5, anything: [1]}")
    assert found == Outer(Inner(1), Inner(2), ("a",), {"a": 1}, "blue", "5", [1])
    assert outer("{inner: {size: 1}, more: }") == Outer(Inner(1))


@pytest.mark.parametrize(("text", "message"), [
    ("more: ", "`inner` is missing; write `inner: …`"),
    ("inner: {size: 10}", "x.yml:1:15: inner.size: 10 is out of range; write a number from 1 to 9"),
    ("inner: 1", "x.yml:1:8: inner: expected a mapping of size; got 1"),
    ("inner: {size: 1, sise: 2}", "x.yml:1:18: inner.sise: unknown key; did you mean `size`?"),
    ("{inner: {size: 1}, sizes: {a: b}}", "x.yml:1:31: sizes.a: expected a whole number; got 'b'"),
    ("{inner: {size: 1}, sizes: {1: 1}}", "x.yml:1:28: sizes[1]: expected text; got 1"),
    ("{inner: {size: 1}, colour: green}", "x.yml:1:28: colour: expected one of red, blue; got 'green'"),
])
def test_what_is_wrong_is_said_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        outer(text)
    assert message in str(caught.value)


def test_a_long_value_is_shown_short() -> None:
    with pytest.raises(ConfigError) as caught:
        convert(int, "x" * 1000, Spot(Config()).at("a"))
    assert len(str(caught.value)) < 150


def test_frozen_data_does_not_follow_its_source() -> None:
    source = {"a": [1, {"b": {2}}]}
    frozen = freeze(source)
    source["a"].append(3)
    assert frozen == {"a": (1, {"b": frozenset({2})})}
    assert isinstance(frozen["a"][1], Mapping)
