"""Documents: composing a tree of places. What may stand in one is tested with the readers."""

from __future__ import annotations

import yaml

from glusto.document import Composer, Position


def test_a_position_leaves_out_what_is_not_known() -> None:
    assert str(Position("lab.yml", 2, 3)) == "lab.yml:2:3"
    assert str(Position("lab.ini")) == "lab.ini"


def test_a_parser_of_events_gives_what_the_composer_takes() -> None:
    text = "a: [1, {b: c}]"
    place = Composer(yaml.parse(text, Loader=yaml.SafeLoader), "x").compose()
    assert place is not None
    assert place.value == {"a": [1, {"b": "c"}]}


def test_a_stream_without_a_document_has_none() -> None:
    assert Composer(yaml.parse("# nothing", Loader=yaml.SafeLoader), "x").compose() is None
