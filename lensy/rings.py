"""Rings of any colour around a galaxy, no lensing involved: what a network makes of them.

The talk says that OU-200 responds to blue rings. Here one property of a ring is moved at a time,
and all others stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from lensy.bands import GRIDS, band
from lensy.datasets import on_grid_of
from lensy.detector import observe
from lensy.render import render_bands
from lensy.scene import Frozen, Galaxy, Pattern, Positive, Scene
from lensy.scorers import Scorer

Floats = NDArray[np.float64]

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
    found = []
    for ring in rings:
        layers = render_bands(ring.scene(), [band(name) for name in scorer.bands])
        looks = []
        for look in range(n_looks):
            images = [
                on_grid_of(
                    observe(layers[name].image, band(name), _noise(look, name)), name, scorer.grid
                )
                for name in scorer.bands
            ]
            looks.append(np.stack(images))
        found.append(scorer(torch.from_numpy(np.stack(looks))))
    return np.stack(found)


def _noise(look: int, band_name: str) -> np.random.Generator:
    return np.random.default_rng([look, list(GRIDS).index(band_name)])


def swept(name: str, base: Ring | None = None) -> list[Ring]:
    """Rings that differ in one of SWEEPS."""
    base = base or Ring()
    return [base.model_copy(update={name: value}) for value in SWEEPS[name][1]]


def share_below(reference: ArrayLike, scores: ArrayLike) -> Floats:
    """Share of reference scores (n,), those of images without a lens, below each score."""
    ordered = np.sort(np.asarray(reference, float))
    return np.searchsorted(ordered, np.asarray(scores)) / ordered.size
