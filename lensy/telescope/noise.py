"""What the instrument does to a noiseless image: shot noise, read-out noise, resampled noise.

Plain NumPy; every function takes the random generator it draws from, or draws nothing. What else
happens in a real exposure is in `artefacts.py`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from lensy.errors import LensyError
from lensy.telescope.bands import Band
from lensy.values import Image

Look = Literal["coadd", "single exposure", "HST-like"]
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

MOSAIC_NOISE = {"VIS": (1.42, 0.23), "Y": (16.9, 0.44), "J": (15.0, 0.39), "H": (16.1, 0.41)}
"""Noise of an empty pixel (nJy) and correlation of neighbours in real mosaics, on our pixel grids.
Source: medians over four public Q1 cutouts (ESA/Euclid/Euclid Consortium, Q1), measured where no
source is seen in any band; NISP after summing 3x3 mosaic pixels."""

MOSAIC_SUM = {"VIS": 5.60, "Y": 87.6, "J": 70.9, "H": 78.5}
"""Noise of the sum of 3x3 pixels (nJy), measured as MOSAIC_NOISE, which alone makes our noise: what
this should come to. White noise would give three times that of a pixel."""


@lru_cache
def as_seen(band: Band, look: Look) -> Band:
    """The band itself for a coadd; for another look the band with the exposure that it means.

    Raises LensyError for the HST-like look of a band that is not VIS.
    """
    if look == "coadd":
        return band
    if look == "single exposure":
        return replace(band, n_exposures=1)
    if band.name != "VIS":
        raise LensyError(f"There is no HST-like look in {band.name}: take VIS.")
    return replace(band, **HST)  # type: ignore[arg-type]


@lru_cache
def detector_pixels(band: Band, look: Look) -> Band:
    """The band on the pixels of the detector, where artefacts of a look happen.

    They are the frame's pixels but for the HST-like look, whose pixels are half as wide.
    """
    seen = as_seen(band, look)
    if look != "HST-like":
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
    band: Band,
    rng: np.random.Generator,
    *,
    exposures: NDArray[Any] | None = None,
    look: Look = "coadd",
) -> Image:
    """One noisy, sky-subtracted picture of a noiseless image. Same shape, nJy per pixel, float32.

    Photons of object and sky are counted (Poisson) over the whole exposure, every read-out adds
    Gaussian noise, and the mean sky is taken away again. Source: lenstronomy's noise model
    (`SimulationAPI/observation_api.py`), with counted photons where that takes a Gaussian.

    exposures: how many of the band's exposures saw each pixel (y, x), all of them where it is not
    given; 0 means no data, 0 nJy. Pixels that all exposures saw are the same with it and without.
    """
    band = as_seen(band, look)
    expected = image.astype(np.float64) / band.njy_per_electron + band.sky_electrons
    counts = rng.poisson(np.maximum(expected, 0.0))
    read_out = np.sqrt(band.n_exposures) * band.read_noise * rng.standard_normal(image.shape)
    if exposures is None:
        electrons = counts.astype(np.float64)
        electrons += read_out
    else:
        electrons = _thinned(counts, read_out, _share(exposures, image, band), rng)
    observed = (electrons - band.sky_electrons) * band.njy_per_electron
    if exposures is not None:
        observed[exposures == 0] = 0.0
    return observed.astype(np.float32)


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
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """What a share of the exposures counted, scaled up to all of them.

    Keeping each photon with probability p turns a Poisson count of mean m into one of mean p m.
    """
    fewer = share < 1
    counts[fewer] = rng.binomial(counts[fewer], share[fewer])
    electrons = counts + np.sqrt(share) * read_out
    return np.divide(electrons, share, out=np.zeros_like(electrons), where=share > 0)


def noise_sigma(image: Image, band: Band) -> Image:
    """Standard deviation of `observe` for a noiseless image, nJy per pixel, same shape."""
    photons = np.maximum(image, 0.0) * band.njy_per_electron
    return np.sqrt(band.background_sigma**2 + photons).astype(np.float32)


def resampled(noise: Image, band: Band) -> Image:
    """White noise (y, x) with the scatter and the correlation that a mosaic's resampling leaves.

    noise: as `observe` adds it. The kernel is (a, 1, a) on both axes, whose neighbours correlate
    by 2 a / (1 + 2 a^2); empty sky ends with the sigma of MOSAIC_NOISE, brighter pixels in
    proportion. The frame's edge, where the kernel is cut, keeps its scatter.
    """
    sigma, correlation = MOSAIC_NOISE[band.name]
    a = (1 - np.sqrt(1 - 2 * correlation**2)) / (2 * correlation)
    kernel = np.array([a, 1.0, a])
    result = noise.astype(np.float64)
    for axis, size in enumerate(noise.shape):
        result = convolve1d(result, kernel, axis=axis, mode="constant")
        norm = np.sqrt(convolve1d(np.ones(size), kernel**2, mode="constant"))
        result /= norm[:, None] if axis == 0 else norm
    return (result * (sigma / band.background_sigma)).astype(np.float32)
