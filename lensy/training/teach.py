"""Teaching a network by its name, in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lensy.datasets.store import DataSet
from lensy.runs.experiment import Experiment
from lensy.runs.library import find_run, runs_folder
from lensy.runs.run import Run
from lensy.training.fit import NetworkExperiment, fit
from lensy.training.kinds import experiment

RUNS = Path("runs")
"""Where runs are kept unless another folder is given."""


def train(
    name: str,
    data: DataSet,
    *,
    scale: str = "laptop",
    folder: Path | str | None = None,
    seed: int | None = None,
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> Run:
    """Teach the network of an experiment on a data set, score the test set, write the run.

    name: of the experiment, `naberrie-vis` say; `lensy train --list` shows all. scale: smoke,
    laptop or talk. folder: of the run, `runs/SCALE/NAME` unless given. seed: of first weights,
    crops and noise. trainer_options: passed on to Lightning's Trainer (`accelerator`, ...).

    An experiment that begins with the weights of another finds its finished run, shipped or below
    `runs`; where there is none, that is taught first. Raises LensyError for a name or a scale that
    is none, or a folder with another run.

    >>> from tempfile import TemporaryDirectory
    >>> from lensy.datasets.named import make_data_set
    >>> from lensy.simulation.recipe import Recipe
    >>> few = Recipe(name="few", n_train=8, n_validation=8, n_test=8)
    >>> with TemporaryDirectory() as folder:
    ...     data = make_data_set(few, f"{folder}/data", n_jobs=1, progress=False)
    ...     run = train("ou-h", data, scale="smoke", folder=f"{folder}/run", progress=False)
    ...     run.scores()["score"].shape
    (8,)
    """
    wanted = experiment(name, scale, data.recipe, seed=seed)
    start = _beginning(wanted.start, data, progress=progress, options=trainer_options)
    where = Path(folder) if folder else runs_folder(wanted, RUNS)
    return fit(wanted, data, where, start=start, progress=progress, trainer_options=trainer_options)


def _beginning(
    first: Experiment | None, data: DataSet, *, progress: bool, options: dict[str, Any] | None
) -> Run | None:
    """The run that another experiment begins with, taught here where there is none."""
    if not isinstance(first, NetworkExperiment):
        return None
    found = find_run(first, runs=RUNS, with_weights=True)
    if found is not None:
        return found
    earlier = _beginning(first.start, data, progress=progress, options=options)
    where = runs_folder(first, RUNS)
    return fit(first, data, where, start=earlier, progress=progress, trainer_options=options)
