"""Colour pictures: VIS for the sharpness, NISP for the colour.

A display and no data: no network sees it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, zoom

from lensy.bands import Band, band
from lensy.errors import LensyError

WEIGHTS = {"H": 0.6, "Y": 0.85, "VIS": 1.5}
"""Flux per band in red, green and blue: an elliptical at redshift 0.1 is about white, one at 0.6
orange, a young galaxy blue. Chosen by eye."""

SOFTENING = 10.0
"""Flux per VIS pixel (nJy), five times its noise, below which brightness is linear and colour
fades to grey."""


def colour_composite(
    vis: ArrayLike, y: ArrayLike, h: ArrayLike, *, peak: float = 0.0
) -> NDArray[np.float64]:
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
    picture: NDArray[np.float64] = np.clip(hue * brightness[..., None], 0.0, 1.0)
    return picture


def enlarged(image: ArrayLike, band_of_image: Band) -> NDArray[np.float64]:
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
    wide: NDArray[np.float64] = np.pad(larger, rim, mode="edge")
    return wide
