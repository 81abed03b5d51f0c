"""A figure of artefacts: arrays in, matplotlib figure out. To be placed in `figures.py`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lensy.figures import VIS_SIGMA, show_image

ARTEFACT = "#D55E00"
"""Colour of the outline of an artefact's mask: orange-red of Wong 2011, apart from viridis."""


def draw_gallery(
    panels: Sequence[tuple[str, ArrayLike, ArrayLike]],
    *,
    n_columns: int,
    sigma: float = VIS_SIGMA,
    peak: float = 60 * VIS_SIGMA,
) -> Figure:
    """Pictures with artefacts, and beneath each the same with the artefact's mask outlined.

    panels: title, image (y, x) in nJy and mask (y, x), `n_columns` to a row. sigma, peak: noise and
    flux shown brightest, nJy, for all images.
    """
    n_rows = -(-len(panels) // n_columns)
    figure = Figure(figsize=(2.1 * n_columns, 4.5 * n_rows), layout="constrained")
    grid = figure.subplots(2 * n_rows, n_columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for k, (title, image, mask) in enumerate(panels):
        row, column = 2 * (k // n_columns), k % n_columns
        shown = np.clip(np.asarray(image), None, peak)
        show_image(grid[row, column], shown, title=title, sigma=sigma, peak=peak)
        below = grid[row + 1, column]
        show_image(below, shown, sigma=sigma, peak=peak)
        spoilt = np.asarray(mask, float)
        if 0 < spoilt.mean() < 1:
            below.contour(spoilt, levels=[0.5], colors=[ARTEFACT], linewidths=0.7)
    return figure
