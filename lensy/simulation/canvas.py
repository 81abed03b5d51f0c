"""The canvas on which objects are drawn: VIS pixels, unit flux, the sharpest blur needed.

* A sample is a point of light, whose share in each pixel after a Gaussian blur is a difference of
  error functions, separable in x and y: blur and pixel are two small matrix products, and exact.
* One sample per pixel is exact where light is smooth. So light is cut into nested parts by smooth
  weights, 1 - w_0, w_0 - w_1, ... with w_k = exp(-(r / r_k)^4) of the distance r from the peak,
  each part sampled three times finer than the one before it. A border between coarse and fine
  samples that is not smooth would spoil them.

Rows and columns are those of the VIS frame, so they may be negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lensy.sky.profiles import Profile, pattern_profile, sersic_profile
from lensy.sky.scene import Galaxy, Pattern
from lensy.telescope.bands import FILTERS, Band, band
from lensy.values import Floats, Image

VIS_SIDE, VIS_PIXEL = FILTERS["VIS"].n_pixels, FILTERS["VIS"].pixel_scale
"""Pixels on a side of the VIS frame, and side of a VIS pixel in arcsec, on which all is drawn."""

MARGIN = 12
"""Pixels of the canvas around the frame: from there NISP scatters light in (5 sigma)."""

BLUR = 4
"""Pixels from which light is scattered by the VIS point-spread function (6 sigma)."""

PADDING = 92
"""Pixels around the frame in which samples may lie."""

FINER = 3
"""Samples per pixel and axis of a part, in units of the part before it."""

CORE, BRIGHT_CORE = 4.0, 7.0
"""r_0 in pixels, for any galaxy and for the brightest; r_k is three times smaller each."""

THIN = 0.65
"""Axis ratio times r_0, in units of that of a round galaxy, at least: the ridge of a thin disc is
so wide there that one sample per pixel will do."""

WOUND, N_WOUND_PARTS = 1.3, 6
"""r_0 in pixels of arms, per radian and e-folding of their winding, and number of their parts."""

CORE_REACH = 1.9
"""Distance, in units of r_k, where w_k has fallen to 2e-6."""

LARGEST_MASK = 2000
"""Pixels that the drawn part of a galaxy has at least, so that every percentile mask is full."""


@dataclass(frozen=True)
class Patch:
    """Part of the canvas: pixels (y, x) from (row, column) of the frame on."""

    row: int
    column: int
    light: Image

    def add(self, other: Patch) -> None:
        """Add the light of another patch where it overlaps with this one."""
        n_rows, n_columns = self.light.shape
        rows, columns = (
            slice(max(own, its), max(min(own + n_own, its + n_its), own, its))
            for own, n_own, its, n_its in (
                (self.row, n_rows, other.row, other.light.shape[0]),
                (self.column, n_columns, other.column, other.light.shape[1]),
            )
        )
        self._part(rows, columns)[:] += other._part(rows, columns)

    def _part(self, rows: slice, columns: slice) -> Image:
        """The light in rows and columns of the frame, which this patch must hold."""
        return self.light[
            rows.start - self.row : rows.stop - self.row,
            columns.start - self.column : columns.stop - self.column,
        ]

    def crop(self) -> tuple[slice, slice, Image]:
        """What lies in the frame: its rows and columns there, and its light."""
        places = []
        for first, n in ((self.row, self.light.shape[0]), (self.column, self.light.shape[1])):
            start = max(first, 0)
            places.append(slice(start, max(min(first + n, VIS_SIDE), start)))
        rows, columns = places
        return rows, columns, self._part(rows, columns)


class Canvas:
    """Draws single objects with unit flux under a Gaussian blur."""

    def __init__(self, bands: Sequence[Band]) -> None:
        sharpest = min(each.psf_sigma for each in (*bands, band("VIS")))
        self.sigma = sharpest / VIS_PIXEL
        """Standard deviation of the blur, pixels."""

    def galaxy(self, galaxy: Galaxy, radius: float, *, core: float = CORE) -> Patch:
        """A galaxy within a radius (arcsec, geometric mean of the axes) around it.

        core: r_0 if the galaxy were round, pixels.
        """
        profile = sersic_profile(galaxy)
        core *= max(galaxy.axis_ratio**-0.5, THIN / galaxy.axis_ratio)
        core = float(np.ceil(2 * core)) / 2  # few different ones, whose weights are kept
        rows, columns = window(galaxy, max(radius, core * VIS_PIXEL))
        x, y = (pixels(columns) - galaxy.x)[None, :], (pixels(rows) - galaxy.y)[:, None]
        light = profile(x.astype(np.float32), y.astype(np.float32)) * np.float32(VIS_PIXEL**2)
        reach = CORE_REACH * core * VIS_PIXEL
        near_y, near_x = (slice(*np.searchsorted(each.ravel(), (-reach, reach))) for each in (y, x))
        squared_distance = (x[:, near_x] ** 2 + y[near_y] ** 2) / VIS_PIXEL**2
        light[near_y, near_x] *= 1 - weight(squared_distance, core).astype(np.float32)
        patch = self.project(light, rows[0], columns[0], factor=1)
        self._add_core(patch, galaxy, profile, core, n_nested_parts(galaxy) + 1)
        return patch

    def pattern(self, pattern: Pattern) -> Patch:
        """A ring or spiral arms: three samples per pixel and axis, more in the middle."""
        profile = pattern_profile(pattern)
        rows, columns = window(pattern, pattern.radius + 4.5 * pattern.width)
        inside = ((np.arange(FINER) + 0.5) / FINER - 0.5) * VIS_PIXEL
        x = ((pixels(columns)[:, None] + inside).ravel() - pattern.x)[None, :]
        y = ((pixels(rows)[:, None] + inside).ravel() - pattern.y)[:, None]
        light = profile(x, y) * (VIS_PIXEL / FINER) ** 2
        core = max(CORE, WOUND * abs(pattern.winding)) / float(np.sqrt(pattern.axis_ratio))
        light *= 1 - weight((x**2 + y**2) / VIS_PIXEL**2, core)
        patch = self.project(light.astype(np.float32), rows[0], columns[0], factor=FINER)
        self._add_core(patch, pattern, profile, core, N_WOUND_PARTS)
        return patch

    def project(self, samples: Image, row: int, column: int, *, factor: int) -> Patch:
        """What points of light light up.

        samples: their flux, `factor` per pixel and axis, from pixel (row, column) of the frame on.
        """
        response = _response(self.sigma, factor)
        sides, firsts = [], []
        for first, n_points in ((row, samples.shape[0]), (column, samples.shape[1])):
            low = min(max(first - BLUR, -MARGIN), VIS_SIDE + MARGIN - 1)
            high = min(first + n_points // factor + BLUR, VIS_SIDE + MARGIN)
            points = slice((first + PADDING) * factor, (first + PADDING) * factor + n_points)
            sides.append(response[low + MARGIN : max(high, low + 1) + MARGIN, points])
            firsts.append(low)
        light: Image = (sides[0] @ samples @ sides[1].T).astype(np.float32)
        return Patch(firsts[0], firsts[1], light)

    def _add_core(
        self, patch: Patch, galaxy: Galaxy | Pattern, profile: Profile, core: float, n_parts: int
    ) -> None:
        """Add the parts that coarse samples leave out: nested grids around the galaxy's centre.

        The finer ones are carried over to the first one's grid, where that keeps their moments.
        """
        x, y = index(galaxy.x) + 0.5, index(galaxy.y) + 0.5
        reach = CORE_REACH * core + BLUR
        rows = _overlap(y, reach, patch.row, patch.light.shape[0])
        columns = _overlap(x, reach, patch.column, patch.light.shape[1])
        if not (rows and columns):
            return
        half = int(np.ceil(CORE_REACH * core * FINER))
        offset = (np.arange(-half, half) + 0.5) / FINER
        finer = FINER ** (-np.arange(n_parts, dtype=np.float32))[:, None, None]
        angular = (offset * VIS_PIXEL).astype(np.float32)
        light = profile(finer * angular, finer * angular[:, None])
        light *= _nested_weights(core, half, n_parts) * finer**2
        spread = _spread_matrices(half, n_parts)
        light[0] += np.sum(spread @ light[1:] @ spread.transpose(0, 2, 1), axis=0)
        light[0] *= (VIS_PIXEL / FINER) ** 2
        across = _shares(x + offset, np.arange(columns.start, columns.stop + 1), self.sigma)
        down = _shares(y + offset, np.arange(rows.start, rows.stop + 1), self.sigma)
        patch.add(Patch(rows.start, columns.start, down @ light[0] @ across.T))


def pixels(indices: range) -> Floats:
    """Centres of pixels, arcsec from the frame's centre."""
    return (
        np.arange(indices.start, indices.stop, dtype=np.float64) - 0.5 * (VIS_SIDE - 1)
    ) * VIS_PIXEL


