"""The surface: docs/surface.rst and `g` have the same names, and the same arguments."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from glusto import g

PAGE = (Path(__file__).parents[1] / "docs" / "surface.rst").read_text(encoding="utf-8")
TERMS = re.findall(r"^(``.+``)\n    \S.*\n", PAGE, re.MULTILINE)
ENTRIES = [entry for term in TERMS for entry in re.findall(r"``([^`]+)``", term)]


def public_names() -> list[str]:
    return [name for name in dir(g) if not name.startswith("_")]


def written(name: str) -> str:
    """How the page is to write a name: with the arguments, if it is called."""
    of_class = getattr(type(g), name, None)
    if not callable(of_class) or isinstance(of_class, int):
        return name
    signature = inspect.signature(getattr(g, name))
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)}"


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_the_page_has_is_in_g_with_these_arguments(entry: str) -> None:
    name = entry.partition("(")[0]
    assert name in public_names()
    assert written(name) == entry


@pytest.mark.parametrize("name", public_names())
def test_what_g_has_is_on_the_page_once(name: str) -> None:
    assert [entry.partition("(")[0] for entry in ENTRIES].count(name) == 1


@pytest.mark.parametrize("name", [name for name in public_names() if not name.isupper() and hasattr(type(g), name)])
def test_what_g_has_says_what_it_does(name: str) -> None:
    assert inspect.getdoc(getattr(type(g), name))


def test_every_line_of_the_page_that_looks_like_an_entry_is_one() -> None:
    assert len(TERMS) == len(re.findall(r"^``", PAGE, re.MULTILINE))
