"""A further band is one more line in `bands.FILTERS`: this registers one and uses it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import bright_population
from lenstronomy.SimulationAPI.ObservationConfig.LSST import LSST
from numpy.testing import assert_allclose

import data_sim
from lensy.datasets.store import make_data_set
from lensy.errors import LensyError
from lensy.simulation.example import observe, simulate
from lensy.simulation.recipe import Recipe, read_recipe
from lensy.simulation.render import LENS_LIGHT
from lensy.sky.colours import colours
from lensy.sky.scene import Scene
from lensy.telescope.bands import FILTERS, FLAWS, Filter, band, generator_number
from lensy.telescope.focal_plane import instrument_of
from lensy.telescope.instrument import Instrument

RECIPE = {"name": "further", "population": bright_population(n_companions=(1, 2)), "n_test": 4}


@pytest.fixture
def rubin(monkeypatch: pytest.MonkeyPatch) -> str:
    """Rubin's i band on pixels of 0.2 arcsec, as long as a test runs."""
    monkeypatch.setitem(FILTERS, "i", Filter(100, 0.2, 0.754, LSST))
    return "i"


def test_a_scene_is_simulated_stored_and_read_in_a_further_band(rubin: str, tmp_path: Path) -> None:
    recipe = Recipe(**RECIPE, bands=("VIS", "H", rubin))  # type: ignore[arg-type]
    data = make_data_set(recipe, tmp_path / "data", n_jobs=1, progress=False)
    for index in range(recipe.n_test):
        example = simulate(recipe, "test", index)
        image = data.observed("test", index, rubin)
        assert image.shape == (100, 100)
        assert_allclose(image, example.observed(rubin))
        # compared with H as bright as its magnitude says: the frames cut off almost the same
        sums = [data.layers("test", index, name)[LENS_LIGHT].sum() for name in (rubin, "H")]
        fluxes = [band(name).flux(example.row[f"lens_magnitude_{name}"]) for name in (rubin, "H")]
        assert_allclose(sums[0] / sums[1], fluxes[0] / fluxes[1], rtol=0.03)


def test_a_further_band_has_white_noise_and_no_artefacts(rubin: str) -> None:
    """Whatever the instrument does to those of Euclid, of which it knows detectors and mosaics."""
    instrument = Instrument.realistic()
    scene = Scene.simple(**{part: {"magnitudes": {rubin: 20.0}} for part in ("lens", "source")})
    for seed in range(3):
        seen = observe(scene, rubin, seed=seed, instrument=instrument)
        # single precision of the light that is taken away and added again
        assert_allclose(seen, observe(scene, rubin, seed=seed), rtol=1e-5, atol=1e-4)
    with pytest.raises(LensyError, match="i is a band of neither VIS nor NISP"):
        instrument_of(rubin)


def test_what_was_there_before_stays_as_it_was(rubin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another band moves neither the noise and the artefacts of the others nor their colours."""
    instrument = Instrument.realistic()
    recipe = Recipe(**RECIPE, bands=("VIS", "H"), instrument=instrument)  # type: ignore[arg-type]
    with_it = [simulate(recipe, "test", 1).observed(each) for each in recipe.bands]
    further = colours(1.5, 0.4)
    monkeypatch.delitem(FILTERS, rubin)
    without = [simulate(recipe, "test", 1).observed(each) for each in recipe.bands]
    assert all(np.array_equal(a, b) for a, b in zip(with_it, without, strict=True))
    plain = colours(1.5, 0.4)
    assert {name: further[name] for name in plain} == plain


def test_colours_of_a_further_band_lie_between_those_of_its_neighbours(rubin: str) -> None:
    red = colours(0.0, 0.5)
    assert red["Y"] < red[rubin] < red["VIS"] == 0.0
    FILTERS[rubin] = Filter(100, 0.2, FILTERS["J"].wavelength, LSST)
    assert_allclose(colours(0.0, 0.5)[rubin], red["J"])
    FILTERS[rubin] = Filter(100, 0.2, 5.0, LSST)
    assert_allclose(colours(0.0, 0.5)[rubin], red["H"])


@pytest.mark.usefixtures("rubin")
def test_generators_of_noise_and_of_artefacts_stay_apart() -> None:
    numbers = [generator_number(name) for name in FILTERS]
    # those of Euclid's are what data sets were made with
    assert numbers[:4] == [0, 1, 2, 3]
    assert len({*numbers, FLAWS}) == len(FILTERS) + 1


def test_a_band_that_is_none_is_refused() -> None:
    with pytest.raises(LensyError, match="There is no band 'i'; the bands are VIS, Y, J, H"):
        band("i")
    text = '{"name": "x", "bands": ["VIS", "i"]}'
    with pytest.raises(LensyError, match=r"field 'bands\.1' cannot be 'i': There is no band 'i'"):
        read_recipe(text, where="my.json")
    assert data_sim.recipe("talk-smoke").bands == ("VIS", "Y", "J", "H")
