"""Recipes: what determines a data set, as a value that can be written down and compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from lensy.errors import LensyError
from lensy.sky.populations import Population, TalkPopulation
from lensy.telescope.bands import known_band
from lensy.telescope.instrument import Instrument
from lensy.values import Frozen, fingerprint

Split = Literal["test", "validation", "train"]

SPLITS: tuple[Split, ...] = ("test", "validation", "train")

Size = Annotated[int, Field(ge=0, le=1_000_000)]

VERSION = 2
"""What this code makes of a recipe. 2: four bands, exact cusps; 1: VIS alone."""


def _known(name: str) -> str:
    try:
        return known_band(name)
    except LensyError as error:
        raise PydanticCustomError("band", "{why}", {"why": str(error).rstrip(".")}) from None


# the name of a band in `bands.FILTERS`
BandName = Annotated[str, AfterValidator(_known)]


def _with_vis(bands: tuple[str, ...]) -> tuple[str, ...]:
    if "VIS" not in bands or len(set(bands)) < len(bands):
        raise ValueError("each band once, and VIS among them, whose image decides the label")
    return bands


class Recipe(Frozen):
    """Everything that determines the bytes of a data set, apart from library versions."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    population: Population = TalkPopulation()
    bands: Annotated[tuple[BandName, ...], AfterValidator(_with_vis)] = ("VIS", "Y", "J", "H")
    """VIS among them: label and masks are what VIS shows."""
    instrument: Instrument = Instrument()
    """Artefacts and correlated noise; none by default, as in the talk."""
    seed: Annotated[int, Field(ge=0)] = 1
    n_test: Size = 0
    n_validation: Size = 0
    n_train: Size = 0
    version: Annotated[int, Field(ge=1)] = VERSION
    """Raised when the code changes what a recipe means."""

    def size(self, split: Split) -> int:
        """Number of examples in a split."""
        return {"test": self.n_test, "validation": self.n_validation, "train": self.n_train}[split]

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with any field but the name."""
        return fingerprint("recipe", self, leave_out=("name",))


def read_recipe(text: str, *, where: str) -> Recipe:
    """A recipe from its JSON. Raises LensyError naming file, field, value and what is allowed."""
    try:
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        raise LensyError(describe_validation_error(error, where=where)) from None


def describe_validation_error(error: ValidationError, *, where: str) -> str:
    """One sentence for the first wrong field of a pydantic model."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "[key]") or "(the whole file)"
    given = repr(first["input"])
    given = given if len(given) < 60 else given[:57] + "..."
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no field {field!r}; recipe.json of any data set shows them all."
    further = f" {error.error_count() - 1} more." if error.error_count() > 1 else ""
    return f"{where}: field {field!r} cannot be {given}: {first['msg']}.{further}"
