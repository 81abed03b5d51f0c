"""Rings of any colour around a galaxy, no lensing involved: what a network makes of them.

The talk says that OU-200 responds to blue rings. Here one property of a ring is moved at a time,
and all others stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.exams.exam import Exam
from lensy.exams.ranking import scores_of
from lensy.runs.experiment import Count
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.simulation.render import render_bands
from lensy.sky.scene import Galaxy, Pattern, Scene
from lensy.telescope.bands import band, generator_number
from lensy.telescope.noise import observe
from lensy.telescope.regrid import on_grid_of
from lensy.training.kinds import Subject
from lensy.training.scorer import Scorer
from lensy.values import Columns, Floats, Frozen, Images, Positive

REDNESS = {"VIS": 0.0, "Y": 0.35, "J": 0.6, "H": 1.0}
"""Share of a colour VIS - H that has come by each band: their mean wavelengths are 0.7, 1.08, 1.37
and 1.77 micrometres (Euclid Collaboration: Mellier et al. 2025); here colours grow evenly."""

GALAXY = 1.6
"""Colour VIS - H (AB) of the galaxy: an elliptical at redshift 0.5. Reading."""


class Ring(Frozen):
    """A galaxy with a ring around it.

    magnitude: of the ring in VIS, AB. colour: of the ring, VIS - H. radius, width: arcsec. part: of
    the circle on which the ring is brighter than half its peak; 1 for an even ring. galaxy: the
    galaxy's magnitude in VIS.
    """

    magnitude: float = 23.0
    colour: float = 0.3
    radius: Positive = 1.5
    width: Positive = 0.15
    part: float = 1.0
    galaxy: float = 20.5

    def scene(self) -> Scene:
        """The ring and its galaxy in the middle of the frame."""
        sharpness = 0.0
        if self.part < 1:
            sharpness = math.log(2) / (1 - math.cos(math.pi * self.part))
        ring = Pattern(
            x=0.0,
            y=0.0,
            magnitudes=_magnitudes(self.magnitude, self.colour),
            radius=self.radius,
            width=self.width,
            axis_ratio=1.0,
            position_angle=0.5,
            n_arms=1 if sharpness else 0,
            sharpness=sharpness,
        )
        galaxy = Galaxy(
            x=0.0,
            y=0.0,
            magnitudes=_magnitudes(self.galaxy, GALAXY),
            half_light_radius=0.8,
            sersic_index=4.0,
            axis_ratio=0.8,
            position_angle=0.5,
        )
        return Scene(lens=galaxy, structure=(ring,), kind="ring")


def _magnitudes(vis: float, colour: float) -> dict[str, float]:
    return {name: vis - share * colour for name, share in REDNESS.items()}


SWEEPS: dict[str, tuple[str, Sequence[float]]] = {
    "colour": ("colour VIS - H of the ring", (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5)),
    "magnitude": ("magnitude of the ring", (21.0, 21.5, 22.0, 22.5, 23.0, 23.5, 24.0, 24.5)),
    "radius": ("radius / arcsec", (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)),
    "width": ("width / arcsec", (0.05, 0.1, 0.2, 0.3, 0.45, 0.6)),
    "part": ("part of the circle", (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)),
}
"""Properties that are moved, in words, and the values they take."""


def responses(scorer: Scorer, rings: Sequence[Ring], *, n_draws: int = 8) -> Floats:
    """Scores (ring, draw) of rings with fresh noise in each draw; the same noise for every ring."""
    return np.stack(
        [
            scorer(torch.from_numpy(ring_images(ring, scorer.bands, scorer.grid, n_draws=n_draws)))
            for ring in rings
        ]
    )


def ring_images(ring: Ring, bands: Sequence[str], grid: str, *, n_draws: int = 1) -> Images:
    """Images (draw, band, y, x) of a ring, nJy on the pixels of `grid`, fresh noise in each draw.

    The noise of a draw is the same for every ring.
    """
    layers = render_bands(ring.scene(), [band(name) for name in bands])
    draws = [
        [
            on_grid_of(observe(layers[name].image, band(name), _noise(draw, name)), name, grid)
            for name in bands
        ]
        for draw in range(n_draws)
    ]
    return np.array(draws, np.float32)


def _noise(draw: int, band_name: str) -> np.random.Generator:
    return np.random.default_rng([draw, generator_number(band_name)])


ORDINARY = "ordinary images"


class RingExam(Exam):
    """Scores of all rings in SWEEPS, and of ordinary images to compare them with.

    n_draws: of noise, per ring. n_ordinary: images of the recipe, which has no lenses.

    Its `scores` have a row per image: `sweep`, the property that is moved, or ORDINARY; its
    `value`; and the `score`.
    """

    kind: ClassVar[str] = "exam-rings"
    ending: ClassVar[str] = "on-rings"
    images: ClassVar[str] = "talk-others"

    n_draws: Count
    n_ordinary: Count

    @classmethod
    def of(
        cls,
        subject: Subject,
        recipe: Recipe,
        *,
        n_draws: int = 8,
        n_ordinary: int = 1000,
        **how: Any,
    ) -> Self:
        """The exam of a network. recipe: of images without a lens."""
        n_ordinary = min(n_ordinary, recipe.n_test)
        return super().of(subject, recipe, n_draws=n_draws, n_ordinary=n_ordinary, **how)

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """Scores of ordinary images, then of each sweep."""
        frames = Frames(data, "test", scorer.bands, grid=scorer.grid, limit=self.n_ordinary)
        plain = scores_of(scorer, frames, progress=progress)["score"]
        parts = [_ring_rows(ORDINARY, [np.nan], plain[None])]
        for name, (_, values) in SWEEPS.items():
            found = responses(scorer, swept(name), n_draws=self.n_draws)
            parts.append(_ring_rows(name, values, found))
        return parts


def _ring_rows(name: str, values: Sequence[float], scores: Floats) -> Columns:
    """Rows for scores (value, draw)."""
    return {
        "sweep": np.full(scores.size, name),
        "value": np.repeat(np.asarray(values, float), scores.shape[1]),
        "score": scores.ravel(),
    }


def share_below_ring(exam: Run, name: str) -> tuple[Floats, Floats]:
    """Values (n,) of one of SWEEPS, and (n, draw) what share of ordinary images scores lower."""
    rows = exam.scores()
    ordinary = rows["score"][rows["sweep"] == ORDINARY]
    values = np.asarray(SWEEPS[name][1], float)
    scores = rows["score"][rows["sweep"] == name].reshape(values.size, -1)
    return values, share_below(ordinary, scores)


def swept(name: str, base: Ring | None = None) -> list[Ring]:
    """Rings that differ in one of SWEEPS.

    >>> [ring.radius for ring in swept("radius")][:3]
    [0.5, 0.75, 1.0]
    """
    base = base or Ring()
    return [base.model_copy(update={name: value}) for value in SWEEPS[name][1]]


def share_below(reference: ArrayLike, scores: ArrayLike) -> Floats:
    """Share of reference scores (n,), those of images without a lens, below each score."""
    ordered = np.sort(np.asarray(reference, float))
    return np.searchsorted(ordered, np.asarray(scores)) / ordered.size
