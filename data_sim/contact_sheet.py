"""A contact sheet: the first examples of a data set on one page, for a person to check."""

from __future__ import annotations

from pathlib import Path

from astropy.table import Row

from lensy.datasets.store import DataSet
from lensy.figures.images import draw_contact_sheet
from lensy.provenance import whole_file
from lensy.simulation.recipe import SPLITS

N_ROWS, N_COLUMNS = 4, 6


def save_contact_sheet(data: DataSet, path: Path) -> None:
    """VIS image and lensed light of the first examples, as a PNG."""
    split = next(split for split in SPLITS if data.recipe.size(split))
    rows = data.catalogue(split)[: N_ROWS * N_COLUMNS // 2]
    images = [data.observed(split, i, "VIS") for i in range(len(rows))]
    arcs = [data.lensed_light(split, i, "VIS") for i in range(len(rows))]
    titles = [title(row) for row in rows]
    figure = draw_contact_sheet(images, arcs, titles, n_columns=N_COLUMNS)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=80, format="png")


def title(row: Row) -> str:
    """Number and kind of an example, and the signal-to-noise of its lensed light in VIS.

    row: of the catalogue. A scene with a source that fails the rule for a lens says so.
    """
    words = f"{row['split']} {row['index']}: {row['kind']}"
    if not row["has_source"]:
        return words
    unlabelled = "" if row["is_lens"] else " (no label)"
    return f"{words}{unlabelled}, S/N {row['arc_signal_to_noise_VIS']:.0f}"
