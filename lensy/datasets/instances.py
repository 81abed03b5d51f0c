"""Frames with their objects as Mask R-CNN wants them: an image, and boxes, masks and classes.

The four networks of the talk differ in data only: which percentile of an object's light its mask
holds, and which classes of objects there are. So do those that we set beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import label as labelled
from torch import Tensor
from torch.utils.data import Dataset

from lensy.datasets.frames import candidate_pixels, crop_corner
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.simulation import targets
from lensy.simulation.recipe import BandName, Split
from lensy.simulation.targets import Role
from lensy.telescope.bands import band
from lensy.telescope.instrument import Exposure, Instrument, expose

BAND: BandName = "VIS"
"""Masks are those of VIS."""

LENS = 1
"""Number of the class of lensed light in every variant; 0 is the background."""

LEAST_SEEN = 4
"""Pixels that an object has in an image at least: of one that is cut to less, nothing is asked."""

LEAST_PIECE, MOST_PIECES = 10, 20
"""Pixels that a piece of an artefact has at least, and how many of a frame count, the largest."""


@dataclass(frozen=True)
class Variant:
    """What a network is to find.

    percentile: of an object's light that its mask holds, one of `targets.PERCENTILES`. classes: by
    name, the objects of which roles it has; numbered from 1 in this order. Objects of other roles
    are background. shuffled: whether the classes of a frame's objects but the lensed light are
    drawn at random, so that they say nothing: for an experiment. artefacts: whether training images
    have those of real mosaics.
    """

    percentile: float
    classes: dict[str, tuple[Role, ...]]
    shuffled: bool = False
    artefacts: bool = False

    def label(self, role: Role | None) -> int:
        """Number of the class that a role belongs to; 0 for none."""
        return targets.class_number(role, self.classes)


class Objects(TypedDict):
    """The objects of a frame, n of them, none at all included.

    boxes: (n, 4), x and y of the corners in pixels, the second beyond the object. labels: (n,),
    from 1. masks: (n, y, x), 0 or 1.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor


