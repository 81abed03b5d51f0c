"""Real images in: Euclid mosaic cutouts as FITS to flux in nJy, with masks and coordinates.

A file may hold one image extension per band, found by its name (`VIS_BGSUB`, `VIS_FLUX` or `VIS`;
the background-subtracted one first), or one band alone, named by the header's FILTER or by the
file's name. Pixels without data become a mask and are filled, as padding is, with the local level
and noise of the frame's own kind: same standard deviation, same correlation between neighbours.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.nddata import block_reduce
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS, WcsError
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import NDArray
from scipy.ndimage import convolve

from lensy.errors import LensyError
from lensy.finding.background import Noise, fill, measure_noise, seed_from
from lensy.telescope.bands import AB_ZERO_FLUX, band
from lensy.values import Image, Mask

log = getLogger(__name__)

MOSAIC_PIXEL = 0.1
"""Pixel scale (arcsec) of Euclid mosaics, in every band. Source: headers of Q1 cutouts."""

SCALE_TOLERANCE = 0.05
"""Share by which a pixel scale may differ: 5 %, as much as the widths of galaxies hardly show."""

NO_DATA_RMS = 1e16
"""Noise maps say this, or more, where a mosaic has no data. Source: Q1 cutouts."""

ZERO_POINTS = (10.0, 40.0)
"""AB zero points that can be meant; 0 is a header's way of saying that there is none."""

NOT_LIGHT = ("PSF", "RMS", "FLAG", "FLG", "MASK", "WHT", "WEIGHT", "BKG")
"""Ends of the names of extensions that belong to a band but are not its image."""


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


def read_cutout(path: Path, band_name: str = "VIS", *, zero_point: float | None = None) -> Cutout:
    """Read one band of a FITS file; NISP, which mosaics oversample, is summed over 3 x 3 pixels.

    zero_point: AB magnitude of one count; used instead of MAGZERO or ZP_STACK of the header.
    Raises LensyError, naming the file, where it cannot be read or is not such an image.
    """
    band(band_name)
    counts, rms, header, where = _load(Path(path), band_name)
    scale = AB_ZERO_FLUX * 10.0 ** (-0.4 * _zero_point(header, zero_point, where))
    wcs = _wcs(header, where)
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


def band_in(text: str) -> str | None:
    """The Euclid band that a FILTER or a file name means; None where none or several are named."""
    text = text.upper().strip()
    if text in ("Y", "J", "H"):
        return text
    found = set(re.findall(r"(?<![A-Z0-9])(?:VIS|(?:NIR|NISP)[-_ ]?[YJH])(?![A-Z0-9])", text))
    bands = {name if name == "VIS" else name[-1] for name in found}
    return bands.pop() if len(bands) == 1 else None


def _load(path: Path, band_name: str) -> tuple[NDArray[Any], NDArray[Any] | None, fits.Header, str]:
    """Counts and RMS (y, x), header, and the words that say which image of which file it is."""
    if path.is_dir():
        raise LensyError(f"{path} is a folder without .fits or .fits.gz files.")
    if not path.is_file():
        raise LensyError(f"There is no file {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", ".*(truncated|corrupted)", AstropyUserWarning)
            with fits.open(path, memmap=False) as hdus:
                return _extract(hdus, path, band_name)
    except LensyError:
        raise
    except Exception as error:  # astropy raises a dozen kinds on damaged files
        with path.open("rb") as file:
            begins_well = file.read(9) == b"SIMPLE  =" or path.suffix == ".gz"
        state = "is damaged or cut short" if begins_well else "is not a FITS file"
        raise LensyError(
            f"{path} {state} ({type(error).__name__}): download or copy it again; allowed are "
            "FITS images, .fits or .fits.gz."
        ) from None


