"""Figures of what a finished network can and cannot do. Arrays in, matplotlib figure out.

As `charts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lensy.figures import BAND_COLOURS, CURVE_COLOURS, PUBLISHED

Share = tuple[ArrayLike, ArrayLike, ArrayLike]
"""Edges of bins (n + 1,), share per bin (n,) and its standard error (n,)."""

COLOURS = (*BAND_COLOURS.values(), "black")
FLAT = 1e-5
"""Differences below this are the rounding of single precision: such a picture is a plain grey."""

STYLES = ("o-", "s--", "D-.", "^:", "v-")


def _colour(label: str, k: int) -> str:
    """The colour of the band or network that a label names first, or else the k-th colour."""
    return CURVE_COLOURS.get(label.split(",")[0], COLOURS[k % len(COLOURS)])


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
    figure = Figure(figsize=(width, 3.3), layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (quantity, curves) in zip(row, panels.items(), strict=True):
        for k, (label, (edges, share, error)) in enumerate(curves.items()):
            edges = np.asarray(edges, float)
            middle = 0.5 * (edges[1:] + edges[:-1])
            if quantity in logarithmic:
                middle = np.sqrt(edges[1:] * edges[:-1])
                axes.set_xscale("log")
            axes.errorbar(middle, share, error, fmt=STYLES[k % 5], color=_colour(label, k),
                          markersize=3.5, label=label, capsize=2)  # fmt: skip
        if ideal and ideal[0] == quantity:
            axes.plot(ideal[1], ideal[2], color=PUBLISHED, label="ideal observer", zorder=0)
        axes.set_xlabel(quantity)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(color="0.9")
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
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([0, 1], [0, 1], color=PUBLISHED, label="perfectly calibrated")
    for k, (label, (stated, share, error)) in enumerate(curves.items()):
        upper.errorbar(stated, share, error, fmt=STYLES[k], color=COLOURS[k], markersize=4,
                       label=label, capsize=2)  # fmt: skip
    upper.set_ylabel("share that are lenses")
    upper.legend(fontsize=8)
    upper.grid(color="0.9")
    lower.hist(np.asarray(probabilities, float), bins=20, range=(0, 1), color=COLOURS[0])
    lower.set_xlabel("stated probability of lens")
    lower.set_ylabel("images")
    return figure


def draw_purity(curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, prevalence: float) -> Figure:
    """Share of lenses in a candidate list against the share of lenses that it holds.

    curves: completeness (k,) and purity (k,), by legend entry. prevalence: on the sky, drawn as
    the purity of guessing.
    """
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    for k, (label, (completeness, purity)) in enumerate(curves.items()):
        axes.plot(completeness, purity, STYLES[k % 5][1:], color=COLOURS[k % 5], label=label)
    axes.axhline(prevalence, color=PUBLISHED, linestyle=":", label="guessing")
    axes.set_yscale("log")
    axes.set_xlabel("completeness: share of the lenses that is in the list")
    axes.set_ylabel("purity: share of the list\nthat is lenses")
    axes.set_ylim(0.5 * prevalence, 1.5)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure


def draw_operating_points(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    points: Mapping[str, tuple[tuple[float, float], tuple[float, float], float]],
) -> Figure:
    """ROC curves, and where on the plane the rows of a table lie, by name.

    curves: false and true positive rates. points: lowest and highest false positive rate, lowest
    and highest recall, and what the curve of that name has in the middle of the former.
    """
    figure = Figure(figsize=(5.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for k, (name, (x, y)) in enumerate(curves.items()):
        colour = BAND_COLOURS.get(name, COLOURS[k % 5])
        axes.plot(x, y, STYLES[k % 5][1:], color=colour, label=f"{name}, curve")
        (left, right), (low, high), on_curve = points[name]
        middle = 0.5 * (left + right)
        axes.errorbar(middle, 0.5 * (low + high), 0.5 * (high - low), 0.5 * (right - left),
                      fmt=STYLES[k % 5][0], color=colour, markersize=7, mec="black",
                      label=f"{name}, table row")  # fmt: skip
        axes.plot([middle, middle], [on_curve, 0.5 * (low + high)], color=colour, linewidth=1)
    axes.plot([0, 1], [0, 1], ":", color="black", linewidth=1)
    axes.set_xlim(0, 0.6)
    axes.set_ylim(0, 1)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate (recall)")
    axes.grid(color="0.9")
    axes.legend(fontsize=7, ncols=2, loc="lower right")
    return figure


def draw_gaps(
    batches: ArrayLike, gaps: Mapping[str, tuple[ArrayLike, ArrayLike]], *, published: float
) -> Figure:
    """How far calls lie above their curve against the batch's size, with the talk's value.

    batches: (k,). gaps: mean (k,) and scatter (k,), by legend entry.
    """
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    for k, (label, (mean, scatter)) in enumerate(gaps.items()):
        axes.errorbar(batches, mean, scatter, fmt=STYLES[k], color=COLOURS[k], markersize=5,
                      label=f"softmax {label}", capsize=2)  # fmt: skip
    axes.axhline(published, color=PUBLISHED, linestyle="--", label="the talk, VIS")
    axes.set_xscale("log")
    axes.set_xlabel("images in a batch")
    axes.set_ylabel("recall of the calls\nless that of the curve")
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure


def draw_flat_enlarged(pictures: Mapping[str, ArrayLike]) -> Figure:
    """Small pictures side by side, each on its own grey scale, with a title."""
    figure = Figure(figsize=(2.6 * len(pictures), 2.8), layout="constrained")
    row = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axes, (title, picture) in zip(row, pictures.items(), strict=True):
        values = np.asarray(picture, float)
        low, high = values.min(), values.max()
        if high - low < FLAT:
            low, high = low - 1, high + 1
        axes.imshow(values, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def draw_painting_quality(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]],
) -> Figure:
    """Quantiles of measures of paintings against the signal-to-noise of the light, a panel each.

    panels: by axis label, the values of the signal-to-noise (k,) and the curves (k,) by legend
    entry; a dashed grey line marks the value named "perfect".
    """
    figure = Figure(figsize=(2.95 * len(panels), 3.1), layout="constrained")
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (label, (values, curves)) in zip(row, panels.items(), strict=True):
        for k, (name, curve) in enumerate(curves.items()):
            if name == "perfect":
                axes.plot(values, curve, "--", color=PUBLISHED, label=name, zorder=0)
            else:
                axes.plot(values, curve, STYLES[k % 5], color=COLOURS[k % 5], markersize=3.5,
                          label=name)  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("signal-to-noise of the lensed light")
        axes.set_ylabel(label)
        axes.grid(color="0.9")
        axes.legend(fontsize=8)
    return figure


def draw_evidence(observers: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Signal-to-noise of lensed light by camera, a mark per observer: median and middle 68 %.

    observers: by legend entry and by camera, one value per lens, (n,).
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for k, (label, cameras) in enumerate(observers.items()):
        low, middle, high = np.transpose(
            [np.percentile(np.asarray(values), (16, 50, 84)) for values in cameras.values()]
        )
        places = np.arange(len(cameras)) + 0.22 * (k - 0.5 * (len(observers) - 1))
        axes.errorbar(places, middle, (middle - low, high - middle), fmt=STYLES[k][:1],
                      color=COLOURS[k], label=label, capsize=2)  # fmt: skip
    names = [name.replace(", ", ",\n") for name in next(iter(observers.values()))]
    axes.set_xticks(range(len(names)), names)
    axes.set_yscale("log")
    axes.set_ylabel("signal-to-noise of lensed light")
    axes.grid(axis="y", color="0.9")
    axes.legend(fontsize=8)
    return figure


def draw_intervals(panels: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> Figure:
    """Estimates with their intervals, a row each, the same rows in every panel.

    panels: by axis label and by row, value and lower and upper end. A row has the colour of the
    band with whose name it begins.
    """
    rows = list(next(iter(panels.values())))
    width = 3.9 if len(panels) < 4 else 2.6
    figure = Figure(figsize=(width * len(panels), 0.34 * len(rows) + 1.1), layout="constrained")
    line = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (label, estimates) in zip(line, panels.items(), strict=True):
        for k, row in enumerate(rows):
            value, low, high = estimates[row]
            axes.errorbar(value, k, xerr=[[value - low], [high - value]], fmt="o", capsize=2,
                          markersize=4, color=_colour(row, 4))  # fmt: skip
        axes.set_xlabel(label)
        axes.locator_params(axis="x", nbins=4)
        axes.grid(axis="x", color="0.9")
    line[0].set_yticks(range(len(rows)), rows)
    line[0].invert_yaxis()
    return figure


def draw_progress(
    networks: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]], *, ylabel: str
) -> Figure:
    """A quantity against the optimiser's step while networks learn.

    networks: step, value and its standard error by name, each (n,); the error is drawn at the last.
    """
    figure = Figure(figsize=(6.2, 3.4), layout="constrained")
    axes = figure.subplots()
    for k, (name, columns) in enumerate(networks.items()):
        step, value, error = (np.asarray(each) for each in columns)
        colour = _colour(name, k)
        axes.plot(step, value, STYLES[k % 5], color=colour, label=name, markersize=3.5)
        axes.errorbar(step[-1], value[-1], error[-1], color=colour, capsize=2)
    axes.set(xlabel="step", ylabel=ylabel)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure


def draw_responses(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]],
) -> Figure:
    """Share of ordinary images below each of a row of artificial ones, against what was varied.

    panels: by axis label, the values (n,) and for each network its shares (n,).
    """
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = Figure(figsize=(3.1 * n_columns, 2.7 * n_rows + 0.4), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (label, (values, networks)) in zip(grid.flat, panels.items(), strict=False):
        for k, (name, shares) in enumerate(networks.items()):
            axes.plot(values, shares, STYLES[k % 5], color=_colour(name, k), label=name,
                      markersize=3.5)  # fmt: skip
        axes.set(xlabel=label, ylim=(-0.03, 1.03))
        axes.grid(color="0.9")
    for row in grid:
        row[0].set_ylabel("share below")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                  fontsize=9)  # fmt: skip
    return figure
