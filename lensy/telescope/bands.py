"""Euclid bands: pixel grid, point-spread function, zero point, sky and noise.

The numbers are lenstronomy's own configuration of the telescope, read at run time, so that they
stay in one place. A further band is one more line in FILTERS.

Flux is in nJy per pixel everywhere in this package; a band is what converts to and from
electrons and magnitudes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from lensy.errors import LensyError

AB_ZERO_FLUX = 3631e9
"""Flux of magnitude 0 in the AB system, nJy. Source: Oke & Gunn 1983, ApJ 266, 713."""

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""Full width at half maximum of a Gaussian in units of its standard deviation."""


@dataclass(frozen=True)
class MosaicNoise:
    """Noise of real mosaics on our pixel grid, measured where no source is seen in any band.

    sigma: of an empty pixel, nJy. correlation: of neighbours. of_3x3: noise of the sum of 3 x 3
    pixels, nJy: what the two should come to, where white noise would give 3 sigma.
    """

    sigma: float
    correlation: float
    of_3x3: float


@dataclass(frozen=True)
class Filter:
    """What has to be said of a band: the rest is lenstronomy's.

    n_pixels: pixels on a side of a frame, which is 20 arcsec wide. pixel_scale: arcsec. wavelength:
    the middle of its passband, micrometres; a band that `sky/colours.json` has not lies between
    its neighbours in colour. camera: lenstronomy's configuration that knows the band by its name,
    that of Euclid where None.
    instrument: VIS or NISP, whose artefacts the band has; none where None. mosaic: noise of real
    mosaics; where None, correlated noise is as white as any. n_brightest: numbers of pixels whose
    mean brightness may rank reconstructions; the third is that of a ring. colour: in figures.
    """

    n_pixels: int
    pixel_scale: float
    wavelength: float
    camera: type | None = None
    instrument: str | None = None
    mosaic: MosaicNoise | None = None
    n_brightest: tuple[int, ...] = (3, 10, 30, 100)
    colour: str = "#CC79A7"


FILTERS = {
    "VIS": Filter(
        200,
        0.1,
        0.725,
        instrument="VIS",
        mosaic=MosaicNoise(1.42, 0.23, 5.60),
        n_brightest=(10, 30, 100, 300, 1000),
        colour="#0072B2",
    ),
    "Y": Filter(66, 0.3, 1.081, None, "NISP", MosaicNoise(16.9, 0.44, 87.6), colour="#E69F00"),
    "J": Filter(66, 0.3, 1.367, None, "NISP", MosaicNoise(15.0, 0.39, 70.9), colour="#009E73"),
    "H": Filter(66, 0.3, 1.771, None, "NISP", MosaicNoise(16.1, 0.41, 78.5), colour="#D55E00"),
}
"""All bands by name, new ones last. Frames: those of the Gravitational Lens Finding Challenge 2.0,
as the predecessor used them (Wilde et al. 2022, section 2). Wavelengths: VIS, the middle of 0.53 to
0.92 (Euclid Collaboration: Mellier et al. 2025, A&A 697, A1); Y, J and H, Schirmer et al. 2022, A&A
662, A92. Mosaics: medians over four public Q1 cutouts (ESA/Euclid/Euclid Consortium, Q1), NISP
after summing 3x3 mosaic pixels. A further band has no artefacts, which are Euclid's; with a
point-spread function wider than 0.56 arcsec it lacks some of the light that comes from beyond 1.2
arcsec around the frame."""

FLAWS = 4
"""Number of the generator that draws an image's artefacts, which no band has."""