def _extract(
    hdus: fits.HDUList, path: Path, band_name: str
) -> tuple[NDArray[Any], NDArray[Any] | None, fits.Header, str]:
    hdu = _image_of(hdus, path, band_name)
    where = f"{path} [{hdu.name or hdus.index(hdu)}]"
    if len(hdu.shape) != 2:
        raise LensyError(f"{where} has {len(hdu.shape)} axes, not 2 (y, x): cut out one plane.")
    maps = [each for each in hdus if each.name in (f"{_stem(band_name)}_RMS", "RMS")]
    if maps and maps[0].shape != hdu.shape:
        raise LensyError(
            f"{where} has {hdu.shape} pixels (y, x) but {maps[0].name} has {maps[0].shape}: an "
            "image and its noise map must match; remove the extension if it belongs elsewhere."
        )
    counts = np.asarray(hdu.data, np.float64)
    rms = np.asarray(maps[0].data) if maps else None
    header = hdu.header.copy()
    header.tostring()  # a damaged card raises here, where the file is known to be at fault
    for key in ("MAGZERO", "ZP_STACK"):
        if key not in header and key in hdus[0].header:
            header[key] = hdus[0].header[key]
    return counts, rms, header, where


def _image_of(hdus: fits.HDUList, path: Path, band_name: str) -> Any:
    """The HDU with the image of a band: by its name, by its FILTER, or the file's only one."""
    images = [hdu for hdu in hdus if hdu.is_image and hdu.shape and not _is_not_light(hdu.name)]
    if not images:
        raise LensyError(
            f"{path} holds no image: allowed are FITS files with an image in {band_name}; if it "
            "should hold one, download or copy it again."
        )
    stem = _stem(band_name)
    for name in (f"{stem}_BGSUB", f"{stem}_FLUX", stem):
        for hdu in images:
            if hdu.name == name:
                return hdu
    matches = [hdu for hdu in images if band_in(_filter(hdu)) == band_name]
    if not matches and len(images) == 1 and not _filter(images[0]):
        matches = images if band_in(path.name) == band_name else []
    if len(matches) != 1:
        there = ", ".join(f"{hdu.name} (FILTER {_filter(hdu) or 'not given'})" for hdu in images)
        raise LensyError(
            f"{path} holds {'more than one' if matches else 'no'} {band_name} image but {there}: "
            f"name one extension {stem}_FLUX, or give its header FILTER = '{stem}'."
        )
    return matches[0]


def _stem(band_name: str) -> str:
    return "VIS" if band_name == "VIS" else f"NIR_{band_name}"


def _is_not_light(name: str) -> bool:
    return name.endswith(NOT_LIGHT)


def _filter(hdu: Any) -> str:
    return str(hdu.header.get("FILTER", "")).strip()


def _zero_point(header: fits.Header, given: float | None, where: str) -> float:
    """The AB zero point in use: the given one first, then MAGZERO, then ZP_STACK."""
    written = header.get("MAGZERO", header.get("ZP_STACK"))
    value = written if given is None else given
    if value is None:
        raise LensyError(
            f"{where} says neither MAGZERO nor ZP_STACK: give the AB magnitude of one count "
            "with --zero-point (24.6 for VIS mosaics of Euclid Q1)."
        )
    if not isinstance(value, int | float) or not ZERO_POINTS[0] < value < ZERO_POINTS[1]:
        raise LensyError(
            f"{where} cannot have the zero point {value!r}: allowed are AB magnitudes from 10 to "
            "40; mend MAGZERO or give --zero-point."
        )
    if given is not None and isinstance(written, int | float) and abs(given - written) > 1e-3:
        log.warning(
            "%s: zero point %s given, used instead of the header's %s", where, given, written
        )
    return float(value)


def _wcs(header: fits.Header, where: str) -> WCS | None:
    """The celestial coordinates of the header, None without. Raises on a wrong pixel scale."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wcs = WCS(header)
    except (WcsError, ValueError) as error:
        log.warning("%s: coordinates are left out (%s)", where, str(error).splitlines()[-1])
        return None
    if not wcs.has_celestial:
        return None
    scales = 3600.0 * proj_plane_pixel_scales(wcs.celestial)
    if np.any(np.abs(scales / MOSAIC_PIXEL - 1) > SCALE_TOLERANCE):
        raise LensyError(
            f"{where} has pixels of {scales[0]:.3f} x {scales[1]:.3f} arcsec: allowed is "
            f"{MOSAIC_PIXEL} arcsec to 5 %, the grid of Euclid mosaics; resample it first."
        )
    return wcs.celestial
