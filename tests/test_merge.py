"""Merging: one config deeply over another."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glusto.config import Config, parse_yaml
from glusto.merge import merged

TREES = st.recursive(st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner))
MAPPINGS = st.dictionaries(st.sampled_from("abc"), TREES)


def test_mappings_are_merged_and_all_else_is_replaced() -> None:
    config = Config(parse_yaml("ssh: {user: a, options: {A: 1}}\nusers: [x, y]\ngone: 1", "one.yml"))
    config.merge(parse_yaml("ssh: {options: {B: 2}}\nusers: [z]\ngone:", "two.yml"))
    assert config.data == {"ssh": {"user": "a", "options": {"A": 1, "B": 2}}, "users": ["z"], "gone": None}


def test_every_value_keeps_the_place_it_was_written_at() -> None:
    config = Config()
    config.merge(parse_yaml("ssh: {user: a, options: {A: 1}}\nusers: [x, y]", "one.yml"))
    config.merge(parse_yaml("# two\nssh: {options: {B: 2, A: 3}}\nusers: [z]", "two.yml"))
    config.merge({"ssh": {"port": 1}})
    found = {path: str(config.where(path)) for path in (("ssh", "user"), ("ssh", "options", "A"), ("users", 0))}
    assert list(found.values()) == ["one.yml:1:13", "two.yml:2:26", "two.yml:3:9"]
    assert str(config.where(("ssh", "port"))) == str(config.where(("ssh",), key=True))
    assert config.error(("ssh", "user"), "bad").excerpt.startswith("  ssh: {user: a,")


def test_update_stays_shallow() -> None:
    config = Config(parse_yaml("ssh: {user: a}"))
    config.update(parse_yaml("ssh: {port: 1}"))
    assert config.data == {"ssh": {"port": 1}}


def expected(value: Any, over: Any) -> Any:
    if isinstance(value, dict) and isinstance(over, dict):
        return {**value, **{key: expected(value[key], item) if key in value else item for key, item in over.items()}}
    return over


@given(MAPPINGS, MAPPINGS)
def test_any_trees_are_merged_and_neither_is_changed(value: dict[str, Any], over: dict[str, Any]) -> None:
    before = repr((value, over))
    assert merged(value, None, over, None)[0] == expected(value, over)
    assert repr((value, over)) == before
