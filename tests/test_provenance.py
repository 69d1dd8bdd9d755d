"""Provenance: the merged config, and where each value comes from."""

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from glusto.config import Config, mask, parse_yaml
from glusto.provenance import annotated

SCALARS = st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False) | st.dates()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner))


def test_each_value_has_the_file_and_line_that_won() -> None:
    config = Config()
    config.merge(parse_yaml("servers:\n  web: 10.0.0.1\nssh: {user: a, options: {}}", "one.yml"))
    config.merge(parse_yaml("# two\nssh: {user: b}\ndb: {password: hunter2}", "two.yml"))
    config.assign("users=[root]")
    config.data["made"] = True
    assert annotated(config).splitlines() == [
        "servers:",
        "  web: 10.0.0.1    # one.yml:2",
        "ssh:",
        "  user: b          # two.yml:2",
        "  options: {}      # one.yml:3",
        "db:",
        "  password: '***'  # two.yml:3",
        "users:",
        "  - root           # --set users",
        "made: true         # set by a program",
    ]


def test_an_empty_config_is_an_empty_mapping() -> None:
    assert annotated(Config()) == "{}\n"


@given(st.dictionaries(st.text().map("k{}".format), TREES))
def test_it_is_yaml_of_the_same_data(data: dict[str, Any]) -> None:
    assert yaml.safe_load(annotated(Config(data))) == mask(data)
