"""Experiments with Mask R-CNN: which objects, how much training. As `experiments.py`."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from lensy.datasets.instances import BAND, Role, Variant
from lensy.errors import LensyError
from lensy.models.mask_rcnn import Size
from lensy.runs.experiment import Count, Scale, check_scale, with_seed
from lensy.simulation.example import BandName, Recipe
from lensy.training.unet import Experiment, experiment
from lensy.values import Frozen

_LENS: dict[str, tuple[Role, ...]] = {"lensed light": ("lensed light",)}

_BOTH: dict[str, tuple[Role, ...]] = _LENS | {"lens galaxy": ("lens galaxy",)}

_MRC_3 = Variant(99.5, _BOTH | {"galaxy": ("candidate", "companion")})

TALK = {
    "mrc-95": Variant(95.0, _LENS),
    "mrc-99": Variant(99.0, _LENS),
    "mrc-995": Variant(99.5, _LENS),
    "mrc-3": _MRC_3,
}
"""The talk's networks. The panels of its input show masks of 200 pixels, the 99.5th percentile, of
the lensed light, the lens galaxy and every other galaxy."""

BEGUN_AT_RANDOM = {"mrc-995-from-random": TALK["mrc-995"], "mrc-3-from-random": _MRC_3}
"""Two of the talk's once more, whose trunk begins with random weights at every scale, as the
talk's did, and learns with the rest."""

ABLATIONS = {
    "mrc-3-shuffled": replace(_MRC_3, shuffled=True),
    "mrc-3-companions": Variant(99.5, _BOTH | {"galaxy": ("companion",)}),
    "mrc-3-candidates": Variant(99.5, _BOTH | {"galaxy": ("candidate",)}),
}
"""MRC-3 with something taken from its non-lenses: their labels are drawn at random, or the class
holds the companions alone, or the galaxies that might have been lenses alone. They begin at random
as well: what a network learns from its objects shows most where it has learned nothing before."""

WITH_ARTEFACTS = {
    "mrc-3-artefacts": replace(_MRC_3, artefacts=True),
    "mrc-4": Variant(99.5, _MRC_3.classes | {"artefact": ("artefact",)}, artefacts=True),
}
"""The talk's next step, a class for artefacts, and its control, which sees them without a name."""

FROM_RANDOM = BEGUN_AT_RANDOM | ABLATIONS
"""All whose trunk begins with random weights at every scale."""

VARIANTS = TALK | FROM_RANDOM | WITH_ARTEFACTS
"""All networks by name."""

START = "naberrie-vis"
"""Light networks stand on its encoder, which they keep, as the talk's classifier does: in the steps
that two cores can take, a trunk with random weights does not get far."""


class MaskTraining(Frozen):
    """Settings of one training run, the same for all variants at a scale."""

    size: Size = "light"
    n_train: Count = 6000
    """Training frames, the first ones of the data set, each seen with new noise every time."""
    crop: Annotated[int, Field(ge=64, le=200)] = 128
    """Side of the training crops, pixels; whole frames are what is searched."""
    n_test: Count = 2000
    """Test frames, the first ones."""
    batch: Count = 8
    n_epochs: Count = 6
    steps_per_epoch: Count = 125
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """Highest of the schedule. On 600 validation frames 1e-3 was no better (standard error 0.011),
    and 5e-3 fell behind in the first epoch."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    n_check: Count = 200
    """Validation frames scored after each epoch."""
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def n_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.n_epochs * self.steps_per_epoch


class MaskExperiment(Frozen):
    """A variant of Mask R-CNN, its training and the recipe of its data.

    start: the experiment whose finished Naberrie gives the trunk's first weights; random ones
    without.
    """

    name: str
    scale: Scale
    variant: str
    training: MaskTraining
    recipe: Recipe
    start: Experiment | None = None

    @property
    def band(self) -> BandName:
        """The band that the network sees."""
        return BAND

    @property
    def objects(self) -> Variant:
        """What the network is to find."""
        return VARIANTS[self.variant]

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with any setting or the data's recipe."""
        content = self.training.model_dump_json() + repr(self.objects) + self.recipe.fingerprint
        content += self.start.fingerprint if self.start else ""
        return hashlib.sha256(content.encode()).hexdigest()[:12]


TRAINING = {
    "smoke": MaskTraining(
        n_train=60, crop=96, n_test=40, batch=2, n_epochs=2, steps_per_epoch=4, n_check=10
    ),
    "laptop": MaskTraining(),
    "talk": MaskTraining(
        size="full",
        learning_rate=1e-3,
        n_train=45_000,
        crop=200,
        n_test=12_000,
        batch=16,
        n_epochs=20,
        steps_per_epoch=1000,
    ),
}


def mask_experiment(
    name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None
) -> MaskExperiment:
    """The experiment with the variant called `name`; another seed becomes part of the name.

    Raises LensyError with the names there are.
    """
    if name not in VARIANTS:
        raise LensyError(f"There is no variant {name!r}; the variants are {', '.join(VARIANTS)}.")
    check_scale(scale)
    label, training = with_seed(name, TRAINING[scale], seed)
    begins = training.size == "light" and name not in FROM_RANDOM
    start = experiment(START, scale, recipe, seed=seed) if begins else None
    return MaskExperiment(
        name=label, scale=scale, variant=name, training=training, recipe=recipe, start=start
    )
