"""What may reach a command line: the names of hosts and users, and paths."""

from __future__ import annotations

import os
import re

from glusto.errors import ConfigError

_LONGEST = 253


def check_host_name(name: str) -> str:
    """A name that ssh may be given as a host: a DNS name, an alias of ssh_config(5), an IPv4 or IPv6 address.

    Returns:
        The name as it is.

    Raises:
        ConfigError: it is anything else, such as an option or shell text.

    >>> check_host_name("fe80::1%eth0")
    'fe80::1%eth0'
    >>> check_host_name("-oProxyCommand=reboot")
    Traceback (most recent call last):
    glusto.errors.ConfigError: the host name '-oProxyCommand=reboot' is refused: it starts with '-'
    """
    if isinstance(name, str) and ":" in name:
        return _check_ipv6(name)
    return _check("host", name, r"\w[\w.-]*")


def check_user_name(name: str) -> str:
    """A name that ssh may be given as a user; like `check_host_name`, and `@` and `+` may be in it.

    >>> check_user_name("george; reboot")
    Traceback (most recent call last):
    glusto.errors.ConfigError: the user name 'george; reboot' is refused: ';' is in it
    """
    return _check("user", name, r"\w[\w.@+-]*")


def check_text(text: str) -> str:
    """Any text for one word of a command line: not empty, and no control characters."""
    if not text:
        raise ConfigError("it is empty; write something, or leave it out")
    if found := re.search(r"[\x00-\x1f\x7f-\x9f]", text):
        raise ConfigError(f"{text[:80]!r} is refused: {found[0]!r} is in it")
    return text


def check_path(path: str) -> str:
    """A path on the controller, with `~` expanded."""
    return os.path.expanduser(check_text(path))


def check_interpreter(path: str) -> str:
    """The path or name of an interpreter on a host; `~` is the host's business."""
    if path.startswith("-"):
        raise ConfigError(f"the interpreter {path[:80]!r} is refused: it starts with '-'")
    return check_text(path)


def _check(kind: str, name: str, allowed: str) -> str:
    if not isinstance(name, str):
        raise ConfigError(f"a {kind} name is text, and {name!r} is not")
    if len(name) <= _LONGEST and re.fullmatch(allowed, name):
        return name
    raise ConfigError(f"the {kind} name {name[:80]!r} is refused: {_why(name, allowed)}")


def _why(name: str, allowed: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > _LONGEST:
        return f"it has {len(name)} characters, and {_LONGEST} are the limit"
    wrong = next((char for char in name if not re.fullmatch(allowed, f"a{char}")), "")
    if not wrong or name.startswith("-"):
        return f"it starts with {name[0]!r}"
    if wrong.isspace():
        return f"white space ({wrong!r}) is in it"
    return f"{wrong!r} is in it"


def _check_ipv6(name: str) -> str:
    import ipaddress

    address, _, zone = name.partition("%")
    if "%" in name:
        _check("host", zone, r"\w[\w.-]*")
    try:
        ipaddress.IPv6Address(address)
    except ValueError as error:
        raise ConfigError(f"the host name {name[:80]!r} is refused: ':' is in it, and it is no IPv6 address; "
                          "a port is written as `port: 22`") from error
    return name
