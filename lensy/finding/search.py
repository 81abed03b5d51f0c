"""Search a frame with a network: windows, their stitched output, and its brightest places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter
from torch import Tensor
from tqdm import tqdm

from lensy.errors import LensyError
from lensy.finding.cutouts import Cutout
from lensy.metrics.ranking import brightest_mean
from lensy.provenance import whole_file
from lensy.telescope.bands import band
from lensy.values import Floats, Image, Mask

RADIUS = 5.0
"""Radius (arcsec) in which a candidate's light is collected: twice the largest Einstein radius that
is simulated, so that both ends of an image pair are in it."""

GUARD = 3
"""Pixels from a hole, padding or the border on which no candidate may stand: edges are not arcs."""

BATCH = 8


@dataclass(frozen=True)
class Window:
    """What a network sees at a time, in pixels of its band.

    side: of a window, that of the frames it was trained for. radius: RADIUS.
    """

    side: int
    radius: int

    @classmethod
    def of(cls, band_name: str) -> Window:
        """The window of a band's networks."""
        return cls(band(band_name).n_pixels, round(RADIUS / band(band_name).pixel_scale))

    @cached_property
    def stride(self) -> int:
        """Pixels from window to window: all but the frame's rim is 5 arcsec deep in some window."""
        return self.side // 2

    def starts(self, n_pixels: int) -> list[int]:
        """First pixels of the windows along an axis; the last one ends flush with the frame."""
        return sorted({*range(0, n_pixels - self.side, self.stride), n_pixels - self.side})

    def around(self, place: int, n_pixels: int) -> slice:
        """The window along an axis whose middle is nearest to a pixel."""
        start = int(np.clip(place - self.side // 2, 0, n_pixels - self.side))
        return slice(start, start + self.side)


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


@torch.inference_mode()
def stitched_output(
    model: Callable[[Tensor], Tensor], flux: Image, window: Window, *, progress: bool = False
) -> Image:
    """A network's output for a frame (y, x) in nJy of at least a window's size.

    model: from images (batch, 1, y, x) to pictures of them, likewise. Each pixel is taken from the
    window in which it lies deepest; the frame's own border does not count as a window's, as there
    is nothing beyond.
    """
    output = np.zeros(flux.shape, np.float32)
    deepest = np.full(flux.shape, -1.0)
    side = window.side
    starts = [window.starts(n) for n in flux.shape]
    corners = [(y, x) for y in starts[0] for x in starts[1]]
    batches = [corners[i : i + BATCH] for i in range(0, len(corners), BATCH)]
    for batch in tqdm(batches, desc="windows", leave=False, disable=not progress):
        windows = [flux[y : y + side, x : x + side] for y, x in batch]
        painted = model(torch.from_numpy(np.stack(windows)[:, None]))[:, 0].numpy()
        for (y, x), picture in zip(batch, painted, strict=True):
            part = np.s_[y : y + side, x : x + side]
            depth = np.minimum.outer(_depth(y, flux.shape[0], side), _depth(x, flux.shape[1], side))
            deeper = depth > deepest[part]
            output[part][deeper] = picture[deeper]
            deepest[part][deeper] = depth[deeper]
    return output


def _depth(start: int, n_pixels: int, side: int) -> Floats:
    """Pixels from each pixel of a window to the window's ends that are not the frame's."""
    here = np.arange(side, dtype=np.float64)
    before = here if start > 0 else np.full(side, np.inf)
    after = here[::-1] if start + side < n_pixels else np.full(side, np.inf)
    return np.asarray(np.minimum(before, after))


def bright_places(
    output: Image, usable: Mask, n_brightest: int, threshold: float, radius: int
) -> list[Place]:
    """Places on the output (y, x), brightest first; no pixel belongs to two of them.

    The brightest pixel of the lightly smoothed output is taken with its disc, then the next one,
    as long as some pixel left reaches the threshold: a mean of pixels below it cannot. There is
    always at least one place where there is a usable pixel. radius: of a disc, pixels.
    """
    smooth = gaussian_filter(np.where(usable, output, 0.0), 1.0)
    smooth[~usable] = -np.inf
    left = np.where(usable, output, -np.inf)
    places: list[Place] = []
    while np.isfinite(left).any() and (not places or left.max() >= threshold):
        at = np.unravel_index(np.argmax(smooth), smooth.shape)
        part, disc = disc_around((int(at[0]), int(at[1])), smooth.shape, radius)
        disc &= np.isfinite(left[part])
        score = mean_of_brightest(output[part][disc], n_brightest)
        places.append(Place((int(at[0]), int(at[1])), part, disc, score))
        smooth[part][disc] = left[part][disc] = -np.inf
    return places


def disc_around(
    peak: tuple[int, int], shape: tuple[int, ...], radius: int
) -> tuple[tuple[slice, slice], Mask]:
    """The part of a frame around a pixel, and which of its pixels are within a radius."""
    (y0, x0), (n_y, n_x) = peak, shape
    rows = slice(max(0, y0 - radius), min(n_y, y0 + radius + 1))
    columns = slice(max(0, x0 - radius), min(n_x, x0 + radius + 1))
    y, x = np.ogrid[rows, columns]
    return (rows, columns), np.asarray((y - y0) ** 2 + (x - x0) ** 2 <= radius**2)


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


EDGE = 2.5
"""Distance (arcsec) from the border within which a candidate is flagged: a ring may be cut."""


def usable_pixels(cutout: Cutout, band_name: str) -> Mask:
    """Pixels (y, x) on which a candidate may stand, for a network that sees a band.

    Raises LensyError for a cutout of another band, or where there is no such pixel.
    """
    if cutout.band != band_name:
        raise LensyError(f"The network sees band {band_name}, not {cutout.band}.")
    usable = searchable(cutout.mask)
    if not usable.any():
        raise LensyError(
            f"{cutout.path} has no pixel farther than {GUARD} pixels from its border and from "
            "pixels without data: take a larger cutout."
        )
    return usable


PAGE_SIDE = 12.0
"""Side (arcsec) of what an inspection page shows of a candidate's surroundings."""


def surroundings(cutout: Cutout, x: float, y: float) -> tuple[slice, slice]:
    """The part of a cutout's pixels around a position of its file, for an inspection page.

    As near to the position as the frame's border allows; around the middle for a position of NaN.
    """
    n = round(PAGE_SIDE / band(cutout.band).pixel_scale)
    column, row = cutout.place(x, y)
    parts = []
    for place, n_pixels in zip((row, column), cutout.flux.shape, strict=True):
        middle = 0.5 * n_pixels if np.isnan(place) else place
        start = int(np.clip(round(middle - 0.5 * n), 0, max(0, n_pixels - n)))
        parts.append(slice(start, min(start + n, n_pixels)))
    return parts[0], parts[1]


def write_table(table: Table, path: Path) -> None:
    """Write the table as ECSV; the file is whole or not there."""
    with whole_file(path) as temporary:
        table.write(temporary, format="ascii.ecsv")
