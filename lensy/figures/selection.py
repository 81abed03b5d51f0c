"""Charts of which lenses a network finds, and what its list of candidates is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lensy.figures.style import (
    COLOURS,
    MARKERS,
    PUBLISHED,
    colour_of,
    finish,
    many_panels,
    one_panel,
)

Share = tuple[ArrayLike, ArrayLike, ArrayLike]
"""Edges of bins (n + 1,), share per bin (n,) and its standard error (n,)."""


def draw_selection(
    panels: Mapping[str, Mapping[str, Share]],
    *,
    logarithmic: Sequence[str] = (),
    ideal: tuple[str, ArrayLike, ArrayLike] | None = None,
) -> Figure:
    """Share of lenses found against several quantities, a panel each, with standard errors.

    panels: by the quantity's name and by legend entry. logarithmic: quantities drawn so. ideal: the
    quantity against which an ideal observer is drawn, its values (k,) and shares (k,).
    """
    width = max(2.95 * len(panels), 4.6)
    figure, (row,) = many_panels(1, len(panels), width, 3.3, sharey=True)
    for axes, (quantity, curves) in zip(row, panels.items(), strict=True):
        for k, (label, (edges, share, error)) in enumerate(curves.items()):
            edges = np.asarray(edges, float)
            middle = 0.5 * (edges[1:] + edges[:-1])
            if quantity in logarithmic:
                middle = np.sqrt(edges[1:] * edges[:-1])
                axes.set_xscale("log")
            axes.errorbar(middle, share, error, fmt=MARKERS[k % 5], color=colour_of(label, k),
                          markersize=3.5, label=label, capsize=2)  # fmt: skip
        if ideal and ideal[0] == quantity:
            axes.plot(ideal[1], ideal[2], color=PUBLISHED, label="ideal observer", zorder=0)
        finish(axes, legend=False, xlabel=quantity, ylim=(-0.02, 1.02))
    row[0].set_ylabel("share of lenses found")
    entries = {
        label: handle
        for axes in row
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    row[0].legend(entries.values(), entries.keys(), fontsize=8, loc="best")
    return figure


def draw_reliability(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]], probabilities: ArrayLike
) -> Figure:
    """Stated probability against the share of lenses among the images it was stated for.

    curves: by legend entry, mean probability, share of lenses and its standard error per bin, (k,)
    each. probabilities: (n,), how they are distributed, drawn below.
    """
    figure, grid = many_panels(2, 1, 4.6, 4.6, sharex=True, height_ratios=(4, 1))
    upper, lower = grid[:, 0]
    upper.plot([0, 1], [0, 1], color=PUBLISHED, label="perfectly calibrated")
    for k, (label, (stated, share, error)) in enumerate(curves.items()):
        upper.errorbar(stated, share, error, fmt=MARKERS[k], color=COLOURS[k], markersize=4,
                       label=label, capsize=2)  # fmt: skip
    finish(upper, ylabel="share that are lenses")
    lower.hist(np.asarray(probabilities, float), bins=20, range=(0, 1), color=COLOURS[0])
    lower.set(xlabel="stated probability of lens", ylabel="images")
    return figure


def draw_purity(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, prevalence: float, ax: Axes | None = None
) -> Figure:
    """Share of lenses in a candidate list against the share of lenses that it holds.

    curves: completeness (k,) and purity (k,), by legend entry. prevalence: on the sky, drawn as
    the purity of guessing.
    """
    axes = one_panel(ax, 5.6, 3.4)
    for k, (label, (completeness, purity)) in enumerate(curves.items()):
        axes.plot(completeness, purity, MARKERS[k % 5][1:], color=COLOURS[k % 5], label=label)
    axes.axhline(prevalence, color=PUBLISHED, linestyle=":", label="guessing")
    return finish(
        axes,
        yscale="log",
        xlabel="completeness: share of the lenses that is in the list",
        ylabel="purity: share of the list\nthat is lenses",
        ylim=(0.5 * prevalence, 1.5),
    )
