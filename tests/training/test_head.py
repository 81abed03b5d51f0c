"""Training of the dense layers and calibration, on clouds and scores whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from lensy.datasets.frames import Item
from lensy.errors import LensyError
from lensy.metrics.operating_point import Calibration, calibrate
from lensy.metrics.ranking import auroc
from lensy.models.classifier import FrozenEncoder, Head, log_odds
from lensy.models.unet import Naberrie
from lensy.training.head import HeadTraining, cached_features, rounded, train_head
from lensy.training.unet_scores import BATCH

Cloud = tuple[Tensor, Tensor]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order, so that equal seeds give equal bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def clouds(n: int, *, separation: float, seed: int) -> Cloud:
    """n points in four dimensions, half of them lenses `separation` scatters away."""
    labels = torch.arange(n) % 2 == 0
    points = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    points[:, 0] += separation * labels
    return 10 * points + 3, labels


TRAIN = clouds(160, separation=3.5, seed=1)
VALIDATION = clouds(80, separation=3.5, seed=2)
HARD = clouds(80, separation=0.7, seed=2)
"""Overlapping, so that no two epochs separate them alike."""


def settings(**changes: Any) -> HeadTraining:
    return HeadTraining(**({"n_epochs": 4, "batch": 32} | changes))


def scores(head: Head, cloud: Cloud) -> NDArray[np.float32]:
    with torch.inference_mode():
        return log_odds(head(cloud[0])).numpy()


def loss_of(head: Head, cloud: Cloud) -> float:
    with torch.inference_mode():
        return float(functional.cross_entropy(head(cloud[0]), cloud[1].long()))


def weights(seed: int) -> dict[str, Tensor]:
    return train_head(TRAIN, HARD, settings(), seed=seed)[0].state_dict()


# features


class Few(Dataset[Item]):
    """One full batch of two-band images and three more."""

    images = 5 * torch.randn(BATCH + 3, 2, 32, 32, generator=torch.Generator().manual_seed(6))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Item:
        label = torch.tensor(index % 3 == 0)
        return {"image": self.images[index], "target": torch.zeros(1), "label": label}


@pytest.fixture(scope="module")
def encoder() -> FrozenEncoder:
    torch.manual_seed(7)
    return FrozenEncoder(Naberrie(width=2, sigma=(1.0, 2.0)))


def test_cached_features_are_the_encoders(encoder: FrozenEncoder) -> None:
    features, labels = cached_features(encoder, Few())
    assert features.shape == (BATCH + 3, encoder.n_features)
    assert_allclose(features, encoder(Few.images), rtol=1e-4, atol=1e-5)
    assert labels.tolist() == [k % 3 == 0 for k in range(BATCH + 3)]


def test_a_head_learns_from_cached_features(encoder: FrozenEncoder) -> None:
    """What `cached_features` gives was made in inference mode, and gradients still flow."""
    cached = cached_features(encoder, Few())
    _, history = train_head(cached, cached, settings(batch=8, n_epochs=12), seed=1)
    assert history["train_loss"][-1] < history["train_loss"][0]


# the dense layers


def test_a_head_separates_two_clouds() -> None:
    """3.5 scatters apart, the best possible area is Phi(3.5 / sqrt 2) = 0.993."""
    head, history = train_head(TRAIN, VALIDATION, settings(n_epochs=8), seed=1)
    unseen = clouds(400, separation=3.5, seed=9)
    assert auroc(unseen[1].numpy(), scores(head, unseen)) > 0.95
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]
    assert not head.training


def test_the_same_seed_gives_the_same_bits() -> None:
    one, other = weights(seed=1), weights(seed=1)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_another_seed_gives_other_weights() -> None:
    one, other = weights(seed=1), weights(seed=2)
    alike = [name for name in one if torch.equal(one[name], other[name])]
    assert alike == ["mean", "scatter"]


def test_training_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(123)
    before = torch.get_rng_state()
    train_head(TRAIN, HARD, settings(n_epochs=1), seed=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_training_does_not_depend_on_the_global_random_state() -> None:
    torch.manual_seed(1)
    one = weights(seed=3)
    torch.manual_seed(2)
    other = weights(seed=3)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_scale_of_features_is_that_of_the_training_set() -> None:
    head, _ = train_head(TRAIN, HARD, settings(n_epochs=1), seed=1)
    points = TRAIN[0].numpy().astype(float)
    assert_allclose(head.mean, points.mean(axis=0), rtol=1e-5)
    assert_allclose(head.scatter, points.std(axis=0), rtol=1e-5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_best_epoch_is_kept(seed: int) -> None:
    head, history = train_head(TRAIN, HARD, settings(n_epochs=6), seed=seed)
    areas = history["validation_auroc"]
    assert len(history["train_loss"]) == len(history["validation_loss"]) == len(areas) == 6
    assert areas.count(max(areas)) == 1
    assert areas[history["best_epoch"] - 1] == max(areas)
    assert_allclose(auroc(HARD[1].numpy(), scores(head, HARD)), max(areas))
    expected = history["validation_loss"][history["best_epoch"] - 1]
    assert_allclose(loss_of(head, HARD), expected, rtol=1e-5)


def test_the_best_epoch_is_kept_where_several_are_as_good() -> None:
    far = clouds(40, separation=12.0, seed=2)
    train = clouds(160, separation=12.0, seed=1)
    head, history = train_head(train, far, settings(n_epochs=6), seed=1)
    assert history["validation_auroc"].count(1.0) > 1
    expected = history["validation_loss"][history["best_epoch"] - 1]
    assert_allclose(loss_of(head, far), expected, rtol=1e-5)


def test_a_single_step_is_enough() -> None:
    head, history = train_head(TRAIN, HARD, settings(n_epochs=1, batch=500), seed=1)
    assert history["best_epoch"] == 1
    assert np.isfinite(scores(head, HARD)).all()


def test_history_can_be_written() -> None:
    _, history = train_head(TRAIN, HARD, settings(), seed=1)
    read = json.loads(json.dumps(rounded(history)))
    assert read["best_epoch"] == history["best_epoch"]
    for name in ("train_loss", "validation_loss", "validation_auroc"):
        assert_allclose(read[name], history[name], rtol=0, atol=0.51e-5)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_cannot_be_learned(label: bool) -> None:
    labels = torch.full((160,), label)
    with pytest.raises(LensyError, match=f"All 160 training labels are {label}: .* needs both"):
        train_head((TRAIN[0], labels), HARD, settings(), seed=1)


# calibration


def drawn(n_lenses: int, n_others: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Scores that are normal with scatter 2, of mean 1 for non-lenses and 4 for lenses.

    By the ratio of the two densities the log-odds among equal numbers are (4 - 1) / 4 x score
    - (16 - 1) / 8: slope 0.75, intercept -1.875, whatever the numbers drawn.
    """
    labels = np.arange(n_lenses + n_others) < n_lenses
    noise = np.random.default_rng(12).standard_normal(labels.size)
    return labels, 2 * noise + np.where(labels, 4.0, 1.0)


