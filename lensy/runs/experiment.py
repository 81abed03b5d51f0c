"""What a run is the result of: an experiment at a scale, on the data of a recipe.

A scale says how much: `smoke` proves that everything runs, `laptop` is what two cores do in an
hour, `talk` is the talk's size for one GPU.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.simulation.recipe import Recipe
from lensy.values import Frozen, fingerprint

if TYPE_CHECKING:
    from lensy.runs.run import Run

Scale = Literal["smoke", "laptop", "talk"]
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "talk")
Count = Annotated[int, Field(ge=1)]


def known_scale(word: str) -> Scale:
    """The scale of that name. Raises LensyError, with the scales there are, where it is none."""
    for scale in SCALES:
        if scale == word:
            return scale
    raise LensyError(f"There is no scale {word!r}; the scales are {', '.join(SCALES)}.")


class Training(Frozen):
    """Settings of any training. An epoch is a stretch of steps between two validations."""

    batch: Count
    n_epochs: Count
    steps_per_epoch: Count
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    n_check: Count
    """Validation frames that are scored after each epoch."""
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def n_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.n_epochs * self.steps_per_epoch


Settings = TypeVar("Settings", bound=Training)


class Experiment(Frozen, ABC):
    """Something to be found out, of which a finished run holds the result.

    kind: which subclass; `run.json` says it. name: of the experiment, and of its run's folder.
    scale: one of SCALES for those that `named` makes. start: the experiment whose finished run this
    one begins with, if there is one.
    """

    kind: ClassVar[str]

    name: str
    scale: str
    recipe: Recipe
    start: Experiment | None = None

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with the kind, any setting or the data's recipe."""
        return fingerprint(self.kind, self, leave_out=("name", "scale"))

    @abstractmethod
    def make(self, data: DataSet, folder: Path, *, start: Run | None, progress: bool) -> Run:
        """The finished run, written into a folder. start: the run of the experiment `start`."""


def with_seed(name: str, training: Settings, seed: int | None) -> tuple[str, Settings]:
    """Name and settings with another seed, which becomes part of the name; None leaves both."""
    if seed is None or seed == training.seed:
        return name, training
    return f"{name}-seed-{seed}", training.model_copy(update={"seed": seed})
