"""What the instrument does to a noiseless image: shot noise, read-out noise, resampled noise.

Plain NumPy; every function takes the random generator it draws from, or draws nothing. What else
happens in a real exposure is in `instrument.py`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from lensy.errors import LensyError
from lensy.telescope import bands
from lensy.telescope.bands import Band
from lensy.values import Image

ExposureMode = Literal["coadd", "single exposure", "HST-like"]
"""Four exposures added, one alone, or one of another camera, see HST."""

HST = {
    "zero_point": 25.94,
    "sky_brightness": 21.9,
    "exposure_time": 507.0,
    "n_exposures": 1,
    "read_noise": 2 * 4.0,
}
"""An exposure of COSMOS with the Wide Field Channel of ACS through F814W, on pixels of 0.1 arcsec:
each is the sum of 2 x 2 detector pixels, whose read noises add up. The blur stays that of VIS.
Source: Koekemoer et al. 2007, ApJS 172, 196 (four exposures of 507 s); ACS Instrument Handbook
(0.05 arcsec, 3.75 to 5.65 electrons; AB zero point, sky of 0.1 electrons per second and pixel)."""

HST_PIXELS = 2
"""Detector pixels of the HST-like camera along the side of one of ours."""


def as_seen(band: Band | str, exposure: ExposureMode) -> Band:
    """The band itself for a coadd; for another mode the band with the exposure that it means.

    Raises LensyError for the HST-like exposure of a band that is not VIS.
    """
    band = bands.band(band)
    if exposure == "coadd":
        return band
    if exposure == "single exposure":
        return replace(band, n_exposures=1)
    if band.name != "VIS":
        raise LensyError(f"There is no HST-like exposure in {band.name}: take VIS.")
    return replace(band, **HST)  # type: ignore[arg-type]


@lru_cache
def detector_pixels(band: Band | str, exposure: ExposureMode) -> Band:
    """The band on the pixels of the detector, where artefacts of an exposure happen.

    They are the frame's pixels but for the HST-like exposure, whose pixels are half as wide.
    """
    seen = as_seen(band, exposure)
    if exposure != "HST-like":
        return seen
    n = HST_PIXELS
    return replace(
        seen,
        n_pixels=n * seen.n_pixels,
        pixel_scale=seen.pixel_scale / n,
        read_noise=seen.read_noise / n,
    )


def observe(
    image: Image,
    band: Band | str,
    rng: np.random.Generator,
    *,
    exposures: NDArray[Any] | None = None,
    exposure: ExposureMode = "coadd",
) -> Image:
    """One noisy, sky-subtracted picture of a noiseless image. Same shape, nJy per pixel, float32.

    Photons of object and sky are counted (Poisson) over the whole exposure, every read-out adds
    Gaussian noise, and the mean sky is taken away again. Source: lenstronomy's noise model
    (`SimulationAPI/observation_api.py`), with counted photons where that takes a Gaussian.

    exposures: how many of the band's exposures saw each pixel (y, x), all of them where it is not
    given; 0 means no data, 0 nJy. Pixels that all exposures saw are the same with it and without.
    exposure: what kind of exposure it is, a coadd unless given.
    """
    band = as_seen(band, exposure)
    expected = image.astype(np.float64) / band.njy_per_electron + band.sky_electrons
    counts = rng.poisson(np.maximum(expected, 0.0))
    read_out = np.sqrt(band.n_exposures) * band.read_noise * rng.standard_normal(image.shape)
    if exposures is None:
        electrons = counts + read_out
    else:
        share = _share(exposures, image, band)
        electrons = _thinned(counts, read_out, share, band.sky_electrons, rng)
    return np.asarray((electrons - band.sky_electrons) * band.njy_per_electron, np.float32)


def _share(exposures: NDArray[Any], image: Image, band: Band) -> NDArray[np.float64]:
    """Share of the band's exposures that saw each pixel. Raises where there cannot be so many."""
    if exposures.shape != image.shape:
        raise LensyError(f"exposures has the shape {exposures.shape}, the image {image.shape}.")
    if exposures.size and not 0 <= exposures.min() <= exposures.max() <= band.n_exposures:
        raise LensyError(
            f"exposures lie from 0 to {band.n_exposures} in {band.name}, not from "
            f"{exposures.min()} to {exposures.max()}."
        )
    return np.asarray(exposures / band.n_exposures)


def _thinned(
    counts: NDArray[np.int64],
    read_out: NDArray[np.float64],
    share: NDArray[np.float64],
    sky: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """What a share of the exposures counted, scaled up to all of them; the sky where none did.

    Keeping each photon with probability p turns a Poisson count of mean m into one of mean p m.
    """
    fewer = share < 1
    counts[fewer] = rng.binomial(counts[fewer], share[fewer])
    electrons = counts + np.sqrt(share) * read_out
    return np.divide(electrons, share, out=np.full_like(electrons, sky), where=share > 0)


def noise_sigma(image: Image, band: Band | str) -> Image:
    """Standard deviation of `observe` for a noiseless image, nJy per pixel, same shape."""
    band = bands.band(band)
    photons = np.maximum(image, 0.0) * band.njy_per_electron
    return np.sqrt(band.background_sigma**2 + photons).astype(np.float32)


def resampled(noise: Image, band: Band | str) -> Image:
    """White noise (y, x) with the scatter and the correlation that a mosaic's resampling leaves.

    noise: as `observe` adds it. The kernel is (a, 1, a) on both axes, whose neighbours correlate
    by 2 a / (1 + 2 a^2); empty sky ends with the sigma of the band's `MosaicNoise`, brighter pixels
    in proportion. The frame's edge, where the kernel is cut, keeps its scatter. A band of which no
    mosaic was measured keeps its noise as it is.
    """
    band = bands.band(band)
    mosaic = bands.FILTERS[band.name].mosaic
    if mosaic is None:
        return noise
    sigma, correlation = mosaic.sigma, mosaic.correlation
    a = (1 - np.sqrt(1 - 2 * correlation**2)) / (2 * correlation)
    kernel = np.array([a, 1.0, a])
    result = noise.astype(np.float64)
    for axis, size in enumerate(noise.shape):
        result = convolve1d(result, kernel, axis=axis, mode="constant")
        norm = np.sqrt(convolve1d(np.ones(size), kernel**2, mode="constant"))
        result /= norm[:, None] if axis == 0 else norm
    return (result * (sigma / band.background_sigma)).astype(np.float32)
