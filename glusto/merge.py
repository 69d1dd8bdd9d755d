"""Merging: one value over another, mappings key by key, with the place where each part was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glusto.document import Place, Position


def merged(value: Any, place: Place | None, over: Any, over_place: Place | None) -> tuple[Any, Place | None]:
    """Return what `over` makes of `value`, and its place; neither is changed.

    Two mappings are merged, and so are those in them. In all other cases `over` wins, so that a list replaces a
    list and nothing (`key:`) takes away what was there.

    Args:
        value, over: plain data.
        place, over_place: where they stand; None when a program made them.

    >>> merged({"a": {"x": 1}, "b": [1, 2]}, None, {"a": {"y": 2}, "b": [3]}, None)[0]
    {'a': {'x': 1, 'y': 2}, 'b': [3]}
    """
    if not (isinstance(value, Mapping) and isinstance(over, Mapping)):
        return over, over_place
    data = dict(value)
    inner = dict(place.inner) if place is not None else {}
    for key, item in over.items():
        taken, its_place = item, over_place.inner.get(key) if over_place is not None else None
        if key in value:
            taken, its_place = merged(value[key], inner.get(key), item, its_place)
        data[key] = taken
        inner.pop(key, None)
        if its_place is not None:
            inner[key] = its_place
    top = over_place or place
    if top is None and not inner:
        return data, None
    return data, Place(top.position if top else Position(""), data, top.key if top else None, inner)
