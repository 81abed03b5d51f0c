"""torch data sets over the store: random crops with fresh noise to train on, whole frames to test.

Training item k is a function of (seed, k) and the stored layers alone, so that a run resumed after
a kill sees what it would have seen.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lensy.artefacts import Instrument, expose
from lensy.bands import band
from lensy.errors import LensyError
from lensy.simulate import Split
from lensy.store import DataSet

Image = NDArray[np.float32]

ANYWHERE = 0.2
"""Share of crops placed anywhere; the others hold the candidate galaxy."""


class Item(TypedDict):
    """One image (1, y, x) in nJy, its lensed light without noise, and the label."""

    image: Tensor
    target: Tensor
    label: Tensor


class Frames(Dataset[Item]):
    """Whole frames of a split with their frozen noise, the first `limit` of them."""

    def __init__(
        self, data: DataSet, split: Split, band_name: str, *, limit: int | None = None
    ) -> None:
        self.data = data
        self.split = split
        self.band_name = band_name
        self.labels = data.labels(split)[:limit]
        if not len(self.labels):
            raise LensyError(f"{data.folder} has no examples in {split!r}.")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Item:
        image = self.data.observed(self.split, index, self.band_name)
        arc = self.data.layers(self.split, index, self.band_name)[1]
        return {
            "image": torch.from_numpy(image[None]),
            "target": torch.from_numpy(arc[None]),
            "label": torch.tensor(bool(self.labels[index])),
        }


class Crops(Dataset[Item]):
    """Square crops of training examples: placed, turned, mirrored and given noise at random.

    instrument: artefacts to put on; those of the data's recipe where none is given.
    size: pixels on a side. start, count: items start .. start + count - 1 of the endless sequence
    that `seed` defines; it runs through all examples in a new order each time.
    """

    def __init__(
        self,
        data: DataSet,
        band_name: str,
        *,
        size: int,
        seed: int,
        start: int,
        count: int,
        instrument: Instrument | None = None,
    ) -> None:
        self.data = data
        self.instrument = instrument or data.recipe.instrument
        self.band_name = band_name
        self.size = size
        self.seed = seed
        self.start = start
        self.count = count
        catalogue = data.catalogue("train")
        if not len(catalogue):
            raise LensyError(f"{data.folder} has no training examples: make one that has.")
        n_pixels, scale = band(band_name).n_pixels, band(band_name).pixel_scale
        if not 16 <= size <= n_pixels:
            raise LensyError(f"Crops have from 16 to {n_pixels} pixels on a side, not {size}.")
        centre = np.stack([catalogue["y"].data, catalogue["x"].data], axis=1)
        self.centres = centre / scale + 0.5 * (n_pixels - 1)
        self.labels = np.asarray(catalogue["is_lens"], bool)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < self.count:
            raise IndexError(index)
        number = self.start + index
        rng = np.random.default_rng([self.seed, number])
        example = self._example(number)
        layers, corner = self._cropped(example, rng)
        mirrored, n_turns = rng.random() < 0.5, int(rng.integers(4))
        image = expose(
            layers.sum(axis=0, dtype=np.float32),
            band(self.band_name),
            rng,
            artefacts=self.instrument.draw(rng),
            instrument=self.instrument,
            corner=corner,
        ).image
        both = np.stack([image, layers[1]])
        if mirrored:
            both = both[:, :, ::-1]
        both = np.rot90(both, n_turns, axes=(1, 2)).copy()
        return {
            "image": torch.from_numpy(both[:1]),
            "target": torch.from_numpy(both[1:]),
            "label": torch.tensor(bool(self.labels[example])),
        }

    def _example(self, number: int) -> int:
        turn, place = divmod(number, len(self.labels))
        if getattr(self, "_turn", None) != turn:
            self._turn = turn
            # a third number keeps this generator apart from the items' own
            self._order = np.random.default_rng([self.seed, turn, 1]).permutation(len(self.labels))
        return int(self._order[place])

    def _cropped(self, example: int, rng: np.random.Generator) -> tuple[Image, tuple[int, int]]:
        """Layers of a crop, (3, y, x), and the frame's pixel at its corner (row, column)."""
        frame = self.data.layers("train", example, self.band_name)
        last = frame.shape[-1] - self.size
        if rng.random() < ANYWHERE:
            row, column = rng.integers(0, last + 1, 2)
        else:
            inside = rng.uniform(0.2, 0.8, 2) * self.size
            corner = np.rint(self.centres[example] - inside).astype(int)
            row, column = np.clip(corner, 0, last)
        crop = frame[:, row : row + self.size, column : column + self.size]
        return crop, (int(row), int(column))
