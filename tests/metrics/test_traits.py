"""What a painting looks like, in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lensy.metrics.reconstruction import TRAITS, share_on, traits

SIGMA, SCALE = 2.0, 0.1
Y, X = np.mgrid[:200, :200]


def galaxy(y: float, x: float) -> NDArray[np.float32]:
    """A bright round blob, nJy."""
    return (500 * np.exp(-np.hypot(Y - y, X - x) / 5)).astype(np.float32)


def ring(y: float, x: float, start: float = 0.0, end: float = 1.0) -> NDArray[np.float32]:
    """Light of five times the noise, 2 arcsec around a place, from `start` to `end` of a turn."""
    turn = (np.arctan2(Y - y, X - x) / (2 * np.pi)) % 1
    on_it = (abs(np.hypot(Y - y, X - x) - 20) < 2) & (turn >= start) & (turn < end)
    return np.where(on_it, 5 * SIGMA, 0).astype(np.float32)


def of(light: NDArray[Any], image: NDArray[Any], spoilt: NDArray[Any] | None = None) -> Any:
    """Traits of one painting."""
    marked = None if spoilt is None else spoilt[None]
    painted = np.arcsinh(light / SIGMA)[None].astype(np.float32)
    found = traits(painted, image[None], marked, sigma=SIGMA, pixel_scale=SCALE)
    return {name: float(values[0]) for name, values in found.items()}


def test_a_ring_lies_all_around_its_galaxy() -> None:
    light = ring(90, 110)
    found = of(light, light + galaxy(90, 110))
    assert found["around"] == 1.0
    assert found["offset"] < 0.1
    assert found["extent"] == pytest.approx(2.0, abs=0.05)
    assert found["area"] == pytest.approx((light > 0).sum() * 0.01)
    assert found["flux"] == pytest.approx(np.log10(light.sum() / SIGMA))
    assert found["peak"] == pytest.approx(np.arcsinh(5.0))


def test_an_arc_lies_on_one_side() -> None:
    whole, arc = ring(100, 100), ring(100, 100, 0.26, 0.49)
    image = whole + galaxy(100, 100)
    assert of(arc, image)["around"] == 0.25
    assert of(arc, image)["offset"] > 1.5
    assert of(arc, image)["extent"] < of(whole, image)["extent"]


def test_a_stripe_far_from_any_galaxy_is_told_from_an_arc() -> None:
    stripe = np.where(abs(X - 30) < 3, 5 * SIGMA, 0).astype(np.float32)
    found = of(stripe, stripe + galaxy(100, 150))
    assert found["offset"] > 10
    assert found["extent"] > 5


def test_light_on_an_artefact_is_counted() -> None:
    light = ring(100, 100)
    below = Y > 100
    share = of(light, light, below)["spoilt"]
    assert share == pytest.approx(light[below].sum() / light.sum())
    assert of(light, light, 0.5 * below)["spoilt"] == pytest.approx(0.5 * share)
    assert of(light, light)["spoilt"] == 0.0


def test_shares_of_many_paintings_at_once() -> None:
    light = np.stack([ring(100, 100), ring(60, 60), 0 * ring(60, 60)])
    half = np.broadcast_to(Y > 100, light.shape)
    found = share_on(np.arcsinh(light / SIGMA), half)
    assert found[0] == pytest.approx(0.5, abs=0.02)
    assert found[1:].tolist() == [0.0, 0.0]


def test_the_share_of_all_light_lies_from_0_to_1() -> None:
    light = ring(100, 100)
    assert of(light, light)["share"] == pytest.approx(1.0)
    assert of(light, 4 * light)["share"] == pytest.approx(0.25)
    # noise may leave less in the image than was painted
    assert of(light, 0 * light)["share"] == 1.0


def test_an_empty_painting_has_no_traits() -> None:
    dark = np.full((200, 200), 0.5 * SIGMA)
    assert of(dark, galaxy(100, 100)) == dict.fromkeys(TRAITS, 0.0)


def test_every_trait_is_finite_without_a_galaxy() -> None:
    light = ring(100, 100)
    found = of(light, 0 * light)
    assert set(found) == set(TRAITS)
    assert all(np.isfinite(list(found.values())))
    assert found["around"] == found["offset"] == 0.0
