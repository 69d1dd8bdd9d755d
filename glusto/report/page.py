"""The page: the model of a run, and the template, style and scripts beside this, in one HTML file."""

from __future__ import annotations

import contextlib
import json
import os
import re
from importlib.resources import files

from glusto.report.model import read_model

EVENTS = "events-{}.jsonl"
PAGE = "report-{}.html"
SCRIPTS = ("data.js", "dom.js", "tests.js", "lanes.js", "timeline.js", "pointer.js", "main.js")
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def find_events(directory: str) -> list[str]:
    """Return the events files of a directory, the newest run's last."""
    pattern = re.compile(re.escape(EVENTS).replace(r"\{\}", ".+"))
    try:
        names = [name for name in os.listdir(directory) if pattern.fullmatch(name)]
    except OSError:
        return []
    return [os.path.join(directory, name) for name in sorted(names)]


def page_for(events: str) -> str:
    """Return where the page of an events file goes.

    >>> page_for("reports/events-20300101120000-a1b2c3.jsonl")
    'reports/report-20300101120000-a1b2c3.html'
    """
    directory, name = os.path.split(events)
    run = name.removesuffix(".jsonl").removeprefix("events-")
    return os.path.join(directory, PAGE.format(run))


def point_at(filename: str) -> None:
    """Have `events.jsonl` or `report.html` beside a run's own file be a link to it, where links can be made."""
    directory, name = os.path.split(filename)
    link = os.path.join(directory, re.sub(r"^(events|report)-.*(?=\.)", r"\1", name))
    with contextlib.suppress(OSError):
        os.makedirs(directory or ".", exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{link}.new")
        os.symlink(name, f"{link}.new")
        os.replace(f"{link}.new", link)


def write_page(events: str, page: str) -> None:
    """Write the page of an events file, whole or not at all."""
    text = render(read_model(events))
    with open(f"{page}.part", "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    os.replace(f"{page}.part", page)
    if os.path.basename(page) == os.path.basename(page_for(events)):
        point_at(page)


def render(model: object) -> str:
    """Return the page of a model."""
    here = files("glusto.report") / "static"
    parts = {
        "style": (here / "report.css").read_text("utf-8"),
        "script": "\n".join((here / name).read_text("utf-8") for name in SCRIPTS),
        "data": embedded(model),
    }
    template = (here / "report.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def embedded(value: object) -> str:
    r"""Return JSON that can stand in a script element, whatever texts are in it.

    >>> embedded({"stdout": "</script><!--"})
    '{"stdout":"\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda found: UNSAFE[found[0]], text)
