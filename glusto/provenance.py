"""Provenance: a config as YAML, with a comment beside each value that says where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from glusto.config import Config, Path, mask

WIDEST = 60  # columns after which comments are no longer aligned
MADE = "set by a program"


def annotated(config: Config) -> str:
    r"""Return a config as YAML text, secrets masked; each value is followed by the file and line it comes from.

    >>> from glusto.config import parse_yaml
    >>> print(annotated(Config(parse_yaml("ssh:\n  user: admin\nusers: [a]", "lab.yml"))), end="")
    ssh:
      user: admin  # lab.yml:2
    users:
      - a          # lab.yml:3
    """
    lines = list(_lines(config, mask(config.data), (), ""))
    if not lines:
        return "{}\n"
    width = max((len(text) for text, path in lines if path is not None and len(text) <= WIDEST), default=0)
    told = (text if path is None else f"{text:<{width}}  # {_origin(config, path)}" for text, path in lines)
    return "".join(f"{line}\n" for line in told)


def _lines(config: Config, value: Any, path: Path, indent: str) -> Iterator[tuple[str, Path | None]]:
    """Each line of a container, and the path of the value that ends on it, if one does."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        start = f"{indent}{_scalar(key)}:" if isinstance(value, dict) else f"{indent}-"
        here = (*path, key)
        if isinstance(item, dict | list) and item:
            yield start, None
            yield from _lines(config, item, here, f"{indent}  ")
        else:
            empty = "{}" if isinstance(item, dict) else "[]"
            yield f"{start} {empty if isinstance(item, dict | list) else _scalar(item)}", here


def _scalar(value: Any) -> str:
    """A scalar on one line, as YAML reads it back."""
    style = '"' if isinstance(value, str) and (not value.isprintable() or len(value) > 500) else None
    text = yaml.safe_dump(value, default_style=style, allow_unicode=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...")


def _origin(config: Config, path: Path) -> str:
    place = config.where(path)
    if place is None:
        return MADE
    return place.file if not place.line or place.file.startswith("--") else f"{place.file}:{place.line}"
