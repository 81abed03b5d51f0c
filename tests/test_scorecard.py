from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from typer.testing import CliRunner

from lensy.cli import app
from lensy.metrics import Estimate
from lensy.published import Published, published_numbers
from lensy.runs import Run, write_run
from lensy.scorecard import as_text, scorecard, verdict

KEYS = {
    "id", "quantity", "published", "ours", "ci_low", "ci_high", "n", "scale", "chapter", "verdict",
}  # fmt: skip


def write_scores(folder: Path, *, separation: float, n: int = 400) -> Run:
    """A run whose scores are two Gaussians, `separation` standard deviations apart."""
    rng = np.random.default_rng(3)
    label = np.arange(n) % 2 == 0
    score = rng.standard_normal(n) + separation * label
    info = {"experiment": {"name": "naberrie-vis", "scale": "smoke"}, "fingerprint": "none"}
    return write_run(folder, info=info, scores={"label": label, "score": score})


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


def test_without_runs_every_row_is_not_run() -> None:
    rows = scorecard({})
    assert [row.id for row in rows] == [number.id for number in published_numbers()]
    assert {row.verdict for row in rows} == {"not run"}
    assert {row.ours for row in rows} == {None}


def test_a_run_answers_its_row(tmp_path: Path) -> None:
    rows = scorecard({"naberrie-vis": write_scores(tmp_path, separation=2.0)})
    (row,) = [row for row in rows if row.verdict != "not run"]
    assert (row.id, row.n, row.scale) == ("auroc.naberrie.vis", 400, "smoke")
    # two unit Gaussians 2 apart: Phi(2 / sqrt 2) = 0.921; standard error about 0.013 at n = 400
    assert_allclose(row.ours, 0.9214, atol=5 * 0.013)
    assert row.verdict == "better"


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
    assert sum("not run" in line for line in lines) == len(rows) - 1


def test_a_folder_without_a_run_is_one_sentence_and_exit_code_two(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["scorecard", "--run", str(tmp_path)])
    assert result.exit_code == 2
    assert "holds no finished run: make one with `lensy train`" in result.stderr
    assert "Traceback" not in result.output
