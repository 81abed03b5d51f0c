"""Figures of images, one function each: arrays in, matplotlib figure out, nothing computed.

Figures of numbers are in `charts.py`, those of objects with masks in `mask_figures.py`.

Images are stretched with arcsinh of flux over noise and shown with viridis, as in the talk. Bands
keep their colour in every figure (a set that colour-blind readers can tell apart: Wong 2011,
Nature Methods 8, 441); lensed light is cyan and the lens galaxy red, as in the talk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike

from lensy.figures.style import ARTEFACT, LENSED_LIGHT, VIS_SIGMA

MARK_RADIUS = 25.0
"""Radius of the circle around a candidate, pixels: 2.5 arcsec, the largest ring of TALK."""


def show_image(
    axes: Axes, image: ArrayLike, *, title: str = "", sigma: float = VIS_SIGMA, peak: float = 0.0
) -> None:
    """An image (y, x) in nJy, stretched, first row on top, with pixel ticks as in the talk.

    peak: flux shown brightest; the image's own maximum where it is 0.
    """
    image = np.asarray(image)
    top = np.arcsinh((peak or max(float(image.max()), 3 * sigma)) / sigma)
    bottom = max(float(np.arcsinh(image.min() / sigma)), -1.0)
    axes.imshow(np.arcsinh(image / sigma), cmap="viridis", vmin=bottom, vmax=top)
    axes.set_title(title, fontsize=9)


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


def draw_layers(panels: Mapping[str, ArrayLike], *, pixel_scale: float) -> Figure:
    """Images (y, x, nJy) side by side on one stretch, with axes in arcsec."""
    figure = Figure(figsize=(2.6 * len(panels), 2.9), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    peak = max(float(np.max(image)) for image in panels.values())
    for axes, (title, image) in zip(grid, panels.items(), strict=True):
        image = np.asarray(image)
        show_image(axes, image, title=title, peak=peak)
        half = 0.5 * image.shape[0] * pixel_scale
        axes.images[0].set_extent((-half, half, half, -half))
        axes.set_xlabel("x / arcsec")
    grid[0].set_ylabel("y / arcsec")
    return figure


def draw_candidate(
    image: ArrayLike,
    light: ArrayLike,
    *,
    marks: Sequence[tuple[float, float, str]],
    mask: ArrayLike,
    title: str,
    band_sigma: float = VIS_SIGMA,
) -> Figure:
    """A real image, its reconstructed lensed light, and both together with the candidates.

    image, light: (y, x) in nJy, drawn with row 0 at the bottom, as FITS viewers do. marks: x, y
    (pixels) and words for each candidate. mask: (y, x), True without data, shown grey.
    """
    image, light, mask = np.asarray(image), np.asarray(light), np.asarray(mask, bool)
    figure = Figure(figsize=(11.0, 4.3), layout="compressed")
    figure.suptitle(title, fontsize=10, parse_math=False)
    for axes, shown, words in zip(
        figure.subplots(1, 3, sharex=True, sharey=True),
        (image, light, image),
        ("image", "reconstructed lensed light", "candidates and lensed light"),
        strict=True,
    ):
        show_image(axes, shown, title=words, sigma=band_sigma)
        axes.imshow(np.ma.masked_where(~mask, mask), cmap="gray", vmin=0, vmax=2)
        axes.set_xlabel("x (pixels of 0.1 arcsec)")
    figure.axes[0].set_ylabel("y (pixels of 0.1 arcsec)")
    _mark_candidates(axes, light, marks, band_sigma)
    axes.invert_yaxis()
    return figure


def _mark_candidates(
    axes: Axes, light: ArrayLike, marks: Sequence[tuple[float, float, str]], sigma: float
) -> None:
    """Contours of the lensed light at 1 and 5 sigma, a circle and words around each candidate."""
    levels = [level for level in (sigma, 5 * sigma) if np.min(light) < level < np.max(light)]
    if levels:
        axes.contour(np.asarray(light), levels, colors=LENSED_LIGHT, linewidths=0.8)
    for x, y, words in marks:
        axes.add_patch(Circle((x, y), MARK_RADIUS, fill=False, color="white", linewidth=1.2))
        axes.annotate(words, (x, y + MARK_RADIUS), (0, 3), textcoords="offset points",
                      color="white", ha="center", va="bottom", fontsize=9)  # fmt: skip


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
            below.contour(spoilt, levels=[0.5], colors=[ARTEFACT], linewidths=0.9)
    return figure


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
