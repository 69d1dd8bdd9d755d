"""Headless Chromium, driven over a pipe with its own DevTools protocol: no port, no driver, no package."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.waiting import until

SECONDS = 20.0
ARGUMENTS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


class BrowserError(Exception):
    """Chromium does not do what was asked of it."""


def executable() -> str | None:
    """Where Chromium is; None where it is not installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One page.

    Attributes:
        complaints: what the console told at level warning and above, exceptions, and what could not be loaded.
        requests: every URL that it asked for.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", into: int, out: int) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._process, self._into, self._out = process, into, out
        self._number = 0
        self._session: str | None = None
        self._unread = b""
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    # The protocol

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + SECONDS
        while True:
            answer = self._read(end)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._event(answer)

    def _read(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._unread:
            if not select.select([self._out], [], [], max(end - time.monotonic(), 0))[0]:
                raise BrowserError(f"no answer within {SECONDS:g} s")
            part = os.read(self._out, 1 << 20)
            if not part:
                raise BrowserError(f"it has ended, {self._process.poll()}")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def _event(self, event: dict[str, Any]) -> None:
        method, told = event.get("method", ""), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(one.get("value", one)) for one in told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True

    # What tests do

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file, and wait until it is loaded and painted."""
        self.call("Page.navigate", url="about:blank")  # else another fragment of the same file is no new page
        self.value("1")
        self._loaded = False
        self.call("Page.navigate", url=path.as_uri() + fragment)
        end = time.monotonic() + SECONDS
        while not self._loaded:
            self._event(self._read(end))
        self.painted()

    def painted(self) -> None:
        """Wait for two frames, after which what was asked for has been drawn."""
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; of a promise what it comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def until(self, expression: str, what: str) -> None:
        """Wait until an expression is true."""
        until(lambda: bool(self.value(expression)), SECONDS, what)

    def resize(self, width: int, height: int, *, scale: float = 1, mobile: bool = False) -> None:
        """Make the window so large."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )

    def prefer(self, scheme: str) -> None:
        """Have the system prefer `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def where(self, selector: str) -> tuple[float, float]:
        """Scroll an element into view; the middle of it."""
        box = self.value(
            f"(element => {{ element.scrollIntoView({{block: 'center'}}); const box = element.getBoundingClientRect();"
            f" return [box.x + box.width / 2, box.y + box.height / 2]; }})(document.querySelector({selector!r}))"
        )
        return float(box[0]), float(box[1])

    def mouse(self, kind: str, x: float, y: float, **fields: Any) -> None:
        """Send one mouse event."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **fields)

    def click(self, selector: str) -> None:
        """Click on an element with the mouse."""
        self.click_at(*self.where(selector))

    def click_at(self, x: float, y: float) -> None:
        """Click on a place of the window."""
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)
        self.painted()

    def press(self, key: str, text: str = "") -> None:
        """Press and release a key."""
        fields = {"key": key, "windowsVirtualKeyCode": 13} if key == "Enter" else {"key": key}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text or ("\r" if key == "Enter" else ""), **fields)
        self.call("Input.dispatchKeyEvent", type="keyUp", **fields)
        self.painted()

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def screenshot(self, path: Path) -> None:
        """Save what can be seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser() -> Iterator[Page]:
    """Chromium with one page, until the end."""
    chromium = executable()
    if chromium is None:
        raise BrowserError("Chromium is not installed")
    profile = tempfile.mkdtemp(prefix="gb-")
    (their_in, into), (out, their_out) = (tuple(map(high, os.pipe())) for _ in range(2))

    def connect() -> None:
        os.dup2(their_in, 3)
        os.dup2(their_out, 4)

    process = subprocess.Popen(
        [chromium, *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(3, 4),
        preexec_fn=connect,  # noqa: PLW1509 - before any thread of ours
        env={**os.environ, "HOME": profile},
    )
    for descriptor in (their_in, their_out):
        os.close(descriptor)
    try:
        yield Page(process, into, out)
    finally:
        for descriptor in (into, out):
            os.close(descriptor)  # it ends when its pipe does
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def high(descriptor: int) -> int:
    """The same file under a number from 10 up."""
    found = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return found
