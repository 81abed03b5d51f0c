"""How Naberrie learns to paint: its loss and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from lensy.datasets.frames import Crops, Frames, Item
from lensy.datasets.store import DataSet
from lensy.metrics.ranking import brightest_mean
from lensy.models.unet import Naberrie
from lensy.telescope.bands import FILTERS, band
from lensy.training.learner import Learner

if TYPE_CHECKING:
    from lensy.training.unet import UnetExperiment

MARK_WEIGHT = 0.2
"""Of the artefact mask's loss, beside 1 for that of the painting: a second thought. Few pixels are
spoilt, so that both losses come to some hundredths, and half of the time the mask is empty."""


class UnetLearner(Learner):
    """Naberrie with its loss and its data.

    The loss is the mean squared error of arcsinh(flux / sigma), linear in the noise and
    logarithmic in bright arcs, so that faint arcs count. To it comes that of a coarse painting, a
    number per 16 x 16 pixels straight from the bottleneck, against the mean of the target there,
    and the cross-entropy of the artefact mask for a network that has one.
    """

    def __init__(self, experiment: UnetExperiment, data: DataSet) -> None:
        super().__init__(experiment.training, n_steps=experiment.training.n_steps)
        self.experiment = experiment
        self.settings = experiment.training
        self.data = data
        sigma = [band(name).background_sigma for name in experiment.bands]
        model = Naberrie(
            self.settings.width,
            sigma,
            self.settings.upsampling,
            marks_artefacts=experiment.marks_artefacts,
        )
        # an eighth faster on CPUs than the default order of channels
        self.model: Naberrie = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.coarse = nn.Conv2d(self.model.bottleneck_width, 1, kernel_size=1)

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
            instrument=self.experiment.instrument,
        )
        return self.loader(crops, self.settings.batch)

    def val_dataloader(self) -> DataLoader[Item]:
        """The first validation frames, whole."""
        limit = self.settings.n_check
        frames = Frames(self.data, "validation", self.experiment.bands, limit=limit)
        return self.loader(frames, batch_size=16)

    def training_step(self, batch: Item, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Loss of one batch of crops."""
        height, width = batch["image"].shape[-2:]
        features, skips = self.model.encode(batch["image"])
        output = self.model.paint(features, skips)[..., :height, :width]
        target = self.model.compress_light(batch["target"])
        loss = self.noted(functional.mse_loss(output[:, :1], target))
        if self.model.marks_artefacts:
            loss = loss + MARK_WEIGHT * functional.binary_cross_entropy_with_logits(
                output[:, 1:], batch["spoilt"]
            )
        blocks = functional.interpolate(target, features.shape[-2:], mode="area")
        return loss + self.settings.coarse_weight * functional.mse_loss(
            self.coarse(features), blocks
        )

    def validation_step(self, batch: Item, batch_idx: int) -> None:  # noqa: ARG002
        """Loss and score of whole frames."""
        output = self.model(batch["image"])
        error = (output - self.model.compress_light(batch["target"])) ** 2
        # about the pixels of a ring
        n_brightest = FILTERS[self.experiment.band].n_brightest[2]
        score = brightest_mean(output[:, 0].float().cpu().numpy(), n_brightest)
        self.collect(
            loss=error.mean(dim=(1, 2, 3)), score=torch.from_numpy(score), label=batch["label"]
        )
