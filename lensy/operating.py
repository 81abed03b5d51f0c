"""What a threshold does: rates, accuracy, precision and purity, and what published figures imply.

Accuracy and precision depend on how many lenses there are among the images; recall and false
positive rate do not. So a network is described by the two rates, and the others follow for any
prevalence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from lensy.errors import LensyError
from lensy.metrics import Estimate, bootstrap, both_classes

Floats = NDArray[np.float64]

FIGURES = ("accuracy", "recall", "precision")
"""The figures of the talk's table, in its order."""


@dataclass(frozen=True)
class OperatingPoint:
    """Shares of the lenses and of the non-lenses that a threshold calls lenses.

    >>> point = OperatingPoint(recall=0.5, false_positive_rate=0.01)
    >>> round(point.precision(prevalence=0.5), 3), round(point.precision(prevalence=0.001), 3)
    (0.98, 0.048)
    """

    recall: float
    false_positive_rate: float

    def accuracy(self, prevalence: float) -> float:
        """Share of images called what they are, where a share `prevalence` are lenses."""
        return prevalence * self.recall + (1 - prevalence) * (1 - self.false_positive_rate)

    def precision(self, prevalence: float) -> float:
        """Share of lenses among the images called lenses; NaN where none is."""
        found = prevalence * self.recall
        called = found + (1 - prevalence) * self.false_positive_rate
        return found / called if called > 0 else float("nan")

    def figure(self, name: str, prevalence: float) -> float:
        """One of FIGURES."""
        if name == "recall":
            return self.recall
        if name == "accuracy":
            return self.accuracy(prevalence)
        if name == "precision":
            return self.precision(prevalence)
        raise LensyError(f"There is no figure {name!r}; there are {', '.join(FIGURES)}.")


def operating_point(labels: ArrayLike, scores: ArrayLike, threshold: float) -> OperatingPoint:
    """Rates of images whose score exceeds the threshold. labels, scores: (n,).

    Raises LensyError where only one class is present.
    """
    labels, called = both_classes(labels), np.asarray(scores) > threshold
    return OperatingPoint(float(called[labels].mean()), float(called[~labels].mean()))


def table_row(
    labels: ArrayLike, scores: ArrayLike, *, threshold: float, prevalence: float
) -> dict[str, Estimate]:
    """Accuracy, recall and precision at a threshold for a prevalence, with 95 % intervals.

    The lenses and non-lenses of the test set are weighted to the prevalence.
    """

    def figure(name: str) -> Callable[[NDArray[np.bool_], Floats], float]:
        def metric(labels: NDArray[np.bool_], scores: Floats) -> float:
            return operating_point(labels, scores, threshold).figure(name, prevalence)

        return metric

    return {name: bootstrap(figure(name), labels, scores) for name in FIGURES}


def implied(accuracy: float, recall: float, precision: float) -> tuple[float, float]:
    """Prevalence and false positive rate that three published figures fix.

    With prevalence p and false positive rate f, precision is p r / (p r + (1 - p) f) and accuracy
    p r + (1 - p) (1 - f). The first gives (1 - p) f = p r (1 - precision) / precision, which put
    into the second leaves p alone. Raises LensyError where no test set can have given them.

    >>> prevalence, rate = implied(0.8137, 0.62, 0.69)  # the talk's row for VIS
    >>> f"{prevalence:.3f} {rate:.3f}"
    '0.283 0.110'
    """
    impossible = LensyError(
        f"No test set gives accuracy {accuracy}, recall {recall} and precision {precision}."
    )
    if not (0 < accuracy < 1 and 0 < recall <= 1 and 0 < precision <= 1):
        raise impossible
    wrong = recall * (1 - precision) / precision
    if wrong == 0 and recall == 1:
        raise impossible
    prevalence = (1 - accuracy) / (1 - recall + wrong)
    if not 0 < prevalence < 1 or wrong * prevalence > 1 - prevalence:
        raise impossible
    return prevalence, wrong * prevalence / (1 - prevalence)


def implied_range(
    figures: tuple[float, float, float], steps: tuple[float, float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Lowest and highest prevalence and false positive rate that round to the published figures.

    figures: accuracy, recall, precision. steps: the unit of each one's last digit. The extremes are
    sought among the corners of the box of half a step.
    """
    corners = []
    for signs in product((-0.5, 0.5), repeat=3):
        moved = [v + sign * step for v, sign, step in zip(figures, signs, steps, strict=True)]
        corners.append(implied(*(min(each, 1.0) for each in moved)))
    prevalences, rates = zip(*corners, strict=True)
    return (min(prevalences), max(prevalences)), (min(rates), max(rates))


def ideal_completeness(signal_to_noise: ArrayLike, *, false_positive_rate: float) -> Floats:
    """Share found by an observer who knows exactly what to look for, and where.

    Such an observer's statistic, the image's projection on the known lensed light, is Gaussian with
    scatter 1 and mean 0 or the signal-to-noise. Source: Peterson, Birdsall & Fox 1954.

    >>> print(ideal_completeness([0, 2.326, 5], false_positive_rate=0.01).round(2))
    [0.01 0.5  1.  ]
    """
    threshold = norm.isf(false_positive_rate)
    return np.asarray(norm.sf(threshold - np.asarray(signal_to_noise, np.float64)))


def half_found(values: ArrayLike, found: ArrayLike) -> float:
    """The value at which half of the lenses are found, from a logistic fit to its logarithm.

    values: (n,); those that are not positive are left out. found: (n,) whether each was. NaN where
    all or none were.
    """
    values = np.asarray(values, np.float64)
    found = np.asarray(found, bool)[values > 0]
    values = values[values > 0]
    if found.all() or not found.any():
        return float("nan")
    logarithm = np.log(values)[:, None]
    fit = LogisticRegression(C=np.inf).fit(logarithm, found)
    return float(np.exp(-fit.intercept_[0] / fit.coef_[0, 0]))


def binned_share(values: ArrayLike, found: ArrayLike, edges: ArrayLike) -> tuple[Floats, Floats]:
    """Share found per bin and its standard error, (n,) each; NaN in an empty bin.

    edges: (n + 1,). The error is that of Laplace's rule, so that it is not 0 where all were found.
    """
    values, found = np.asarray(values, np.float64), np.asarray(found, bool)
    count = np.histogram(values, edges)[0].astype(float)
    hits = np.histogram(values[found], edges)[0].astype(float)
    with np.errstate(invalid="ignore"):
        share = hits / count
    smooth = (hits + 1) / (count + 2)
    return share, np.where(count > 0, np.sqrt(smooth * (1 - smooth) / (count + 3)), np.nan)


def softmax_over_batch(logits: ArrayLike, batch: int) -> Floats:
    """Softmax along the wrong axis: over the images of each batch, instead of over the classes.

    logits: (n, classes), in the order in which images are batched; the last batch may be smaller.
    Returns (n, classes): each class's values add up to 1 within a batch.
    """
    logits = np.asarray(logits, np.float64)
    parts = [logits[start : start + batch] for start in range(0, len(logits), batch)]
    return np.concatenate([softmax(part, axis=0) for part in parts])
