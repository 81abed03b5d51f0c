"""Operating points against counts, scikit-learn and simulated observers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import accuracy_score, precision_score, recall_score

from lensy.errors import LensyError
from lensy.metrics.operating_point import (
    OperatingPoint,
    binned_share,
    half_found,
    operating_point,
)
from lensy.simulation.ideal_observer import ideal_completeness
from lensy.talk.table import (
    FIGURES,
    implied,
    implied_range,
    softmax_over_batch,
    table_row,
)

LABELS = np.array([True, False, True, False, True, False, False, True, False, False])
SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.2, 0.1, 0.05, 0.5, 0.3, 0.55])
"""Above 0.5: two of four lenses (0.5 does not exceed itself), three of six non-lenses."""

TALK = (0.8137, 0.62, 0.69)
"""The row for VIS of the talk's table: accuracy, recall, precision."""


def figures_of(
    recall: float, false_positive_rate: float, prevalence: float
) -> tuple[float, float, float]:
    point = OperatingPoint(recall, false_positive_rate)
    accuracy, recall, precision = (point.figure(name, prevalence) for name in FIGURES)
    return accuracy, recall, precision


def calls(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """The figures at a threshold of 0.5, from scikit-learn."""
    called = scores > 0.5
    return {
        "accuracy": accuracy_score(labels, called),
        "recall": recall_score(labels, called),
        "precision": precision_score(labels, called),
    }


# rates and figures


def test_rates_by_hand() -> None:
    point = operating_point(LABELS, SCORES, 0.5)
    assert_allclose([point.recall, point.false_positive_rate], [2 / 4, 3 / 6])


def test_figures_by_counting() -> None:
    """Of 40 lenses 30 are found, of 160 non-lenses 8 are called lenses."""
    point, prevalence = OperatingPoint(30 / 40, 8 / 160), 40 / 200
    assert_allclose(point.accuracy(prevalence), (30 + 152) / 200)
    assert_allclose(point.precision(prevalence), 30 / 38)
    by_name = {name: point.figure(name, prevalence) for name in FIGURES}
    assert_allclose(list(by_name.values()), [182 / 200, 30 / 40, 30 / 38])
    assert list(by_name) == ["accuracy", "recall", "precision"]


def test_precision_falls_with_prevalence_and_recall_does_not() -> None:
    point = OperatingPoint(0.8, 0.1)
    assert point.precision(0.01) < point.precision(0.1) < point.precision(0.5)
    assert point.figure("recall", 0.01) == point.figure("recall", 0.5) == 0.8


def test_precision_is_nan_where_nothing_is_called() -> None:
    assert np.isnan(OperatingPoint(0.0, 0.0).precision(0.3))


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(LensyError, match="no figure 'purity'; there are accuracy, recall, preci"):
        OperatingPoint(0.8, 0.1).figure("purity", 0.5)


# the table


def test_table_row_at_the_samples_prevalence_is_scikit_learns() -> None:
    row = table_row(LABELS, SCORES, threshold=0.5, prevalence=0.4)
    expected = calls(LABELS, SCORES)
    assert list(row) == list(FIGURES)
    assert_allclose([row[name].value for name in FIGURES], [expected[name] for name in FIGURES])


def test_table_row_at_another_prevalence_is_that_of_repeated_examples() -> None:
    """Each lens twice and each non-lens three times: 8 lenses of 26."""
    n_times = np.where(LABELS, 2, 3)
    labels, scores = np.repeat(LABELS, n_times), np.repeat(SCORES, n_times)
    row = table_row(LABELS, SCORES, threshold=0.5, prevalence=8 / 26)
    expected = calls(labels, scores)
    assert_allclose([row[name].value for name in FIGURES], [expected[name] for name in FIGURES])


def test_interval_of_the_recall_is_the_binomials() -> None:
    """Of 100 lenses 64 are found: the 95 % interval is 3.92 sqrt(0.64 x 0.36 / 100) wide. From 500
    resamples each end scatters by some 0.1 standard errors, and counts are whole hundredths."""
    labels = np.arange(300) < 100
    scores = np.where(np.arange(300) < 64, 1.0, 0.0)
    recall = table_row(labels, scores, threshold=0.5, prevalence=0.1)["recall"]
    assert_allclose(recall.value, 0.64)
    assert recall.n == 300
    assert_allclose(recall.high - recall.low, 3.92 * 0.048, atol=0.03)


# what published figures imply


@pytest.mark.parametrize("seed", range(5))
def test_implied_inverts_the_figures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for recall, rate, prevalence in rng.uniform(0.02, 0.98, (100, 3)):
        found = implied(*figures_of(recall, rate, prevalence))
        assert_allclose(found, (prevalence, rate), rtol=1e-9)


def test_implied_of_the_talks_row() -> None:
    """Checked by hand: wrong = 0.62 x 0.31 / 0.69 = 0.27855, prevalence = 0.1863 / 0.65855."""
    prevalence, rate = implied(*TALK)
    assert_allclose(prevalence, 0.283, atol=0.001)
    assert_allclose(rate, 0.110, atol=0.001)


@pytest.mark.parametrize(
    ("accuracy", "recall", "precision"),
    [
        (0.2, 0.9, 0.9),  # worse than any prevalence makes it: prevalence 4
        (1.0, 0.5, 0.5),  # no mistakes, but half of the lenses are missed
        (0.2, 0.9, 0.375),  # of equal numbers, more false alarms than non-lenses: a rate of 1.5
    ],
)
def test_impossible_figures_are_refused(accuracy: float, recall: float, precision: float) -> None:
    said = f"accuracy {accuracy}, recall {recall} and precision {precision}"
    with pytest.raises(LensyError, match=f"No test set gives {said}"):
        implied(accuracy, recall, precision)


STEPS = (0.0001, 0.01, 0.01)


def test_implied_range_holds_the_implied() -> None:
    prevalence, rate = implied(*TALK)
    (low, high), (low_rate, high_rate) = implied_range(TALK, STEPS)
    assert low < prevalence < high
    assert low_rate < rate < high_rate


def test_implied_range_brackets_the_rounding_box_and_is_not_wider() -> None:
    """Draws inside the box stay inside the range, and of 4000 some come within a tenth of its width
    of each end. Recall and precision alone matter, as the step of accuracy is a hundredth of
    theirs; where they move a value by shares w and 1 - w of its range, 0.1^2 / (2 w (1 - w)) of the
    box, 2 % or more, is that near to an end."""
    rng = np.random.default_rng(5)
    moved = np.array(TALK) + np.array(STEPS) * rng.uniform(-0.5, 0.5, (4000, 3))
    drawn = np.array([implied(*each) for each in moved])
    for values, (low, high) in zip(drawn.T, implied_range(TALK, STEPS), strict=True):
        assert low <= values.min() < low + 0.1 * (high - low)
        assert high >= values.max() > high - 0.1 * (high - low)


def test_exact_figures_imply_one_value() -> None:
    prevalence, rate = implied(*TALK)
    assert_allclose(
        implied_range(TALK, (0, 0, 0)), [[prevalence, prevalence], [rate, rate]], rtol=1e-12
    )


# completeness


@pytest.mark.parametrize("signal_to_noise", [1.0, 2.5])
def test_ideal_completeness_of_a_simulated_observer(signal_to_noise: float) -> None:
    """Images of 7 pixels with white noise are projected on the light; the threshold is the noise's
    own quantile at a rate f = 0.05.

    Of n = 20000 images the share c found has the standard error sqrt(c (1 - c) / n); the quantile
    has sqrt(f (1 - f) / n) / phi(t), which moves c by phi(t - s) times as much. We allow for 4.
    """
    rng, n, rate = np.random.default_rng(11), 20000, 0.05
    light = np.array([0.1, 0.5, 2.0, 1.0, 0.0, 0.3, 0.7])
    light *= 3.0 * signal_to_noise / np.linalg.norm(light)  # the noise of a pixel is 3
    empty = 3.0 * rng.standard_normal((n, 7)) @ light
    lensed = (3.0 * rng.standard_normal((n, 7)) + light) @ light
    found = np.mean(lensed > np.quantile(empty, 1 - rate))
    threshold = norm.isf(rate)
    error = np.hypot(
        np.sqrt(found * (1 - found) / n),
        np.sqrt(rate * (1 - rate) / n)
        * norm.pdf(threshold - signal_to_noise)
        / norm.pdf(threshold),
    )
    assert error < 0.01
    expected = ideal_completeness(signal_to_noise, false_positive_rate=rate)
    assert_allclose(found, expected, rtol=0, atol=4 * error)


@pytest.mark.parametrize("rate", [0.3, 0.01, 1e-6])
def test_half_are_found_at_the_threshold(rate: float) -> None:
    at = norm.isf(rate)
    assert_allclose(ideal_completeness(at, false_positive_rate=rate), 0.5)
    assert_allclose(ideal_completeness(0.0, false_positive_rate=rate), rate)


def test_half_found_of_a_known_logistic() -> None:
    """Found with probability 1 / (1 + exp(-3 ln(value / 2))), half of them at 2.

    The logarithm's standard error follows from the information matrix of the fit, with respect to
    intercept a and slope b, and the gradient of -a / b. We allow for 4.
    """
    rng = np.random.default_rng(3)
    values = np.exp(rng.uniform(-1.0, 2.5, 3000))
    chance = expit(3 * np.log(values / 2))
    found = rng.random(3000) < chance
    design = np.stack([np.ones(3000), np.log(values)])
    covariance = np.linalg.inv((design * chance * (1 - chance)) @ design.T)
    gradient = np.array([-1 / 3, -np.log(2) / 3])
    error = np.sqrt(gradient @ covariance @ gradient)
    assert error < 0.03
    assert_allclose(np.log(half_found(values, found)), np.log(2), rtol=0, atol=4 * error)


def test_half_found_has_the_values_unit() -> None:
    values, found = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0, 1, 0, 1, 1])
    assert_allclose(half_found(1000 * values, found), 1000 * half_found(values, found), rtol=1e-3)


