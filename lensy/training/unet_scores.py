"""Score whole frames with a trained network, and choose on validation how to score."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.datasets.frames import Frames, example_columns
from lensy.datasets.store import DataSet
from lensy.metrics.operating_point import Calibration, calibrate
from lensy.metrics.ranking import auroc, brightest_mean, ranking_results, threshold_at
from lensy.metrics.reconstruction import COLUMNS as PAINTING_COLUMNS
from lensy.metrics.reconstruction import painting_quality
from lensy.models.classifier import Classifier, log_odds
from lensy.models.precision import computing_in
from lensy.provenance import provenance, write_json
from lensy.runs.run import Run, write_run
from lensy.simulation.example import Recipe
from lensy.telescope.bands import band
from lensy.training.head import BATCH, HeadHistory
from lensy.training.unet import Experiment
from lensy.values import Columns

N_BRIGHTEST: dict[str, tuple[int, ...]] = {
    "VIS": (10, 30, 100, 300, 1000),
    **dict.fromkeys("YJH", (3, 10, 30, 100)),
}
"""Numbers of output pixels whose mean may rank paintings, by band; validation chooses."""


def score_frames(classifier: Classifier, frames: Frames, *, progress: bool = False) -> Columns:
    """Scores, labels and quality of the paintings of whole frames, a value per frame each.

    `label`; `score`, log-odds of lens, and `lens_logit`, the second of the two logits whose
    difference it is; `brightest_<n>`, mean of the n brightest output pixels on
    the network's scale, per entry of N_BRIGHTEST; and the columns of `painting.painting_quality`.
    """
    classifier = classifier.fused()
    unet, parts = classifier.encoder.unet, dict[str, list[NDArray[Any]]]()
    name = frames.bands[0]
    scale = {"sigma": float(unet.sigma[0]), "pixel_scale": band(name).pixel_scale}
    device = unet.sigma.device
    with torch.inference_mode():
        for batch in tqdm(batches(frames), desc="scoring", unit="batch", disable=not progress):
            flux = batch["image"].to(device)
            logits = classifier(flux)
            painted = unet(flux)[:, 0].float().cpu().numpy()
            columns = {
                "label": batch["label"].numpy(),
                "score": log_odds(logits).double().cpu().numpy(),
                "lens_logit": logits[:, 1].double().cpu().numpy(),
                **{f"brightest_{n}": brightest_mean(painted, n) for n in N_BRIGHTEST[name]},
                **painting_quality(
                    painted, batch["target"][:, 0].numpy(), batch["image"][:, 0].numpy(), **scale
                ),
            }
            for key, values in columns.items():
                parts.setdefault(key, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def batches(frames: Frames) -> DataLoader[Any]:
    """Frames in order, BATCH at a time."""
    return DataLoader(frames, batch_size=BATCH)


def choose_painting_score(
    validation: Mapping[str, NDArray[Any]], *, n_brightest: int | None = None
) -> dict[str, Any]:
    """Which number of brightest pixels ranks validation best, with every candidate's AUROC.

    Also the scores that 10 % and 1 % of the validation non-lenses reach. n_brightest: the number,
    where it was chosen before.
    """
    labels = validation["label"]
    names = [name for name in validation if name.startswith("brightest_")]
    areas = {name: auroc(labels, validation[name]) for name in names}
    best = f"brightest_{n_brightest}" if n_brightest else max(areas, key=lambda name: areas[name])
    return {
        "n_brightest": int(best.removeprefix("brightest_")),
        "validation_auroc": {
            name.removeprefix("brightest_"): round(area, 4) for name, area in areas.items()
        },
        "threshold_at_false_positive_rate": _thresholds(labels, validation[best]),
    }


def _thresholds(labels: Any, scores: Any) -> dict[str, float]:
    return {
        str(rate): threshold_at(labels, scores, false_positive_rate=rate) for rate in (0.1, 0.01)
    }


def describe_score(
    validation: Mapping[str, NDArray[Any]], painting: Mapping[str, Any]
) -> dict[str, Any]:
    """How an image is scored and what a score means: what a run keeps of the validation frames.

    painting: from `choose_painting_score`.
    """
    labels, scores = validation["label"], validation["score"]
    calibration = calibrate(labels, scores)
    return {
        "kind": "log-odds of the classifier",
        "validation_auroc": round(auroc(labels, scores), 4),
        "threshold_at_false_positive_rate": _thresholds(labels, scores),
        "calibration": {"slope": calibration.slope, "intercept": calibration.intercept},
        "painting": dict(painting),
    }


def calibration_of(run: Run) -> Calibration:
    """The calibration of a run's classifier."""
    return Calibration(**run.info["score"]["calibration"])


