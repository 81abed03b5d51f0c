"""The classifier's dense layers, taught on features that a frozen encoder gave once.

The encoder does not change, so every image passes through it once and the dense layers learn from
the numbers that came out, in seconds.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm import tqdm

from lensy.datasets.frames import Item
from lensy.errors import LensyError
from lensy.models.classifier import FrozenEncoder, Head, log_odds
from lensy.runs.experiment import Count
from lensy.runs.run import SINGLE
from lensy.training.learner import Learner, run_trainer
from lensy.training.unet_scores import BATCH
from lensy.values import Frozen

Features = tuple[Tensor, Tensor]
"""Features (n, n_features) and labels (n,) of images."""


class HeadTraining(Frozen):
    """Settings of the classifier's dense layers, which learn from features of whole frames."""

    n_draws: Count = 2
    """How often each training frame is seen, each time turned at random and with fresh noise."""
    n_epochs: Count = 5
    batch: Count = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3


@torch.inference_mode()
def cached_features(
    encoder: FrozenEncoder, images: Dataset[Item], *, progress: bool = False
) -> Features:
    """Features and labels of a data set; each image passes the encoder once."""
    device = encoder.unet.sigma.device
    encoder = FrozenEncoder(encoder.unet.fused())
    parts, labels = [], []
    loader = DataLoader(images, batch_size=BATCH)
    for batch in tqdm(loader, desc="features", unit="batch", disable=not progress):
        parts.append(encoder(batch["image"].to(device)).cpu())
        labels.append(batch["label"])
    return torch.cat(parts), torch.cat(labels)


class HeadLearner(Learner):
    """Dense layers with the features they learn from.

    best: the weights that validation's AUROC likes best, and their epoch. Of epochs that are
    equally good, the last: it has learned longest what a probability is.
    """

    def __init__(
        self, train: Features, validation: Features, settings: HeadTraining, *, seed: int
    ) -> None:
        self.batch = settings.batch
        super().__init__(settings, n_steps=settings.n_epochs * -(-len(train[1]) // settings.batch))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = Head(train[0].shape[1])
        self.model.standardise(train[0])
        self.items, self.checked = (TensorDataset(x, y.long()) for x, y in (train, validation))
        self.generator = torch.Generator().manual_seed(seed)
        self.best: tuple[int, dict[str, Tensor]] = (0, {})

    def train_dataloader(self) -> DataLoader[Any]:
        """All features in a new order; the trainer asks anew for each epoch."""
        order = torch.randperm(len(self.items), generator=self.generator).tolist()
        return DataLoader(self.items, self.batch, sampler=order)

    def val_dataloader(self) -> DataLoader[Any]:
        """All validation features at once."""
        return DataLoader(self.checked, len(self.checked))

    def training_step(self, batch: Features, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Categorical cross-entropy."""
        loss = functional.cross_entropy(self.model(batch[0]), batch[1])
        return self.noted(loss, weight=len(batch[1]))

    def validation_step(self, batch: Features, batch_idx: int) -> None:  # noqa: ARG002
        """Loss and score of each image."""
        logits = self.model(batch[0])
        loss = functional.cross_entropy(logits, batch[1], reduction="none")
        self.collect(loss=loss, score=log_odds(logits), label=batch[1])

    def on_validation_epoch_end(self) -> None:
        """Add a row to the history, and keep the best weights."""
        super().on_validation_epoch_end()
        if self.rows[-1]["val_auroc"] == max(row["val_auroc"] for row in self.rows):
            state = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.best = len(self.rows), state


def train_head(
    train: Features, validation: Features, settings: HeadTraining, *, seed: int
) -> tuple[Head, dict[str, Any]]:
    """Dense layers taught with categorical cross-entropy, and what happened while they learned.

    The latter is a list with a value per epoch for `train_loss`, `validation_loss` and
    `validation_auroc`, with `best_epoch` and `seconds`.
    Raises LensyError where one class is missing from the training labels.
    """
    labels = train[1]
    if labels.min() == labels.max():
        raise LensyError(
            f"All {len(labels)} training labels are {bool(labels[0])}: a classifier needs both."
        )
    started = time.monotonic()
    learner = HeadLearner(train, validation, settings, seed=seed)
    with torch.random.fork_rng(devices=[]):
        run_trainer(learner, options={"accelerator": "cpu", "devices": 1, "precision": SINGLE})
    best_epoch, weights = learner.best
    learner.model.load_state_dict(weights)
    columns = {
        "train_loss": "train_loss",
        "validation_loss": "val_loss",
        "validation_auroc": "val_auroc",
    }
    history: dict[str, Any] = {
        name: [row[column] for row in learner.rows] for name, column in columns.items()
    }
    seconds = round(time.monotonic() - started, 1)
    return learner.model.eval(), history | {"best_epoch": best_epoch, "seconds": seconds}


def rounded(history: dict[str, Any]) -> dict[str, Any]:
    """What `train_head` says, with five digits, for `run.json`."""
    return {
        name: [round(each, 5) for each in value] if isinstance(value, list) else value
        for name, value in history.items()
    }
