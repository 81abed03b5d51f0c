"""Pictures of the chapters draw what they are given."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from lensy.figures import objects
from lensy.talk import figures


def test_pictures_have_their_own_scale() -> None:
    pictures = {"one": np.eye(2), "two": 5 * np.eye(3), "flat": np.full((2, 2), 3.0)}
    figure = figures.draw_flat_enlarged(pictures)
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(0, 1), (0, 5), (2, 4)]


def test_triptychs_carry_the_score_as_title() -> None:
    image = np.ones((8, 8))
    figure = figures.draw_triptychs([(image, image, image)] * 2, [0.25, 0.5])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[2].endswith("0.25")
    assert titles[5] == "0.50"


def test_architecture_has_a_box_per_stage_and_an_arrow_per_skip() -> None:
    stages = [("encoder 1", 4, 16), ("bottleneck", 8, 8), ("decoder 1", 4, 16), ("output", 1, 16)]
    axes = figures.draw_architecture(stages).axes[0]
    kinds = [type(patch).__name__ for patch in axes.patches]
    assert kinds.count("Rectangle") == len(stages)
    assert kinds.count("FancyArrowPatch") == 1


def test_thresholds_outline_the_lens_above_and_colour_all_masks_below() -> None:
    lens, arc, companion = np.zeros((3, 8, 8), bool)
    lens[2:5, 2:5] = arc[3, 3] = companion[6:, 6:] = True
    masks = [lens, arc, companion]
    figure = figures.draw_thresholds(np.ones((8, 8)), {95.0: masks, 99.5: masks})
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        "95th percentile",
        "99.5th percentile",
    ]
    rims = figure.axes[0].collections
    assert_allclose([rim.get_edgecolor()[0][:3] for rim in rims], [to_rgb("red"), to_rgb("cyan")])
    for axes in figure.axes[2:]:
        assert_allclose(axes.images[0].get_array(), objects.colour_masks(masks))


def test_coverage_draws_the_frame_to_scale() -> None:
    counts = np.array([[4, 3], [2, 4]])
    axes = figures.draw_coverage({"VIS": (counts, (400.0, 500.0))}, frame=20.0).axes[0]
    assert_allclose(axes.images[0].get_array(), counts)
    assert axes.images[0].get_extent() == [0, 400.0, 0, 500.0]
    assert (axes.patches[0].get_width(), axes.patches[0].get_height()) == (20.0, 20.0)


def test_noise_maps_share_their_scale_and_leave_out_what_has_no_data() -> None:
    image = np.ones((4, 4))
    scatters = [np.array([[1.0, 2.0]]), np.array([[np.nan, 5.0]])]
    panels = [(title, image, each) for title, each in zip("ab", scatters, strict=True)]
    figure = figures.draw_noise_maps(panels, pixel_scale=0.1)
    for axes, scatter in zip(figure.axes[2:4], scatters, strict=True):
        assert axes.images[0].get_clim() == (1.0, 5.0)
        assert_allclose(np.ma.filled(axes.images[0].get_array(), np.nan), scatter)
