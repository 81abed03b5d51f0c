"""What stands at the top of a list of candidates, and why: a lens, a galaxy, or a flaw.

Scenes and noise can be had again without a flaw. So the question has an answer: an image stands at
the top because of a flaw if it would not stand there without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from lensy.datasets.store import DataSet
from lensy.exams.artefacts import ArtefactExam
from lensy.exams.subject import bands_of
from lensy.runs.experiment import Count
from lensy.runs.run import Run
from lensy.simulation.example import Example, simulate
from lensy.simulation.recipe import Recipe
from lensy.telescope.instrument import KINDS, Instrument, expose_from_seed
from lensy.telescope.regrid import on_grid_of
from lensy.training.kinds import Subject
from lensy.training.scorer import Scorer
from lensy.values import Columns, Image

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


SURVEYS: dict[str, Instrument] = {
    "survey": Instrument.realistic(),
    "HST-like": Instrument.realistic("HST-like"),
}
"""How a survey sees its galaxies, and how single exposures of another camera would, VIS only."""


class SurveyExam(ArtefactExam):
    """Scores of galaxies few of which are lenses, and the causes of the `n_top` highest.

    Its `scores` have a row per image: those of an `ArtefactExam`, without a reconstruction, and
    `cause`, empty beyond the top.
    """

    kind: ClassVar[str] = "exam-survey"
    ending: ClassVar[str] = "on-survey"
    images: ClassVar[str] = "talk-survey"

    n_top: Count

    @classmethod
    def of(
        cls,
        subject: Subject,
        recipe: Recipe,
        *,
        n_images: int | None = None,
        n_top: int = 50,
        **how: Any,
    ) -> Self:
        """The exam of a network, on all test images of a recipe unless told otherwise.

        A network that needs other bands than VIS is not shown the HST-like exposures.
        """
        shown = SURVEYS if bands_of(subject) == ("VIS",) else {"survey": SURVEYS["survey"]}
        # all images there are: no clean ones have to be more than the others
        return super(ArtefactExam, cls).of(
            subject,
            recipe,
            n_images=n_images or recipe.n_test,
            n_top=n_top,
            **({"conditions": shown} | how),
        )

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """Every survey's scores, and why the highest are so high."""
        # a list is made of scores alone
        scorer = replace(scorer, unet=None)
        parts = super().answers(scorer, data, progress=progress)
        for rows, instrument in zip(parts, self.conditions.values(), strict=True):
            order, limit = best(rows["score"], self.n_top)
            found = np.full(rows["score"].size, "", dtype=f"U{max(map(len, CAUSES))}")
            found[order] = [
                cause(scorer, simulate(self.recipe, "test", int(index)), instrument, limit=limit)
                for index in order
            ]
            rows["cause"] = found
        return parts


def best(scores: ArrayLike, n: int) -> tuple[NDArray[np.int64], float]:
    """Places of the n highest of scores (n_images,), highest first, and the next lower score.

    The score is -inf where there are no further images.
    """
    scores = np.asarray(scores, float)
    order = np.argsort(-scores, kind="stable")
    return order[:n], float(scores[order[n]]) if n < order.size else -np.inf


def shortlist(exam: Run, survey: str) -> list[Shortlisted]:
    """The images at the top of a network's list, best first.

    exam: the run of a `SurveyExam`. survey: one of SURVEYS.
    """
    asked = SurveyExam.model_validate(exam.info["experiment"])
    rows = exam.scores()
    here = (rows["condition"] == survey) & (rows["cause"] != "")
    order = np.flatnonzero(here)[np.argsort(-rows["score"][here], kind="stable")]
    recipe = asked.recipe.model_copy(update={"bands": ("VIS",)})
    found = []
    for row in order:
        example = simulate(recipe, "test", int(rows["number"][row]))
        light, instrument = example.layers["VIS"].image, asked.conditions[survey]
        image = expose_from_seed(light, "VIS", example.noise_seed, instrument).image
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
    plain = Instrument(exposure=instrument.exposure, correlated_noise=instrument.correlated_noise)
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
        masks = expose_from_seed(light, name, example.noise_seed, instrument).masks
        found |= dict.fromkeys(masks)
    return list(found)


def _seen(example: Example, scorer: Scorer, instrument: Instrument) -> Image:
    """The image (band, y, x) as a network sees it."""
    views = []
    for name in scorer.bands:
        light = example.layers[name].image
        seen = expose_from_seed(light, name, example.noise_seed, instrument)
        views.append(on_grid_of(seen.image, name, scorer.grid))
    return np.stack(views)


def counts(found: Iterable[Shortlisted]) -> dict[str, int]:
    """How many images each cause has brought to the top, the most frequent first."""
    causes = [each.cause for each in found]
    numbers = {cause: causes.count(cause) for cause in causes}
    return dict(sorted(numbers.items(), key=lambda item: -item[1]))
