"""Pictures in rows, for looking at many examples: arrays in, matplotlib figure out.

As `figures.py`, whose stretch they share; here pictures may be in colour, and a part of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from lensy.figures import VIS_SIGMA, show_image


@dataclass(frozen=True)
class View:
    """A picture and how to show it.

    image: (y, x) in nJy, or (y, x, rgb) in 0 to 1. centre, half_width: what is shown of it, arcsec
    from the middle of the image. sigma, peak: as in `show_image`. box: middle x and y and half the
    side of a square to draw, arcsec.
    """

    image: ArrayLike
    title: str = ""
    pixel_scale: float = 0.1
    centre: tuple[float, float] = (0.0, 0.0)
    half_width: float = 10.0
    sigma: float = VIS_SIGMA
    peak: float = 0.0
    box: tuple[float, float, float] | None = None


def draw_views(rows: Sequence[tuple[str, Sequence[View]]], *, size: float = 1.9) -> Figure:
    """Pictures in rows, each row with words at its left and a bar of a length that they state.

    size: of a picture, inches. What lies beyond an image is light grey.
    """
    n_columns = max(len(views) for _, views in rows)
    figure = Figure(
        figsize=(size * n_columns + 0.3, (size + 0.15) * len(rows)), layout="compressed"
    )
    grid = figure.subplots(len(rows), n_columns, squeeze=False)
    for line, (words, views) in zip(grid, rows, strict=True):
        for axes in line[len(views) :]:
            axes.set_axis_off()
        for axes, view in zip(line, views, strict=False):
            _show_view(axes, view)
        bar = 1 if views[0].half_width < 5 else 5
        line[0].set_ylabel(f"{words}\nbar: {bar} arcsec", fontsize=8)
        _draw_bar(line[0], views[0], bar)
    return figure


def _show_view(axes: Axes, view: View) -> None:
    image = np.asarray(view.image)
    if image.ndim == 3:
        axes.imshow(image)
        axes.set_title(view.title, fontsize=8)
    else:
        show_image(axes, image, sigma=view.sigma, peak=view.peak)
        axes.set_title(view.title, fontsize=8)
    half = 0.5 * image.shape[0] * view.pixel_scale
    axes.images[0].set_extent((-half, half, half, -half))
    (x, y), reach = view.centre, view.half_width
    axes.set(xlim=(x - reach, x + reach), ylim=(y + reach, y - reach), xticks=[], yticks=[])
    axes.set_facecolor("0.85")
    if view.box:
        left, top, side = view.box[0] - view.box[2], view.box[1] - view.box[2], 2 * view.box[2]
        axes.add_patch(Rectangle((left, top), side, side, fill=False, color="white", linewidth=1))


def _draw_bar(axes: Axes, view: View, length: float) -> None:
    """A white bar in the lower left corner, `length` arcsec long."""
    left = view.centre[0] - 0.9 * view.half_width
    down = view.centre[1] + 0.88 * view.half_width
    axes.plot([left, left + length], [down, down], color="black", linewidth=4)
    axes.plot([left, left + length], [down, down], color="white", linewidth=2)
