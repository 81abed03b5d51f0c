"""Named recipes, <population>-<scale>; the README beside this file has a row for each."""

from __future__ import annotations

from lensy.errors import LensyError
from lensy.simulate import Recipe

# The seed is the date of the talk at NAM 2022. Splits number their examples apart, so no scale's
# training set can meet a test set: the test set of a larger scale begins with that of a smaller.
SEED = 20220711

_ALL = (
    Recipe(name="talk-smoke", seed=SEED, n_train=240, n_validation=60, n_test=120),
    Recipe(name="talk-laptop", seed=SEED, n_train=12_000, n_validation=1_000, n_test=4_000),
    Recipe(name="talk-talk", seed=SEED, n_train=45_000, n_validation=3_000, n_test=12_000),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def recipe(name: str) -> Recipe:
    """The recipe called `name`. Raises LensyError with the names there are."""
    if name not in RECIPES:
        raise LensyError(f"There is no recipe {name!r}; the recipes are {', '.join(RECIPES)}.")
    return RECIPES[name]