def finish_run(
    experiment: Experiment,
    classifier: Classifier,
    history: HeadHistory,
    data: DataSet,
    folder: Path,
    *,
    about: dict[str, Any],
    n_brightest: int | None = None,
    score: dict[str, Any] | None = None,
    keep_weights: bool = True,
    progress: bool = False,
) -> Run:
    """Score validation and test set with finished networks, and write the run.

    about: what else `run.json` should say. n_brightest: where it was chosen before. score: what
    validation would say of the score, where it is known. keep_weights: whether the run holds the
    networks.
    """
    if score is None:
        validation = score_frames(
            classifier, Frames(data, "validation", experiment.bands), progress=progress
        )
        painting = choose_painting_score(validation, n_brightest=n_brightest)
        score = describe_score(validation, painting)
    test = score_frames(classifier, Frames(data, "test", experiment.bands), progress=progress)
    brightest = test[f"brightest_{score['painting']['n_brightest']}"]
    kept = {name: test[name] for name in ("label", "score", "lens_logit", *PAINTING_COLUMNS)}
    kept |= {"brightest": brightest, **example_columns(data, experiment.band)}
    info = {
        "experiment": experiment.model_dump(mode="json"),
        "fingerprint": experiment.fingerprint,
        "score": score,
        "classifier": history.as_dict(),
        "test": ranking_results(test["label"], test["score"]),
        "test_painting": ranking_results(test["label"], brightest),
        **about,
    }
    networks = {"model": classifier.encoder.unet, "head": classifier.head} if keep_weights else None
    return write_run(folder, info=info, scores=kept, networks=networks)


def elsewhere(run: Run, recipe: Recipe, word: Literal["on", "for"]) -> Experiment:
    """A run's experiment with other data: "on" them is only scored, "for" them a new classifier."""
    trained = run.info["experiment"]
    data = recipe.name.removesuffix(f"-{trained['scale']}")
    name = f"{trained['name']}-{word}-{data}"
    changes = {"name": name, "recipe": recipe.model_dump(mode="json")}
    return Experiment.model_validate(trained | changes)


def score_again(run: Run, data: DataSet, folder: Path, *, progress: bool = False) -> Run:
    """Score another data set with a finished run's networks, and write that as a run of its own.

    The networks stay as they are; thresholds and calibration are those of the new validation set,
    and those of the run where there is none. The run's name says on what it was scored, and it
    holds no weights.
    """
    experiment = elsewhere(run, data.recipe, "on")
    trained = run.info["experiment"]
    started = time.monotonic()
    carried = ("best_epoch", "wall_seconds", "arithmetic", "provenance")
    about = {name: run.info[name] for name in carried if name in run.info}
    about |= {"trained_on": trained["recipe"], "scored": provenance()}
    with computing_in(run.arithmetic):
        again = finish_run(
            experiment,
            run.classifier(),
            HeadHistory(**run.info["classifier"]),
            data,
            folder,
            about=about,
            n_brightest=run.info["score"]["painting"]["n_brightest"],
            score=None if data.recipe.n_validation else run.info["score"],
            keep_weights=False,
            progress=progress,
        )
    again.info["scored"]["wall_seconds"] = round(time.monotonic() - started, 1)
    write_json(folder / "run.json", again.info)
    return again
