"""What commands say of progress and of a finished run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lensy.runs.run import Run

Quiet = Annotated[bool, typer.Option(help="No progress, only errors.")]


def show_progress(wanted: bool) -> None:
    """Show what the package says of its progress or only warnings, and of Lightning these."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("lensy").setLevel(logging.INFO if wanted else logging.WARNING)
    logging.getLogger("lightning").setLevel(logging.WARNING)


def result(run: Run) -> str:
    """One line for a run: its AUROC on the test set, or how many answers it holds."""
    test = run.info.get("test")
    if test is None:
        columns = run.scores()
        n = len(next(iter(columns.values())))
        return f"{run.folder}: {n} rows of answers: {', '.join(columns)}."
    if "auroc" not in test:
        return f"{run.folder}: scores of {test['n']} images, {test['n_lenses']} of them lenses."
    area = test["auroc"]
    return (
        f"{run.folder}: test AUROC {area['value']:.4f} "
        f"(95 % interval {area['low']:.4f} to {area['high']:.4f}, n = {test['n']})."
    )
