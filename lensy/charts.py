"""Figures of numbers: curves, histograms, the network's plan. Arrays in, matplotlib figure out.

As `figures.py`, which draws the images and holds the colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import ArrayLike

from lensy.figures import BAND_COLOURS, PUBLISHED

Curve = tuple[ArrayLike, ArrayLike]

CURVE_COLOURS = {**BAND_COLOURS, "OU": "#CC79A7"}
"""Colour of a curve by how its name begins: bands, and the predecessor's networks."""


def draw_roc(ours: Mapping[str, Curve], published: Mapping[str, Curve]) -> Figure:
    """ROC curves, ours in colour over the talk's in grey; linear, and with few false positives.

    Each curve: false and true positive rates. Keys are legend entries; the colour is that of the
    band or network with whose name a key begins.
    """
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    linear, logarithmic = figure.subplots(1, 2)
    chance = np.geomspace(1e-3, 1, 50)
    for axes in (linear, logarithmic):
        axes.plot(chance, chance, ":", color="black", linewidth=1, label="guessing")
        for style, (label, (x, y)) in zip(("--", "-.", ":", "-"), published.items(), strict=False):
            axes.plot(x, y, style, color=PUBLISHED, label=label)
        for label, (x, y) in ours.items():
            colour = next((c for name, c in CURVE_COLOURS.items() if label.startswith(name)), None)
            axes.plot(x, y, color=colour, label=label)
        axes.set_xlabel("false positive rate")
        axes.set_ylim(-0.01, 1.01)
        axes.grid(color="0.9")
    linear.set_ylabel("true positive rate")
    logarithmic.set_xscale("log")
    logarithmic.set_xlim(1e-3, 1)
    linear.legend(loc="lower right", fontsize=8)
    return figure


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


def draw_difficulty(signal_to_noise: ArrayLike, contrast: ArrayLike) -> Figure:
    """Distributions of the lensed light's signal-to-noise and contrast to the lens galaxy."""
    figure = Figure(figsize=(8.4, 2.9), layout="constrained")
    panels = figure.subplots(1, 2)
    labels = ("signal-to-noise of the lensed light", "flux of lensed light / lens galaxy")
    for axes, values, label in zip(panels, (signal_to_noise, contrast), labels, strict=True):
        values = np.asarray(values, float)
        values = values[values > 0]
        low, high = np.quantile(values, [0.002, 0.998])
        bins = np.geomspace(float(low), float(high), 30).tolist()
        axes.hist(values, bins=bins, color=BAND_COLOURS["VIS"])
        axes.axvline(float(np.median(values)), color="black", linestyle="--", label="median")
        axes.set_xscale("log")
        axes.set_xlabel(label)
        axes.legend(fontsize=8)
    panels[0].set_ylabel("lenses")
    return figure


def draw_completeness(
    edges: ArrayLike, curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, xlabel: str
) -> Figure:
    """Share of lenses found per bin, with binomial standard errors.

    edges: (n + 1,) bin edges. curves: per label the share (n,) and its standard error (n,).
    """
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    edges = np.asarray(edges, float)
    middle = np.sqrt(edges[1:] * edges[:-1])
    for marker, (label, (share, error)) in zip("osD^", curves.items(), strict=False):
        axes.errorbar(middle, share, error, fmt=f"{marker}-", markersize=4, label=label, capsize=2)
    axes.set_xscale("log")
    axes.set_xlabel(xlabel)
    axes.set_ylabel("share of lenses found")
    axes.set_ylim(-0.02, 1.02)
    axes.grid(color="0.9")
    axes.legend(fontsize=8)
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
