"""Search real images with a Mask R-CNN: boxes and masks of what it sees, in a table and as COCO.

A frame is scanned with overlapping windows of the size that the network was trained on. What a
window's inner border cuts is left out, as another window holds the whole of it; what two windows
see is kept once, by torchvision's suppression of boxes that overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms

from lensy.datasets.coco import run_length
from lensy.datasets.instances import BAND, LENS
from lensy.figures.objects import Outlined, draw_object_rows
from lensy.finding.cutouts import Cutout
from lensy.finding.inspection_page import Entry, entry, in_words
from lensy.finding.search import EDGE, Window, surroundings, usable_pixels, write_table
from lensy.models.mask_rcnn import MaskRcnn
from lensy.provenance import provenance, whole_file
from lensy.runs.run import Run
from lensy.simulation import targets
from lensy.telescope.bands import band
from lensy.training.detection_scores import CALLED
from lensy.training.mask_rcnn import MaskExperiment
from lensy.training.mask_rcnn_fit import trained_masks
from lensy.values import Image, Mask

SAME = 0.5
"""Intersection over union of boxes from which on two detections of a class are one object."""

COLUMN_UNITS = {
    "x": "pix", "y": "pix", "ra": "deg", "dec": "deg",
    "x_min": "pix", "y_min": "pix", "width": "pix", "height": "pix", "area": "pix2",
}  # fmt: skip


@dataclass(frozen=True)
class Detection:
    """An object that was found. x, y: middle of its mask, 0-based pixels. ra, dec: degrees.

    A file without any lensed light has one of score 0 and area 0 that says so in its flags.
    kind: its class. score: from 0 to 1, as the network gives it. x_min, y_min, width, height: its
    box, pixels. area: pixels of its mask. flags: comma-separated: "padded", "masked pixels",
    "edge", "below threshold", "nothing found". segmentation: its mask as COCO's run lengths.
    """

    file: str
    band: str
    kind: str
    x: float
    y: float
    ra: float
    dec: float
    score: float
    x_min: float
    y_min: float
    width: float
    height: float
    area: int
    flags: str
    segmentation: dict[str, Any]


@dataclass(frozen=True)
class MaskFinding:
    """What was found in a cutout, objects of all classes, best first, lensed light in any case.

    masks: (y, x) of each.
    """

    cutout: Cutout
    candidates: list[Detection]
    masks: list[Mask]

    def draw(self, title: str | None = None) -> Figure:
        """The image, and the same with what was called; the file's name as title."""
        called = [
            Outlined(
                each.kind,
                mask,
                (each.x_min, each.y_min, each.width, each.height),
                f"{each.score:.2f}",
            )
            for each, mask in self._pairs()
            if each.score >= CALLED
        ]
        flux = self.cutout.flux
        return draw_object_rows(
            [[("image", flux, []), ("detections", flux, called)]],
            title=self.cutout.path.name if title is None else title,
            sigma=band(self.cutout.band).background_sigma,
            upwards=True,
        )

    def entries(self) -> list[Entry]:
        """The candidates for an inspection page, with their masks and those of artefacts."""
        sigma = band(self.cutout.band).background_sigma
        flaws = [mask for each, mask in self._pairs() if each.kind == "artefact"]
        found = []
        for each, mask in self._pairs():
            if each.kind != "lensed light":
                continue
            part = surroundings(self.cutout, each.x, each.y)
            masks = {"lensed light": mask[part]}
            if flaws:
                masks["artefact"] = np.any(flaws, axis=0)[part]
            found.append(
                entry(
                    self.cutout.path.name,
                    each.score,
                    sigma=sigma,
                    images={"image": self.cutout.flux[part]},
                    masks=masks,
                    details=in_words(asdict(each)),
                )
            )
        return found

    def _pairs(self) -> list[tuple[Detection, Mask]]:
        return list(zip(self.candidates, self.masks, strict=True))


