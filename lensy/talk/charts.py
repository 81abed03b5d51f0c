"""Charts that only the chapters use: arrays in, matplotlib figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lensy.figures.style import (
    BAND_COLOURS,
    COLOURS,
    MARKERS,
    PUBLISHED,
    colour_of,
    finish,
    many_panels,
    one_panel,
)


def draw_mask_areas(
    panels: Mapping[str, Mapping[str, Mapping[str, float]]], *, n_pixels: float
) -> Figure:
    """Sizes of masks, one dot per object in its colour, for several sets of images side by side.

    panels: by title, by image and by colour, how many pixels of an object show. n_pixels: how many
    a mask has that nothing hides, drawn as a line.
    """
    figure, (row,) = many_panels(1, len(panels), 8.4, 3.1, sharey=True)
    for axes, (title, images) in zip(row, panels.items(), strict=True):
        axes.axhline(n_pixels, color=PUBLISHED, linestyle="--", linewidth=1, zorder=0)
        for place, objects in enumerate(images.values()):
            spread = place + np.linspace(-0.34, 0.34, len(objects))
            axes.scatter(spread, list(objects.values()), c=list(objects), edgecolors="black", s=34)
        axes.set_xticks(range(len(images)), list(images))
        axes.set_title(title, fontsize=10)
        axes.set(ylim=(0, 1.15 * n_pixels), xlabel="image")
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
    figure, (row,) = many_panels(1, len(panels), 8.4, 0.36 * len(kinds) + 1.2, sharey=True)
    for axes, (title, bands) in zip(row, panels.items(), strict=True):
        for k, (name, (share, error, expected)) in enumerate(bands.items()):
            place = np.arange(len(kinds)) + 0.26 * (k - 0.5 * (len(bands) - 1))
            axes.plot(100 * np.asarray(expected), place, "|", color="black", markersize=10,
                      label="expected" if k == 0 else None)  # fmt: skip
            axes.errorbar(100 * np.asarray(share), place, xerr=100 * np.asarray(error), fmt="os"[k],
                          color=BAND_COLOURS[name], markersize=4.5, label=name)  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xticks([0, 0.5, 1, 3, 10, 30, 100], ["0", "0.5", "1", "3", "10", "30", "100"])
        finish(axes, grid="x", legend=False, xlim=(-0.1, 150), xlabel="frames that have it / %")
    row[0].set_yticks(range(len(kinds)), list(kinds))
    row[0].invert_yaxis()
    row[-1].legend(fontsize=8)
    return figure


def draw_noise_sums(
    sizes: ArrayLike,
    curves: Mapping[str, ArrayLike],
    real: Mapping[int, float],
    *,
    ax: Axes | None = None,
) -> Figure:
    """Noise of sums over n x n pixels, over n, against n: flat where noise is white.

    sizes: (n,). curves: standard deviation (nJy) of such sums, by legend entry. real: the same
    measured on the sky, by n.
    """
    axes = one_panel(ax, 5.6, 3.4)
    sizes, n = np.asarray(sizes, float), np.array(list(real), float)
    for style, (label, sigma) in zip(("s--", "o-", "^:"), curves.items(), strict=False):
        axes.plot(sizes, np.asarray(sigma) / sizes, style, markersize=4, label=label)
    axes.plot(n, np.array(list(real.values())) / n, "D", color="black", markersize=7, mfc="none",
              label="real mosaics")  # fmt: skip
    return finish(
        axes,
        xlabel="side n of the square that is summed / pixels",
        ylabel="noise of the sum / n  (nJy)",
        ylim=(0, None),
    )


def draw_shares(
    values: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Figure:
    """Cumulative distributions: the share of values that lie at or below x, one curve per key."""
    axes = one_panel(ax, 5.6, 3.4)
    for k, (label, each) in enumerate(values.items()):
        style = ("-", "--", "-.", ":")[k % 4]
        axes.ecdf(np.asarray(each, float), color=COLOURS[k % 4], linestyle=style, label=label)
    return finish(axes, xlabel=xlabel, ylabel=ylabel)


def draw_operating_points(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    points: Mapping[str, tuple[tuple[float, float], tuple[float, float], float]],
    *,
    ax: Axes | None = None,
) -> Figure:
    """ROC curves, and where on the plane the rows of a table lie, by name.

    curves: false and true positive rates. points: lowest and highest false positive rate, lowest
    and highest recall, and what the curve of that name has in the middle of the former.
    """
    axes = one_panel(ax, 5.2, 4.4)
    for k, (name, (x, y)) in enumerate(curves.items()):
        colour = BAND_COLOURS.get(name, COLOURS[k % 5])
        axes.plot(x, y, MARKERS[k % 5][1:], color=colour, label=f"{name}, curve")
        (left, right), (low, high), on_curve = points[name]
        middle = 0.5 * (left + right)
        axes.errorbar(middle, 0.5 * (low + high), 0.5 * (high - low), 0.5 * (right - left),
                      fmt=MARKERS[k % 5][0], color=colour, markersize=7, mec="black",
                      label=f"{name}, table row")  # fmt: skip
        axes.plot([middle, middle], [on_curve, 0.5 * (low + high)], color=colour, linewidth=1)
    axes.plot([0, 1], [0, 1], ":", color="black", linewidth=1)
    axes.legend(fontsize=7, ncols=2, loc="lower right")
    axes.set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    return finish(axes, legend=False, xlim=(0, 0.6), ylim=(0, 1))


def draw_gaps(
    batches: ArrayLike,
    gaps: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    published: float,
    ax: Axes | None = None,
) -> Figure:
    """How far calls lie above their curve against the batch's size, with the talk's value.

    batches: (k,). gaps: mean (k,) and scatter (k,), by legend entry.
    """
    axes = one_panel(ax, 5.6, 3.4)
    for k, (label, (mean, scatter)) in enumerate(gaps.items()):
        axes.errorbar(batches, mean, scatter, fmt=MARKERS[k], color=COLOURS[k], markersize=5,
                      label=f"softmax {label}", capsize=2)  # fmt: skip
    axes.axhline(published, color=PUBLISHED, linestyle="--", label="the talk, VIS")
    ylabel = "recall of the calls\nless that of the curve"
    return finish(axes, xscale="log", xlabel="images in a batch", ylabel=ylabel)


def draw_evidence(
    observers: Mapping[str, Mapping[str, ArrayLike]], *, ax: Axes | None = None
) -> Figure:
    """Signal-to-noise of lensed light by camera, a mark per observer: median and middle 68 %.

    observers: by legend entry and by camera, one value per lens, (n,).
    """
    axes = one_panel(ax, 6.4, 3.4)
    for k, (label, cameras) in enumerate(observers.items()):
        low, middle, high = np.transpose(
            [np.percentile(np.asarray(values), (16, 50, 84)) for values in cameras.values()]
        )
        places = np.arange(len(cameras)) + 0.22 * (k - 0.5 * (len(observers) - 1))
        axes.errorbar(places, middle, (middle - low, high - middle), fmt=MARKERS[k][:1],
                      color=COLOURS[k], label=label, capsize=2)  # fmt: skip
    names = [name.replace(", ", ",\n") for name in next(iter(observers.values()))]
    axes.set_xticks(range(len(names)), names)
    return finish(axes, grid="y", yscale="log", ylabel="signal-to-noise of lensed light")


def draw_responses(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]],
) -> Figure:
    """Share of ordinary images below each of a row of artificial ones, against what was varied.

    panels: by axis label, the values (n,) and for each network its shares (n,).
    """
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns)
    size = 3.1 * n_columns, 2.7 * n_rows + 0.4
    figure, grid = many_panels(n_rows, n_columns, *size, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (label, (values, networks)) in zip(grid.flat, panels.items(), strict=False):
        for k, (name, shares) in enumerate(networks.items()):
            axes.plot(values, shares, MARKERS[k % 5], color=colour_of(name, k), label=name,
                      markersize=3.5)  # fmt: skip
        finish(axes, legend=False, xlabel=label, ylim=(-0.03, 1.03))
    for row in grid:
        row[0].set_ylabel("share below")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
                  fontsize=9)  # fmt: skip
    return figure
