"""The talk's table: its figures at a threshold, and what published figures imply."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from lensy.errors import LensyError
from lensy.metrics.operating_point import FIGURES, operating_point
from lensy.metrics.ranking import Estimate, Labels, bootstrap
from lensy.values import Floats


def table_row(
    labels: ArrayLike, scores: ArrayLike, *, threshold: float, prevalence: float
) -> dict[str, Estimate]:
    """Accuracy, recall and precision at a threshold for a prevalence, with 95 % intervals.

    The lenses and non-lenses of the test set are weighted to the prevalence.
    """
    settings = {"threshold": threshold, "prevalence": prevalence}
    return {name: table_figure(name, labels, scores, **settings) for name in FIGURES}


def table_figure(
    name: str, labels: ArrayLike, scores: ArrayLike, *, threshold: float, prevalence: float
) -> Estimate:
    """One of FIGURES, as in `table_row`."""

    def metric(labels: Labels, scores: Floats) -> float:
        return operating_point(labels, scores, threshold).figure(name, prevalence)

    return bootstrap(metric, labels, scores)


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


def softmax_over_batch(logits: ArrayLike, batch: int) -> Floats:
    """Softmax along the wrong axis: over the images of each batch, instead of over the classes.

    logits: (n, classes), in the order in which images are batched; the last batch may be smaller.
    Returns (n, classes): each class's values add up to 1 within a batch.
    """
    logits = np.asarray(logits, np.float64)
    parts = [logits[start : start + batch] for start in range(0, len(logits), batch)]
    return np.concatenate([softmax(part, axis=0) for part in parts])
