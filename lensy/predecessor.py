"""The predecessor's published networks on our images."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tqdm import tqdm

from lensy.datasets import Frames
from lensy.errors import LensyError
from lensy.evaluation import Columns, batches, ranking_results, single_precision
from lensy.models.classifier import log_odds
from lensy.models.ou import FAMILY, Ou
from lensy.provenance import provenance
from lensy.published_weights import content
from lensy.runs import Run, write_run
from lensy.simulate import Recipe, Split
from lensy.store import DataSet


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
    return write_run(folder, info=info, scores=single_precision(columns))


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
