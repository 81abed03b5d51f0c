"""Field galaxies: each distribution against a numerical integral of its source's formula."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from lensy.sky.field_galaxies import (
    draw_half_light_radius,
    draw_magnitude,
    draw_redshift,
    draw_spectral_type,
    expected_number,
    spiral_fraction,
)

LEAST_P = 1e-3


def test_magnitudes_of_a_population_are_a_power_law() -> None:
    rng = np.random.default_rng(2)
    drawn = [draw_magnitude((20.0, 24.0), 0.35, rng) for _ in range(2000)]
    low, high = 10**7.0, 10**8.4
    expected = stats.kstest(drawn, lambda m: (10 ** (0.35 * m) - low) / (high - low))
    assert expected.pvalue > LEAST_P


def test_sizes_follow_miller() -> None:
    """p(r) prop. to r exp(-(r/a)^(4/3)) with a = median / 1.13, integrated numerically.

    1.13 is printed in Miller et al. 2013, appendix B1; half of an exponential's light lies within
    1.678 scale lengths.
    """
    rng = np.random.default_rng(3)
    drawn = np.array([draw_half_light_radius(24.5, rng) for _ in range(1500)]) / 1.678
    a = np.exp(-1.145 - 0.269 * 1.5) / 1.13
    grid = np.linspace(0, 12 * a, 4000)
    cumulative = integrate.cumulative_trapezoid(grid * np.exp(-((grid / a) ** (4 / 3))), grid)
    cumulative = np.concatenate([[0.0], cumulative]) / cumulative[-1]
    assert stats.kstest(drawn, lambda r: np.interp(r, grid, cumulative)).pvalue > LEAST_P


@pytest.mark.parametrize(("limit", "published"), [(24.5, 2.8), (25.0, 4.3), (26.0, 9.6)])
def test_number_counts_of_a_frame(limit: float, published: float) -> None:
    """Galaxies in 20 x 20 arcsec^2, printed to two digits; the slope 0.35 is rounded, too."""
    assert_allclose(expected_number((15.0, limit), 0.35, 400.0), published, rtol=0.04)


def test_number_counts_add_up() -> None:
    parts = [expected_number(limits, 0.35, 50.0) for limits in ((18.0, 23.0), (23.0, 25.0))]
    assert_allclose(sum(parts), expected_number((18.0, 25.0), 0.35, 50.0))


@pytest.mark.parametrize(
    ("spectral_type", "magnitude", "alpha", "z_m"),
    [
        (0.2, 22.0, 2.465, 0.6136),
        (1.5, 24.0, 1.806, 0.6444),
        (3.5, 23.5, 0.906, 0.4931),
        (1.5, 17.0, 1.806, 0.390),
    ],
    ids=["elliptical", "spiral", "irregular", "bright"],
)
def test_redshifts_follow_benitez(
    spectral_type: float, magnitude: float, alpha: float, z_m: float
) -> None:
    """p(z) prop. to z^alpha exp(-(z/z_m)^alpha); z_m worked out by hand from table 1."""
    rng = np.random.default_rng(5)
    drawn = [draw_redshift(magnitude, spectral_type, rng) for _ in range(1500)]
    grid = np.linspace(0, 6, 6001)
    density = grid**alpha * np.exp(-((grid / z_m) ** alpha))
    cumulative = integrate.cumulative_trapezoid(density, grid, initial=0)
    expected = stats.kstest(drawn, lambda z: np.interp(z, grid, cumulative / cumulative[-1]))
    assert expected.pvalue > LEAST_P


def test_faint_discs_are_irregular() -> None:
    """At 20: 35 % ellipticals, 50 % spirals. At 26, by hand: exp(-2.7) and exp(-0.882) of it."""
    assert_allclose(spiral_fraction(20.0), 0.50 / 0.65)
    assert_allclose(spiral_fraction(26.0), 0.2070 / (1 - 0.0235), rtol=1e-3)
    assert spiral_fraction(15.0) == spiral_fraction(20.0)


def test_spheroids_are_red_and_discs_are_not() -> None:
    rng = np.random.default_rng(6)
    spheroids = [draw_spectral_type(22.0, True, rng) for _ in range(200)]
    discs = np.array([draw_spectral_type(22.0, False, rng) for _ in range(2000)])
    assert max(spheroids) <= 0.5 < 1.0 <= discs.min() <= discs.max() <= 5.0
    n_spirals = int(np.sum(discs < 2.5))
    assert stats.binomtest(n_spirals, discs.size, spiral_fraction(22.0)).pvalue > LEAST_P
