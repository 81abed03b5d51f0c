"""One function per figure: arrays in, matplotlib figure out. Nothing is loaded or computed here.

Images are stretched with arcsinh of flux over noise and shown with viridis, as in the talk. Bands
keep their colour in every figure (a set that colour-blind readers can tell apart: Wong 2011,
Nature Methods 8, 441); lensed light is cyan and the lens galaxy red, as in the talk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

BAND_COLOURS = {"VIS": "#0072B2", "Y": "#E69F00", "J": "#009E73", "H": "#D55E00"}
LENSED_LIGHT, LENS_GALAXY = "cyan", "red"
PUBLISHED = "0.45"
"""Grey, for every published curve or number behind ours."""

VIS_SIGMA = 2.0
"""Softening of the arcsinh stretch in nJy, the VIS noise; a display setting."""


def show_image(
    axes: Axes, image: ArrayLike, *, title: str = "", sigma: float = VIS_SIGMA, peak: float = 0.0
) -> None:
    """An image (y, x) in nJy, stretched, first row on top, with pixel ticks as in the talk.

    peak: flux shown brightest; the image's own maximum where it is 0.
    """
    image = np.asarray(image)
    top = np.arcsinh((peak or max(float(image.max()), 3 * sigma)) / sigma)
    axes.imshow(np.arcsinh(image / sigma), cmap="viridis", vmin=-1.0, vmax=top)
    axes.set_title(title, fontsize=9)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])


def draw_contact_sheet(
    images: Sequence[ArrayLike], arcs: Sequence[ArrayLike], titles: Sequence[str], *, n_columns: int
) -> Figure:
    """Images with their lensed light below each, `n_columns` pairs to a row."""
    n_rows = -(-len(images) // n_columns)
    figure = Figure(figsize=(2.0 * n_columns, 4.3 * n_rows), layout="constrained")
    grid = np.atleast_2d(figure.subplots(2 * n_rows, n_columns, squeeze=False))
    for axes in grid.flat:
        axes.set_axis_off()
    for k, (image, arc, title) in enumerate(zip(images, arcs, titles, strict=True)):
        row, column = 2 * (k // n_columns), k % n_columns
        show_image(grid[row, column], image, title=title)
        show_image(grid[row + 1, column], arc, title="lensed light")
    return figure
