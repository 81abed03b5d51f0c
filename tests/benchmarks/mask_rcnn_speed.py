"""The light Mask R-CNN beside torchvision's default: its speed, and what each learns in equal time.

Trains each on the same scenes for the same number of minutes, one after the other, and prints
training and inference images per second, AUROC on validation frames and COCO's AP of the boxes and
masks of lensed light. The light network is the one that runs have: on Naberrie's kept encoder,
learning from crops. The default is torchvision's as it comes, a ResNet-50 with its own anchors and
frames enlarged to 800 pixels, and then the same with frames left at 200; both begin at random and
see whole frames. Not part of the tests; twenty minutes on one core as it stands.

    .venv/bin/python tests/benchmarks/mask_rcnn_speed.py data/talk-laptop
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from record import record
from torch.utils.data import DataLoader, Subset
from torchvision.models.detection import maskrcnn_resnet50_fpn

from lensy.datasets.instances import BAND, Instances, collated
from lensy.datasets.store import DataSet
from lensy.metrics.ranking import auroc
from lensy.models.mask_rcnn import MaskRcnn, one_channel
from lensy.runs.library import shipped_run
from lensy.telescope.bands import band
from lensy.training.detection_scores import score_instances
from lensy.training.kinds import experiment_of
from lensy.training.mask_rcnn import TALK, TRAINING

VARIANT = TALK["mrc-3"]
SETTINGS = TRAINING["laptop"]
TIMED = 8
"""Frames whose detection is timed."""


def light() -> MaskRcnn:
    """The network of the runs at scale laptop, as it begins."""
    model = MaskRcnn(len(VARIANT.classes), band(BAND).background_sigma)
    naberrie = shipped_run("naberrie-vis")
    model.begin_with(experiment_of(naberrie).trunk(naberrie))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def default(side: int) -> MaskRcnn:
    """Torchvision's default for one channel, with frames enlarged to `side` pixels."""
    n_classes = len(VARIANT.classes)
    model = MaskRcnn(n_classes, band(BAND).background_sigma)
    frame = {"min_size": side, "max_size": side, "image_mean": [0.0], "image_std": [1.0]}
    theirs = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=n_classes + 1, **frame
    )
    theirs.backbone.body.conv1 = one_channel(theirs.backbone.body.conv1)
    model.network = theirs
    return model


def train(
    model: MaskRcnn, data: DataSet, minutes: float, *, rate: float, crop: int, batch: int
) -> tuple[int, float]:
    """Train for a time; the number of images seen, and images per second."""
    frames = Instances(data, "train", VARIANT, seed=1, count=10**6, crop=crop)
    learning = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=rate)
    model.train()
    started, n = time.perf_counter(), 0
    for images, objects in DataLoader(frames, batch_size=batch, collate_fn=collated):
        loss = torch.stack(list(model(images, objects).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 10.0)
        optimiser.step()
        n += len(images)
        if time.perf_counter() - started > 60 * minutes:
            break
    return n, n / (time.perf_counter() - started)


def main(
    data: Annotated[Path, typer.Argument(help="Folder of a TALK data set.")],
    minutes: Annotated[float, typer.Option(help="Of each training.")] = 4,
    frames: Annotated[int, typer.Option(help="Validation frames that are scored.")] = 60,
    keep: Annotated[bool, typer.Option("--record", help="Keep the result for the book.")] = False,
) -> None:
    """Print a line per network."""
    data_set = DataSet(data)
    kinds = {
        "light, on Naberrie's encoder": (light, SETTINGS.learning_rate, SETTINGS.crop, 8),
        "torchvision's default, 800 pixels": (lambda: default(800), 1e-4, 200, 2),
        "torchvision's default, 200 pixels": (lambda: default(200), 1e-4, 200, 4),
    }
    rows = []
    for name, (begin, rate, crop, batch) in kinds.items():
        torch.manual_seed(1)
        model = begin()
        n, per_second = train(model, data_set, minutes, rate=rate, crop=crop, batch=batch)
        checked = Instances(data_set, "validation", VARIANT, limit=frames)
        started = time.perf_counter()
        for images, _ in DataLoader(Subset(checked, range(TIMED)), 1, collate_fn=collated):
            model.detect(images)
        inference = TIMED / (time.perf_counter() - started)
        columns, precision = score_instances(model, checked)
        row = {
            "network": name,
            "parameters": sum(each.numel() for each in model.parameters()),
            "n_seen": n,
            "trained_per_second": per_second,
            "found_per_second": inference,
            "auroc": auroc(columns["label"], columns["score"]),
            **{key: precision[key] for key in ("box_ap", "box_ap50", "mask_ap", "mask_ap50")},
        }
        rows.append(row)
        typer.echo(
            f"{name:<36} training {per_second:6.2f} images/s ({n} seen)  inference "
            f"{inference:6.2f} images/s  AUROC {row['auroc']:.3f}  "
            f"box AP50 {100 * precision['box_ap50']:.1f}  "
            f"mask AP50 {100 * precision['mask_ap50']:.1f}"
        )
    if keep:
        record("mask_rcnn_speed", rows, minutes=minutes, frames=frames,
               threads=torch.get_num_threads())  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
