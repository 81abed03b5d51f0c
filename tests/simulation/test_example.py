"""Recipes and examples: what decides an example, and what does not."""

from __future__ import annotations

import json
from typing import Any, get_args

import numpy as np
import pytest
from builders import EUCLID, bright_population, tiny_recipe
from numpy.testing import assert_allclose
from pydantic import ValidationError

from lensy.errors import LensyError
from lensy.simulation import targets
from lensy.simulation.example import (
    VERSION,
    Example,
    Recipe,
    frozen_artefacts,
    observe_frozen,
    read_recipe,
    simulate,
)
from lensy.simulation.render import render, render_bands
from lensy.sky.populations import EuclidPopulation, TalkPopulation
from lensy.sky.scene import Kind
from lensy.telescope.bands import band
from lensy.telescope.instrument import KINDS, Instrument

VIS = band("VIS")
CLEAN = Instrument()


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
    first, again, other = (observe_frozen(empty, "VIS", seed, CLEAN).image for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    small = np.zeros((66, 66), np.float32)
    j, h = (
        observe_frozen(small, name, 3, CLEAN).image / band(name).background_sigma for name in "JH"
    )
    assert_allclose(np.corrcoef(j.ravel(), h.ravel())[0, 1], 0.0, atol=5 / 66)


def test_artefacts_belong_to_the_seed_and_are_in_the_row() -> None:
    """Flags of the catalogue against the masks that the exposures of all bands have."""
    recipe = tiny_recipe(instrument=Instrument.realistic(), population=bright_population())
    seen = 0
    for index in range(8):
        example = simulate(recipe, "test", index)
        drawn = frozen_artefacts(example.noise_seed, recipe.instrument)
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


# Recipes


def test_a_recipe_survives_json() -> None:
    recipe = tiny_recipe(population=bright_population(halo_radius=(0.1, 0.7)), seed=9)
    assert read_recipe(recipe.model_dump_json(), where="here") == recipe


TWICE_LENSED = {"kind": "talk", "lens_fraction": 2}


def changed(field: str, value: Any) -> str:
    content = json.loads(tiny_recipe().model_dump_json())
    return json.dumps(content | {field: value})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "Big One", r"field 'name' cannot be 'Big One': String should match"),
        ("n_test", -1, r"field 'n_test' cannot be -1: Input should be greater than or equal to 0"),
        ("n_train", 10**7, r"field 'n_train' cannot be 10000000: .* less than or equal to 1000000"),
        ("seed", "one", r"field 'seed' cannot be 'one': Input should be a valid integer"),
        (
            "bands",
            ["K"],
            r"field 'bands.0' cannot be 'K': There is no band 'K'; the bands are VIS, Y, J, H",
        ),
        ("n_tests", 3, r"there is no field 'n_tests'; recipe.json of any data set"),
        ("population", TWICE_LENSED, r"field 'population.*lens_fraction' cannot be 2: .* 1"),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(field: str, value: Any, message: str) -> None:
    with pytest.raises(LensyError, match=r"^my.json: " + message) as caught:
        read_recipe(changed(field, value), where="my.json")
    assert "\n" not in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(LensyError, match=r"^my.json: field '\(the whole file\)' .*Invalid JSON"):
        read_recipe("{", where="my.json")


def test_further_bad_fields_are_counted() -> None:
    with pytest.raises(LensyError, match=r"field 'seed'.* 1 more\.$"):
        read_recipe(json.dumps({"name": "x", "seed": -1, "n_test": -1}), where="my.json")


OTHER_RECIPES: list[dict[str, Any]] = [
    {"seed": 2},
    {"n_test": 3},
    {"n_validation": 3},
    {"n_train": 3},
    {"version": 9},
    {"bands": ("VIS",)},
    {"instrument": Instrument.realistic()},
]
OTHER_POPULATIONS: dict[str, Any] = {
    "field_of_view": 21.0,
    "margin": 1.1,
    "lens_fraction": 0.6,
    "einstein_radius": (0.5, 2.4),
    "faintest_lens": 22.6,
    "mass_axis_ratio_scatter": (0.99, 0.12),
    "mass_angle_scatter": 0.1,
    "shear": (-0.05, 0.04),
    "source_magnitude": (23.0, 25.4),
    "source_radius": (0.3, 0.4),
    "halo_fraction": 0.2,
    "halo_radius": (0.2, 6.0),
    "source_sersic_index": (1.0, 3.0),
    "source_axis_ratio": (0.4, 1.0),
    "source_offset": 0.7,
    "n_companions": (3, 8),
    "companion_magnitude": (18.0, 25.0),
    "count_slope": 0.3,
    "spheroid_fraction": 0.2,
    "companion_axis_ratio": (0.4, 1.0),
    "impostor_fraction": 0.3,
    "lens_type_scatter": 0.3,
    "source_types": (2.0, 4.0),
}


@pytest.mark.parametrize("changes", OTHER_RECIPES, ids=lambda changes: next(iter(changes)))
def test_the_fingerprint_changes_with_each_field(changes: dict[str, Any]) -> None:
    assert tiny_recipe(**changes).fingerprint != tiny_recipe().fingerprint


@pytest.mark.parametrize("field", OTHER_POPULATIONS)
def test_the_fingerprint_changes_with_the_population(field: str) -> None:
    population = TalkPopulation(**{field: OTHER_POPULATIONS[field]})
    assert tiny_recipe(population=population).fingerprint != tiny_recipe().fingerprint


def test_no_field_is_forgotten_above() -> None:
    named = {key for changes in OTHER_RECIPES for key in changes}
    assert set(Recipe.model_fields) == named | {"name", "population"}
    assert set(TalkPopulation.model_fields) == {*OTHER_POPULATIONS, "kind"}


def test_the_fingerprint_does_not_change_with_the_name() -> None:
    assert tiny_recipe(name="other").fingerprint == tiny_recipe().fingerprint
    assert len(tiny_recipe().fingerprint) == 12


def test_a_new_recipe_has_the_version_of_the_code() -> None:
    assert tiny_recipe().version == VERSION


@pytest.mark.parametrize("bands", [(), ("VIS", "VIS"), ("Y", "J")])
def test_a_recipe_has_each_band_once_and_vis(bands: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="each band once, and VIS among them"):
        tiny_recipe(bands=bands)
