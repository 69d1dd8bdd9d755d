"""REST: requests to a server on loopback."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from glusto import rest
from glusto.errors import GlustoError
from tests.sites import Handler, served


class Echo(Handler):
    """Answers with what it was sent; a path of a number is a status."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/slow":
            time.sleep(2)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.end_headers()
            return
        if self.path == "/latin":
            self.reply(200, "ü".encode("latin-1"), "text/plain; charset=latin-1")
            return
        status = int(self.path[1:]) if self.path[1:].isdigit() else 200
        kind = self.headers.get("Content-Type", "")
        self.reply(status, f"{self.command} {self.path} {kind} {body} ü".encode(), "text/plain")

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

    def reply(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(Echo) as address:
        yield address


def test_a_success_is_zero_with_text(site: str) -> None:
    retcode, output, error = rest.get(f"{site}/volumes?all=1")
    assert (retcode, output, error) == (0, "GET /volumes?all=1   ü", None)
    assert rest.get(f"{site}/moved").output == "GET /there   ü"
    assert rest.get(f"{site}/latin").output == "ü"


def test_data_is_sent_as_a_form_and_text_as_it_is(site: str) -> None:
    form = "application/x-www-form-urlencoded"
    assert rest.post(f"{site}/v", {"name": "a b", "n": 1}).output == f"POST /v {form} name=a+b&n=1 ü"
    assert rest.put(f"{site}/v", {"name": "a"}).output == f"PUT /v {form} name=a ü"
    assert rest.delete(f"{site}/v", {"name": "a"}).output == f"DELETE /v {form} name=a ü"
    assert rest.delete(f"{site}/v").output == "DELETE /v   ü"
    assert rest.post(f"{site}/v", '{"ü": 1}').output == 'POST /v  {"ü": 1} ü'


@pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (500, "Internal Server Error"), (299, None)])
def test_a_failure_is_the_status_with_its_reason(site: str, status: int, reason: str | None) -> None:
    reply = rest.get(f"{site}/{status}")
    assert reply.output == f"GET /{status}   ü"
    assert (reply.retcode, reply.error) == (0 if reason is None else status, reason)


def test_where_nobody_answers_is_255_with_the_reason() -> None:
    reply = rest.get("http://127.0.0.1:1/volumes")
    assert (reply.retcode, reply.output) == (255, None)
    assert reply.error is not None
    assert reply.error.startswith("GET http://127.0.0.1:1/volumes: ")
    assert rest.get("nothing").retcode == 255


def test_a_slow_server_is_given_up(site: str) -> None:
    started = time.monotonic()
    reply = rest.get(f"{site}/slow", timeout=0.2)
    assert (reply.retcode, time.monotonic() - started < 1.5) == (255, True)
    assert reply.error is not None
    assert "timed out" in reply.error


def test_without_requests_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(GlustoError, match=r"pip install 'glusto\[rest\]'"):
        rest.get("http://127.0.0.1:1")
