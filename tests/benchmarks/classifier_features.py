"""Which numbers of the frozen encoder should the classifier see?

Trains the same six dense layers on four descriptions of the same images and prints the AUROC on
validation frames: the pooled features of every block (what the package uses), of the bottleneck
alone, only its maxima, and the flattened bottleneck. Not part of the tests.

    .venv/bin/python tests/benchmarks/classifier_features.py data/talk-laptop
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer
from record import record
from torch import Tensor
from torch.utils.data import DataLoader

from lensy.datasets.frames import Crops, Frames
from lensy.datasets.store import DataSet
from lensy.models.classifier import pooled
from lensy.models.unet import Naberrie
from lensy.runs.library import shipped_run
from lensy.training.head import train_head
from lensy.training.kinds import experiment_of
from lensy.training.unet import HeadTraining


def descriptions(features: Tensor, skips: list[Tensor]) -> dict[str, Tensor]:
    """Descriptions of a batch of images, (batch, n) each."""
    return {
        "every block, largest and mean": pooled([*skips, features]),
        "bottleneck, largest and mean": pooled([features]),
        "bottleneck, largest": features.amax(dim=(2, 3)),
        "bottleneck, flattened": features.flatten(1).half(),
    }


@torch.inference_mode()
def described(unet: Naberrie, images: Crops | Frames) -> tuple[dict[str, Tensor], Tensor]:
    """Every description of all images, and their labels."""
    parts: dict[str, list[Tensor]] = {}
    labels = []
    for batch in DataLoader(images, batch_size=16):
        for name, values in descriptions(*unet.encode(batch["image"])).items():
            parts.setdefault(name, []).append(values)
        labels.append(batch["label"])
    return {name: torch.cat(values) for name, values in parts.items()}, torch.cat(labels)


def main(
    data: Annotated[Path, typer.Argument(help="Folder of a TALK data set.")],
    n_train: Annotated[int, typer.Option(help="Training images, each seen once.")] = 6000,
    run: Annotated[str, typer.Option(help="A shipped run.")] = "naberrie-vis",
    keep: Annotated[bool, typer.Option("--record", help="Keep the result for the book.")] = False,
) -> None:
    """Print the validation AUROC of each description."""
    trained, data_set = shipped_run(run), DataSet(data)
    bands = trained.info["experiment"]["bands"]
    unet = experiment_of(trained).trunk(trained)
    train, labels = described(
        unet, Crops(data_set, bands, size=None, seed=7, start=0, count=n_train)
    )
    checked, truth = described(unet, Frames(data_set, "validation", bands))
    rows = []
    for name, features in train.items():
        settings = HeadTraining(n_epochs=8 if features.shape[1] > 5000 else 20)
        _, history = train_head(
            (features.float(), labels), (checked[name].float(), truth), settings, seed=1
        )
        rows.append(
            {
                "features": name,
                "n": features.shape[1],
                "validation_auroc": max(history.validation_auroc),
                "seconds": history.seconds,
            }
        )
        typer.echo(
            f"{name:<32}{features.shape[1]:>7} numbers  AUROC {max(history.validation_auroc):.4f}"
            f"  {history.seconds:.0f} s"
        )
    if keep:
        record("classifier_features", rows, n_train=n_train, run=run)


if __name__ == "__main__":
    typer.run(main)
