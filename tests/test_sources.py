"""Sources: the bytes of files and URLs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto import sources
from glusto.config import load, load_data
from glusto.errors import ConfigError
from glusto.sources import extension_of, is_url, path_of, read
from tests.sites import Handler, served


class Pages(Handler):
    """A server of what these tests fetch."""

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if self.path == "/moved.yml":
            self.send_response(302)
            self.send_header("Location", "/lab.yml")
            self.end_headers()
        elif self.path == "/away.yml":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path.startswith("/lab.yml"):
            self.answer(b"users: [root]\n")
        elif self.path == "/slow.yml":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"#")
                self.wfile.flush()
                time.sleep(0.05)
        elif self.path == "/silent.yml":
            time.sleep(2)
        elif self.path == "/short.yml":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"a: 1")
        elif self.path == "/big.yml":
            self.answer(b"#" * 100_000)
        else:
            self.send_error(404)

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(Pages) as address:
        yield address


def test_a_url_is_fetched_and_read_by_the_extension_of_its_path(site: str) -> None:
    assert read(f"{site}/lab.yml") == b"users: [root]\n"
    document = load(f"{site}/lab.yml?branch=main")
    assert document.data == {"users": ["root"]}
    assert str(document.place.inner["users"].position) == f"{site}/lab.yml?branch=main:1:8"
    assert load_data(f"{site}/lab.yml", "text") == "users: [root]\n"


def test_a_redirection_is_followed_but_never_to_a_file(site: str) -> None:
    assert load(f"{site}/moved.yml").data == {"users": ["root"]}
    with pytest.raises(ConfigError, match="can't be fetched"):
        load(f"{site}/away.yml")


def test_what_is_not_there_is_refused_with_the_status(site: str) -> None:
    with pytest.raises(ConfigError, match="404") as caught:
        load(f"{site}/nothing.yml")
    assert caught.value.file == f"{site}/nothing.yml"


@pytest.mark.parametrize(("page", "says"), [("slow.yml", "took more than"), ("silent.yml", "timed out")])
def test_a_slow_server_is_given_up(site: str, page: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "URL_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(ConfigError, match=says):
        read(f"{site}/{page}")
    assert time.monotonic() - started < 2


def test_what_breaks_off_or_is_too_big_is_refused(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="broke off|IncompleteRead"):
        read(f"{site}/short.yml")
    monkeypatch.setattr(sources, "MAX_URL_BYTES", 50_000)
    with pytest.raises(ConfigError, match="bigger than 50000 bytes"):
        read(f"{site}/big.yml")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/lab.yml", "http://[::1/lab.yml", "http:///lab.yml", "http://a b/x.yml"]
)
def test_a_url_of_no_server_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="can't be fetched"):
        read(url)


def test_other_schemes_are_no_urls(tmp_path: Path) -> None:
    assert not is_url("ftp://lab.example/lab.yml")
    assert path_of("HTTPS://Lab.example/~/x") == "HTTPS://Lab.example/~/x"
    assert extension_of("lab") == ""
    with pytest.raises(ConfigError, match="no such file"):
        read("ftp://lab.example/lab.yml")
