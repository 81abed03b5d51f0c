"""torch data sets over the store: random crops with fresh noise to train on, whole frames to test.

Training item k is a function of (seed, k) and the stored layers alone, so that a run resumed after
a kill sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom
from torch import Tensor
from torch.utils.data import Dataset

from lensy.artefacts import Artefact, Exposure, Instrument, expose
from lensy.bands import band
from lensy.errors import LensyError
from lensy.simulate import Split
from lensy.store import DataSet
from lensy.windows import candidate_pixels, crop_corner

Image = NDArray[np.float32]


class Item(TypedDict):
    """One image and what should be made of it.

    image: (n_bands, y, x) in nJy. target: (1, y, x), the lensed light of the first band without
    noise. spoilt: (1, y, x), 1 where an artefact spoils a pixel of the first band, otherwise 0.
    label: whether it is a lens.
    """

    image: Tensor
    target: Tensor
    spoilt: Tensor
    label: Tensor


def on_grid_of(
    image: Image,
    band_name: str,
    target: str,
    window: tuple[slice, slice] = (slice(None), slice(None)),
) -> Image:
    """An image (y, x) of one band on the pixels of another band's frame, still per own pixel.

    Onto finer pixels, bilinear between pixel centres; the outermost pixels, half a pixel and less
    beyond the frame, are repeated. Onto coarser ones, the mean of all that lie in each. So the
    predecessor's OU-200 has NISP frames, and its OU-66 those of VIS.
    window: the part of the target's frame that is wanted.
    """
    if band(band_name).shape == band(target).shape:
        return image[window]
    weights = _interpolation(band_name, target)
    rows, columns = (weights[part] for part in window)
    return np.asarray(rows @ image @ columns.T)


@cache
def _interpolation(band_name: str, target: str) -> Image:
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


HARMLESS = ("noise step",)
"""Artefacts that spoil no pixel: where there is more noise than elsewhere, light is still light."""


def _spoilt(exposure: Exposure) -> Image:
    """1 where any artefact spoils a pixel (y, x), otherwise 0."""
    spoilt = np.zeros(exposure.image.shape, np.float32)
    for kind, mask in exposure.masks.items():
        if kind not in HARMLESS:
            spoilt[mask] = 1.0
    return spoilt


class Frames(Dataset[Item]):
    """Whole frames of a split with their frozen noise, the first `limit` of them.

    bands: those of the image; the lensed light of the first is the target. grid: the band on whose
    pixels the image is, the first one unless given. instrument: another one than the recipe's.
    """

    def __init__(
        self,
        data: DataSet,
        split: Split,
        bands: Sequence[str],
        *,
        grid: str | None = None,
        limit: int | None = None,
        instrument: Instrument | None = None,
    ) -> None:
        self.data = data
        self.instrument = instrument
        self.split = split
        self.bands = tuple(bands)
        self.grid = grid or self.bands[0]
        self.labels = data.labels(split)[:limit]
        if not len(self.labels):
            raise LensyError(f"{data.folder} has no examples in {split!r}.")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Item:
        seen = [self.data.exposure(self.split, index, name, self.instrument) for name in self.bands]
        images = [
            on_grid_of(each.image, name, self.grid)
            for each, name in zip(seen, self.bands, strict=True)
        ]
        arc = self.data.layers(self.split, index, self.bands[0])[1]
        return {
            "image": torch.from_numpy(np.stack(images)),
            "target": torch.from_numpy(arc[None]),
            "spoilt": torch.from_numpy(_spoilt(seen[0])[None]),
            "label": torch.tensor(bool(self.labels[index])),
        }


class Crops(Dataset[Item]):
    """Square crops of training examples: placed, turned, mirrored and given noise at random.

    bands: those of the image, on the grid of the first, whose lensed light is the target.
    instrument: artefacts to put on; those of the data's recipe where none is given.
    size: pixels on a side, of whole frames where None. start, count: items start ..
    start + count - 1 of the endless sequence that `seed` defines; it runs through all examples in a
    new order each time.
    """

    def __init__(
        self,
        data: DataSet,
        bands: Sequence[str],
        *,
        size: int | None,
        seed: int,
        start: int,
        count: int,
        instrument: Instrument | None = None,
    ) -> None:
        self.data = data
        self.instrument = instrument or data.recipe.instrument
        self.bands = tuple(bands)
        self.seed = seed
        self.start = start
        self.count = count
        catalogue = data.catalogue("train")
        if not len(catalogue):
            raise LensyError(f"{data.folder} has no training examples: make one that has.")
        first = band(bands[0])
        self.size = first.n_pixels if size is None else size
        if not 16 <= self.size <= first.n_pixels:
            raise LensyError(
                f"Crops have from 16 to {first.n_pixels} pixels on a side, not {size}."
            )
        self.centres = candidate_pixels(catalogue, first)
        self.labels = np.asarray(catalogue["is_lens"], bool)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < self.count:
            raise IndexError(index)
        number = self.start + index
        rng = np.random.default_rng([self.seed, number])
        example = self._example(number)
        window, corner = self._window(example, rng)
        mirrored, n_turns = rng.random() < 0.5, int(rng.integers(4))
        artefacts = self.instrument.draw(rng)
        first, *others = self.bands
        layers = self.data.layers("train", example, first)[:, *window]
        own = self._exposed(layers, first, artefacts, corner, rng)
        images = [own.image]
        for name in others:
            whole = self.data.layers("train", example, name)
            seen = self._exposed(whole, name, artefacts, (0, 0), rng)
            images.append(on_grid_of(seen.image, name, first, window))
        stack = np.stack([*images, layers[1], _spoilt(own)])
        if mirrored:
            stack = stack[:, :, ::-1]
        stack = np.rot90(stack, n_turns, axes=(1, 2)).copy()
        return {
            "image": torch.from_numpy(stack[:-2]),
            "target": torch.from_numpy(stack[-2:-1]),
            "spoilt": torch.from_numpy(stack[-1:]),
            "label": torch.tensor(bool(self.labels[example])),
        }

    def _exposed(
        self,
        layers: Image,
        band_name: str,
        artefacts: tuple[Artefact, ...],
        corner: tuple[int, int],
        rng: np.random.Generator,
    ) -> Exposure:
        """Layers (3, y, x) with the noise and the artefacts of one exposure, (y, x)."""
        return expose(
            layers.sum(axis=0, dtype=np.float32),
            band(band_name),
            rng,
            artefacts=artefacts,
            instrument=self.instrument,
            corner=corner,
        )

    def _example(self, number: int) -> int:
        turn, place = divmod(number, len(self.labels))
        if getattr(self, "_turn", None) != turn:
            self._turn = turn
            # a third number keeps this generator apart from the items' own
            self._order = np.random.default_rng([self.seed, turn, 1]).permutation(len(self.labels))
        return int(self._order[place])

    def _window(
        self, example: int, rng: np.random.Generator
    ) -> tuple[tuple[slice, slice], tuple[int, int]]:
        """The part of the frame that a crop shows, and the pixel at its corner (row, column)."""
        n_pixels = band(self.bands[0]).n_pixels
        row, column = crop_corner(rng, self.centres[example], self.size, n_pixels)
        return np.s_[row : row + self.size, column : column + self.size], (row, column)
