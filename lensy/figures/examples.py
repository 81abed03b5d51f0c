"""Examples of a data set as pictures to look at: in a band, in colour, or their lensed light."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Row
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter, zoom

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.figures.images import View
from lensy.telescope.bands import Band, band
from lensy.values import Floats

WEIGHTS = {"H": 0.6, "Y": 0.85, "VIS": 1.5}
"""Flux per band in red, green and blue: an elliptical at redshift 0.1 is about white, one at 0.6
orange, a young galaxy blue. Chosen by eye."""

SOFTENING = 10.0
"""Flux per VIS pixel (nJy), five times its noise, below which brightness is linear and colour
fades to grey."""


def close_up(
    data: DataSet, row: Row, what: str, *, half_width: float = 3.5, title: str = ""
) -> View:
    """The surroundings of an example's candidate as a picture.

    row: of the catalogue. what: a band's name, "colour", or "lensed light", which is that in VIS
    without noise. half_width: arcsec from the candidate to the picture's edge.
    """
    centre = (float(row["x"]), float(row["y"]))
    return _view(data, row, what, centre=centre, half_width=half_width, title=title)


def whole_frame(data: DataSet, row: Row, what: str, *, mark: float = 0.0, title: str = "") -> View:
    """The frame of an example as a picture, as `close_up`.

    mark: half the side (arcsec) of a square drawn around the candidate; none where it is 0.
    """
    half_width = 0.5 * band("VIS").field_of_view
    box = (float(row["x"]), float(row["y"]), mark) if mark else None
    return _view(data, row, what, centre=(0.0, 0.0), half_width=half_width, title=title, box=box)


def _view(
    data: DataSet,
    row: Row,
    what: str,
    *,
    centre: tuple[float, float],
    half_width: float,
    **shown: Any,
) -> View:
    """A picture whose brightest pixel within `half_width` arcsec of `centre` is shown brightest."""
    split, index = row["split"], int(row["index"])
    of = band("VIS" if what in ("colour", "lensed light") else what)
    if what == "lensed light":
        image = data.lensed_light(split, index, "VIS")
    else:
        image = data.observed(split, index, of.name)
    near = [
        abs((np.arange(n) + 0.5 - n / 2) * of.pixel_scale - middle) < half_width
        for n, middle in zip(image.shape, reversed(centre), strict=True)
    ]
    peak = float(image[np.ix_(*near)].max())
    picture: ArrayLike = image
    if what == "colour":
        others = (data.observed(split, index, name) for name in ("Y", "H"))
        picture = colour_composite(image, *others, peak=peak)
    shown |= {"pixel_scale": of.pixel_scale, "sigma": of.background_sigma, "peak": peak}
    return View(picture, centre=centre, half_width=half_width, **shown)


def colour_composite(vis: ArrayLike, y: ArrayLike, h: ArrayLike, *, peak: float = 0.0) -> Floats:
    """A picture (y, x, rgb) in 0 to 1 on the VIS grid: H is red, Y green, VIS blue.

    vis, y, h: frames (y, x) in nJy. peak: flux (nJy) in VIS shown brightest; the image's own
    maximum where it is 0.
    Brightness is arcsinh of VIS as it is. Colours compare NISP, enlarged three times, with VIS
    blurred as much as H, so that a sharper blue does not draw a blue core in each galaxy.
    """
    vis = np.asarray(vis, np.float64)
    sharp, blurred = band("VIS"), band("H")
    further = np.sqrt(blurred.psf_sigma**2 - sharp.psf_sigma**2) / sharp.pixel_scale
    colours = {
        "H": enlarged(h, band("H")),
        "Y": enlarged(y, band("Y")),
        "VIS": gaussian_filter(vis, further),
    }
    light = np.stack([weight * colours[name] for name, weight in WEIGHTS.items()], axis=-1)
    light = np.maximum(light, 0.0) + SOFTENING
    hue = light / light.mean(axis=-1, keepdims=True)
    top = np.arcsinh((peak or max(float(vis.max()), 5 * SOFTENING)) / SOFTENING)
    brightness = np.arcsinh(np.maximum(vis + sharp.background_sigma, 0.0) / SOFTENING) / top
    picture: Floats = np.clip(hue * brightness[..., None], 0.0, 1.0)
    return picture


def enlarged(image: ArrayLike, band_of_image: Band) -> Floats:
    """A NISP frame on the VIS grid, nJy per VIS pixel, linear between pixel centres.

    Raises LensyError where the image has not the shape of the band's frame.
    """
    image = np.asarray(image, np.float64)
    if image.shape != band_of_image.shape:
        raise LensyError(
            f"A frame of {band_of_image.name} has the shape {band_of_image.shape}, not "
            f"{image.shape}: give whole frames."
        )
    vis = band("VIS")
    factor = round(band_of_image.pixel_scale / vis.pixel_scale)
    larger = zoom(image, factor, order=1, grid_mode=True, mode="nearest") / factor**2
    rim = (vis.n_pixels - larger.shape[0]) // 2
    wide: Floats = np.pad(larger, rim, mode="edge")
    return wide