@dataclass(frozen=True)
class MaskFinder:
    """A Mask R-CNN that searches images.

    classes: names of its classes, from number 1. threshold: score of lensed light that 10 % of the
    simulated non-lenses reach. origin: where all of it comes from, written into every table.
    """

    model: MaskRcnn
    classes: tuple[str, ...]
    threshold: float
    band: str = BAND
    origin: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_run(cls, run: Run) -> MaskFinder:
        """The finder that a finished run makes."""
        experiment = MaskExperiment.model_validate(run.info["experiment"])
        score = run.info["score"]
        return cls(
            model=trained_masks(run),
            classes=tuple(experiment.objects.classes),
            threshold=score["threshold_at_false_positive_rate"]["0.1"],
            band=experiment.band,
            origin={
                "run": experiment.name,
                "scale": experiment.scale,
                "fingerprint": run.info["fingerprint"],
                "commit_of_run": run.info["provenance"]["commit"],
                "score": score,
            },
        )

    @property
    def window(self) -> Window:
        """What the network sees at a time."""
        return Window.of(self.band)

    def find(self, cutout: Cutout, *, progress: bool = False) -> MaskFinding:  # noqa: ARG002
        """Search one cutout. Raises LensyError for another band or where nothing can be searched.

        progress: there is no bar; a window takes a tenth of a second.
        """
        usable = usable_pixels(cutout, self.band)
        flux, inside = cutout.padded(self.window.side)
        boxes, scores, labels, masks = self._detections(flux)
        kept = batched_nms(boxes, scores, labels, SAME).tolist() if masks else []
        found, seen = [], []
        for k in kept:
            mask = _in_frame(masks[k], flux.shape)[inside]
            # what is mostly outside, or where there are no data, is nothing that was seen
            if mask.any() and usable[mask].mean() > 0.5:
                found.append(self._detection(cutout, mask, float(scores[k]), int(labels[k])))
                seen.append(mask)
        if not any(each.kind == self.classes[LENS - 1] for each in found):
            found.append(self._nothing(cutout))
            seen.append(np.zeros(cutout.flux.shape, bool))
        return MaskFinding(cutout, found, seen)

    def write(self, candidates: Iterable[Detection], path: Path) -> None:
        """Write a table of the lensed light as ECSV, and all objects as COCO beside it.

        The latter has the table's name with the ending `.json`.
        """
        candidates = list(candidates)
        write_coco(candidates, self.classes, path.with_suffix(".json"))
        write_table(detection_table(candidates, self.origin), path)

    def _detections(self, flux: Image) -> tuple[Tensor, Tensor, Tensor, list[Placed]]:
        """Boxes (n, 4), scores and labels (n,) and masks of all windows, in the frame's pixels."""
        side = self.window.side
        rows, columns = (self.window.starts(n) for n in flux.shape)
        boxes, scores, labels, masks = [], [], [], []
        for y in rows:
            for x in columns:
                view = torch.from_numpy(np.ascontiguousarray(flux[y : y + side, x : x + side]))
                (found,) = self.model.detect(view[None, None])
                for k, box in enumerate(found["boxes"]):
                    mask = found["masks"][k, 0].numpy() > CALLED
                    if _is_cut(box, x, y, side, flux.shape) or not mask.any():
                        continue
                    boxes.append(box + torch.tensor([x, y, x, y]))
                    scores.append(found["scores"][k])
                    labels.append(found["labels"][k])
                    masks.append(Placed(mask, x, y))
        if not masks:
            return torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64), []
        return torch.stack(boxes), torch.stack(scores), torch.stack(labels), masks

    def _detection(self, cutout: Cutout, mask: Mask, score: float, label: int) -> Detection:
        """mask: in the cutout's own pixels, not empty."""
        row, column = (float(np.mean(each)) for each in np.nonzero(mask))
        x, y = cutout.position(column, row)
        ra, dec = cutout.sky(x, y)
        x_0, y_0, x_1, y_1 = targets.bounding_box(mask) or (0, 0, *mask.shape[::-1])
        to_border = min(x_0, y_0, mask.shape[1] - x_1, mask.shape[0] - y_1)
        states = {
            "padded": min(mask.shape) < self.window.side,
            "masked pixels": bool((mask & cutout.mask).any()),
            "edge": to_border * band(self.band).pixel_scale < EDGE,
            "below threshold": label == LENS and score < self.threshold,
        }
        return Detection(
            file=str(cutout.path),
            band=cutout.band,
            kind=self.classes[label - 1],
            x=x,
            y=y,
            ra=ra,
            dec=dec,
            score=score,
            x_min=float(x_0),
            y_min=float(y_0),
            width=float(x_1 - x_0),
            height=float(y_1 - y_0),
            area=int(mask.sum()),
            flags=",".join(flag for flag, holds in states.items() if holds),
            segmentation=run_length(mask),
        )

    def _nothing(self, cutout: Cutout) -> Detection:
        """The row of a file in which no lensed light was seen."""
        nowhere = dict.fromkeys(("x", "y", "ra", "dec", "x_min", "y_min"), float("nan"))
        return Detection(
            file=str(cutout.path),
            band=cutout.band,
            kind=self.classes[LENS - 1],
            score=0.0,
            width=0.0,
            height=0.0,
            area=0,
            flags="nothing found",
            segmentation=run_length(np.zeros(cutout.flux.shape, bool)),
            **nowhere,
        )


