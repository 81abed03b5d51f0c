"""Reconstructions whose faults are known: perfect, half as bright, shifted, empty."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from lensy.metrics.reconstruction import BRIGHTEST, QUALITY, reconstruction_quality

Images = NDArray[np.float32]

SIGMA = 2.5
SCALE = 0.1
N = 200
N_INSIDE = 400
"""One per cent of the 200 x 200 pixels."""


def blob() -> Images:
    """Lensed light (1, y, x): a round Gaussian of scatter 1.5 pixels and peak 1000 nJy."""
    y, x = np.indices((N, N))
    light = 1000 * np.exp(-0.5 * ((y - 90) ** 2 + (x - 110) ** 2) / 1.5**2)
    return np.asarray(light[None], np.float32)


def on_scale(light: Images) -> Images:
    return np.asarray(np.arcsinh(light / SIGMA), np.float32)


def with_noise(light: Images) -> Images:
    noise = np.random.default_rng(4).normal(0.0, SIGMA, light.shape)
    return (light + noise).astype(np.float32)


def quality(painted: Images, light: Images) -> dict[str, NDArray[np.float64]]:
    return reconstruction_quality(painted, light, with_noise(light), sigma=SIGMA, pixel_scale=SCALE)


def unlike() -> tuple[Images, Images]:
    """A painting and light, (3, y, x) each, without two equal pixels."""
    rng = np.random.default_rng(2)
    light = rng.exponential(5.0, (3, 60, 50)).astype(np.float32)
    return on_scale(light) + rng.normal(0, 0.3, light.shape).astype(np.float32), light


def test_a_perfect_painting_has_no_errors() -> None:
    """But for the rounding of the network's single precision, 1e-7 of some 7 on its scale."""
    row = quality(on_scale(blob()), blob())
    for name in ("squared_error", "squared_error_inside", "squared_error_outside"):
        assert_allclose(row[name], 0.0, atol=1e-11)
    assert_allclose(row["scaled_squared_error"], 0.0, atol=1e-11)
    assert_allclose(row["flux_fraction"], 1.0, rtol=1e-5)
    assert_allclose(row["offset"], 0.0, atol=1e-6)


@pytest.mark.parametrize("fraction", [0.5, 2.0])
def test_a_part_of_the_flux_in_the_right_place(fraction: float) -> None:
    row = quality(on_scale(np.float32(fraction) * blob()), blob())
    assert_allclose(row["flux_fraction"], fraction, rtol=1e-5)
    assert_allclose(row["offset"], 0.0, atol=1e-6)
    assert row["squared_error_inside"] > row["squared_error"] > row["squared_error_outside"]


@pytest.mark.parametrize("shift", [(0, 3), (-3, 0), (2, -2)])
def test_a_shifted_painting_is_as_far_off(shift: tuple[int, int]) -> None:
    """The brightest 400 pixels are a disc of radius 11.3 around the light. Its rim is 8.3 pixels or
    5.5 scatters from the shifted painting, so that 1e-6 of a pixel of its centroid is cut away; the
    rounding of single precision is of that order too."""
    row = quality(on_scale(np.roll(blob(), shift, axis=(1, 2))), blob())
    assert_allclose(row["offset"], SCALE * np.hypot(*shift), rtol=1e-5)
    assert_allclose(row["flux_fraction"], 1.0, rtol=1e-5)


def test_light_painted_outside_the_brightest_does_not_move_the_centroid() -> None:
    painted = on_scale(blob())
    painted[0, 10:20, 10:20] = 3.0
    row, perfect = quality(painted, blob()), quality(on_scale(blob()), blob())
    for name in ("offset", "flux_fraction", "squared_error_inside"):
        assert_allclose(row[name], perfect[name])
    assert_allclose(row["squared_error_outside"], 100 * 9 / (N * N - N_INSIDE), rtol=1e-6)


def test_inside_are_the_brightest_of_the_light() -> None:
    painted, light = unlike()
    row = quality(painted, light)
    for k in range(3):
        error = (painted[k].astype(float) - np.arcsinh(light[k].astype(float) / SIGMA)) ** 2
        order = np.argsort(light[k], axis=None)
        assert_allclose(row["squared_error_inside"][k], error.flat[order[-30:]].mean(), rtol=1e-5)
        assert_allclose(row["squared_error_outside"][k], error.flat[order[:-30]].mean(), rtol=1e-5)


def test_inside_and_outside_make_the_whole() -> None:
    row = quality(*unlike())
    together = (
        BRIGHTEST * row["squared_error_inside"] + (1 - BRIGHTEST) * row["squared_error_outside"]
    )
    assert_allclose(together, row["squared_error"], rtol=1e-6)


def test_scaled_error_by_its_formula() -> None:
    painted, light = unlike()
    image = with_noise(light)
    row = reconstruction_quality(painted, light, image, sigma=SIGMA, pixel_scale=SCALE)
    for k in range(3):
        span = float(image[k].max()) - float(image[k].min())
        error = SIGMA * np.sinh(painted[k].astype(float)) - light[k]
        assert_allclose(row["scaled_squared_error"][k], np.mean(error**2) / span**2, rtol=1e-5)


def test_without_lensed_light_there_is_no_inside() -> None:
    light = np.zeros((1, N, N), np.float32)
    painted = np.full_like(light, 0.5)
    row = quality(painted, light)
    for name in ("squared_error_inside", "flux_fraction", "offset"):
        assert np.isnan(row[name]).all()
    assert_allclose(row["squared_error"], 0.25)
    assert_allclose(row["squared_error_outside"], 0.25)
    assert np.isfinite(row["scaled_squared_error"]).all()


@pytest.mark.parametrize("value", [0.0, -0.5])
def test_an_empty_painting_has_no_place(value: float) -> None:
    """Flux below zero is none."""
    row = quality(np.full((1, N, N), value, np.float32), blob())
    assert np.isnan(row["offset"]).all()
    expected = SIGMA * np.sinh(value) * N_INSIDE / blob().sum(dtype=float)
    assert_allclose(row["flux_fraction"], expected, rtol=1e-5)
    assert all(np.isfinite(row[name]).all() for name in QUALITY if name != "offset")


def test_images_do_not_depend_on_their_company() -> None:
    painted, light = unlike()
    light[1] = 0.0
    image = with_noise(light)
    settings = {"sigma": SIGMA, "pixel_scale": SCALE}
    together = reconstruction_quality(painted, light, image, **settings)
    assert tuple(together) == QUALITY
    for k in range(3):
        part = np.s_[k : k + 1]
        alone = reconstruction_quality(painted[part], light[part], image[part], **settings)
        for name in QUALITY:
            assert_allclose(alone[name], together[name][part], err_msg=name)
