"""Figures of images: arrays in, matplotlib figure out, nothing computed.

Images are stretched with arcsinh of flux over noise and shown with viridis, as in the talk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike

from lensy.errors import LensyError
from lensy.figures.style import ARTEFACT, LENSED_LIGHT, VIS_SIGMA, many_panels, one_panel
from lensy.values import Floats

MARK_RADIUS = 25.0
"""Radius of the circle around a candidate, pixels: 2.5 arcsec, the largest ring of TALK."""


def show_image(
    axes: Axes, image: ArrayLike, *, title: str = "", sigma: float = VIS_SIGMA, peak: float = 0.0
) -> None:
    """An image (y, x) in nJy, stretched, first row on top, with pixel ticks as in the talk.

    sigma: flux (nJy) above which the stretch is logarithmic, the noise. peak: flux shown brightest;
    the image's own maximum where it is 0.
    """
    image = np.asarray(image)
    top = np.arcsinh((peak or max(float(image.max()), 3 * sigma)) / sigma)
    bottom = max(float(np.arcsinh(image.min() / sigma)), -1.0)
    axes.imshow(np.arcsinh(image / sigma), cmap="viridis", vmin=bottom, vmax=top)
    axes.set_title(title, fontsize=9)


def image(
    array: ArrayLike,
    *,
    title: str = "",
    sigma: float = VIS_SIGMA,
    peak: float = 0.0,
    ax: Axes | None = None,
) -> Figure:
    """One picture of the sky, (y, x) in nJy, stretched so that faint and bright are seen.

    sigma, peak: as in `show_image`. ax: drawn into these axes, or else into a new figure.
    Raises LensyError where the array is not (y, x).

    >>> import numpy as np
    >>> image(np.eye(20), title="VIS").axes[0].get_title()
    'VIS'
    """
    axes = one_panel(ax, 3.6, 3.6)
    show_image(axes, _picture(array), title=title, sigma=sigma, peak=peak)
    return axes.figure.figure


def _picture(array: ArrayLike) -> Floats:
    picture = np.asarray(array, float)
    if picture.ndim != 2:
        raise LensyError(
            f"An image is (y, x), not of the shape {picture.shape}: choose one, such as array[0]."
        )
    return picture


def reconstruction(image: ArrayLike, light: ArrayLike, target: ArrayLike | None = None) -> Figure:
    """An image and the lensed light that a network reconstructed from it, with the truth between.

    image, light, target: (y, x) in nJy. Light and target share their stretch. Raises LensyError
    where one of them is not (y, x).

    >>> import numpy as np
    >>> figure = reconstruction(np.eye(20), np.zeros((20, 20)))
    >>> [axes.get_title() for axes in figure.axes]
    ['image', 'reconstructed lensed light']
    """
    shown = {"image": image, "lensed light (target)": target, "reconstructed lensed light": light}
    panels = {title: _picture(each) for title, each in shown.items() if each is not None}
    figure, (row,) = many_panels(1, len(panels), 2.8 * len(panels), 2.85)
    peak = 0.0 if target is None else float(np.max(target))
    for axes, (title, each) in zip(row, panels.items(), strict=True):
        show_image(axes, each, title=title, peak=0.0 if title == "image" else peak)
    return figure


def draw_contact_sheet(
    images: Sequence[ArrayLike], arcs: Sequence[ArrayLike], titles: Sequence[str], *, n_columns: int
) -> Figure:
    """Images with their lensed light below each, `n_columns` pairs to a row."""
    figure, pairs = _pairs(len(images), n_columns, width=2.0, height=4.3)
    for (above, below), image, arc, title in zip(pairs, images, arcs, titles, strict=True):
        show_image(above, image, title=title)
        show_image(below, arc, title="lensed light")
    return figure


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
    figure, pairs = _pairs(len(panels), n_columns, width=2.1, height=4.5)
    for (above, below), (title, image, mask) in zip(pairs, panels, strict=True):
        shown = np.clip(np.asarray(image), None, peak)
        show_image(above, shown, title=title, sigma=sigma, peak=peak)
        show_image(below, shown, sigma=sigma, peak=peak)
        spoilt = np.asarray(mask, float)
        if 0 < spoilt.mean() < 1:
            below.contour(spoilt, levels=[0.5], colors=[ARTEFACT], linewidths=0.9)
    return figure


def _pairs(
    n: int, n_columns: int, *, width: float, height: float
) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """A figure of `n` pairs of pictures, one above the other, of that size in inches."""
    n_rows = -(-n // n_columns)
    figure, grid = many_panels(2 * n_rows, n_columns, width * n_columns, height * n_rows)
    for axes in grid.flat:
        axes.set_axis_off()
    return figure, list(zip(grid[::2].flat, grid[1::2].flat, strict=True))[:n]


def draw_layers(panels: Mapping[str, ArrayLike], *, pixel_scale: float) -> Figure:
    """Images (y, x, nJy) side by side on one stretch, with axes in arcsec."""
    figure, (row,) = many_panels(1, len(panels), 2.6 * len(panels), 2.9, sharey=True)
    peak = max(float(np.max(image)) for image in panels.values())
    for axes, (title, image) in zip(row, panels.items(), strict=True):
        show_image(axes, image, title=title, peak=peak)
        _measure(axes, image, pixel_scale)
        axes.set_xlabel("x / arcsec")
    row[0].set_ylabel("y / arcsec")
    return figure


def _measure(axes: Axes, image: ArrayLike, pixel_scale: float) -> None:
    """Let axes count arcsec from the middle of the image that they show."""
    half = 0.5 * np.asarray(image).shape[0] * pixel_scale
    axes.images[0].set_extent((-half, half, half, -half))


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
    mask = np.asarray(mask, bool)
    figure, (row,) = many_panels(1, 3, 11.0, 4.3, layout="compressed", sharex=True, sharey=True)
    figure.suptitle(title, fontsize=10, parse_math=False)
    titles = "image", "reconstructed lensed light", "candidates and lensed light"
    for axes, shown, words in zip(row, (image, light, image), titles, strict=True):
        show_image(axes, shown, title=words, sigma=band_sigma)
        axes.imshow(np.ma.masked_where(~mask, mask), cmap="gray", vmin=0, vmax=2)
        axes.set_xlabel("x (pixels of 0.1 arcsec)")
    row[0].set_ylabel("y (pixels of 0.1 arcsec)")
    _mark_candidates(row[2], light, marks, band_sigma)
    row[2].invert_yaxis()
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
    width, height = size * n_columns + 0.3, (size + 0.15) * len(rows)
    figure, grid = many_panels(len(rows), n_columns, width, height, layout="compressed")
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
    if np.ndim(view.image) == 3:
        axes.imshow(np.asarray(view.image))
    else:
        show_image(axes, view.image, sigma=view.sigma, peak=view.peak)
    axes.set_title(view.title, fontsize=8)
    _measure(axes, view.image, view.pixel_scale)
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
    for colour, width in (("black", 4), ("white", 2)):
        axes.plot([left, left + length], [down, down], color=colour, linewidth=width)
