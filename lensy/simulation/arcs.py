"""Lensed light on the canvas: many images of one cusp, wherever the lens puts them.

As for a galaxy, light is cut into nested parts (see `canvas.py`), but their weights are of the
distance on the source plane, and finer cells are made only where a coarser one comes near the
source's peak: an adaptive grid whose borders are smooth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lensy.simulation.canvas import (
    CORE_REACH,
    FINER,
    PADDING,
    VIS_PIXEL,
    VIS_SIDE,
    Canvas,
    Patch,
    index,
    n_nested_parts,
    pixels,
    weight,
    window,
)
from lensy.sky.lensing import count_images, trace_to_second_source, trace_to_source
from lensy.sky.profiles import sersic_profile
from lensy.sky.scene import Deflector, Galaxy, Scene
from lensy.values import Floats

Trace = Callable[[Floats, Floats], tuple[Floats, Floats]]

CORE, INNER_CORE = 4.5, 1.0
"""r_0 and r_1 in pixels; every further one is three times smaller."""

BREAK = 0.4
"""Squared distances from a second deflector's centre are shortened by this: light breaks off there
and does not only bend."""

FARTHEST = 8.0
"""Distance (arcsec) from the lens within which lensed light counts for the magnification, even
outside of the frame."""

N_STAND_INS = 7
"""Points in a row that stand in for a finer sample; so many moments along the row are kept."""


def draw_lensed(
    canvas: Canvas, scene: Scene, radius: Callable[[Galaxy], float]
) -> tuple[list[tuple[Galaxy, Patch]], float, int]:
    """Each source with its lensed light of unit flux, magnification and number of images.

    Of two sources the larger magnification counts, and the images of the nearer one.

    radius: of a source, arcsec, beyond which its light is too faint to be drawn.
    """
    source, deflector = scene.source, scene.deflector
    if source is None or deflector is None:
        return [], 0.0, 0

    def trace(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return trace_to_source(deflector, x, y)

    def trace_further(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return trace_to_second_source(scene, x, y)

    lensed = _Lensed(source, deflector, trace)
    patch, magnification = _draw(canvas, lensed, radius(source))
    drawn = [(source, patch)]
    if scene.second_source is not None:
        further = _Lensed(scene.second_source, deflector, trace_further, scene.second_deflector)
        patch, farther = _draw(canvas, further, radius(further.source))
        drawn.append((further.source, patch))
        magnification = max(magnification, farther)
    return drawn, magnification, count_images(deflector, x=source.x, y=source.y)


class _Lensed:
    """Unit-flux light of a lensed source, and how near to the source's peak it comes from."""

    def __init__(
        self, source: Galaxy, deflector: Deflector, trace: Trace, second: Deflector | None = None
    ) -> None:
        self.source = source
        self.deflector = deflector
        self.second = second
        self.trace = trace
        self.profile = sersic_profile(source)

    def __call__(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Brightness at sky positions, and squared distance from the source's peak.

        The distance is that on the source plane in pixels^2, shortened where an isothermal lens
        makes images smaller than their source (within half an Einstein radius of its centre).
        The centre of a second deflector, around which light breaks off, counts as a peak too.
        """
        beta_x, beta_y = self.trace(x, y)
        dx, dy = beta_x - self.source.x, beta_y - self.source.y
        from_lens = (x - self.deflector.x) ** 2 + (y - self.deflector.y) ** 2
        shrinking = 1 + 0.25 * self.deflector.einstein_radius**2 / np.maximum(from_lens, 1e-6)
        near = (dx**2 + dy**2) / (shrinking * VIS_PIXEL**2)
        if self.second is not None:
            middle_x, middle_y = trace_to_source(self.deflector, x, y)
            beside = (middle_x - self.second.x) ** 2 + (middle_y - self.second.y) ** 2
            beside *= BREAK / VIS_PIXEL**2
            near = 1 / (1 / np.maximum(near, 1e-12) + 1 / np.maximum(beside, 1e-12))
        return self.profile(dx, dy), near


def _draw(canvas: Canvas, lensed: _Lensed, radius: float) -> tuple[Patch, float]:
    """Lensed light of unit flux, and its magnification."""
    source, deflector = lensed.source, lensed.deflector
    # a mass bends light by about its Einstein radius, a shear by more with distance
    reach = radius / np.sqrt(source.axis_ratio) + 1.5 * deflector.einstein_radius
    reach += np.hypot(source.x - deflector.x, source.y - deflector.y)
    reach /= 1 - np.hypot(deflector.shear_1, deflector.shear_2)
    rows, columns = _window(lensed, float(reach))
    x, y = np.meshgrid(pixels(columns), pixels(rows))
    light, near = lensed(x, y)
    coarse = light * VIS_PIXEL**2
    inner = near < (CORE_REACH * CORE) ** 2
    coarse[inner] *= 1 - weight(near[inner], CORE)
    patch = canvas.project(coarse.astype(np.float32), rows[0], columns[0], factor=1)
    fine, row, column = _sample_finely(lensed, x, y, near)
    if fine.size:
        place = {"row": rows[0] + row, "column": columns[0] + column}
        patch.add(canvas.project(fine.astype(np.float32), **place, factor=FINER))
    return patch, float(coarse.sum() + fine.sum())


def _window(lensed: _Lensed, reach: float) -> tuple[range, range]:
    """Rows and columns of a disc (radius `reach`, arcsec) around the deflector.

    As far as it can light the canvas, and a little farther for the magnification.
    """
    deflector, radius = lensed.deflector, lensed.source.half_light_radius
    disc = lensed.source.model_copy(update={"x": deflector.x, "y": deflector.y, "axis_ratio": 1.0})
    farther = min(reach, 3 * deflector.einstein_radius + 3 * radius, FARTHEST) / VIS_PIXEL
    limit = PADDING - 2
    ranges = []
    for seen, centre in zip(window(disc, reach), (deflector.y, deflector.x), strict=True):
        low = max(int(np.floor(index(centre) - farther)), -limit)
        high = min(int(np.ceil(index(centre) + farther)) + 1, VIS_SIDE + limit)
        ranges.append(range(min(seen.start, low), max(seen.stop, high)))
    return ranges[0], ranges[1]


def _sample_finely(lensed: _Lensed, x: Floats, y: Floats, near: Floats) -> tuple[Floats, int, int]:
    """Flux of the nested parts on a grid of three samples per pixel, its first row and column.

    x, y, near: of the pixels, (row, column). Parts finer than that grid are spread over its
    nearest points such that their flux, centre and further moments are kept.
    """
    cells = near < (CORE_REACH * CORE + 1) ** 2
    if not cells.any():
        return np.zeros((0, 0)), 0, 0
    rows, columns = np.nonzero(cells)
    row, column = int(rows.min()) - 1, int(columns.min()) - 1
    shape = FINER * (int(rows.max()) - row + 2), FINER * (int(columns.max()) - column + 2)
    # position in steps of the grid; whole numbers are its points
    coarse = np.stack([FINER * (rows - row) + 1.0, FINER * (columns - column) + 1.0])
    coarse_sky = np.stack([y[cells], x[cells]])
    n_parts, outer = n_nested_parts(lensed.source), CORE
    places, fluxes = [], []
    for part in range(1, n_parts + 1):
        place, sky = _subdivide(coarse, part), _subdivide(coarse_sky, part, unit=VIS_PIXEL / FINER)
        light, distance = lensed(sky[1], sky[0])
        share, inner = weight(distance, outer), INNER_CORE * FINER ** (1.0 - part)
        if part < n_parts:
            share -= weight(distance, inner)
        places.append(place)
        fluxes.append(light * share * (VIS_PIXEL / FINER**part) ** 2)
        again = distance < (CORE_REACH * inner + FINER ** float(-part)) ** 2
        coarse, coarse_sky, outer = place[:, again], sky[:, again], inner
    grid = _deposit(places[0], fluxes[0], shape)
    if n_parts > 1:
        grid += _spread(np.concatenate(places[1:], axis=1), np.concatenate(fluxes[1:]), shape)
    return grid, row, column


def _subdivide(points: Floats, part: int, unit: float = 1.0) -> Floats:
    """Nine points for each of (2, n): the samples of one part from the cells of the one before.

    unit: step of part 1 in the points' units.
    """
    shift = unit * FINER ** (1.0 - part) * (np.arange(FINER) - 1.0)
    shifts = np.stack([np.repeat(shift, FINER), np.tile(shift, FINER)])
    finer: Floats = (points[:, :, None] + shifts[:, None, :]).reshape(2, -1)
    return finer


def _deposit(place: Floats, flux: Floats, shape: tuple[int, int]) -> Floats:
    """Flux added up on the points of a grid. place: whole numbers, (2, n), row and column."""
    index = (place[0] * shape[1] + place[1]).astype(np.intp)
    total: Floats = np.bincount(index, flux, shape[0] * shape[1]).astype(float).reshape(shape)
    return total


def _spread(place: Floats, flux: Floats, shape: tuple[int, int]) -> Floats:
    """As `_deposit`, for any place: points around it stand in for it and keep its moments.

    Quick where samples with the same nearest point follow each other.
    """
    nearest = np.rint(place)
    down, across = place - nearest
    first = np.flatnonzero(np.any(np.diff(nearest, axis=1, prepend=-1.0), axis=0))
    moments = np.zeros((N_STAND_INS, N_STAND_INS, first.size))
    for row in range(N_STAND_INS):
        moment = flux * down**row
        for column in range(N_STAND_INS - row):
            moments[row, column] = np.add.reduceat(moment, first)
            moment = moment * across
    steps = np.arange(float(N_STAND_INS)) - N_STAND_INS // 2
    # shares of the points in a moment about the middle one: Lagrange's interpolation, transposed
    of_moment = np.linalg.inv(np.vander(steps, increasing=True).T)
    shares = np.einsum("ir,jc,rcn->ijn", of_moment, of_moment, moments, optimize=True)
    around = np.stack(np.meshgrid(steps, steps, indexing="ij"))
    places = nearest[:, None, None, first] + around[..., None]
    return _deposit(places.reshape(2, -1), shares.ravel(), shape)
