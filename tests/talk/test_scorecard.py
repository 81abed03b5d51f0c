from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from told_runs import told_run
from typer.testing import CliRunner

from lensy.cli.main import app
from lensy.metrics.ranking import Estimate
from lensy.runs.run import Run
from lensy.talk.published import Published, published_numbers
from lensy.talk.scorecard import as_text, implied_prevalence, scorecard, verdict

KEYS = {
    "id", "quantity", "published", "ours", "ci_low", "ci_high", "n", "scale", "chapter", "verdict",
}  # fmt: skip


def write_scores(folder: Path, *, separation: float, name: str = "naberrie-vis") -> Run:
    """A run whose scores are two Gaussians, `separation` standard deviations apart."""
    rng, n = np.random.default_rng(3), 400
    label = np.arange(n) % 2 == 0
    columns = {
        "label": label,
        "score": rng.standard_normal(n) + separation * (label - 0.5),
        "scaled_squared_error": np.full(n, 0.03**2),
    }
    return told_run(folder, name, **columns)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.7, 0.9, "reproduced"),
        (0.85, 0.95, "better"),
        (0.5, 0.7, "worse"),
        (0.8, 0.8, "reproduced"),
    ],
)
def test_verdict_of_an_area(low: float, high: float, expected: str) -> None:
    ours = Estimate(0.5 * (low + high), low, high, 100)
    assert verdict(Published("x", "an area", 0.8), ours) == expected


@pytest.mark.parametrize(("low", "high", "expected"), [(0.1, 0.2, "better"), (0.9, 1.0, "worse")])
def test_verdict_of_a_loss(low: float, high: float, expected: str) -> None:
    ours = Estimate(0.5 * (low + high), low, high, 100)
    assert verdict(Published("x", "a loss", 0.8, lower_is_better=True), ours) == expected


def test_a_number_without_a_unit_is_not_compared() -> None:
    ours = Estimate(0.5, 0.4, 0.6, 100)
    number = Published("x", "a loss", 0.8, lower_is_better=True, unit_unknown=True)
    assert verdict(number, ours) == "not comparable"
    unknown = {each.id for each in published_numbers() if each.unit_unknown}
    assert unknown == {f"table.{name}.loss" for name in ("vis", "y", "j", "h")}


def test_what_is_no_number_is_not_compared() -> None:
    """The precision of a network that calls nothing a lens is neither better nor worse."""
    nothing = Estimate(math.nan, math.nan, math.nan, 100)
    for lower_is_better in (False, True):
        number = Published("x", "a precision", 0.8, lower_is_better=lower_is_better)
        assert verdict(number, nothing) == "not comparable"


def test_without_runs_no_row_has_a_number_of_ours() -> None:
    rows = scorecard({})
    assert [row.id for row in rows] == [number.id for number in published_numbers()]
    assert {row.ours for row in rows} == {None}
    gone = {row.id for row in rows if row.verdict == "not comparable"}
    assert len(gone) == 4
    assert all(key.startswith("triptych.") for key in gone)
    assert {row.verdict for row in rows if row.id not in gone} == {"not run"}


def test_a_mask_rcnn_answers_its_area(tmp_path: Path) -> None:
    run = write_scores(tmp_path, separation=1.0, name="mrc-3")
    (row,) = [row for row in scorecard({"mrc-3": run}) if row.ours is not None]
    assert (row.id, row.chapter, row.verdict) == ("auroc.mrc-3", "mask_rcnn", "worse")


def test_a_run_answers_its_row(tmp_path: Path) -> None:
    rows = scorecard({"naberrie-vis": write_scores(tmp_path, separation=2.0)})
    answered = {row.id: row for row in rows if row.ours is not None}
    assert set(answered) == {
        "auroc.naberrie.vis",
        *(f"table.vis.{name}" for name in ("accuracy", "recall", "precision", "loss")),
    }
    row = answered["auroc.naberrie.vis"]
    assert (row.n, row.scale) == (400, "smoke")
    # two unit Gaussians 2 apart: Phi(2 / sqrt 2) = 0.921; standard error about 0.013 at n = 400
    assert_allclose(row.ours, 0.9214, atol=5 * 0.013)
    assert row.verdict == "better"
    # both rates are Phi(1) and 1 - Phi(1) at the threshold between them, standard error 0.026
    recall = answered["table.vis.recall"].ours
    assert_allclose(recall, norm.cdf(1), atol=5 * 0.026)
    assert_allclose(answered["table.vis.loss"].ours, 0.03, rtol=1e-6)
    assert answered["table.vis.loss"].verdict == "not comparable"


def test_accuracy_is_that_at_the_implied_prevalence(tmp_path: Path) -> None:
    """By counting lenses 0.283 and non-lenses 0.717 times, as the talk's VIS row implies."""
    run = write_scores(tmp_path, separation=2.0)
    (row,) = [each for each in scorecard({"naberrie-vis": run}) if each.id == "table.vis.accuracy"]
    scores = run.scores()
    right = (scores["score"] > 0) == scores["label"]
    weight = np.where(scores["label"], 0.2829, 0.7171)
    assert_allclose(row.ours, np.average(right, weights=weight), atol=1e-4)
    assert_allclose(implied_prevalence("VIS"), 0.2829, atol=1e-4)


def test_json_has_the_promised_keys(tmp_path: Path) -> None:
    write_scores(tmp_path / "run", separation=0.0)
    result = CliRunner().invoke(app, ["scorecard", "--json", "--run", str(tmp_path / "run")])
    rows = json.loads(result.stdout)
    assert all(set(row) == KEYS for row in rows)
    (row,) = [row for row in rows if row["id"] == "auroc.naberrie.vis"]
    assert row["verdict"] == "worse"
    assert row["ci_low"] < 0.5 < row["ci_high"]


def test_text_has_a_line_per_row(tmp_path: Path) -> None:
    rows = scorecard({"naberrie-vis": write_scores(tmp_path, separation=1.0)})
    table, caveat = as_text(rows).split("\n\n")
    lines = table.splitlines()
    assert len(lines) == 2 + len(rows)
    assert caveat.startswith("The talk's test images are gone")
    assert sum("not run" in line for line in lines) == len(rows) - 5 - 4


def test_a_folder_without_a_run_is_one_sentence_and_exit_code_two(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["scorecard", "--run", str(tmp_path)])
    assert result.exit_code == 2
    assert "holds no finished run: make one with `lensy train`" in result.stderr
    assert "Traceback" not in result.output
