"""Finished runs: where they are, and how to have one that is missing made.

Those that come with the package are found first, then those made here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from lensy.errors import LensyError
from lensy.runs.run import SHIPPED, Run

if TYPE_CHECKING:
    from lensy.runs.experiment import Experiment, Scale

log = logging.getLogger(__name__)


class Places(TypedDict, total=False):
    """Where data and runs are, what may be used, whether to show progress: for `obtain`."""

    data_folder: Path
    runs: Path
    use_shipped: bool
    progress: bool


def obtain(
    experiment: Experiment,
    *,
    data_folder: Path = Path("data"),
    runs: Path = Path("runs"),
    use_shipped: bool = True,
    with_weights: bool = False,
    progress: bool = False,
) -> Run:
    """The run of an experiment: shipped, made earlier, or else made now.

    So are its data and the run that it begins with. with_weights: whether one that keeps scores
    only will not do, as it does not to begin with.

    >>> from lensy.training.kinds import experiment_of
    >>> wanted = experiment_of(shipped_run("naberrie-vis"))
    >>> obtain(wanted).is_shipped
    True
    """
    run = find_run(experiment, runs=runs, use_shipped=use_shipped, with_weights=with_weights)
    if run is not None:
        return run
    from lensy.datasets.store import make_data_set

    log.info("no finished run of %s at scale %s: making it", experiment.name, experiment.scale)
    places: Places = {
        "data_folder": data_folder,
        "runs": runs,
        "use_shipped": use_shipped,
        "progress": progress,
    }
    recipe = experiment.recipe
    data = make_data_set(recipe, data_folder / recipe.name, progress=progress)
    start = obtain(experiment.start, with_weights=True, **places) if experiment.start else None
    return experiment.make(data, runs_folder(experiment, runs), start=start, progress=progress)


def find_run(
    experiment: Experiment, *, runs: Path, use_shipped: bool = True, with_weights: bool = False
) -> Run | None:
    """The finished run with the experiment's fingerprint, shipped or local; None without one.

    with_weights: whether one that keeps scores only is none.
    """
    for root in (SHIPPED, runs) if use_shipped else (runs,):
        folder = runs_folder(experiment, root)
        run = Run(folder) if (folder / "run.json").exists() else None
        if run and run.fingerprint == experiment.fingerprint and (run.holds() or not with_weights):
            return run
    return None


def runs_folder(experiment: Experiment, root: Path) -> Path:
    """Where a run of the experiment lives below `root`."""
    return root / experiment.scale / experiment.name


def shipped_run(name: str, scale: Scale | None = None) -> Run:
    """The shipped run of an experiment, at the largest scale there is unless one is given.

    Raises LensyError where none is shipped.

    >>> run = shipped_run("naberrie-vis")
    >>> run.info["experiment"]["bands"]
    ['VIS']
    """
    scales: list[Scale] = [scale] if scale else ["talk", "laptop"]
    for each in scales:
        if (SHIPPED / each / name / "run.json").exists():
            return Run(SHIPPED / each / name)
    raise LensyError(
        f"No run of {name!r} is shipped at scale {' or '.join(scales)}: train one with "
        f"`lensy train {name}` and give its folder."
    )


def finished_runs(
    names: Iterable[str], scale: Scale, *, runs: Path = Path("runs"), use_shipped: bool = True
) -> dict[str, Run]:
    """Finished runs of a scale by name, as far as there are any; nothing is made.

    runs: folder of runs made here. use_shipped: whether the package's own count; they come first.
    """
    roots = [SHIPPED, runs] if use_shipped else [runs]
    found = {}
    for name in names:
        folders = [root / scale / name for root in roots]
        finished = [folder for folder in folders if (folder / "run.json").exists()]
        if finished:
            found[name] = Run(finished[0])
    return found
