"""Views of examples agree with what the data set holds; in colour pictures hue is colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import galaxy, tiny_data
from numpy.testing import assert_allclose, assert_array_equal

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.figures.examples import close_up, colour_composite, enlarged, whole_frame
from lensy.simulation.render import render_bands
from lensy.sky.scene import Scene
from lensy.telescope.bands import band
from lensy.values import Floats

NAMES = ("VIS", "Y", "H")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder: Path = tmp_path_factory.mktemp("views") / "tiny"
    return tiny_data(folder, n_validation=0, n_train=0)


@pytest.mark.parametrize("name", ["VIS", "H"])
def test_a_close_up_is_the_noisy_image_around_the_candidate(data: DataSet, name: str) -> None:
    row = data.catalogue("test")[1]
    view = close_up(data, row, name, half_width=2.0)
    image = data.observed("test", 1, name)
    assert_array_equal(view.image, image)
    assert view.centre == (row["x"], row["y"])
    assert view.pixel_scale == band(name).pixel_scale
    places = (np.indices(image.shape) + 0.5 - image.shape[0] / 2) * view.pixel_scale
    reach = 2.0 - view.pixel_scale  # the window ends within a pixel of the half width
    inside = (abs(places[0] - row["y"]) < reach) & (abs(places[1] - row["x"]) < reach)
    assert image[inside].max() <= view.peak <= image.max()


def test_lensed_light_is_the_stored_layer(data: DataSet) -> None:
    row = data.catalogue("test")[0]
    view = close_up(data, row, "lensed light")
    assert_array_equal(view.image, data.lensed_light("test", 0, "VIS"))


def test_a_frame_in_colour_marks_the_candidate(data: DataSet) -> None:
    row = data.catalogue("test")[0]
    view = whole_frame(data, row, "colour", mark=3.0)
    assert np.shape(view.image) == (*band("VIS").shape, 3)
    assert view.centre == (0.0, 0.0)
    assert_allclose(view.half_width, 10.0)
    assert view.box == (row["x"], row["y"], 3.0)


def picture(magnitudes: dict[str, float]) -> Floats:
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
