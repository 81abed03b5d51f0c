"""What the README states is what the shipped runs hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fits_files import noise_image, write_fits

from lensy.exams.artefacts import SINGLE_GAP, false_positives
from lensy.exams.rings import share_below_ring
from lensy.finding.euclid_q1 import real_sky, recorded_real_sky
from lensy.metrics.ranking import ranking_results, threshold_at
from lensy.models.ou import FAMILY
from lensy.runs.library import finished_runs, shipped_run
from lensy.talk.claims import NEEDED, claims
from lensy.talk.published import published_number
from lensy.telescope.instrument import KINDS
from lensy.training.mask_rcnn import BEGUN_AT_RANDOM, TALK

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")


PAINTERS = [f"naberrie-{each}" for each in ("vis", "y", "j", "h", "vis-longer", "colour")]
DETECTORS = [*TALK, *BEGUN_AT_RANDOM, "mrc-3-shuffled"]
PREDECESSORS = [*(f"{name}-published" for name in FAMILY), "ou-200-tuned"]
HEADS = dict.fromkeys([*PREDECESSORS, *PAINTERS], "") | dict.fromkeys(DETECTORS, "Mask R-CNN, ")
"""How the first cell of a run's table begins, by run."""


@pytest.mark.parametrize(("name", "head"), HEADS.items())
@pytest.mark.parametrize("quantity", ["auroc", "tpr_at_fpr_0.01"])
def test_results_are_those_of_the_shipped_runs(name: str, head: str, quantity: str) -> None:
    test = shipped_run(name).info["test"]
    found = test[quantity]
    assert f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in README
    assert f"| {head}{test['n']} simulated test images" in README


@pytest.mark.parametrize("name", ["naberrie-vis-on-euclid", "naberrie-vis-for-euclid"])
def test_results_on_the_forecast_are_those_of_the_shipped_runs(name: str) -> None:
    found = shipped_run(name).info["test"]["auroc"]
    words = " ".join(README.split())
    assert f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in words


def test_the_result_at_one_in_a_thousand_is_that_of_the_shipped_runs() -> None:
    runs = shipped_run("naberrie-vis"), shipped_run("naberrie-vis-on-talk-others")
    pooled = {
        key: np.concatenate([run.scores()[key] for run in runs]) for key in ("label", "score")
    }
    found = ranking_results(pooled["label"], pooled["score"])["tpr_at_fpr_0.001"]
    said = f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f}) of the lenses at one"
    assert said in " ".join(README.split())


def test_results_of_other_seeds_and_on_flawed_images_are_those_of_the_shipped_runs() -> None:
    words = " ".join(README.split())
    said = {
        "vis": "the VIS network has a mean AUROC of {:.3f} with a scatter of {:.3f}",
        "h": "the H network one of {:.3f} with a scatter of {:.3f}",
    }
    for band, sentence in said.items():
        names = [f"naberrie-{band}{word}" for word in ("", "-seed-2", "-seed-3")]
        areas = [shipped_run(name).info["test"]["auroc"]["value"] for name in names]
        assert sentence.format(np.mean(areas), np.std(areas, ddof=1)) in words
    for name in ("longer", "artefacts"):
        found = shipped_run(f"naberrie-vis-{name}-on-talk-artefacts").info["test"]["auroc"]
        assert f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in words


def test_the_talk_is_quoted_as_printed() -> None:
    assert f"| {published_number('auroc.naberrie.vis').value:.4f} |" in README


def test_what_is_said_of_the_talk_in_words_is_what_the_shipped_runs_hold() -> None:
    words = " ".join(README.split())
    _, shares = share_below_ring(shipped_run("ou-200-published-on-rings"), "colour")
    blue, red = 100 * shares[0].mean(), 100 * shares[-1].mean()
    assert f"above {blue:.0f} % of ordinary images without a lens, a very red one above" in words
    assert f"a very red one above {red:.0f} %" in words
    causes = shipped_run("ou-200-published-on-survey").scores()["cause"]
    top = causes[causes != ""]
    assert f"{np.isin(top, KINDS).sum()} of the {top.size} images there" in words
    assert (top == "star").sum() > 0.5 * np.isin(top, KINDS).sum()
    for name in ("ou-200-published", "naberrie-vis"):
        exam = shipped_run(f"{name}-on-artefacts")
        found = false_positives(exam)[SINGLE_GAP]
        value, low, high = (100 * part for part in (found.value, found.low, found.high))
        assert f"{value:.1f} % ({low:.1f} to {high:.1f})" in words
    for name in ("naberrie-vis", "naberrie-vis-artefacts"):
        found = false_positives(shipped_run(f"{name}-on-artefacts"))["star"]
        value, low, high = (100 * part for part in (found.value, found.low, found.high))
        assert f"{value:.1f} % ({low:.1f} to {high:.1f})" in words
    verdicts = {row.id: row.verdict for row in claims(finished_runs(NEEDED, "laptop"))}
    assert verdicts["words.artefact-mask"] == verdicts["words.score-and-light"] == "undecided"


def test_the_real_lenses_were_found() -> None:
    table = recorded_real_sky()
    assert table is not None
    simulated = shipped_run("naberrie-vis").scores()
    on_lens = {
        entry.file_name: max(
            row["score"]
            for row in table
            if row["file"] == entry.file_name and entry.is_at(row["x"], row["y"])
        )
        for entry in real_sky().values()
    }
    strict, loose = (
        sum(
            score > threshold_at(simulated["label"], simulated["score"], false_positive_rate=rate)
            for score in on_lens.values()
        )
        for rate in (0.01, 0.1)
    )
    words = " ".join(README.split())
    assert f"Of four public Euclid lenses, {strict} score above" in words
    assert f"reaches and {loose} above what one in ten reaches" in words


def test_what_it_shows_in_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_fits(Path("my.fits"), {"VIS": noise_image((210, 220))})
    left: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), left)
    assert {"score", "probability", "ra", "x"} < set(left["found"].table.colnames)
    assert "my.fits" in Path("grade-them.html").read_text("utf-8")
