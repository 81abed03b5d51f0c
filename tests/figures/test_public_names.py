"""What `lensy.figures` hands on: its names, when they are loaded, and where they draw."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lensy import figures
from lensy.talk import charts, population_charts
from lensy.talk.figures import draw_architecture

CURVE, VALUES = ([0.0, 1.0], [0.0, 1.0]), [1.0, 2.0]


class Run:
    """A finished run, in as far as figures ask."""

    def __init__(self, name: str = "naberrie-vis") -> None:
        self.info = {"experiment": {"name": name}}

    def scores(self) -> dict[str, Any]:
        return {"label": [1, 0, 1, 0], "score": [0.9, 0.1, 0.6, 0.6]}

    def history(self) -> dict[str, Any]:
        return {"step": [1, 2], "train_loss": VALUES, "val_loss": VALUES, "val_auroc": [0.5, 0.9]}


def test_drawing_libraries_are_loaded_when_a_name_is_asked_for() -> None:
    code = (
        "import sys, lensy.figures as figures; assert 'matplotlib' not in sys.modules; "
        "figures.roc; assert 'matplotlib' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    assert set(dir(figures)) == set(figures.__all__)
    assert all(getattr(figures, name).__doc__ for name in figures.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'draw_nothing'"):
        _ = figures.draw_nothing


SINGLE: dict[str, Callable[[Axes | None], Figure]] = {
    "roc": lambda ax: figures.roc(Run(), other=Run(), ax=ax),
    "image": lambda ax: figures.image(np.eye(4), ax=ax),
    "purity": lambda ax: figures.draw_purity({"VIS": CURVE}, prevalence=0.01, ax=ax),
    "progress": lambda ax: figures.draw_progress({"a": (*CURVE, CURVE[0])}, ylabel="y", ax=ax),
    "noise sums": lambda ax: charts.draw_noise_sums([1, 2], {"a": VALUES}, {1: 1.0}, ax=ax),
    "shares": lambda ax: charts.draw_shares({"a": VALUES}, xlabel="x", ylabel="y", ax=ax),
    "operating points": lambda ax: charts.draw_operating_points(
        {"Y": CURVE}, {"Y": ((0.1, 0.2), (0.3, 0.4), 0.2)}, ax=ax
    ),
    "gaps": lambda ax: charts.draw_gaps(VALUES, {"a": CURVE}, published=0.1, ax=ax),
    "evidence": lambda ax: charts.draw_evidence({"a": {"VIS": VALUES}}, ax=ax),
    "architecture": lambda ax: draw_architecture([("bottleneck", 8, 8)], ax=ax),
    "galaxy counts": lambda ax: population_charts.draw_galaxy_counts(
        VALUES, {"TALK": VALUES}, VALUES, ax=ax
    ),
    "colour tracks": lambda ax: population_charts.draw_colour_tracks(
        VALUES, {"old": VALUES}, lenses=CURVE, sources=CURVE, ylabel="VIS - H", ax=ax
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_panel_is_drawn_where_it_is_told(name: str) -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert SINGLE[name](right) is figure
    assert right.has_data()
    assert not left.has_data()
    alone = SINGLE[name](None)
    assert alone is not figure
    assert len(alone.axes) == 1


def test_losses_are_drawn_where_they_are_told() -> None:
    figure = Figure()
    axes = figure.subplots()
    assert figures.history(Run(), ax=axes) is figure
    assert [line.get_label() for line in axes.lines] == ["training crops", "validation frames"]
    alone = figures.history(Run())
    assert [each.get_ylabel() for each in alone.axes] == ["mean squared error", "validation AUROC"]
