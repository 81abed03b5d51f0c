"""Galaxies of the field: how many there are of each magnitude, how large, of what type, how far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

MEDIAN_OF_GAMMA = float(stats.gamma(1.5).median())
"""Median of the Gamma(3/2) distribution."""

DENSITY = 9.6 / 400
"""Galaxies brighter than VIS magnitude 26 per square arcsec: 9.6 in 20 x 20 arcsec^2, and 2.8 and
4.3 to 24.5 and 25: the number counts of Euclid, from which `count_slope` = 0.35 follows, too."""

NEAREST, FARTHEST = 0.02, 6.0
"""Limits of redshift: nearer is the Local Supercluster, farther is dark in VIS."""


@dataclass(frozen=True)
class _Class:
    """A class of galaxies: its spectral types (as in `lensy.sky.colours`) and how its redshifts go.

    Source of alpha, z_0 and k_m: Benitez 2000, ApJ 536, 571, table 1.
    """

    spectral_types: tuple[float, float]
    alpha: float
    z_0: float
    k_m: float


ELLIPTICALS = _Class((0.0, 0.5), 2.465, 0.431, 0.0913)

SPIRALS = _Class((1.0, 2.5), 1.806, 0.390, 0.0636)

IRREGULARS = _Class((2.5, 5.0), 0.906, 0.0626, 0.123)


def expected_number(limits: tuple[float, float], slope: float, area: float) -> float:
    """Galaxies between two magnitudes that an area (arcsec^2) of the sky has on average."""
    faint, bright = (10.0 ** (slope * (limit - 26.0)) for limit in reversed(limits))
    return float(DENSITY * area * (faint - bright))


def draw_magnitude(limits: tuple[float, float], slope: float, rng: np.random.Generator) -> float:
    """A magnitude from number counts N(m) that rise as 10^(slope m) between two limits."""
    low, high = 10.0 ** (slope * np.array(limits))
    return float(np.log10(rng.uniform(low, high)) / slope)


def draw_half_light_radius(magnitude: float, rng: np.random.Generator) -> float:
    """Half-light radius (major axis, arcsec) of a field galaxy of a magnitude near i = VIS.

    The disc scale length r has p(r) proportional to r exp(-(r/a)^(4/3)), that is
    r = a t^(3/4) with t from a Gamma(3/2) distribution, and the median
    ln r = -1.145 - 0.269 (i - 23). Source: Miller et al. 2013, MNRAS 429, 2858, appendix B1.
    """
    median = np.exp(-1.145 - 0.269 * (magnitude - 23.0))
    scale_length = median * (rng.gamma(1.5) / MEDIAN_OF_GAMMA) ** 0.75
    half_light_of_exponential = 1.678
    return float(max(half_light_of_exponential * scale_length, 0.02))


def spiral_fraction(magnitude: float) -> float:
    """Share of spirals (Sbc to Scd) among discs of a magnitude near I = VIS; the rest is irregular.

    Source: Benitez 2000, ApJ 536, 571, table 1: 35 % ellipticals and 50 % spirals at magnitude
    20 (and brighter), falling as exp(-0.450 (m - 20)) and exp(-0.147 (m - 20)).
    """
    beyond = max(magnitude - 20.0, 0.0)
    spirals, ellipticals = 0.50 * np.exp(-0.147 * beyond), 0.35 * np.exp(-0.450 * beyond)
    return float(spirals / (1.0 - ellipticals))


def draw_spectral_type(magnitude: float, is_spheroid: bool, rng: np.random.Generator) -> float:
    """Spectral type of a field galaxy: spheroids are red, discs lie between Sbc and young burst.

    Uniform within a class: a reading, as the source counts classes.
    """
    if is_spheroid:
        return float(rng.uniform(*ELLIPTICALS.spectral_types))
    is_spiral = rng.random() < spiral_fraction(magnitude)
    return float(rng.uniform(*(SPIRALS if is_spiral else IRREGULARS).spectral_types))


def draw_redshift(magnitude: float, spectral_type: float, rng: np.random.Generator) -> float:
    """Redshift of a field galaxy of a magnitude near I = VIS and a spectral type.

    p(z) is proportional to z^alpha exp(-(z / z_m)^alpha) with z_m = z_0 + k_m (m - 20), so that
    (z / z_m)^alpha has a Gamma(1 + 1 / alpha) distribution. Brighter than 20, as at 20.
    Source: Benitez 2000, ApJ 536, 571, equation 23 and table 1.
    """
    kind = _class_of(spectral_type)
    z_m = kind.z_0 + kind.k_m * max(magnitude - 20.0, 0.0)
    redshift = z_m * rng.gamma(1.0 + 1.0 / kind.alpha) ** (1.0 / kind.alpha)
    return float(np.clip(redshift, NEAREST, FARTHEST))


def _class_of(spectral_type: float) -> _Class:
    if spectral_type < SPIRALS.spectral_types[0]:
        return ELLIPTICALS
    return SPIRALS if spectral_type < IRREGULARS.spectral_types[0] else IRREGULARS
