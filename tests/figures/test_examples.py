"""Views of examples agree with what the data set holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import tiny_data
from numpy.testing import assert_allclose, assert_array_equal

from lensy.datasets.store import DataSet
from lensy.figures.examples import close_up, whole_frame
from lensy.telescope.bands import band


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
    assert_array_equal(view.image, data.layers("test", 0, "VIS")[1])


def test_a_frame_in_colour_marks_the_candidate(data: DataSet) -> None:
    row = data.catalogue("test")[0]
    view = whole_frame(data, row, "colour", mark=3.0)
    assert np.shape(view.image) == (*band("VIS").shape, 3)
    assert view.centre == (0.0, 0.0)
    assert_allclose(view.half_width, 10.0)
    assert view.box == (row["x"], row["y"], 3.0)