@dataclass(frozen=True)
class Placed:
    """A window's mask (y, x) and the window's first pixel in the frame."""

    mask: Mask
    x: int
    y: int


def _in_frame(placed: Placed, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    whole = np.zeros(shape, bool)
    n_y, n_x = placed.mask.shape
    whole[placed.y : placed.y + n_y, placed.x : placed.x + n_x] = placed.mask
    return whole


def _is_cut(box: Tensor, x: int, y: int, side: int, shape: tuple[int, ...]) -> bool:
    """Whether a box of the window at (x, y) touches a border of it that is not the frame's."""
    x_0, y_0, x_1, y_1 = box.tolist()
    return bool(
        (x > 0 and x_0 < 1)
        or (y > 0 and y_0 < 1)
        or (x + side < shape[1] and x_1 > side - 1)
        or (y + side < shape[0] and y_1 > side - 1)
    )


def detection_table(detections: Iterable[Detection], origin: dict[str, Any]) -> Table:
    """Lensed light, best first; the table's meta says what made it."""
    lenses = [asdict(each) for each in detections if each.kind == "lensed light"]
    lenses.sort(key=lambda row: -row["score"])
    table = Table(rows=lenses, units=COLUMN_UNITS)
    table.remove_columns(["kind", "segmentation"])
    table.meta = {
        "score": "of the network's detection of lensed light; not calibrated",
        "finder": origin,
        "made": provenance(),
    }
    return table


def write_coco(detections: Iterable[Detection], classes: Iterable[str], path: Path) -> None:
    """Write detections as COCO with a score each; the file is whole or not there."""
    detections = list(detections)
    files = list(dict.fromkeys(each.file for each in detections))
    sizes = {each.file: each.segmentation["size"] for each in detections}
    numbers = {name: k for k, name in enumerate(classes, 1)}
    content = {
        "images": [
            {"id": k, "file_name": name, "height": sizes[name][0], "width": sizes[name][1]}
            for k, name in enumerate(files)
        ],
        "categories": [{"id": k, "name": name} for name, k in numbers.items()],
        "annotations": [
            {
                "id": k,
                "image_id": files.index(each.file),
                "category_id": numbers[each.kind],
                "bbox": [each.x_min, each.y_min, each.width, each.height],
                "area": each.area,
                "segmentation": each.segmentation,
                "score": each.score,
                "iscrowd": 0,
            }
            for k, each in enumerate([each for each in detections if each.area], 1)
        ],
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, separators=(",", ":")) + "\n", "utf-8")
