"""What a network takes artefacts for: the same scenes seen through each kind of flaw.

The noise is the same throughout too, so that whatever changes is the flaw's doing.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.exams.description import describe
from lensy.exams.exam import Exam
from lensy.metrics.ranking import Estimate, share_estimate
from lensy.runs.experiment import Count
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.telescope.instrument import CLEAN, KINDS, Instrument
from lensy.training.kinds import Subject
from lensy.training.scorer import Scorer
from lensy.values import Columns

SINGLE = "one exposure"

SINGLE_GAP = f"{SINGLE}, chip gap"

CONDITIONS: dict[str, Instrument] = {
    "clean": CLEAN,
    **{kind: Instrument.only(kind) for kind in KINDS},
    "correlated noise": Instrument(correlated_noise=True),
    "all of a coadd": Instrument.realistic(),
    SINGLE: Instrument(exposure="single exposure"),
    SINGLE_GAP: Instrument.only("chip gap", "single exposure"),
    f"{SINGLE}, cosmic rays": Instrument.only("cosmic rays", "single exposure"),
    f"{SINGLE}, all": Instrument.realistic("single exposure"),
}
"""What images pass through, by name. Four exposures added, one with `SINGLE`; each with the one
flaw that it names, or with all at the rates of the survey."""

N_CLEAN = 3
"""Clean images for each of a condition's: what a rate of 1 % means is read from them."""


class ArtefactExam(Exam):
    """Scores of the same scenes under several conditions.

    conditions: what the images of the test set pass through, by name. n_images: for each of them,
    and N_CLEAN times as many clean ones.

    Its `scores` have a row per image: `condition`, `number` of the scene, and the columns of
    `description.describe`.
    """

    kind: ClassVar[str] = "exam-artefacts"
    ending: ClassVar[str] = "on-artefacts"
    images: ClassVar[str] = "talk-others"

    conditions: dict[str, Instrument]
    n_images: Count

    @classmethod
    def of(cls, subject: Subject, recipe: Recipe, *, n_images: int = 1000, **how: Any) -> Self:
        """The exam of a network. recipe: of images without a lens."""
        n_images = min(n_images, recipe.n_test // N_CLEAN)
        return super().of(subject, recipe, n_images=n_images, **({"conditions": CONDITIONS} | how))

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """Every condition's images described."""
        parts: list[Columns] = []
        for name, instrument in self.conditions.items():
            limit = self.n_images * (N_CLEAN if name == "clean" else 1)
            frames = Frames(
                data, "test", scorer.bands, grid=scorer.grid, limit=limit, instrument=instrument
            )
            described = describe(scorer, frames, progress=progress)
            n = len(frames)
            parts.append({"condition": np.full(n, name), "number": np.arange(n), **described})
        return parts


def mask_quality(exam: Run) -> dict[str, dict[str, float]]:
    """Precision, recall and intersection over union of the artefact mask, by condition.

    Over all pixels of a condition's images; NaN where there is nothing to divide by.
    """
    rows = exam.scores()
    found = {}
    for name in conditions_of(exam):
        here = rows["condition"] == name
        n = {key: float(rows[f"n_{key}"][here].sum()) for key in ("spoilt", "marked", "found")}
        parts = {
            "precision": n["marked"],
            "recall": n["spoilt"],
            "iou": n["spoilt"] + n["marked"] - n["found"],
        }
        found[name] = {
            key: n["found"] / whole if whole else float("nan") for key, whole in parts.items()
        }
    return found


def conditions_of(exam: Run) -> tuple[str, ...]:
    """Names of the conditions of an exam that was held, in the order of its rows."""
    return tuple(dict.fromkeys(exam.scores()["condition"].tolist()))


def alarms(exam: Run, condition: str, rate: float = 0.01) -> NDArray[np.bool_]:
    """Whether a condition's images (n,) score above all but a share `rate` of clean ones."""
    rows = exam.scores()
    limit = np.quantile(rows["score"][rows["condition"] == "clean"], 1 - rate)
    return np.asarray(rows["score"][rows["condition"] == condition] > limit)


def added_alarms(exam: Run, flawed: str, plain: str) -> NDArray[np.float64]:
    """What a flaw does to each scene (n,): 1 makes an alarm of it, -1 hides one, 0 neither."""
    return np.asarray(alarms(exam, flawed).astype(float) - alarms(exam, plain))


def false_positives(exam: Run, rate: float = 0.01) -> dict[str, Estimate]:
    """Share of each condition's images above the score that a share `rate` of clean ones reaches.

    With 95 % intervals for the number counted (Wilson's); that of clean images is `rate` itself,
    which is known to the interval it is given here.
    """
    return {name: share_estimate(alarms(exam, name, rate)) for name in conditions_of(exam)}
