"""How Naberrie learns to paint, as a Lightning module: loss, optimiser, data, history."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from lensy.artefacts import Instrument
from lensy.bands import band
from lensy.datasets import Crops, Frames, Item
from lensy.experiments import Experiment
from lensy.metrics import auroc, brightest_mean
from lensy.models.naberrie import Naberrie
from lensy.store import DataSet

log = logging.getLogger(__name__)

N_BRIGHTEST_WHILE_TRAINING = {"VIS": 100, "Y": 30, "J": 30, "H": 30}
"""Brightest pixels whose mean ranks the validation frames after each epoch."""


class NaberrieModule(lightning.LightningModule):
    """Naberrie with its loss, optimiser and data.

    The loss is the mean squared error of arcsinh(flux / sigma), linear in the noise and
    logarithmic in bright arcs, so that faint arcs count. To it comes that of a coarse painting, a
    number per 16 x 16 pixels straight from the bottleneck, against the mean of the target there.
    """

    def __init__(self, experiment: Experiment, data: DataSet) -> None:
        super().__init__()
        self.experiment = experiment
        self.settings = experiment.training
        self.data = data
        sigma = [band(name).background_sigma for name in experiment.bands]
        model = Naberrie(self.settings.width, sigma, self.settings.upsampling)
        # an eighth faster on CPUs than the default order of channels
        self.model: Naberrie = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.coarse = nn.Conv2d(self.model.bottleneck_width, 1, kernel_size=1)
        self.rows: list[dict[str, float]] = []
        self._losses: list[float] = []
        self._validation: dict[str, list[Any]] = {}
        self._started = time.monotonic()

    def train_dataloader(self) -> DataLoader[Item]:
        """The crops of the current epoch; the trainer asks anew for each."""
        per_epoch = self.settings.steps_per_epoch * self.settings.batch
        crops = Crops(
            self.data,
            self.experiment.bands,
            size=self.settings.crop,
            seed=self.settings.seed,
            start=self.trainer.current_epoch * per_epoch,
            count=per_epoch,
            instrument=training_instrument(self.experiment),
        )
        return self._loader(crops, self.settings.batch)

    def val_dataloader(self) -> DataLoader[Item]:
        """The first validation frames, whole."""
        limit = self.settings.n_check
        return self._loader(
            Frames(self.data, "validation", self.experiment.bands, limit=limit), batch_size=16
        )

    def _loader(self, items: Dataset[Item], batch_size: int) -> DataLoader[Item]:
        """Processes that load only where the cores are not busy with the network anyway."""
        n_workers = 0 if self.device.type == "cpu" else max(1, (os.cpu_count() or 2) - 2)
        return DataLoader(items, batch_size=batch_size, num_workers=n_workers)

    def configure_optimizers(self) -> Any:
        """AdamW (Loshchilov & Hutter 2019) with a one-cycle schedule."""
        settings = self.settings
        optimiser = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=settings.learning_rate, total_steps=settings.n_steps
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def training_step(self, batch: Item, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Loss of one batch of crops."""
        height, width = batch["image"].shape[-2:]
        features, skips = self.model.encode(batch["image"])
        output = self.model.paint(features, skips)[..., :height, :width]
        target = self.model.compress_light(batch["target"])
        loss = functional.mse_loss(output, target)
        self._losses.append(float(loss.detach()))
        blocks = functional.interpolate(target, features.shape[-2:], mode="area")
        return loss + self.settings.coarse_weight * functional.mse_loss(
            self.coarse(features), blocks
        )

    def validation_step(self, batch: Item, batch_idx: int) -> None:  # noqa: ARG002
        """Collect loss and score of whole frames."""
        output = self.model(batch["image"])
        error = (output - self.model.compress_light(batch["target"])) ** 2
        n_brightest = N_BRIGHTEST_WHILE_TRAINING[self.experiment.band]
        score = brightest_mean(output[:, 0].float().cpu().numpy(), n_brightest)
        collected = {
            "error": error.mean(dim=(1, 2, 3)).cpu().numpy(),
            "score": score,
            "label": batch["label"].cpu().numpy(),
        }
        for name, values in collected.items():
            self._validation.setdefault(name, []).append(values)

    def on_validation_epoch_end(self) -> None:
        """Log AUROC and loss of the validation frames, and add a row to the history."""
        whole = {name: np.concatenate(parts) for name, parts in self._validation.items()}
        self._validation = {}
        area = auroc(whole["label"], whole["score"])
        self.log("val_auroc", area)
        if not self._losses:
            return
        row = {
            "epoch": self.trainer.current_epoch + 1,
            "step": self.trainer.global_step,
            "train_loss": float(np.mean(self._losses)),
            "val_loss": float(whole["error"].mean()),
            "val_auroc": area,
            "minutes": (time.monotonic() - self._started) / 60,
        }
        self._losses = []
        self.rows.append(row)
        log.info(
            "epoch %(epoch)d: loss %(train_loss).4f, validation loss %(val_loss).4f, "
            "AUROC %(val_auroc).4f, %(minutes).1f minutes",
            row,
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The history is part of the state."""
        checkpoint["rows"] = self.rows

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the history, its clock included."""
        self.rows = list(checkpoint["rows"])
        if self.rows:
            self._started = time.monotonic() - 60 * self.rows[-1]["minutes"]


def training_instrument(experiment: Experiment) -> Instrument | None:
    """What training images pass through; None for the instrument of the data's recipe."""
    return Instrument.realistic() if experiment.training.artefacts else None
