"""Sources: where the bytes of a config come from, a file or a URL."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from glusto.errors import ConfigError

if TYPE_CHECKING:
    from http.client import HTTPResponse

URL_SECONDS = 10.0  # for the whole of it, and for each answer of the server
MAX_URL_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024


def read(name: str) -> bytes:
    """Return what a file or a URL holds.

    Args:
        name: a path, as `path_of` returns it, or a URL of http or https.

    Raises:
        ConfigError: there is none, it can't be read, or it is too big or too slow.
    """
    return _download(name) if is_url(name) else _read_file(name)


def is_url(name: str) -> bool:
    """Say whether a name is a URL that is fetched.

    >>> is_url("https://lab.example/lab.yml"), is_url("file:///etc/lab.yml")
    (True, False)
    """
    return re.match("https?://", name, re.IGNORECASE) is not None


def path_of(filename: str | os.PathLike[str]) -> str:
    """Return the name to read: a URL as it is, `file://` as a path, `~` as the home directory.

    >>> path_of("file://localhost/srv/my%20lab.yml")
    '/srv/my lab.yml'
    """
    name = os.fspath(filename)
    if is_url(name):
        return name
    if name.startswith("file://"):
        from urllib.parse import unquote

        name = unquote(name.removeprefix("file://").removeprefix("localhost"))
    return os.path.expanduser(name)


def extension_of(name: str) -> str:
    """Return the extension of a path or a URL, in small letters and without its dot.

    >>> extension_of("https://lab.example/lab.YML?branch=main")
    'yml'
    """
    if is_url(name):
        from urllib.parse import urlsplit

        name = urlsplit(name).path
    return os.path.splitext(name)[1].lstrip(".").lower()


def _read_file(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise ConfigError(f"no such file; the working directory is {_working_directory()}", name) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"can't be read: {why}", repr(name) if "\0" in name else name) from error


def _download(url: str) -> bytes:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        request = Request(url, headers={"User-Agent": "glusto"})  # noqa: S310 - is_url has seen the scheme
        with urlopen(request, timeout=URL_SECONDS) as response:  # noqa: S310
            return _read_response(response, url)
    except HTTPError as error:
        error.close()
        raise ConfigError(f"can't be fetched: the server says {error.code} {error.reason}", url) from error
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise ConfigError(f"can't be fetched: {why}", url) from error


def _read_response(response: HTTPResponse, url: str) -> bytes:
    started = time.monotonic()
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > MAX_URL_BYTES:
            raise ConfigError(f"is bigger than {MAX_URL_BYTES} bytes", url)
        if time.monotonic() - started > URL_SECONDS:
            raise ConfigError(f"took more than {URL_SECONDS:g} s to arrive", url)
    if response.length:
        raise ConfigError(f"broke off {response.length} bytes before its end", url)
    return bytes(content)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "gone"
