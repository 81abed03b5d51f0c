"""Charts that compare populations of lenses, and bands: arrays in, matplotlib figure out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from lensy.figures.style import BAND_COLOURS, finish, many_panels, one_panel

Points = tuple[ArrayLike, ArrayLike]

POPULATION_COLOURS = {"TALK": "#56B4E9", "EUCLID": "black"}
"""TALK is filled, EUCLID a black line: told apart in grey print too."""

LENSES, SOURCES = "#D62728", "#17BECF"
"""Lens galaxies red and lensed sources cyan, as in the talk, but dark enough for white paper."""


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
    figure, grid = many_panels(n_rows, n_columns, 3.0 * n_columns, 2.5 * n_rows)
    for axes, (label, values) in zip(grid.flat, panels.items(), strict=False):
        _draw_histograms(axes, values, np.geomspace if label in logarithmic else np.linspace)
        if label in logarithmic:
            axes.set_xscale("log")
            _plain_ticks(axes.xaxis)
        axes.set(xlabel=label, yticks=[])
    for axes in grid[:, 0]:
        axes.set_ylabel("share of lenses")
    grid[0, 0].legend(fontsize=8)
    return figure


def _draw_histograms(axes: Axes, values: Mapping[str, ArrayLike], spaced: Any) -> None:
    """The populations' shares in common bins, spaced as `np.linspace` does or another."""
    together = np.concatenate([np.asarray(each, float) for each in values.values()])
    low, high = np.quantile(together, [0.005, 0.995])
    n_bins = int(np.clip(np.sqrt(len(together)), 8, 30))
    bins = spaced(float(low), float(high), n_bins + 1).tolist()
    for name, each in values.items():
        each = np.asarray(each, float)
        colour = POPULATION_COLOURS[name]
        axes.hist(each, bins, weights=np.full(len(each), 1 / max(len(each), 1)), color=colour,
                  histtype="stepfilled" if name == "TALK" else "step", linewidth=1.3,
                  label=name)  # fmt: skip
        axes.axvline(float(np.median(each)), color=colour, linestyle="--", linewidth=1.3)


def draw_correlations(
    panels: Sequence[tuple[str, str, Mapping[str, Points]]],
    titles: Sequence[str],
    *,
    logarithmic: Collection[str] = (),
) -> Figure:
    """Two quantities against each other, a panel for each pair; a point is a lens.

    panels: labels of both axes, and for each population the values. The later population is drawn
    on top. logarithmic: labels of vertical axes that are.
    """
    figure, (row,) = many_panels(1, len(panels), 3.0 * len(panels), 3.1)
    for axes, (xlabel, ylabel, values), title in zip(row, panels, titles, strict=True):
        for marker, (name, (x, y)) in zip("so", values.items(), strict=False):
            axes.plot(x, y, marker, color=POPULATION_COLOURS[name], markersize=2.5, alpha=0.6,
                      markeredgewidth=0, label=name)  # fmt: skip
        if ylabel in logarithmic:
            axes.set_yscale("log")
            _plain_ticks(axes.yaxis)
        axes.set_title(title, fontsize=9)
        finish(axes, legend=False, xlabel=xlabel, ylabel=ylabel)
    row[0].legend(fontsize=8, markerscale=2)
    return figure


def draw_galaxy_counts(
    magnitudes: ArrayLike,
    counts: Mapping[str, ArrayLike],
    expected: ArrayLike,
    *,
    ax: Axes | None = None,
) -> Figure:
    """Galaxies per frame brighter than a magnitude, per population, over what the sky has.

    counts, expected: (n,) at magnitudes (n,).
    """
    axes = one_panel(ax, 5.6, 3.4)
    axes.plot(magnitudes, expected, color="0.6", linewidth=5, label="number counts")
    for style, (name, values) in zip(("-", "--"), counts.items(), strict=False):
        axes.plot(magnitudes, values, style, color=POPULATION_COLOURS[name], label=name)
    ylabel = "galaxies per frame, brighter"
    return finish(axes, yscale="log", xlabel="VIS magnitude", ylabel=ylabel)


def _plain_ticks(axis: Axis) -> None:
    """Few ticks on a logarithmic axis, as plain numbers."""
    low, high = axis.get_view_interval()
    steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def draw_colour_tracks(
    redshifts: ArrayLike,
    tracks: Mapping[str, ArrayLike],
    *,
    lenses: Points,
    sources: Points,
    ylabel: str,
    ax: Axes | None = None,
) -> Figure:
    """Colour against redshift for types of galaxies, and the galaxies of a data set among them.

    tracks: colour (n,) per type, from old to young, at redshifts (n,). lenses, sources: redshifts
    and colours of lens galaxies and of what is behind them.
    """
    axes = one_panel(ax, 8.4, 4.4)
    last = float(np.asarray(redshifts)[-1])
    shades = colormaps["RdYlBu"](np.linspace(0.02, 0.98, len(tracks)))
    for shade, (name, track) in zip(shades, tracks.items(), strict=True):
        axes.plot(redshifts, track, color="0.35", linewidth=3.4)
        axes.plot(redshifts, track, color=shade, linewidth=2.2)
        axes.annotate(name, (last, np.asarray(track)[-1]), (5, 0), textcoords="offset points",
                      va="center", fontsize=8)  # fmt: skip
    for marker, colour, label, (redshift, values) in (
        ("o", LENSES, "lens galaxies", lenses),
        ("^", SOURCES, "lensed sources", sources),
    ):
        axes.scatter(redshift, values, 18, colour, marker=marker, label=label, zorder=3,
                     edgecolors="black", linewidths=0.4)  # fmt: skip
    axes.legend(fontsize=8, markerscale=1.5)
    return finish(axes, legend=False, xlim=(0, last), xlabel="redshift", ylabel=ylabel)


def draw_per_band(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Distributions per band, a panel for each quantity, on logarithmic axes.

    panels: label of the axis, and for each band the values. Boxes hold the middle half and carry
    their median, whiskers reach from 5 to 95 %.
    """
    figure, (row,) = many_panels(1, len(panels), 4.2 * len(panels), 3.4)
    for axes, (label, values) in zip(row, panels.items(), strict=True):
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
        finish(axes, grid="y", legend=False, xlim=(0.4, len(values) + 0.8), yscale="log",
               ylabel=label)  # fmt: skip
    return figure
