"""Figures of objects: their masks and boxes, true and found. Arrays in, matplotlib figure out.

Masks have the talk's colours; outlines have one colour per class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from lensy.figures.images import show_image
from lensy.figures.style import ARTEFACT, LENS_GALAXY, LENSED_LIGHT, VIS_SIGMA, many_panels
from lensy.values import Floats

COMPANIONS = ("lime", "yellow", "magenta", "gray", "maroon", "olive", "green", "purple", "teal")
"""The talk's colours of other galaxies. Of its four panels the one with four galaxies has the first
four of these, the one with eight all but teal; which lies above which agrees too (reading)."""

CLASS_COLOURS = {
    "lensed light": LENSED_LIGHT,
    "lens galaxy": LENS_GALAXY,
    "galaxy": "white",
    "artefact": ARTEFACT,
}
"""Colours of outlines by class."""


class Outlined(NamedTuple):
    """An object of a picture.

    name: of its class, or anything else for a white box without one. mask: (y, x). box: x, y, width
    and height in pixels as COCO has it. words: beside the box.
    """

    name: str
    mask: ArrayLike
    box: Sequence[float]
    words: str = ""


def colour_masks(masks: Sequence[ArrayLike]) -> Floats:
    """Masks of lens galaxy, lensed light and companions as one picture, (y, x, rgb) in 0 to 1.

    Lensed light covers the lens galaxy, which covers the companions, of which an earlier covers a
    later one: the order of `targets.top_down`.
    """
    picture = np.zeros((*np.asarray(masks[0]).shape, 3))
    others = [to_rgb(COMPANIONS[k % len(COMPANIONS)]) for k in range(len(masks) - 2)]
    colours = [to_rgb(LENS_GALAXY), to_rgb(LENSED_LIGHT), *others]
    lowest_first = [*range(len(masks) - 1, 1, -1), 0, 1]
    for number in lowest_first:
        picture[np.asarray(masks[number], bool)] = colours[number]
    return picture


def draw_objects(panels: Sequence[tuple[ArrayLike, Sequence[Outlined]]]) -> Figure:
    """Images (y, x) in nJy with every object's mask outlined and its box drawn."""
    return draw_object_rows([[("", image, objects) for image, objects in panels]])


def draw_object_rows(
    rows: Sequence[Sequence[tuple[str, ArrayLike, Sequence[Outlined]]]],
    *,
    title: str = "",
    sigma: float = VIS_SIGMA,
    upwards: bool = False,
) -> Figure:
    """Panels of a title, an image (y, x) in nJy and its objects, as many in each row.

    Every object's mask is outlined and its box drawn in the colour of its class. upwards: whether
    the first row is at the bottom, as FITS viewers have it.
    """
    n_columns = len(rows[0])
    figure, grid = many_panels(len(rows), n_columns, 3.6 * n_columns, 3.6 * len(rows) + 0.4)
    figure.suptitle(title, fontsize=10, parse_math=False)
    for line, row in zip(grid, rows, strict=True):
        for axes, (words, image, objects) in zip(line, row, strict=True):
            show_image(axes, image, title=words, sigma=sigma)
            for each in objects:
                _draw_object(axes, Outlined(*each), upwards=upwards)
            if upwards:
                axes.invert_yaxis()
    handles = {h.get_label(): h for axes in figure.axes for h in axes.patches}
    shown = [handles[name] for name in CLASS_COLOURS if name in handles]
    if shown:
        figure.legend(handles=shown, loc="outside lower center", ncols=4, fontsize=9,
                      facecolor="0.35", labelcolor="white")  # fmt: skip
    return figure


def _draw_object(axes: Axes, each: Outlined, *, upwards: bool) -> None:
    colour = CLASS_COLOURS.get(each.name, "white")
    outline(axes, each.mask, colour)
    x, y, width, height = each.box
    # a pixel's centre has whole coordinates, its corner lies half a pixel before
    box = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, color=colour)
    box.set(linewidth=0.8, linestyle="--", label=each.name)
    axes.add_patch(box)
    top = y + height - 1 if upwards else y
    axes.annotate(each.words, (x + width / 2, top), (0, 2), textcoords="offset points",
                  color=colour, ha="center", va="bottom", fontsize=8,
                  path_effects=[withStroke(linewidth=2, foreground="0.15")])  # fmt: skip


def outline(axes: Axes, mask: ArrayLike, colour: str) -> None:
    """The rim of a mask, on a thin dark line that sets it apart from bright pixels."""
    mask = np.asarray(mask, float)
    if 0 < mask.mean() < 1:
        rim = axes.contour(mask, levels=[0.5], colors=[colour], linewidths=1.4)
        rim.set_path_effects([withStroke(linewidth=2.4, foreground="0.15")])
