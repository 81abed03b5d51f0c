"""Examples of a data set as pictures to look at: in a band, in colour, or their lensed light."""

from __future__ import annotations

import numpy as np
from astropy.table import Row

from lensy.bands import band
from lensy.composites import colour_composite
from lensy.store import DataSet
from lensy.view_figures import View

LENS_LIGHT, LENSED_LIGHT = 0, 1
"""Where a data set keeps them among the layers of an example."""


def close_up(
    data: DataSet, row: Row, what: str, *, half_width: float = 3.5, title: str = ""
) -> View:
    """The surroundings of an example's candidate as a picture.

    row: of the catalogue. what: a band's name, "colour", or "lensed light", which is that in VIS
    without noise. half_width: arcsec from the candidate to the picture's edge.
    """
    centre = (float(row["x"]), float(row["y"]))
    return _view(data, row, what, centre, half_width, title)


def whole_frame(data: DataSet, row: Row, what: str, *, mark: float = 0.0, title: str = "") -> View:
    """The frame of an example as a picture, as `close_up`.

    mark: half the side (arcsec) of a square drawn around the candidate; none where it is 0.
    """
    half_width = 0.5 * band("VIS").field_of_view
    box = (float(row["x"]), float(row["y"]), mark) if mark else None
    return _view(data, row, what, (0.0, 0.0), half_width, title, box)


def _view(
    data: DataSet,
    row: Row,
    what: str,
    centre: tuple[float, float],
    half_width: float,
    title: str,
    box: tuple[float, float, float] | None = None,
) -> View:
    split, index = row["split"], int(row["index"])
    of = band("VIS" if what in ("colour", "lensed light") else what)
    if what == "lensed light":
        image = data.layers(split, index, "VIS")[LENSED_LIGHT]
    else:
        image = data.observed(split, index, of.name)
    peak = float(image[_window(of.pixel_scale, image.shape, centre, half_width)].max())
    if what == "colour":
        y, h = (data.observed(split, index, name) for name in ("Y", "H"))
        image = colour_composite(image, y, h, peak=peak)
    return View(
        image,
        title=title,
        pixel_scale=of.pixel_scale,
        centre=centre,
        half_width=half_width,
        sigma=of.background_sigma,
        peak=peak,
        box=box,
    )


def _window(
    pixel_scale: float, shape: tuple[int, ...], centre: tuple[float, float], half_width: float
) -> tuple[slice, slice]:
    """Rows and columns of a frame within `half_width` arcsec of a place."""
    x, y = centre
    limits = []
    for middle, n_pixels in zip((y, x), shape, strict=True):
        ends = (np.array([middle - half_width, middle + half_width])) / pixel_scale + n_pixels / 2
        first, last = np.clip(np.rint(ends), 0, n_pixels).astype(int)
        limits.append(slice(int(first), int(last)))
    return limits[0], limits[1]
