"""Recipes and examples: what example number i of a data set is.

Example i of a split depends on the recipe's seed, the split and i, and on nothing else: not on
how many examples are made, in which order, or by how many workers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from lensy.errors import LensyError
from lensy.simulation import targets
from lensy.simulation.catalogue import catalogue_row
from lensy.simulation.render import Layers, render_bands
from lensy.sky.populations import Population, TalkPopulation
from lensy.sky.scene import Scene
from lensy.telescope.artefact import Artefact
from lensy.telescope.bands import FLAWS, band, generator_number, known_band
from lensy.telescope.instrument import KINDS, Exposure, Instrument, expose
from lensy.values import Frozen, Image

Split = Literal["test", "validation", "train"]

SPLITS: tuple[Split, ...] = ("test", "validation", "train")

FIRST_INDEX: dict[Split, int] = {"test": 0, "validation": 1_000_000, "train": 2_000_000}
"""Where each split's numbers start, so that a longer training set leaves the test set as it is."""


ObjectMasks = list[list[targets.Pixels]]

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
        content = self.model_dump_json(exclude={"name"})
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def read_recipe(text: str, *, where: str) -> Recipe:
    """A recipe from its JSON. Raises LensyError naming file, field, value and what is allowed."""
    try:
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        raise LensyError(describe_validation_error(error, where=where)) from None


def describe_validation_error(error: ValidationError, *, where: str) -> str:
    """One sentence for the first wrong field of a pydantic model."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
    given = repr(first["input"])
    given = given if len(given) < 60 else given[:57] + "..."
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no field {field!r}; recipe.json of any data set shows them all."
    further = f" {error.error_count() - 1} more." if error.error_count() > 1 else ""
    return f"{where}: field {field!r} cannot be {given}: {first['msg']}.{further}"


@dataclass(frozen=True)
class Example:
    """One scene with its layers per band, its masks and its row of the catalogue.

    masks: for each object (lens galaxy, lensed light, companions in order) the rings of its
    percentile masks in VIS, see `targets.mask_rings`.
    """

    scene: Scene
    layers: dict[str, Layers]
    masks: ObjectMasks
    noise_seed: int
    instrument: Instrument
    row: dict[str, Any]

    @property
    def label(self) -> bool:
        """Whether this is a lens."""
        return bool(self.row["is_lens"])

    def observed(self, band_name: str) -> Image:
        """The noisy image, (y, x) in nJy, with the noise that the seed fixes."""
        return self.exposure(band_name).image

    def exposure(self, band_name: str) -> Exposure:
        """As `observed`, with the masks of artefacts beside the image."""
        image = self.layers[band_name].image
        return observe_frozen(image, band_name, self.noise_seed, self.instrument)


def observe_frozen(
    image: Image, band_name: str, noise_seed: int, instrument: Instrument
) -> Exposure:
    """A noiseless image with the noise and the artefacts of a seed: the same every time."""
    rng = np.random.default_rng([noise_seed, generator_number(band_name)])
    artefacts = frozen_artefacts(noise_seed, instrument)
    return expose(image, band(band_name), rng, artefacts=artefacts, instrument=instrument)


def frozen_artefacts(noise_seed: int, instrument: Instrument) -> tuple[Artefact, ...]:
    """The artefacts of a seed, the same for all bands."""
    return instrument.draw(np.random.default_rng([noise_seed, FLAWS]))


def simulate(recipe: Recipe, split: Split, index: int) -> Example:
    """Example `index` of a split. Any index: it need not lie below the split's size.

    >>> example = simulate(Recipe(name="mine", seed=1), "test", 0)
    >>> example.observed("VIS").shape, example.observed("H").shape
    ((200, 200), (66, 66))
    """
    if split not in FIRST_INDEX:
        raise LensyError(f"There is no split {split!r}; the splits are {', '.join(SPLITS)}.")
    if not 0 <= index < 1_000_000:
        raise LensyError(f"An example's index lies from 0 to 999 999, not at {index}.")
    rng = np.random.default_rng([recipe.seed, FIRST_INDEX[split] + index])
    noise_seed = int(rng.integers(2**53))
    scene = recipe.population.draw(rng)
    exact = render_bands(scene, [band(name) for name in recipe.bands])
    vis = exact["VIS"]
    masks = [targets.mask_rings(light) for light in (vis.lens_light, vis.arc, *vis.companions)]
    layers = {name: _rounded(each, band(name).flux_step) for name, each in exact.items()}
    row = {"split": split, "index": index, "noise_seed": noise_seed}
    row |= catalogue_row(scene, layers)
    shown = {each.kind for each in frozen_artefacts(noise_seed, recipe.instrument)}
    row |= {f"has_{name.replace(' ', '_')}": name in shown for name in KINDS}
    return Example(scene, layers, masks, noise_seed, recipe.instrument, row)


def _rounded(layers: Layers, step: float) -> Layers:
    def rounded(image: Image) -> Image:
        return np.asarray(np.rint(image / step) * step, np.float32)

    return replace(
        layers,
        lens_light=rounded(layers.lens_light),
        arc=rounded(layers.arc),
        companions=rounded(layers.companions),
    )
