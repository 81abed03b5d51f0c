"""Experiments: which network is trained on which data with which settings.

A scale says how much: `smoke` proves that everything runs, `laptop` is what two cores do in an
hour, `talk` is the talk's size for one GPU.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field

from lensy.errors import LensyError
from lensy.models.unet import Upsampling
from lensy.runs.experiment import Count, Scale, check_scale, with_seed
from lensy.simulation.example import BandName, Recipe
from lensy.values import Frozen


class HeadTraining(Frozen):
    """Settings of the classifier's dense layers, which learn from features of whole frames."""

    n_draws: Count = 2
    """How often each training frame is seen, each time turned at random and with fresh noise."""
    n_epochs: Count = 5
    batch: Count = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3


class Training(Frozen):
    """Settings of one training run. An epoch is a stretch of steps between two validations."""

    width: Count = 16
    """Channels at the first level of the network."""
    upsampling: Upsampling = "bilinear"
    crop: Annotated[int, Field(ge=16)] = 64
    """Side of the training crops, pixels: a ring of 2.5 arcsec with some room around it."""
    batch: Count = 16
    n_epochs: Count = 12
    steps_per_epoch: Count = 1000
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """Peak of the one-cycle schedule. Source: Smith & Topin 2018, arXiv 1708.07120."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    coarse_weight: Annotated[float, Field(ge=0)] = 4.0
    """Weight of a second loss on a coarse painting made from the bottleneck alone, which is thrown
    away after training: it makes the encoder say what the classifier will need. Source: Lee et al.
    2015, Deeply-Supervised Nets."""
    n_check: Count = 400
    """Validation frames scored after each epoch; all are used to choose the score at the end."""
    artefacts: bool = False
    """Whether training crops carry the artefacts and the correlated noise of real mosaics."""
    seed: Annotated[int, Field(ge=0)] = 1
    head: HeadTraining = HeadTraining()

    @property
    def n_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.n_epochs * self.steps_per_epoch


class Experiment(Frozen):
    """A network, what it sees, its training and the recipe of its data.

    bands: those of the input; the lensed light of the first is painted. start: the experiment whose
    finished network gives the first weights; random ones without. marks_artefacts: whether the
    network learns to mark the pixels that artefacts spoil.
    """

    name: str
    scale: Scale
    bands: tuple[BandName, ...]
    training: Training
    recipe: Recipe
    start: Experiment | None = None
    marks_artefacts: bool = False

    @property
    def band(self) -> BandName:
        """The band that is painted."""
        return self.bands[0]

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with any setting or the data's recipe."""
        content = self.training.model_dump_json() + "".join(self.bands) + self.recipe.fingerprint
        content += self.start.fingerprint if self.start else ""
        content += "marks artefacts" if self.marks_artefacts else ""
        return hashlib.sha256(content.encode()).hexdigest()[:12]


BANDS: dict[str, tuple[BandName, ...]] = {
    "naberrie-vis": ("VIS",),
    "naberrie-y": ("Y",),
    "naberrie-j": ("J",),
    "naberrie-h": ("H",),
    "naberrie-vis-longer": ("VIS",),
    "naberrie-colour": ("VIS", "Y", "J", "H"),
    "naberrie-vis-artefacts": ("VIS",),
    "naberrie-vis-marking": ("VIS",),
}
"""The experiments, and the bands that each network sees."""

START = {name: "naberrie-vis" for name in BANDS if name != "naberrie-vis"}
"""Experiments that begin with the weights of another. In NISP a network with random weights paints
nothing for its first thousand steps, because the arcs drown in the light of the lens galaxy; one
that has learned in VIS what an arc is sees them at once. (Measured in H: after 2000 steps the
classifier's validation AUROC was 0.71 from random weights and 0.80 from those of VIS.) In VIS,
four networks go on for half as many steps again: with nothing new, with colour, with artefacts in
the images, and with artefacts that it is to mark."""

MARKING = "naberrie-vis-marking"
"""The talk's next step: a second output, the mask of artefacts."""

_SMOKE_HEAD = HeadTraining(n_draws=1, n_epochs=20)

_SMOKE = Training(n_epochs=2, steps_per_epoch=15, batch=8, n_check=40, head=_SMOKE_HEAD)

_VIS = {
    "smoke": _SMOKE,
    "laptop": Training(),
    "talk": Training(width=64, crop=128, batch=64, n_epochs=40, steps_per_epoch=500),
}

# a NISP crop of 48 pixels is 14 arcsec wide and costs half of one in VIS
_NISP = {
    "smoke": _SMOKE.model_copy(update={"crop": 48}),
    "laptop": Training(crop=48),
    "talk": Training(width=64, crop=64, batch=64, n_epochs=40, steps_per_epoch=500),
}


def training_of(name: str, scale: Scale) -> Training:
    """The settings of an experiment at a scale."""
    if BANDS[name][0] != "VIS":
        return _NISP[scale]
    settings = _VIS[scale]
    if name not in START:
        return settings
    flawed = name in ("naberrie-vis-artefacts", MARKING)
    changes = {"n_epochs": settings.n_epochs // 2, "artefacts": flawed}
    return settings.model_copy(update=changes)


def experiment(name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None) -> Experiment:
    """The experiment called `name` at a scale, on the data of `recipe`.

    seed: of first weights, crops and noise, 1 unless given; another one becomes part of the name.
    Raises LensyError with the names there are.
    """
    if name not in BANDS:
        raise LensyError(
            f"There is no experiment {name!r}; the experiments are {', '.join(BANDS)}."
        )
    check_scale(scale)
    label, training = with_seed(name, training_of(name, scale), seed)
    start = experiment(START[name], scale, recipe, seed=seed) if name in START else None
    return Experiment(
        name=label,
        scale=scale,
        bands=BANDS[name],
        training=training,
        recipe=recipe,
        start=start,
        marks_artefacts=name == MARKING,
    )
