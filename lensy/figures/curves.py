"""Figures of numbers: curves, histograms, the network's plan. Arrays in, matplotlib figure out.

As `figures.py`, which draws the images and holds the colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import ArrayLike, NDArray

from lensy.figures.style import BAND_COLOURS, CURVE_COLOURS, PUBLISHED

Curve = tuple[ArrayLike, ArrayLike]

LineStyle = str | tuple[int, tuple[int, ...]]

STYLES: tuple[LineStyle, ...] = (
    "-", "--", "-.", ":", (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (3, 3)), (0, (10, 1, 2, 1)),
)  # fmt: skip

MAX_INSIDE = 10
"""Entries of a legend that still fit beside the curves."""


def draw_roc(ours: Mapping[str, Curve], published: Mapping[str, Curve]) -> Figure:
    """ROC curves, ours in colour over the talk's in grey; linear, and with few false positives.

    Each curve: false and true positive rates. Keys are legend entries; the colour is that of the
    band or network with whose name a key begins. Ours of one colour differ by their lines.
    """
    many = len(ours) + len(published) + 1 > MAX_INSIDE
    figure = Figure(figsize=(10.4 if many else 8.4, 4.2), layout="constrained")
    linear, logarithmic = figure.subplots(1, 2)
    chance = np.geomspace(1e-3, 1, 50)
    for axes in (linear, logarithmic):
        axes.plot(chance, chance, ":", color="black", linewidth=1, label="guessing")
        for style, (label, (x, y)) in zip(("--", "-.", ":", "-"), published.items(), strict=False):
            axes.plot(*_filled(x, y), style, color=PUBLISHED, label=label)
        drawn: list[str | None] = []
        for label, (x, y) in ours.items():
            colour = next((c for name, c in CURVE_COLOURS.items() if label.startswith(name)), None)
            line = STYLES[drawn.count(colour) % len(STYLES)] if colour else "-"
            axes.plot(*_filled(x, y), linestyle=line, color=colour, label=label)
            drawn.append(colour)
        axes.set_xlabel("false positive rate")
        axes.set_ylim(-0.01, 1.01)
        axes.grid(color="0.9")
    linear.set_ylabel("true positive rate")
    logarithmic.set_xscale("log")
    logarithmic.set_xlim(1e-3, 1)
    if many:
        figure.legend(
            *linear.get_legend_handles_labels(),
            loc="outside right center",
            fontsize=8,
            handlelength=4,
        )
    else:
        linear.legend(loc="lower right", fontsize=8)
    return figure


def _filled(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A rising curve with more points on its straight pieces, which are bent on logarithmic axes.

    A digitised curve that goes down somewhere is left as it is.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 2 or (np.diff(x) < 0).any() or (np.diff(y) < 0).any():
        return x, y
    between = np.geomspace(1e-4, 1, 200)
    x, y = np.append(x, between), np.append(y, np.interp(between, x, y))
    order = np.lexsort((y, x))
    return x[order], y[order]


def draw_history(history: Mapping[str, ArrayLike], *, published_auroc: float) -> Figure:
    """Losses and validation AUROC against the optimiser's step."""
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    step = np.asarray(history["step"])
    left.semilogy(step, history["train_loss"], "o-", markersize=3, label="training crops")
    left.semilogy(step, history["val_loss"], "s--", markersize=3, label="validation frames")
    left.set_ylabel("mean squared error")
    left.legend(fontsize=8)
    right.plot(step, history["val_auroc"], "o-", color=BAND_COLOURS["VIS"], markersize=3)
    right.axhline(published_auroc, color=PUBLISHED, linestyle="--", label="the talk (its test set)")
    right.set_ylabel("validation AUROC")
    right.legend(fontsize=8, loc="lower right")
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.grid(color="0.9")
    return figure


def draw_architecture(stages: Sequence[tuple[str, int, int]]) -> Figure:
    """A U-Net as boxes: height for pixels, width for channels, grey arrows for skips.

    stages: (name, channels, pixels on a side) in the order of the forward pass; encoders and
    decoders of equal size face each other.
    """
    figure = Figure(figsize=(8.4, 3.9), layout="constrained")
    axes = figure.subplots()
    largest = max(n_pixels for _, _, n_pixels in stages)
    middles, left = [], 0.0
    colours = {"encoder": "#E69F00", "bottleneck": "#CC79A7", "decoder": "#56B4E9"}
    for name, n_channels, n_pixels in stages:
        height, width = n_pixels / largest, 0.06 + 0.05 * np.log2(n_channels)
        colour = colours.get(name.split()[0], "#009E73")
        axes.add_patch(Rectangle((left, -height / 2), width, height, color=colour, ec="black"))
        axes.text(left + width / 2, -height / 2 - 0.03, f"{n_channels} x {n_pixels}$^2$",
                  ha="center", va="top", fontsize=7)  # fmt: skip
        axes.text(left + width / 2, height / 2 + 0.02, name, ha="center", va="bottom",
                  fontsize=7)  # fmt: skip
        middles.append((name, left + width / 2, height / 2))
        left += width + 0.32
    places = {name: (x, y) for name, x, y in middles}
    n_levels = sum(name.startswith("encoder") for name in places)
    for level in range(1, n_levels + 1):
        x0, y0 = places[f"encoder {level}"]
        x1, _ = places[f"decoder {n_levels + 1 - level}"]
        top = y0 + 0.09
        skip = FancyArrowPatch((x0, top), (x1, top), arrowstyle="->", mutation_scale=9)
        skip.set_color("0.5")
        axes.add_patch(skip)
    axes.set_xlim(-0.2, left)
    axes.set_ylim(-0.65, 0.72)
    axes.set_axis_off()
    return figure


Share = tuple[ArrayLike, ArrayLike, ArrayLike]
"""Edges of bins (n + 1,), share per bin (n,) and its standard error (n,)."""

COLOURS = (*BAND_COLOURS.values(), "black")

MARKERS = ("o-", "s--", "D-.", "^:", "v-")


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
            axes.errorbar(middle, share, error, fmt=MARKERS[k % 5], color=_colour(label, k),
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
        upper.errorbar(stated, share, error, fmt=MARKERS[k], color=COLOURS[k], markersize=4,
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
        axes.plot(completeness, purity, MARKERS[k % 5][1:], color=COLOURS[k % 5], label=label)
    axes.axhline(prevalence, color=PUBLISHED, linestyle=":", label="guessing")
    axes.set_yscale("log")
    axes.set_xlabel("completeness: share of the lenses that is in the list")
    axes.set_ylabel("purity: share of the list\nthat is lenses")
    axes.set_ylim(0.5 * prevalence, 1.5)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
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
                axes.plot(values, curve, MARKERS[k % 5], color=COLOURS[k % 5], markersize=3.5,
                          label=name)  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("signal-to-noise of the lensed light")
        axes.set_ylabel(label)
        axes.grid(color="0.9")
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
        axes.plot(step, value, MARKERS[k % 5], color=colour, label=name, markersize=3.5)
        axes.errorbar(step[-1], value[-1], error[-1], color=colour, capsize=2)
    axes.set(xlabel="step", ylabel=ylabel)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure
