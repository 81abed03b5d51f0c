"""Metrics against counts by hand and against standard errors from the literature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

from lensy.errors import LensyError
from lensy.metrics.ranking import (
    auroc,
    bootstrap,
    brightest_mean,
    false_positive_rate_at,
    mean_estimate,
    roc,
    share_estimate,
    threshold_at,
    true_positive_rate_at,
)

LABELS = np.array([True, False, True, False, True, False, False])
SCORES = np.array([0.9, 0.8, 0.7, 0.7, 0.2, 0.1, 0.05])


def draw(
    n: int, separation: float, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """n lenses and n non-lenses whose scores are normal, `separation` apart."""
    labels = np.arange(2 * n) < n
    return labels, rng.standard_normal(2 * n) + separation * labels


def pairs_won(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """AUROC from ranks (Mann & Whitney 1947), a tenth of scikit-learn's time."""
    ranks = stats.rankdata(scores)[labels]
    n_lenses = len(ranks)
    wins = ranks.sum() - n_lenses * (n_lenses + 1) / 2
    return float(wins / (n_lenses * (len(labels) - n_lenses)))


def test_auroc_counts_pairs() -> None:
    """Share of pairs in which the lens scores higher; a tie is half a pair."""
    pairs = np.subtract.outer(SCORES[LABELS], SCORES[~LABELS])
    expected = (np.sum(pairs > 0) + 0.5 * np.sum(pairs == 0)) / pairs.size
    assert_allclose(auroc(LABELS, SCORES), expected)
    assert_allclose(auroc(LABELS, SCORES), 8.5 / 12)


def test_auroc_by_ranks() -> None:
    labels, scores = draw(30, 1.0, np.random.default_rng(7))
    assert_allclose(auroc(labels, scores), pairs_won(labels, scores))


def test_auroc_of_known_rankings() -> None:
    assert auroc(LABELS, LABELS.astype(float)) == 1.0
    assert auroc(LABELS, -LABELS.astype(float)) == 0.0
    assert auroc(LABELS, np.zeros(7)) == 0.5


def test_auroc_depends_on_the_ranking_alone() -> None:
    assert auroc(LABELS, np.exp(5 * SCORES)) == auroc(LABELS, SCORES)


def test_auroc_of_two_normals() -> None:
    """Phi(d / sqrt 2); at 5000 of each the standard error is some 0.005."""
    labels, scores = draw(5000, 1.0, np.random.default_rng(1))
    assert_allclose(auroc(labels, scores), stats.norm.cdf(1 / np.sqrt(2)), atol=5 * 0.005)


def test_roc_starts_and_ends_in_the_corners() -> None:
    false_positives, true_positives = roc(LABELS, SCORES)
    assert (false_positives[0], true_positives[0]) == (0, 0)
    assert (false_positives[-1], true_positives[-1]) == (1, 1)
    assert np.all(np.diff(false_positives) >= 0)
    assert_allclose(np.trapezoid(true_positives, false_positives), auroc(LABELS, SCORES))


@pytest.mark.parametrize(
    ("false_positive_rate", "expected"),
    [(0.0, 1 / 3), (0.24, 1 / 3), (0.25, 1 / 3), (0.5, 1.0), (1.0, 1.0)],
)
def test_true_positive_rate_by_hand(false_positive_rate: float, expected: float) -> None:
    """Non-lenses at 0.8, 0.7, 0.1, 0.05: above 0.8 one lens of three; one false positive more at
    0.7 ties with a lens; from 0.2 on all lenses are in."""
    found = true_positive_rate_at(LABELS, SCORES, false_positive_rate=false_positive_rate)
    assert_allclose(found, expected)


def test_threshold_is_reached_by_its_share_of_non_lenses() -> None:
    labels, scores = draw(1000, 1.0, np.random.default_rng(2))
    threshold = threshold_at(labels, scores, false_positive_rate=0.01)
    assert np.sum(scores[~labels] >= threshold) == 10


@pytest.mark.parametrize(
    "metric", [auroc, roc, lambda labels, scores: bootstrap(auroc, labels, scores)]
)
@pytest.mark.parametrize("label", [True, False])
def test_one_class_cannot_be_ranked(metric: Callable[..., object], label: bool) -> None:
    with pytest.raises(LensyError, match=rf"all 3 labels are {label}: take more examples"):
        metric([label] * 3, [0.1, 0.2, 0.3])


def test_no_examples_cannot_be_ranked() -> None:
    with pytest.raises(LensyError, match="all 0 labels"):
        auroc([], [])


