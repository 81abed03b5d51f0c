"""What stands at the top of a list of candidates, and why: a lens, a galaxy, or a flaw.

Scenes and noise can be had again without a flaw. So the question has an answer: an image stands at
the top because of a flaw if it would not stand there without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lensy.artefacts import Instrument
from lensy.datasets import on_grid_of
from lensy.runs import Run
from lensy.scorers import Scorer
from lensy.simulate import Example, Recipe, observe_frozen, simulate

Image = NDArray[np.float32]

LENS, GALAXY = "lens", "galaxy"
"""Causes that are no artefact: the lensed light, or whatever else there is in the scene."""


@dataclass(frozen=True)
class Shortlisted:
    """An image at the top of a list. image: (y, x) in VIS, nJy.

    score, clean_score: of the image as it was, and of the same scene and noise without any
    artefact. cause: LENS, GALAXY, or the kind of artefact without which it would not be there.
    """

    index: int
    score: float
    clean_score: float
    cause: str
    image: Image


def best(exam: Run, condition: str, n: int) -> tuple[NDArray[np.int64], float]:
    """Numbers of the n images of a condition with the highest scores, and the next lower score.

    exam: as `artefact_exam.examine` writes it. The score is -inf where there are no further images.
    """
    rows = exam.scores()
    here = rows["condition"] == condition
    numbers, scores = rows["number"][here], rows["score"][here].astype(float)
    order = np.argsort(-scores, kind="stable")
    limit = scores[order[n]] if n < order.size else -np.inf
    return numbers[order[:n]], float(limit)


def shortlist(
    scorer: Scorer,
    recipe: Recipe,
    instrument: Instrument,
    indices: Iterable[int],
    *,
    limit: float,
) -> list[Shortlisted]:
    """The causes of test images of a recipe, seen through an instrument, in the given order.

    limit: the score that must be exceeded to stand at the top.
    """
    return [_judged(scorer, recipe, instrument, int(index), limit) for index in indices]


def _judged(
    scorer: Scorer, recipe: Recipe, instrument: Instrument, index: int, limit: float
) -> Shortlisted:
    example = simulate(recipe, "test", index)
    plain = Instrument(look=instrument.look, correlated_noise=instrument.correlated_noise)
    kinds = _kinds(example, scorer.bands, instrument)
    instruments = [instrument, plain, *(instrument.without(kind) for kind in kinds)]
    flux = np.stack([_seen(example, scorer, each) for each in instruments])
    score, clean, *lacking = scorer(torch.from_numpy(flux))
    if example.label:
        cause = LENS
    elif clean > limit or not kinds:
        cause = GALAXY
    else:
        cause = kinds[int(np.argmin(lacking))]
    image = observe_frozen(example.layers["VIS"].image, "VIS", example.noise_seed, instrument).image
    return Shortlisted(index, float(score), float(clean), cause, image)


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
