"""How good the detections of Mask R-CNN are: scores of frames, masks against the lensed light, AP.

Average precision is COCO's, from pycocotools through torchmetrics, which keeps masks as run
lengths, so that thousands of frames fit into memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader
from torchmetrics.detection import MeanAveragePrecision
from tqdm import tqdm

from lensy.datasets.instances import LENS, Instances, collated
from lensy.models.mask_rcnn import MaskRcnn, image_score
from lensy.simulation.targets import Role

Columns = dict[str, NDArray[Any]]

CALLED = 0.5
"""Score from which on a detection counts as a call, and probability from which on a pixel belongs
to a mask: torchvision's own."""

MATCHED = 0.5
"""Intersection over union from which on a call has found an object."""

BATCH = 8


def score_instances(
    model: MaskRcnn, frames: Instances, *, progress: bool = False
) -> tuple[Columns, dict[str, float]]:
    """Scores of stored frames, a value per frame each, and COCO's average precisions.

    Columns: `label`; `score`, that of the best detection of lensed light, 0 without any;
    `n_detections`, of all classes; `n_called` and `n_matched`, calls of lensed light and how many
    objects they found; `on`, the role of what lies under the best detection, see `lies_on`;
    `mask_iou`, intersection over union of the best detection's mask and the
    pixels whose lensed light exceeds the noise, NaN where there is either no lens or no detection.
    Precisions: `ap`, `ap50` and `ap75` of lensed light, for `box` and `mask`.
    """
    parts: dict[str, list[Any]] = {}
    # two kinds at once share one list of detections
    precision = MeanAveragePrecision(iou_type=("bbox", "segm"), class_metrics=False)
    loader = DataLoader(frames, batch_size=BATCH, collate_fn=collated)
    device = model.sigma.device
    number = 0
    for images, objects in tqdm(loader, desc="detecting", unit="batch", disable=not progress):
        for found, there in zip(model.detect(images.to(device)), objects, strict=True):
            light = frames.lensed_light(number)
            mine = _of_lenses({name: each.cpu() for name, each in found.items()})
            truth = _of_lenses(there)
            precision.update([mine], [truth])
            row: dict[str, Any] = {"n_detections": float(len(found["scores"]))}
            row |= _row(mine, truth, light)
            row["on"] = ""
            if len(mine["scores"]):
                best = mine["masks"][mine["scores"].argmax()].numpy()
                row["on"] = lies_on(best, *frames.everything(number))
            for name, value in row.items():
                parts.setdefault(name, []).append(value)
            number += 1
    columns = {name: np.array(values) for name, values in parts.items()}
    columns["label"] = columns["label"] > 0
    return columns, _average_precisions(precision)


def score_images(
    model: MaskRcnn, frames: Instances, *, progress: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Labels and scores of stored frames, (n,) each: those of `score_instances` and no more."""
    loader = DataLoader(frames, batch_size=BATCH, collate_fn=collated)
    device, labels, scores = model.sigma.device, [], []
    for images, objects in tqdm(loader, desc="scoring", unit="batch", disable=not progress):
        scores.append(image_score(model.detect(images.to(device)), LENS).double().cpu().numpy())
        labels += [bool((each["labels"] == LENS).any()) for each in objects]
    return np.array(labels), np.concatenate(scores)


def lies_on(
    mask: NDArray[np.bool_], objects: NDArray[np.bool_], roles: Sequence[Role | None]
) -> str:
    """Role of the object with the most pixels under a mask (y, x); "sky" where none has any.

    objects: masks (object, y, x). Lensed light too little for the label is "no lens".
    """
    shared = (objects & mask).sum((1, 2))
    if not shared.any():
        return "sky"
    return roles[int(shared.argmax())] or "no lens"


def _of_lenses(objects: Mapping[str, Any]) -> dict[str, Tensor]:
    """Detections or objects of lensed light alone, masks (n, y, x) as yes or no."""
    lens = objects["labels"] == LENS
    chosen: dict[str, Tensor] = {name: each[lens] for name, each in objects.items()}
    masks = chosen["masks"]
    chosen["masks"] = masks[:, 0] > CALLED if masks.dim() == 4 else masks.bool()
    return chosen


def _row(
    mine: dict[str, Tensor], truth: dict[str, Tensor], light: NDArray[np.bool_]
) -> dict[str, float]:
    called = mine["masks"][mine["scores"] >= CALLED]
    # each object is found once, by whichever call
    overlaps = [max((_iou(mask, each) for mask in called), default=0.0) for each in truth["masks"]]
    row = {
        "label": float(len(truth["labels"]) > 0),
        "score": float(mine["scores"].max()) if len(mine["scores"]) else 0.0,
        "n_called": float(len(called)),
        "n_matched": float(sum(overlap >= MATCHED for overlap in overlaps)),
        "mask_iou": float("nan"),
    }
    if len(truth["labels"]) and len(mine["scores"]):
        row["mask_iou"] = _iou(mine["masks"][mine["scores"].argmax()], torch.from_numpy(light))
    return row


def _iou(first: Tensor, second: Tensor) -> float:
    """Intersection over union of two masks (y, x); 0 where both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0


def _average_precisions(precision: MeanAveragePrecision) -> dict[str, float]:
    """COCO's average precisions; NaN where there was nothing to find."""
    found = precision.compute()
    names = {"ap": "map", "ap50": "map_50", "ap75": "map_75"}
    values = {
        f"{kind}_{ours}": float(found[f"{theirs}_{name}"])
        for kind, theirs in (("box", "bbox"), ("mask", "segm"))
        for ours, name in names.items()
    }
    # pycocotools says -1 for "nothing there"
    return {name: value if value >= 0 else float("nan") for name, value in values.items()}
