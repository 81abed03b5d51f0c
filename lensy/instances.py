"""Frames with their objects as Mask R-CNN wants them: an image, and boxes, masks and classes.

The four networks of the talk differ in data only: which percentile of an object's light its mask
holds, and which classes of objects there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lensy import targets
from lensy.artefacts import expose
from lensy.bands import band
from lensy.errors import LensyError
from lensy.simulate import Split
from lensy.store import DataSet

BAND = "VIS"
"""Masks are those of VIS."""

LENS = 1
"""Number of the class of lensed light in every variant; 0 is the background."""


@dataclass(frozen=True)
class Variant:
    """percentile: of `targets.PERCENTILES`. classes: of `targets.CLASSES`, numbered from 1 on."""

    percentile: float
    classes: tuple[targets.Class, ...]


VARIANTS = {
    "mrc-95": Variant(95.0, ("lensed light",)),
    "mrc-99": Variant(99.0, ("lensed light",)),
    "mrc-995": Variant(99.5, ("lensed light",)),
    "mrc-3": Variant(99.5, ("lensed light", "lens galaxy", "galaxy")),
}
"""The talk's networks. The panels of its input show masks of 200 pixels, the 99.5th percentile, of
the lensed light, the lens galaxy and every other galaxy."""


class Objects(TypedDict):
    """The objects of a frame, n of them, none at all included.

    boxes: (n, 4), x and y of the corners in pixels, the second beyond the object. labels: (n,),
    from 1. masks: (n, y, x), 0 or 1.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor


def objects(
    masks: NDArray[np.bool_], classes: list[targets.Class | None], variant: Variant
) -> Objects:
    """The objects that a variant is to find, from masks (object, y, x) and classes of all.

    Those without light in the frame and those of other classes are left out.
    """
    kept, labels, boxes = [], [], []
    for mask, name in zip(masks, classes, strict=True):
        box = targets.bounding_box(mask)
        if box is None or name not in variant.classes:
            continue
        kept.append(mask)
        labels.append(LENS + variant.classes.index(name))
        boxes.append(box)
    stack = np.stack(kept) if kept else np.zeros((0, *masks.shape[1:]), bool)
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": torch.from_numpy(stack.astype(np.uint8)),
    }


class Instances(Dataset[tuple[Tensor, Objects]]):
    """Frames (1, y, x) in nJy and their objects, the first `limit` of a split.

    seed: where it is given, item k is the frame turned and mirrored at random, with fresh noise and
    artefacts, a function of (seed, k) alone; items beyond the split's end begin it anew. Otherwise
    the frame as it is stored.
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
    ) -> None:
        self.data, self.split, self.variant, self.seed = data, split, variant, seed
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
        masks = self.data.masks(self.split, example, self.variant.percentile)
        classes = targets.object_classes(bool(self.labels[example]), len(masks))
        if self.seed is None:
            image = self.data.observed(self.split, example, BAND)
        else:
            rng = np.random.default_rng([self.seed, number])
            image = self._seen_anew(example, rng)
            image, masks = _turned(image, masks, rng)
        return torch.from_numpy(image[None]), objects(masks, classes, self.variant)

    def _seen_anew(self, example: int, rng: np.random.Generator) -> NDArray[np.float32]:
        instrument = self.data.recipe.instrument
        light = self.data.layers(self.split, example, BAND).sum(axis=0, dtype=np.float32)
        artefacts = instrument.draw(rng)
        return expose(light, band(BAND), rng, artefacts=artefacts, instrument=instrument).image


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