def test_bootstrap_agrees_with_hanley_and_mcneil() -> None:
    """Standard error of an AUROC: Hanley & McNeil 1982, Radiology 143, 29, equation 1.

    A 95 % interval is 3.92 standard errors wide. With 500 resamples its ends scatter by a tenth of
    their distance, and the formula (for exponential scores) is good to some per cent.
    """
    labels, scores = draw(200, 1.2, np.random.default_rng(3))
    estimate = bootstrap(pairs_won, labels, scores)
    area = estimate.value
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + 199 * (q1 - area**2) + 199 * (q2 - area**2)
    expected = 3.92 * np.sqrt(variance / 200**2)
    assert_allclose(estimate.high - estimate.low, expected, rtol=0.2)


def test_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    """120 samples with 60 resamples each: 95 % of the intervals, give or take 5 standard errors of
    a share (2 %), hold the true area. Few resamples make them a little short, by 2 % of cases."""
    rng, truth = np.random.default_rng(4), stats.norm.cdf(1 / np.sqrt(2))
    held = []
    for seed in range(120):
        labels, scores = draw(40, 1.0, rng)
        estimate = bootstrap(pairs_won, labels, scores, n_resamples=60, seed=seed)
        held.append(estimate.low <= truth <= estimate.high)
    assert_allclose(np.mean(held), 0.93, atol=5 * 0.02)


def test_bootstrap_keeps_prevalence_and_repeats_itself() -> None:
    labels = np.arange(30) < 5

    def prevalence(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
        return float(labels.mean() + 0 * scores[0])

    estimate = bootstrap(prevalence, labels, np.arange(30.0), n_resamples=20)
    assert_allclose([estimate.low, estimate.high], 5 / 30)
    assert estimate.n == 30
    twice = [bootstrap(pairs_won, LABELS, SCORES, n_resamples=20, seed=5) for _ in range(2)]
    assert twice[0] == twice[1]


def test_mean_of_the_brightest_pixels() -> None:
    images = np.array([[[1, 5], [3, 2]], [[0, 0], [0, 4]]], np.float32)
    assert_allclose(brightest_mean(images, 2), [4.0, 2.0])
    assert_allclose(brightest_mean(images, 4), images.mean(axis=(1, 2)))


def test_mean_of_the_brightest_pixels_by_sorting() -> None:
    images = np.random.default_rng(6).standard_normal((5, 9, 7))
    expected = np.sort(images.reshape(5, -1), axis=1)[:, -10:].mean(axis=1)
    assert_allclose(brightest_mean(images, 10), expected)


@pytest.mark.parametrize("n_pixels", [0, 5])
def test_an_impossible_number_of_pixels_is_refused(n_pixels: int) -> None:
    with pytest.raises(LensyError, match=rf"n_pixels = {n_pixels} must lie from 1 to the 4"):
        brightest_mean(np.zeros((1, 2, 2)), n_pixels)


def test_false_positive_rate_at_a_completeness() -> None:
    labels = [False, False, False, False, True, True]
    scores = [0.1, 0.2, 0.5, 0.9, 0.4, 0.8]
    assert false_positive_rate_at(labels, scores, true_positive_rate=0.5) == 0.25
    assert false_positive_rate_at(labels, scores, true_positive_rate=1.0) == 0.5


def test_a_mean_and_the_ratio_of_two_have_the_intervals_of_theory() -> None:
    rng = np.random.default_rng(1)
    over = rng.normal(4, 0.1, 2000)
    values = 0.5 * over + rng.normal(0, 0.2, 2000)
    alone, ratio = mean_estimate(values), mean_estimate(values, over=over)
    assert (alone.value, alone.n) == (pytest.approx(values.mean()), 2000)
    assert ratio.value == pytest.approx(values.mean() / over.mean())
    error = values.std() / np.sqrt(2000)
    assert_allclose((alone.high - alone.low) / (2 * 1.96), error, rtol=0.1)
    # what the two share cancels in the ratio: its scatter is that of the noise alone
    assert_allclose((ratio.high - ratio.low) / (2 * 1.96), 0.2 / 4 / np.sqrt(2000), rtol=0.1)


def test_a_share_has_wilsons_interval() -> None:
    """Wilson 1927: the shares from which what was found is 1.96 standard errors away."""
    found = share_estimate(np.arange(50) < 38)
    assert (found.value, found.n) == (0.76, 50)
    for end in (found.low, found.high):
        assert_allclose(abs(0.76 - end) / np.sqrt(end * (1 - end) / 50), stats.norm.ppf(0.975))
    assert (share_estimate(np.ones(9)).high, share_estimate(np.zeros(9)).low) == (1.0, 0.0)


def test_a_single_lens_says_nothing_of_the_scatter() -> None:
    found = bootstrap(pairs_won, [True, False, False], [0.5, 0.4, 0.6])
    assert (found.value, found.low, found.high) == (0.5, -np.inf, np.inf)