def index(position: float) -> float:
    """Pixel coordinate of a position in arcsec, 0 at the first pixel's centre."""
    return position / VIS_PIXEL + 0.5 * (VIS_SIDE - 1)


def within(centre: float, half: float, margin: int) -> range:
    """Pixels at most `half` from `centre`, as far as `margin` around the frame; at least one."""
    low, high = -margin, VIS_SIDE + margin
    first = min(max(int(np.floor(centre - half)), low), high - 1)
    return range(first, min(max(int(np.ceil(centre + half)) + 1, first + 1), high))


def window(shape: Galaxy | Pattern, radius: float) -> tuple[range, range]:
    """Rows and columns of pixels that hold an ellipse, as far as light reaches the canvas.

    radius: arcsec, geometric mean of the axes. Enlarged until the frame shows as many pixels of
    it as the largest mask has.
    """
    cosine, sine, ratio = (
        np.cos(shape.position_angle),
        np.sin(shape.position_angle),
        shape.axis_ratio,
    )
    half_x = float(np.sqrt(cosine**2 / ratio + sine**2 * ratio) / VIS_PIXEL)
    half_y = float(np.sqrt(sine**2 / ratio + cosine**2 * ratio) / VIS_PIXEL)
    x, y = index(shape.x), index(shape.y)

    def n_visible(radius: float) -> int:
        return len(within(x, radius * half_x, 0)) * len(within(y, radius * half_y, 0))

    while n_visible(radius) < 1.7 * LARGEST_MASK and radius < 3 * VIS_SIDE * VIS_PIXEL:
        radius *= 1.2
    margin = MARGIN + BLUR
    return within(y, radius * half_y, margin), within(x, radius * half_x, margin)


