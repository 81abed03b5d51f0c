"""Figures of results show the numbers that they are given."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from lensy.figures import curves
from lensy.figures.style import BAND_COLOURS


def test_selection_draws_shares_in_the_middle_of_their_bins() -> None:
    edges, share, error = np.array([1.0, 4.0, 16.0]), np.array([0.2, 0.8]), np.array([0.1, 0.05])
    figure = curves.draw_selection(
        {"radius": {"1 %": (edges, share, error)}, "signal": {"1 %": (edges, share, error)}},
        logarithmic=("signal",),
        ideal=("signal", [1.0, 10.0], [0.1, 1.0]),
    )
    linear, logarithmic = figure.axes
    assert_allclose(linear.lines[0].get_xydata(), [[2.5, 0.2], [10.0, 0.8]])
    legend = linear.get_legend()
    assert legend is not None
    assert {text.get_text() for text in legend.get_texts()} == {"1 %", "ideal observer"}
    drawn = {str(line.get_label()): line for line in logarithmic.lines}
    assert_allclose(drawn["ideal observer"].get_xydata(), [[1.0, 0.1], [10.0, 1.0]])
    (points,) = [line for line in logarithmic.lines if line.get_marker() == "o"]
    assert_allclose(points.get_xdata(), [2.0, 8.0])
    assert logarithmic.get_xscale() == "log"


def test_reliability_has_the_diagonal_and_a_histogram() -> None:
    stated, share, error = [0.1, 0.9], [0.2, 0.8], [0.05, 0.05]
    figure = curves.draw_reliability({"as trained": (stated, share, error)}, [0.05, 0.06, 0.95])
    upper, lower = figure.axes
    assert_allclose(upper.lines[0].get_xydata(), [[0, 0], [1, 1]])
    assert sum(patch.get_height() for patch in lower.patches) == 3


def test_purity_has_the_line_of_guessing() -> None:
    figure = curves.draw_purity({"VIS": ([0.1, 0.9], [0.5, 0.01])}, prevalence=5e-4)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert_allclose(axes.lines[0].get_xydata(), [[0.1, 0.5], [0.9, 0.01]])
    assert set(axes.lines[1].get_ydata()) == {5e-4}


def test_rows_stand_beside_their_curves() -> None:
    curve = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    point = ((0.10, 0.12), (0.6, 0.64), 0.5)
    (axes,) = curves.draw_operating_points({"Y": curve}, {"Y": point}).axes
    marker = next(line for line in axes.lines if line.get_marker() == "o")
    assert_allclose(marker.get_xydata(), [[0.11, 0.62]])
    assert marker.get_color() == BAND_COLOURS["Y"]
    stem = axes.lines[-2]
    assert_allclose(stem.get_xydata(), [[0.11, 0.5], [0.11, 0.62]])


def test_gaps_are_drawn_with_the_published_one() -> None:
    gaps = {"over classes": ([0.0, 0.0], [0.01, 0.01]), "over the batch": ([0.1, 0.2], [0.1, 0.1])}
    (axes,) = curves.draw_gaps([2, 500], gaps, published=0.115).axes
    labels = axes.get_legend_handles_labels()[1]
    assert set(labels) == {"softmax over classes", "softmax over the batch", "the talk, VIS"}
    assert any(set(np.atleast_1d(line.get_ydata())) == {0.115} for line in axes.lines)


def test_pictures_have_their_own_scale() -> None:
    pictures = {"one": np.eye(2), "two": 5 * np.eye(3), "flat": np.full((2, 2), 3.0)}
    figure = curves.draw_flat_enlarged(pictures)
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(0, 1), (0, 5), (2, 4)]


def test_quality_marks_what_is_perfect() -> None:
    panels = {"share": ([5.0, 50.0], {"median": [0.5, 0.9], "perfect": [1.0, 1.0]})}
    (axes,) = curves.draw_painting_quality(panels).axes
    lines = {str(line.get_label()): line for line in axes.lines}
    assert lines["perfect"].get_linestyle() == "--"
    assert_allclose(lines["median"].get_xydata(), [[5.0, 0.5], [50.0, 0.9]])


def test_evidence_is_a_median_per_camera_and_observer() -> None:
    values = {"VIS": np.arange(1.0, 12.0), "H, sharp": np.full(11, 3.0)}
    figure = curves.draw_evidence({"known": values, "fitted": values})
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    medians = [line.get_ydata() for line in axes.lines if line.get_marker() in "os"]
    assert_allclose(medians, [[6.0, 3.0], [6.0, 3.0]])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["VIS", "H,\nsharp"]


def test_intervals_have_a_row_each_in_the_colour_of_their_band() -> None:
    rows = {"H, seed 1": (0.8, 0.7, 0.95), "together": (0.9, 0.9, 0.9)}
    figure = curves.draw_intervals({"AUROC": rows, "found": rows})
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == list(rows)
    for axes in (left, right):
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        assert_allclose([float(mark.get_xdata()[0]) for mark in marks], [0.8, 0.9])
        assert marks[0].get_color() == curves.BAND_COLOURS["H"]
        ends = axes.collections[0].get_segments()[0][:, 0]
        assert_allclose(ends, [0.7, 0.95])


def test_progress_has_the_error_of_its_last_value() -> None:
    curve = ([125, 250], [0.8, 0.9], [0.03, 0.02])
    figure = curves.draw_progress({"MRC-3": curve, "MRC-95": curve}, ylabel="AUROC")
    (axes,) = figure.axes
    assert_allclose(axes.lines[0].get_xydata(), [[125, 0.8], [250, 0.9]])
    assert_allclose(axes.collections[0].get_segments()[0][:, 1], [0.88, 0.92])
    assert axes.get_ylabel() == "AUROC"


def test_responses_share_an_axis_and_a_legend() -> None:
    curves = {"a network": [0.1, 0.5, 0.9], "another": [0.2, 0.2, 0.2]}
    panels = {label: ([1.0, 2.0, 3.0], curves) for label in ("colour", "width", "radius", "part")}
    figure = curves.draw_responses(panels)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_xlabel() for axes in shown] == list(panels)
    assert_allclose(shown[3].lines[0].get_ydata(), curves["a network"])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(curves)
