"""Small FITS files in the style of Euclid Q1 cutouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from scipy.ndimage import gaussian_filter

COUNT = 3631e9 * 10 ** (-0.4 * 24.6)
"""nJy of one count at the zero point of Q1, typed from the README of the real files."""


def noise_image(shape: tuple[int, int] = (60, 50), *, seed: int = 1) -> np.ndarray:
    """Correlated noise of standard deviation 0.0027 counts, as in Q1 mosaics."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 0.5, mode="wrap")
    return np.asarray(0.0027 * noise / noise.std(), np.float32)


def coordinates(pixel_scale: float = 0.1) -> dict[str, Any]:
    """Header of a tangent plane, north up, pixel (x, y) = (20, 10) at (57, -50) degrees."""
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 57.0,
        "CRVAL2": -50.0,
        "CRPIX1": 21.0,
        "CRPIX2": 11.0,
        "CDELT1": -pixel_scale / 3600,
        "CDELT2": pixel_scale / 3600,
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "RADESYS": "ICRS",
    }


def write_fits(path: Path, images: dict[str, Any], **header: Any) -> Path:
    """One extension per image; `MAGZERO` 24.6 unless the header says otherwise."""
    hdus: list[Any] = [fits.PrimaryHDU()]
    for name, image in images.items():
        cards = fits.Header({"MAGZERO": 24.6} | header)
        for key in [key for key, value in header.items() if value is None]:
            del cards[key]
        hdus.append(fits.ImageHDU(image, cards, name=name))
    fits.HDUList(hdus).writeto(path)
    return path
