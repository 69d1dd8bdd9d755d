"""The documentation as tests: its files are written, its transcripts typed, and what comes out is compared."""

import doctest
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECONDS = 60

_BLOCK = re.compile(
    r"^\.\. code-block:: (?P<language>\S+)\n(?P<options>(?:   :.*\n)*)\n(?P<body>(?:(?:   .*)?\n)+)", re.MULTILINE
)
_FILE = re.compile(r":(?:caption|name): (\S+)")


@dataclass(frozen=True)
class Block:
    """A code block: a file when it has a name, something typed when its language is `console`."""

    language: str
    file: str
    body: str


def blocks(page: Path) -> Iterator[Block]:
    """Every code block of a page, in order."""
    for found in _BLOCK.finditer(page.read_text() + "\n"):
        file = _FILE.search(found["options"])
        body = textwrap.dedent(found["body"]).strip()
        yield Block(found["language"], file.group(1) if file else "", f"{body}\n")


def types(page: Path) -> bool:
    """Whether a page shows what to type at a shell, and what comes out."""
    return any(block.language == "console" for block in blocks(page))


def session(page: Path) -> str:
    """Everything that a page shows as typed at a Python prompt."""
    return "\n".join(block.body for block in blocks(page) if block.language == "pycon")


def play(page: Path, directory: Path, replaced: Mapping[str, str]) -> int:
    """Do in `directory` what a page says; returns how many commands that were.

    Args:
        replaced: what stands in the page → what is meant here, such as the address of a host.

    Raises:
        AssertionError: something else came out than what the page shows.
    """
    typed = 0
    for block in blocks(page):
        body = block.body
        for shown, meant in replaced.items():
            body = body.replace(shown, meant)
        if block.file:
            (directory / block.file).parent.mkdir(parents=True, exist_ok=True)
            (directory / block.file).write_text(body)
        elif block.language == "console":
            for command, expected in _commands(body):
                typed += 1
                _type(command, expected, directory, f"{page.name}: $ {command}")
    return typed


def _commands(body: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def _type(command: str, expected: str, directory: Path, title: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert doctest.OutputChecker().check_output(expected, done.stdout, FLAGS), (
        f"{title}\nexpected:\n{expected}\ngot:\n{done.stdout}"
    )
