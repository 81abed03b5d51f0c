"""Images of one band on the pixels of another."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.ndimage import zoom

from lensy.telescope.bands import Band, band
from lensy.values import Image


def on_grid_of(
    image: Image,
    band_name: Band | str,
    target: Band | str,
    part: tuple[slice, slice] = (slice(None), slice(None)),
) -> Image:
    """An image (y, x) of one band on the pixels of another band's frame, still per own pixel.

    Onto finer pixels, bilinear between pixel centres; the outermost pixels, half a pixel and less
    beyond the frame, are repeated. Onto coarser ones, the mean of all that lie in each. So the
    predecessor's OU-200 has NISP frames, and its OU-66 those of VIS.
    part: what part of the target's frame that is wanted.
    """
    if band(band_name).shape == band(target).shape:
        return image[part]
    weights = _interpolation(band_name, target)
    rows, columns = (weights[each] for each in part)
    return np.asarray(rows @ image @ columns.T)


@cache
def _interpolation(band_name: Band | str, target: Band | str) -> Image:
    """Weight of each pixel of a band along an axis (second) in each of the target's (first)."""
    own, wanted = band(band_name), band(target)
    if own.pixel_scale < wanted.pixel_scale:
        n = round(wanted.pixel_scale / own.pixel_scale)
        rim = (own.n_pixels - n * wanted.n_pixels) // 2
        mean = np.repeat(np.eye(wanted.n_pixels), n, axis=1) / n
        return np.pad(mean, ((0, 0), (rim, rim))).astype(np.float32)
    n = round(own.pixel_scale / wanted.pixel_scale)
    finer = zoom(np.eye(own.n_pixels), (n, 1), order=1, mode="nearest", grid_mode=True)
    rim = (wanted.n_pixels - finer.shape[0]) // 2
    return np.pad(finer, ((rim, rim), (0, 0)), mode="edge").astype(np.float32)
