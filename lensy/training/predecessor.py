"""The predecessor's published networks on our images."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.metrics.ranking import ranking_results
from lensy.models.classifier import log_odds
from lensy.models.ou import FAMILY, Design, Ou
from lensy.provenance import provenance
from lensy.runs.experiment import Experiment
from lensy.runs.run import SHIPPED, Run, write_run
from lensy.simulation.recipe import Recipe, Split
from lensy.training.ou_weights import CONTENT, content, fetch_weights, published
from lensy.training.scorer import Scorer
from lensy.training.unet_scores import batches
from lensy.values import Columns


class PublishedExperiment(Experiment):
    """One of the predecessor's networks with its published weights, on the data of a recipe.

    published: which, of `models.ou.FAMILY`. weights: SHA-256 of their tensors, where they are not
    those of our record.
    """

    kind: ClassVar[str] = "ou-published"

    published: str
    weights: str | None = None

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands that the network sees, in the order of its channels."""
        return FAMILY[self.published].bands

    def load(self, run: Run) -> Ou:
        """The network, whose weights come from the user's cache and are fetched into it once."""
        del run
        return published(self.published, fetch_weights(self.published))

    def scorer(self, run: Run, precision: str | None = None) -> Scorer:
        """Log-odds of a lens; precision: single, whatever is asked."""
        del precision
        return ou_scorer(self.load(run), run)

    def make(self, data: DataSet, folder: Path, *, start: Run | None, progress: bool) -> Run:
        """Score the test set."""
        del start
        weights = fetch_weights(self.published)
        return score_predecessor(weights, data, folder, name=self.published, progress=progress)


def score_predecessor(
    weights: Path, data: DataSet, folder: Path, *, name: str = "ou-vis", progress: bool = False
) -> Run:
    """Score a test set with published weights of one of the predecessor's networks.

    weights: safetensors file with the published names. name: one of `models.ou.FAMILY`. The run
    that is written holds scores, no weights.
    Raises LensyError where the file does not fit the network.
    """
    model = published(name, weights)
    known = content(model.state_dict())
    experiment = PublishedExperiment(
        name=f"{name}-published",
        scale=data.recipe.name.rsplit("-", 1)[-1],
        recipe=data.recipe,
        published=name,
        weights=None if known == CONTENT[name] else known,
    )
    started = time.monotonic()
    columns = predecessor_scores(model, frames_for(model.design, data), progress=progress)
    info: dict[str, Any] = {
        "wall_seconds": round(time.monotonic() - started, 1),
        "test": ranking_results(columns["label"], columns["score"]),
        "provenance": provenance(),
    }
    return write_run(folder, experiment, info=info, scores=columns)


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


def ou_scorer(model: Ou, run: Run) -> Scorer:
    """One of the family as a function of images."""
    return Scorer(
        model.design.bands,
        lambda flux: log_odds(model(flux)),
        grid=model.design.grid,
        name=run.name,
        differentiable=model,
        meaning=run.info.get("score", {}),
        origin=run.origin,
    )


def frames_for(design: Design, data: DataSet, split: Split = "test") -> Frames:
    """Frames of a data set as a network of the family sees them."""
    return Frames(data, split, design.bands, grid=design.grid)


def predecessor_scores(model: nn.Module, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of whole frames with the predecessor's network: log-odds of a lens.

    Its probabilities are rounded to 1 for the images that matter most.
    """
    labels, scores = [], []
    with torch.inference_mode():
        for batch in tqdm(batches(frames), desc="scoring", unit="batch", disable=not progress):
            labels.append(batch["label"].numpy())
            scores.append(log_odds(model.eval()(batch["image"])).double().numpy())
    return {"label": np.concatenate(labels), "score": np.concatenate(scores)}