TRUE = np.array([0.75, -1.875])


@pytest.mark.parametrize(("n_lenses", "n_others"), [(2000, 2000), (400, 4000), (4000, 400)])
def test_calibration_recovers_a_known_logistic(n_lenses: int, n_others: int) -> None:
    """Standard errors of a weighted fit: H^-1 J H^-1 with the sums over images of w p (1 - p) x x'
    and of w^2 (label - p)^2 x x', x = (score, 1) (White 1982, Econometrica 50, 1). We allow for 4;
    without weights the intercept of ten to one would be off by ln 10 = 2.3."""
    labels, score = drawn(n_lenses, n_others)
    x = np.stack([score, np.ones_like(score)])
    chance = expit(TRUE @ x)
    weight = np.where(labels, 1 / n_lenses, 1 / n_others)
    inverse = np.linalg.inv((x * weight * chance * (1 - chance)) @ x.T)
    errors = np.sqrt(np.diag(inverse @ ((x * (weight * (labels - chance)) ** 2) @ x.T) @ inverse))
    assert (errors < [0.05, 0.15]).all()
    found = calibrate(labels, score)
    assert_allclose((np.array([found.slope, found.intercept]) - TRUE) / errors, 0.0, atol=4.0)


def test_repeated_lenses_change_no_calibration() -> None:
    """Classes count equally: each lens five times is each lens once."""
    labels, score = drawn(60, 80)
    n_times = np.where(labels, 5, 1)
    once, more = calibrate(labels, score), calibrate(labels.repeat(n_times), score.repeat(n_times))
    assert_allclose([more.slope, more.intercept], [once.slope, once.intercept], rtol=1e-2)


SCORES = np.linspace(-6.0, 6.0, 13)


def test_probability_by_its_formula() -> None:
    assert_allclose(Calibration(1.5, -0.4).probability(SCORES), expit(1.5 * SCORES - 0.4))
    assert_allclose(Calibration(1.0, 0.0).probability([0.0, np.log(3)]), [0.5, 0.75])


@pytest.mark.parametrize("prevalence", [0.001, 0.2, 0.9])
def test_prevalence_follows_bayes(prevalence: float) -> None:
    """Among equal numbers, q / (1 - q) is the ratio of the two densities."""
    calibration = Calibration(1.5, -0.4)
    even = calibration.probability(SCORES)
    lens, other = prevalence * even, (1 - prevalence) * (1 - even)
    found = calibration.probability(SCORES, prevalence=prevalence)
    assert_allclose(found, lens / (lens + other), rtol=1e-9)


def test_one_half_is_the_prevalence_unless_given() -> None:
    calibration = Calibration(0.7, 1.2)
    assert_allclose(
        calibration.probability(SCORES, prevalence=0.5), calibration.probability(SCORES)
    )


def test_prevalence_keeps_the_order_and_is_the_mean_probability() -> None:
    """Of images drawn at a prevalence of 0.1 the calibrated probabilities average 0.1. A mean of
    11000 values between 0 and 1 whose scatter is below 0.25 has a standard error of 0.0024."""
    labels, score = drawn(1100, 9900)
    probability = calibrate(labels, score).probability(score, prevalence=0.1)
    assert_allclose(probability.mean(), 0.1, atol=4 * 0.0024)
    assert (np.diff(probability[np.argsort(score)]) >= 0).all()