def n_nested_parts(galaxy: Galaxy) -> int:
    """How many nested parts a profile's cusp needs: more, the steeper and the smaller it is."""
    tiny = galaxy.half_light_radius < VIS_PIXEL
    return 1 + int(np.ceil(1.2 * galaxy.sersic_index)) + int(tiny)


def weight(squared_distance: Floats, core: float) -> Floats:
    """w_k at squared distances from the peak, pixels^2. core: r_k."""
    return np.asarray(np.exp(-((squared_distance / core**2) ** 2)), np.float64)


def _overlap(centre: float, reach: float, first: int, n: int) -> range:
    """Pixels within `reach` of `centre` among n from `first` on."""
    return range(max(first, int(np.floor(centre - reach))),
                 min(first + n, int(np.floor(centre + reach)) + 1))  # fmt: skip


@lru_cache(maxsize=16)
def _response(sigma: float, factor: int) -> Image:
    """Share of a point's light in each canvas pixel, (pixel, point), along one axis.

    Points stand `factor` to a pixel, from PADDING pixels before the frame to as many after it.
    """
    points = (np.arange((VIS_SIDE + 2 * PADDING) * factor) + 0.5) / factor - PADDING
    return _shares(points, np.arange(-MARGIN, VIS_SIDE + MARGIN + 1), sigma)


def _shares(points: Floats, edges: NDArray[np.int_], sigma: float) -> Image:
    """Share of points of light between consecutive edges, (pixel, point); all in pixels."""
    below = special.ndtr((edges[:, None] - points[None, :]) / sigma)
    shares: Image = np.diff(below, axis=0).astype(np.float32)
    return shares


@lru_cache(maxsize=64)
def _nested_weights(core: float, half: int, n_parts: int) -> Image:
    """w_(k-1) - w_k on the grid of part k, (part, y, x): the same for all but the last part."""
    axis = np.arange(-half, half) + 0.5
    near = axis[:, None] ** 2 + axis[None, :] ** 2
    weights = np.repeat(weight(near, core * FINER)[None], n_parts, axis=0)
    weights[:-1] -= weight(near, core)
    return weights.astype(np.float32)


@lru_cache(maxsize=64)
def _spread_matrices(half: int, n_parts: int) -> Image:
    """Which points of the first part's grid stand in for those of each finer part, along one axis.

    (part, point, finer point). Ten neighbours take a sample's light such that its first nine
    moments are kept (Lagrange's interpolation, transposed).
    """
    n_points, n_near = 2 * half, 10
    matrices = np.zeros((n_parts - 1, n_points, n_points))
    nodes = np.arange(n_near)
    for part in range(1, n_parts):
        place = (np.arange(-half, half) + 0.5) / FINER**part + half - 0.5
        first = np.floor(place).astype(int) - (n_near // 2 - 1)
        for node in nodes:
            others = nodes[nodes != node]
            terms = (place - first)[:, None] - others[None, :]
            weight = np.prod(terms / (node - others), axis=1)
            matrices[part - 1, first + node, np.arange(n_points)] += weight
    return matrices.astype(np.float32)
