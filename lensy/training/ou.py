"""The predecessor's networks taught here, by its protocol.

Adam at a constant rate, cross-entropy weighted by class, dropout, no augmentation, and the epoch
with the least loss on validation images is kept. Source: Wilde et al. 2022, section 3. What differs
is said by the scale: fewer images, smaller batches, fewer epochs.

Their training shows the network seven million images. A hundredth of them, an hour on two cores,
teaches OU-200 nothing from random weights: its loss stays where it began (measured once, 72 000
images in batches of 50: AUROC 0.486 on 6000 test images). So there is `ou-200-tuned`, which begins
with the published weights.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.models.classifier import log_odds
from lensy.models.ou import FAMILY, Design, Ou
from lensy.runs.experiment import Count, Scale, Training, known_scale, with_seed
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe, Split
from lensy.telescope.regrid import on_grid_of
from lensy.training.fit import NetworkExperiment, Tested
from lensy.training.learner import Learner
from lensy.training.ou_weights import fetch_weights, published
from lensy.training.predecessor import frames_for, ou_scorer, predecessor_scores
from lensy.training.scorer import Scorer
from lensy.training.unet_scores import meaning_of
from lensy.values import Image

Batch = tuple[Tensor, Tensor]


class OuTraining(Training):
    """Settings of one training run. An epoch sees every training image once."""

    batch: Count = 20
    n_epochs: Count = 5
    steps_per_epoch: Count = 250
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    n_check: Count = 1000
    """Validation frames whose loss chooses the epoch."""


TRAINING = {
    "smoke": OuTraining(batch=20, n_epochs=1, steps_per_epoch=3, n_check=20),
    "laptop": OuTraining(),
    "talk": OuTraining(batch=500, n_epochs=150, steps_per_epoch=90, n_check=3000),
}
"""At scale laptop 25 000 images are seen; at scale talk 6.75 million, as in the paper."""

TUNED = "-tuned"
"""Ending of the name of an experiment that begins with the published weights."""


class OuExperiment(NetworkExperiment):
    """One of the predecessor's networks, its training and the recipe of its data.

    network: one of `models.ou.FAMILY`. tuned: whether it begins with the published weights, else
    with random ones.
    """

    kind: ClassVar[str] = "ou"
    names: ClassVar[tuple[str, ...]] = (*FAMILY, f"ou-200{TUNED}", f"ou-vis{TUNED}")
    judged_by: ClassVar[Literal["val_auroc", "val_loss"]] = "val_loss"

    network: str
    training: OuTraining
    tuned: bool = False

    @classmethod
    def named(cls, name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None) -> Self:
        """The training of that name. seed: another one than usual becomes part of the name."""
        tuned = name.endswith(TUNED)
        label = name if tuned else f"{name}-trained"
        label, training = with_seed(label, TRAINING[known_scale(scale)], seed)
        return cls(
            name=label,
            scale=scale,
            network=name.removesuffix(TUNED),
            training=training,
            recipe=recipe,
            tuned=tuned,
        )

    @property
    def design(self) -> Design:
        """What the network sees."""
        return FAMILY[self.network]

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands that the network sees, in the order of its channels."""
        return self.design.bands

    @property
    def band(self) -> str:
        """The band whose numbers describe the examples: VIS where it is seen."""
        return "VIS" if "VIS" in self.bands else self.bands[0]

    def learner(self, data: DataSet) -> Learner:
        """The network with its data."""
        return OuLearner(self, data)

    def load(self, run: Run) -> Ou:
        """The network of a finished run."""
        model = Ou(self.network)
        model.load_state_dict(run.weights())
        return model.eval()

    def validated(
        self, network: nn.Module, data: DataSet, *, earlier: dict[str, Any] | None, progress: bool
    ) -> dict[str, Any]:
        """What a score means."""
        del earlier
        frames = frames_for(self.design, data, "validation")
        found = predecessor_scores(network, frames, progress=progress)
        return meaning_of(found["label"], found["score"], "log-odds of a lens")

    def tested(
        self, network: nn.Module, data: DataSet, score: dict[str, Any], *, progress: bool
    ) -> Tested:
        """Scores of the test set."""
        del score
        frames = frames_for(self.design, data)
        return Tested(predecessor_scores(network, frames, progress=progress), {})

    def scorer(self, run: Run, precision: str | None = None) -> Scorer:
        """Log-odds of a lens; precision: single, whatever is asked."""
        del precision
        return ou_scorer(self.load(run), run)


class Remembered(Dataset[Batch]):
    """Frames of a split kept in memory: images as the network wants them, and labels.

    Each band is kept on its own pixels, scaled to [0, 1] in half precision, a tenth of a percent
    of the noise; the network scales to [0, 1] anyway.
    """

    def __init__(
        self, data: DataSet, split: Split, design: Design, *, limit: int | None = None
    ) -> None:
        self.design = design
        self.labels = data.labels(split)[:limit]
        if not len(self.labels):
            raise LensyError(f"{data.folder} has no examples in {split!r}.")
        self.images = [
            [_scaled(data.observed(split, k, name)) for name in design.bands]
            for k in range(len(self.labels))
        ]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Batch:
        bands = [
            on_grid_of(image.astype(np.float32), name, self.design.grid)
            for image, name in zip(self.images[index], self.design.bands, strict=True)
        ]
        return torch.from_numpy(np.stack(bands)), torch.tensor(int(self.labels[index]))


def _scaled(image: Image) -> np.ndarray:
    low, high = float(image.min()), float(image.max())
    return ((image - low) / max(high - low, 1e-12)).astype(np.float16)


class OuLearner(Learner):
    """One of the networks with its loss and its data."""

    def __init__(self, experiment: OuExperiment, data: DataSet) -> None:
        self.settings = experiment.training
        super().__init__(self.settings, n_steps=self.settings.n_steps)
        self.model = Ou(experiment.network)
        if experiment.tuned:
            name = experiment.network
            self.model.load_state_dict(published(name, fetch_weights(name)).state_dict())
        self.training_frames = Remembered(data, "train", experiment.design)
        limit = self.settings.n_check
        self.checked = Remembered(data, "validation", experiment.design, limit=limit)
        share = float(np.mean(self.training_frames.labels))
        if not 0 < share < 1:
            raise LensyError(f"{data.folder} has one class only in 'train': make more examples.")
        weights = torch.tensor([0.5 / (1 - share), 0.5 / share])
        self.loss = nn.CrossEntropyLoss(weight=weights)

    def configure_optimizers(self) -> Any:
        """Adam at a constant rate."""
        return torch.optim.Adam(self.parameters(), lr=self.settings.learning_rate)

    def train_dataloader(self) -> DataLoader[Batch]:
        """All training frames in an order of this epoch, as many as its steps take."""
        rng = np.random.default_rng([self.settings.seed, self.trainer.current_epoch])
        order = rng.permutation(len(self.training_frames))
        n = self.settings.steps_per_epoch * self.settings.batch
        chosen = Subset(self.training_frames, np.resize(order, n).tolist())
        return self.loader(chosen, self.settings.batch)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The first validation frames."""
        return self.loader(self.checked, batch_size=50)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Weighted cross-entropy."""
        images, labels = batch
        return self.noted(self.loss(self.model(images), labels))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Loss and score of each frame."""
        images, labels = batch
        logits = self.model(images)
        loss = nn.functional.cross_entropy(
            logits, labels, weight=self.loss.weight, reduction="none"
        )
        self.collect(loss=loss, score=log_odds(logits).float(), label=labels)
