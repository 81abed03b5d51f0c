"""Examples: what example number i of a data set is, and how any scene is observed.

Example i of a split depends on the recipe's seed, the split and i, and on nothing else: not on
how many examples are made, in which order, or by how many workers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lensy.errors import LensyError
from lensy.simulation import targets
from lensy.simulation.catalogue import catalogue_row
from lensy.simulation.recipe import SPLITS, Recipe, Split
from lensy.simulation.render import Layers, render, render_bands
from lensy.sky.scene import Scene
from lensy.telescope.artefact import ARTEFACTS
from lensy.telescope.bands import Band, band
from lensy.telescope.instrument import CLEAN, Exposure, Instrument, expose_from_seed
from lensy.telescope.rates import field_name
from lensy.values import Image

FIRST_INDEX: dict[Split, int] = {"test": 0, "validation": 1_000_000, "train": 2_000_000}
"""Where each split's numbers start, so that a longer training set leaves the test set as it is."""

ObjectMasks = list[list[targets.Pixels]]


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

    def observed(self, name: Band | str) -> Image:
        """The noisy image in a band, (y, x) in nJy, with the noise that the seed fixes."""
        return self.exposure(name).image

    def exposure(self, name: Band | str) -> Exposure:
        """As `observed`, with the masks of artefacts beside the image."""
        image = self.layers[band(name).name].image
        return expose_from_seed(image, name, self.noise_seed, self.instrument)


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
    shown = {each.kind for each in recipe.instrument.draw_from_seed(noise_seed)}
    row |= {f"has_{field_name(kind)}": kind in shown for kind in ARTEFACTS}
    return Example(scene, layers, masks, noise_seed, recipe.instrument, row)


def observe(
    scene: Scene, name: Band | str, *, seed: int = 1, instrument: Instrument = CLEAN
) -> Image:
    """A noisy image of a scene in a band, (y, x) in nJy per pixel, float32.

    seed: of the noise and of the artefacts that `instrument` draws; none where it is CLEAN.
    Raises LensyError for a band that is none, or where an object has no magnitude in it.

    >>> image = observe(Scene.simple(einstein_radius=1.5), "VIS", seed=1)
    >>> image.shape, image.dtype.name
    ((200, 200), 'float32')
    """
    return expose_from_seed(render(scene, name).image, name, seed, instrument).image


def _rounded(layers: Layers, step: float) -> Layers:
    def rounded(image: Image) -> Image:
        return np.asarray(np.rint(image / step) * step, np.float32)

    return replace(
        layers,
        lens_light=rounded(layers.lens_light),
        arc=rounded(layers.arc),
        companions=rounded(layers.companions),
    )
