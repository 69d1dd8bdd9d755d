"""REST: one HTTP request, and a reply that unpacks as the result of a command does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from glusto.errors import GlustoError

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 30.0
NO_REPLY = 255  # as a command's return code, when its host can't be reached


class Reply(NamedTuple):
    """What a server said.

    Attributes:
        retcode: 0 on success, else the HTTP status; 255 when there was no reply.
        output: the body as text; None when there was no reply.
        error: None on success, else the reason.
    """

    retcode: int
    output: str | None
    error: str | None


def get(url: str, *, timeout: float = TIMEOUT_SECONDS) -> Reply:
    """Send a GET request; see `request`.

    Example::

        retcode, output, error = g.rest_get("http://web:8080/volumes")
    """
    return request("GET", url, timeout=timeout)


def post(url: str, data: Any = None, *, timeout: float = TIMEOUT_SECONDS) -> Reply:
    """Send a POST request; see `request`."""
    return request("POST", url, data, timeout=timeout)


def put(url: str, data: Any = None, *, timeout: float = TIMEOUT_SECONDS) -> Reply:
    """Send a PUT request; see `request`."""
    return request("PUT", url, data, timeout=timeout)


def delete(url: str, data: Any = None, *, timeout: float = TIMEOUT_SECONDS) -> Reply:
    """Send a DELETE request; see `request`."""
    return request("DELETE", url, data, timeout=timeout)


def request(method: str, url: str, data: Any = None, *, timeout: float = TIMEOUT_SECONDS) -> Reply:
    """Send an HTTP request, and wait for the reply; redirections are followed.

    Args:
        method: GET, POST, PUT or DELETE.
        url: of http or https.
        data: a dictionary is sent as a form, text and bytes as they are.
        timeout: seconds to connect, and to wait for each part of the reply.

    Raises:
        GlustoError: `requests` is not installed.
    """
    try:
        import requests
    except ImportError:
        raise GlustoError("REST calls need requests: pip install 'glusto[rest]'") from None

    content = data.encode() if isinstance(data, str) else data
    try:
        response = requests.request(method, url, data=content, timeout=timeout)
    except (requests.RequestException, ValueError) as error:
        return Reply(NO_REPLY, None, f"{method} {url}: {error}")
    text = _text(response)
    if response.ok:
        return Reply(0, text, None)
    return Reply(response.status_code, text, response.reason or f"HTTP status {response.status_code}")


def _text(response: requests.Response) -> str:
    if "charset" not in response.headers.get("Content-Type", "").lower():
        response.encoding = "utf-8"
    return response.text
