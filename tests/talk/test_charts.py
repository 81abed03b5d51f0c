"""Charts of the chapters show the numbers that they are given."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from lensy.figures.style import BAND_COLOURS
from lensy.talk import charts


def test_rows_stand_beside_their_curves() -> None:
    curve = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    point = ((0.10, 0.12), (0.6, 0.64), 0.5)
    (axes,) = charts.draw_operating_points({"Y": curve}, {"Y": point}).axes
    marker = next(line for line in axes.lines if line.get_marker() == "o")
    assert_allclose(marker.get_xydata(), [[0.11, 0.62]])
    assert marker.get_color() == BAND_COLOURS["Y"]
    stem = axes.lines[-2]
    assert_allclose(stem.get_xydata(), [[0.11, 0.5], [0.11, 0.62]])


def test_gaps_are_drawn_with_the_published_one() -> None:
    gaps = {"over classes": ([0.0, 0.0], [0.01, 0.01]), "over the batch": ([0.1, 0.2], [0.1, 0.1])}
    (axes,) = charts.draw_gaps([2, 500], gaps, published=0.115).axes
    labels = axes.get_legend_handles_labels()[1]
    assert set(labels) == {"softmax over classes", "softmax over the batch", "the talk, VIS"}
    assert any(set(np.atleast_1d(line.get_ydata())) == {0.115} for line in axes.lines)


def test_evidence_is_a_median_per_camera_and_observer() -> None:
    values = {"VIS": np.arange(1.0, 12.0), "H, sharp": np.full(11, 3.0)}
    figure = charts.draw_evidence({"known": values, "fitted": values})
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    medians = [line.get_ydata() for line in axes.lines if line.get_marker() in "os"]
    assert_allclose(medians, [[6.0, 3.0], [6.0, 3.0]])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["VIS", "H,\nsharp"]


def test_responses_share_an_axis_and_a_legend() -> None:
    curves = {"a network": [0.1, 0.5, 0.9], "another": [0.2, 0.2, 0.2]}
    panels = {label: ([1.0, 2.0, 3.0], curves) for label in ("colour", "width", "radius", "part")}
    figure = charts.draw_responses(panels)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_xlabel() for axes in shown] == list(panels)
    assert_allclose(shown[3].lines[0].get_ydata(), curves["a network"])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(curves)


def test_mask_areas_are_dots_in_the_colours_of_their_objects() -> None:
    images = {"1": {"red": 200.0, "cyan": 150.0}, "3": {"lime": 90.0}}
    figure = charts.draw_mask_areas({"the talk": images}, n_pixels=200)
    dots = figure.axes[0].collections
    assert_allclose([y for each in dots for _, y in each.get_offsets()], [200, 150, 90])
    assert_allclose(dots[0].get_facecolors()[:, :3], [to_rgb("red"), to_rgb("cyan")])


def test_frequencies_are_in_per_cent_and_leave_out_what_cannot_be() -> None:
    share, expected = np.array([0.1, np.nan]), np.array([0.12, np.nan])
    errors = np.array([[0.02, np.nan], [0.03, np.nan]])
    panels = {"coadd": {"VIS": (share, errors, expected)}}
    axes = charts.draw_frequencies(["star", "noise step"], panels).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["star", "noise step"]
    bars, points = axes.lines[0], axes.containers[0].lines[0]
    assert_allclose(bars.get_xdata(), [12, np.nan])
    assert_allclose(points.get_xdata(), [10, np.nan])


def test_noise_of_sums_is_divided_by_the_side() -> None:
    sizes, white = np.array([1, 2, 3]), np.array([2.0, 4.0, 6.0])
    axes = charts.draw_noise_sums(sizes, {"white": white}, {1: 1.5, 3: 6.0}).axes[0]
    assert_allclose(axes.lines[0].get_ydata(), 2.0)
    assert_allclose(axes.lines[1].get_ydata(), [1.5, 2.0])


def test_shares_rise_from_zero_to_one() -> None:
    axes = charts.draw_shares({"one": [3.0, 1.0]}, xlabel="x", ylabel="y").axes[0]
    x, y = axes.lines[0].get_data()
    assert_allclose(x[1:], [1.0, 3.0])
    assert_allclose(y, [0.0, 0.5, 1.0])
