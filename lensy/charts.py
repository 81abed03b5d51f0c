"""Figures of numbers: curves, histograms, the network's plan. Arrays in, matplotlib figure out.

As `figures.py`, which draws the images and holds the colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import ArrayLike, NDArray

from lensy.figures import BAND_COLOURS, CURVE_COLOURS, PUBLISHED

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


def draw_mask_areas(
    panels: Mapping[str, Mapping[str, Mapping[str, float]]], *, n_pixels: float
) -> Figure:
    """Sizes of masks, one dot per object in its colour, for several sets of images side by side.

    panels: by title, by image and by colour, how many pixels of an object show. n_pixels: how many
    a mask has that nothing hides, drawn as a line.
    """
    figure = Figure(figsize=(8.4, 3.1), layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, images) in zip(row, panels.items(), strict=True):
        axes.axhline(n_pixels, color=PUBLISHED, linestyle="--", linewidth=1, zorder=0)
        for place, objects in enumerate(images.values()):
            spread = place + np.linspace(-0.34, 0.34, len(objects))
            axes.scatter(spread, list(objects.values()), c=list(objects), edgecolors="black", s=34)
        axes.set_xticks(range(len(images)), list(images))
        axes.set_ylim(0, 1.15 * n_pixels)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("image")
    row[0].set_ylabel("pixels that show")
    return figure


def draw_frequencies(
    kinds: Sequence[str],
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]],
) -> Figure:
    """How often each kind of artefact occurs, one panel per way of observing.

    panels: by title and by band, for each kind the share of frames counted (n,), the lengths of its
    error bar below and above (2, n), and the share expected, drawn as a bar. NaN is left out.
    """
    figure = Figure(figsize=(8.4, 0.36 * len(kinds) + 1.2), layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, bands) in zip(row, panels.items(), strict=True):
        for k, (name, (share, error, expected)) in enumerate(bands.items()):
            place = np.arange(len(kinds)) + 0.26 * (k - 0.5 * (len(bands) - 1))
            axes.plot(100 * np.asarray(expected), place, "|", color="black", markersize=10,
                      label="expected" if k == 0 else None)  # fmt: skip
            axes.errorbar(100 * np.asarray(share), place, xerr=100 * np.asarray(error), fmt="os"[k],
                          color=BAND_COLOURS[name], markersize=4.5, label=name)  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xlim(-0.1, 150)
        axes.set_xticks([0, 0.5, 1, 3, 10, 30, 100], ["0", "0.5", "1", "3", "10", "30", "100"])
        axes.set_xlabel("frames that have it / %")
        axes.grid(axis="x", color="0.9")
    row[0].set_yticks(range(len(kinds)), list(kinds))
    row[0].invert_yaxis()
    row[-1].legend(fontsize=8)
    return figure


def draw_noise_sums(
    sizes: ArrayLike, curves: Mapping[str, ArrayLike], real: Mapping[int, float]
) -> Figure:
    """Noise of sums over n x n pixels, over n, against n: flat where noise is white.

    sizes: (n,). curves: standard deviation (nJy) of such sums, by legend entry. real: the same
    measured on the sky, by n.
    """
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    sizes = np.asarray(sizes, float)
    for style, (label, sigma) in zip(("s--", "o-", "^:"), curves.items(), strict=False):
        axes.plot(sizes, np.asarray(sigma) / sizes, style, markersize=4, label=label)
    n = np.array(list(real), float)
    axes.plot(n, np.array(list(real.values())) / n, "D", color="black", markersize=7, mfc="none",
              label="real mosaics")  # fmt: skip
    axes.set_xlabel("side n of the square that is summed / pixels")
    axes.set_ylabel("noise of the sum / n  (nJy)")
    axes.set_ylim(bottom=0)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure


def draw_shares(values: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str) -> Figure:
    """Cumulative distributions: the share of values that lie at or below x, one curve per key."""
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    colours = list(BAND_COLOURS.values())
    for k, (label, each) in enumerate(values.items()):
        style = ("-", "--", "-.", ":")[k % 4]
        axes.ecdf(np.asarray(each, float), color=colours[k % 4], linestyle=style, label=label)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
    return figure
