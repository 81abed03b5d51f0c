"""Evidence for lensed light: the whole signal-to-noise, and what a fitted galaxy leaves of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import galaxy, isothermal_sphere
from numpy.testing import assert_allclose

from lensy.simulation.ideal_observer import STEPS, evidence, lens_derivatives
from lensy.simulation.render import render, render_galaxy
from lensy.sky.scene import Galaxy, Scene
from lensy.telescope.bands import band
from lensy.telescope.noise import noise_sigma

MAGNITUDES = {"VIS": 21.0, "H": 19.0}


def lens(**changes: object) -> Galaxy:
    usual = {"magnitudes": MAGNITUDES, "half_light_radius": 0.8, "axis_ratio": 0.7}
    return galaxy(**(usual | {"sersic_index": 3.0} | changes))


def scene(einstein_radius: float = 1.2, **changes: object) -> Scene:
    source = galaxy(x=0.1, y=0.2, magnitudes={"VIS": 24.0, "H": 23.5}, half_light_radius=0.2)
    deflector = isothermal_sphere(einstein_radius)
    return Scene(lens=lens(**changes), deflector=deflector, source=source)


@pytest.mark.parametrize("name", ["VIS", "H"])
def test_a_known_galaxy_leaves_the_whole_signal_to_noise(name: str) -> None:
    layers = render(scene(), band(name))
    expected = np.sqrt(np.sum((layers.arc / noise_sigma(layers.image, band(name))) ** 2))
    found = evidence(scene(), band(name))
    assert_allclose(found.known, expected, rtol=1e-5)
    assert 0 < found.fitted < found.known


def test_a_small_ring_under_a_wide_blur_is_taken_for_the_galaxy() -> None:
    """What is left of a ring of 0.3 arcsec in H is a far smaller share than of one of 1.5."""
    shares = []
    for radius in (0.3, 1.5):
        found = evidence(scene(radius), band("H"))
        shares.append(found.fitted / found.known)
    assert shares[0] < 0.6 * shares[1]


def test_a_sharper_image_leaves_more() -> None:
    sharp = replace(band("H"), psf_fwhm=0.2)
    usual, better = evidence(scene(0.6), band("H")), evidence(scene(0.6), sharp)
    assert better.fitted > 1.2 * usual.fitted


def test_an_h_as_sharp_as_vis_is_vis_summed_over_its_pixels() -> None:
    """Nine pixels of VIS make one of H; what differs then is the colour, one factor for all."""
    sharp = replace(band("H"), psf_fwhm=band("VIS").psf_fwhm)
    fine = render(scene(), band("VIS")).arc[1:-1, 1:-1].reshape(66, 3, 66, 3).sum(axis=(1, 3))
    coarse = render(scene(), sharp).arc
    assert_allclose(coarse, fine * (coarse.sum() / fine.sum()), rtol=1e-3, atol=1e-3 * fine.max())


def test_light_that_a_galaxy_imitates_is_no_evidence() -> None:
    """Lensed light made of the galaxy's own derivatives, by another route: a fit removes it."""
    derivatives = lens_derivatives(lens(), band("VIS")).reshape(7, -1)
    made = derivatives.T @ np.array([0.01, 1.0, -2.0, 0.5, 0.1, 3.0, 1.0])
    left = made - derivatives.T @ np.linalg.lstsq(derivatives.T, made, rcond=None)[0]
    assert np.linalg.norm(left) < 1e-6 * np.linalg.norm(made)


@pytest.mark.parametrize("name", list(STEPS))
def test_derivatives_predict_a_slightly_different_galaxy(name: str) -> None:
    """To first order; the second order is a tenth of that for a step of this size."""
    usual = lens()
    size = 0.3 * STEPS[name] * (usual.half_light_radius if name == "half_light_radius" else 1.0)
    moved = usual.model_copy(update={name: getattr(usual, name) + size})
    change = render_galaxy(moved, band("VIS")) - render_galaxy(usual, band("VIS"))
    predicted = size * lens_derivatives(usual, band("VIS"))[1 + list(STEPS).index(name)]
    assert np.linalg.norm(change - predicted) < 0.15 * np.linalg.norm(change)


def test_a_round_galaxy_has_derivatives() -> None:
    """Its axis ratio can only fall, and turning it changes nothing."""
    derivatives = lens_derivatives(lens(axis_ratio=1.0), band("H"))
    assert np.isfinite(derivatives).all()
    assert np.abs(derivatives[5]).max() > 0
    found = evidence(scene(axis_ratio=1.0), band("H"))
    assert np.isfinite(found.fitted)
