"""Curves are those of the runs and numbers that they are given."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lensy.errors import LensyError
from lensy.figures import curves
from lensy.figures.style import BAND_COLOURS, CURVE_COLOURS


def test_roc_figure_shows_both_curves_on_both_axes() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    figure = curves.draw_roc({"VIS ours": curve}, {"the talk": curve})
    for axes in figure.axes:
        ours = next(line for line in axes.lines if line.get_label() == "VIS ours")
        assert ours.get_color() == BAND_COLOURS["VIS"]
        drawn = ours.get_xydata()
        assert {tuple(point) for point in zip(*curve, strict=True)} <= {*map(tuple, drawn)}
        # straight pieces stay straight, with more points than their ends
        assert len(drawn) > len(curve[0])
        assert_allclose(drawn[:, 1], np.interp(drawn[:, 0], *curve), atol=1e-12)
    assert figure.axes[1].get_xscale() == "log"


def test_roc_curves_of_one_colour_differ_by_their_lines() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    names = ("OU-200, published", "VIS", "OU-VIS", "OU-200, trained", "something", "else")
    (axes, _) = curves.draw_roc(dict.fromkeys(names, curve), {}).axes
    drawn = {line.get_label(): line for line in axes.lines}
    looks = {(drawn[name].get_color(), drawn[name].get_linestyle()) for name in names}
    assert len(looks) == len(names)


def test_a_long_legend_stands_beside_the_roc_curves() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    names = [f"network {k}" for k in range(curves.MAX_INSIDE)]
    inside = curves.draw_roc(dict.fromkeys(names[:-1], curve), {})
    assert not inside.legends
    outside = curves.draw_roc(dict.fromkeys(names, curve), {})
    assert outside.axes[0].get_legend() is None
    entries = [text.get_text() for text in outside.legends[0].get_texts()]
    assert entries == ["guessing", *names]


def test_quality_marks_what_is_perfect() -> None:
    panels = {"share": ([5.0, 50.0], {"median": [0.5, 0.9], "perfect": [1.0, 1.0]})}
    (axes,) = curves.draw_painting_quality(panels).axes
    lines = {str(line.get_label()): line for line in axes.lines}
    assert lines["perfect"].get_linestyle() == "--"
    assert_allclose(lines["median"].get_xydata(), [[5.0, 0.5], [50.0, 0.9]])


def test_intervals_have_a_row_each_in_the_colour_of_their_band() -> None:
    rows = {"H, seed 1": (0.8, 0.7, 0.95), "together": (0.9, 0.9, 0.9)}
    figure = curves.draw_intervals({"AUROC": rows, "found": rows})
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == list(rows)
    for axes in (left, right):
        marks = [line for line in axes.lines if line.get_marker() == "o"]
        assert_allclose([float(mark.get_xdata()[0]) for mark in marks], [0.8, 0.9])
        assert marks[0].get_color() == BAND_COLOURS["H"]
        ends = axes.collections[0].get_segments()[0][:, 0]
        assert_allclose(ends, [0.7, 0.95])


def test_progress_has_the_error_of_its_last_value() -> None:
    curve = ([125, 250], [0.8, 0.9], [0.03, 0.02])
    figure = curves.draw_progress({"MRC-3": curve, "MRC-95": curve}, ylabel="AUROC")
    (axes,) = figure.axes
    assert_allclose(axes.lines[0].get_xydata(), [[125, 0.8], [250, 0.9]])
    assert_allclose(axes.collections[0].get_segments()[0][:, 1], [0.88, 0.92])
    assert axes.get_ylabel() == "AUROC"


class Run:
    """A finished run, in as far as its ROC curve asks."""

    def __init__(self, name: str, **columns: list[float]) -> None:
        self.info = {"experiment": {"name": name}}
        self.columns = {"label": [1, 0, 1, 0], "score": [0.9, 0.1, 0.6, 0.6]} | columns

    def scores(self) -> dict[str, list[float]]:
        return self.columns


def test_roc_of_runs_bears_their_names_areas_and_colours() -> None:
    perfect = Run("naberrie-h-seed-2", score=[4.0, 1.0, 3.0, 2.0])
    (axes,) = curves.roc(Run("naberrie-vis"), perfect, OU=Run("x"), mine=Run("x")).axes
    _, vis, h, ou, mine = axes.lines
    assert vis.get_label() == "naberrie-vis, AUROC 0.875"
    assert h.get_label() == "naberrie-h-seed-2, AUROC 1.000"
    assert [str(line.get_label()).split(",")[0] for line in (ou, mine)] == ["OU", "mine"]
    colours = [line.get_color() for line in (vis, h, ou)]
    assert colours == [BAND_COLOURS["VIS"], BAND_COLOURS["H"], CURVE_COLOURS["OU"]]
    assert {(0.0, 0.5), (0.5, 1.0)} <= {*map(tuple, vis.get_xydata())}
    assert {(0.0, 1.0)} <= {*map(tuple, h.get_xydata())}


def test_two_runs_of_a_name_differ_by_their_lines() -> None:
    (axes,) = curves.roc(Run("naberrie-vis"), Run("naberrie-vis")).axes
    assert len({line.get_linestyle() for line in axes.lines[1:]}) == 2


def test_roc_refuses_what_it_cannot_draw() -> None:
    with pytest.raises(LensyError, match=r"No run to draw: give at least one"):
        curves.roc()
    pointing = Run("points")
    pointing.columns = {"share": [1.0]}
    with pytest.raises(LensyError, match=r"points has the columns share, but an ROC curve needs"):
        curves.roc(pointing)
    with pytest.raises(LensyError, match="A ranking needs lenses and non-lenses"):
        curves.roc(Run("all", label=[1, 1, 1, 1]))
