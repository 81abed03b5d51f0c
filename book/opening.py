"""What stands at the top of every chapter: what it needs, and how long it takes at each scale.

Questions and needs are in `path.yml`. Times are in `costs.json`, where `build.py --record` writes
what it has measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lensy.errors import LensyError

TABLE = "<!-- path -->"
"""Where the table of all chapters goes in `index.md`."""

HOW = {"smoke": "everything made from nothing", "laptop": "with the shipped runs"}
"""What a time is of."""

Costs = Mapping[str, Mapping[str, float]]


def read_path(source: Path) -> dict[str, dict[str, str]]:
    """Questions and needs by chapter; empty for a book without `path.yml`."""
    path = source / "path.yml"
    return dict(yaml.safe_load(path.read_text("utf-8"))) if path.exists() else {}


def read_costs(source: Path) -> dict[str, dict[str, float]]:
    """Seconds by scale and chapter; empty for a book without `costs.json`."""
    path = source / "costs.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def opened(text: str, name: str, path: Mapping[str, Any], costs: Costs) -> str:
    """A chapter with a box after its first paragraph. Raises LensyError for one not in `path`."""
    if not path:
        return text
    if name not in path:
        raise LensyError(f"book/path.yml does not say what chapter {name!r} needs.")
    times = [
        f"{_words(known[name])} at scale {scale}, {HOW.get(scale, 'trained anew')}"
        for scale, known in costs.items()
        if name in known
    ]
    lines = [f"It needs: {path[name]['needs']}."]
    if times:
        lines.append(f"On two cores its code takes {'; '.join(times)}.")
    box = "```{admonition} Before you begin\n:class: tip\n\n" + " ".join(lines) + "\n```"
    head = re.match(r"(---\n.*?\n---\n+)?# [^\n]*\n+[^\n]+\n", text, re.DOTALL)
    if head is None:
        raise LensyError(
            f"book/{name}.md must begin with a title and a paragraph with its question."
        )
    return f"{head[0]}\n{box}\n{text[head.end() :]}"


def _words(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def table(names: Sequence[str], path: Mapping[str, Any]) -> str:
    """Chapters in reading order with their questions and needs, in Markdown."""
    rows = [
        f"| []({name}.md) | {path[name]['question']} | {path[name]['needs']} |" for name in names
    ]
    return "\n".join(["| chapter | question | what it needs |", "|---|---|---|", *rows])
