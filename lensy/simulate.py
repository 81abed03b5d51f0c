"""Recipes and examples: what example number i of a data set is.

Example i of a split depends on the recipe's seed, the split and i, and on nothing else: not on
how many examples are made, in which order, or by how many workers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from lensy import targets
from lensy.bands import GRIDS, band
from lensy.detector import observe
from lensy.errors import LensyError
from lensy.populations import Population, TalkPopulation
from lensy.render import Layers, render
from lensy.scene import Frozen, Scene

Split = Literal["test", "validation", "train"]
SPLITS: tuple[Split, ...] = ("test", "validation", "train")

FIRST_INDEX: dict[Split, int] = {"test": 0, "validation": 1_000_000, "train": 2_000_000}
"""Where each split's numbers start, so that a longer training set leaves the test set as it is."""

FLUX_STEP = 2.0**-10
"""Layers are rounded to this many nJy, a two-thousandth of the VIS noise: exact in float32, and
the bits of a rounded image compress four times better."""

Image = NDArray[np.float32]
ObjectMasks = list[list[targets.Pixels]]
Size = Annotated[int, Field(ge=0, le=1_000_000)]


class Recipe(Frozen):
    """Everything that determines the bytes of a data set, apart from library versions."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    population: Population = TalkPopulation()
    bands: Annotated[tuple[Literal["VIS"], ...], Field(min_length=1, max_length=1)] = ("VIS",)
    seed: Annotated[int, Field(ge=0)] = 1
    n_test: Size = 0
    n_validation: Size = 0
    n_train: Size = 0
    version: Annotated[int, Field(ge=1)] = 1
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
    """One scene with its layers and masks per band and its row of the catalogue.

    masks: for each object (lens galaxy, lensed light, companions in order) the rings of its
    percentile masks, see `targets.mask_rings`.
    """

    scene: Scene
    layers: dict[str, Layers]
    masks: dict[str, ObjectMasks]
    noise_seed: int
    row: dict[str, Any]

    @property
    def label(self) -> bool:
        """Whether this is a lens."""
        return bool(self.row["is_lens"])

    def observed(self, band_name: str) -> Image:
        """The noisy image, (y, x) in nJy, with the noise that the seed fixes."""
        return observe_frozen(self.layers[band_name].image, band_name, self.noise_seed)


def observe_frozen(image: Image, band_name: str, noise_seed: int) -> Image:
    """A noiseless image with the noise that belongs to a seed: the same every time."""
    rng = np.random.default_rng([noise_seed, list(GRIDS).index(band_name)])
    return observe(image, band(band_name), rng)


def simulate(recipe: Recipe, split: Split, index: int) -> Example:
    """Example `index` of a split. Any index: it need not lie below the split's size."""
    if split not in FIRST_INDEX:
        raise LensyError(f"There is no split {split!r}; the splits are {', '.join(SPLITS)}.")
    if not 0 <= index < 1_000_000:
        raise LensyError(f"An example's index lies from 0 to 999 999, not at {index}.")
    rng = np.random.default_rng([recipe.seed, FIRST_INDEX[split] + index])
    noise_seed = int(rng.integers(2**53))
    scene = recipe.population.draw(rng)
    exact: dict[str, Layers] = {name: render(scene, band(name)) for name in recipe.bands}
    masks = {name: _object_masks(layers) for name, layers in exact.items()}
    layers = {name: _rounded(each) for name, each in exact.items()}
    row = {"split": split, "index": index, "noise_seed": noise_seed}
    return Example(scene, layers, masks, noise_seed, row | _catalogue_row(scene, layers))


def _object_masks(layers: Layers) -> ObjectMasks:
    objects = [layers.lens_light, layers.arc, *layers.companions]
    return [targets.mask_rings(light) for light in objects]


def _rounded(layers: Layers) -> Layers:
    def rounded(image: Image) -> Image:
        return np.asarray(np.rint(image / FLUX_STEP) * FLUX_STEP, np.float32)

    return Layers(
        rounded(layers.lens_light),
        rounded(layers.arc),
        rounded(layers.companions),
        layers.magnification,
    )


COLUMN_UNITS = {
    "x": "arcsec",
    "y": "arcsec",
    "einstein_radius": "arcsec",
    "mass_position_angle": "rad",
    "lens_magnitude": "mag",
    "lens_half_light_radius": "arcsec",
    "lens_position_angle": "rad",
    "source_x": "arcsec",
    "source_y": "arcsec",
    "source_magnitude": "mag",
    "source_half_light_radius": "arcsec",
    "source_position_angle": "rad",
    "arc_flux_VIS": "nJy",
}
"""Units of the catalogue's columns; columns not named here have none."""


def _catalogue_row(scene: Scene, layers: dict[str, Layers]) -> dict[str, Any]:
    """Drawn parameters and what follows from them. NaN where there is no source."""
    lens, deflector, source = scene.lens, scene.deflector, scene.source
    vis = layers["VIS"]
    vis_band = band("VIS")
    n_lensed = int(targets.lensed_pixels(vis.arc, vis_band).sum())
    nan = float("nan")
    return {
        "is_lens": targets.is_lens(vis.magnification, n_lensed),
        "has_source": source is not None,
        "x": lens.x,
        "y": lens.y,
        "lens_magnitude": lens.magnitudes["VIS"],
        "lens_half_light_radius": lens.half_light_radius,
        "lens_axis_ratio": lens.axis_ratio,
        "lens_position_angle": lens.position_angle,
        "einstein_radius": deflector.einstein_radius if deflector else nan,
        "mass_axis_ratio": deflector.axis_ratio if deflector else nan,
        "mass_position_angle": deflector.position_angle if deflector else nan,
        "shear_1": deflector.shear_1 if deflector else nan,
        "shear_2": deflector.shear_2 if deflector else nan,
        "source_x": source.x if source else nan,
        "source_y": source.y if source else nan,
        "source_magnitude": source.magnitudes["VIS"] if source else nan,
        "source_half_light_radius": source.half_light_radius if source else nan,
        "source_sersic_index": source.sersic_index if source else nan,
        "source_axis_ratio": source.axis_ratio if source else nan,
        "source_position_angle": source.position_angle if source else nan,
        "magnification": vis.magnification,
        "n_lensed_pixels": n_lensed,
        "n_companions": len(scene.companions),
        "arc_flux_VIS": float(vis.arc.sum(dtype=np.float64)),
        "arc_signal_to_noise_VIS": targets.arc_signal_to_noise(vis.arc, vis.image, vis_band),
        "arc_contrast_VIS": targets.arc_contrast(vis.arc, vis.lens_light, vis_band),
    }
