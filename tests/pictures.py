"""The pictures in docs/images: `python -m tests.pictures` runs a suite on test hosts and takes them anew."""

import html
import json
import re
import shutil
import sys
import textwrap
import time
from pathlib import Path

from tests.browser import Page, browser
from tests.hosts import Fleet
from tests.running import ROOT, Project
from tests.terminals import COLUMNS, Terminal

IMAGES = ROOT / "docs" / "images"
PLACE = Path("/srv/lab")  # tracebacks show it
SUITE = """
import os
import unittest

from glusto import TestCase, g


class TestFailover(TestCase):
    def test_a_long_call(self):
        g.rpyc_get_connection(self.servers[1]).modules.time.sleep(0.7)

    def test_clients_go_on_when_a_server_is_slow(self):
        slow = g.run_async(self.clients[0], "sleep 1.2; echo done")
        for _ in range(6):
            g.run_parallel(self.servers, "sleep 0.1")
        self.assertEqual(slow.async_communicate().stdout, "done\\n")

    def test_the_service_restarts(self):
        for server in self.servers:
            g.run(server, "/opt/volume/restart --wait 5", check=True)


class TestQuota(TestCase):
    def test_login_with_a_password(self):
        g.run(self.servers[0], "echo login --password=hunter2; sleep 0.4", check=True)

    @unittest.skip("needs a kernel with project quotas")
    def test_project_quota(self):
        pass

    def test_quota_is_enforced(self):
        server = self.servers[2]
        g.run(server, "mkdir -p /tmp/quota", check=True)
        self.addCleanup(g.run, server, "rm -r /tmp/quota")
        result = g.run(server, "dd if=/dev/zero of=/tmp/quota/data bs=1M count=12 status=none; "
                       "echo 'quota: 12 MiB written, 8 MiB allowed' >&2; exit 28")
        self.assertEqual(result.returncode, 0, "the quota was not enforced")


class TestReplication(TestCase):
    def test_a_file_reaches_every_server(self):
        with open("blob", "wb") as file:
            file.write(os.urandom(8 << 20))
        places = [g.run(server, "mktemp -d").stdout.strip() for server in self.servers]
        for server, place in zip(self.servers, places):
            self.addCleanup(g.run, server, f"rm -r {place}")
            g.upload(server, "blob", f"{place}/blob")
        results = [g.run(server, f"sha256sum < {place}/blob") for server, place in zip(self.servers, places)]
        self.assertEqual(len(set(results)), 1)

    def test_every_server_lists_the_same(self):
        for server in self.servers:
            conn = g.rpyc_get_connection(server, "george")
            for _ in range(100):
                self.assertIn("etc", conn.modules.os.listdir("/"))

    def test_free_space(self):
        for server in self.servers:
            with self.subTest(server=server):
                self.assertGreater(int(g.run(server, "df -k --output=avail /tmp | tail -1").stdout), 1000)
"""
RESTART = "install -d /opt/volume; printf '#!/bin/sh\nsleep 0.1\n' > /opt/volume/restart; chmod +x /opt/volume/restart"
BAD_RESTART = RESTART.replace(
    "sleep 0.1", "sleep 0.2; echo restart: brick 3 does not answer >&2; echo restart: giving up after 5 s >&2; exit 1"
)
THEME = {
    "30": "#14171c", "31": "#ff7066", "32": "#4cc38a", "33": "#e0b040", "34": "#6aa3ff", "35": "#c08cff",
    "36": "#56c8d8", "37": "#d8dee6", "90": "#5c6570",
}  # fmt: skip
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #14171c; color: #d8dee6; display: inline-block }}
pre {{ margin: 0; padding: 16px; font: 15px/20px "DejaVu Sans Mono", monospace; display: inline-block }}
</style><pre>{}</pre>"""


class Screen:
    """What a terminal shows in the end: lines of characters, each with the codes of its colours."""

    def __init__(self, raw: str) -> None:
        self.lines: list[list[tuple[str, str]]] = [[]]
        self._row = self._column = 0
        self._style = ""
        for control, letter, character in re.findall(r"\x1b\[([0-9;?]*)([A-Za-z])|(.)", raw, re.DOTALL):
            if character:
                self._write(character)
            else:
                self._control(control, letter)

    def _write(self, character: str) -> None:
        if character == "\n":
            self._row, self._column = self._row + 1, 0
        elif character == "\r":
            self._column = 0
        elif character.isprintable():
            if self._column == COLUMNS:
                self._row, self._column = self._row + 1, 0
            line = self._line()
            line[self._column : self._column + 1] = [(character, self._style)]
            self._column += 1
        self._line()

    def _line(self) -> list[tuple[str, str]]:
        while len(self.lines) <= self._row:
            self.lines.append([])
        line = self.lines[self._row]
        line.extend([(" ", "")] * (self._column - len(line)))
        return line

    def _control(self, numbers: str, letter: str) -> None:
        if letter == "A":
            self._row = max(self._row - int(numbers or 1), 0)
        elif letter == "K":
            self._line().clear()
        elif letter == "m":
            self._style = "" if numbers in ("", "0") else numbers

    def html(self) -> str:
        """Return the lines as HTML."""
        return "\n".join("".join(span(*cell) for cell in line) for line in self.lines).strip("\n")


def span(character: str, style: str) -> str:
    """Return a character in its colours."""
    codes = style.split(";")
    rules = [f"color: {THEME[code]}" for code in codes if code in THEME]
    rules += ["font-weight: bold"] if "1" in codes else []
    rules += ["opacity: .7"] if "2" in codes else []
    told = html.escape(character)
    return f'<span style="{"; ".join(rules)}">{told}</span>' if rules else told


def run(fleet: Fleet) -> Terminal:
    """Run the suite on a terminal."""
    for number, host in enumerate(fleet.hosts):
        host.execute("sh", "-c", BAD_RESTART if number == 2 else RESTART)
    names = [f"server{number}" for number in (1, 2, 3)]
    lab = fleet.lab(users=["root", "george"])
    lab["servers"] = {name: {"address": host.address} for name, host in zip(names, fleet.hosts, strict=False)}
    lab["clients"] = {"client1": {"address": fleet.hosts[3].address}}
    PLACE.mkdir()
    project = Project(PLACE, json.dumps(lab))
    project.write("test_storage.py", textwrap.dedent(SUITE))
    environment = project.environment(NO_COLOR="", CI="", TERM="xterm-256color")
    terminal = Terminal(PLACE, environment, "-c", "lab.yml")
    terminal.finish()
    return terminal


def take(page: Page, terminal: Terminal) -> None:
    """Take the pictures."""
    shown = PLACE / "terminal.html"
    shown.write_text(PAGE.format(Screen(terminal.raw).html()))
    page.open(shown)
    size = page.value("[document.querySelector('pre').offsetWidth, document.querySelector('pre').offsetHeight]")
    page.resize(int(size[0]), int(size[1]))
    page.screenshot(IMAGES / "terminal.png")

    report = PLACE / "reports" / "report.html"
    page.prefer("light")
    page.resize(1200, 1130)
    page.open(report)
    page.screenshot(IMAGES / "report-light.png")

    page.resize(400, 900, mobile=True)
    page.open(report)
    page.screenshot(IMAGES / "report-small.png")

    page.prefer("dark")
    page.resize(1200, 860)
    page.open(report)
    links = "[...document.querySelectorAll('.failures a')].filter(link => link.innerText === 'On the timeline')"
    page.value(f"{links}[1].click()")
    time.sleep(0.5)
    x, y = page.value(
        "(box => [box.x + box.width * 0.55, box.y])(document.getElementById('lanes').getBoundingClientRect())"
    )
    page.mouse("mouseMoved", x, y + 122)  # the lane of the third server
    page.painted()
    page.screenshot(IMAGES / "report-dark.png")


def main() -> int:
    """Take the pictures; 1 when the run is not what they are to show."""
    try:
        with Fleet(4) as fleet:
            terminal = run(fleet)
        if terminal.status != 1:
            print(terminal.text)
            return 1
        with browser() as page:
            take(page, terminal)
    finally:
        shutil.rmtree(PLACE, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
