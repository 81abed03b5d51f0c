"""How Mask R-CNN learns: torchvision's own losses, added up, on whole frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lensy.datasets.instances import LENS, Instances, Objects, collated
from lensy.datasets.store import DataSet
from lensy.models.mask_rcnn import MaskRcnn, image_score
from lensy.training.learner import Learner

if TYPE_CHECKING:
    from lensy.training.mask_rcnn import MaskExperiment

Batch = tuple[Tensor, list[Objects]]


class MaskRcnnLearner(Learner):
    """Mask R-CNN with its data."""

    def __init__(self, experiment: MaskExperiment, data: DataSet) -> None:
        settings = experiment.training
        super().__init__(settings, n_steps=settings.n_steps)
        self.experiment = experiment
        self.settings = settings
        self.data = data
        # as for Naberrie, faster on CPUs than the default order of channels
        network = experiment.network()
        self.model: MaskRcnn = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def train_dataloader(self) -> DataLoader[Batch]:
        """The frames of the current epoch; the trainer asks anew for each."""
        per_epoch = self.settings.steps_per_epoch * self.settings.batch
        frames = Instances(
            self.data,
            "train",
            self.experiment.objects,
            limit=self.settings.n_train,
            seed=self.settings.seed,
            start=self.trainer.current_epoch * per_epoch,
            count=per_epoch,
            crop=self.settings.crop,
        )
        return self.loader(frames, self.settings.batch, collate_fn=collated)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The first validation frames, with a label of their own: whether it is a lens."""
        frames = Instances(
            self.data, "validation", self.experiment.objects, limit=self.settings.n_check
        )
        return self.loader(frames, batch_size=8, collate_fn=collated)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Sum of the losses of boxes, classes, masks and proposals."""
        images, objects = batch
        losses: dict[str, Tensor] = self.model(images, objects)
        return self.noted(torch.stack(list(losses.values())).sum())

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Score of whole frames; one with lensed light among its objects is a lens."""
        images, objects = batch
        score = image_score(self.model.detect(images), LENS)
        label = torch.tensor([bool((each["labels"] == LENS).any()) for each in objects])
        self.collect(score=score, label=label)
