"""Recipes: read, refused, and told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import bright_population, tiny_recipe
from pydantic import ValidationError

from data_sim import RECIPES
from lensy.errors import LensyError
from lensy.simulation.recipe import VERSION, Recipe, read_recipe
from lensy.sky.populations import CompoundPopulation, EuclidPopulation, TalkPopulation
from lensy.telescope.instrument import Instrument
from lensy.telescope.rates import Rates


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


def test_populations_of_another_kind_differ_even_where_nothing_is_set() -> None:
    kinds = (TalkPopulation(), EuclidPopulation(), CompoundPopulation())
    assert len({tiny_recipe(population=each).fingerprint for each in kinds}) == 3
    assert RECIPES["talk-smoke"].fingerprint != RECIPES["euclid-smoke"].fingerprint


def test_a_new_field_at_its_default_changes_no_fingerprint() -> None:
    class Later(Recipe):
        dust: float = 0.0

    class LaterTalk(TalkPopulation):
        dust: float = 0.0

    now = tiny_recipe()
    later = Later(**dict(now))
    assert later.fingerprint == now.fingerprint
    assert later.model_copy(update={"dust": 0.1}).fingerprint != now.fingerprint
    for dust, same in ((0.0, True), (0.1, False)):
        recipe = now.model_copy(update={"population": LaterTalk(dust=dust)})
        assert (recipe.fingerprint == now.fingerprint) == same


def test_an_artefact_at_rate_0_is_as_good_as_none() -> None:
    instrument = Instrument(rates=Rates(star=0.0, hole=0.0))
    assert tiny_recipe(instrument=instrument).fingerprint == tiny_recipe().fingerprint
    assert tiny_recipe(instrument=instrument) == tiny_recipe()


def test_an_unknown_artefact_is_named_with_those_there_are() -> None:
    message = r"field 'instrument\.rates\.dust' cannot be 'dust': .* the kinds are chip_gap, "
    with pytest.raises(LensyError, match=message):
        read_recipe(changed("instrument", {"rates": {"dust": 0.1}}), where="my.json")


def test_a_new_recipe_has_the_version_of_the_code() -> None:
    assert tiny_recipe().version == VERSION


@pytest.mark.parametrize("bands", [(), ("VIS", "VIS"), ("Y", "J")])
def test_a_recipe_has_each_band_once_and_vis(bands: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="each band once, and VIS among them"):
        tiny_recipe(bands=bands)
