"""Pictures show the part of an image that they were asked for, stretched as they say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose

from lensy.errors import LensyError
from lensy.figures import images
from lensy.figures.images import View, draw_views


def test_an_image_is_stretched_with_arcsinh() -> None:
    figure = images.draw_layers({"one": np.array([[0.0, 2.0], [4.0, 200.0]])}, pixel_scale=0.1)
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert_allclose(shown, np.arcsinh([[0.0, 1.0], [2.0, 100.0]]))


def test_a_view_shows_its_part_of_the_image_in_arcsec() -> None:
    view = View(np.ones((20, 20)), pixel_scale=0.5, centre=(1.0, -2.0), half_width=3.0)
    axes = draw_views([("VIS", [view])]).axes[0]
    assert_allclose(axes.images[0].get_extent(), (-5, 5, 5, -5))
    assert_allclose(axes.get_xlim(), (-2, 4))
    assert_allclose(axes.get_ylim(), (1, -5))  # the first row of the image on top


def test_the_bar_has_the_length_that_the_row_states() -> None:
    rows = [(width, [View(np.ones((8, 8)), half_width=width)]) for width in (3.0, 10.0)]
    axes = draw_views([(f"{width:g} arcsec", views) for width, views in rows]).axes
    for each, length in zip(axes, (1, 5), strict=True):
        assert each.get_ylabel().endswith(f"bar: {length} arcsec")
        assert_allclose(np.ptp(np.asarray(each.lines[0].get_xdata(), float)), length)


def test_rows_may_differ_in_length_and_pictures_may_be_in_colour() -> None:
    colour = np.full((8, 8, 3), 0.25)
    figure = draw_views([("a", [View(colour, title="one")] * 2), ("b", [View(np.ones((8, 8)))])])
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    assert_allclose(np.asarray(figure.axes[0].images[0].get_array()), colour)


def test_a_box_is_drawn_around_its_middle() -> None:
    figure = draw_views([("VIS", [View(np.ones((8, 8)), box=(2.0, -1.0, 0.5))])])
    (box,) = figure.axes[0].patches
    assert isinstance(box, Rectangle)
    assert_allclose((*box.get_xy(), box.get_width(), box.get_height()), (1.5, -1.5, 1.0, 1.0))


def test_a_reconstruction_shares_its_stretch_with_the_truth() -> None:
    image, light, target = 100 * np.eye(8), 5 * np.eye(8), 20 * np.eye(8)
    shown = images.reconstruction(image, light, target).axes
    titles = ["image", "lensed light (target)", "reconstructed lensed light"]
    assert [axes.get_title() for axes in shown] == titles
    _, truth, output = (axes.images[0] for axes in shown)
    assert truth.get_clim() == output.get_clim()
    assert_allclose(np.asarray(output.get_array()), np.arcsinh(light / 2))
    assert len(images.reconstruction(image, light).axes) == 2


def test_an_image_is_one_picture() -> None:
    with pytest.raises(LensyError, match=r"An image is \(y, x\), not of the shape \(3, 8, 8\)"):
        images.image(np.zeros((3, 8, 8)))
    with pytest.raises(LensyError, match=r"not of the shape \(8,\): choose one"):
        images.reconstruction(np.eye(8), np.zeros(8))
