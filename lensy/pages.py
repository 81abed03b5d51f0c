"""What chapters show between their figures: tables, and numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from astropy.table import Table

from lensy.metrics import Estimate


class ShownTable:
    """A table that a notebook shows whole, however long or wide it is."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def _repr_html_(self) -> str:
        lines = self.table.pformat(html=True, max_lines=-1, max_width=-1, tableclass="table")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "\n".join(self.table.pformat(max_lines=-1, max_width=-1))


def show_table(
    content: Table | Mapping[str, Sequence[Any]] | Sequence[Sequence[Any]],
    names: Sequence[str] | None = None,
) -> ShownTable:
    """A table for a page, from a table, from columns by name, or from rows and `names`."""
    if isinstance(content, Table | Mapping):
        return ShownTable(Table(content))
    return ShownTable(Table(rows=content, names=names))


def with_interval(estimate: Estimate | Mapping[str, float], *, form: str = ".3f") -> str:
    """A value with its 95 % interval, `0.957 (0.952 to 0.962)`.

    estimate: one of `metrics`, or what a run's `run.json` keeps of it. form: of each number.
    """
    if isinstance(estimate, Estimate):
        value, low, high = estimate.value, estimate.low, estimate.high
    else:
        value, low, high = (estimate[name] for name in ("value", "low", "high"))
    return f"{value:{form}} ({low:{form}} to {high:{form}})"
