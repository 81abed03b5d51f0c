"""Figures draw what they are given: the numbers on the axes are those of the arrays."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from lensy import charts, figures


def test_masks_are_coloured_as_in_the_talk() -> None:
    lens, arc, companion = np.zeros((3, 4, 4), bool)
    companion[:3, :3] = lens[1:, 1:] = arc[2, 2] = True
    picture = figures.colour_masks([lens, arc, companion])
    assert_allclose(picture[2, 2], to_rgb("cyan"))  # lensed light above the lens galaxy
    assert_allclose(picture[1, 1], to_rgb("red"))  # the lens galaxy above companions
    assert_allclose(picture[0, 0], to_rgb(figures.COMPANIONS[0]))
    assert_allclose(picture[0, 3], 0)


def test_an_image_is_stretched_with_arcsinh() -> None:
    figure = figures.draw_layers({"one": np.array([[0.0, 2.0], [4.0, 200.0]])}, pixel_scale=0.1)
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert_allclose(shown, np.arcsinh([[0.0, 1.0], [2.0, 100.0]]))


def test_triptychs_carry_the_score_as_title() -> None:
    image = np.ones((8, 8))
    figure = figures.draw_triptychs([(image, image, image)] * 2, [0.25, 0.5])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[2].endswith("0.25")
    assert titles[5] == "0.50"


def test_roc_figure_shows_both_curves_on_both_axes() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    figure = charts.draw_roc({"VIS ours": curve}, {"the talk": curve})
    for axes in figure.axes:
        ours = next(line for line in axes.lines if line.get_label() == "VIS ours")
        assert ours.get_color() == figures.BAND_COLOURS["VIS"]
        assert_allclose(ours.get_ydata(), curve[1])
    assert figure.axes[1].get_xscale() == "log"


def test_architecture_has_a_box_per_stage_and_an_arrow_per_skip() -> None:
    stages = [("encoder 1", 4, 16), ("bottleneck", 8, 8), ("decoder 1", 4, 16), ("output", 1, 16)]
    axes = charts.draw_architecture(stages).axes[0]
    kinds = [type(patch).__name__ for patch in axes.patches]
    assert kinds.count("Rectangle") == len(stages)
    assert kinds.count("FancyArrowPatch") == 1
