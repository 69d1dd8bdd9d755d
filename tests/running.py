"""Glusto as a user runs it: a directory with tests and a config, `python -m glusto` in it, and what came out."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
LOCAL = "servers: {one: {connection: local}, two: {connection: local}}\n"
SECONDS = 60


class Project:
    """A directory with a `lab.yml` and test modules.

    Args:
        directory: where it is made.
        config: the text of its lab.yml.
    """

    def __init__(self, directory: Path, config: str = LOCAL) -> None:
        self.directory = directory
        self.reports = directory / "reports"
        (directory / "lab.yml").write_text(config)

    def write(self, name: str, text: str) -> Path:
        """Write a module; `text` is dedented."""
        path = self.directory / name
        path.write_text(textwrap.dedent(text))
        return path

    def environment(self, **variables: str) -> dict[str, str]:
        """Return an environment in which glusto can be imported, and nothing of a run around this one is set."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GLUSTO", "PYTEST"))}
        return {**inherited, "PYTHONPATH": str(ROOT), **variables}

    def start(self, *arguments: str, module: str = "glusto", **variables: str) -> "subprocess.Popen[str]":
        """Start `python -m MODULE ARGUMENTS` there, as the leader of a process group."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.directory,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, module: str = "glusto", **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run it to its end; stdout and stderr come together."""
        with self.start(*arguments, module=module, **variables) as process:
            output, _ = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, output, "")

    def suites(self) -> dict[str, ElementTree.Element]:
        """Parse every JUnit file among the reports: suite name → its element."""
        suites = [ElementTree.parse(path).getroot() for path in sorted(self.reports.glob("TEST-*.xml"))]
        return {suite.attrib["name"]: suite for suite in suites}

    def cases(self) -> dict[str, ElementTree.Element]:
        """Return every test case of all suites: `Class.test` → its element."""
        cases = [case for suite in self.suites().values() for case in suite.iter("testcase")]
        return {f"{case.attrib['classname'].rpartition('.')[2]}.{case.attrib['name']}": case for case in cases}
