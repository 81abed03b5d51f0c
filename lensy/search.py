"""Search a frame with a network: windows, their stitched output, and its brightest places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter
from tqdm import tqdm

from lensy.background import Image, Mask
from lensy.bands import band
from lensy.metrics import brightest_mean
from lensy.models.naberrie import Naberrie

Floats = NDArray[np.float64]

SIDE = band("VIS").n_pixels
"""Side of a window in pixels: the frames that the network was trained for."""

STRIDE = SIDE // 2
"""Pixels from window to window: all but the frame's rim is 50 pixels deep in some window."""

RADIUS = 50
"""Radius (pixels) in which a candidate's light is collected, 5 arcsec: twice the largest Einstein
radius that is simulated, so that both ends of an image pair are in it."""

GUARD = 3
"""Pixels from a hole, padding or the border on which no candidate may stand: edges are not arcs."""

BATCH = 8


@dataclass(frozen=True)
class Place:
    """A place on the network's output and its score.

    peak: its brightest pixel (y, x). part: the rectangle around it. disc: its pixels in `part`.
    """

    peak: tuple[int, int]
    part: tuple[slice, slice]
    disc: Mask
    score: float


def searchable(mask: Mask) -> Mask:
    """Pixels (y, x) on which a candidate may stand, given those without data."""
    barred = np.pad(mask, 1, constant_values=True)
    barred = binary_dilation(barred, np.ones((3, 3), bool), iterations=GUARD)
    return np.asarray(~barred[1:-1, 1:-1])


def window_starts(n_pixels: int) -> list[int]:
    """First pixels of the windows along an axis; the last window ends flush with the frame."""
    return sorted({*range(0, n_pixels - SIDE, STRIDE), n_pixels - SIDE})


@torch.inference_mode()
def stitched_output(model: Naberrie, flux: Image, *, progress: bool = False) -> Image:
    """The network's output for a frame (y, x) in nJy of at least a window's size.

    Each pixel is taken from the window in which it lies deepest; the frame's own border does not
    count as a window's, as there is nothing beyond.
    """
    output = np.zeros(flux.shape, np.float32)
    deepest = np.full(flux.shape, -1.0)
    corners = [(y, x) for y in window_starts(flux.shape[0]) for x in window_starts(flux.shape[1])]
    batches = [corners[i : i + BATCH] for i in range(0, len(corners), BATCH)]
    for batch in tqdm(batches, desc="windows", leave=False, disable=not progress):
        windows = [flux[y : y + SIDE, x : x + SIDE] for y, x in batch]
        painted = model(torch.from_numpy(np.stack(windows)[:, None]))[:, 0].numpy()
        for (y, x), window in zip(batch, painted, strict=True):
            part = np.s_[y : y + SIDE, x : x + SIDE]
            depth = np.minimum.outer(_depth(y, flux.shape[0]), _depth(x, flux.shape[1]))
            deeper = depth > deepest[part]
            output[part][deeper] = window[deeper]
            deepest[part][deeper] = depth[deeper]
    return output


def _depth(start: int, n_pixels: int) -> Floats:
    """Pixels from each pixel of a window to the window's ends that are not the frame's."""
    here = np.arange(SIDE, dtype=np.float64)
    before = here if start > 0 else np.full(SIDE, np.inf)
    after = here[::-1] if start + SIDE < n_pixels else np.full(SIDE, np.inf)
    return np.asarray(np.minimum(before, after))


def bright_places(output: Image, usable: Mask, n_brightest: int, threshold: float) -> list[Place]:
    """Places on the output (y, x), brightest first; no pixel belongs to two of them.

    The brightest pixel of the lightly smoothed output is taken with its disc, then the next one,
    as long as some pixel left reaches the threshold: a mean of pixels below it cannot. There is
    always at least one place where there is a usable pixel.
    """
    smooth = gaussian_filter(np.where(usable, output, 0.0), 1.0)
    smooth[~usable] = -np.inf
    left = np.where(usable, output, -np.inf)
    places: list[Place] = []
    while np.isfinite(left).any() and (not places or left.max() >= threshold):
        at = np.unravel_index(np.argmax(smooth), smooth.shape)
        part, disc = disc_around((int(at[0]), int(at[1])), smooth.shape)
        disc &= np.isfinite(left[part])
        score = mean_of_brightest(output[part][disc], n_brightest)
        places.append(Place((int(at[0]), int(at[1])), part, disc, score))
        smooth[part][disc] = left[part][disc] = -np.inf
    return places


def disc_around(peak: tuple[int, int], shape: tuple[int, ...]) -> tuple[tuple[slice, slice], Mask]:
    """The part of a frame around a pixel, and which of its pixels are within RADIUS."""
    (y0, x0), (n_y, n_x) = peak, shape
    rows = slice(max(0, y0 - RADIUS), min(n_y, y0 + RADIUS + 1))
    columns = slice(max(0, x0 - RADIUS), min(n_x, x0 + RADIUS + 1))
    y, x = np.ogrid[rows, columns]
    return (rows, columns), np.asarray((y - y0) ** 2 + (x - x0) ** 2 <= RADIUS**2)


def mean_of_brightest(values: NDArray[Any], n_brightest: int) -> float:
    """Mean of the `n_brightest` of some output values (k,); values that lack count as no light."""
    padded = np.pad(values, (0, max(0, n_brightest - values.size)))
    return float(brightest_mean(padded[None], n_brightest)[0])


def centroid(light: Image, place: Place, n_brightest: int) -> tuple[float, float]:
    """Flux-weighted mean position (x, y) of the brightest pixels of a place.

    light: (y, x) in nJy. Only the pixels that make the score count: faint light and noise all over
    the disc would draw the mean to its middle. The peak where there is no light.
    """
    weights = np.clip(np.where(place.disc, light[place.part], 0.0), 0.0, None).astype(np.float64)
    n_fainter = max(0, weights.size - n_brightest)
    weights[weights < np.partition(weights, n_fainter, axis=None)[n_fainter]] = 0.0
    if not weights.any():
        return float(place.peak[1]), float(place.peak[0])
    y, x = np.mgrid[place.part]
    return float(np.average(x, weights=weights)), float(np.average(y, weights=weights))
