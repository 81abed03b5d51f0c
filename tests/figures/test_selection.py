"""Charts of what is found show the numbers that they are given."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from lensy.figures import selection


def test_selection_draws_shares_in_the_middle_of_their_bins() -> None:
    edges, share, error = np.array([1.0, 4.0, 16.0]), np.array([0.2, 0.8]), np.array([0.1, 0.05])
    figure = selection.draw_selection(
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
    figure = selection.draw_reliability({"as trained": (stated, share, error)}, [0.05, 0.06, 0.95])
    upper, lower = figure.axes
    assert_allclose(upper.lines[0].get_xydata(), [[0, 0], [1, 1]])
    assert sum(patch.get_height() for patch in lower.patches) == 3


def test_purity_has_the_line_of_guessing() -> None:
    figure = selection.draw_purity({"VIS": ([0.1, 0.9], [0.5, 0.01])}, prevalence=5e-4)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert_allclose(axes.lines[0].get_xydata(), [[0.1, 0.5], [0.9, 0.01]])
    assert set(axes.lines[1].get_ydata()) == {5e-4}
