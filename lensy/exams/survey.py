"""What stands at the top of a list of candidates, and why: a lens, a galaxy, or a flaw.

Scenes and noise can be had again without a flaw. So the question has an answer: an image stands at
the top because of a flaw if it would not stand there without.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from lensy.datasets.store import DataSet
from lensy.exams.artefacts import ArtefactExam, exam_rows
from lensy.exams.exam import write_answers
from lensy.runs.experiment import Count
from lensy.runs.library import Places, obtained
from lensy.runs.run import Run
from lensy.simulation.example import Example, Recipe, observe_frozen, simulate
from lensy.telescope.instrument import KINDS, Instrument
from lensy.telescope.regrid import on_grid_of
from lensy.training.scorer import Scorer, bands_of, scorer_of
from lensy.values import Image

LENS, GALAXY = "lens", "galaxy"
"""Causes that are no artefact: the lensed light, or whatever else there is in the scene."""

CAUSES = (LENS, GALAXY, *KINDS)
"""All there are."""


@dataclass(frozen=True)
class Shortlisted:
    """An image at the top of a list. image: (y, x) in VIS, nJy.

    cause: LENS, GALAXY, or the kind of artefact without which it would not be there.
    """

    index: int
    score: float
    cause: str
    image: Image


LOOKS: dict[str, Instrument] = {
    "survey": Instrument.realistic(),
    "HST-like": Instrument.realistic("HST-like"),
}
"""How a survey sees its galaxies, and how single exposures of another camera would, VIS only."""


class SurveyExam(ArtefactExam):
    """Scores of galaxies few of which are lenses, and the causes of the `n_top` highest."""

    n_top: Count


def survey_exam(run: Run, recipe: Recipe, *, n_top: int = 50) -> SurveyExam:
    """The exam of a finished run's network on all test images of a recipe.

    A network that needs other bands than VIS is not shown the HST-like exposures.
    """
    looks = LOOKS if bands_of(run) == ("VIS",) else {"survey": LOOKS["survey"]}
    return SurveyExam.to(
        run, recipe, "on-survey", conditions=looks, n_images=recipe.n_test, n_top=n_top
    )


def hold_survey(
    run: Run,
    exam: SurveyExam,
    data: DataSet,
    folder: Path,
    *,
    precision: str | None = None,
    progress: bool = False,
) -> Run:
    """Score a survey's images with a run's network, and write that as a run of its own.

    Its `scores` have the rows of `artefact_exam.exam_rows` with the column `cause`, empty beyond
    the top. precision: as in `scorer_of`.
    """
    started = time.monotonic()
    # a list is made of scores alone
    scorer = replace(scorer_of(run, precision), painter=None)
    parts = exam_rows(scorer, exam, data, progress=progress)
    for rows, instrument in zip(parts, exam.conditions.values(), strict=True):
        order, limit = best(rows["score"], exam.n_top)
        found = np.full(rows["score"].size, "", dtype=f"U{max(map(len, CAUSES))}")
        found[order] = [
            cause(scorer, simulate(exam.recipe, "test", int(index)), instrument, limit=limit)
            for index in order
        ]
        rows["cause"] = found
    return write_answers(folder, exam, run, parts, started=started, precision=scorer.precision)


def obtain_survey(run: Run, recipe: Recipe, n_top: int = 50, **places: Unpack[Places]) -> Run:
    """The exam on a survey's images: shipped, made earlier, or else held now, data included."""
    exam = survey_exam(run, recipe, n_top=n_top)
    return obtained(exam, partial(hold_survey, run, exam), **places)


def best(scores: ArrayLike, n: int) -> tuple[NDArray[np.int64], float]:
    """Places of the n highest of scores (n_images,), highest first, and the next lower score.

    The score is -inf where there are no further images.
    """
    scores = np.asarray(scores, float)
    order = np.argsort(-scores, kind="stable")
    return order[:n], float(scores[order[n]]) if n < order.size else -np.inf


def shortlist(exam: Run, look: str) -> list[Shortlisted]:
    """The images at the top of a network's list, best first. exam: as `hold_survey` writes it."""
    asked = SurveyExam.model_validate(exam.info["experiment"])
    rows = exam.scores()
    here = (rows["condition"] == look) & (rows["cause"] != "")
    order = np.flatnonzero(here)[np.argsort(-rows["score"][here], kind="stable")]
    recipe = asked.recipe.model_copy(update={"bands": ("VIS",)})
    found = []
    for row in order:
        example = simulate(recipe, "test", int(rows["number"][row]))
        light, instrument = example.layers["VIS"].image, asked.conditions[look]
        image = observe_frozen(light, "VIS", example.noise_seed, instrument).image
        found.append(
            Shortlisted(
                int(rows["number"][row]),
                float(rows["score"][row]),
                str(rows["cause"][row]),
                image,
            )
        )
    return found


def cause(scorer: Scorer, example: Example, instrument: Instrument, *, limit: float) -> str:
    """Why an example's image, seen through an instrument, has a score above `limit`."""
    if example.label:
        return LENS
    kinds = _kinds(example, scorer.bands, instrument)
    plain = Instrument(look=instrument.look, correlated_noise=instrument.correlated_noise)
    instruments = [plain, *(instrument.without(kind) for kind in kinds)]
    flux = np.stack([_seen(example, scorer, each) for each in instruments])
    clean, *lacking = scorer(torch.from_numpy(flux))
    if clean > limit or not kinds:
        return GALAXY
    return kinds[int(np.argmin(lacking))]


def _kinds(example: Example, bands: Iterable[str], instrument: Instrument) -> list[str]:
    """Kinds of artefacts that any of the bands shows."""
    found: dict[str, None] = {}
    for name in bands:
        light = example.layers[name].image
        masks = observe_frozen(light, name, example.noise_seed, instrument).masks
        found |= dict.fromkeys(masks)
    return list(found)


def _seen(example: Example, scorer: Scorer, instrument: Instrument) -> Image:
    """The image (band, y, x) as a network sees it."""
    views = [
        on_grid_of(
            observe_frozen(example.layers[name].image, name, example.noise_seed, instrument).image,
            name,
            scorer.grid,
        )
        for name in scorer.bands
    ]
    return np.stack(views)


def counts(found: Iterable[Shortlisted]) -> dict[str, int]:
    """How many images each cause has brought to the top, the most frequent first."""
    causes = [each.cause for each in found]
    numbers = {cause: causes.count(cause) for cause in causes}
    return dict(sorted(numbers.items(), key=lambda item: -item[1]))
