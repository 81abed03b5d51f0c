"""Data sets by the name of their recipe.

Recipes belong to whoever writes them: a package that has some says so with an entry point of the
group `lensy.recipes`, which names a mapping of them. `data_sim` does.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from lensy.datasets import store
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.simulation.recipe import Recipe

GROUP = "lensy.recipes"
"""Group of the entry points."""


def recipes() -> dict[str, Recipe]:
    """Every recipe that an installed package declares, by its name."""
    return {
        name: each for entry in entry_points(group=GROUP) for name, each in entry.load().items()
    }


def recipe(name: str) -> Recipe:
    """The recipe called `name`. Raises LensyError with the names there are.

    >>> recipe("talk-smoke").n_train
    240
    """
    known = recipes()
    if name not in known:
        names = ", ".join(known) or "none: install the package anew, `pip install -e .`"
        raise LensyError(f"There is no recipe {name!r}; the recipes are {names}.")
    return known[name]


def make_data_set(
    what: Recipe | str, folder: Path | str, *, n_jobs: int = -1, progress: bool = True
) -> DataSet:
    """The data set of a recipe, made in a folder, or what is still missing of it there.

    what: a recipe or the name of one. n_jobs: worker processes, -1 for all cores. Images are in nJy
    per pixel. Raises LensyError for a name that is none, or a folder that holds other data.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     data = make_data_set(Recipe(name="mine", n_test=2), folder, n_jobs=1, progress=False)
    ...     data.observed("test", 0, "VIS").shape
    (200, 200)
    """
    chosen = recipe(what) if isinstance(what, str) else what
    return store.make_data_set(chosen, Path(folder), n_jobs=n_jobs, progress=progress)
