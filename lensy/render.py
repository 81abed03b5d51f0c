"""Turn a scene into noiseless images, one layer per object.

lenstronomy supplies the light profiles and the ray shooting. How a profile becomes pixels is done
here: lenstronomy's own way (supersample the whole frame, convolve with a pixelised kernel) is
slow where it is accurate. We sample every profile once per pixel, and on a grid of 0.02 arcsec only
where it is steep; each sample is then a point of light, whose share in each pixel after a Gaussian
point-spread function is an exact difference of error functions, separable in x and y. So the
convolution, the integration over the pixel and the frame's edge are two matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from lenstronomy.Util.param_util import phi_q2_ellipticity
from numpy.typing import NDArray
from scipy import ndimage, special

from lensy.bands import Band
from lensy.errors import LensyError
from lensy.scene import Deflector, Galaxy, Scene

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
Brightness = Callable[[Floats, Floats], Floats]

PADDING = 90
"""Pixels around the frame in which profiles may be sampled: light scattered in by the
point-spread function, and the far side of a lens at the edge."""

CUSP_SAMPLES = 9
"""Samples per axis of each fine cell around the centre of a galaxy: a de Vaucouleurs profile has a
cusp there, which one sample per cell overestimates."""

_LIGHT = LightModel(["SERSIC_ELLIPSE"])
_LENS = LensModel(["SIE", "SHEAR"])


@dataclass(frozen=True)
class Layers:
    """Noiseless light of a scene in one band, nJy per pixel, float32.

    lens_light, arc: (y, x). companions: (n_companions, y, x). magnification: lensed flux over the
    flux of the source without the lens; 0 where there is no source.
    """

    lens_light: Image
    arc: Image
    companions: Image
    magnification: float

    @property
    def stack(self) -> Image:
        """Lens light, arc and all companions together, (3, y, x)."""
        together = self.companions.sum(axis=0, dtype=np.float32)
        return np.stack([self.lens_light, self.arc, together])

    @property
    def image(self) -> Image:
        """What a perfect detector would see, (y, x): the sum of `stack`."""
        total: Image = self.stack.sum(axis=0, dtype=np.float32)
        return total


def render(scene: Scene, band: Band) -> Layers:
    """Layers of `scene` in `band`, with point-spread function and pixels but without noise.

    Raises LensyError where an object has no magnitude in the band.
    """
    companions = np.zeros((len(scene.companions), *band.shape), np.float32)
    for layer, galaxy in zip(companions, scene.companions, strict=True):
        layer[:] = render_galaxy(galaxy, band)
    arc, magnification = np.zeros(band.shape, np.float32), 0.0
    if scene.source is not None and scene.deflector is not None:
        arc, magnification = render_arc(scene.source, scene.deflector, band)
    return Layers(render_galaxy(scene.lens, band), arc, companions, magnification)


def render_galaxy(galaxy: Galaxy, band: Band) -> Image:
    """Light of one galaxy without lensing, (y, x), nJy per pixel."""
    scale = band.pixel_scale
    window = _Window.around_frame(band)
    x, y = window.centres()
    distance = np.hypot(x - galaxy.x, y - galaxy.y)
    # beyond 12 pixels, or three half-light radii, a profile hardly bends within a pixel
    steep = distance < min(3 * galaxy.half_light_radius, 12 * scale) + 3 * scale
    return _expose(brightness(galaxy, band), window, steep, cusp=(galaxy.x, galaxy.y))[0]


def render_arc(source: Galaxy, deflector: Deflector, band: Band) -> tuple[Image, float]:
    """Light of `source` as lensed by `deflector`, (y, x) in nJy per pixel, and its magnification.

    The magnification is the lensed flux within three Einstein radii and three half-light radii of
    the lens (8 arcsec at most) over the flux of the unlensed source. Sources with a half-light
    radius below 0.08 arcsec may lose up to a tenth of the flux of a demagnified image.
    """
    reach = 3 * deflector.einstein_radius + 3 * source.half_light_radius
    window = _Window.around_frame(band).including(deflector.x, deflector.y, min(reach, 8.0))
    unlensed = brightness(source, band)

    def lensed(x: Floats, y: Floats) -> Floats:
        return unlensed(*trace_to_source(deflector, x, y))

    beta_x, beta_y = trace_to_source(deflector, *window.centres())
    offset = np.hypot(beta_x - source.x, beta_y - source.y)
    steep = offset < min(3 * source.half_light_radius, 0.6)
    steep = ndimage.binary_dilation(steep, iterations=2)
    image, flux = _expose(lensed, window, steep)
    return image, flux / band.flux(_magnitude(source, band))


def brightness(galaxy: Galaxy, band: Band) -> Brightness:
    """Surface brightness of a galaxy, a function of x and y (arcsec) in nJy per arcsec^2."""
    e1, e2 = phi_q2_ellipticity(galaxy.position_angle, galaxy.axis_ratio)
    kwargs = {
        "R_sersic": galaxy.half_light_radius,
        "n_sersic": galaxy.sersic_index,
        "e1": e1,
        "e2": e2,
        "center_x": galaxy.x,
        "center_y": galaxy.y,
    }
    flux_of_unit = _LIGHT.total_flux([{"amp": 1.0, **kwargs}])[0]
    amplitude = band.flux(_magnitude(galaxy, band)) / flux_of_unit

    def profile(x: Floats, y: Floats) -> Floats:
        value: Floats = _LIGHT.surface_brightness(x, y, [{"amp": amplitude, **kwargs}])
        return value

    return profile


def trace_to_source(deflector: Deflector, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Where the light seen at (x, y) left the source plane, arcsec."""
    e1, e2 = phi_q2_ellipticity(deflector.position_angle, deflector.axis_ratio)
    centre = {"center_x": deflector.x, "center_y": deflector.y}
    sie = {"theta_E": deflector.einstein_radius, "e1": e1, "e2": e2, **centre}
    shear = {
        "gamma1": deflector.shear_1,
        "gamma2": deflector.shear_2,
        "ra_0": deflector.x,
        "dec_0": deflector.y,
    }
    beta_x, beta_y = _LENS.ray_shooting(x.ravel(), y.ravel(), [sie, shear])
    return beta_x.reshape(x.shape), beta_y.reshape(y.shape)


