"""How well a network tells lenses from others: a score for each test image of a recipe."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.datasets.frames import Frames, example_columns
from lensy.datasets.store import DataSet
from lensy.exams.exam import Exam
from lensy.metrics.ranking import ranking_results
from lensy.training.scorer import Scorer
from lensy.values import Columns

BATCH = 16


class Ranking(Exam):
    """Scores of all test images, from which curves and rates follow.

    Its `scores` have a row per image: `label`, `score`, and what the example is. The run's
    `info["test"]` has AUROC and true positive rates with their 95 % intervals.
    """

    kind: ClassVar[str] = "exam-ranking"
    ending: ClassVar[str] = "ranks-{data}"

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """Labels and scores beside the columns of the examples, by VIS where it is seen."""
        frames = Frames(data, "test", scorer.bands, grid=scorer.grid)
        first = "VIS" if "VIS" in scorer.bands else scorer.bands[0]
        scores = scores_of(scorer, frames, progress=progress)
        return [scores | example_columns(data, first)]

    def results(self, columns: Columns) -> dict[str, Any]:
        """AUROC and rates."""
        return {"test": ranking_results(columns["label"], columns["score"])}


def scores_of(scorer: Scorer, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of frames, (n,) each."""
    batches = tqdm(
        DataLoader(frames, batch_size=BATCH), desc="scoring", unit="batch", disable=not progress
    )
    return {
        "score": np.concatenate([scorer(batch["image"]) for batch in batches]),
        "label": np.asarray(frames.labels),
    }
