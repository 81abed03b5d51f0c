"""Charts that compare populations: arrays in, matplotlib figure out. As `charts.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from lensy.figures.style import BAND_COLOURS

POPULATION_COLOURS = {"TALK": "#56B4E9", "EUCLID": "black"}
"""TALK is filled, EUCLID a black line: told apart in grey print too."""


def draw_marginals(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    logarithmic: Collection[str] = (),
    n_columns: int = 3,
) -> Figure:
    """Histograms of several quantities for populations, each with its median as a dashed line.

    panels: label of the axis, and for each population the values. logarithmic: labels of axes with
    equal bins in the logarithm. Outermost values, 0.5 % on each side, are left out.
    """
    n_rows = -(-len(panels) // n_columns)
    figure = Figure(figsize=(3.0 * n_columns, 2.5 * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes, (label, values) in zip(grid.flat, panels.items(), strict=False):
        together = np.concatenate([np.asarray(each, float) for each in values.values()])
        low, high = np.quantile(together, [0.005, 0.995])
        spaced = np.geomspace if label in logarithmic else np.linspace
        n_bins = int(np.clip(np.sqrt(len(together)), 8, 30))
        bins = spaced(float(low), float(high), n_bins + 1).tolist()
        for name, each in values.items():
            each = np.asarray(each, float)
            style = {"histtype": "stepfilled" if name == "TALK" else "step", "linewidth": 1.3}
            weights = np.full(len(each), 1 / max(len(each), 1))
            colour = POPULATION_COLOURS[name]
            axes.hist(each, bins, weights=weights, color=colour, label=name, **style)
            axes.axvline(float(np.median(each)), color=colour, linestyle="--", linewidth=1.3)
        if label in logarithmic:
            axes.set_xscale("log")
            _plain_ticks(axes.xaxis)
        axes.set_xlabel(label)
        axes.set_yticks([])
    for axes in grid[:, 0]:
        axes.set_ylabel("share of lenses")
    grid[0, 0].legend(fontsize=8)
    return figure


def draw_correlations(
    panels: Sequence[tuple[str, str, Mapping[str, tuple[ArrayLike, ArrayLike]]]],
    titles: Sequence[str],
    *,
    logarithmic: Collection[str] = (),
) -> Figure:
    """Two quantities against each other, a panel for each pair; a point is a lens.

    panels: labels of both axes, and for each population the values. The later population is drawn
    on top. logarithmic: labels of vertical axes that are.
    """
    figure = Figure(figsize=(3.0 * len(panels), 3.1), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (xlabel, ylabel, values), title in zip(grid, panels, titles, strict=True):
        for marker, (name, (x, y)) in zip("so", values.items(), strict=False):
            axes.plot(x, y, marker, color=POPULATION_COLOURS[name], markersize=2.5, alpha=0.6,
                      markeredgewidth=0, label=name)  # fmt: skip
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        if ylabel in logarithmic:
            axes.set_yscale("log")
            _plain_ticks(axes.yaxis)
        axes.set_title(title, fontsize=9)
        axes.grid(color="0.9")
    grid[0].legend(fontsize=8, markerscale=2)
    return figure


def draw_galaxy_counts(
    magnitudes: ArrayLike, counts: Mapping[str, ArrayLike], expected: ArrayLike
) -> Figure:
    """Galaxies per frame brighter than a magnitude, per population, over what the sky has.

    counts, expected: (n,) at magnitudes (n,).
    """
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(magnitudes, expected, color="0.6", linewidth=5, label="number counts")
    for style, (name, values) in zip(("-", "--"), counts.items(), strict=False):
        axes.plot(magnitudes, values, style, color=POPULATION_COLOURS[name], label=name)
    axes.set_yscale("log")
    axes.set_xlabel("VIS magnitude")
    axes.set_ylabel("galaxies per frame, brighter")
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure


def _plain_ticks(axis: Axis) -> None:
    """Few ticks on a logarithmic axis, as plain numbers."""
    low, high = axis.get_view_interval()
    steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


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
