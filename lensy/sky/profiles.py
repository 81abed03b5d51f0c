"""Light profiles: surface brightness of unit total flux, in arcsec^-2.

The profile functions of lenstronomy, without its checks: they are called with millions of points,
in single precision where that is enough. Square roots stand in for powers where the Sersic index
is 1 or 4. `tests/sky/test_profiles.py` holds them against lenstronomy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lensy.sky.scene import Galaxy, Pattern

Array = NDArray[Any]

Profile = Callable[[Array, Array], Array]


def sersic_b(sersic_index: float) -> float:
    """Scale b_n that makes the half-light radius hold half of the light, to 1 %.

    Source: Capaccioli 1989, as lenstronomy uses it.
    """
    return 1.9992 * sersic_index - 0.3271


def sersic_profile(galaxy: Galaxy) -> Profile:
    """Brightness of a galaxy at offsets (dx, dy) from its centre in arcsec.

    The result has the offsets' precision. Source: Sersic 1968.
    """
    index, b, peak = galaxy.sersic_index, sersic_b(galaxy.sersic_index), _sersic_peak(galaxy)
    squared_radius = _squared_radius(galaxy, galaxy.half_light_radius)

    def profile(dx: Array, dy: Array) -> Array:
        exponent = _root(squared_radius(dx, dy), index)
        exponent *= -b
        light: Array = np.exp(exponent, out=exponent)
        light *= peak
        return light

    return profile


def sersic_radius(galaxy: Galaxy, brightness: float) -> float:
    """Radius (arcsec, geometric mean of the axes) where a profile of unit flux has a brightness.

    0 where it is fainter everywhere.
    """
    peak = _sersic_peak(galaxy)
    if brightness >= peak:
        return 0.0
    scaled = np.log(peak / brightness) / sersic_b(galaxy.sersic_index)
    return float(galaxy.half_light_radius * scaled**galaxy.sersic_index)


def _sersic_peak(galaxy: Galaxy) -> float:
    """Brightness of unit flux in the centre, arcsec^-2. Source: Graham & Driver 2005, eq. 4."""
    index, b = galaxy.sersic_index, sersic_b(galaxy.sersic_index)
    total = 2 * np.pi * index * special.gamma(2 * index) * b ** (-2 * index)
    return float(1 / (total * galaxy.half_light_radius**2))


def pattern_profile(pattern: Pattern) -> Profile:
    """Brightness of a ring, arc or spiral at offsets (dx, dy) from its centre in arcsec.

    The arms redistribute light along ellipses, whose mean brightness they leave as it is.
    """
    radius, width = pattern.radius, pattern.width
    gaussian = width**2 * np.exp(-0.5 * (radius / width) ** 2)
    gaussian += radius * width * np.sqrt(2 * np.pi) * special.ndtr(radius / width)
    arms = special.ive(0, pattern.sharpness)
    peak = 1 / (2 * np.pi * gaussian * arms)
    squared_radius = _squared_radius(pattern, 1.0)
    cosine, sine = np.cos(pattern.position_angle), np.sin(pattern.position_angle)
    ratio = pattern.axis_ratio

    def profile(dx: Array, dy: Array) -> Array:
        r = np.sqrt(squared_radius(dx, dy))
        light = peak * np.exp(-0.5 * ((r - radius) / width) ** 2)
        if pattern.sharpness:
            along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
            angle = np.arctan2(across / ratio, along) - pattern.phase
            turn = pattern.winding * np.log(np.maximum(r, 1e-3) / radius)
            light *= np.exp(pattern.sharpness * (np.cos(pattern.n_arms * angle - turn) - 1))
        return np.asarray(light, dx.dtype)

    return profile


def _squared_radius(shape: Galaxy | Pattern, unit: float) -> Profile:
    """Elliptical radius squared, in units of `unit`."""
    cosine, sine = float(np.cos(shape.position_angle)), float(np.sin(shape.position_angle))
    ratio = shape.axis_ratio
    xx = (ratio * cosine**2 + sine**2 / ratio) / unit**2
    yy = (ratio * sine**2 + cosine**2 / ratio) / unit**2
    xy = 2 * cosine * sine * (ratio - 1 / ratio) / unit**2

    def squared(dx: Array, dy: Array) -> Array:
        value: Array = xx * dx**2 + yy * dy**2
        value += xy * dx * dy
        return value

    return squared


def _root(squared: Array, index: float) -> Array:
    """`squared` to the power of 1 / (2 index); may work in place."""
    if index == 1:
        return np.sqrt(squared, out=squared)
    if index == 4:
        for _ in range(3):
            np.sqrt(squared, out=squared)
        return squared
    np.maximum(squared, 1e-30, out=squared)
    np.log(squared, out=squared)
    squared *= 0.5 / index
    return np.exp(squared, out=squared)
