"""The predecessor's networks trained here, by its protocol.

Adam at a constant rate, cross-entropy weighted by class, dropout, no augmentation, and the epoch
with the least loss on validation images is kept. Source: Wilde et al. 2022, section 3. What differs
is said by the scale: fewer images, smaller batches, fewer epochs.

Their training shows the network seven million images. A hundredth of them, an hour on two cores,
teaches OU-200 nothing from random weights: its loss stays where it began (measured once, 72 000
images in batches of 50: AUROC 0.486 on 6000 test images). So there is `ou-200-tuned`, which begins
with the published weights.
"""

from __future__ import annotations

import hashlib
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Unpack

import numpy as np
import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from lensy.datasets.frames import Frames, example_columns
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.metrics.ranking import auroc, ranking_results, threshold_at
from lensy.models.classifier import log_odds
from lensy.models.ou import FAMILY, Design, Ou
from lensy.provenance import provenance
from lensy.runs.experiment import Count, Scale, check_scale, with_seed
from lensy.runs.library import Places, obtained
from lensy.runs.run import SHIPPED, Run, claim, write_history, write_run
from lensy.runs.weights import round_trip_half, single_precision_weights
from lensy.simulation.example import BandName, Recipe, Split
from lensy.telescope.regrid import on_grid_of
from lensy.training.learner import Learner, arithmetic, train
from lensy.training.ou_weights import content, fetch_weights
from lensy.training.unet_scores import batches
from lensy.values import Columns, Frozen


def find_predecessor(recipe: Recipe, network: str = "ou-vis") -> Run | None:
    """The shipped scores of one of the predecessor's published networks on a recipe's test set.

    None where it was not scored on that recipe: its weights do not come with the package.
    """
    for path in sorted(SHIPPED.glob(f"*/{network}-published/run.json")):
        run = Run(path.parent)
        scored = Recipe.model_validate(run.info["experiment"]["recipe"])
        if scored.fingerprint == recipe.fingerprint:
            return run
    return None


Batch = tuple[Tensor, Tensor]


class OuTraining(Frozen):
    """Settings of one training run. An epoch sees every training image once."""

    batch: Count = 20
    n_epochs: Count = 5
    steps_per_epoch: Count = 250
    learning_rate: Annotated[float, Field(gt=0)] = 3e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    n_check: Count = 1000
    """Validation frames whose loss chooses the epoch."""
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def n_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.n_epochs * self.steps_per_epoch


class OuExperiment(Frozen):
    """One of the predecessor's networks, its training and the recipe of its data."""

    name: str
    scale: Scale
    network: str
    training: OuTraining
    recipe: Recipe
    tuned: bool = False
    """Whether it begins with the published weights, else with random ones."""

    @property
    def design(self) -> Design:
        """What the network sees."""
        return FAMILY[self.network]

    @property
    def band(self) -> BandName:
        """The band whose numbers describe the examples: VIS where it is seen."""
        return "VIS" if "VIS" in self.design.bands else self.design.bands[0]

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with any setting or the data's recipe."""
        start = "published" if self.tuned else ""
        content = self.training.model_dump_json() + self.network + start + self.recipe.fingerprint
        return hashlib.sha256(content.encode()).hexdigest()[:12]


TRAINING = {
    "smoke": OuTraining(batch=20, n_epochs=1, steps_per_epoch=3, n_check=20),
    "laptop": OuTraining(),
    "talk": OuTraining(batch=500, n_epochs=150, steps_per_epoch=90, n_check=3000),
}
"""At scale laptop 25 000 images are seen; at scale talk 6.75 million, as in the paper."""

TUNED = "-tuned"
"""Ending of the name of an experiment that begins with the published weights."""

NAMES = (*FAMILY, f"ou-200{TUNED}", f"ou-vis{TUNED}")
"""All experiments."""


def ou_experiment(
    name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None
) -> OuExperiment:
    """The training called `name` at a scale; another seed is part of the experiment's name.

    Raises LensyError with the names there are.
    """
    if name not in NAMES:
        raise LensyError(f"There is no network {name!r}; the networks are {', '.join(NAMES)}.")
    check_scale(scale)
    tuned = name.endswith(TUNED)
    label = name if tuned else f"{name}-trained"
    label, training = with_seed(label, TRAINING[scale], seed)
    return OuExperiment(
        name=label,
        scale=scale,
        network=name.removesuffix(TUNED),
        training=training,
        recipe=recipe,
        tuned=tuned,
    )


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


def _scaled(image: np.ndarray) -> np.ndarray:
    low, high = float(image.min()), float(image.max())
    return ((image - low) / max(high - low, 1e-12)).astype(np.float16)


class OuModule(Learner):
    """One of the networks with its loss and its data."""

    def __init__(self, experiment: OuExperiment, data: DataSet) -> None:
        super().__init__(experiment.training)
        self.settings = experiment.training
        self.model = Ou(experiment.network)
        if experiment.tuned:
            name = experiment.network
            self.model.load_state_dict(published(name, fetch_weights(name)).state_dict())
        self.training_frames = Remembered(data, "train", experiment.design)
        limit = experiment.training.n_check
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
        self.collect(loss=loss, score=(logits[:, 1] - logits[:, 0]).float(), label=labels)


