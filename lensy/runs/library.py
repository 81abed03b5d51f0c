"""Finished runs: where they are, and how to have one that is missing made.

Those that come with the package are found first, then those made here.
"""

from __future__ import annotations

from lensy.datasets.store import DataSet
from collections.abc import Iterable
from lensy.errors import LensyError
from pathlib import Path
from lensy.runs.experiment import Planned
from typing import Protocol
from lensy.runs.run import (Run)
from lensy.runs.run import (SHIPPED)
from lensy.runs.experiment import Scale
from typing import TypedDict
import logging
from lensy.datasets.store import make_data_set

log = logging.getLogger(__name__)


def find_run(experiment: Planned, *, runs: Path, use_shipped: bool = True) -> Run | None:
    """The finished run with the experiment's fingerprint, shipped or local; None without one."""
    places = [runs_folder(experiment, runs)]
    if use_shipped:
        places.insert(0, runs_folder(experiment, SHIPPED))
    for folder in places:
        if (folder / "run.json").exists():
            run = Run(folder)
            if run.info["fingerprint"] == experiment.fingerprint:
                return run
    return None



class Places(TypedDict, total=False):
    """Where data and runs are, what may be used, whether to show progress: for `obtained`."""

    data_folder: Path
    runs: Path
    use_shipped: bool
    progress: bool



class Making(Protocol):
    """Whatever makes a run from a data set in a folder."""

    def __call__(self, data: DataSet, folder: Path, *, progress: bool) -> Run:
        """The finished run."""



def obtained(
    experiment: Planned,
    make: Making,
    *,
    data_folder: Path = Path("data"),
    runs: Path = Path("runs"),
    use_shipped: bool = True,
    progress: bool = False,
) -> Run:
    """The run of an experiment: shipped, made earlier, or else made now, data included."""
    run = find_run(experiment, runs=runs, use_shipped=use_shipped)
    if run is not None:
        return run
    log.info("no finished run of %s at scale %s: making it", experiment.name, experiment.scale)
    recipe = experiment.recipe
    data = make_data_set(recipe, data_folder / recipe.name, progress=progress)
    return make(data, runs_folder(experiment, runs), progress=progress)



def runs_folder(experiment: Planned, root: Path) -> Path:
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

