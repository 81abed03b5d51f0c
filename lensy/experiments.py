"""Experiments: which network is trained on which data with which settings.

A scale says how much: `smoke` proves that everything runs, `laptop` is what two cores do in an
hour and a half, `talk` is the talk's size for one GPU.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from lensy.errors import LensyError
from lensy.scene import Frozen
from lensy.simulate import Recipe

Scale = Literal["smoke", "laptop", "talk"]
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "talk")
Count = Annotated[int, Field(ge=1)]


class Training(Frozen):
    """Settings of one training run. An epoch is a stretch of steps between two validations."""

    width: Count = 16
    """Channels at the first level of the network."""
    crop: Annotated[int, Field(ge=16)] = 80
    """Side of the training crops, pixels: a ring of 2.5 arcsec with room around it."""
    batch: Count = 32
    n_epochs: Count = 20
    steps_per_epoch: Count = 250
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """Peak of the one-cycle schedule. Source: Smith & Topin 2018, arXiv 1708.07120."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    n_check: Count = 400
    """Validation frames scored after each epoch; all are used to choose the score at the end."""
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def n_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.n_epochs * self.steps_per_epoch


class Experiment(Frozen):
    """A network, a band, its training and the recipe of its data."""

    name: str
    scale: Scale
    band: Literal["VIS"]
    training: Training
    recipe: Recipe

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with any setting or the data's recipe."""
        content = self.training.model_dump_json() + self.band + self.recipe.fingerprint
        return hashlib.sha256(content.encode()).hexdigest()[:12]


TRAININGS: dict[str, dict[Scale, Training]] = {
    "naberrie-vis": {
        "smoke": Training(n_epochs=2, steps_per_epoch=15, batch=8, n_check=40),
        "laptop": Training(n_epochs=18, steps_per_epoch=250),
        "talk": Training(width=64, crop=128, batch=64, n_epochs=40, steps_per_epoch=500),
    },
}


def experiment(name: str, scale: Scale, recipe: Recipe) -> Experiment:
    """The experiment called `name` at a scale, on the data of `recipe`.

    Raises LensyError with the names there are.
    """
    if name not in TRAININGS:
        raise LensyError(
            f"There is no experiment {name!r}; the experiments are {', '.join(TRAININGS)}."
        )
    if scale not in SCALES:
        raise LensyError(f"There is no scale {scale!r}; the scales are {', '.join(SCALES)}.")
    training = TRAININGS[name][scale]
    return Experiment(name=name, scale=scale, band="VIS", training=training, recipe=recipe)
