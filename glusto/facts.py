"""Facts: what agents said of their hosts, as reports have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def properties(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the properties of a test suite for the hosts it ran on.

    Args:
        facts: `user@host` → what its agent said.

    >>> properties({"root@a": {"python": "3.9", "executable": "/bin/python3", "system": "Linux 6", "hostname": "a1"}})
    {'hosts': 'a', 'users': 'root', 'a.python': '3.9 (/bin/python3)', 'a.system': 'Linux 6', 'a.hostname': 'a1'}
    """
    found = {
        "hosts": " ".join(sorted({name.partition("@")[2] for name in facts})),
        "users": " ".join(sorted({name.partition("@")[0] for name in facts})),
    }
    for name, fact in sorted(facts.items()):
        host = name.partition("@")[2]
        found[f"{host}.python"] = f"{fact['python']} ({fact['executable']})"
        found[f"{host}.system"] = str(fact["system"])
        found[f"{host}.hostname"] = str(fact["hostname"])
    return found
