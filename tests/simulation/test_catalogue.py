"""The catalogue's row: what the scene says, what follows from its layers, and units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brute_force import mass
from builders import EUCLID, bright_population, galaxy, isothermal_sphere, tiny_data, tiny_recipe
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
from numpy.testing import assert_allclose

from lensy.datasets.store import DataSet
from lensy.simulation.catalogue import Row, catalogue_row, column_unit, kind
from lensy.simulation.example import simulate
from lensy.simulation.render import render_bands
from lensy.sky.populations import CompoundPopulation, EuclidPopulation
from lensy.sky.scene import Deflector, Scene
from lensy.telescope.bands import band
from lensy.telescope.instrument import KINDS, Instrument

BANDS = [band(name) for name in EUCLID]


def row_of(scene: Scene) -> Row:
    return catalogue_row(scene, render_bands(scene, BANDS))


def colours(vis: float) -> dict[str, float]:
    return {"VIS": vis, "Y": vis - 0.7, "J": vis - 1.0, "H": vis - 1.2}


def lens_scene(**changes: Any) -> Scene:
    """A quad in the middle of the frame."""
    usual: dict[str, Any] = {
        "lens": galaxy(magnitudes=colours(20.0), redshift=0.4),
        "deflector": Deflector(
            x=0.0, y=0.0, einstein_radius=1.4, axis_ratio=0.7, position_angle=0.4, shear_1=0.02
        ),
        "source": galaxy(
            x=0.05, y=0.02, magnitudes=colours(24.0), redshift=1.5, half_light_radius=0.15
        ),
    }
    return Scene(**(usual | changes))


def compound_scene() -> Scene:
    scene = lens_scene()
    second = galaxy(x=0.1, y=-0.1, magnitudes=colours(23.5), redshift=3.0, half_light_radius=0.2)
    deflector = isothermal_sphere(0.3, x=0.05, y=0.02, axis_ratio=0.8)
    return scene.model_copy(update={"second_source": second, "second_deflector": deflector})


@pytest.fixture(scope="module")
def row() -> Row:
    return row_of(lens_scene())


@pytest.fixture(scope="module")
def compound() -> Row:
    return row_of(compound_scene())


# Units


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("x", "arcsec"),
        ("source_y", "arcsec"),
        ("einstein_radius", "arcsec"),
        ("second_einstein_radius", "arcsec"),
        ("lens_half_light_radius", "arcsec"),
        ("second_source_half_light_radius", "arcsec"),
        ("lens_position_angle", "rad"),
        ("second_mass_position_angle", "rad"),
        ("lens_magnitude_VIS", "mag"),
        ("second_source_magnitude_H", "mag"),
        ("arc_magnitude_Y", "mag"),
        ("arc_flux_J", "nJy"),
        ("arc_signal_to_noise_VIS", ""),
        ("arc_contrast_VIS", ""),
        ("source_redshift", ""),
        ("second_shear_1", ""),
        ("mass_axis_ratio", ""),
        ("lens_sersic_index", ""),
        ("magnification", ""),
        ("n_images", ""),
        ("has_star", ""),
        ("kind", ""),
        ("noise_seed", ""),
    ],
)
def test_units(column: str, unit: str) -> None:
    assert column_unit(column) == unit


def test_every_column_of_a_data_set_has_its_unit(data: DataSet) -> None:
    """No number with a dimension goes without one: what has none is a ratio, a count or a word."""
    catalogue = data.catalogue()
    without = {name for name in catalogue.colnames if catalogue[name].unit is None}
    pure = ("redshift", "sersic_index", "axis_ratio", "shear_1", "shear_2", "magnification",
            "signal_to_noise", "contrast", "has_", "is_lens", "kind", "n_", "split", "index",
            "noise_seed")  # fmt: skip
    assert all(any(word in name for word in pure) for name in without)
    assert {str(catalogue[name].unit) for name in set(catalogue.colnames) - without} == {
        "arcsec", "rad", "mag", "nJy",
    }  # fmt: skip


def test_all_data_sets_have_the_same_columns(row: Row, compound: Row) -> None:
    without = row_of(lens_scene(deflector=None, source=None))
    assert list(row) == list(compound) == list(without)


# What the scene says


def test_galaxies_and_deflectors_are_those_of_the_scene(row: Row) -> None:
    scene = lens_scene()
    for name in EUCLID:
        assert row[f"lens_magnitude_{name}"] == scene.lens.magnitudes[name]
        assert row[f"source_magnitude_{name}"] == scene.source.magnitudes[name]
    for name in ("half_light_radius", "sersic_index", "axis_ratio", "position_angle", "redshift"):
        assert row[f"lens_{name}"] == getattr(scene.lens, name)
        assert row[f"source_{name}"] == getattr(scene.source, name)
    assert (row["source_x"], row["source_y"]) == (0.05, 0.02)
    for name in ("einstein_radius", "shear_1", "shear_2"):
        assert row[name] == getattr(scene.deflector, name)
    assert row["mass_axis_ratio"] == 0.7
    assert row["mass_position_angle"] == 0.4


def test_a_compound_lens_has_its_second_half(row: Row, compound: Row) -> None:
    assert compound["second_einstein_radius"] == 0.3
    assert compound["second_mass_axis_ratio"] == 0.8
    assert compound["second_source_redshift"] == 3.0
    assert compound["second_source_magnitude_J"] == 22.5
    second = [name for name in row if name.startswith("second_")]
    assert len(second) > 10
    assert np.isnan([row[name] for name in second]).all()
    assert np.isfinite([compound[name] for name in second]).all()


def test_what_is_not_there_is_no_number() -> None:
    without = row_of(lens_scene(deflector=None, source=None))
    names = [
        name
        for name in without
        if name.startswith(("source_", "second_", "einstein", "mass_", "shear_", "arc_magnitude"))
    ]
    assert np.isnan([without[name] for name in names]).all()
    assert not any(np.isnan(v) for k, v in without.items() if k not in names and k != "kind")
    assert (without["is_lens"], without["has_source"]) == (False, False)
    assert (without["magnification"], without["n_images"], without["arc_flux_VIS"]) == (0, 0, 0)


# What follows


@pytest.mark.parametrize("name", EUCLID)
def test_lensed_flux_is_the_magnified_flux_of_the_source(row: Row, name: str) -> None:
    """All of it is in the frame. The stored layers are rounded, the magnification is not."""
    unlensed = band(name).flux(row[f"source_magnitude_{name}"])
    assert_allclose(row[f"arc_flux_{name}"], row["magnification"] * unlensed, rtol=1e-4)
    gained = row[f"source_magnitude_{name}"] - row[f"arc_magnitude_{name}"]
    assert_allclose(gained, 2.5 * np.log10(row["magnification"]), atol=1e-4)


def test_flux_of_a_compound_lens_is_that_of_both_sources(row: Row, compound: Row) -> None:
    assert compound["arc_flux_VIS"] > 1.5 * row["arc_flux_VIS"]
    assert compound["magnification"] >= row["magnification"]


@pytest.mark.parametrize("name", EUCLID)
def test_signal_to_noise_is_that_of_a_fit_to_noisy_pictures(row: Row, name: str) -> None:
    """The amplitude of the arc, fitted with its shape known: its inverse scatter in 400 pictures.

    The standard error of a scatter from n values is 1 / sqrt(2 n), here 3.5 %.
    """
    each = band(name)
    layers = render_bands(lens_scene(), BANDS)[name]
    sigma = np.sqrt(each.background_sigma**2 + layers.image * each.njy_per_electron)
    shape = (layers.arc / sigma).ravel()
    noise = np.random.default_rng(6).standard_normal((400, shape.size))
    amplitudes = 1 + noise @ shape / (shape @ shape)
    assert_allclose(row[f"arc_signal_to_noise_{name}"], 1 / amplitudes.std(), rtol=0.14)


def test_the_label_is_what_vis_shows(row: Row) -> None:
    arc = render_bands(lens_scene(), BANDS)["VIS"].arc
    assert row["n_lensed_pixels"] == np.sum(arc > band("VIS").background_sigma)
    assert row["is_lens"]
    faint = lens_scene(source=lens_scene().source.model_copy(update={"magnitudes": colours(30.0)}))
    assert (row_of(faint)["is_lens"], row_of(faint)["has_source"]) == (False, True)


@pytest.mark.parametrize(("x", "y"), [(0.05, 0.02), (0.6, 0.5), (1.6, 1.0)])
def test_images_are_counted_as_lenstronomy_solves_them(x: float, y: float) -> None:
    scene = lens_scene(source=galaxy(x=x, y=y, magnitudes=colours(24.0)))
    solver = LensEquationSolver(LensModel(["SIE", "SHEAR"]))
    solved = solver.image_position_from_source(x, y, mass(scene.deflector), search_window=10)
    assert row_of(scene)["n_images"] == len(solved[0])


# Kinds


def test_kind_is_lens_or_what_the_candidate_is() -> None:
    assert kind(lens_scene()) == "lens"
    assert kind(compound_scene()) == "compound lens"
    assert kind(lens_scene(kind="ring")) == "lens"
    for each in ("galaxy", "spiral", "edge-on", "blue neighbour"):
        assert kind(lens_scene(deflector=None, source=None, kind=each)) == each


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        (EuclidPopulation(lens_fraction=1.0), {"lens"}),
        (CompoundPopulation(lens_fraction=1.0), {"compound lens"}),
        (EuclidPopulation(lens_fraction=0.0, impostor_fraction=0.0), {"galaxy"}),
    ],
    ids=["euclid", "compound", "no impostors"],
)
def test_kinds_of_populations(population: Any, expected: set[str]) -> None:
    recipe = tiny_recipe(population=population, bands=("VIS",))
    assert {simulate(recipe, "test", i).row["kind"] for i in range(2)} == expected


# Artefacts


@pytest.mark.parametrize("name", KINDS)
def test_flags_are_those_of_the_artefacts_in_the_exposures(name: str) -> None:
    """Alone it is flagged, and in the pictures of some of five examples. It may miss a frame."""
    recipe = tiny_recipe(instrument=Instrument.only(name), population=bright_population())
    shown: set[str] = set()
    for index in range(5):
        example = simulate(recipe, "test", index)
        flags = {each for each in KINDS if example.row[f"has_{each.replace(' ', '_')}"]}
        assert flags == {name}
        for each in EUCLID:
            shown |= set(example.exposure(each).masks)
    assert shown == {name}


def test_without_artefacts_no_flag_is_set(data: DataSet) -> None:
    catalogue = data.catalogue()
    flags = [f"has_{each.replace(' ', '_')}" for each in KINDS]
    assert not any(catalogue[flag].any() for flag in flags)


def test_one_band_has_columns_for_that_band_alone(tmp_path: Any) -> None:
    recipe = {"bands": ("VIS",), "n_test": 1, "n_validation": 0, "n_train": 0}
    columns = tiny_data(tmp_path / "one", **recipe).catalogue().colnames
    assert "lens_magnitude_VIS" in columns
    assert not [name for name in columns if name.endswith(("_Y", "_J", "_H"))]