def objects(masks: NDArray[np.bool_], labels: Sequence[int]) -> Objects:
    """The objects of a frame from the masks (object, y, x) and class numbers of all there are.

    Those of class 0 and those of fewer than LEAST_SEEN pixels in the image are left out.
    """
    boxes = [targets.bounding_box(mask) if mask.sum() >= LEAST_SEEN else None for mask in masks]
    kept = [k for k, box in enumerate(boxes) if box is not None and labels[k]]
    return {
        "boxes": torch.tensor([boxes[k] for k in kept], dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor([labels[k] for k in kept], dtype=torch.int64),
        "masks": torch.from_numpy(masks[kept].astype(np.uint8)),
    }


class Instances(Dataset[tuple[Tensor, Objects]]):
    """Frames (1, y, x) in nJy and their objects, the first `limit` of a split.

    seed: where it is given, item k is the frame turned and mirrored at random, with fresh noise and
    artefacts, a function of (seed, k) alone; items beyond the split's end begin it anew. Otherwise
    the frame as it is stored. crop: side in pixels of the square of such an item that is shown, the
    whole frame where None.
    """

    def __init__(
        self,
        data: DataSet,
        split: Split,
        variant: Variant,
        *,
        limit: int | None = None,
        seed: int | None = None,
        start: int = 0,
        count: int | None = None,
        crop: int | None = None,
    ) -> None:
        self.data, self.split, self.variant, self.seed = data, split, variant, seed
        self.crop = band(BAND).n_pixels if crop is None else crop
        self.centres = candidate_pixels(data.catalogue(split), BAND)
        self.labels = data.labels(split)[:limit]
        if not len(self.labels):
            raise LensyError(f"{data.folder} has no examples in {split!r}.")
        self.start = start
        self.count = len(self.labels) if count is None else count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Objects]:
        if not 0 <= index < self.count:
            raise IndexError(index)
        number = self.start + index
        example = number % len(self.labels)
        rng = None if self.seed is None else np.random.default_rng([self.seed, number])
        row, column = 0, 0
        if rng is not None:
            n_pixels = band(BAND).n_pixels
            row, column = crop_corner(rng, self.centres[example], self.crop, n_pixels)
        exposure = self._seen(example, rng, (row, column))
        masks = self.data.masks(self.split, example, self.variant.percentile)
        masks = masks[:, row : row + self.crop, column : column + self.crop]
        labels = self._classes(example, len(masks))
        if artefact := self.variant.label("artefact"):
            found = pieces(exposure.masks)
            masks = np.concatenate([masks, *(piece[None] for piece in found)])
            labels += [artefact] * len(found)
        image = exposure.image
        if rng is not None:
            image, masks = _turned(image, masks, rng)
        return torch.from_numpy(image[None]), objects(masks, labels)

    def lensed_light(self, index: int) -> NDArray[np.bool_]:
        """Where a stored frame's lensed light exceeds the noise of an empty pixel, (y, x)."""
        arc = self.data.lensed_light(self.split, self.start + index, BAND)
        return targets.lensed_pixels(arc, BAND)

    def everything(self, index: int) -> tuple[NDArray[np.bool_], list[Role | None]]:
        """Masks (object, y, x) at the highest percentile and roles of a stored frame's objects.

        Of all of them, whatever the classes. Artefacts, all in one mask, come last.
        """
        example = self.start + index
        masks = self.data.masks(self.split, example, max(targets.PERCENTILES))
        found = targets.roles(bool(self.labels[example]), len(masks))
        spoiled = self.data.exposure(self.split, example, BAND).masks
        if spoiled:
            masks = np.concatenate([masks, np.any(list(spoiled.values()), axis=0)[None]])
            found.append("artefact")
        return masks, found

    def _classes(self, example: int, n_objects: int) -> list[int]:
        """Number of the class of each object."""
        roles = targets.roles(bool(self.labels[example]), n_objects)
        labels = [self.variant.label(each) for each in roles]
        if not self.variant.shuffled:
            return labels
        # the same every time the frame is seen: a wrong label and not a noisy one
        rng = np.random.default_rng([example, len(self.labels)])
        last = len(self.variant.classes)
        return [int(rng.integers(2, last + 1)) if number > LENS else number for number in labels]

    def _seen(
        self, example: int, rng: np.random.Generator | None, corner: tuple[int, int]
    ) -> Exposure:
        """The frame as it is stored, or, with random numbers, a crop with noise and artefacts.

        corner: row and column of the crop's first pixel.
        """
        if rng is None:
            return self.data.exposure(self.split, example, BAND)
        recipe = self.data.recipe
        instrument = Instrument.realistic() if self.variant.artefacts else recipe.instrument
        rows, columns = (slice(first, first + self.crop) for first in corner)
        layers = self.data.layers(self.split, example, BAND)[:, rows, columns]
        light = layers.sum(axis=0, dtype=np.float32)
        artefacts = instrument.draw(rng)
        return expose(
            light, band(BAND), rng, artefacts=artefacts, instrument=instrument, corner=corner
        )


def pieces(masks: Mapping[str, NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Connected pieces (y, x) of artefacts' masks by kind, diagonal neighbours joined.

    Those of fewer than LEAST_PIECE pixels are left out, and all but the MOST_PIECES largest.
    """
    found = []
    for mask in masks.values():
        numbers, n_pieces = labelled(mask, np.ones((3, 3)))
        found += [numbers == k for k in range(1, n_pieces + 1)]
    found = [piece for piece in found if piece.sum() >= LEAST_PIECE]
    return sorted(found, key=lambda piece: -int(piece.sum()))[:MOST_PIECES]


def _turned(
    image: NDArray[np.float32], masks: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Image (y, x) and masks (object, y, x), mirrored and turned together."""
    if rng.random() < 0.5:
        image, masks = image[:, ::-1], masks[:, :, ::-1]
    n_turns = int(rng.integers(4))
    image, masks = np.rot90(image, n_turns), np.rot90(masks, n_turns, axes=(1, 2))
    return np.ascontiguousarray(image), np.ascontiguousarray(masks)


def collated(batch: list[tuple[Tensor, Objects]]) -> tuple[Tensor, list[Objects]]:
    """Images (batch, 1, y, x) and a list of their objects, for a DataLoader."""
    return torch.stack([image for image, _ in batch]), [each for _, each in batch]
