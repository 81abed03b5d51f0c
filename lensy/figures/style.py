"""The colours, marks and frames that all figures share.

Bands keep their colour in every figure (a set that colour-blind readers can tell apart: Wong 2011,
Nature Methods 8, 441); lensed light is cyan and the lens galaxy red, as in the talk.
"""

from __future__ import annotations

from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lensy.telescope.bands import FILTERS

BAND_COLOURS = {name: each.colour for name, each in FILTERS.items()}

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

COLOURS = (*BAND_COLOURS.values(), "black")

MARKERS = ("o-", "s--", "D-.", "^:", "v-")
"""Colours, and marks with their lines, of curves that are told apart by their order alone."""

LENSED_LIGHT, LENS_GALAXY = "cyan", "red"

ARTEFACT = "#D55E00"
"""Colour of the outline of an artefact's mask: orange-red of Wong 2011, apart from viridis."""

PUBLISHED = "0.45"
"""Grey, for every published curve or number behind ours."""

VIS_SIGMA = 2.0
"""Softening of the arcsinh stretch in nJy, the VIS noise; a display setting."""


def colour_of(label: str, k: int) -> str:
    """The colour of the band or network that a label names before its comma, or else the k-th."""
    return CURVE_COLOURS.get(label.split(",")[0], COLOURS[k % len(COLOURS)])


def one_panel(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes to draw into: those given, or those of a new figure of that size, inches."""
    return ax or Figure(figsize=(width, height), layout="constrained").subplots()


def many_panels(
    n_rows: int,
    n_columns: int,
    width: float,
    height: float,
    *,
    layout: Literal["constrained", "compressed"] = "constrained",
    **shared: Any,
) -> tuple[Figure, NDArray[Any]]:
    """A new figure of that size, inches, and its axes, (n_rows, n_columns)."""
    figure = Figure(figsize=(width, height), layout=layout)
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **shared)


def finish(
    axes: Axes,
    *,
    grid: Literal["both", "x", "y"] = "both",
    legend: bool = True,
    **properties: Any,
) -> Figure:
    """Set labels, limits and scales of a chart, add its grid and legend; the figure it is in."""
    axes.set(**properties)
    axes.grid(axis=grid, color="0.9")
    if legend:
        axes.legend(fontsize=8)
    return axes.figure.figure
