"""Score and painting of whole frames in numbers, of which a regression can make one number.

The talk's last idea: the classifier's score says how sure the network is, the painting what of, so
the two together may tell a lens from what only looks like one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Unpack

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
from lensy.exams.exam import Question, write_answers
from lensy.metrics.ranking import Estimate, bootstrap, false_positive_rate_at
from lensy.metrics.reconstruction import TRAITS, share_on, traits
from lensy.runs.library import Places, obtained
from lensy.runs.run import Run
from lensy.simulation.example import Recipe, Split
from lensy.telescope.bands import band
from lensy.telescope.instrument import Instrument
from lensy.training.scorer import MARKED, Scorer, scorer_of
from lensy.values import Columns, Floats

BATCH = 16

SPLITS: tuple[Split, ...] = ("validation", "test")


def describe(scorer: Scorer, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of frames, (n,) each, and what else their networks say of them.

    `n_spoilt`: pixels that artefacts spoil. For a network that paints also the `traits.TRAITS` of
    its painting, and `on_artefact`, the share of the light that was painted where an artefact is.
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
        painted, probability = scorer.outputs(batch["image"])
        if probability is not None:
            marked = probability > MARKED
            masks |= {"n_marked": marked, "n_found": spoilt & marked}
        columns |= {name: mask.sum(axis=(1, 2)).astype(float) for name, mask in masks.items()}
        if painted is not None:
            columns |= traits(painted, image, probability, **scale)
            columns |= {"on_artefact": share_on(painted, spoilt)}
        for name, values in columns.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


class Description(Question):
    """Score and painting of validation and test frames, in numbers."""


class FlawedDescription(Question):
    """The same of validation frames alone, seen with artefacts that the data set does not have.

    A regression for flawed images learns from these: on clean ones hardly anything is marked.
    """

    instrument: Instrument


def description(
    run: Run, recipe: Recipe, instrument: Instrument | None = None
) -> Description | FlawedDescription:
    """What a finished run's network has to say of the images of a recipe.

    instrument: with whose artefacts its validation frames are seen, if other than the recipe's.
    """
    data = recipe.name.removesuffix(f"-{run.info['experiment']['scale']}")
    if instrument is None:
        return Description.to(run, recipe, f"describes-{data}")
    return FlawedDescription.to(run, recipe, f"describes-{data}-with-flaws", instrument=instrument)


def fit_description(
    run: Run,
    wanted: Description | FlawedDescription,
    data: DataSet,
    folder: Path,
    *,
    precision: str | None = None,
    progress: bool = False,
) -> Run:
    """Describe the frames in question with a run's networks, and write that as a run.

    precision: as in `scorer_of`.

    Its `scores` have a row per frame: `split` and the columns of `describe`.
    Raises LensyError for a run whose network does not paint.
    """
    started = time.monotonic()
    scorer = scorer_of(run, precision)
    if scorer.painter is None:
        raise LensyError(
            f"{run.info['experiment']['name']} paints nothing that could be described: take a "
            "naberrie run."
        )
    instrument = wanted.instrument if isinstance(wanted, FlawedDescription) else None
    parts = []
    for split in SPLITS if instrument is None else SPLITS[:1]:
        if data.recipe.size(split):
            frames = Frames(data, split, scorer.bands, grid=scorer.grid, instrument=instrument)
            rows = describe(scorer, frames, progress=progress)
            parts.append({"split": np.full(len(frames), split), **rows})
    return write_answers(folder, wanted, run, parts, started=started, precision=scorer.precision)


def obtain_description(
    run: Run, recipe: Recipe, instrument: Instrument | None = None, **places: Unpack[Places]
) -> Run:
    """A network's description of images: shipped, made earlier, or else made now, data included.

    instrument: as in `description`.
    """
    wanted = description(run, recipe, instrument)
    return obtained(wanted, partial(fit_description, run, wanted), **places)


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

    rate: the false positive rate. gone: the share of those of SCORE that are no more, negative
    where there are more than before.
    """

    rate: Estimate
    gone: Estimate


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

    def gone(labels: ArrayLike, pair: Floats) -> float:
        fewer = rate(labels, pair[:, 0]) - rate(labels, pair[:, 1])
        return fewer / before if before else float("nan")

    found = {}
    for name, each in scores.items():
        pair = np.stack([np.asarray(scores[SCORE]), np.asarray(each)], axis=1)
        found[name] = Left(bootstrap(rate, labels, each), bootstrap(gone, labels, pair))
    return found
