"""The JSON Schema of a config, made from the dataclasses that define it: what editors complete and check by."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from glusto.inventory import Host
from glusto.names import check_host_name, check_interpreter, check_path, check_text, check_user_name
from glusto.schema import Before, Range
from glusto.settings import Settings, check_option_name

Schema = dict[str, Any]

TITLE = "A Glusto config"
DIALECT = "http://json-schema.org/draft-07/schema#"  # the one that YAML editors know best
REFERENCE = r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-.*)?\}$"
PATTERNS = {
    check_host_name: r"^[^\s-]\S*$",
    check_user_name: r"^[^\s-]\S*$",
    check_interpreter: "^[^-]",
    check_path: ".",
    check_text: ".",
    check_option_name: "^[A-Za-z]+$",
}
OF_OLD = ("ssh_keyfile", "keyfile")
ROLES = {
    "servers": "The hosts under test: a list of names, or a mapping of names to addresses or to all that is known.",
    "clients": "The hosts that use them; written like servers.",
    "roles": "Any further roles, each written like servers. A host that is described once is just named elsewhere.",
}


def lab_schema() -> Schema:
    """Return the schema of a whole config. Keys at the top that Glusto doesn't know are the tests' own.

    >>> lab_schema()["properties"]["ssh"]["properties"]["connect_timeout"]["description"]
    'seconds until a host counts as unreachable.'
    """
    top = _of_dataclass(Settings)
    role = {"$ref": "#/definitions/role"}
    roles: Schema = {name: {"description": text, "allOf": [role]} for name, text in ROLES.items()}
    roles["roles"] = {
        "description": ROLES["roles"],
        "type": ["object", "null"],
        "additionalProperties": role,
    }
    for name in OF_OLD:
        top["properties"][name]["deprecated"] = True
    return {
        "$schema": DIALECT,
        "title": TITLE,
        "type": "object",
        "properties": roles | top["properties"],
        "definitions": {"role": _role(), "host": _host(named=False), "named_host": _host(named=True)},
    }


def _role() -> Schema:
    address = _of(get_type_hints(Host, include_extras=True)["address"])
    entry = {"anyOf": [address, {"$ref": "#/definitions/host"}, {"type": "null"}]}
    item = {"anyOf": [address, {"$ref": "#/definitions/named_host"}]}
    return {
        "anyOf": [
            {"type": "object", "additionalProperties": entry, "propertyNames": {"pattern": PATTERNS[check_host_name]}},
            {"type": "array", "items": item},
            {"type": "null"},
        ]
    }


def _host(*, named: bool) -> Schema:
    """A host in a mapping, where its name is the key, or one in a list, which has a name or an address."""
    schema = _of_dataclass(Host)
    del schema["required"]
    if named:
        return schema | {"anyOf": [{"required": ["name"]}, {"required": ["address"]}]}
    del schema["properties"]["name"]
    return schema


def _of_dataclass(cls: Any) -> Schema:
    hints, told = get_type_hints(cls, include_extras=True), descriptions(cls)
    properties: Schema = {}
    for each in fields(cls):
        properties[each.name] = {"description": told[each.name], **_of(hints[each.name])}
        if each.default is not MISSING and isinstance(each.default, str | int | float):
            properties[each.name]["default"] = each.default
    required = [each.name for each in fields(cls) if each.default is MISSING and each.default_factory is MISSING]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _of(hint: Any) -> Schema:
    """The schema of a type annotation; the kinds are those of `schema.convert`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _of_annotated(*args)
    if origin in (Union, UnionType):
        return _or_nothing(_of(next(arg for arg in args if arg is not NoneType)))
    if origin is Literal:
        spoken = [True, False] if {"yes", "no"} & set(args) else []  # what YAML 1.1 makes of yes and no
        return {"anyOf": [{"enum": [*args, *spoken]}, _reference()]}
    if origin is tuple:
        return {"type": "array", "items": _of(args[0])}
    if origin is Mapping:
        names = _of(args[0])
        pattern = {"propertyNames": {"pattern": names["pattern"]}} if "pattern" in names else {}
        return {"type": ["object", "null"], "additionalProperties": _of(args[1]), **pattern}
    if is_dataclass(hint):
        return _or_nothing(_of_dataclass(hint))
    kinds = {str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}}
    schema: Schema = kinds.get(hint, {})
    return schema if hint in (str, Any) else {"anyOf": [schema, _reference()]}


def _of_annotated(kind: Any, *steps: Any) -> Schema:
    schema = _of(kind)
    for step in steps:
        if isinstance(step, Range):
            bounds = {"minimum": step.minimum, "maximum": step.maximum, "exclusiveMinimum": step.above}
            schema["anyOf"][0] |= {name: bound for name, bound in bounds.items() if bound is not None}
        elif isinstance(step, Before):
            schema["type"] = ["string", "number", "boolean"]
        elif step in PATTERNS:
            schema["pattern"] = PATTERNS[step]
    return schema


def _or_nothing(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is not None:
        return schema | {"type": [*dict.fromkeys([*([kind] if isinstance(kind, str) else kind), "null"])]}
    return {"anyOf": [*schema["anyOf"], {"type": "null"}]}


def _reference() -> Schema:
    return {"type": "string", "pattern": REFERENCE}


def descriptions(cls: type) -> dict[str, str]:
    """What the docstring of a dataclass says of each attribute."""
    _, _, text = inspect.getdoc(cls).partition("Attributes:\n")  # type: ignore[union-attr]
    found = re.findall(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", text, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", said) for name, said in found}