def _magnitude(galaxy: Galaxy, band: Band) -> float:
    if band.name not in galaxy.magnitudes:
        raise LensyError(
            f"A galaxy has no magnitude in {band.name}, only in {', '.join(galaxy.magnitudes)}: "
            "draw it from a population that covers this band."
        )
    return galaxy.magnitudes[band.name]


@dataclass(frozen=True)
class _Window:
    """A rectangle of pixels, frame and more: half-open ranges on the frame's pixel indices."""

    band: Band
    x_range: tuple[int, int]
    y_range: tuple[int, int]

    @classmethod
    def around_frame(cls, band: Band) -> _Window:
        """The frame and what the point-spread function may scatter into it (5 sigma)."""
        margin = int(np.ceil(5 * band.psf_sigma / band.pixel_scale)) + 1
        return cls(band, (-margin, band.n_pixels + margin), (-margin, band.n_pixels + margin))

    def including(self, x: float, y: float, radius: float) -> _Window:
        """A window enlarged to hold a disc (arcsec) as far as the padding reaches."""

        def stretch(centre: float, limits: tuple[int, int]) -> tuple[int, int]:
            middle = centre / self.band.pixel_scale + 0.5 * (self.band.n_pixels - 1)
            reach = radius / self.band.pixel_scale
            low = max(min(limits[0], int(np.floor(middle - reach))), -PADDING)
            high = max(limits[1], int(np.ceil(middle + reach)) + 1)
            return low, min(high, self.band.n_pixels + PADDING)

        return _Window(self.band, stretch(x, self.x_range), stretch(y, self.y_range))

    def centres(self) -> tuple[Floats, Floats]:
        """Coordinates of the pixel centres, arcsec from the frame's centre, each (y, x)."""
        middle = 0.5 * (self.band.n_pixels - 1)
        x = (np.arange(*self.x_range) - middle) * self.band.pixel_scale
        y = (np.arange(*self.y_range) - middle) * self.band.pixel_scale
        grid_x, grid_y = np.meshgrid(x, y)
        return grid_x, grid_y

    def project(self, samples: Floats, row: int, column: int, factor: int) -> Floats:
        """Frame (y, x) lit by points of light.

        samples: their flux, `factor` per pixel and axis, from pixel (row, column) of the window on.
        """
        response = _response(self.band, factor)
        first_y = (self.y_range[0] + row + PADDING) * factor
        first_x = (self.x_range[0] + column + PADDING) * factor
        left = response[:, first_y : first_y + samples.shape[0]]
        right = response[:, first_x : first_x + samples.shape[1]]
        frame: Floats = left @ samples @ right.T
        return frame


