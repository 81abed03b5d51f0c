"""Estimates that are kept: of which runs they are, and that they are what these runs give."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from told_runs import told_run

from lensy.metrics.ranking import Estimate
from lensy.provenance import write_json
from lensy.runs.library import shipped_run
from lensy.runs.run import Run
from lensy.talk import claims, scorecard
from lensy.talk.question import KEPT, Question, keep, recomputed

QUESTIONS = (*scorecard.QUESTIONS.values(), *claims.CLAIMS)
AREAS = [each for each in QUESTIONS if each.id.startswith("auroc.")]
OTHERS = [each for each in QUESTIONS if each not in AREAS]
AGAIN = "keep them anew with `python tests/talk/keep_estimates.py`"


def shipped(question: Question) -> dict[str, Run]:
    return {name: shipped_run(name) for name in question.needs}


def measured_as(question: Question, value: float) -> Question:
    return replace(question, measure=lambda _: Estimate(value, value, value, 1))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.id)
def test_an_estimate_is_kept_of_every_question_to_the_shipped_runs(question: Question) -> None:
    runs = shipped(question)
    assert question.kept(runs) is not None, AGAIN
    of = json.loads(KEPT.read_text("utf-8"))[question.id]["of"]
    assert {name: each.split()[0] for name, each in of.items()} == {
        name: run.fingerprint for name, run in runs.items()
    }
    assert measured_as(question, 7.0).row(runs).ours == question.row(runs).ours != 7.0


def test_nothing_else_is_kept() -> None:
    assert set(json.loads(KEPT.read_text("utf-8"))) == {each.id for each in QUESTIONS}


@pytest.mark.parametrize("question", OTHERS, ids=lambda each: each.id)
def test_what_is_kept_is_what_is_measured(question: Question) -> None:
    assert recomputed([question], shipped(question)) == {question.id: True}, AGAIN


@pytest.mark.parametrize("question", AREAS, ids=lambda each: each.id)
def test_a_kept_area_is_the_one_that_its_run_states(question: Question) -> None:
    """Which was computed in the same way when the run was finished: no need to wait for it."""
    (run,) = shipped(question).values()
    kept, stated = question.kept({run.name: run}), run.info["test"]["auroc"]
    assert kept is not None
    assert [kept.value, kept.low, kept.high] == pytest.approx(
        [stated["value"], stated["low"], stated["high"]], rel=1e-6
    )


@pytest.mark.parametrize("change", ["fingerprint", "scores"])
def test_another_run_is_measured(tmp_path: Path, change: str) -> None:
    run, question = shipped_run("naberrie-vis"), scorecard.QUESTIONS["auroc.naberrie.vis"]
    for name in ("run.json", "scores.npz"):
        shutil.copy(run.folder / name, tmp_path)
    if change == "fingerprint":
        write_json(tmp_path / "run.json", run.info | {"fingerprint": "0" * 12})
    else:
        told_run(tmp_path / "other", label=[True, False], score=[1.0, 0.0])
        shutil.copy(tmp_path / "other" / "scores.npz", tmp_path)
    runs = {"naberrie-vis": Run(tmp_path)}
    assert question.kept(runs) is None
    assert measured_as(question, 7.0).row(runs).ours == 7.0
    assert recomputed([question], runs) == {}


@pytest.mark.parametrize(("again", "same"), [(0.5, True), (0.5 + 1e-6, False)])
def test_recomputed_says_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: float, same: bool
) -> None:
    run = told_run(tmp_path, score=[0.0])
    asked = Question(
        "x", "x", None, ("told",), lambda _: Estimate(0.5, -inf, inf, 1), "x", scorecard.verdict
    )
    keep([asked], {"told": run}, tmp_path / "kept.json")
    content = json.loads((tmp_path / "kept.json").read_text("utf-8"))
    monkeypatch.setattr("lensy.talk.question._content", lambda: content)
    other = replace(asked, measure=lambda _: Estimate(again, -inf, inf, 1))
    assert recomputed([other], {"told": run}) == {"x": same}


def test_kept_estimates_load_nothing_slow() -> None:
    code = """
import sys
from lensy.runs.library import shipped_run
from lensy.talk import claims, scorecard
runs = {name: shipped_run(name) for name in (*scorecard.NEEDED, *claims.NEEDED)}
rows = [*scorecard.scorecard(runs), *claims.claims(runs)]
print(sum(row.ours is not None for row in rows))
print(*{"torch", "astropy", "lenstronomy", "sklearn", "scipy.stats", "h5py"} & set(sys.modules))
"""
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == [str(len(QUESTIONS)), ""]
