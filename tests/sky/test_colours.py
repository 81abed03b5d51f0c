"""Colours: synthetic spectra whose magnitudes are known, and the table against other numbers."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from builders import galaxy
from numpy.testing import assert_allclose

from data_sim import make_colours
from lensy.errors import LensyError
from lensy.sky.colours import (
    ELLIPTICAL,
    IRREGULAR,
    SBC,
    SCD,
    YOUNG_BURST,
    colour_galaxy,
    colours,
    magnitudes,
)
from lensy.telescope.bands import FILTERS


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """The file, with the offsets as one array (type, redshift, band)."""
    content = json.loads(make_colours.TABLE.read_text("utf-8"))
    rows = [np.array(content["offset_from_vis"][name]) for name in "YJH"]
    return content | {"offsets": np.stack(rows, axis=-1)}


def box(low: float, high: float) -> np.ndarray:
    """A passband that counts every photon between two wavelengths (Angstrom)."""
    wavelength = np.linspace(low, high, 501)
    return np.stack([wavelength, np.ones_like(wavelength)], axis=1)


def power_law(slope: float) -> np.ndarray:
    """Flux per Angstrom prop. to wavelength^slope."""
    wavelength = np.geomspace(100, 30_000, 20_000)
    return np.stack([wavelength, wavelength**slope], axis=1)


PASSBANDS = {
    "VIS": box(5500, 9000),
    "Y": box(9500, 12_000),
    "J": box(12_000, 15_500),
    "H": box(15_500, 20_000),
}


@pytest.mark.parametrize("redshift", [0.0, 0.7, 2.0])
def test_a_flat_spectrum_has_no_colour(redshift: float) -> None:
    """The AB system: equal flux per frequency, so prop. to wavelength^-2, is equal magnitude. To
    the accuracy of a trapezium in 500 steps. Up to redshift 3 no hydrogen reaches these bands."""
    offsets = make_colours.offsets_from_vis(power_law(-2.0), PASSBANDS, np.array([redshift]))
    assert_allclose([offset[0] for offset in offsets.values()], 0.0, atol=1e-4)


def test_a_power_law_has_the_colour_of_its_slope() -> None:
    """Narrow bands at 6000 and 18 000: flux per frequency prop. to wavelength^1 is three times, so
    2.5 lg 3 magnitudes, brighter in the redder; at any redshift."""
    narrow = {"VIS": box(5995, 6005), "Y": box(17_985, 18_015)}
    found = make_colours.ab_magnitude(power_law(-1.0), narrow["Y"], 1.0)
    found -= make_colours.ab_magnitude(power_law(-1.0), narrow["VIS"], 1.0)
    assert_allclose(found, -2.5 * np.log10(3), atol=1e-3)


def test_redshift_moves_a_spectrum_redwards() -> None:
    """A step at 4000 Angstrom lies at 8000 for redshift 1: a band below it sees the lower side."""
    spectrum = power_law(-2.0)
    spectrum[spectrum[:, 0] > 4000, 1] *= 10
    step = make_colours.ab_magnitude(spectrum, box(7000, 7900), 1.0)
    step -= make_colours.ab_magnitude(spectrum, box(8100, 9000), 1.0)
    assert_allclose(step, 2.5, atol=1e-3)


def test_hydrogen_absorbs_bluewards_of_lyman_alpha_only() -> None:
    """Madau 1995: by hand at redshift 3.5, 0.0036 x (5400/1216)^3.46 = 0.624; with the continuum
    beyond the Lyman limit nearly nothing passes."""
    wavelength = np.array([3600.0, 5400.0, 5475.0, 9000.0])
    found = make_colours.intergalactic_transmission(wavelength, 3.5)
    assert found[0] < 0.1
    assert_allclose(found[1:], [np.exp(-0.624), 1.0, 1.0], rtol=2e-3)


@pytest.mark.parametrize(
    ("spectral_type", "redshift", "vis_minus"),
    [
        (ELLIPTICAL, 0.3, (0.83, 1.18, 1.35)),
        (ELLIPTICAL, 0.7, (1.31, 1.73, 2.14)),
        (ELLIPTICAL, 1.0, (1.80, 2.33, 2.78)),
        (SBC, 0.7, (0.89, 1.30, 1.71)),
        (SCD, 1.0, (1.00, 1.26, 1.51)),
        (IRREGULAR, 2.0, (0.55, 1.09, 1.26)),
    ],
)
def test_colours_agree_with_another_extension_of_the_same_galaxies(
    spectral_type: float, redshift: float, vis_minus: tuple[float, float, float]
) -> None:
    """VIS - Y, J, H of Coleman, Wu & Weedman's galaxies as extended by Bolzonella et al. 2000 and
    distributed with GalSim: another way to the same types, not recalibrated. The two differ by
    0.23 at most."""
    ours = colours(spectral_type, redshift)
    assert_allclose([-ours[name] for name in "YJH"], vis_minus, atol=0.25)


def test_lens_galaxies_are_two_magnitudes_brighter_in_h() -> None:
    """At the forecast's median redshift 0.64 and some beyond, as in Euclid's images of lenses."""
    assert_allclose(colours(ELLIPTICAL, 0.7)["H"], -2.0, atol=0.2)


@pytest.mark.parametrize("name", ["Y", "J", "H"])
def test_lenses_are_red_and_sources_blue(name: str) -> None:
    """A typical lens (0.64) against sources at any redshift that matters, in every colour: from
    the middle of their types on."""
    lens = colours(ELLIPTICAL, 0.64)[name]
    sources = [colours(0.5 * (IRREGULAR + YOUNG_BURST), z)[name] for z in np.arange(1, 4, 0.1)]
    assert lens < min(sources)


def test_the_table_is_met_at_its_points_and_in_between(table: dict[str, Any]) -> None:
    step, offsets = table["redshift_step"], table["offsets"]
    found = colours(1.0, 40 * step)
    assert_allclose([found[name] for name in "YJH"], offsets[1, 40])
    middle = colours(2.5, 40.5 * step)
    expected = offsets[2:4, 40:42].mean(axis=(0, 1))
    assert_allclose([middle[name] for name in "YJH"], expected)
    assert_allclose([colours(5.0, 7.0)[name] for name in "YJH"], offsets[-1, -1])


def test_the_table_says_where_it_comes_from() -> None:
    text = make_colours.TABLE.read_text("utf-8")
    assert "Coleman, Wu & Weedman 1980" in text
    assert "no passive evolution" in text
    assert len(text) < 40_000


@pytest.mark.skipif(
    find_spec("desc_bpz") is None or find_spec("speclite") is None,
    reason="the data of desc-bpz and speclite are not here",
)
def test_the_table_is_what_its_script_makes(table: dict[str, Any]) -> None:
    step, offsets = table["redshift_step"], table["offsets"]
    columns = np.array([0, 28, 80, 240])
    made = make_colours.make_table(columns * step)
    assert_allclose(np.stack([made[n] for n in "YJH"], axis=-1), offsets[:, columns], atol=1e-9)


def test_colouring_keeps_vis_and_shape() -> None:
    before = galaxy(x=1.5)
    after = colour_galaxy(before, 0.5, 0.8)
    assert after.magnitudes == magnitudes(22.0, 0.5, 0.8)
    assert list(after.magnitudes) == list(FILTERS)
    unchanged = {"magnitudes", "redshift"}
    assert after.model_dump(exclude=unchanged) == before.model_dump(exclude=unchanged)
    assert (after.magnitudes["VIS"], after.redshift) == (22.0, 0.8)


@pytest.mark.parametrize(
    ("spectral_type", "redshift", "sentence"),
    [
        (5.5, 1.0, "spectral_type lies from 0 to 5, not at 5.5"),
        (-0.1, 1.0, "spectral_type lies from 0 to 5, not at -0.1"),
        (1.0, 7.5, "redshift lies from 0 to 7, not at 7.5"),
        (float("nan"), 1.0, "spectral_type .* not at nan"),
    ],
)
def test_colours_outside_the_table_are_refused(
    spectral_type: float, redshift: float, sentence: str
) -> None:
    with pytest.raises(LensyError, match=sentence):
        colours(spectral_type, redshift)