@lru_cache(maxsize=16)
def _response(band: Band, factor: int) -> Floats:
    """Share of a point's light in each pixel, (pixel, point), along one axis.

    Points stand `factor` to a pixel, from PADDING pixels before the frame to as many after it.
    """
    points = (np.arange((band.n_pixels + 2 * PADDING) * factor) + 0.5) / factor - PADDING
    edges = np.arange(band.n_pixels + 1)
    sigma = band.psf_sigma / band.pixel_scale
    below = special.ndtr((edges[:, None] - points[None, :]) / sigma)
    return np.diff(below, axis=0)


def _expose(
    profile: Brightness,
    window: _Window,
    steep: NDArray[np.bool_],
    cusp: tuple[float, float] | None = None,
) -> tuple[Image, float]:
    """Frame of a surface brightness (y, x, nJy per pixel), and the flux sampled in the window."""
    x, y = window.centres()
    area = window.band.pixel_scale**2
    coarse = np.where(steep, 0.0, profile(x, y)) * area
    frame = window.project(coarse, 0, 0, factor=1)
    if not steep.any():
        return frame.astype(np.float32), float(coarse.sum())
    fine, row, column = _sample_finely(profile, window, steep, cusp)
    frame += window.project(fine, row, column, factor=window.band.supersampling)
    return frame.astype(np.float32), float(coarse.sum() + fine.sum())


def _sample_finely(
    profile: Brightness,
    window: _Window,
    steep: NDArray[np.bool_],
    cusp: tuple[float, float] | None,
) -> tuple[Floats, int, int]:
    """Flux of fine cells over the box that holds all steep pixels, and the box's first pixel."""
    factor = window.band.supersampling
    scale = window.band.pixel_scale
    rows, columns = np.flatnonzero(steep.any(axis=1)), np.flatnonzero(steep.any(axis=0))
    row, column = int(rows[0]), int(columns[0])
    fine = np.zeros((rows[-1] - row + 1, factor, columns[-1] - column + 1, factor))
    x, y = window.centres()
    inside = ((np.arange(factor) + 0.5) / factor - 0.5) * scale
    cell_x = x[steep][:, None, None] + inside[None, None, :]
    cell_y = y[steep][:, None, None] + inside[None, :, None]
    cell_x, cell_y = np.broadcast_arrays(cell_x, cell_y)
    light = profile(cell_x, cell_y)
    if cusp is not None:
        # samples stand in for cells; at the centre of a galaxy, average over the cell
        near = np.hypot(cell_x - cusp[0], cell_y - cusp[1]) < scale
        light[near] = _cell_average(profile, cell_x[near], cell_y[near], scale / factor)
    where = np.nonzero(steep)
    fine[where[0] - row, :, where[1] - column, :] = light * (scale / factor) ** 2
    return fine.reshape(fine.shape[0] * factor, -1), row, column


def _cell_average(profile: Brightness, x: Floats, y: Floats, side: float) -> Floats:
    inside = ((np.arange(CUSP_SAMPLES) + 0.5) / CUSP_SAMPLES - 0.5) * side
    sub_x = x[:, None, None] + inside[None, None, :]
    sub_y = y[:, None, None] + inside[None, :, None]
    sub_x, sub_y = np.broadcast_arrays(sub_x, sub_y)
    mean: Floats = profile(sub_x, sub_y).mean(axis=(1, 2))
    return mean
