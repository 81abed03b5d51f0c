"""One training from beginning to scored run."""

from __future__ import annotations

from typing import Protocol

from lensy.errors import LensyError
from lensy.runs.run import Run
from lensy.training.unet import Experiment


class Beginning(Protocol):
    """An experiment that may begin with the weights of another."""

    @property
    def name(self) -> str:
        """Of the experiment."""

    @property
    def start(self) -> Experiment | None:
        """The experiment whose finished network gives the first weights."""


def check_start(experiment: Beginning, start: Run | None) -> None:
    """Raise LensyError where `start` is not the run that the experiment begins with."""
    wanted = experiment.start
    if (wanted and wanted.fingerprint) != (start and start.info["fingerprint"]):
        raise LensyError(
            f"{experiment.name} begins with the weights of "
            f"{wanted.name if wanted else 'no other network'}, but was given "
            f"{start.folder if start else 'none'}."
        )
