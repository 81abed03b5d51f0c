"""Named recipes, <population>-<scale>; the README beside this file has a row for each."""

from __future__ import annotations

from lensy.artefacts import Instrument
from lensy.errors import LensyError
from lensy.populations import (
    CompoundPopulation,
    EuclidPopulation,
    Population,
    TalkPopulation,
)
from lensy.simulate import Recipe

# The seed is the date of the talk at NAM 2022. Splits number their examples apart, so no scale's
# training set can meet a test set: the test set of a larger scale begins with that of a smaller.
SEED = 20220711

SIZES = {"smoke": (240, 60, 120), "laptop": (12_000, 1_000, 6_000), "talk": (45_000, 3_000, 12_000)}
"""Examples to train on, to validate with and to test with, per scale."""


def _sized(population: Population, scale: str) -> Recipe:
    n_train, n_validation, n_test = SIZES[scale]
    return Recipe(
        name=f"{population.kind}-{scale}",
        population=population,
        seed=SEED,
        n_train=n_train,
        n_validation=n_validation,
        n_test=n_test,
    )


_ALL = (
    *(_sized(TalkPopulation(), scale) for scale in SIZES),
    *(_sized(EuclidPopulation(), scale) for scale in SIZES),
    # two source planes, and a sky with everything that may go wrong: to test on only
    Recipe(name="compound", seed=SEED, population=CompoundPopulation(), n_test=1_000),
    Recipe(
        name="sky",
        seed=SEED,
        population=EuclidPopulation(),
        instrument=Instrument.realistic(),
        n_test=1_000,
    ),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def recipe(name: str) -> Recipe:
    """The recipe called `name`. Raises LensyError with the names there are."""
    if name not in RECIPES:
        raise LensyError(f"There is no recipe {name!r}; the recipes are {', '.join(RECIPES)}.")
    return RECIPES[name]
