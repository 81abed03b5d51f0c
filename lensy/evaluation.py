"""Score whole frames with a trained network, and choose on validation how to score."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.datasets import Frames
from lensy.errors import LensyError
from lensy.experiments import Experiment
from lensy.metrics import (
    auroc,
    bootstrap,
    brightest_mean,
    threshold_at,
    true_positive_rate_at,
)
from lensy.models.naberrie import Naberrie
from lensy.models.ou import OuVis
from lensy.provenance import provenance, sha256
from lensy.runs import SHIPPED, Run, write_history, write_run
from lensy.simulate import Recipe, Split
from lensy.store import DataSet, make_data_set

Floats = NDArray[np.float64]

N_BRIGHTEST = (10, 30, 100, 300, 1000)
"""Numbers of output pixels whose mean may be the score; validation chooses."""

TEST_COLUMNS = (
    "einstein_radius",
    "lens_magnitude_VIS",
    "source_magnitude_VIS",
    "arc_signal_to_noise_VIS",
    "arc_contrast_VIS",
    "magnification",
    "has_source",
)
"""Columns of the catalogue that travel with the scores of a test set."""

BATCH = 16


def score_frames(
    model: Naberrie | OuVis, frames: Frames, *, progress: bool = False
) -> dict[str, NDArray[Any]]:
    """Scores and labels of whole frames.

    For Naberrie one column `brightest_<n>` per entry of N_BRIGHTEST (on the network's scale) and
    `squared_error`, the mean over pixels of (output - target)^2 on that scale; for OuVis `score`.
    """
    loader = DataLoader(frames, batch_size=BATCH)
    parts: dict[str, list[NDArray[Any]]] = {"label": []}
    model.eval()
    with torch.inference_mode():
        for batch in tqdm(loader, desc="scoring", unit="batch", disable=not progress):
            parts["label"].append(batch["label"].numpy())
            for name, values in _score_batch(model, batch).items():
                parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _score_batch(model: Naberrie | OuVis, batch: dict[str, torch.Tensor]) -> dict[str, Floats]:
    if isinstance(model, OuVis):
        return {"score": model.score(batch["image"]).double().numpy()}
    output = model(batch["image"])
    error = (output - model.compress(batch["target"])) ** 2
    columns = {f"brightest_{n}": brightest_mean(output[:, 0].numpy(), n) for n in N_BRIGHTEST}
    return columns | {"squared_error": error.mean(dim=(1, 2, 3)).double().numpy()}


def choose_score(
    validation: dict[str, NDArray[Any]], *, n_brightest: int | None = None
) -> dict[str, Any]:
    """Which number of brightest pixels ranks validation best, with every candidate's AUROC.

    Also the scores that 10 % and 1 % of the validation non-lenses reach. n_brightest: the number,
    where it was chosen before.
    """
    labels = validation["label"]
    areas = {n: auroc(labels, validation[f"brightest_{n}"]) for n in N_BRIGHTEST}
    best = n_brightest or max(areas, key=lambda n: areas[n])
    scores = validation[f"brightest_{best}"]
    return {
        "kind": "mean of the brightest output pixels",
        "n_brightest": best,
        "validation_auroc": {str(n): round(area, 4) for n, area in areas.items()},
        "threshold_at_false_positive_rate": {
            str(rate): threshold_at(labels, scores, false_positive_rate=rate)
            for rate in (0.1, 0.01)
        },
    }


def example_columns(data: DataSet, split: Split = "test") -> dict[str, NDArray[Any]]:
    """What each example of a split is, in the order of the scores, single precision."""
    catalogue = data.catalogue(split)
    columns = {}
    for name in TEST_COLUMNS:
        values = np.asarray(catalogue[name])
        columns[name] = values if values.dtype == bool else values.astype(np.float32)
    return columns


def ranking_results(labels: Any, scores: Any) -> dict[str, Any]:
    """AUROC and true positive rate at 1 % false positives on a test set, with 95 % intervals."""

    def at_one_percent(labels: Any, scores: Any) -> float:
        return true_positive_rate_at(labels, scores, false_positive_rate=0.01)

    results: dict[str, Any] = {"n": len(labels), "n_lenses": int(np.sum(labels))}
    for name, metric in {"auroc": auroc, "tpr_at_fpr_0.01": at_one_percent}.items():
        estimate = bootstrap(metric, labels, scores)
        results[name] = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return results


def score_again(run: Run, data: DataSet, folder: Path, *, progress: bool = False) -> Run:
    """Score another data set with a finished run's network, and write that as a run of its own.

    The score stays as it was chosen; thresholds are those of the new validation set. The run's
    name says on what it was scored, unless that is the population it was trained on: then the run
    stands for the old one and has its weights. `trained_on` is the recipe of the training.
    """
    trained_on = run.info.get("trained_on", run.info["experiment"]["recipe"])
    population = data.recipe.population.kind
    name = run.info["experiment"]["name"]
    if population != trained_on["population"]["kind"]:
        name = f"{name}-on-{population}"
    recipe = json.loads(data.recipe.model_dump_json())
    experiment = Experiment.model_validate(
        run.info["experiment"] | {"name": name, "recipe": recipe}
    )
    model, started = run.model(), time.monotonic()
    chosen = run.info["score"]["n_brightest"]
    validation = score_frames(model, Frames(data, "validation", experiment.band), progress=progress)
    test = score_frames(model, Frames(data, "test", experiment.band), progress=progress)
    columns = test_columns(test, chosen)
    info = run.info | {
        "experiment": json.loads(experiment.model_dump_json()),
        "fingerprint": experiment.fingerprint,
        "trained_on": trained_on,
        "score": choose_score(validation, n_brightest=chosen),
        "test": ranking_results(columns["label"], columns["score"]),
        "scored": provenance() | {"wall_seconds": round(time.monotonic() - started, 1)},
    }
    write_history(folder / "history.csv", run.history_rows())
    weights = model if name == run.info["experiment"]["name"] else None
    return write_run(folder, info=info, scores=columns | example_columns(data), model=weights)


def test_columns(test: dict[str, NDArray[Any]], n_brightest: int) -> dict[str, NDArray[Any]]:
    """What a run keeps of a scored test set: score, label and squared error of each example."""
    return {
        "score": test[f"brightest_{n_brightest}"].astype(np.float32),
        "label": test["label"],
        "squared_error": test["squared_error"].astype(np.float32),
    }


def score_predecessor(weights: Path, data: DataSet, folder: Path, *, progress: bool = False) -> Run:
    """Score a test set with the predecessor's published OU-VIS weights, and write the run.

    weights: safetensors file with the published names. The run holds scores, no weights.
    Raises LensyError where the file does not fit the network.
    """
    model = OuVis()
    try:
        model.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise LensyError(
            f"{weights} does not hold the weights of OU-VIS ({first}): give the converted "
            "safetensors file of the published network."
        ) from None
    started = time.monotonic()
    columns = score_frames(model, Frames(data, "test", "VIS"), progress=progress)
    info = {
        "experiment": {
            "name": "ou-vis",
            "scale": data.recipe.name.rsplit("-", 1)[-1],
            "recipe": json.loads(data.recipe.model_dump_json()),
            "weights_sha256": sha256(weights),
        },
        "fingerprint": data.recipe.fingerprint,
        "wall_seconds": round(time.monotonic() - started, 1),
        "test": ranking_results(columns["label"], columns["score"]),
        "provenance": provenance(),
    }
    columns["score"] = columns["score"].astype(np.float32)
    return write_run(folder, info=info, scores=columns)


def read_test_set(
    recipe: Recipe, *, data_folder: Path, use_shipped: bool = True
) -> dict[str, NDArray[Any]]:
    """Label and catalogue columns of a recipe's test set, each (n,), in order of the examples.

    They come from the scores of a shipped run on the same recipe, else from the data set
    below `data_folder`, which is made where it is missing.
    """
    if use_shipped:
        for path in sorted(SHIPPED.glob("*/*/run.json")):
            info = json.loads(path.read_text("utf-8"))
            if info["experiment"]["recipe"] == json.loads(recipe.model_dump_json()):
                with np.load(path.with_name("scores.npz"), allow_pickle=False) as scores:
                    return {name: scores[name] for name in ("label", *TEST_COLUMNS)}
    data = make_data_set(recipe, data_folder / recipe.name, progress=False)
    return {"label": data.labels("test")} | example_columns(data)
