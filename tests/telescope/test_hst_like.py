"""An exposure as of HST: its noise, and artefacts that happen on half as wide pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lensy.errors import LensyError
from lensy.telescope.artefact import Setting, Spoil
from lensy.telescope.bands import AB_ZERO_FLUX, band
from lensy.telescope.detector_artefacts import ChipGap, CosmicRays
from lensy.telescope.instrument import CLEAN, KINDS, Instrument, expose
from lensy.telescope.noise import as_seen, detector_pixels, observe
from lensy.telescope.optical_artefacts import Star

VIS = band("VIS")
EMPTY = np.zeros(VIS.shape, np.float32)
SETTING = Setting(("VIS",), angle=0.3, single=True)


def test_noise_is_that_of_one_exposure() -> None:
    """0.1 electrons of sky per second and detector pixel, and four read-outs of 4 electrons."""
    sky = 0.1 * 10 ** (0.4 * (25.94 - 21.9 - 2.5 * np.log10(0.1 / 0.05**2)))
    electrons = np.sqrt(4 * 507 * sky + 4 * 4.0**2)
    expected = electrons / 507 * AB_ZERO_FLUX * 10 ** (-0.4 * 25.94)
    assert_allclose(sky, 0.1, rtol=0.05)
    picture = observe(EMPTY, VIS, np.random.default_rng(1), exposure="HST-like")
    # the standard error of a scatter from 40 000 pixels is 0.4 per cent
    assert_allclose(picture.std(), expected, rtol=0.015)
    assert_allclose(detector_pixels(VIS, "HST-like").background_sigma, expected / 2, rtol=1e-6)
    assert detector_pixels(VIS, "coadd") == VIS


def test_only_vis_has_it() -> None:
    with pytest.raises(LensyError, match="no HST-like exposure in H: take VIS"):
        as_seen(band("H"), "HST-like")


def test_tracks_are_half_as_long_on_the_sky() -> None:
    tracks = CosmicRays.draw(np.random.default_rng(1), SETTING)
    fine = tracks.spoil(detector_pixels(VIS, "HST-like"))
    coarse = tracks.spoil(as_seen(VIS, "single exposure"))
    assert fine.mask.shape == (400, 400)
    # the same tracks on four times as many pixels, of which 0.75 to 1.5 per cent are known
    assert 0.15 * coarse.mask.mean() < fine.mask.mean() < 0.4 * coarse.mask.mean()
    assert 0.004 < fine.mask.mean() < 0.015


def test_binning_adds_light_and_keeps_what_is_spoilt() -> None:
    mask = np.zeros((4, 4), bool)
    mask[0, 1] = True
    light = np.arange(16.0).reshape(4, 4)
    missing = np.ones((4, 4), int)
    missing[3, 3] = 2
    whole = Spoil(mask, light=light, missing=missing, blank=mask).binned(2)
    assert_array_equal(whole.mask, [[True, False], [False, False]])
    assert_array_equal(whole.blank, whole.mask)
    assert_array_equal(whole.light, [[10, 18], [42, 50]])
    assert_array_equal(whole.missing, [[1, 1], [1, 2]])
    assert not whole.charge.any()
    one = Spoil(mask)
    assert one.binned(1) is one


def test_a_star_keeps_its_light() -> None:
    """That of a faint one, which does not saturate; the core's pixels differ in shape only."""
    star = Star(("VIS",), x=1.3, y=-2.2, angle=0.2, magnitudes={"VIS": 21.0})
    spoilt = {each: star.spoil(detector_pixels(VIS, each)).light for each in ("coadd", "HST-like")}
    assert_allclose(spoilt["HST-like"].sum(), spoilt["coadd"].sum(), rtol=0.02)


def test_a_gap_is_blank_wherever_a_part_of_a_pixel_is() -> None:
    gap = ChipGap.draw(np.random.default_rng(3), SETTING)
    instrument = Instrument(exposure="HST-like")
    rng = np.random.default_rng(1)
    seen = expose(EMPTY, VIS, rng, artefacts=[gap], instrument=instrument)
    fine = gap.spoil(detector_pixels(VIS, "HST-like")).mask
    expected = fine.reshape(200, 2, 200, 2).any(axis=(1, 3))
    assert_array_equal(seen.masks["chip gap"], expected)
    assert (seen.image[expected] == 0).all()
    assert (seen.image[~expected] != 0).all()


def test_a_realistic_one_has_no_noise_step() -> None:
    instrument = Instrument.realistic("HST-like")
    assert instrument.rates.of("noise step", "VIS") == 0
    assert instrument.rates.of("cosmic rays", "VIS") == 1
    assert not instrument.correlated_noise


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_kind_the_others_stay(kind: str) -> None:
    everything = Instrument.realistic()
    less = everything.without(kind)
    for instrument in ("VIS", "NISP"):
        assert less.rates.of(kind, instrument) == 0
    for seed in range(20):
        drawn, left = (each.draw(np.random.default_rng(seed)) for each in (everything, less))
        assert left == tuple(each for each in drawn if each.kind != kind)
    assert CLEAN.without(kind) == CLEAN
