"""Pictures by brute force, converged and slow: what the renderer is held against.

Light and deflection are lenstronomy's, point by point. The sky is cut into cells of 0.1 arcsec with
4 x 4 Gauss-Legendre points each; a cell near the peak of the light or the centre of a lens is cut
into four, again and again, until it is small beside its distance from there. The share of a point
in a pixel is exact. Nothing of this is the renderer's way but that last sentence.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from lenstronomy.Util.param_util import phi_q2_ellipticity
from numpy.typing import NDArray
from scipy import special

from lensy.sky.profiles import pattern_profile
from lensy.sky.scene import Deflector, Galaxy, Pattern, Scene
from lensy.telescope.bands import Band

Floats = NDArray[np.float64]
Trace = Callable[[Floats, Floats], tuple[Floats, Floats]]
Light = Callable[[Floats, Floats], Floats]

CELL = 0.1
"""Side of the largest cells, arcsec."""

HALF = 12.0
"""Half of the sky that is sampled: the frame and the 2 arcsec around it that scatter into it."""

SMALL = 0.35
"""Size of a cell over its distance from the peak, both on the source plane; or from the lens."""

LITTLE = 1e-6
"""A cell whose flux (of 1 in all) changes by less from corner to corner is not cut any more."""


@dataclass(frozen=True)
class Samples:
    """Share of the light in points: on a grid (y, x), and in single ones where cells are cut.

    grid: coordinate of the grid's rows and columns alike. Everything in arcsec.
    """

    grid: Floats
    light: Floats
    x: Floats
    y: Floats
    flux: Floats

    @property
    def total(self) -> float:
        """Flux of all points: for lensed light, the magnification within the sampled sky."""
        return float(self.light.sum() + self.flux.sum())

    def seen(self, band: Band) -> Floats:
        """Light in every pixel of a band, (y, x)."""
        side = np.arange(band.n_pixels + 1) - 0.5 * band.n_pixels
        below = special.ndtr((side[:, None] * band.pixel_scale - self.grid) / band.psf_sigma)
        image: Floats = np.diff(below, axis=0) @ self.light @ np.diff(below, axis=0).T
        reach = int(np.ceil(7 * band.psf_sigma / band.pixel_scale))
        width = 4 * reach + band.n_pixels
        row, down = _shares(self.y, band, reach)
        column, across = _shares(self.x, band, reach)
        near = (np.minimum(row, column) >= reach) & (np.maximum(row, column) < width - reach)
        place = (row * width + column)[near]
        down, across, flux = down[:, near], across[:, near], self.flux[near]
        padded = np.zeros(width * width)
        for j in range(-reach, reach + 1):
            share = flux * down[j + reach]
            for i in range(-reach, reach + 1):
                here = place + j * width + i
                padded += np.bincount(here, share * across[i + reach], width * width)
        return image + padded.reshape(width, width)[2 * reach : -2 * reach, 2 * reach : -2 * reach]


def _shares(place: Floats, band: Band, reach: int) -> tuple[NDArray[np.intp], Floats]:
    """Pixel of each point, 2 reach before the frame's first, and its share in those around."""
    position = place / band.pixel_scale + 0.5 * band.n_pixels
    first = np.floor(position).astype(np.intp)
    edges = first + np.arange(-reach, reach + 2)[:, None]
    below = special.ndtr((edges - position) * band.pixel_scale / band.psf_sigma)
    return first + 2 * reach, np.diff(below, axis=0)


def sample_galaxy(galaxy: Galaxy) -> Samples:
    """Points of a galaxy without lensing."""
    return sample(lambda x, y: (x, y), sersic(galaxy), galaxy)


def sample_source(source: Galaxy, deflector: Deflector) -> Samples:
    """Points of a source behind one deflector."""
    lens = LensModel(["SIE", "SHEAR"])
    settings = mass(deflector)
    return sample(lambda x, y: lens.ray_shooting(x, y, settings), sersic(source), source, deflector)


def sample_second_source(scene: Scene) -> Samples:
    """Points of the second source of a compound lens, by lenstronomy's multi-plane tracing."""
    trace = multi_plane(scene)
    return sample(trace, sersic(scene.second_source), scene.second_source, scene.deflector)


def sample_pattern(pattern: Pattern) -> Samples:
    """Points of a ring or of spiral arms, by the formula that tests/sky/test_profiles.py checks.

    Towards the centre arms are wound ever more narrowly: cells are small enough for that.
    """
    profile = pattern_profile(pattern)
    shared = pattern.model_dump(include=set(Galaxy.model_fields))
    peak = Galaxy(**shared, half_light_radius=1.0, sersic_index=1.0)
    return sample(
        lambda x, y: (x, y),
        lambda x, y: profile(x - pattern.x, y - pattern.y),
        peak,
        small=SMALL / (1 + abs(pattern.winding)),
    )


