"""Noise: its mean and variance within five standard errors of what counting says.

With N pixels of variance v the mean has standard error sqrt(v / N), the variance v sqrt(2 / N):
Poisson counts of some 500 electrons and more have an excess kurtosis below 0.002.
"""

from __future__ import annotations

import numpy as np
import pytest
from lenstronomy.SimulationAPI.observation_api import SingleBand
from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid
from numpy.testing import assert_allclose

from lensy.bands import GRIDS, band
from lensy.detector import noise_sigma, observe

SIDE = 400
N = SIDE**2


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("flux", [0.0, 3.0, 500.0])
def test_mean_and_variance_of_a_flat_image(name: str, flux: float) -> None:
    """Electrons by hand: object and sky are counted, four read-outs add their variance."""
    each = band(name)
    image = np.full((SIDE, SIDE), flux, np.float32)
    seen = observe(image, each, np.random.default_rng(1)).astype(float)
    electrons = flux / each.njy_per_electron + each.sky_electrons + 4 * each.read_noise**2
    variance = electrons * each.njy_per_electron**2
    assert_allclose(seen.mean(), flux, atol=5 * np.sqrt(variance / N))
    assert_allclose(seen.var(), variance, rtol=5 * np.sqrt(2 / N))


@pytest.mark.parametrize("name", GRIDS)
def test_variance_is_that_of_lenstronomy(name: str) -> None:
    """Its noise for a flux is Gaussian: background and flux per exposure time, in quadrature."""
    each = band(name)
    settings = Euclid(name).kwargs_single_band() | {"pixel_scale": each.pixel_scale}
    single = SingleBand(data_count_unit="e-", **settings)
    unit = each.flux(each.zero_point)
    image = np.full((SIDE, SIDE), 200.0)
    theirs = single.flux_noise(image / unit) ** 2 + single.background_noise**2
    seen = observe(image.astype(np.float32), each, np.random.default_rng(2)).astype(float)
    assert_allclose(seen.var(), theirs.mean() * unit**2, rtol=5 * np.sqrt(2 / N))


def test_noise_sigma_is_the_scatter_of_observe() -> None:
    """Pixel by pixel, from 2000 pictures of a ramp; a standard deviation has 1 / sqrt(2 n)."""
    vis, rng = band("VIS"), np.random.default_rng(3)
    ramp = np.linspace(0, 100, 25, dtype=np.float32).reshape(5, 5)
    pictures = np.stack([observe(ramp, vis, rng) for _ in range(2000)])
    assert_allclose(pictures.std(axis=0), noise_sigma(ramp, vis), rtol=5 / np.sqrt(4000))


def test_empty_sky_has_the_background_sigma() -> None:
    vis = band("VIS")
    assert_allclose(noise_sigma(np.zeros((2, 2), np.float32), vis), vis.background_sigma, rtol=1e-6)
    # flux below zero is rounding, not light
    assert_allclose(noise_sigma(np.full((2, 2), -1.0), vis), vis.background_sigma, rtol=1e-6)


def test_pixels_are_independent() -> None:
    """Correlation of neighbours: standard error 1 / sqrt(N)."""
    seen = observe(np.zeros((SIDE, SIDE), np.float32), band("VIS"), np.random.default_rng(4))
    right = np.corrcoef(seen[:, 1:].ravel(), seen[:, :-1].ravel())[0, 1]
    below = np.corrcoef(seen[1:].ravel(), seen[:-1].ravel())[0, 1]
    assert_allclose([right, below], 0.0, atol=5 / np.sqrt(N))


def test_the_generator_decides_and_nothing_else() -> None:
    image, vis = np.ones((4, 4), np.float32), band("VIS")
    first, again, other = (observe(image, vis, np.random.default_rng(s)) for s in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.dtype, first.shape) == (np.float32, (4, 4))
    assert np.array_equal(image, np.ones((4, 4)))
