"""Numbers that say how good a lens finder is: arrays in, numbers out.

scikit-learn computes; what is added here are confidence intervals. No torch, no disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap as resampled
from sklearn.metrics import roc_auc_score, roc_curve

from lensy.errors import LensyError
from lensy.values import Floats

Labels = NDArray[np.bool_]

Metric = Callable[[Labels, Floats], float]


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval, from `n` examples."""

    value: float
    low: float
    high: float
    n: int


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the receiver operating characteristic; 0.5 is guessing, 1 is perfect.

    labels: (n,) True for lenses. scores: (n,), higher for more lens-like.
    Raises LensyError where only one class is present.

    >>> auroc([True, False, True, False], [0.9, 0.1, 0.6, 0.6])
    0.875
    """
    labels = both_classes(labels)
    return float(roc_auc_score(labels, scores))


def roc(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """False and true positive rates, each (k,), from (0, 0) to (1, 1)."""
    false_positive_rate, true_positive_rate, _ = roc_curve(both_classes(labels), scores)
    return false_positive_rate, true_positive_rate


def true_positive_rate_at(
    labels: ArrayLike, scores: ArrayLike, *, false_positive_rate: float
) -> float:
    """Largest true positive rate whose false positive rate does not exceed the given one.

    >>> labels, scores = [True, True, False, False], [0.9, 0.4, 0.6, 0.1]
    >>> true_positive_rate_at(labels, scores, false_positive_rate=0.1)
    0.5
    """
    rates = roc(labels, scores)
    return float(rates[1][rates[0] <= false_positive_rate].max())


def false_positive_rate_at(
    labels: ArrayLike, scores: ArrayLike, *, true_positive_rate: float
) -> float:
    """Smallest false positive rate at which at least the given share of lenses is found."""
    rates = roc(labels, scores)
    return float(rates[0][rates[1] >= true_positive_rate].min())


def threshold_at(labels: ArrayLike, scores: ArrayLike, *, false_positive_rate: float) -> float:
    """Score that the given share of non-lenses reaches."""
    labels = both_classes(labels)
    return float(np.quantile(np.asarray(scores)[~labels], 1.0 - false_positive_rate))


def bootstrap(
    metric: Metric,
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    n_resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A metric with its percentile interval from resampled examples.

    Lenses and non-lenses are resampled apart, so prevalence stays as it is.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    labels = both_classes(labels)
    scores = np.asarray(scores, float)
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels), np.flatnonzero(~labels)]
    values = []
    for _ in range(n_resamples):
        drawn = np.concatenate([rng.choice(members, members.size) for members in classes])
        values.append(metric(labels[drawn], scores[drawn]))
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return Estimate(metric(labels, scores), float(low), float(high), labels.size)


def mean_estimate(values: ArrayLike, over: ArrayLike | None = None) -> Estimate:
    """Mean of values (n,) with its 95 % interval, or its ratio to the mean of `over` (n,).

    Examples are resampled with both of their numbers: a percentile interval as in `bootstrap`. A
    single example says nothing of its scatter, so that its interval has no ends; without any the
    mean is NaN.
    """

    def statistic(*parts: Floats, axis: int = -1) -> Floats:
        first, *second = (part.mean(axis=axis) for part in parts)
        return np.asarray(first / second[0] if second else first)

    samples = [np.asarray(each, np.float64) for each in (values, over) if each is not None]
    n = samples[0].size
    value = float(statistic(*samples)) if n else math.nan
    if n < 2:
        return Estimate(value, -math.inf, math.inf, n)
    found = resampled(
        samples,
        statistic,
        paired=True,
        n_resamples=500,
        batch=50,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Estimate(value, float(found.low), float(found.high), n)


def brightest_mean(images: ArrayLike, n_pixels: int) -> Floats:
    """Mean of the `n_pixels` brightest pixels of each image.

    images: (n, y, x). Returns (n,). This is the score of an image until a classifier gives one: a
    reconstruction with some bright pixels says lens, an empty one says none.
    """
    flat = np.asarray(images).reshape(len(np.asarray(images)), -1)
    if not 1 <= n_pixels <= flat.shape[1]:
        raise LensyError(
            f"n_pixels = {n_pixels} must lie from 1 to the {flat.shape[1]} pixels of an image."
        )
    top = np.partition(flat, flat.shape[1] - n_pixels, axis=1)[:, -n_pixels:]
    return np.asarray(top.mean(axis=1, dtype=np.float64))


def both_classes(labels: ArrayLike) -> Labels:
    """Labels (n,) as booleans. Raises LensyError where all are the same."""
    labels = np.asarray(labels, bool)
    if labels.all() or not labels.any():
        raise LensyError(
            f"A ranking needs lenses and non-lenses, but all {labels.size} labels are "
            f"{bool(labels.size and labels[0])}: take more examples."
        )
    return labels


RATES = (0.1, 0.01, 0.001)
"""False positive rates at which true positive rates are stated."""


def balanced(labels: Any) -> NDArray[np.bool_]:
    """Which of the examples (n,) make a set half of which are lenses: the first of each class."""
    labels = np.asarray(labels, bool)
    n = min(labels.sum(), (~labels).sum())
    chosen = np.zeros(labels.shape, bool)
    for members in (np.flatnonzero(labels), np.flatnonzero(~labels)):
        chosen[members[:n]] = True
    return chosen


def ranking_results(labels: Any, scores: Any) -> dict[str, Any]:
    """AUROC and true positive rates at RATES on a test set, with 95 % intervals.

    Only the numbers of examples where all of them are lenses, or none.
    """
    results: dict[str, Any] = {"n": len(labels), "n_lenses": int(np.sum(labels))}
    if results["n_lenses"] in (0, results["n"]):
        return results
    metrics = {"auroc": auroc}
    for rate in RATES:

        def at_rate(labels: Any, scores: Any, rate: float = rate) -> float:
            return true_positive_rate_at(labels, scores, false_positive_rate=rate)

        metrics[f"tpr_at_fpr_{rate}"] = at_rate
    for name, metric in metrics.items():
        estimate = bootstrap(metric, labels, scores)
        results[name] = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return results