def fit_ou(
    experiment: OuExperiment,
    data: DataSet,
    folder: Path,
    *,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> Run:
    """Train a network, score the test set with its best epoch, and write the run.

    A killed job that is started again goes on after its last finished epoch.
    Raises LensyError where data or folder belong to another experiment.
    """
    origin = provenance()
    claim(folder, experiment, data)
    torch.manual_seed(experiment.training.seed)
    module = OuModule(experiment, data)
    best = train(
        module,
        folder / "checkpoints",
        judged_by="val_loss",
        progress=progress,
        options=trainer_options,
    )
    module.load_state_dict(torch.load(best, weights_only=True, map_location="cpu")["state_dict"])
    round_trip_half(module.model)
    write_history(folder / "history.csv", module.rows)
    model = module.model.eval()
    checked = predecessor_scores(model, frames_for(model, data, "validation"), progress=progress)
    columns = predecessor_scores(model, frames_for(model, data), progress=progress)
    rates = (0.1, 0.01)
    info = {
        "experiment": experiment.model_dump(mode="json"),
        "fingerprint": experiment.fingerprint,
        "best_epoch": min(module.rows, key=lambda row: row["val_loss"])["epoch"],
        "wall_seconds": round(60 * module.rows[-1]["minutes"], 1),
        "arithmetic": arithmetic(trainer_options),
        "score": {
            "kind": "log-odds of a lens",
            "validation_auroc": round(auroc(checked["label"], checked["score"]), 4),
            "threshold_at_false_positive_rate": {
                str(rate): threshold_at(*checked.values(), false_positive_rate=rate)
                for rate in rates
            },
        },
        "test": ranking_results(columns["label"], columns["score"]),
        "provenance": origin,
    }
    columns |= example_columns(data, experiment.band)
    return write_run(folder, info=info, scores=columns, networks={"model": model})


def trained_ou(run: Run) -> Ou:
    """The network of a finished run, in evaluation mode, single precision."""
    model = Ou(run.info["experiment"]["network"])
    model.load_state_dict(single_precision_weights(run.folder / "model.safetensors"))
    return model.eval()


def obtain_ou(experiment: OuExperiment, **places: Unpack[Places]) -> Run:
    """The run of an experiment: shipped, made earlier, or else trained now, data included."""
    return obtained(experiment, partial(fit_ou, experiment), **places)


def score_predecessor(
    weights: Path, data: DataSet, folder: Path, *, name: str = "ou-vis", progress: bool = False
) -> Run:
    """Score a test set with published weights of one of the predecessor's networks.

    weights: safetensors file with the published names. name: one of `models.ou.FAMILY`. The run
    that is written holds scores, no weights.
    Raises LensyError where the file does not fit the network.
    """
    model = published(name, weights)
    started = time.monotonic()
    columns = predecessor_scores(model, frames_for(model, data), progress=progress)
    info = {
        "experiment": {
            "name": f"{name}-published",
            "scale": data.recipe.name.rsplit("-", 1)[-1],
            "recipe": data.recipe.model_dump(mode="json"),
            "published": name,
        },
        "fingerprint": published_fingerprint(model, data.recipe),
        "wall_seconds": round(time.monotonic() - started, 1),
        "test": ranking_results(columns["label"], columns["score"]),
        "provenance": provenance(),
    }
    return write_run(folder, info=info, scores=columns)


def published_fingerprint(model: Ou, recipe: Recipe) -> str:
    """Twelve hexadecimal digits that change with any weight or the data's recipe."""
    known = content(model.state_dict()) + recipe.fingerprint
    return hashlib.sha256(known.encode()).hexdigest()[:12]


def published(name: str, weights: Path) -> Ou:
    """A published network, in evaluation mode. Raises LensyError where the file does not fit it."""
    if name not in FAMILY:
        raise LensyError(f"There is no network {name!r}; the networks are {', '.join(FAMILY)}.")
    model = Ou(name)
    try:
        model.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise LensyError(
            f"{weights} does not hold the weights of {name.upper()} ({first}): give the converted "
            "safetensors file of the published network."
        ) from None
    return model.eval()


def frames_for(model: Ou, data: DataSet, split: Split = "test") -> Frames:
    """Frames of a data set as a network of the family sees them."""
    return Frames(data, split, model.design.bands, grid=model.design.grid)


def predecessor_scores(model: Ou, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of whole frames with the predecessor's network: log-odds of a lens.

    Its probabilities are rounded to 1 for the images that matter most.
    """
    labels, scores = [], []
    with torch.inference_mode():
        for batch in tqdm(batches(frames), desc="scoring", unit="batch", disable=not progress):
            labels.append(batch["label"].numpy())
            scores.append(log_odds(model.eval()(batch["image"])).double().numpy())
    return {"label": np.concatenate(labels), "score": np.concatenate(scores)}