@pytest.mark.parametrize("found", [True, False])
def test_half_found_is_nan_where_all_or_none_were(found: bool) -> None:
    assert np.isnan(half_found([1.0, 2.0, 3.0], [found] * 3))


# bins

EDGES = [0.0, 1.0, 2.0, 3.0, 4.0]


def test_binned_share_counts() -> None:
    values = [-0.5, 0.0, 0.2, 0.9, 0.99, 1.0, 3.0, 3.5, 4.1, 99.0]  # as numpy.histogram bins
    found = [True, True, False, False, False, True, True, False, True, True]
    share, error = binned_share(values, found, EDGES)
    assert_allclose(share, [1 / 4, 1.0, np.nan, 1 / 2])
    smooth = np.array([2 / 6, 2 / 3, np.nan, 2 / 4])
    assert_allclose(error, np.sqrt(smooth * (1 - smooth) / [7, 4, np.nan, 5]))


def test_the_error_is_the_scatter_of_the_share() -> None:
    """Of 400 repetitions of 200 lenses, half of them found: the standard error of a scatter is its
    1 / sqrt(2 x 400) = 3.5 %."""
    found = np.random.default_rng(8).random((400, 200)) < 0.5
    drawn = [binned_share(np.full(200, 0.5), each, EDGES) for each in found]
    shares, errors = (np.array([each[k][0] for each in drawn]) for k in (0, 1))
    assert_allclose(shares.std(), errors.mean(), rtol=4 * 0.035)


