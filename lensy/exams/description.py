"""Score and reconstruction of whole frames in numbers, of which a regression makes one number.

The talk's last idea: the classifier's score says how sure the network is, the reconstruction what
of, so the two together may tell a lens from what only looks like one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.exam import Exam
from lensy.metrics.ranking import Estimate, bootstrap, false_positive_rate_at
from lensy.metrics.reconstruction import TRAITS, share_on, traits
from lensy.models.unet import MARKED
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe, Split
from lensy.telescope.bands import band
from lensy.telescope.instrument import Instrument
from lensy.training.kinds import Subject
from lensy.training.scorer import Scorer
from lensy.values import Columns, Floats

BATCH = 16

SPLITS: tuple[Split, ...] = ("validation", "test")


def describe(scorer: Scorer, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of frames, (n,) each, and what else their networks say of them.

    `n_spoilt`: pixels that artefacts spoil. For a network that reconstructs lensed light also the
    TRAITS of that, and `on_artefact`, the share of the light that stands where an artefact is.
    For one that marks artefacts also the numbers of pixels `n_marked` and, spoilt as well,
    `n_found`; the trait `spoilt` is by its mask, and 0 for one that makes none.
    """
    first = band(scorer.bands[0])
    scale = {"sigma": first.background_sigma, "pixel_scale": first.pixel_scale}
    parts: dict[str, list[NDArray[Any]]] = {}
    loader = DataLoader(frames, batch_size=BATCH)
    for batch in tqdm(loader, desc="describing", unit="batch", disable=not progress):
        columns = {"label": batch["label"].numpy(), "score": scorer(batch["image"])}
        image, spoilt = batch["image"][:, 0].numpy(), batch["spoilt"][:, 0].numpy() > 0
        masks = {"n_spoilt": spoilt}
        light, probability = scorer.outputs(batch["image"])
        if probability is not None:
            marked = probability > MARKED
            masks |= {"n_marked": marked, "n_found": spoilt & marked}
        columns |= {name: mask.sum(axis=(1, 2)).astype(float) for name, mask in masks.items()}
        if light is not None:
            columns |= traits(light, image, probability, **scale)
            columns |= {"on_artefact": share_on(light, spoilt)}
        for name, values in columns.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


class Description(Exam):
    """Score and reconstruction of validation and test frames, in numbers.

    instrument: with whose artefacts frames are seen, if other than the recipe's; then of validation
    frames alone. A regression for flawed images learns from these: on clean ones hardly anything is
    marked.

    Its `scores` have a row per frame: `split` and the columns of `describe`.
    """

    kind: ClassVar[str] = "exam-description"
    ending: ClassVar[str] = "describes-{data}"

    instrument: Instrument | None = None

    @classmethod
    def of(cls, subject: Subject, recipe: Recipe, **how: Any) -> Self:
        """What a network has to say of the images of a recipe; its name tells of an instrument."""
        exam = super().of(subject, recipe, **how)
        if exam.instrument is None:
            return exam
        return exam.model_copy(update={"name": f"{exam.name}-with-flaws"})

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """The frames in question described. Raises LensyError where nothing is reconstructed."""
        if scorer.unet is None:
            raise LensyError(
                f"{scorer.name} paints nothing that could be described: take a naberrie run."
            )
        parts = []
        for split in SPLITS if self.instrument is None else SPLITS[:1]:
            if data.recipe.size(split):
                frames = Frames(
                    data, split, scorer.bands, grid=scorer.grid, instrument=self.instrument
                )
                rows = describe(scorer, frames, progress=progress)
                parts.append({"split": np.full(len(frames), split), **rows})
        return parts


def of_split(run: Run, split: Split) -> Columns:
    """The rows of a description that belong to a split. Raises LensyError where there are none."""
    rows = run.scores()
    here = rows["split"] == split
    if not here.any():
        raise LensyError(f"{run.folder} describes no frames of {split!r}.")
    return {name: values[here] for name, values in rows.items() if name != "split"}


SCORE = "score alone"

INPUTS = {
    SCORE: ("score",),
    "painting alone": tuple(TRAITS),
    "both, logistic": ("score", *TRAITS),
    "both, boosted": ("score", *TRAITS),
}
"""Columns that each way to score an image sees."""


def fitted(name: str, validation: Columns) -> ClassifierMixin:
    """One of INPUTS, fitted on described frames."""
    if name.endswith("boosted"):
        model = HistGradientBoostingClassifier(
            max_depth=3, learning_rate=0.05, max_iter=100, early_stopping=False, random_state=0
        )
    else:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(_matrix(name, validation), validation["label"].astype(bool))


def _matrix(name: str, columns: Columns) -> Floats:
    return np.stack([columns[each] for each in INPUTS[name]], axis=1).astype(np.float64)


def combined(validation: Columns, test: Columns) -> dict[str, Floats]:
    """Scores (n,) of the test frames in each of the INPUTS; higher is more lens-like."""
    return {
        name: fitted(name, validation).decision_function(_matrix(name, test)) for name in INPUTS
    }


def weights(validation: Columns) -> dict[str, float]:
    """How much each number moves the log-odds, per scatter of it, in the logistic regression."""
    model = fitted("both, logistic", validation)
    return dict(zip(INPUTS["both, logistic"], map(float, model[-1].coef_[0]), strict=True))


@dataclass(frozen=True)
class Left:
    """False positives where a share of the lenses is found.

    rate: the false positive rate. removed: the share of those of SCORE that are no more, negative
    where there are more than before.
    """

    rate: Estimate
    removed: Estimate


def false_positives_left(
    labels: ArrayLike, scores: Mapping[str, ArrayLike], *, true_positive_rate: float
) -> dict[str, Left]:
    """What each of several scores (n,), that of SCORE among them, leaves, with 95 % intervals.

    An image's scores are resampled together, so that what two of them share does not blur the
    difference.
    """

    def rate(labels: ArrayLike, scores: ArrayLike) -> float:
        return false_positive_rate_at(labels, scores, true_positive_rate=true_positive_rate)

    before = rate(labels, scores[SCORE])

    def removed(labels: ArrayLike, pair: Floats) -> float:
        fewer = rate(labels, pair[:, 0]) - rate(labels, pair[:, 1])
        return fewer / before if before else float("nan")

    found = {}
    for name, each in scores.items():
        pair = np.stack([np.asarray(scores[SCORE]), np.asarray(each)], axis=1)
        found[name] = Left(bootstrap(rate, labels, each), bootstrap(removed, labels, pair))
    return found
