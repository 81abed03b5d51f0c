"""Training Naberrie and its classifier: one `fit`, and `obtain`, which trains or loads.

First the U-Net learns to paint, then the classifier's dense layers learn on its frozen encoder.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import torch

from lensy.datasets.frames import Crops, Frames
from lensy.datasets.store import DataSet
from lensy.models.classifier import Classifier, FrozenEncoder
from lensy.models.precision import computing_in
from lensy.provenance import provenance
from lensy.runs.library import Places, obtained
from lensy.runs.run import Run, claim, write_history
from lensy.runs.weights import round_trip_half
from lensy.simulation.example import Recipe
from lensy.training.fit import check_start
from lensy.training.head import HeadHistory, cached_features, train_head
from lensy.training.learner import arithmetic, train
from lensy.training.unet import Experiment
from lensy.training.unet_learner import NaberrieModule, training_instrument
from lensy.training.unet_scores import elsewhere, finish_run, score_again

log = logging.getLogger(__name__)


def fit(
    experiment: Experiment,
    data: DataSet,
    folder: Path,
    *,
    start: Run | None = None,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> Run:
    """Train U-Net and classifier, each as validation likes it best, score the test set, write it.

    start: the finished run of `experiment.start`, if it has one. folder: where the run is written.
    A killed job that is started again goes on after its last
    finished epoch and ends with the weights it would have had. trainer_options: passed on to
    Lightning's Trainer (`accelerator`, `devices`, `num_nodes`, ...).
    Raises LensyError where data or folder belong to another experiment.
    """
    check_start(experiment, start)
    origin = provenance()
    claim(folder, experiment, data)
    torch.manual_seed(experiment.training.seed)
    module = NaberrieModule(experiment, data)
    if start:
        module.model.begin_with(start.model())
    best = train(module, folder / "checkpoints", progress=progress, options=trainer_options)
    state = torch.load(best, weights_only=True, map_location="cpu")["state_dict"]
    module.load_state_dict(state)
    round_trip_half(module.model)
    write_history(folder / "history.csv", module.rows)
    device = _device(trainer_options or {})
    encoder = FrozenEncoder(module.model.to(device).eval())
    best_row = max(module.rows, key=lambda row: row["val_auroc"])
    about: dict[str, Any] = {
        "best_epoch": best_row["epoch"],
        "wall_seconds": round(60 * module.rows[-1]["minutes"], 1),
        "arithmetic": arithmetic(trainer_options),
        "provenance": origin,
    }
    with computing_in(about["arithmetic"], device.type):
        classifier, history = _classifier(encoder, experiment, data, progress)
        return finish_run(
            experiment, classifier, history, data, folder, about=about, progress=progress
        )


def fit_classifier(run: Run, data: DataSet, folder: Path, *, progress: bool = False) -> Run:
    """New dense layers for another data set, on the frozen encoder of a finished run.

    The run's name says for which population; its U-Net is that of `run`, bit by bit.
    """
    origin = provenance()
    trained = run.info["experiment"]
    experiment = elsewhere(run, data.recipe, "for")
    started = time.monotonic()
    device = _device({})
    encoder = FrozenEncoder(run.model().to(device))
    with computing_in(run.arithmetic, device.type):
        classifier, history = _classifier(encoder, experiment, data, progress)
        about = {
            "wall_seconds": round(time.monotonic() - started, 1),
            "arithmetic": run.arithmetic,
            "provenance": origin,
            "encoder_of": {"name": trained["name"], "fingerprint": run.info["fingerprint"]},
        }
        write_history(folder / "history.csv", run.history_rows())
        return finish_run(
            experiment,
            classifier,
            history,
            data,
            folder,
            about=about,
            n_brightest=run.info["score"]["painting"]["n_brightest"],
            progress=progress,
        )


def _device(options: dict[str, Any]) -> torch.device:
    """Where Lightning trained, or would."""
    wants_cpu = options.get("accelerator") == "cpu" or not torch.cuda.is_available()
    return torch.device("cpu" if wants_cpu else "cuda")


def _classifier(
    encoder: FrozenEncoder, experiment: Experiment, data: DataSet, progress: bool
) -> tuple[Classifier, HeadHistory]:
    """Dense layers on the encoder, trained on whole frames, in half precision like the encoder."""
    settings = experiment.training
    frames = Crops(
        data,
        experiment.bands,
        size=None,
        seed=settings.seed,
        start=0,
        count=settings.head.n_draws * data.recipe.n_train,
        instrument=training_instrument(experiment),
    )
    train = cached_features(encoder, frames, progress=progress)
    checked = Frames(data, "validation", experiment.bands)
    validation = cached_features(encoder, checked, progress=progress)
    head, history = train_head(train, validation, settings.head, seed=settings.seed)
    round_trip_half(head)
    log.info(
        "dense layers: validation AUROC %.4f after %.0f seconds",
        max(history.validation_auroc),
        history.seconds,
    )
    return Classifier(encoder, head.to(encoder.unet.sigma.device)), history


def obtain(experiment: Experiment, **places: Unpack[Places]) -> Run:
    """The run of an experiment: shipped, made earlier, or else trained now, data included.

    So is the run that it begins with.
    """

    def make(data: DataSet, folder: Path, *, progress: bool) -> Run:
        start = obtain(experiment.start, **places) if experiment.start else None
        return fit(experiment, data, folder, start=start, progress=progress)

    return obtained(experiment, make, **places)


def obtain_elsewhere(run: Run, recipe: Recipe, *, retrain: bool, **places: Unpack[Places]) -> Run:
    """A run's networks on other data: shipped, made earlier, or else scored now, data included.

    retrain: whether the classifier's dense layers are trained anew for these data.
    """
    wanted = elsewhere(run, recipe, "for" if retrain else "on")
    return obtained(wanted, partial(fit_classifier if retrain else score_again, run), **places)
