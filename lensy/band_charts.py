"""Charts of bands and colours: arrays in, matplotlib figure out. As `charts.py`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lensy.figures import BAND_COLOURS

Curve = tuple[ArrayLike, ArrayLike]

LENSES, SOURCES = "#D62728", "#17BECF"
"""Lens galaxies red and lensed sources cyan, as in the talk, but dark enough for white paper."""


def draw_colour_tracks(
    redshifts: ArrayLike,
    tracks: Mapping[str, ArrayLike],
    *,
    lenses: Curve,
    sources: Curve,
    ylabel: str,
) -> Figure:
    """Colour against redshift for types of galaxies, and the galaxies of a data set among them.

    tracks: colour (n,) per type, from old to young, at redshifts (n,). lenses, sources: redshifts
    and colours of lens galaxies and of what is behind them.
    """
    figure = Figure(figsize=(8.4, 4.4), layout="constrained")
    axes = figure.subplots()
    shades = colormaps["RdYlBu"](np.linspace(0.02, 0.98, len(tracks)))
    for shade, (name, colour) in zip(shades, tracks.items(), strict=True):
        axes.plot(redshifts, colour, color="0.35", linewidth=3.4)
        axes.plot(redshifts, colour, color=shade, linewidth=2.2)
        end = (np.asarray(redshifts)[-1], np.asarray(colour)[-1])
        axes.annotate(name, end, (5, 0), textcoords="offset points", va="center", fontsize=8)
    for marker, colour, label, (redshift, values) in (
        ("o", LENSES, "lens galaxies", lenses),
        ("^", SOURCES, "lensed sources", sources),
    ):
        axes.scatter(redshift, values, 18, colour, marker=marker, label=label, zorder=3,
                     edgecolors="black", linewidths=0.4)  # fmt: skip
    axes.set_xlim(0, float(np.asarray(redshifts)[-1]))
    axes.set_xlabel("redshift")
    axes.set_ylabel(ylabel)
    axes.grid(color="0.9")
    axes.legend(fontsize=8, markerscale=1.5)
    return figure


def draw_per_band(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Distributions per band, a panel for each quantity, on logarithmic axes.

    panels: label of the axis, and for each band the values. Boxes hold the middle half and carry
    their median, whiskers reach from 5 to 95 %.
    """
    figure = Figure(figsize=(4.2 * len(panels), 3.4), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (label, values) in zip(grid, panels.items(), strict=True):
        shown = [np.asarray(each, float) for each in values.values()]
        boxes = axes.boxplot(shown, whis=(5, 95), showfliers=False, widths=0.6, patch_artist=True)
        for name, patch, line, each in zip(
            values, boxes["boxes"], boxes["medians"], shown, strict=True
        ):
            patch.set(facecolor=BAND_COLOURS[name], alpha=0.75)
            line.set(color="black", linewidth=1.6)
            place, median = line.get_xdata()[1], float(np.median(each))
            axes.annotate(f"{median:.2g}", (place, median), (3, 0), textcoords="offset points",
                          va="center", fontsize=8)  # fmt: skip
        axes.set_xticks(range(1, len(values) + 1), list(values))
        axes.set_xlim(0.4, len(values) + 0.8)
        axes.set_yscale("log")
        axes.set_ylabel(label)
        axes.grid(color="0.9", axis="y")
    return figure
