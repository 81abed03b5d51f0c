"""Colour pictures: hue is colour, brightness is VIS."""

from __future__ import annotations

import numpy as np
import pytest
from builders import galaxy
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from lensy.errors import LensyError
from lensy.figures.examples import colour_composite, enlarged
from lensy.simulation.render import render_bands
from lensy.sky.scene import Scene
from lensy.telescope.bands import band

NAMES = ("VIS", "Y", "H")


def picture(magnitudes: dict[str, float]) -> NDArray[np.float64]:
    """Colour picture of a galaxy in the middle, without noise."""
    scene = Scene(lens=galaxy(magnitudes=magnitudes, half_light_radius=1.0))
    layers = render_bands(scene, [band(name) for name in NAMES])
    return colour_composite(*(layers[name].image for name in NAMES))


def test_enlarging_keeps_flux_and_place() -> None:
    h = band("H")
    image = np.zeros(h.shape)
    image[20, 40] = 9.0
    large = enlarged(image, h)
    assert large.shape == band("VIS").shape
    assert_allclose(large.sum(), 9.0)
    rows, columns = np.indices(large.shape)
    middle = [(large * each).sum() / large.sum() for each in (rows, columns)]
    assert_allclose(middle, [3 * 20 + 2, 3 * 40 + 2])  # one VIS pixel is left out at each edge


def test_enlarging_refuses_a_part_of_a_frame() -> None:
    with pytest.raises(LensyError, match=r"A frame of H has the shape \(66, 66\), not \(8, 8\)"):
        enlarged(np.zeros((8, 8)), band("H"))


@pytest.mark.parametrize(
    ("h_less_vis", "brightest"), [(-3.0, 0), (2.0, 2)], ids=["red galaxy", "blue galaxy"]
)
def test_the_hue_is_the_colour_of_the_galaxy(h_less_vis: float, brightest: int) -> None:
    shown = picture({"VIS": 20.0, "Y": 20.0 + h_less_vis / 2, "H": 20.0 + h_less_vis})
    assert shown.min() >= 0
    assert shown.max() <= 1
    off_centre = shown[100, 108]
    assert off_centre.argmax() == brightest


def test_a_galaxy_of_one_colour_has_no_core_of_another() -> None:
    """Although H is blurred three times as much as VIS."""
    shown = picture({"VIS": 20.0, "Y": 19.0, "H": 18.5})
    ratio = shown[..., 2] / shown[..., 1]
    core, around = ratio[100, 100], ratio[100, 106]
    assert_allclose(core, around, rtol=0.15)


def test_the_brightest_shown_may_be_chosen() -> None:
    vis = np.full(band("VIS").shape, 50.0)
    nisp = np.full(band("H").shape, 450.0)
    bright, faint = (colour_composite(vis, nisp, nisp, peak=peak) for peak in (100.0, 10000.0))
    assert bright.mean() > 2 * faint.mean()