def test_all_found_is_not_without_error() -> None:
    share, error = binned_share([0.5, 0.6, 0.7], [True] * 3, EDGES)
    assert share[0] == 1.0
    assert error[0] > 0.1


def test_values_outside_the_edges_change_nothing() -> None:
    values, found = [0.5, 1.5, 1.6, 3.5], [True, False, True, False]
    inside = binned_share(values, found, EDGES)
    more = binned_share([*values, -3.0, 7.0, np.nan], [*found, True, True, True], EDGES)
    assert_allclose(more, inside)


# The wrong axis


def test_softmax_over_the_batch_by_hand() -> None:
    logits = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 3.0]])
    e = np.exp
    first = [[1 / (1 + e(2)), e(1) / (e(1) + 1)], [e(2) / (1 + e(2)), 1 / (e(1) + 1)]]
    assert_allclose(softmax_over_batch(logits, 2), [*first, [1.0, 1.0]])
    assert_allclose(softmax_over_batch(logits, 3).sum(axis=0), [1.0, 1.0])


def test_the_wrong_axis_makes_a_score_depend_on_its_company() -> None:
    logits = np.random.default_rng(3).normal(size=(8, 2))
    alone, together = (softmax_over_batch(logits[:4], 4), softmax_over_batch(logits, 8)[:4])
    assert not np.allclose(alone, together)
    assert np.array_equal(np.argsort(alone[:, 1]), np.argsort(together[:, 1]))
