"""The light Mask R-CNN beside torchvision's default: its speed, and what each learns in equal time.

Trains both on the same frames for the same number of minutes, one after the other, and prints
training and inference images per second, AUROC on validation frames and COCO's AP of the boxes and
masks of lensed light. The default is torchvision's as it comes, a ResNet-50 with its own anchors
and images enlarged to 800 pixels, and then the same with images left at 200. Not part of the tests;
three quarters of an hour as it stands.

    .venv/bin/python tests/benchmarks/mask_rcnn_speed.py data/talk-laptop
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch.utils.data import DataLoader, Subset
from torchvision.models.detection import maskrcnn_resnet50_fpn

from lensy.bands import band
from lensy.instances import BAND, TALK, Instances, collated
from lensy.mask_scores import score_instances
from lensy.metrics import auroc
from lensy.models.mask_rcnn import MaskRcnn, one_channel
from lensy.store import DataSet

VARIANT = TALK["mrc-3"]
BATCH = 4


def network(kind: str, side: int) -> MaskRcnn:
    """A new network: `light`, or torchvision's default with images enlarged to `side` pixels."""
    n_classes = len(VARIANT.classes)
    model = MaskRcnn(n_classes, band(BAND).background_sigma)
    if kind == "default":
        frame = {"min_size": side, "max_size": side, "image_mean": [0.0], "image_std": [1.0]}
        theirs = maskrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, num_classes=n_classes + 1, **frame
        )
        theirs.backbone.body.conv1 = one_channel(theirs.backbone.body.conv1)
        model.network = theirs
    return model


def train(model: MaskRcnn, data: DataSet, minutes: float) -> tuple[int, float]:
    """Train for a time; the number of images seen, and images per second."""
    frames = Instances(data, "train", VARIANT, seed=1, count=10**6)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3 if _light(model) else 1e-4)
    model.train()
    started, n = time.perf_counter(), 0
    for images, objects in DataLoader(frames, batch_size=BATCH, collate_fn=collated):
        loss = torch.stack(list(model(images, objects).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        n += len(images)
        if time.perf_counter() - started > 60 * minutes:
            break
    return n, n / (time.perf_counter() - started)


def _light(model: MaskRcnn) -> bool:
    return sum(each.numel() for each in model.parameters()) < 10e6


def main(
    data: Annotated[Path, typer.Argument(help="Folder of a TALK data set.")],
    minutes: Annotated[float, typer.Option(help="Of each training.")] = 15,
    frames: Annotated[int, typer.Option(help="Validation frames that are scored.")] = 200,
    sides: Annotated[str, typer.Option(help="The default's image sides, with commas.")] = "800,200",
) -> None:
    """Print a line per network."""
    data_set = DataSet(data)
    kinds = [("light", 200), *(("default", int(side)) for side in sides.split(","))]
    for kind, side in kinds:
        torch.manual_seed(1)
        model = network(kind, side)
        n, rate = train(model, data_set, minutes)
        checked = Instances(data_set, "validation", VARIANT, limit=frames)
        started = time.perf_counter()
        for images, _ in DataLoader(Subset(checked, range(32)), BATCH, collate_fn=collated):
            model.detect(images)
        inference = 32 / (time.perf_counter() - started)
        columns, precision = score_instances(model, checked)
        area = auroc(columns["label"], columns["score"])
        typer.echo(
            f"{kind:<8}{side:>4} pixels  training {rate:6.2f} images/s ({n} seen)  inference "
            f"{inference:6.2f} images/s  AUROC {area:.3f}  box AP {100 * precision['box_ap']:.1f}  "
            f"AP50 {100 * precision['box_ap50']:.1f}  mask AP {100 * precision['mask_ap']:.1f}"
        )


if __name__ == "__main__":
    typer.run(main)
