"""Training a Mask R-CNN from beginning to scored run, and finding such runs again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lensy.datasets.frames import example_columns
from lensy.datasets.instances import LENS, Instances, Objects, collated
from lensy.datasets.store import DataSet
from lensy.metrics.ranking import auroc, ranking_results, threshold_at
from lensy.models.mask_rcnn import MaskRcnn, image_score
from lensy.provenance import provenance
from lensy.runs.library import Places, obtained
from lensy.runs.run import Run, claim, write_history, write_run
from lensy.runs.weights import round_trip_half, single_precision_weights
from lensy.simulation.example import Recipe
from lensy.telescope.bands import band
from lensy.training.detection_scores import score_images, score_instances
from lensy.training.fit import check_start
from lensy.training.learner import Learner, arithmetic, train
from lensy.training.mask_rcnn import MaskExperiment
from lensy.training.unet_fit import obtain


def fit_masks(
    experiment: MaskExperiment,
    data: DataSet,
    folder: Path,
    *,
    start: Run | None = None,
    keep_weights: bool = True,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> Run:
    """Train a Mask R-CNN, score the test set with the epoch validation likes best, write the run.

    start: the finished run of `experiment.start`, if it has one.

    A killed job that is started again goes on after its last finished epoch. keep_weights: whether
    the run holds the network. trainer_options: passed on to Lightning's Trainer.
    Raises LensyError where data or folder belong to another experiment.
    """
    check_start(experiment, start)
    origin = provenance()
    claim(folder, experiment, data)
    torch.manual_seed(experiment.training.seed)
    module = MaskRcnnModule(experiment, data)
    if start:
        module.model.begin_with(start.model())
    best = train(module, folder / "checkpoints", progress=progress, options=trainer_options)
    module.load_state_dict(torch.load(best, weights_only=True, map_location="cpu")["state_dict"])
    round_trip_half(module.model)
    write_history(folder / "history.csv", module.rows)
    about = {
        "best_epoch": max(module.rows, key=lambda row: row["val_auroc"])["epoch"],
        "wall_seconds": round(60 * module.rows[-1]["minutes"], 1),
        "arithmetic": arithmetic(trainer_options),
        "provenance": origin,
    }
    model = module.model.eval()
    return _finish(
        model, experiment, data, folder, about=about, keep_weights=keep_weights, progress=progress
    )


def mask_experiment_elsewhere(run: Run, recipe: Recipe) -> MaskExperiment:
    """A run's experiment, scored on other data."""
    trained = run.info["experiment"]
    data = recipe.name.removesuffix(f"-{trained['scale']}")
    changes = {"name": f"{trained['name']}-on-{data}", "recipe": recipe.model_dump(mode="json")}
    return MaskExperiment.model_validate(trained | changes)


def score_masks_again(run: Run, data: DataSet, folder: Path, *, progress: bool = False) -> Run:
    """Score another data set with a finished run's network, as a run of its own without weights.

    Thresholds are those of the new validation set, or of the run where there is none.
    """
    carried = ("best_epoch", "wall_seconds", "arithmetic", "provenance")
    about = {name: run.info[name] for name in carried}
    about |= {"trained_on": run.info["experiment"]["recipe"], "scored": provenance()}
    return _finish(
        trained_masks(run),
        mask_experiment_elsewhere(run, data.recipe),
        data,
        folder,
        about=about,
        score=None if data.recipe.n_validation else run.info["score"],
        keep_weights=False,
        progress=progress,
    )


def _finish(
    model: MaskRcnn,
    experiment: MaskExperiment,
    data: DataSet,
    folder: Path,
    *,
    about: dict[str, Any],
    keep_weights: bool,
    score: dict[str, Any] | None = None,
    progress: bool = False,
) -> Run:
    """Score validation and test set with a finished network, and write the run.

    score: what a score means, where that is not asked of the validation set.
    """
    limit = min(experiment.training.n_test, data.recipe.n_test)
    frames = Instances(data, "test", experiment.objects, limit=limit)
    # in single precision, whatever the training's: bfloat16 has three digits, and the best scores
    # differ in the third
    score = score or _validated(model, experiment, data, progress)
    columns, precision = score_instances(model, frames, progress=progress)
    examples = {name: each[:limit] for name, each in example_columns(data, experiment.band).items()}
    info = {
        "experiment": experiment.model_dump(mode="json"),
        "fingerprint": experiment.fingerprint,
        "score": score,
        "test": ranking_results(columns["label"], columns["score"]),
        "precision": precision,
        **about,
    }
    return write_run(
        folder,
        info=info,
        scores=columns | examples,
        networks={"model": model} if keep_weights else None,
    )


def _validated(
    model: MaskRcnn, experiment: MaskExperiment, data: DataSet, progress: bool
) -> dict[str, Any]:
    """What a score means, from all validation frames."""
    frames = Instances(data, "validation", experiment.objects)
    labels, scores = score_images(model, frames, progress=progress)
    rates = (0.1, 0.01)
    return {
        "kind": "best detection of lensed light, 0 without any",
        "validation_auroc": round(auroc(labels, scores), 4),
        "threshold_at_false_positive_rate": {
            str(rate): threshold_at(labels, scores, false_positive_rate=rate) for rate in rates
        },
    }


def trained_masks(run: Run) -> MaskRcnn:
    """The network of a finished run, in evaluation mode, single precision."""
    experiment = MaskExperiment.model_validate(run.info["experiment"])
    model = MaskRcnn(
        len(experiment.objects.classes),
        band(experiment.band).background_sigma,
        experiment.training.size,
    )
    model.load_state_dict(single_precision_weights(run.folder / "model.safetensors"))
    return model.eval()


def obtain_masks(experiment: MaskExperiment, **places: Unpack[Places]) -> Run:
    """The run of an experiment: shipped, made earlier, or else trained now, data included.

    So is the run that it begins with.
    """

    def make(data: DataSet, folder: Path, *, progress: bool) -> Run:
        start = obtain(experiment.start, **places) if experiment.start else None
        return fit_masks(experiment, data, folder, start=start, progress=progress)

    return obtained(experiment, make, **places)


def obtain_masks_elsewhere(run: Run, recipe: Recipe, **places: Unpack[Places]) -> Run:
    """A run's network on other data: shipped, made earlier, or else scored now, data included."""
    wanted = mask_experiment_elsewhere(run, recipe)
    return obtained(wanted, partial(score_masks_again, run), **places)


def without_detection(run: Run) -> dict[str, float]:
    """Share of lenses and of non-lenses in which nothing at all was found, of any score.

    Such images share the score 0, and so are one straight piece of the ROC curve, its last.
    """
    scores = run.scores()
    empty, labels = scores["score"] == 0, scores["label"].astype(bool)
    return {
        "lenses": float(np.mean(empty[labels])),
        "non-lenses": float(np.mean(empty[~labels])),
    }


Batch = tuple[Tensor, list[Objects]]


class MaskRcnnModule(Learner):
    """Mask R-CNN with its data."""

    def __init__(self, experiment: MaskExperiment, data: DataSet) -> None:
        super().__init__(experiment.training)
        self.experiment = experiment
        self.settings = experiment.training
        self.data = data
        model = MaskRcnn(
            len(experiment.objects.classes),
            band(experiment.band).background_sigma,
            self.settings.size,
        )
        # as for Naberrie, faster on CPUs than the default order of channels
        self.model: MaskRcnn = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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
