"""The page that says how the book was made: what each chapter cost, by which code and machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from meter import Cost
from settings import Settings

from lensy.provenance import commit, hardware

PLACE = "<!-- costs -->"
"""Where the table goes in `report.md`."""


def as_table(costs: Mapping[str, Cost], settings: Settings, *, fresh: bool) -> str:
    """A table in Markdown, a row per chapter, and what is common to all."""
    rows = [
        "| chapter | status | time / s | limit / s | memory / MB | limit / MB |",
        "|---" * 6 + "|",
    ]
    for name, cost in costs.items():
        limits = 60 * settings.limit(name, fresh=fresh), settings.memory_of(name)
        status = "kept from an earlier build" if cost.kept else "executed"
        spent = ("", "") if cost.kept else (f"{cost.seconds:.0f}", f"{cost.megabytes:.0f}")
        rows.append(
            f"| [{name}]({name}.ipynb) | {status} | {spent[0]} | {limits[0]:.0f} | {spent[1]} | "
            f"{limits[1]:.0f} |"
        )
    seconds = sum(cost.seconds for cost in costs.values())
    networks = "all were trained anew" if fresh else "shipped runs were used where there are any"
    rows += [
        "",
        f"Scale {settings.scale}; {networks}. All chapters together: {seconds / 60:.1f} minutes. "
        f"Commit {commit()}; {hardware()}.",
    ]
    return "\n".join(rows)


def write_report(folder: Path, table: str) -> None:
    """Put the table into the page `report.md` of a staged book, if the book has one."""
    page = folder / "report.md"
    if page.exists():
        page.write_text(page.read_text("utf-8").replace(PLACE, table), encoding="utf-8")
