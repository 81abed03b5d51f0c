"""Charts of how networks rank, how they learned and how well they do: numbers in, figure out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lensy.errors import LensyError
from lensy.figures.style import (
    BAND_COLOURS,
    COLOURS,
    CURVE_COLOURS,
    MARKERS,
    PUBLISHED,
    colour_of,
    finish,
    many_panels,
    one_panel,
)
from lensy.metrics import ranking
from lensy.values import Floats

Curve = tuple[ArrayLike, ArrayLike]

STYLES: tuple[str | tuple[int, tuple[int, ...]], ...] = (
    "-", "--", "-.", ":", (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (3, 3)), (0, (10, 1, 2, 1)),
)  # fmt: skip

MAX_INSIDE = 10
"""Entries of a legend that still fit beside the curves."""


def roc(*runs: Any, ax: Axes | None = None, **named: Any) -> Figure:
    """ROC curves of finished runs, with the area under each (AUROC) in the legend.

    runs: anything with `scores()`, columns `label` (n,) and `score` (n,), and the name of its
    experiment in `info`; a run given as `name=run` bears that name instead. A band or network that
    a name begins with has its colour. ax: drawn into these axes, or else into a new figure.
    Raises LensyError without a run, where a column is missing and where only one class is present.

    >>> class Example:
    ...     info = {"experiment": {"name": "naberrie-vis"}}
    ...
    ...     def scores(self):
    ...         return {"label": [1, 0, 1, 0], "score": [0.9, 0.1, 0.6, 0.6]}
    >>> figure = roc(Example(), other=Example())
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['guessing', 'naberrie-vis, AUROC 0.875', 'other, AUROC 0.875']
    """
    together = [*((run.info["experiment"]["name"], run) for run in runs), *named.items()]
    if not together:
        raise LensyError("No run to draw: give at least one, as in roc(run) or roc(mine=run).")
    axes = one_panel(ax, 4.6, 4.2)
    _draw_guessing(axes)
    ours = []
    for k, (name, run) in enumerate(together):
        label, score = _ranked(name, run)
        # the talk's networks are called by their bands
        colour = _colour_at_start(name.upper().removeprefix("NABERRIE-")) or COLOURS[k % 5]
        words = f"{name}, AUROC {ranking.auroc(label, score):.3f}"
        ours.append((words, colour, ranking.roc(label, score)))
    _draw_rates(axes, ours)
    return finish(axes, xlabel="false positive rate", ylabel="true positive rate")


def _ranked(name: str, run: Any) -> tuple[ArrayLike, ArrayLike]:
    columns = run.scores()
    if not {"label", "score"} <= set(columns):
        raise LensyError(
            f"{name} has the columns {', '.join(columns)}, but an ROC curve needs `label` and "
            "`score`: give a run that ranks lenses and non-lenses."
        )
    return columns["label"], columns["score"]


def draw_roc(ours: Mapping[str, Curve], published: Mapping[str, Curve]) -> Figure:
    """ROC curves, ours in colour over the talk's in grey; linear, and with few false positives.

    Each curve: false and true positive rates. Keys are legend entries; the colour is that of the
    band or network with whose name a key begins. Ours of one colour differ by their lines.
    """
    many = len(ours) + len(published) + 1 > MAX_INSIDE
    figure, ((linear, logarithmic),) = many_panels(1, 2, 10.4 if many else 8.4, 4.2)
    for axes in (linear, logarithmic):
        _draw_guessing(axes)
        for style, (label, (x, y)) in zip(("--", "-.", ":", "-"), published.items(), strict=False):
            axes.plot(*_filled(x, y), style, color=PUBLISHED, label=label)
        _draw_rates(axes, ((key, _colour_at_start(key), curve) for key, curve in ours.items()))
        finish(axes, legend=False, xlabel="false positive rate", ylim=(-0.01, 1.01))
    linear.set_ylabel("true positive rate")
    logarithmic.set(xscale="log", xlim=(1e-3, 1))
    if many:
        entries = linear.get_legend_handles_labels()
        figure.legend(*entries, loc="outside right center", fontsize=8, handlelength=4)
    else:
        linear.legend(loc="lower right", fontsize=8)
    return figure


def _colour_at_start(name: str) -> str | None:
    return next((CURVE_COLOURS[key] for key in CURVE_COLOURS if name.startswith(key)), None)


def _draw_guessing(axes: Axes) -> None:
    chance = np.geomspace(1e-3, 1, 50)
    axes.plot(chance, chance, ":", color="black", linewidth=1, label="guessing")


def _draw_rates(axes: Axes, curves: Iterable[tuple[str, str | None, Curve]]) -> None:
    """Curves by legend entry and colour; those of one colour differ by their lines."""
    drawn: list[str | None] = []
    for label, colour, rates in curves:
        line = STYLES[drawn.count(colour) % len(STYLES)] if colour else "-"
        axes.plot(*_filled(*rates), linestyle=line, color=colour, label=label)
        drawn.append(colour)


def _filled(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
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


def history(run: Any, *, ax: Axes | None = None) -> Figure:
    """How a run learned: losses against the optimiser's step, and validation AUROC beside them.

    run: anything with `history()`, columns (n,) as `draw_history` takes them. ax: the losses alone
    are drawn into these axes.

    >>> class Example:
    ...     def history(self):
    ...         return {"step": [100, 200], "train_loss": [0.2, 0.1], "val_auroc": [0.7, 0.8]}
    >>> [axes.get_ylabel() for axes in history(Example()).axes]
    ['loss', 'validation AUROC']
    """
    columns = run.history()
    return draw_history(columns) if ax is None else _draw_losses(ax, columns)


def draw_history(
    history: Mapping[str, ArrayLike], *, published_auroc: float | None = None
) -> Figure:
    """Losses and validation AUROC against the optimiser's step.

    history: columns `step`, `train_loss`, `val_auroc` and, where there is one, `val_loss`, (n,)
    each. published_auroc: drawn as a line.
    """
    figure, ((left, right),) = many_panels(1, 2, 8.4, 3.2)
    _draw_losses(left, history)
    colour = BAND_COLOURS["VIS"]
    right.plot(np.asarray(history["step"]), history["val_auroc"], "o-", color=colour, markersize=3)
    finish(right, legend=False, xlabel="step", ylabel="validation AUROC")
    if published_auroc is not None:
        label = "the talk (its test set)"
        right.axhline(published_auroc, color=PUBLISHED, linestyle="--", label=label)
        right.legend(fontsize=8, loc="lower right")
    return figure


def _draw_losses(axes: Axes, history: Mapping[str, ArrayLike]) -> Figure:
    """U-Nets, which are also tried on whole frames, learn from squared errors; others do not."""
    step, frames = np.asarray(history["step"]), history.get("val_loss")
    axes.semilogy(step, history["train_loss"], "o-", markersize=3, label="training crops")
    if frames is not None:
        axes.semilogy(step, frames, "s--", markersize=3, label="validation frames")
    return finish(axes, xlabel="step", ylabel="loss" if frames is None else "mean squared error")


def draw_painting_quality(
    panels: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]],
) -> Figure:
    """Quantiles of measures of paintings against the signal-to-noise of the light, a panel each.

    panels: by axis label, the values of the signal-to-noise (k,) and the curves (k,) by legend
    entry; a dashed grey line marks the value named "perfect".
    """
    figure, (row,) = many_panels(1, len(panels), 2.95 * len(panels), 3.1)
    for axes, (label, (values, curves)) in zip(row, panels.items(), strict=True):
        for k, (name, curve) in enumerate(curves.items()):
            if name == "perfect":
                axes.plot(values, curve, "--", color=PUBLISHED, label=name, zorder=0)
            else:
                axes.plot(values, curve, MARKERS[k % 5], color=COLOURS[k % 5], markersize=3.5,
                          label=name)  # fmt: skip
        finish(axes, xscale="log", xlabel="signal-to-noise of the lensed light", ylabel=label)
    return figure


def draw_intervals(panels: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> Figure:
    """Estimates with their intervals, a row each, the same rows in every panel.

    panels: by axis label and by row, value and lower and upper end. A row has the colour of the
    band with whose name it begins.
    """
    rows = list(next(iter(panels.values())))
    width = 3.9 if len(panels) < 4 else 2.6
    size = width * len(panels), 0.34 * len(rows) + 1.1
    figure, (line,) = many_panels(1, len(panels), *size, sharey=True)
    for axes, (label, estimates) in zip(line, panels.items(), strict=True):
        for k, row in enumerate(rows):
            value, low, high = estimates[row]
            axes.errorbar(value, k, xerr=[[value - low], [high - value]], fmt="o", capsize=2,
                          markersize=4, color=colour_of(row, 4))  # fmt: skip
        axes.locator_params(axis="x", nbins=4)
        finish(axes, grid="x", legend=False, xlabel=label)
    line[0].set_yticks(range(len(rows)), rows)
    line[0].invert_yaxis()
    return figure


def draw_progress(
    networks: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    *,
    ylabel: str,
    ax: Axes | None = None,
) -> Figure:
    """A quantity against the optimiser's step while networks learn.

    networks: step, value and its standard error by name, each (n,); the error is drawn at the last.
    """
    axes = one_panel(ax, 6.2, 3.4)
    for k, (name, columns) in enumerate(networks.items()):
        step, value, error = (np.asarray(each) for each in columns)
        colour = colour_of(name, k)
        axes.plot(step, value, MARKERS[k % 5], color=colour, label=name, markersize=3.5)
        axes.errorbar(step[-1], value[-1], error[-1], color=colour, capsize=2)
    return finish(axes, xlabel="step", ylabel=ylabel)
