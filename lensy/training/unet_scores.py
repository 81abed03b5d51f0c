"""Score whole frames with Naberrie and its classifier, and choose on validation how to score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.datasets.frames import Frames
from lensy.metrics.operating_point import calibrate
from lensy.metrics.ranking import auroc, brightest_mean, threshold_at
from lensy.metrics.reconstruction import reconstruction_quality
from lensy.models.classifier import Classifier, log_odds
from lensy.telescope.bands import FILTERS, band
from lensy.values import Columns

BATCH = 16

THRESHOLD_RATES = (0.1, 0.01)
"""False positive rates whose scores a run keeps: what a candidate list can begin with."""


def score_frames(classifier: Classifier, frames: Frames, *, progress: bool = False) -> Columns:
    """Scores, labels and quality of the reconstructions of whole frames, a value per frame each.

    `label`; `score`, log-odds of lens, and `lens_logit`, the second of the two logits whose
    difference it is; `brightest_<n>`, mean of the n brightest output pixels on the network's scale,
    for each n in the row of the band; and the columns of `reconstruction_quality`.
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
            light = unet(flux)[:, 0].float().cpu().numpy()
            columns = {
                "label": batch["label"].numpy(),
                "score": log_odds(logits).double().cpu().numpy(),
                "lens_logit": logits[:, 1].double().cpu().numpy(),
                **{f"brightest_{n}": brightest_mean(light, n) for n in FILTERS[name].n_brightest},
                **reconstruction_quality(
                    light, batch["target"][:, 0].numpy(), batch["image"][:, 0].numpy(), **scale
                ),
            }
            for key, values in columns.items():
                parts.setdefault(key, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def batches(frames: Frames) -> DataLoader[Any]:
    """Frames in order, BATCH at a time."""
    return DataLoader(frames, batch_size=BATCH)


def meaning_of(labels: ArrayLike, scores: ArrayLike, kind: str) -> dict[str, Any]:
    """What validation frames (n,) say of a score: its AUROC, and what non-lenses reach.

    kind: what the score is, in words.
    """
    return {
        "kind": kind,
        "validation_auroc": round(auroc(labels, scores), 4),
        "threshold_at_false_positive_rate": _thresholds(labels, scores),
    }


def _thresholds(labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """The scores that 10 % and 1 % of the non-lenses reach."""
    return {
        str(rate): threshold_at(labels, scores, false_positive_rate=rate)
        for rate in THRESHOLD_RATES
    }


def choose_painting_score(
    validation: Mapping[str, NDArray[Any]], *, n_brightest: int | None = None
) -> dict[str, Any]:
    """Which number of brightest pixels ranks validation best, with every candidate's AUROC.

    Also the scores that 10 % and 1 % of the validation non-lenses reach. n_brightest: the number,
    where it was chosen before.
    """
    labels = validation["label"]
    areas = {
        int(name.removeprefix("brightest_")): auroc(labels, values)
        for name, values in validation.items()
        if name.startswith("brightest_")
    }
    best = n_brightest or max(areas, key=lambda n: areas[n])
    return {
        "n_brightest": best,
        "validation_auroc": {str(n): round(area, 4) for n, area in areas.items()},
        "threshold_at_false_positive_rate": _thresholds(labels, validation[f"brightest_{best}"]),
    }


def describe_score(
    validation: Mapping[str, NDArray[Any]], painting: Mapping[str, Any]
) -> dict[str, Any]:
    """How an image is scored and what a score means: what a run keeps of the validation frames.

    painting: from `choose_painting_score`.
    """
    labels, scores = validation["label"], validation["score"]
    calibration = calibrate(labels, scores)
    return meaning_of(labels, scores, "log-odds of the classifier") | {
        "calibration": {"slope": calibration.slope, "intercept": calibration.intercept},
        "painting": dict(painting),
    }
