"""Pictures by brute force, converged and slow: what the renderer is held against.

Light and deflection are lenstronomy's, point by point. The sky is cut into cells of 0.1 arcsec with
4 x 4 Gauss-Legendre points each; a cell near the peak of the light or the centre of the lens is cut
into four again and again, until it is small beside its distance from there. Every point's share in
every pixel is exact. Nothing of this is the renderer's way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from lenstronomy.Util.param_util import phi_q2_ellipticity
from numpy.typing import NDArray
from scipy import special

from lensy.bands import Band
from lensy.scene import Deflector, Galaxy, Pattern, Scene

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]
Trace = Callable[[Floats, Floats], Points]
Light = Callable[[Floats, Floats], Floats]

CELL = 0.1
"""Side of the largest cells, arcsec."""

HALF = 12.0
"""Half of the sky that is sampled: the frame and the 2 arcsec around it that scatter into it."""

N_CUTS = 15
"""A cell of 3e-6 arcsec around the peak of the steepest profile used here holds 1e-9 of it."""

NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True)
class Samples:
    """Flux of points, for a whole flux of 1: a grid (y, x), and single points where cells are cut.

    grid: coordinate of its rows and columns alike. Everything in arcsec.
    """

    grid: Floats
    light: Floats
    x: Floats
    y: Floats
    flux: Floats

    def seen(self, band: Band) -> Floats:
        """Share of the light in every pixel of a band, (y, x)."""
        edges = band.pixel_scale * (np.arange(band.n_pixels + 1) - 0.5 * band.n_pixels)
        shares = np.diff(special.ndtr((edges[:, None] - self.grid[None, :]) / band.psf_sigma), axis=0)
        image: Floats = shares @ self.light @ shares.T
        reach = int(np.ceil(7 * band.psf_sigma / band.pixel_scale))
        padded = np.zeros((band.n_pixels + 4 * reach,) * 2)
        sides = [_shares(place, band, reach) for place in (self.y, self.x)]
        inside = np.all([np.abs(first - 0.5 * band.n_pixels) < 0.5 * band.n_pixels + 2 * reach
                         for first, _ in sides], axis=0)  # fmt: skip
        (row, down), (column, across) = [(f[inside] + 2 * reach, s[:, inside]) for f, s in sides]
        flat = row * padded.shape[1] + column
        for j in range(2 * reach + 1):
            for i in range(2 * reach + 1):
                step = (j - reach) * padded.shape[1] + i - reach
                np.add.at(padded.reshape(-1), flat + step, self.flux[inside] * down[j] * across[i])
        return image + padded[2 * reach : -2 * reach, 2 * reach : -2 * reach]


def _shares(place: Floats, band: Band, reach: int) -> tuple[NDArray[np.intp], Floats]:
    """Pixel of each point, and its share in the pixels around, (2 reach + 1, point)."""
    position = place / band.pixel_scale + 0.5 * band.n_pixels
    first = np.floor(position).astype(np.intp)
    edges = first + np.arange(-reach, reach + 2)[:, None]
    below = special.ndtr((edges - position) * band.pixel_scale / band.psf_sigma)
    return first, np.diff(below, axis=0)


def sample_galaxy(galaxy: Galaxy) -> Samples:
    """Points of a galaxy without lensing."""
    return _sample(lambda x, y: (x, y), sersic(galaxy), galaxy)


def sample_lensed(source: Galaxy, deflector: Deflector) -> Samples:
    """Points of a source behind one deflector."""
    return _sample(trace(deflector), sersic(source), source, lenses=[(deflector.x, deflector.y)])
