"""Score and painting together: regressions on what `describing` says of an image.

Fitted on validation frames, judged on the test set. scikit-learn's logistic regression weighs each
number once; its gradient boosting may also find that one matters only where another is large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lensy.evaluation import Columns
from lensy.metrics import Estimate, bootstrap, false_positive_rate_at
from lensy.traits import TRAITS

Floats = NDArray[np.float64]

SCORE = "score alone"
INPUTS = {
    SCORE: ("score",),
    "painting alone": tuple(TRAITS),
    "both, logistic": ("score", *TRAITS),
    "both, boosted": ("score", *TRAITS),
}
"""Columns that each way to score an image sees."""


def fitted(name: str, validation: Columns) -> ClassifierMixin:
    """One of INPUTS, fitted on described frames."""
    if name.endswith("boosted"):
        model = HistGradientBoostingClassifier(
            max_depth=3, learning_rate=0.05, max_iter=100, early_stopping=False, random_state=0
        )
    else:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(_matrix(name, validation), validation["label"].astype(bool))


def _matrix(name: str, columns: Columns) -> Floats:
    return np.stack([columns[each] for each in INPUTS[name]], axis=1).astype(np.float64)


def combined(validation: Columns, test: Columns) -> dict[str, Floats]:
    """Scores (n,) of the test frames in each of the INPUTS; higher is more lens-like."""
    return {
        name: fitted(name, validation).decision_function(_matrix(name, test)) for name in INPUTS
    }


def weights(validation: Columns) -> dict[str, float]:
    """How much each number moves the log-odds, per scatter of it, in the logistic regression."""
    model = fitted("both, logistic", validation)
    return dict(zip(INPUTS["both, logistic"], map(float, model[-1].coef_[0]), strict=True))


@dataclass(frozen=True)
class Left:
    """False positives where a share of the lenses is found.

    rate: the false positive rate. gone: the share of those of SCORE that are no more, negative
    where there are more than before.
    """

    rate: Estimate
    gone: Estimate


def false_positives_left(
    labels: ArrayLike, scores: Mapping[str, ArrayLike], *, true_positive_rate: float
) -> dict[str, Left]:
    """What each of several scores (n,), that of SCORE among them, leaves, with 95 % intervals.

    An image's scores are resampled together, so that what two of them share does not blur the
    difference.
    """

    def rate(labels: ArrayLike, scores: ArrayLike) -> float:
        return false_positive_rate_at(labels, scores, true_positive_rate=true_positive_rate)

    before = rate(labels, scores[SCORE])

    def gone(labels: ArrayLike, pair: Floats) -> float:
        fewer = rate(labels, pair[:, 0]) - rate(labels, pair[:, 1])
        return fewer / before if before else float("nan")

    found = {}
    for name, each in scores.items():
        pair = np.stack([np.asarray(scores[SCORE]), np.asarray(each)], axis=1)
        found[name] = Left(bootstrap(rate, labels, each), bootstrap(gone, labels, pair))
    return found
