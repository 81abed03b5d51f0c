"""Finished runs: where they are, and how to have one that is missing made.

Those that come with the package are found first, then those made here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypedDict

import numpy as np
from astropy.table import Table

from lensy.errors import LensyError
from lensy.experiments import Scale
from lensy.runs import SHIPPED, Planned, Run
from lensy.simulate import Recipe
from lensy.store import DataSet, make_data_set

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


def find_predecessor(recipe: Recipe, network: str = "ou-vis") -> Run | None:
    """The shipped scores of one of the predecessor's published networks on a recipe's test set.

    None where it was not scored on that recipe: its weights do not come with the package.
    """
    for path in sorted(SHIPPED.glob(f"*/{network}-published/run.json")):
        run = Run(path.parent)
        scored = Recipe.model_validate(run.info["experiment"]["recipe"])
        if scored.fingerprint == recipe.fingerprint:
            return run
    return None


def recorded_real_sky() -> Table | None:
    """Candidates in the public Euclid cutouts as the shipped run scored them; None without."""
    for scale in ("talk", "laptop"):
        path = SHIPPED / scale / "naberrie-vis" / "real_sky.ecsv"
        if path.exists():
            table = Table.read(path, format="ascii.ecsv")
            # an empty string comes back from ECSV as a missing value
            table["flags"] = np.ma.filled(table["flags"], "")
            return table
    return None
