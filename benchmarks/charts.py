"""The charts of docs/images, made of results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.rounds import peer
from benchmarks.rows import Row

OURS = "glusto"
COLORS = {OURS: "#0b6e4f", "mitogen": "#c1666b", "execnet": "#d4a017", "zero-deploy": "#5b5f97"}
OTHERS = ("#8d99ae", "#b8a9c9", "#6c757d", "#a3b18a", "#c9ada7")


def draw(rows: Sequence[Row], directory: Path) -> list[Path]:
    """Write every chart that there are rows for.

    Raises:
        UnavailableError: matplotlib is not installed.
    """
    peer("matplotlib").use("Agg")
    pyplot = peer("matplotlib.pyplot")
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, chart in (("provisioning", provisioning), ("commands", commands), ("transfers", transfers)):
        figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=110)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if chart(axes, rows):
            path = directory / f"{name}.png"
            figure.tight_layout()
            figure.savefig(path, metadata={"Software": None})
            drawn.append(path)
        pyplot.close(figure)
    return drawn


def provisioning(axes: Any, rows: Sequence[Row]) -> bool:
    """Draw seconds for all hosts against their number, a line each."""
    lines: dict[str, dict[int, float]] = {}
    for row in rows:
        found = re.fullmatch(r"provision (\d+) hosts", row.name)
        if found and row.ours is not None and row.theirs is not None:
            count = int(found[1])
            lines.setdefault(row.against, {})[count] = row.theirs * count
            lines.setdefault(OURS, {})[count] = row.ours * count
    others = iter(OTHERS)
    for name, points in lines.items():
        counts = sorted(points)
        color = COLORS.get(name) or next(others)
        style = {"linewidth": 2.5, "zorder": 3} if name == OURS else {"linewidth": 1.5}
        label = "zero-deploy, one after the other" if name == "zero-deploy" else name
        axes.plot(counts, [points[count] for count in counts], "o-", color=color, label=label, **style)
        axes.set_xticks(counts)
    axes.set_xlabel("hosts")
    axes.set_ylabel("seconds until a Python answers on each")
    axes.set_title("Provisioning")
    axes.set_ylim(bottom=0)
    if lines:
        axes.legend(frameon=False)
    return bool(lines)


def commands(axes: Any, rows: Sequence[Row]) -> bool:
    """Draw what one command takes, a bar each."""
    return bars(axes, rows, {'run(host, "true")': ""}, "One command on an open connection", "ms, less is better")


def transfers(axes: Any, rows: Sequence[Row]) -> bool:
    """Draw the throughput of large files, bars side by side."""
    names = {row.name: row.name for row in rows if row.family == "transfers" and row.unit == "MB/s"}
    return bars(axes, rows, names, "A large file", "MB/s, more is better")


def bars(axes: Any, rows: Sequence[Row], names: dict[str, str], title: str, unit: str) -> bool:
    """Draw a group of bars for each name of rows: ours, and each of the others."""
    groups: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.name in names and row.ours is not None and row.theirs is not None and "fastest" not in row.against:
            groups.setdefault(names[row.name], {OURS: row.ours})[row.against] = row.theirs
    others = iter(OTHERS)
    colors: dict[str, str] = {}
    places, labels, position = [], [], 0.0
    for group, values in groups.items():
        for name, value in values.items():
            if name not in colors:
                colors[name] = COLORS.get(name) or next(others)
            bar = axes.barh(position, value, color=colors[name], height=0.8)
            axes.bar_label(bar, fmt=" %.3g")
            places.append(position)
            labels.append(f"{group}: {name}" if group else name)
            position += 1
        position += 0.6
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.set_title(title)
    return bool(groups)