@dataclass(frozen=True)
class Band:
    """One filter of the survey with everything needed to turn nJy into a picture.

    n_pixels: pixels on a side of a frame. pixel_scale: arcsec. psf_fwhm: arcsec, Gaussian.
    zero_point: AB magnitude that gives 1 electron per second. sky_brightness: mag / arcsec^2.
    exposure_time: seconds of one of the n_exposures that are added. read_noise: electrons.
    """

    name: str
    n_pixels: int
    pixel_scale: float
    psf_fwhm: float
    zero_point: float
    sky_brightness: float
    exposure_time: float
    n_exposures: int
    read_noise: float

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a frame, (y, x)."""
        return (self.n_pixels, self.n_pixels)

    @property
    def field_of_view(self) -> float:
        """Side of a frame in arcsec."""
        return self.n_pixels * self.pixel_scale

    @property
    def psf_sigma(self) -> float:
        """Standard deviation of the Gaussian point-spread function in arcsec."""
        return float(self.psf_fwhm / FWHM_PER_SIGMA)

    @property
    def total_exposure(self) -> float:
        """Seconds of all exposures together."""
        return self.exposure_time * self.n_exposures

    @property
    def njy_per_electron(self) -> float:
        """Flux in nJy that one electron in the whole exposure stands for."""
        return self.flux(self.zero_point) / self.total_exposure

    @cached_property
    def sky_electrons(self) -> float:
        """Electrons per pixel from the sky in the whole exposure."""
        return self.flux(self.sky_brightness) * self.pixel_scale**2 / self.njy_per_electron

    @cached_property
    def background_sigma(self) -> float:
        """Noise of an empty pixel (sky and read-out) in nJy."""
        variance = self.sky_electrons + self.n_exposures * self.read_noise**2
        return float(np.sqrt(variance) * self.njy_per_electron)

    @property
    def flux_step(self) -> float:
        """Step in nJy to which noiseless layers are rounded: a power of two below noise / 400.

        Exact in float32, invisible under the noise, and the bits of a rounded image compress four
        times better.
        """
        return float(2.0 ** np.floor(np.log2(self.background_sigma / 400)))

    def flux(self, magnitude: float) -> float:
        """Flux in nJy of an AB magnitude."""
        return float(AB_ZERO_FLUX * 10.0 ** (-0.4 * magnitude))

    def magnitude(self, flux: float) -> float:
        """AB magnitude of a positive flux in nJy."""
        if not flux > 0:
            raise LensyError(f"magnitude needs a flux above 0 nJy, not {flux}.")
        return float(-2.5 * np.log10(flux / AB_ZERO_FLUX))

    def depth(self, *, signal_to_noise: float = 10.0, diameter: float = 1.3) -> float:
        """AB magnitude measured at `signal_to_noise` in a round aperture on empty sky.

        diameter: arcsec. The default is how Euclid states its depth (arXiv 2503.15303).
        """
        n_pixels = np.pi * (0.5 * diameter / self.pixel_scale) ** 2
        return self.magnitude(signal_to_noise * np.sqrt(n_pixels) * self.background_sigma)


def known_band(name: str) -> str:
    """The name of a band as it is. Raises LensyError with all there are where it is none."""
    if name not in FILTERS:
        raise LensyError(f"There is no band {name!r}; the bands are {', '.join(FILTERS)}.")
    return name


def generator_number(name: str) -> int:
    """What keeps the random numbers of a band's noise apart from those of other bands."""
    place = list(FILTERS).index(known_band(name))
    return place + (place >= FLAWS)


def band(name: Band | str) -> Band:
    """The band called `name`: VIS, Y, J or H, or another of FILTERS. A band is given back as it is.

    Source: lenstronomy's Euclid configuration (its docstring names the papers). Its VIS pixel of
    0.101 arcsec becomes 0.1, the grid of the mosaics and of the predecessor's images.

    >>> vis = band("VIS")
    >>> vis.shape, vis.pixel_scale
    ((200, 200), 0.1)
    >>> round(vis.magnitude(vis.flux(24.0)), 6)
    24.0
    """
    return name if isinstance(name, Band) else _band(name, FILTERS[known_band(name)])


@lru_cache
def _band(name: str, row: Filter) -> Band:
    from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid  # takes a second to load

    settings: dict[str, Any] = (row.camera or Euclid)(band=name).kwargs_single_band()
    return Band(
        name=name,
        n_pixels=row.n_pixels,
        pixel_scale=row.pixel_scale,
        psf_fwhm=settings["seeing"],
        zero_point=settings["magnitude_zero_point"],
        sky_brightness=settings["sky_brightness"],
        exposure_time=settings["exposure_time"],
        n_exposures=settings["num_exposures"],
        read_noise=settings["read_noise"],
    )
