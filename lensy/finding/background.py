"""Background of a real frame: how its noise is measured, drawn and put where there are no data.

The noise of a mosaic is correlated, because its pixels were resampled. What fills a hole or pads a
small frame must look the same, or a network that has learned noise takes notice of the seam.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, gaussian_filter

from lensy.errors import LensyError
from lensy.values import Image, Mask

BLOCK = 20
"""Side (pixels) of the blocks in which noise is measured: no galaxy outside fills the emptiest."""

MAX_CORRELATION = 0.7
"""Largest correlation of neighbours that a kernel of three pixels can give (0.707)."""


@dataclass(frozen=True)
class Noise:
    """Background of a frame: level and standard deviation (nJy), correlation of neighbours."""

    level: float
    sigma: float
    correlation: float

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Image:
        """Noise about 0, (y, x) in nJy: white noise under the kernel (a, 1, a) on both axes.

        Its neighbours correlate by 2 a / (1 + 2 a^2), which is solved for a.
        """
        wanted = float(np.clip(self.correlation, -MAX_CORRELATION, MAX_CORRELATION))
        a = (1 - np.sqrt(1 - 2 * wanted**2)) / (2 * wanted) if wanted else 0.0
        kernel = np.array([a, 1.0, a]) / np.sqrt(1 + 2 * a**2)
        noise = rng.normal(0.0, self.sigma, (shape[0] + 2, shape[1] + 2))
        for axis in (0, 1):
            noise = convolve1d(noise, kernel, axis=axis)
        return np.asarray(noise[1:-1, 1:-1], np.float32)


def measure_noise(flux: Image, mask: Mask, *, where: str = "The image") -> Noise:
    """Background of a frame (y, x) in nJy from the emptier half of its blocks of 20x20 pixels.

    Medians resist what light is left in them; pixels beyond 3 sigma are left out of the
    correlation. Raises LensyError where no block has data in a quarter of its pixels.
    """
    blocks = _blocks(np.where(mask, np.nan, flux))
    blocks = blocks[np.isfinite(blocks).mean(axis=(1, 2)) >= 0.25]
    if not len(blocks):
        raise LensyError(
            f"{where} has data in {int((~mask).sum())} of {mask.size} pixels, too few to search "
            "(NaN, 0 and RMS of 1e16 mean no data): take a cutout elsewhere."
        )
    levels = np.nanmedian(blocks, axis=(1, 2))
    emptier = levels <= np.median(levels)
    rest = blocks[emptier] - levels[emptier, None, None]
    sigma = 1.4826 * float(np.nanmedian(np.abs(rest)))
    rest[np.abs(rest) > 3 * sigma] = np.nan
    pairs = [rest[:, 1:] * rest[:, :-1], rest[:, :, 1:] * rest[:, :, :-1]]
    products = np.concatenate([pair[np.isfinite(pair)] for pair in pairs])
    correlation = products.mean() / np.nanmean(rest**2) if sigma and products.size else 0.0
    return Noise(float(np.median(levels[emptier])), sigma, float(correlation))


def _blocks(image: NDArray[Any], n_most: int = 1000) -> NDArray[np.float64]:
    """Square pieces (n, y, x) of an image; evenly spread ones where there are very many."""
    height, width = (min(BLOCK, n) for n in image.shape)
    n_y, n_x = image.shape[0] // height, image.shape[1] // width
    whole = image[: n_y * height, : n_x * width].reshape(n_y, height, n_x, width)
    pieces = whole.swapaxes(1, 2).reshape(-1, height, width)
    return np.asarray(pieces[:: -(-len(pieces) // n_most)], np.float64)


def fill(flux: Image, mask: Mask, noise: Noise, rng: np.random.Generator) -> Image:
    """`flux` with masked pixels replaced by the level around them and noise of the frame's kind.

    The level is that of the pixels within about 5 pixels; farther in, that of the background.
    """
    if not mask.any():
        return flux
    reach, doubt = 3.0, 0.05
    light = np.where(mask, 0.0, flux - noise.level).astype(np.float32)
    weight = gaussian_filter((~mask).astype(np.float32), reach) + doubt
    level = noise.level + gaussian_filter(light, reach) / weight
    return np.where(mask, level + noise.draw(flux.shape, rng), flux).astype(np.float32)


def seed_from(flux: Image) -> np.random.Generator:
    """A generator that the pixels themselves seed: the same file gives the same noise."""
    digest = hashlib.sha256(np.ascontiguousarray(flux).tobytes()).digest()
    return np.random.default_rng(list(digest))
