"""The predecessor's published network on our images."""

from __future__ import annotations

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
from lensy.models.ou import OuVis
from lensy.provenance import provenance, sha256
from lensy.runs import Run, write_run
from lensy.store import DataSet


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
    columns = predecessor_scores(model, Frames(data, "test", ("VIS",)), progress=progress)
    info = {
        "experiment": {
            "name": "ou-vis",
            "scale": data.recipe.name.rsplit("-", 1)[-1],
            "recipe": data.recipe.model_dump(mode="json"),
            "weights_sha256": sha256(weights),
        },
        "fingerprint": data.recipe.fingerprint,
        "wall_seconds": round(time.monotonic() - started, 1),
        "test": ranking_results(columns["label"], columns["score"]),
        "provenance": provenance(),
    }
    return write_run(folder, info=info, scores=single_precision(columns))


def predecessor_scores(model: OuVis, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of whole frames with the predecessor's network."""
    labels, scores = [], []
    with torch.inference_mode():
        for batch in tqdm(batches(frames), desc="scoring", unit="batch", disable=not progress):
            labels.append(batch["label"].numpy())
            scores.append(model.eval().score(batch["image"]).double().numpy())
    return {"label": np.concatenate(labels), "score": np.concatenate(scores)}
