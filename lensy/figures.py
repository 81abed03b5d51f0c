"""Figures of images, one function each: arrays in, matplotlib figure out, nothing computed.

Figures of numbers are in `charts.py`, those of objects with masks in `mask_figures.py`.

Images are stretched with arcsinh of flux over noise and shown with viridis, as in the talk. Bands
keep their colour in every figure (a set that colour-blind readers can tell apart: Wong 2011,
Nature Methods 8, 441); lensed light is cyan and the lens galaxy red, as in the talk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike

BAND_COLOURS = {"VIS": "#0072B2", "Y": "#E69F00", "J": "#009E73", "H": "#D55E00"}
CURVE_COLOURS = {
    **BAND_COLOURS,
    "OU": "#CC79A7",
    "MRC-995": "#009E73",
    "MRC-99": "#E69F00",
    "MRC-95": "#56B4E9",
    "MRC-3": "#D55E00",
    "MRC-4": "black",
}
"""Colour of a curve by how its name begins, the first that fits: bands, the predecessor's networks,
Mask R-CNNs in the talk's order of colours."""
LENSED_LIGHT, LENS_GALAXY = "cyan", "red"
ARTEFACT = "#D55E00"
"""Colour of the outline of an artefact's mask: orange-red of Wong 2011, apart from viridis."""
PUBLISHED = "0.45"
"""Grey, for every published curve or number behind ours."""

MARK_RADIUS = 25.0
"""Radius of the circle around a candidate, pixels: 2.5 arcsec, the largest ring of TALK."""

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


def draw_lens_sketch(
    rays: Sequence[tuple[ArrayLike, ArrayLike]],
    image_plane: ArrayLike,
    source_plane: ArrayLike,
    *,
    half_width: float,
) -> Figure:
    """Sky and source plane side by side, with points on the sky joined to their origin.

    rays: pairs of a position on the sky and where its light left the source plane, each (x, y) in
    arcsec. image_plane, source_plane: surface brightness (y, x) within +- half_width arcsec.
    """
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    sky, source = figure.subplots(1, 2)
    extent = (-half_width, half_width, half_width, -half_width)
    for axes, image, title in [
        (sky, image_plane, "what we see"),
        (source, source_plane, "what is there"),
    ]:
        axes.imshow(np.asarray(image), extent=extent, cmap="viridis")
        axes.set_title(title)
        axes.set_xlabel("x / arcsec")
        axes.set_ylabel("y / arcsec")
    for number, (theta, beta) in enumerate(rays, start=1):
        for axes, position in [(sky, theta), (source, beta)]:
            x, y = np.asarray(position, float)
            axes.plot(x, y, "o", color="white", markeredgecolor="black", markersize=5)
        axes = sky
        x, y = np.asarray(theta, float)
        axes.annotate(str(number), (x, y), color="white", xytext=(5, 5),
                      textcoords="offset points")  # fmt: skip
    return figure


def draw_triptychs(
    rows: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]], scores: Sequence[float]
) -> Figure:
    """Input, target, output in three columns as in the talk, the score over the output.

    rows: images (y, x) in nJy. Target and output share their stretch; the input has its own.
    """
    figure = Figure(figsize=(8.4, 2.85 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, (image, target, output), score in zip(grid, rows, scores, strict=True):
        peak = float(np.max(target))
        show_image(axes[0], image)
        show_image(axes[1], target, peak=peak)
        show_image(axes[2], output, peak=peak, title=f"{score:.2f}")
    for axes, title in zip(grid[0], ("image", "lensed light (target)", "output"), strict=True):
        text = axes.get_title()
        axes.set_title(f"{title}\n{text}" if text else title, fontsize=9)
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


def draw_coverage(
    maps: Mapping[str, tuple[ArrayLike, tuple[float, float]]], *, frame: float
) -> Figure:
    """How many of the four exposures saw each place, one panel per instrument.

    maps: number of exposures (y, x) over an extent (width, height) in arcsec. frame: side of the
    square, drawn to scale, that is one of our images, arcsec.
    """
    figure = Figure(figsize=(8.4, 4.4), layout="constrained")
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    norm = BoundaryNorm(np.arange(-0.5, 5), 256)
    for axes, (name, (counts, (width, height))) in zip(panels, maps.items(), strict=True):
        axes.imshow(np.asarray(counts), norm=norm, extent=(0, width, 0, height), origin="lower",
                    interpolation="nearest")  # fmt: skip
        axes.add_patch(Rectangle((0.1 * width, 0.1 * height), frame, frame, color="white", ec="k"))
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("along rows / arcsec")
    panels[0].set_ylabel("along columns / arcsec")
    figure.colorbar(ScalarMappable(norm, "viridis"), ax=panels.tolist(), ticks=range(5),
                    label="exposures", shrink=0.8)  # fmt: skip
    return figure


def draw_noise_maps(
    panels: Sequence[tuple[str, ArrayLike, ArrayLike]], *, pixel_scale: float
) -> Figure:
    """Images on one stretch, and beneath each how much its pixels scatter from place to place.

    panels: title, image (y, x) in nJy and scatter (nJy) of square blocks of it, NaN without data.
    pixel_scale: of the images, arcsec.
    """
    figure = Figure(figsize=(2.5 * len(panels) + 0.8, 5.1), layout="compressed")
    grid = figure.subplots(2, len(panels), sharex=True, sharey=True, squeeze=False)
    peak = max(float(np.max(image)) for _, image, _ in panels)
    least, most = (float(each([s for _, _, s in panels])) for each in (np.nanmin, np.nanmax))
    half = 0.5 * np.asarray(panels[0][1]).shape[0] * pixel_scale
    extent = (-half, half, half, -half)
    for (title, image, scatter), above, below in zip(panels, grid[0], grid[1], strict=True):
        show_image(above, image, title=title, peak=peak)
        above.images[0].set_extent(extent)
        shown = below.imshow(np.asarray(scatter), cmap="magma", vmin=least, vmax=most,
                             extent=extent, interpolation="nearest")  # fmt: skip
        below.set_facecolor("0.6")
        below.set_xlabel("x / arcsec")
    for axes in grid[:, 0]:
        axes.set_ylabel("y / arcsec")
    figure.colorbar(shown, ax=grid[1].tolist(), label="noise / nJy")
    return figure
