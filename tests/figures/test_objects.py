"""Masks and boxes are drawn around their pixels, in the colours of their classes."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from lensy.figures import objects


def test_masks_are_coloured_as_in_the_talk() -> None:
    lens, arc, companion = np.zeros((3, 4, 4), bool)
    companion[:3, :3] = lens[1:, 1:] = arc[2, 2] = True
    picture = objects.colour_masks([lens, arc, companion])
    assert_allclose(picture[2, 2], to_rgb("cyan"))  # lensed light above the lens galaxy
    assert_allclose(picture[1, 1], to_rgb("red"))  # the lens galaxy above companions
    assert_allclose(picture[0, 0], to_rgb(objects.COMPANIONS[0]))
    assert_allclose(picture[0, 3], 0)


def test_objects_have_boxes_around_their_pixels() -> None:
    mask = np.zeros((8, 10), bool)
    mask[2:5, 3:7] = True
    figure = objects.draw_objects([(np.ones((8, 10)), [("lens galaxy", mask, (3, 2, 4, 3))])])
    (box,) = figure.axes[0].patches
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((2.5, 1.5), 4, 3)
    assert_allclose(box.get_edgecolor()[:3], to_rgb("red"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["lens galaxy"]


@pytest.mark.parametrize(("upwards", "row"), [(False, 2), (True, 4)])
def test_words_stand_above_their_box_on_the_page(upwards: bool, row: int) -> None:
    """Whichever end of the box, rows 2 to 4 of the image, is the upper one."""
    each = objects.Outlined("galaxy", np.zeros((8, 10)), (3, 2, 4, 3), "0.50")
    rows = [[("", np.ones((8, 10)), [each])]]
    axes = objects.draw_object_rows(rows, upwards=upwards).axes[0]
    (words,) = axes.texts
    assert words.xy == (5, row)
    assert axes.yaxis_inverted() is not upwards
