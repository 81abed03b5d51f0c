"""Search a cutout with a Mask R-CNN: boxes and masks of what it sees.

A frame is scanned with overlapping windows of the size that the network was trained on. What a
window's inner border cuts is left out, as another window holds the whole of it; what two windows
see is kept once, by torchvision's suppression of boxes that overlap.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import batched_nms

from lensy.datasets.coco import run_length
from lensy.figures.objects import Outlined
from lensy.finding.result import LIGHT, Candidate, Finding
from lensy.finding.search import Search
from lensy.simulation import targets
from lensy.training.detection_scores import CALLED
from lensy.values import Mask

SAME = 0.5
"""Intersection over union of boxes from which on two detections of a class are one object."""


class Detection(NamedTuple):
    """What a window shows: box (4,) in the frame's pixels, and mask (y, x) from its first pixel."""

    box: Tensor
    score: Tensor
    label: Tensor
    mask: Mask
    y: int
    x: int


class MaskSearch(Search):
    """Objects of all classes, each once; a file without lensed light has a row that says so."""

    columns: ClassVar[dict[str, str]] = {
        "score": "of the network's detection of lensed light; not calibrated"
    }

    def found(self) -> Finding:
        """The objects, best first, and what is marked as an artefact among them."""
        found, masks = [], []
        for each in _each_once(self._detections()):
            mask = self._in_cutout(each)
            # what is mostly outside, or where there are no data, is nothing that was seen
            if mask.any() and self.usable[mask].mean() > 0.5:
                found.append(self._candidate(mask, float(each.score), int(each.label)))
                masks.append(mask)
        if not any(each.kind == LIGHT for each in found):
            masks.append(np.zeros(self.usable.shape, bool))
            found.append(self._nothing(masks[-1]))
        pairs = list(zip(found, masks, strict=True))
        flaws = [mask for each, mask in pairs if each.kind == "artefact"]
        return Finding(
            self.cutout,
            found,
            marked=np.any(flaws, axis=0) if flaws else None,
            masks=masks,
            classes=self.scorer.classes,
            outlined=[_outlined(each, mask) for each, mask in pairs if each.score >= CALLED],
        )

    def _detections(self) -> list[Detection]:
        """Those of all windows, but for what a window's border cuts."""
        detections = []
        for y, x in self.windows():
            (found,) = self.scorer.detector.detect(self.view(y, x))
            for k, box in enumerate(found["boxes"]):
                mask = found["masks"][k, 0].numpy() > CALLED
                if mask.any() and not self._is_cut(box, y, x):
                    there = box + torch.tensor([x, y, x, y])
                    score, label = found["scores"][k], found["labels"][k]
                    detections.append(Detection(there, score, label, mask, y, x))
        return detections

    def _is_cut(self, box: Tensor, y: int, x: int) -> bool:
        """Whether a box of the window at (y, x) touches a border of it that is not the frame's."""
        x_0, y_0, x_1, y_1 = box.tolist()
        side, (n_y, n_x) = self.window.side, self.flux.shape
        return bool(
            (x > 0 and x_0 < 1)
            or (y > 0 and y_0 < 1)
            or (x + side < n_x and x_1 > side - 1)
            or (y + side < n_y and y_1 > side - 1)
        )

    def _in_cutout(self, each: Detection) -> Mask:
        whole = np.zeros(self.flux.shape, bool)
        n_y, n_x = each.mask.shape
        whole[each.y : each.y + n_y, each.x : each.x + n_x] = each.mask
        return whole[self.inside]

    def _candidate(self, mask: Mask, score: float, label: int) -> Candidate:
        """mask: in the cutout's own pixels, not empty."""
        row, column = (float(np.mean(each)) for each in np.nonzero(mask))
        x_0, y_0, x_1, y_1 = targets.bounding_box(mask) or (0, 0, *mask.shape[::-1])
        return self.candidate(
            column,
            row,
            score,
            to_border=min(x_0, y_0, mask.shape[1] - x_1, mask.shape[0] - y_1),
            no_data=mask & self.cutout.mask,
            kind=self.scorer.classes[label - 1],
            x_min=float(x_0),
            y_min=float(y_0),
            width=float(x_1 - x_0),
            height=float(y_1 - y_0),
            area=int(mask.sum()),
            segmentation=run_length(mask),
        )

    def _nothing(self, mask: Mask) -> Candidate:
        """The row of a file in which no lensed light was seen. mask: empty."""
        nowhere = dict.fromkeys(("x", "y", "ra", "dec", "x_min", "y_min"), float("nan"))
        return Candidate(
            file=str(self.cutout.path),
            band=self.cutout.band,
            kind=LIGHT,
            score=0.0,
            width=0.0,
            height=0.0,
            area=0,
            flags="nothing found",
            segmentation=run_length(mask),
            **nowhere,
        )


def _each_once(found: list[Detection]) -> list[Detection]:
    """Of detections of a class whose boxes overlap, the best; best first."""
    if not found:
        return []
    kept = batched_nms(
        torch.stack([each.box for each in found]),
        torch.stack([each.score for each in found]),
        torch.stack([each.label for each in found]),
        SAME,
    )
    return [found[k] for k in kept.tolist()]


def _outlined(each: Candidate, mask: Mask) -> Outlined:
    box = [value or 0.0 for value in (each.x_min, each.y_min, each.width, each.height)]
    return Outlined(str(each.kind), mask, box, f"{each.score:.2f}")
