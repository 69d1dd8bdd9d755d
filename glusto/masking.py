"""Masking: texts that go into reports, without the secrets in them, and no longer than a reader reads."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from glusto.plain import mask, plain

HEAD, TAIL = 2000, 6000  # characters of a long text that are kept
SHORTEST = 4  # a secret value shorter than this is too likely to be part of something else
MASKED = "***"
SHORT, REMEMBERED = 200, 1000  # characters; texts, such as the names of hosts and tests, which come again and again

VALUE = r"""\"[^\"]*\"|'[^']*'|[^\s\"',;&|)}\]]+"""
KEYED = re.compile(
    r"(?P<key>(?:passw(?:or)?d|passphrase|secret|token|private[_.-]?key|api[_.-]?key|access[_.-]?key|credential)[\w.-]{0,60}"
    r"(?:(?P<space>\s+)|[\"']?\s*=(?!=)\s*|[\"']?\s*:\s+|[\"']:))"
    rf"(?P<value>{VALUE})",
    re.IGNORECASE,
)
HEADER = re.compile(rf"(authorization[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|token)\s+)?)(?:{VALUE})", re.IGNORECASE)
IN_URL = re.compile(r"(://[^\s/:@]{0,200}:)[^\s/@]{1,200}@")
OPTION = re.compile(r"(?:^|[\s\"'])--?[\w.-]*$")  # what is before the key of `--db-password x`
LOOK_BACK = 80
SIGNS = ("passw", "passphrase", "secret", "token", "key", "credential", "authorization", "://")


class Mask:
    """Hides secrets: what follows `password=`, `--token` and their kin, passwords in URLs, and known values.

    Args:
        config: its values whose keys name secrets are hidden wherever they turn up.

    Example:
        >>> hide = Mask({"db": {"password": "hunter22"}})
        >>> hide("mysql --password=abc -h db; curl https://me:pw@host/ -H 'Authorization: Bearer xyz'")
        "mysql --password=*** -h db; curl https://me:***@host/ -H 'Authorization: Bearer ***'"
        >>> hide("login --api-key k3y; echo hunter22")
        'login --api-key ***; echo ***'
        >>> hide("test_secret.py:31: the token is bad")
        'test_secret.py:31: the token is bad'
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        values = set(secret_values(mask(config), plain(config))) if config else set()
        values |= {line.strip() for value in values for line in value.splitlines()}  # those of a key, for example
        self._known = sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)
        self._hide_again = functools.lru_cache(REMEMBERED)(self._hide)

    def known(self, text: str) -> str:
        """Return the text without the known values; it is quick, however long the text is."""
        for value in self._known:
            text = text.replace(value, MASKED)
        return text

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        return self._hide_again(text) if len(text) < SHORT else self._hide(text)

    def _hide(self, text: str) -> str:
        text = self.known(text)
        lower = text.lower()
        if not any(word in lower for word in SIGNS):  # most texts: events are to cost little
            return text
        text = KEYED.sub(_without_value, text)
        text = IN_URL.sub(rf"\1{MASKED}@", text)
        return HEADER.sub(rf"\1{MASKED}", text)


def _without_value(found: re.Match[str]) -> str:
    if found["space"]:  # `--token x`, and not `the token is bad`
        before = found.string[max(found.start() - LOOK_BACK, 0) : found.start()]
        if OPTION.search(before) is None:
            return found[0]
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['key']}{quote}{MASKED}{quote}"


def secret_values(masked: Any, whole: Any) -> Iterator[str]:
    """Yield the values that the first has masked and the second has not.

    >>> list(secret_values({"a": 1, "token": "***"}, {"a": 1, "token": "abc"}))
    ['abc']
    """
    if isinstance(masked, dict):
        for key, value in masked.items():
            yield from secret_values(value, whole[key])
    elif isinstance(masked, list):
        for one, other in zip(masked, whole, strict=True):
            yield from secret_values(one, other)
    elif masked == MASKED:
        yield from _texts(whole)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    elif value is not None:
        yield str(value)


def cut(text: str) -> str:
    r"""Return a text, or its beginning and its end when it is long; cut between lines if there are lines.

    >>> cut("short\n")
    'short\n'
    >>> len(cut("x" * 1_000_000)) < 10_000
    True
    """
    if len(text) <= HEAD + TAIL:
        return text
    head, tail = text[:HEAD], text[-TAIL:]
    head = head[: head.rfind("\n") + 1] or head
    start = tail.find("\n") + 1
    tail = tail[start:] if start < len(tail) else tail
    left_out = len(text) - len(head) - len(tail)
    return f"{head}{'' if head.endswith(chr(10)) else chr(10)}[… {left_out:,} characters left out …]\n{tail}"
