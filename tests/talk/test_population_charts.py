"""Charts of populations and bands show the values that they are given."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from lensy.figures.style import BAND_COLOURS
from lensy.talk import population_charts


def test_boxes_per_band_have_their_medians_and_colours() -> None:
    values = {"VIS": [1.0, 10.0, 100.0], "H": [2.0, 3.0, 4.0]}
    axes = population_charts.draw_per_band({"signal": values}).axes[0]
    assert [text.get_text() for text in axes.texts] == ["10", "3"]
    colours = [patch.get_facecolor()[:3] for patch in axes.patches]
    assert_allclose(colours, [to_rgb(BAND_COLOURS[name]) for name in values])


def test_colour_tracks_are_named_at_their_ends() -> None:
    tracks = {"old": [1.0, 2.0], "young": [0.0, 0.5]}
    points = ([0.2], [1.2])
    figure = population_charts.draw_colour_tracks(
        [0.0, 1.0], tracks, lenses=points, sources=points, ylabel="VIS - H"
    )
    ends = {text.get_text(): text.xy for text in figure.axes[0].texts}
    assert ends == {"old": (1.0, 2.0), "young": (1.0, 0.5)}


def test_marginals_show_shares_and_medians() -> None:
    values = {"TALK": np.array([1.0, 2.0, 4.0]), "EUCLID": np.array([0.5, 1.0, 1.5, 2.0])}
    panels = {"radius": values, "magnitude": values}
    axes = population_charts.draw_marginals(panels, logarithmic=["radius"]).axes
    assert [each.get_xscale() for each in axes[:2]] == ["log", "linear"]
    medians = [line.get_xdata()[0] for line in axes[0].lines]
    assert_allclose(medians, [2.0, 1.25])


def test_correlations_and_counts_draw_what_they_are_given() -> None:
    x, y = np.array([1.0, 2.0]), np.array([0.1, 10.0])
    figure = population_charts.draw_correlations(
        [("radius", "size", {"TALK": (x, y), "EUCLID": (x, y)})], ["0.5"], logarithmic=["size"]
    )
    assert figure.axes[0].get_yscale() == "log"
    assert_allclose(figure.axes[0].lines[1].get_ydata(), y)
    counts = population_charts.draw_galaxy_counts(x, {"TALK": y}, expected=2 * y)
    assert_allclose([line.get_ydata() for line in counts.axes[0].lines], [2 * y, y])
