"""Named recipes, <population>-<scale>; the README beside this file has a row for each."""

from __future__ import annotations

from lensy.errors import LensyError
from lensy.simulation.recipe import Recipe
from lensy.sky.populations import (
    CompoundPopulation,
    EuclidPopulation,
    Population,
    TalkPopulation,
)
from lensy.telescope.instrument import Instrument

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


def _others(n_test: int, scale: str) -> Recipe:
    """Non-lenses of TALK only, for false positive rates of one in a thousand and less.

    With a seed of its own, since its examples are numbered like those of the other test sets.
    """
    return Recipe(
        name=f"talk-others-{scale}",
        population=TalkPopulation(lens_fraction=0.0),
        seed=SEED + 1,
        n_test=n_test,
    )


def _survey(n_test: int, scale: str) -> Recipe:
    """Galaxies of TALK of which one in a thousand is a lens, in images with flaws.

    As with the non-lenses, a seed of its own.
    """
    return Recipe(
        name=f"talk-survey-{scale}",
        population=TalkPopulation(lens_fraction=1e-3),
        instrument=Instrument.realistic(),
        seed=SEED + 2,
        n_test=n_test,
    )


def _with_artefacts(n_test: int, scale: str) -> Recipe:
    """The first scenes of TALK's test set, seen with the artefacts and noise of real mosaics."""
    return Recipe(
        name=f"talk-artefacts-{scale}",
        bands=("VIS",),
        population=TalkPopulation(),
        instrument=Instrument.realistic(),
        seed=SEED,
        n_test=n_test,
    )


_ALL = (
    *(_sized(TalkPopulation(), scale) for scale in SIZES),
    *(_sized(EuclidPopulation(), scale) for scale in SIZES),
    _others(60, "smoke"),
    _others(20_000, "laptop"),
    _others(40_000, "talk"),
    _survey(60, "smoke"),
    _survey(10_000, "laptop"),
    _survey(20_000, "talk"),
    _with_artefacts(60, "smoke"),
    _with_artefacts(3_000, "laptop"),
    _with_artefacts(6_000, "talk"),
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
