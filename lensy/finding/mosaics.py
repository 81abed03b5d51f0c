"""The images in Euclid's FITS files: which is a band's, its zero point and its coordinates."""

from __future__ import annotations

import re
import warnings
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS, WcsError
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.typing import NDArray

from lensy.errors import LensyError

log = getLogger(__name__)

MOSAIC_PIXEL = 0.1
"""Pixel scale (arcsec) of Euclid mosaics, in every band. Source: headers of Q1 cutouts."""

SCALE_TOLERANCE = 0.05
"""Share by which a pixel scale may differ: 5 %, as much as the widths of galaxies hardly show."""

ZERO_POINTS = (10.0, 40.0)
"""AB zero points that can be meant; 0 is a header's way of saying that there is none."""

NOT_LIGHT = ("PSF", "RMS", "FLAG", "FLG", "MASK", "WHT", "WEIGHT", "BKG")
"""Ends of the names of extensions that belong to a band but are not its image."""


def band_in(text: str) -> str | None:
    """The Euclid band that a FILTER or a file name means; None where none or several are named."""
    text = text.upper().strip()
    if text in ("Y", "J", "H"):
        return text
    found = set(re.findall(r"(?<![A-Z0-9])(?:VIS|(?:NIR|NISP)[-_ ]?[YJH])(?![A-Z0-9])", text))
    bands = {name if name == "VIS" else name[-1] for name in found}
    return bands.pop() if len(bands) == 1 else None


def load(path: Path, band_name: str) -> tuple[NDArray[Any], NDArray[Any] | None, fits.Header, str]:
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


def zero_point_of(header: fits.Header, given: float | None, where: str) -> float:
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


def coordinates(header: fits.Header, where: str) -> WCS | None:
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
