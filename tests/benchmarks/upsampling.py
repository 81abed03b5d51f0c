"""Does the score suffer where interpolation takes the place of transposed convolutions?

Trains both kinds of Naberrie on the same crops for the same number of steps, then the same dense
layers on each encoder, and prints the AUROC of both on validation frames and how strong the
checkerboard is. Not part of the tests; 3000 steps, twice two networks, take an hour, half of that
with `--precision bf16-mixed`.

    .venv/bin/python tests/benchmarks/upsampling.py data/talk-laptop
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, get_args

import lightning
import numpy as np
import torch
import typer
from record import record
from torch.utils.data import DataLoader

from lensy.datasets.frames import Crops, Frames
from lensy.datasets.store import DataSet
from lensy.metrics.ranking import auroc, brightest_mean
from lensy.models.classifier import FrozenEncoder
from lensy.models.unet import Naberrie, Upsampling
from lensy.training.head import HeadTraining, cached_features, train_head
from lensy.training.unet import UnetExperiment, UnetTraining
from lensy.training.unet_learner import UnetLearner

N_BRIGHTEST = 100


def trained(data: DataSet, training: UnetTraining, precision: str) -> Naberrie:
    """A network after all steps of the schedule."""
    experiment = UnetExperiment(
        name="upsampling", scale="laptop", bands=("VIS",), training=training, recipe=data.recipe
    )
    torch.manual_seed(training.seed)
    module = UnetLearner(experiment, data)
    trainer = lightning.Trainer(
        max_epochs=training.n_epochs,
        precision=precision,  # type: ignore[arg-type]
        reload_dataloaders_every_n_epochs=1,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module)
    return module.model.eval()


@torch.inference_mode()
def painted(unet: Naberrie, frames: Frames) -> tuple[float, float]:
    """AUROC of the brightness of the paintings, and the checkerboard's share of their variance.

    The checkerboard is what alternates from pixel to pixel along both axes.
    """
    labels, scores, shares = [], [], []
    sign = (-1.0) ** np.add.outer(np.arange(200), np.arange(200))
    for batch in DataLoader(frames, batch_size=16):
        pictures = unet(batch["image"])[:, 0].numpy()
        labels.append(batch["label"].numpy())
        scores.append(brightest_mean(pictures, N_BRIGHTEST))
        blocks = (pictures * sign).reshape(len(pictures), 20, 10, 20, 10).mean(axis=(2, 4))
        shares.append((blocks**2).mean(axis=(1, 2)) / pictures.var(axis=(1, 2)))
    truth = np.concatenate(labels)
    return auroc(truth, np.concatenate(scores)), float(np.median(np.concatenate(shares)[truth]))


def main(
    data: Annotated[Path, typer.Argument(help="Folder of a TALK data set.")],
    steps: Annotated[int, typer.Option(help="Of each training.")] = 3000,
    seeds: Annotated[int, typer.Option(help="Trainings of each kind.")] = 2,
    frames: Annotated[int, typer.Option(help="Training frames for the dense layers.")] = 4000,
    precision: Annotated[str, typer.Option(help="Lightning's precision.")] = "32-true",
    keep: Annotated[bool, typer.Option("--record", help="Keep the result for the book.")] = False,
) -> None:
    """Print a line per network."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated", category=FutureWarning)
    data_set = DataSet(data)
    checked = Frames(data_set, "validation", ("VIS",))
    rows = []
    for seed in range(1, seeds + 1):
        for kind in get_args(Upsampling):
            training = UnetTraining(seed=seed, upsampling=kind, n_epochs=1, steps_per_epoch=steps)
            unet = trained(data_set, training, precision)
            area, share = painted(unet, checked)
            encoder = FrozenEncoder(unet)
            seen = Crops(data_set, ("VIS",), size=None, seed=seed, start=0, count=frames)
            known = cached_features(encoder, seen), cached_features(encoder, checked)
            _, history = train_head(*known, HeadTraining(), seed=seed)
            best = max(history.validation_auroc)
            rows.append(
                {
                    "seed": seed,
                    "kind": kind,
                    "painting_auroc": area,
                    "classifier_auroc": best,
                    "checkerboard": share,
                }
            )
            typer.echo(
                f"seed {seed}  {kind:<12} painting {area:.4f}  classifier "
                f"{best:.4f}  checkerboard {share:.2e}"
            )
    if keep:
        record("upsampling", rows, steps=steps, frames=frames, precision=precision)


if __name__ == "__main__":
    typer.run(main)
