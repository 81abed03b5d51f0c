"""Rings of any colour around a galaxy, no lensing involved: what a network makes of them.

The talk says that OU-200 responds to blue rings. Here one property of a ring is moved at a time,
and all others stay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import DataLoader

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.exams.exam import Question, write_answers
from lensy.runs.experiment import Count
from lensy.runs.library import Places, obtained
from lensy.runs.run import Run
from lensy.simulation.example import Recipe
from lensy.simulation.render import render_bands
from lensy.sky.scene import Galaxy, Pattern, Scene
from lensy.telescope.bands import band, generator_number
from lensy.telescope.noise import observe
from lensy.telescope.regrid import on_grid_of
from lensy.training.scorer import Scorer, scorer_of
from lensy.values import Columns, Floats, Frozen, Positive

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


def responses(scorer: Scorer, rings: Sequence[Ring], *, n_looks: int = 8) -> Floats:
    """Scores (ring, look) of rings with fresh noise in each look; the same noise for every ring."""
    return np.stack(
        [
            scorer(torch.from_numpy(ring_images(ring, scorer.bands, scorer.grid, n_looks=n_looks)))
            for ring in rings
        ]
    )


def ring_images(
    ring: Ring, bands: Sequence[str], grid: str, *, n_looks: int = 1
) -> NDArray[np.float32]:
    """Images (look, band, y, x) of a ring, nJy on the pixels of `grid`, fresh noise in each look.

    The noise of a look is the same for every ring.
    """
    layers = render_bands(ring.scene(), [band(name) for name in bands])
    looks = [
        [
            on_grid_of(observe(layers[name].image, band(name), _noise(look, name)), name, grid)
            for name in bands
        ]
        for look in range(n_looks)
    ]
    return np.array(looks, np.float32)


class RingExam(Question):
    """Scores of all rings in SWEEPS, and of ordinary images to compare them with.

    n_looks: with noise of its own, per ring. n_ordinary: images of the recipe, which has no lenses.
    """

    n_looks: Count
    n_ordinary: Count


ORDINARY = "ordinary images"


def show_rings(
    run: Run, exam: RingExam, data: DataSet, folder: Path, *, progress: bool = False
) -> Run:
    """Score rings and ordinary images with a run's network, and write that as a run of its own.

    Its `scores` have a row per image: `sweep`, the property that is moved, or ORDINARY; its
    `value`; and the `score`. progress: there is no bar, as it takes a minute.
    """
    del progress
    started = time.monotonic()
    scorer = scorer_of(run)
    frames = Frames(data, "test", scorer.bands, grid=scorer.grid, limit=exam.n_ordinary)
    plain = np.concatenate([scorer(batch["image"]) for batch in DataLoader(frames, batch_size=16)])
    parts: list[Columns] = [_ring_rows(ORDINARY, [np.nan], plain[None])]
    for name, (_, values) in SWEEPS.items():
        found = responses(scorer, swept(name), n_looks=exam.n_looks)
        parts.append(_ring_rows(name, values, found))
    return write_answers(folder, exam, run, parts, started=started, precision=scorer.precision)


def _ring_rows(name: str, values: Sequence[float], scores: Floats) -> Columns:
    """Rows for scores (value, look)."""
    return {
        "sweep": np.full(scores.size, name),
        "value": np.repeat(np.asarray(values, float), scores.shape[1]),
        "score": scores.ravel(),
    }


def obtain_rings(
    run: Run, recipe: Recipe, n_looks: int = 8, n_ordinary: int = 1000, **places: Unpack[Places]
) -> Run:
    """A network's scores of rings: shipped, made earlier, or else made now, data included."""
    n_ordinary = min(n_ordinary, recipe.n_test)
    exam = RingExam.to(run, recipe, "on-rings", n_looks=n_looks, n_ordinary=n_ordinary)
    return obtained(exam, partial(show_rings, run, exam), **places)


def liking(exam: Run, name: str) -> tuple[Floats, Floats]:
    """Values (n,) of one of SWEEPS, and (n, look) what share of ordinary images scores lower."""
    rows = exam.scores()
    ordinary = rows["score"][rows["sweep"] == ORDINARY]
    values = np.asarray(SWEEPS[name][1], float)
    scores = rows["score"][rows["sweep"] == name].reshape(values.size, -1)
    return values, share_below(ordinary, scores)


def _noise(look: int, band_name: str) -> np.random.Generator:
    return np.random.default_rng([look, generator_number(band_name)])


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
