"""Plain data: anything as dictionaries, lists, text and numbers; as YAML; and with its secrets masked."""

from __future__ import annotations

import datetime
import enum
import re
from collections.abc import Mapping
from typing import Any

import yaml

from glusto.document import MAX_DEPTH
from glusto.errors import ConfigError

_SECRET = re.compile(r"passw(or)?d|passphrase|secret|token|privatekey|apikey|accesskey|credential")
_MASK = "***"


def dump(obj: object) -> str:
    """YAML text for anything: no aliases, no tags, keys in the order they have.

    >>> print(dump({"users": ("root", "george"), "ssh": {"user": "root"}}), end="")
    users:
    - root
    - george
    ssh:
      user: root
    """
    return str(yaml.dump(plain(obj), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000))


def mask(obj: object) -> Any:
    """A plain copy in which the value of every key that names a secret is `***`.

    >>> mask({"user": "root", "db": {"DB-Password": "x", "keyfile": "~/.ssh/id"}})
    {'user': 'root', 'db': {'DB-Password': '***', 'keyfile': '~/.ssh/id'}}
    """
    return _masked(plain(obj))


def plain(obj: object, _around: tuple[int, ...] = ()) -> Any:
    """A copy of anything as plain data: dictionaries, lists, text, numbers, dates, true, false, null.

    Raises:
        ConfigError: it holds itself, or is nested too deep.
    """
    if obj is None or isinstance(obj, bool | datetime.date):
        return obj
    if isinstance(obj, enum.Enum):
        return plain(obj.value, _around)
    if isinstance(obj, int | float):
        return int(obj) if isinstance(obj, int) else float(obj)
    if isinstance(obj, bytes | bytearray):
        return obj.decode("utf-8", "backslashreplace")
    if isinstance(obj, str):
        return str(obj).encode("utf-8", "backslashreplace").decode()
    if id(obj) in _around or len(_around) > MAX_DEPTH:
        kind = type(obj).__name__
        raise ConfigError(f"a {kind} holds itself, or is nested more than {MAX_DEPTH} levels deep")
    around = (*_around, id(obj))
    if isinstance(obj, list | tuple):
        return [plain(item, around) for item in obj]
    if isinstance(obj, set | frozenset):
        return sorted((plain(item, around) for item in obj), key=lambda item: (str(type(item)), str(item)))
    fields = obj if isinstance(obj, Mapping) else _attributes(obj)
    if fields is None:
        return plain(str(obj))
    return {_plain_key(key): plain(value, around) for key, value in fields.items()}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


def _attributes(obj: object) -> Mapping[str, Any] | None:
    """What an object holds, unless it has a text of its own that says it better."""
    from types import ModuleType

    if type(obj).__str__ is not object.__str__ or isinstance(obj, type | ModuleType):
        return None
    slots = getattr(obj, "__dataclass_fields__", ())
    return getattr(obj, "__dict__", None) or {name: getattr(obj, name) for name in slots} or None


def _plain_key(key: object) -> Any:
    value = plain(key)
    return str(key) if isinstance(value, dict | list) else value


def _masked(data: Any) -> Any:
    if isinstance(data, list):
        return [_masked(item) for item in data]
    if isinstance(data, dict):
        return {key: _MASK if _is_secret(key, value) else _masked(value) for key, value in data.items()}
    return data


def _is_secret(key: object, value: object) -> bool:
    if value is None or isinstance(value, bool):
        return False
    return _SECRET.search(re.sub(r"[\s_.-]", "", str(key)).lower()) is not None
