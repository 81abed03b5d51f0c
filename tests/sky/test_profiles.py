"""Light profiles against lenstronomy's, and their flux against sums over fine grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brute_force import sersic
from builders import galaxy
from numpy.testing import assert_allclose
from scipy import integrate, special

from lensy.sky.profiles import (
    pattern_profile,
    sersic_b,
    sersic_profile,
    sersic_radius,
)
from lensy.sky.scene import Pattern

INDICES = [0.5, 1.0, 2.3, 4.0, 6.0]

AROUND = {"x": 0.0, "y": 0.0, "magnitudes": {"VIS": 22.0}}
PATTERNS: dict[str, dict[str, Any]] = {
    "ring": {"radius": 1.2, "width": 0.15},
    "flat ring": {"radius": 1.2, "width": 0.15, "axis_ratio": 0.4, "position_angle": 0.7},
    "disc": {"radius": 0.2, "width": 0.9},
    "ring as wide as its radius": {"radius": 0.8, "width": 0.8, "axis_ratio": 0.6},
    "arc": {"radius": 1.5, "width": 0.2, "n_arms": 1, "sharpness": 6.0, "phase": 2.0},
    "spiral": {
        "radius": 1.0, "width": 0.45, "n_arms": 2, "sharpness": 3.0, "winding": -6.0,
        "axis_ratio": 0.5, "position_angle": 1.1,
    },
    "four arms": {"radius": 0.9, "width": 0.5, "n_arms": 4, "sharpness": 2.0, "winding": 11.0},
}  # fmt: skip


def pattern(**changes: Any) -> Pattern:
    return Pattern(**(AROUND | {"axis_ratio": 1.0, "position_angle": 0.0} | changes))


@pytest.mark.parametrize("sersic_index", INDICES)
def test_sersic_is_that_of_lenstronomy(sersic_index: float) -> None:
    shape = galaxy(
        x=0.3, y=-0.2, sersic_index=sersic_index, axis_ratio=0.4, position_angle=0.9,
        half_light_radius=0.7,
    )  # fmt: skip
    dx, dy = np.random.default_rng(1).normal(0, 1.5, (2, 500))
    theirs = sersic(shape)(shape.x + dx, shape.y + dy)
    assert_allclose(sersic_profile(shape)(dx, dy), theirs, rtol=1e-6)


@pytest.mark.parametrize("sersic_index", INDICES)
def test_single_precision_is_good_to_a_millionth(sersic_index: float) -> None:
    """Seven digits, of which the exponent b (r / R)^(1/n), up to 16 here, costs one."""
    profile = sersic_profile(galaxy(sersic_index=sersic_index, axis_ratio=0.6))
    dx, dy = np.random.default_rng(2).normal(0, 0.5, (2, 500))
    single = profile(dx.astype(np.float32), dy.astype(np.float32))
    assert single.dtype == np.float32
    assert_allclose(single, profile(dx, dy), rtol=2e-5)


def test_offsets_are_left_as_they_are() -> None:
    dx, dy = np.full(3, 0.2), np.full(3, 0.1)
    sersic_profile(galaxy(sersic_index=4.0))(dx, dy)
    assert_allclose([dx, dy], [[0.2] * 3, [0.1] * 3])


@pytest.mark.parametrize("axis_ratio", [1.0, 0.3])
@pytest.mark.parametrize("sersic_index", INDICES)
def test_total_flux_of_a_galaxy_is_one(sersic_index: float, axis_ratio: float) -> None:
    """Along the major axis r = R sqrt(q) has the isophote's area pi R^2 q."""
    profile = sersic_profile(galaxy(sersic_index=sersic_index, axis_ratio=axis_ratio))

    def in_rings(log_radius: float) -> float:
        radius = np.exp(log_radius)
        light = profile(np.array([radius / np.sqrt(axis_ratio)]), np.zeros(1))
        return float(2 * np.pi * radius**2 * light[0])

    total = integrate.quad(in_rings, np.log(1e-8), np.log(1e6), limit=400)[0]
    assert_allclose(total, 1.0, rtol=1e-6)


@pytest.mark.parametrize("sersic_index", INDICES)
def test_half_of_the_light_is_within_the_half_light_radius(sersic_index: float) -> None:
    """The approximation of b_n: half of the light to 2 %."""
    inside = special.gammainc(2 * sersic_index, sersic_b(sersic_index))
    assert_allclose(inside, 0.5, rtol=0.022)


@pytest.mark.parametrize("sersic_index", INDICES)
@pytest.mark.parametrize("radius", [0.01, 0.3, 4.0])
def test_the_radius_of_a_brightness_inverts_the_profile(sersic_index: float, radius: float) -> None:
    shape = galaxy(sersic_index=sersic_index, axis_ratio=0.5)
    place = np.array([radius / np.sqrt(0.5)]), np.zeros(1)
    brightness = float(sersic_profile(shape)(*place)[0])
    assert_allclose(sersic_radius(shape, brightness), radius, rtol=1e-6)


def test_a_galaxy_is_nowhere_brighter_than_its_peak() -> None:
    peak = float(sersic_profile(galaxy())(np.zeros(1), np.zeros(1))[0])
    assert_allclose(sersic_radius(galaxy(), peak), 0.0, atol=1e-9)
    assert sersic_radius(galaxy(), 2 * peak) == 0.0


@pytest.mark.parametrize("name", PATTERNS)
def test_total_flux_of_a_pattern_is_one(name: str) -> None:
    """Sum over cells of 0.01 arcsec; the Gaussian's tail beyond 4.5 widths has 1e-5 at most, and
    the middle, where arms wind without end, next to nothing."""
    shape = pattern(**PATTERNS[name])
    half = (shape.radius + 4.5 * shape.width) / np.sqrt(shape.axis_ratio)
    axis = np.arange(-half, half, 0.01) + 0.005
    light = pattern_profile(shape)(axis[None, :], axis[:, None])
    assert_allclose(light.sum() * 0.01**2, 1.0, rtol=1e-4)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_what_its_docstring_says(name: str) -> None:
    """Ratios of brightness at random places, by the formula of `scene.Pattern`."""
    shape = pattern(**PATTERNS[name])
    radius = np.random.default_rng(3).uniform(0.3, 1.5, 40) * shape.radius
    angle = np.random.default_rng(4).uniform(-np.pi, np.pi, 40)
    along = radius / np.sqrt(shape.axis_ratio) * np.cos(angle)
    across = radius * np.sqrt(shape.axis_ratio) * np.sin(angle)
    cosine, sine = np.cos(shape.position_angle), np.sin(shape.position_angle)
    light = pattern_profile(shape)(along * cosine - across * sine, along * sine + across * cosine)
    turn = shape.winding * np.log(radius / shape.radius)
    arms = shape.sharpness * (np.cos(shape.n_arms * (angle - shape.phase) - turn) - 1)
    expected = np.exp(-0.5 * ((radius - shape.radius) / shape.width) ** 2 + arms)
    assert_allclose(light / light[0], expected / expected[0], rtol=1e-9)
