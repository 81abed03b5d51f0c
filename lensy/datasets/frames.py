"""torch data sets over the store: random crops with fresh noise to train on, whole frames to test.

Training item k is a function of (seed, k) and the stored layers alone, so that a run resumed after
a kill sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.simulation.recipe import Split
from lensy.simulation.render import LENSED_LIGHT
from lensy.telescope.artefact import Artefact
from lensy.telescope.bands import Band, band
from lensy.telescope.instrument import Exposure, Instrument, expose
from lensy.telescope.regrid import on_grid_of
from lensy.values import Columns, Image


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
        arc = self.data.lensed_light(self.split, index, self.bands[0])
        return {
            "image": torch.from_numpy(np.stack(images)),
            "target": torch.from_numpy(arc[None]),
            "spoilt": torch.from_numpy(seen[0].spoilt[None].astype(np.float32)),
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
        crop, corner = self._crop(example, rng)
        mirrored, n_turns = rng.random() < 0.5, int(rng.integers(4))
        artefacts = self.instrument.draw(rng)
        first, *others = self.bands
        layers = self.data.layers("train", example, first)[:, *crop]
        own = self._exposed(layers, first, artefacts, corner, rng)
        images = [own.image]
        for name in others:
            whole = self.data.layers("train", example, name)
            seen = self._exposed(whole, name, artefacts, (0, 0), rng)
            images.append(on_grid_of(seen.image, name, first, crop))
        stack = np.stack([*images, layers[LENSED_LIGHT], own.spoilt.astype(np.float32)])
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

    def _crop(
        self, example: int, rng: np.random.Generator
    ) -> tuple[tuple[slice, slice], tuple[int, int]]:
        """The part of the frame that a crop shows, and the pixel at its corner (row, column)."""
        n_pixels = band(self.bands[0]).n_pixels
        row, column = crop_corner(rng, self.centres[example], self.size, n_pixels)
        return np.s_[row : row + self.size, column : column + self.size], (row, column)


PER_BAND = (
    "lens_magnitude",
    "source_magnitude",
    "arc_signal_to_noise",
    "arc_contrast",
)

CATALOGUE_COLUMNS = ("einstein_radius", "magnification", "has_source", "kind")


def example_columns(data: DataSet, band_name: str, split: Split = "test") -> Columns:
    """What each example of a split is, in the order of the scores, single precision.

    Magnitudes, signal-to-noise and contrast are those of the band, without its name.
    """
    catalogue = data.catalogue(split)
    names = {f"{name}_{band_name}": name for name in PER_BAND}
    names |= {name: name for name in CATALOGUE_COLUMNS}
    return {short: np.asarray(catalogue[name]) for name, short in names.items()}


ANYWHERE = 0.2
"""Share of crops placed anywhere; the others hold the candidate galaxy."""


def candidate_pixels(catalogue: Table, where: Band | str) -> NDArray[np.float64]:
    """Where the candidates of a catalogue are in a band's frames, (n, 2): row and column."""
    centre = np.stack([catalogue["y"].data, catalogue["x"].data], axis=1)
    its_band = band(where)
    return np.asarray(centre / its_band.pixel_scale + 0.5 * (its_band.n_pixels - 1))


def crop_corner(
    rng: np.random.Generator, centre: Sequence[float] | ArrayLike, size: int, n_pixels: int
) -> tuple[int, int]:
    """Row and column of the first pixel of a square crop of a frame.

    centre: row and column of the candidate. size, n_pixels: sides of the crop and of the frame.
    """
    last = n_pixels - size
    if rng.random() < ANYWHERE:
        row, column = (int(each) for each in rng.integers(0, last + 1, 2))
    else:
        inside = rng.uniform(0.2, 0.8, 2) * size
        corner = np.clip(np.rint(np.asarray(centre) - inside).astype(int), 0, last)
        row, column = int(corner[0]), int(corner[1])
    return row, column
