"""What stands at the top of every chapter: what it needs, and how long it takes at each scale.

Question and needs stand in the header of the chapter, under `lensy`. Times are in `costs.json`,
where `build.py --record` writes what it has measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from lensy.errors import LensyError

TABLE = "<!-- path -->"
"""Where the table of all chapters goes in `index.md`."""

HOW = {"smoke": "everything made from nothing", "laptop": "with the shipped runs"}
"""What a time is of."""

UNTIMED = "talk"
"""The scale of which a page says that it was not timed, as long as it was not."""

Costs = Mapping[str, Mapping[str, float]]


def about(text: str) -> dict[str, str]:
    """Question and needs of a chapter, from its header; empty where it has none."""
    header = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return dict((yaml.safe_load(header[1]) if header else {}).get("lensy", {}))


def read_costs(source: Path) -> dict[str, dict[str, float]]:
    """Seconds by scale and chapter; empty for a book without `costs.json`."""
    path = source / "costs.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def opened(text: str, name: str, costs: Costs) -> str:
    """A chapter with a box after its first paragraph, if its header says what it needs.

    Raises LensyError where it does not begin with a title and a paragraph.
    """
    known = about(text)
    if not known:
        return text
    times = [
        f"{_words(spent[name])} at scale {scale}, {HOW.get(scale, 'trained anew')}"
        for scale, spent in costs.items()
        if name in spent
    ]
    lines = [f"It needs: {known['needs']}."]
    if times:
        lines.append(f"On two cores its code takes {'; '.join(times)}.")
        if UNTIMED not in costs:
            lines.append(f"At scale {UNTIMED}, which wants a GPU, it has not been timed.")
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


def table(chapters: Mapping[str, str]) -> str:
    """Chapters, their texts by name in reading order, with questions and needs, in Markdown."""
    rows = ["| chapter | question | what it needs |", "|---|---|---|"]
    for name, text in chapters.items():
        if known := about(text):
            rows.append(f"| []({name}.md) | {known['question']} | {known['needs']} |")
    return "\n".join(rows)
