"""Charts that compare populations: arrays in, matplotlib figure out. As `charts.py`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

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
