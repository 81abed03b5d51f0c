"""What a network should learn from an example: label, target image, masks, boxes.

Everything is derived from the noiseless layers that also make the image, so that picture and
answer cannot disagree.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lensy.bands import Band
from lensy.detector import noise_sigma
from lensy.errors import LensyError

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint32]

LEAST_MAGNIFICATION = 1.6
"""A lens magnifies more than this. Source: Wilde et al. 2022, section 2."""

LEAST_LENSED_PIXELS = 20
"""A lens shows more lensed pixels above the noise than this. Source: as above."""

PERCENTILES = (95.0, 99.0, 99.5)
"""Mask thresholds of the talk's Mask R-CNNs: the brightest 5, 1 and 0.5 % of all pixels of an
object's own noiseless light, however bright it is."""


def lensed_pixels(arc: Image, band: Band) -> Mask:
    """Where the lensed light exceeds the noise of an empty pixel, (y, x)."""
    return np.asarray(arc > band.background_sigma)


def is_lens(magnification: float, n_lensed_pixels: int) -> bool:
    """The label: magnified by more than 1.6 and more than 20 pixels above the noise.

    Source: the rule of Wilde et al. 2022, section 2.
    """
    return magnification > LEAST_MAGNIFICATION and n_lensed_pixels > LEAST_LENSED_PIXELS


def arc_signal_to_noise(arc: Image, image: Image, band: Band) -> float:
    """Signal-to-noise of the lensed light for an observer who knows its shape exactly.

    arc, image: noiseless (y, x) in nJy; `image` holds all light, whose photons are noise too.
    """
    return float(np.sqrt(np.sum((arc / noise_sigma(image, band)) ** 2, dtype=np.float64)))


def arc_contrast(arc: Image, lens_light: Image, band: Band) -> float:
    """Flux of lensed light over flux of the lens galaxy where the former exceeds the noise.

    0 where no pixel does.
    """
    where = lensed_pixels(arc, band)
    if not where.any():
        return 0.0
    return float(arc[where].sum(dtype=np.float64) / lens_light[where].sum(dtype=np.float64))


def n_mask_pixels(percentile: float, n_pixels: int) -> int:
    """Pixels that a percentile mask keeps out of `n_pixels`: 5 % of 40 000 are 2000."""
    if not 0 <= percentile < 100:
        raise LensyError(f"A mask percentile lies from 0 to below 100, not at {percentile}.")
    return round(n_pixels * (100.0 - percentile) / 100.0)


def percentile_mask(light: Image, percentile: float) -> Mask:
    """The brightest pixels of one object's noiseless light, as many as the percentile leaves.

    light: (y, x). An object without light has an empty mask.
    Source: derived from the published panels, whose masks all have 200 pixels of 40 000.
    """
    mask = np.zeros(light.size, bool)
    mask[_brightest_first(light, n_mask_pixels(percentile, light.size))] = True
    return mask.reshape(light.shape)


def mask_rings(light: Image) -> list[Pixels]:
    """Pixels of the three nested percentile masks as rings, innermost (99.5) first.

    Flat indices in ascending order. The mask at a percentile is the union of the rings up to it.
    """
    counts = [n_mask_pixels(p, light.size) for p in sorted(PERCENTILES, reverse=True)]
    pixels = _brightest_first(light, counts[-1])
    edges = [0, *counts]
    return [np.sort(pixels[a:b]) for a, b in pairwise(edges)]


def _brightest_first(light: Image, count: int) -> Pixels:
    """Flat indices of the `count` brightest pixels that have light, brightest first."""
    flat = light.ravel()
    first = flat.size - count
    pixels = np.argpartition(flat, max(first - 1, 0))[first:].astype(np.uint32)
    pixels = pixels[flat[pixels] > 0]
    return pixels[np.lexsort((pixels, -flat[pixels]))]


def bounding_box(mask: Mask) -> tuple[int, int, int, int] | None:
    """Tight box (x0, y0, x1, y1) around a mask, half-open; None around an empty one."""
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