def sample(
    trace: Trace,
    light: Light,
    peak: Galaxy,
    deflector: Deflector | None = None,
    small: float | None = None,
) -> Samples:
    """Points of light whose brightness (arcsec^-2) is known where `trace` leads to.

    peak: where light is steep, and how it is stretched there. deflector: where `trace` is singular.
    small: another value than SMALL.
    """
    nodes, weights = (each / 2 for each in np.polynomial.legendre.leggauss(4))
    first = np.arange(-HALF, HALF, CELL) + 0.5 * CELL
    x, y = (axis.ravel() for axis in np.meshgrid(first, first))
    small = small or SMALL
    cut = _too_large(trace, light, x, y, CELL, peak, deflector, small)
    axis = (first[:, None] + CELL * nodes).ravel()
    weight = np.tile(CELL * weights, first.size)
    grid = _shine(trace, light, *np.meshgrid(axis, axis)) * weight * weight[:, None]
    whole = ~cut.reshape(first.size, first.size)
    grid *= np.repeat(np.repeat(whole, 4, axis=0), 4, axis=1)
    dy, dx = (each.ravel() for each in np.meshgrid(nodes, nodes, indexing="ij"))
    share = np.outer(weights, weights).ravel()
    side, found = CELL, []
    while cut.any():
        quarter = 0.25 * side * np.array([[-1, 1, -1, 1], [-1, -1, 1, 1]])
        x, y = ((each[cut, None] + q).ravel() for each, q in zip((x, y), quarter, strict=True))
        side *= 0.5
        cut = _too_large(trace, light, x, y, side, peak, deflector, small)
        at = [(each[~cut, None] + side * d).ravel() for each, d in ((x, dx), (y, dy))]
        found.append((*at, _shine(trace, light, *at) * np.tile(side**2 * share, (~cut).sum())))
    points = [np.concatenate(each) for each in zip(*found, strict=True)] or [np.zeros(0)] * 3
    return Samples(axis, grid, *points)


def _shine(trace: Trace, light: Light, x: Floats, y: Floats) -> Floats:
    return light(*trace(x.ravel(), y.ravel())).reshape(x.shape)


def _too_large(
    trace: Trace,
    light: Light,
    x: Floats,
    y: Floats,
    side: float,
    peak: Galaxy,
    deflector: Deflector | None,
    small: float,
) -> NDArray[np.bool_]:
    """Which cells, of which the centres are given, are large beside their distance."""
    beta = trace(x, y)
    middle, brightness = _round(*beta, peak), light(*beta)
    extent, change = np.zeros_like(x), np.zeros_like(x)
    for j in (-0.5, 0.5):
        for i in (-0.5, 0.5):
            beta = trace(x + i * side, y + j * side)
            extent = np.maximum(extent, np.hypot(*(_round(*beta, peak) - middle)))
            change = np.maximum(change, np.abs(light(*beta) - brightness))
    large = extent > small * np.hypot(*middle)
    if deflector is not None:
        large |= side > small * np.hypot(x - deflector.x, y - deflector.y)
    return large & (change * side**2 > LITTLE)


def _round(x: Floats, y: Floats, galaxy: Galaxy) -> Floats:
    """Offsets from a galaxy's centre where its isophotes are circles, (2, point)."""
    cosine, sine = np.cos(galaxy.position_angle), np.sin(galaxy.position_angle)
    along = (x - galaxy.x) * cosine + (y - galaxy.y) * sine
    across = (y - galaxy.y) * cosine - (x - galaxy.x) * sine
    return np.stack([along * np.sqrt(galaxy.axis_ratio), across / np.sqrt(galaxy.axis_ratio)])


def sersic(galaxy: Galaxy) -> Light:
    """Brightness of unit flux by lenstronomy."""
    model, settings = LightModel(["SERSIC_ELLIPSE"]), light_settings(galaxy)
    unit = model.total_flux([settings | {"amp": 1.0}])[0]
    return lambda x, y: model.surface_brightness(x, y, [settings | {"amp": 1 / unit}])


def multi_plane(scene: Scene) -> Trace:
    """Ray shooting to the second source of a compound lens.

    lenstronomy takes all deflections for the last source; ours are for the next one, so that the
    first deflector's grow by the ratio of distances.
    """
    redshifts = [each.redshift for each in (scene.lens, scene.source, scene.second_source)]
    ratio = distance_ratio(*redshifts)
    first, shear = mass(scene.deflector)
    first["theta_E"] *= ratio
    shear |= {name: ratio * shear[name] for name in ("gamma1", "gamma2")}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cosmology is provided")
        warnings.filterwarnings("ignore", message="Use ``angular_diameter_distance")
        model = LensModel(
            ["SIE", "SHEAR"] * 2,
            z_source=redshifts[2],
            lens_redshift_list=[redshifts[0]] * 2 + [redshifts[1]] * 2,
            cosmo=FlatLambdaCDM(H0=70, Om0=0.3),
            multi_plane=True,
        )
    settings = [first, shear, *mass(scene.second_deflector)]
    return lambda x, y: model.ray_shooting(x, y, settings)


def distance_ratio(z_lens: float, z_near: float, z_far: float) -> float:
    """D_ls / D_s of the far source over that of the near one, by astropy's distances."""
    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    with warnings.catch_warnings():
        # newer versions of astropy have another name for it
        warnings.filterwarnings("ignore", message="Use ``angular_diameter_distance")
        between = [cosmology.angular_diameter_distance_z1z2(z_lens, z) for z in (z_near, z_far)]
    near, far = cosmology.angular_diameter_distance([z_near, z_far])
    return float(between[1] / far / (between[0] / near))


def mass(deflector: Deflector) -> list[dict[str, float]]:
    """lenstronomy's settings of a deflector: SIE and SHEAR."""
    e1, e2 = phi_q2_ellipticity(deflector.position_angle, deflector.axis_ratio)
    place = {"center_x": deflector.x, "center_y": deflector.y}
    shear = {"gamma1": deflector.shear_1, "gamma2": deflector.shear_2}
    about = {"ra_0": deflector.x, "dec_0": deflector.y}
    return [{"theta_E": deflector.einstein_radius, "e1": e1, "e2": e2} | place, shear | about]


def light_settings(galaxy: Galaxy) -> dict[str, Any]:
    """lenstronomy's settings of a galaxy's light, all but its brightness."""
    e1, e2 = phi_q2_ellipticity(galaxy.position_angle, galaxy.axis_ratio)
    shape = {"R_sersic": galaxy.half_light_radius, "n_sersic": galaxy.sersic_index}
    return shape | {"e1": e1, "e2": e2, "center_x": galaxy.x, "center_y": galaxy.y}
