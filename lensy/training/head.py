"""Train the classifier's dense layers on features that a frozen encoder gave once.

The encoder does not change, so every image passes through it once and the dense layers learn from
the numbers that came out, in seconds.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from lensy.datasets.frames import Item
from lensy.errors import LensyError
from lensy.metrics.ranking import auroc
from lensy.models.classifier import FrozenEncoder, Head, log_odds
from lensy.training.unet import HeadTraining

BATCH = 16


@torch.inference_mode()
def cached_features(
    encoder: FrozenEncoder, images: Dataset[Item], *, progress: bool = False
) -> tuple[Tensor, Tensor]:
    """Features (n, n_features) and labels (n,) of a data set; each image passes once."""
    device = encoder.unet.sigma.device
    encoder = FrozenEncoder(encoder.unet.fused())
    parts, labels = [], []
    loader = DataLoader(images, batch_size=BATCH)
    for batch in tqdm(loader, desc="features", unit="batch", disable=not progress):
        parts.append(encoder(batch["image"].to(device)).cpu())
        labels.append(batch["label"])
    return torch.cat(parts), torch.cat(labels)


@dataclass(frozen=True)
class HeadHistory:
    """What happened while the dense layers learned: one value per epoch, and seconds in all."""

    train_loss: list[float]
    validation_loss: list[float]
    validation_auroc: list[float]
    best_epoch: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, losses rounded."""
        return {
            name: [round(each, 5) for each in value] if isinstance(value, list) else value
            for name, value in asdict(self).items()
        }


def train_head(
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    settings: HeadTraining,
    *,
    seed: int,
) -> tuple[Head, HeadHistory]:
    """Dense layers trained with categorical cross-entropy, as validation's AUROC likes them best.

    Of epochs that are equally good, the last: it has learned longest what a probability is.
    train, validation: features (n, n_features) and labels (n,).
    Raises LensyError where one class is missing from the training labels.
    """
    features, labels = train[0], train[1].long()
    if labels.min() == labels.max():
        raise LensyError(
            f"All {len(labels)} training labels are {bool(labels[0])}: a classifier needs both."
        )
    started = time.monotonic()
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = Head(features.shape[1])
    head.standardise(features)
    optimiser = torch.optim.AdamW(
        head.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    per_epoch = -(-len(labels) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.n_epochs * per_epoch
    )
    losses: list[float] = []
    validation_losses: list[float] = []
    areas: list[float] = []
    best: dict[str, Tensor] = {}
    best_epoch = 0
    for _ in range(settings.n_epochs):
        total = 0.0
        for chosen in torch.randperm(len(labels), generator=generator).split(settings.batch):  # type: ignore[no-untyped-call]
            loss = functional.cross_entropy(head(features[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        losses.append(total / len(labels))
        with torch.inference_mode():
            logits = head(validation[0])
            validation_losses.append(float(functional.cross_entropy(logits, validation[1].long())))
        areas.append(auroc(validation[1].numpy(), log_odds(logits).numpy()))
        if areas[-1] == max(areas):
            best_epoch = len(areas)
            best = {name: value.clone() for name, value in head.state_dict().items()}
    head.load_state_dict(best)
    seconds = round(time.monotonic() - started, 1)
    return head.eval(), HeadHistory(losses, validation_losses, areas, best_epoch, seconds)
