"""Examples: what decides one, and what does not."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from builders import EUCLID, bright_population, tiny_recipe
from numpy.testing import assert_allclose

from lensy.errors import LensyError
from lensy.simulation import targets
from lensy.simulation.example import Example, observe, simulate
from lensy.simulation.render import render, render_bands
from lensy.sky.populations import EuclidPopulation, TalkPopulation
from lensy.sky.scene import Kind, Scene
from lensy.telescope.bands import band
from lensy.telescope.instrument import CLEAN, KINDS, Instrument, expose_from_seed

VIS = band("VIS")


@pytest.fixture(scope="module")
def example() -> Example:
    """One with lensed light."""
    recipe = tiny_recipe(population=TalkPopulation(lens_fraction=1.0))
    return simulate(recipe, "train", 0)


def same(one: Example, other: Example) -> bool:
    images = np.array_equal(one.observed("VIS"), other.observed("VIS"))
    return images and one.scene == other.scene and one.noise_seed == other.noise_seed


def test_an_example_is_the_same_every_time() -> None:
    assert same(simulate(tiny_recipe(), "train", 5), simulate(tiny_recipe(), "train", 5))


@pytest.mark.parametrize("changes", [{"n_train": 999}, {"n_test": 0}, {"name": "other"}])
def test_sizes_and_name_leave_examples_as_they_are(changes: dict[str, Any]) -> None:
    assert same(simulate(tiny_recipe(), "test", 1), simulate(tiny_recipe(**changes), "test", 1))


def test_other_seed_split_or_index_is_another_example() -> None:
    examples = [
        simulate(tiny_recipe(), "test", 0),
        simulate(tiny_recipe(), "test", 1),
        simulate(tiny_recipe(), "validation", 0),
        simulate(tiny_recipe(), "train", 0),
        simulate(tiny_recipe(seed=2), "test", 0),
    ]
    assert len({each.noise_seed for each in examples}) == 5
    assert len({each.scene.lens.x for each in examples}) == 5


def test_an_example_leaves_the_global_generator_alone() -> None:
    np.random.seed(1)  # noqa: NPY002 - the global state is the subject
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate(tiny_recipe(), "test", 0)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("name", EUCLID)
def test_layers_are_the_scene_rounded(example: Example, name: str) -> None:
    exact = render_bands(example.scene, [band(each) for each in EUCLID])[name]
    stored, step = example.layers[name], band(name).flux_step
    # half a step for each of several companions, and what float32 leaves of a bright core
    assert_allclose(stored.stack, exact.stack, atol=5 * step, rtol=1e-6)
    assert_allclose(stored.arc, exact.arc, atol=0.5 * step, rtol=1e-6)
    assert np.array_equal(stored.arc / step, np.rint(stored.arc / step))
    assert stored.magnification == exact.magnification


@pytest.mark.parametrize("name", EUCLID)
def test_a_band_is_the_same_with_or_without_the_others(example: Example, name: str) -> None:
    """Alone it is drawn to its own depth: what differs is fainter than a step of the rounding."""
    alone = render(example.scene, band(name))
    assert_allclose(
        example.layers[name].image, alone.image, atol=8 * band(name).flux_step, rtol=1e-5
    )


def test_masks_are_those_of_the_exact_layers(example: Example) -> None:
    exact = render_bands(example.scene, [band(each) for each in EUCLID])["VIS"]
    objects = [exact.lens_light, exact.arc, *exact.companions]
    assert len(example.masks) == len(objects)
    for rings, light in zip(example.masks, objects, strict=True):
        mask = targets.percentile_mask(light, 95.0)
        assert np.array_equal(np.sort(np.concatenate(rings)), np.flatnonzero(mask))


def test_the_row_is_what_the_scene_says(example: Example) -> None:
    row, scene = example.row, example.scene
    assert (row["split"], row["index"], row["has_source"]) == ("train", 0, True)
    assert row["einstein_radius"] == scene.deflector.einstein_radius
    assert row["source_x"] == scene.source.x
    assert row["lens_magnitude_VIS"] == scene.lens.magnitudes["VIS"]
    assert row["n_companions"] == len(scene.companions)


def test_the_row_is_what_the_layers_say(example: Example) -> None:
    row, layers = example.row, example.layers["VIS"]
    n_seen = int((layers.arc > VIS.background_sigma).sum())
    assert row["n_lensed_pixels"] == n_seen
    assert row["is_lens"] == (layers.magnification > 1.6 and n_seen > 20)
    assert example.label == row["is_lens"]
    assert_allclose(row["arc_flux_VIS"], layers.arc.sum(dtype=float))


def test_without_a_source_nothing_is_lensed() -> None:
    recipe = tiny_recipe(population=TalkPopulation(lens_fraction=0.0))
    example = simulate(recipe, "test", 0)
    row = example.row
    assert (row["is_lens"], row["has_source"], row["magnification"]) == (False, False, 0.0)
    assert np.isnan([row["einstein_radius"], row["source_x"], row["mass_axis_ratio"]]).all()
    assert row["arc_flux_VIS"] == 0.0


def test_the_image_is_the_layers_with_their_noise(example: Example) -> None:
    """Residuals over the expected scatter have mean 0 and variance 1, within 5 standard errors."""
    layers = example.layers["VIS"]
    residual = (example.observed("VIS") - layers.image) / np.sqrt(
        VIS.background_sigma**2 + layers.image * VIS.njy_per_electron
    )
    assert_allclose(residual.mean(), 0.0, atol=5 / np.sqrt(residual.size))
    assert_allclose(residual.var(), 1.0, atol=5 * np.sqrt(2 / residual.size))


def test_noise_belongs_to_seed_and_band() -> None:
    empty = np.zeros((200, 200), np.float32)
    first, again, other = (expose_from_seed(empty, "VIS", seed, CLEAN).image for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    small = np.zeros((66, 66), np.float32)
    j, h = (
        expose_from_seed(small, name, 3, CLEAN).image / band(name).background_sigma for name in "JH"
    )
    assert_allclose(np.corrcoef(j.ravel(), h.ravel())[0, 1], 0.0, atol=5 / 66)


def test_artefacts_belong_to_the_seed_and_are_in_the_row() -> None:
    """Flags of the catalogue against the masks that the exposures of all bands have."""
    recipe = tiny_recipe(instrument=Instrument.realistic(), population=bright_population())
    seen = 0
    for index in range(8):
        example = simulate(recipe, "test", index)
        drawn = recipe.instrument.draw_from_seed(example.noise_seed)
        shown = {kind for name in EUCLID for kind in example.exposure(name).masks}
        flagged = {kind for kind in KINDS if example.row[f"has_{kind.replace(' ', '_')}"]}
        assert flagged == {each.kind for each in drawn} >= shown
        seen += len(shown)
    assert seen > 4


def test_kinds_of_non_lenses_are_in_the_row() -> None:
    population = EuclidPopulation(lens_fraction=0.0, impostor_fraction=1.0)
    rows = [simulate(tiny_recipe(population=population), "test", i).row for i in range(12)]
    assert {row["kind"] for row in rows} <= set(get_args(Kind)) - {"galaxy"}
    assert len({row["kind"] for row in rows}) >= 3


@pytest.mark.parametrize("index", [-1, 1_000_000])
def test_an_index_outside_of_a_split_is_refused(index: int) -> None:
    with pytest.raises(LensyError, match=rf"from 0 to 999 999, not at {index}"):
        simulate(tiny_recipe(), "test", index)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(LensyError, match=r"no split 'dev'; the splits are test, validation, train"):
        simulate(tiny_recipe(), "dev", 0)  # type: ignore[arg-type]


def test_a_simple_lens_is_observed_in_every_band() -> None:
    """As `expose` sees what is rendered; a band itself does as well as its name."""
    scene = Scene.simple(einstein_radius=1.2)
    for name in EUCLID:
        image = observe(scene, name, seed=4)
        assert image.shape == band(name).shape
        assert np.array_equal(image, observe(scene, band(name), seed=4))
        noise = image - render(scene, name).image
        assert abs(noise.mean()) < 5 * noise.std() / np.sqrt(noise.size)
    assert not np.array_equal(observe(scene, "VIS", seed=4), observe(scene, "VIS", seed=5))
    spoilt = observe(scene, "VIS", seed=4, instrument=Instrument.only("chip gap"))
    assert (spoilt == 0).any()
    with pytest.raises(LensyError, match="There is no band 'K'"):
        observe(scene, "K")
