"""Score whole frames with a trained network, and choose on validation how to score."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.datasets import Frames
from lensy.metrics import auroc, brightest_mean, threshold_at
from lensy.models.naberrie import Naberrie
from lensy.models.ou import OuVis
from lensy.simulate import Split
from lensy.store import DataSet

Floats = NDArray[np.float64]

N_BRIGHTEST = (10, 30, 100, 300, 1000)
"""Numbers of output pixels whose mean may be the score; validation chooses."""

TEST_COLUMNS = (
    "einstein_radius",
    "lens_magnitude",
    "source_magnitude",
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


def choose_score(validation: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Which number of brightest pixels ranks validation best, with every candidate's AUROC.

    Also the scores that 10 % and 1 % of the validation non-lenses reach.
    """
    labels = validation["label"]
    areas = {n: auroc(labels, validation[f"brightest_{n}"]) for n in N_BRIGHTEST}
    best = max(areas, key=lambda n: areas[n])
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
