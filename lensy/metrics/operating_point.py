"""What a threshold does: rates, accuracy, precision and purity, and what published figures imply.

Accuracy and precision depend on how many lenses there are among the images; recall and false
positive rate do not. So a network is described by the two rates, and the others follow for any
prevalence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from lensy.errors import LensyError
from lensy.metrics.ranking import both_classes
from lensy.values import Floats

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
    slope, intercept = _logistic_regression(np.log(values), found)
    return float(np.exp(-intercept / slope))


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


@dataclass(frozen=True)
class Calibration:
    """Log-odds to probability: p = 1 / (1 + exp(-(slope x log-odds + intercept))).

    Source: Platt 1999, Advances in Large Margin Classifiers, 61.
    """

    slope: float
    intercept: float

    def probability(self, scores: ArrayLike, *, prevalence: float | None = None) -> Floats:
        """Calibrated probability of lens for log-odds (n,).

        prevalence: share of lenses where the images come from; that of the images on which the
        calibration was made, one half, unless given.
        """
        odds = self.slope * np.asarray(scores, np.float64) + self.intercept
        if prevalence is not None:
            if not 0 < prevalence < 1:
                raise LensyError(f"A prevalence lies between 0 and 1, not at {prevalence}.")
            odds = odds + np.log(prevalence / (1 - prevalence))
        return np.asarray(expit(odds))


def calibrate(labels: ArrayLike, scores: ArrayLike) -> Calibration:
    """The calibration that images with known labels ask for, as if half of them were lenses.

    labels: (n,). scores: (n,) log-odds. Logistic regression with the classes weighted equally.
    """
    return Calibration(*_logistic_regression(scores, labels, class_weight="balanced"))


def _logistic_regression(
    values: ArrayLike, labels: ArrayLike, **settings: Any
) -> tuple[float, float]:
    """Slope and intercept of the log-odds that labels (n,) have at values (n,)."""
    # takes a second to load
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, **settings)
    model.fit(np.asarray(values, np.float64)[:, None], np.asarray(labels, bool))
    return float(model.coef_[0, 0]), float(model.intercept_[0])
