"""Real images in: Euclid mosaic cutouts as FITS to flux in nJy, with masks and coordinates.

A file may hold one image extension per band, found by its name (`VIS_BGSUB`, `VIS_FLUX` or `VIS`;
the background-subtracted one first), or one band alone, named by the header's FILTER or by the
file's name. Pixels without data become a mask and are filled, as padding is, with the local level
and noise of the frame's own kind: same standard deviation, same correlation between neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.nddata import block_reduce
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.ndimage import convolve

from lensy.errors import LensyError
from lensy.finding.background import Noise, fill, measure_noise, seed_from
from lensy.finding.mosaics import MOSAIC_PIXEL, coordinates, load, zero_point_of
from lensy.telescope.bands import AB_ZERO_FLUX, band
from lensy.values import Image, Mask

NO_DATA_RMS = 1e16
"""Noise maps say this, or more, where a mosaic has no data. Source: Q1 cutouts."""


@dataclass(frozen=True)
class Cutout:
    """One band of one file, on the pixels that the band's networks see.

    flux: (y, x) in nJy, masked pixels filled. mask: True without data. binning: pixels of the file
    along the side of one of these; positions are in the file's pixels.
    """

    path: Path
    band: str
    flux: Image
    mask: Mask
    noise: Noise
    wcs: WCS | None
    binning: int = 1

    @classmethod
    def of(cls, image: Image, band_name: str = "VIS", *, name: str = "image") -> Cutout:
        """A picture (y, x) in nJy on the pixels of a band, such as a simulated one.

        Pixels that are not finite have no data. name: in the place of a file's.
        """
        mask = ~np.isfinite(image)
        flux = np.where(mask, 0.0, image).astype(np.float32)
        noise = measure_noise(flux, mask, where=name)
        filled = fill(flux, mask, noise, seed_from(flux))
        return cls(Path(name), band(band_name).name, filled, mask, noise, None)

    def position(self, column: float, row: float) -> tuple[float, float]:
        """Where a place on `flux` is in the file: 0-based x and y."""
        shift = 0.5 * (self.binning - 1)
        return self.binning * column + shift, self.binning * row + shift

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a position of the file is on `flux`: column and row."""
        shift = 0.5 * (self.binning - 1)
        return (x - shift) / self.binning, (y - shift) / self.binning

    def sky(self, x: float, y: float) -> tuple[float, float]:
        """Right ascension and declination (ICRS, degrees) of a 0-based pixel; NaN without WCS."""
        if self.wcs is None:
            return float("nan"), float("nan")
        position = self.wcs.pixel_to_world(x, y).icrs
        return float(position.ra.deg), float(position.dec.deg)

    def around(self, x: float, y: float, n_pixels: int) -> tuple[slice, slice]:
        """The part of `flux` (y, x), `n_pixels` wide and high, around a position of the file.

        As near to it as the border allows; around the middle for a position of NaN.
        """
        place = zip(self.place(x, y)[::-1], self.flux.shape, strict=True)
        rows, columns = (stretch(0.5 * n if np.isnan(at) else at, n_pixels, n) for at, n in place)
        return rows, columns

    def padded(self, n_pixels: int) -> tuple[Image, tuple[slice, slice]]:
        """Flux with at least `n_pixels` on each side, and where in it this frame lies (y, x).

        The frame is in the middle; around it is noise like its own, fixed by its pixels.
        """
        lacking = [max(0, n_pixels - n) for n in self.flux.shape]
        width = [(n // 2, n - n // 2) for n in lacking]
        inside = tuple(slice(w[0], w[0] + n) for w, n in zip(width, self.flux.shape, strict=True))
        outside = np.pad(np.zeros(self.flux.shape, bool), width, constant_values=True)
        flux = fill(np.pad(self.flux, width), outside, self.noise, seed_from(self.flux))
        return flux, (inside[0], inside[1])


def read_cutout(
    path: Path | str, band_name: str = "VIS", *, zero_point: float | None = None
) -> Cutout:
    """Read one band of a FITS file; NISP, which mosaics oversample, is summed over 3 x 3 pixels.

    zero_point: AB magnitude of one count; used instead of MAGZERO or ZP_STACK of the header.
    Raises LensyError, naming the file, where it cannot be read or is not such an image.

    >>> from tempfile import TemporaryDirectory
    >>> from astropy.io import fits
    >>> noise = np.random.default_rng(1).normal(0.0, 0.003, (60, 60))
    >>> image = fits.ImageHDU(noise, fits.Header({"MAGZERO": 24.6}), name="VIS")
    >>> with TemporaryDirectory() as folder:
    ...     fits.HDUList([fits.PrimaryHDU(), image]).writeto(f"{folder}/my.fits")
    ...     cutout = read_cutout(f"{folder}/my.fits")
    >>> cutout.flux.shape, cutout.band
    ((60, 60), 'VIS')
    """
    band(band_name)
    counts, rms, header, where = load(Path(path), band_name)
    scale = AB_ZERO_FLUX * 10.0 ** (-0.4 * zero_point_of(header, zero_point, where))
    wcs = coordinates(header, where)
    mask = no_data(counts, rms)
    with np.errstate(over="ignore"):
        flux = np.where(mask, 0.0, counts * scale).astype(np.float32)
    if not np.isfinite(flux).all():
        raise LensyError(f"{where} has pixels too bright for single precision: check MAGZERO.")
    binning = round(band(band_name).pixel_scale / MOSAIC_PIXEL)
    if min(flux.shape) < binning:
        raise LensyError(
            f"{where} has less than {binning} x {binning} pixels: take a larger cutout."
        )
    # rows and columns that are left over are dropped at the far end
    flux = np.asarray(block_reduce(flux, binning))
    mask = np.asarray(block_reduce(mask, binning, np.any))
    noise = measure_noise(flux, mask, where=where)
    filled = fill(flux, mask, noise, seed_from(flux))
    return Cutout(Path(path), band_name, filled, mask, noise, wcs, binning)


def stretch(middle: float, length: int, n_pixels: int) -> slice:
    """Pixels of an axis with a middle, moved so that they lie on it; all where there are fewer."""
    start = int(np.clip(round(middle - 0.5 * length), 0, max(0, n_pixels - length)))
    return slice(start, min(start + length, n_pixels))


def no_data(counts: NDArray[Any], rms: NDArray[Any] | None = None) -> Mask:
    """Where an image (y, x) has no data: not finite, RMS of 1e16 or more or not finite, or 0.

    A pixel that is exactly 0 counts where one of its eight neighbours has no data or is 0 too;
    alone it is noise that happens to be 0, as in images that are stored in steps.
    """
    mask = ~np.isfinite(counts)
    if rms is not None:
        mask |= ~(rms < NO_DATA_RMS)
    suspect = mask | (counts == 0)
    n_suspect = convolve(suspect.astype(np.int8), np.ones((3, 3), np.int8), mode="constant")
    return np.asarray(mask | (suspect & (n_suspect > 1)))
