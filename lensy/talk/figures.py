"""Pictures that only the chapters use: arrays in, matplotlib figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import ArrayLike

from lensy.figures.images import show_image
from lensy.figures.objects import colour_masks, outline
from lensy.figures.style import LENS_GALAXY, LENSED_LIGHT, VIS_SIGMA, many_panels, one_panel

FLAT = 1e-5
"""Differences below this are the rounding of single precision: such a picture is a plain grey."""

STAGE_COLOURS = {"encoder": "#E69F00", "bottleneck": "#CC79A7", "decoder": "#56B4E9"}
"""Of the boxes of a U-Net; all others are green."""


def draw_architecture(stages: Sequence[tuple[str, int, int]], *, ax: Axes | None = None) -> Figure:
    """A U-Net as boxes: height for pixels, width for channels, grey arrows for skips.

    stages: (name, channels, pixels on a side) in the order of the forward pass; encoders and
    decoders of equal size face each other.
    """
    axes = one_panel(ax, 8.4, 3.9)
    largest = max(n_pixels for _, _, n_pixels in stages)
    places, left = {}, 0.0
    for name, n_channels, n_pixels in stages:
        height, width = n_pixels / largest, 0.06 + 0.05 * np.log2(n_channels)
        colour = STAGE_COLOURS.get(name.split()[0], "#009E73")
        axes.add_patch(Rectangle((left, -height / 2), width, height, color=colour, ec="black"))
        middle = left + width / 2
        axes.text(middle, -height / 2 - 0.03, f"{n_channels} x {n_pixels}$^2$", ha="center",
                  va="top", fontsize=7)  # fmt: skip
        axes.text(middle, height / 2 + 0.02, name, ha="center", va="bottom", fontsize=7)
        places[name] = (middle, height / 2 + 0.09)
        left += width + 0.32
    n_levels = sum(name.startswith("encoder") for name in places)
    for level in range(1, n_levels + 1):
        start, top = places[f"encoder {level}"]
        end, _ = places[f"decoder {n_levels + 1 - level}"]
        skip = FancyArrowPatch((start, top), (end, top), arrowstyle="->", mutation_scale=9)
        skip.set_color("0.5")
        axes.add_patch(skip)
    axes.set(xlim=(-0.2, left), ylim=(-0.65, 0.72))
    axes.set_axis_off()
    return axes.figure.figure


def draw_flat_enlarged(pictures: Mapping[str, ArrayLike]) -> Figure:
    """Small pictures side by side, each on its own grey scale, with a title."""
    figure, (row,) = many_panels(1, len(pictures), 2.6 * len(pictures), 2.8)
    for axes, (title, picture) in zip(row, pictures.items(), strict=True):
        values = np.asarray(picture, float)
        low, high = values.min(), values.max()
        if high - low < FLAT:
            low, high = low - 1, high + 1
        axes.imshow(values, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set(xticks=[], yticks=[])
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
    figure, ((sky, source),) = many_panels(1, 2, 7.2, 3.6)
    extent = (-half_width, half_width, half_width, -half_width)
    planes = (sky, image_plane, "what we see"), (source, source_plane, "what is there")
    for axes, image, title in planes:
        axes.imshow(np.asarray(image), extent=extent, cmap="viridis")
        axes.set(title=title, xlabel="x / arcsec", ylabel="y / arcsec")
    for number, (theta, beta) in enumerate(rays, start=1):
        for axes, position in ((sky, theta), (source, beta)):
            x, y = np.asarray(position, float)
            axes.plot(x, y, "o", color="white", markeredgecolor="black", markersize=5)
        sky.annotate(str(number), np.asarray(theta, float), color="white", xytext=(5, 5),
                     textcoords="offset points")  # fmt: skip
    return figure


def draw_triptychs(
    rows: Sequence[tuple[ArrayLike, ArrayLike, ArrayLike]], scores: Sequence[float]
) -> Figure:
    """Input, target, output in three columns as in the talk, the score over the output.

    rows: images (y, x) in nJy. Target and output share their stretch; the input has its own.
    """
    figure, grid = many_panels(len(rows), 3, 8.4, 2.85 * len(rows))
    for axes, (image, target, output), score in zip(grid, rows, scores, strict=True):
        peak = float(np.max(target))
        show_image(axes[0], image)
        show_image(axes[1], target, peak=peak)
        show_image(axes[2], output, peak=peak, title=f"{score:.2f}")
    titles = "image", "lensed light (target)", f"output\n{grid[0, 2].get_title()}"
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=9)
    return figure


def draw_coverage(
    maps: Mapping[str, tuple[ArrayLike, tuple[float, float]]], *, frame: float
) -> Figure:
    """How many of the four exposures saw each place, one panel per instrument.

    maps: number of exposures (y, x) over an extent (width, height) in arcsec. frame: side of the
    square, drawn to scale, that is one of our images, arcsec.
    """
    figure, (row,) = many_panels(1, len(maps), 8.4, 4.4)
    norm = BoundaryNorm(np.arange(-0.5, 5), 256)
    for axes, (name, (counts, (width, height))) in zip(row, maps.items(), strict=True):
        axes.imshow(np.asarray(counts), norm=norm, extent=(0, width, 0, height), origin="lower",
                    interpolation="nearest")  # fmt: skip
        axes.add_patch(Rectangle((0.1 * width, 0.1 * height), frame, frame, color="white", ec="k"))
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("along rows / arcsec")
    row[0].set_ylabel("along columns / arcsec")
    figure.colorbar(ScalarMappable(norm, "viridis"), ax=row.tolist(), ticks=range(5),
                    label="exposures", shrink=0.8)  # fmt: skip
    return figure


def draw_noise_maps(
    panels: Sequence[tuple[str, ArrayLike, ArrayLike]], *, pixel_scale: float
) -> Figure:
    """Images on one stretch, and beneath each how much its pixels scatter from place to place.

    panels: title, image (y, x) in nJy and scatter (nJy) of square blocks of it, NaN without data.
    pixel_scale: of the images, arcsec.
    """
    n = len(panels)
    figure, grid = many_panels(
        2, n, 2.5 * n + 0.8, 5.1, layout="compressed", sharex=True, sharey=True
    )
    peak = max(float(np.max(image)) for _, image, _ in panels)
    least, most = (float(each([s for _, _, s in panels])) for each in (np.nanmin, np.nanmax))
    half = 0.5 * np.asarray(panels[0][1]).shape[0] * pixel_scale
    extent = (-half, half, half, -half)
    for (title, image, scatter), above, below in zip(panels, *grid, strict=True):
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


def draw_input_panels(
    panels: Sequence[tuple[ArrayLike, ArrayLike, Sequence[ArrayLike]]],
) -> Figure:
    """Input, lensed light and object masks in three columns, as the talk's "Input Data" figures.

    panels: image and lensed light (y, x) in nJy, and the masks (y, x) of lens galaxy, lensed light
    and every companion. The images are stretched less than elsewhere and the lensed light more,
    which comes near to the talk's: little noise in the one, a glow round the rings in the other.
    """
    figure, grid = many_panels(len(panels), 3, 8.4, 2.85 * len(panels))
    for axes, (image, arc, masks) in zip(grid, panels, strict=True):
        show_image(axes[0], image, sigma=5 * VIS_SIGMA)
        show_image(axes[1], arc, sigma=VIS_SIGMA / 4)
        axes[2].imshow(colour_masks(masks), interpolation="nearest")
    for axes, title in zip(grid[0], ("image", "lensed light", "masks"), strict=True):
        axes.set_title(title, fontsize=9)
    return figure


def draw_thresholds(image: ArrayLike, masks: Mapping[float, Sequence[ArrayLike]]) -> Figure:
    """One image with masks at several percentiles: outlines above, coloured masks below.

    image: (y, x) in nJy. masks: per percentile those of lens galaxy, lensed light and companions.
    The outlines are those of the first two.
    """
    figure, grid = many_panels(2, len(masks), 2.8 * len(masks), 5.8)
    for (percentile, objects), above, below in zip(masks.items(), *grid, strict=True):
        show_image(above, image, title=f"{percentile:g}th percentile")
        for mask, colour in zip(objects, (LENS_GALAXY, LENSED_LIGHT), strict=False):
            outline(above, mask, colour)
        below.imshow(colour_masks(objects), interpolation="nearest")
    for axes in grid[0]:
        axes.set_xticklabels([])
    for axes in grid[:, 1:].flat:
        axes.set_yticklabels([])
    return figure
