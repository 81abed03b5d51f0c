"""Numbers that say how good a lens finder is: arrays in, numbers out.

scikit-learn computes the numbers, SciPy their intervals. Both take a second to load and are loaded
by whoever measures: a scorecard whose estimates are kept does without.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lensy.errors import LensyError
from lensy.values import Floats

Labels = NDArray[np.bool_]

Metric = Callable[[Labels, Floats], float]

RATES = (0.1, 0.01, 0.001)
"""False positive rates at which true positive rates are stated."""


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
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(both_classes(labels), scores))


def roc(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """False and true positive rates, each (k,), from (0, 0) to (1, 1)."""
    from sklearn.metrics import roc_curve

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

    scores: (n, ...), whatever the metric takes beside labels (n,). Lenses and non-lenses are
    resampled apart, so prevalence stays as it is; a single one of either says nothing of the
    scatter, so that the interval has no ends.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    labels, scores = both_classes(labels), np.asarray(scores, float)

    def of_drawn(*drawn: NDArray[np.int64]) -> float:
        chosen = np.concatenate(drawn)
        return metric(labels[chosen], scores[chosen])

    classes = [np.flatnonzero(labels), np.flatnonzero(~labels)]
    settings = {"n_resamples": n_resamples, "confidence_level": confidence, "vectorized": False}
    interval = _interval(classes, of_drawn, seed=seed, **settings)
    return Estimate(metric(labels, scores), *interval, labels.size)


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
    return Estimate(value, *_interval(samples, statistic, paired=True, n_resamples=500), n)


def share_estimate(found: ArrayLike) -> Estimate:
    """Share of what was found, (n,) booleans, with Wilson's 95 % interval for a number counted."""
    from scipy.stats import binomtest

    found = np.asarray(found, bool)
    interval = binomtest(int(found.sum()), found.size).proportion_ci(0.95, "wilson")
    return Estimate(float(found.mean()), float(interval.low), float(interval.high), found.size)


def _interval(
    samples: list[Any], statistic: Callable[..., Any], *, seed: int = 0, **settings: Any
) -> tuple[float, float]:
    """Percentile interval of a statistic of resampled samples; no ends where one is of one."""
    from scipy.stats import bootstrap as resampled

    if min(sample.size for sample in samples) < 2:
        return -math.inf, math.inf
    # resamples are drawn a batch at a time: all at once they would take gigabytes
    settings |= {"method": "percentile", "batch": 50, "rng": np.random.default_rng(seed)}
    interval = resampled(samples, statistic, **settings).confidence_interval
    return float(interval.low), float(interval.high)


def brightest_mean(images: ArrayLike, n_pixels: int) -> Floats:
    """Mean of the `n_pixels` brightest pixels of each image.

    images: (n, y, x). Returns (n,). This is the score of an image until a classifier gives one: a
    reconstruction with some bright pixels says lens, an empty one says none.
    """
    images = np.asarray(images)
    flat = images.reshape(len(images), -1)
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
    metrics: dict[str, Metric] = {"auroc": auroc}
    for rate in RATES:
        metrics[f"tpr_at_fpr_{rate}"] = partial(true_positive_rate_at, false_positive_rate=rate)
    for name, metric in metrics.items():
        estimate = bootstrap(metric, labels, scores)
        results[name] = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return results
