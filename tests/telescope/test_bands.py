"""Bands: conversions, noise and depth against numbers from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from builders import EUCLID
from lenstronomy.SimulationAPI.observation_api import SingleBand
from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid
from numpy.testing import assert_allclose

from lensy.errors import LensyError
from lensy.telescope.bands import band


@pytest.mark.parametrize("name", EUCLID)
def test_background_noise_is_that_of_lenstronomy(name: str) -> None:
    """`SingleBand.background_noise` is in electrons per second for these settings."""
    ours = band(name)
    settings = Euclid(name).kwargs_single_band() | {"pixel_scale": ours.pixel_scale}
    theirs = SingleBand(data_count_unit="e-", **settings).background_noise
    assert_allclose(ours.background_sigma, theirs * ours.flux(ours.zero_point), rtol=1e-6)


# Typed from FACTS.md section 3, rounded as there; the tolerance is half of the last digit.
@pytest.mark.parametrize(
    ("name", "noise", "half_digit"),
    [("VIS", 2.0, 0.05), ("Y", 25, 0.5), ("J", 21, 0.5), ("H", 21, 0.5)],
)
def test_noise_per_pixel_in_njy(name: str, noise: float, half_digit: float) -> None:
    assert_allclose(band(name).background_sigma, noise, atol=half_digit)


def test_vis_noise_in_electrons_per_second() -> None:
    vis = band("VIS")
    assert_allclose(vis.background_sigma / vis.flux(vis.zero_point), 0.0108, atol=5e-5)


def test_vis_depth() -> None:
    """25.48 computed by hand; 25.6 measured in flight, arXiv 2503.15303."""
    assert_allclose(band("VIS").depth(), 25.48, atol=0.005)
    assert_allclose(band("VIS").depth(), 25.6, atol=0.15)


def test_depth_falls_with_signal_to_noise_and_aperture() -> None:
    """Twice the signal-to-noise or twice the diameter costs 2.5 log10(2) magnitudes."""
    vis = band("VIS")
    assert_allclose(vis.depth() - vis.depth(signal_to_noise=20), 2.5 * np.log10(2))
    assert_allclose(vis.depth() - vis.depth(diameter=2.6), 2.5 * np.log10(2))


def test_flux_of_known_magnitudes() -> None:
    """Magnitude 31.4 is 1 nJy to 0.0003 mag, as Rubin and Euclid count."""
    vis = band("VIS")
    assert_allclose(vis.flux(31.4), 1.0, rtol=1e-3)
    assert_allclose(vis.flux(20.0) / vis.flux(25.0), 100.0)
    assert_allclose(vis.magnitude(vis.flux(23.4)), 23.4)


def test_zero_point_is_one_electron_per_second() -> None:
    vis = band("VIS")
    assert_allclose(vis.flux(25.72) / vis.njy_per_electron, 4 * 566.0)


@pytest.mark.parametrize(("name", "side"), [("VIS", 20.0), ("Y", 19.8), ("J", 19.8), ("H", 19.8)])
def test_field_of_view(name: str, side: float) -> None:
    assert_allclose(band(name).field_of_view, side)
    assert band(name).shape == (round(side / band(name).pixel_scale),) * 2


@pytest.mark.parametrize("name", EUCLID)
def test_rounding_is_exact_in_single_precision_and_invisible(name: str) -> None:
    """A power of two, from a 800th to a 400th of the noise."""
    step, sigma = band(name).flux_step, band(name).background_sigma
    assert np.log2(step) == np.rint(np.log2(step))
    assert sigma / 800 < step <= sigma / 400


def test_gaussian_of_half_maximum() -> None:
    vis = band("VIS")
    half = 0.5 * vis.psf_fwhm
    assert_allclose(np.exp(-0.5 * (half / vis.psf_sigma) ** 2), 0.5)


def test_unknown_band_is_refused() -> None:
    with pytest.raises(LensyError, match=r"no band 'K'; the bands are VIS, Y, J, H"):
        band("K")


@pytest.mark.parametrize("flux", [0.0, -1.0, float("nan")])
def test_magnitude_of_no_flux_is_refused(flux: float) -> None:
    with pytest.raises(LensyError, match=r"flux above 0 nJy, not"):
        band("VIS").magnitude(flux)
