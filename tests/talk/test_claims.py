"""What the talk said in words: each claim measured on runs whose answer is known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from told_runs import told_run
from typer.testing import CliRunner

from lensy.cli.main import app
from lensy.exams.artefacts import CONDITIONS, SINGLE, SINGLE_GAP
from lensy.exams.rings import ORDINARY, SWEEPS
from lensy.metrics.ranking import Estimate
from lensy.metrics.reconstruction import TRAITS
from lensy.models.ou import FAMILY
from lensy.runs.run import Run
from lensy.talk.claims import CLAIMS, NEEDED, claim, claims
from lensy.talk.scorecard import as_text
from lensy.training.kinds import names

N = 200
BY_ID = {each.id: each for each in CLAIMS}


def exam(folder: Path, shares: dict[str, float], **more: float) -> Run:
    """An exam in which these shares of a condition's images are alarms, in others 1 per cent.

    Of N images each, the first ones; the scenes of the conditions are the same.
    """
    parts = []
    for name in CONDITIONS:
        n_alarms = round(N * shares.get(name, 0.01))
        score = np.linspace(0.0, 0.5, N)[::-1].copy()
        if name != "clean":
            score[:] = 0.0
            score[:n_alarms] = 1.0
        parts.append((np.full(N, name), score))
    columns = {"condition": np.concatenate([p[0] for p in parts])}
    columns["score"] = np.concatenate([p[1] for p in parts])
    columns["number"] = np.tile(np.arange(N), len(CONDITIONS))
    columns |= {name: np.full(columns["score"].size, value) for name, value in more.items()}
    return told_run(folder, **columns)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 0.2, "holds"), (-0.2, -0.1, "does not hold"), (-0.1, 0.1, "undecided")],
)
def test_a_verdict_is_read_from_the_interval(low: float, high: float, expected: str) -> None:
    told = claim("x", "x", "x", (), lambda _: Estimate(0, 0, 0, 1), "x")
    assert told.verdict(Estimate(0.5 * (low + high), low, high, 10)) == expected


def test_without_runs_no_claim_has_a_number() -> None:
    rows = claims({})
    assert [row.id for row in rows] == list(BY_ID)
    assert {row.verdict for row in rows} == {"not run"}
    assert {row.ours for row in rows} == {None}


def test_every_run_that_a_claim_needs_is_one_of_a_network_that_can_be_had() -> None:
    """A name that nothing gives would leave its claim at "not run" for ever."""
    networks = {*names(), *(f"{name}-published" for name in FAMILY)}
    asked = {re.sub("-(on-artefacts|on-rings|on-survey|describes-.+)$", "", n) for n in NEEDED}
    assert asked <= networks


@pytest.mark.parametrize(("on_flaw", "verdict"), [(0.3, "holds"), (0.001, "does not hold")])
def test_light_on_flaws_is_compared_with_their_area(
    tmp_path: Path, on_flaw: float, verdict: str
) -> None:
    """Flaws of 400 of 40 000 pixels."""
    run = exam(tmp_path / "a", {}, n_spoilt=400.0, flux=1.0, on_artefact=on_flaw)
    row = BY_ID["words.artefacts-highlighted"].row({"naberrie-vis-on-artefacts": run})
    assert row.verdict == verdict
    assert_allclose(row.ours, on_flaw / 0.01, rtol=1e-5)


@pytest.mark.parametrize(("n_painted", "ours"), [(0, np.nan), (1, 30.0)])
def test_one_painting_decides_nothing(tmp_path: Path, n_painted: int, ours: float) -> None:
    """As at scale smoke, where hardly anything is painted on so few images."""
    run = exam(tmp_path / "a", {}, n_spoilt=400.0, flux=0.0, on_artefact=0.3)
    columns = dict(run.scores())
    columns["flux"] = columns["flux"].copy()
    columns["flux"][np.flatnonzero(columns["condition"] == "star")[:n_painted]] = 1.0
    painted = told_run(tmp_path / "b", **columns)
    row = BY_ID["words.artefacts-highlighted"].row({"naberrie-vis-on-artefacts": painted})
    assert_allclose(row.ours, ours, rtol=1e-5)
    assert (row.ci_low, row.ci_high, row.n) == (-np.inf, np.inf, n_painted)
    assert row.verdict == "undecided"


def test_gaps_add_alarms_to_one_network_and_not_to_the_other(tmp_path: Path) -> None:
    runs = {
        "naberrie-vis-on-artefacts": exam(tmp_path / "a", {SINGLE: 0.1, SINGLE_GAP: 0.4}),
        "ou-200-published-on-artefacts": exam(tmp_path / "b", {SINGLE: 0.1, SINGLE_GAP: 0.1}),
    }
    alone, more = (BY_ID[f"words.gaps-{name}"].row(runs) for name in ("like-lensing", "not-ou200"))
    # a share of 0.3 of N images has a standard error of 0.032
    assert alone.ours == pytest.approx(0.3)
    assert alone.ci_low == pytest.approx(0.3 - 1.96 * 0.032, abs=0.015)
    assert more.ours == pytest.approx(0.3)
    assert (alone.verdict, more.verdict) == ("holds", "holds")
    swapped = dict(zip(runs, reversed(list(runs.values())), strict=True))
    assert BY_ID["words.gaps-not-ou200"].row(swapped).verdict == "does not hold"


def test_blue_rings_against_red_ones(tmp_path: Path) -> None:
    values = SWEEPS["colour"][1]
    sweep = [ORDINARY] * 100 + ["colour"] * (2 * len(values))
    liked = np.repeat(np.linspace(0.9, 0.1, len(values)), 2)
    score = np.concatenate([np.linspace(0, 1, 100), liked])
    run = told_run(tmp_path / "a", sweep=np.array(sweep), score=score)
    row = BY_ID["words.blue-rings"].row({"ou-200-published-on-rings": run})
    assert row.verdict == "holds"
    assert row.ours == pytest.approx(0.8, abs=0.02)


def test_what_leads_a_list(tmp_path: Path) -> None:
    cause = np.array(["lens"] * 5 + ["cosmic rays"] * 40 + ["galaxy"] * 5 + [""] * 50)
    run = told_run(tmp_path / "a", cause=cause, condition=np.full(100, "HST-like"))
    row = BY_ID["words.hst-artefacts"].row({"ou-vis-published-on-survey": run})
    assert row.ours == pytest.approx(0.8)
    assert (row.verdict, row.n) == ("holds", 50)


@pytest.mark.parametrize(("separation", "verdict"), [(3.0, "holds"), (0.0, "undecided")])
def test_areas_are_compared_on_the_same_images(
    tmp_path: Path, separation: float, verdict: str
) -> None:
    rng = np.random.default_rng(1)
    label = np.arange(600) % 2 == 0
    noise = rng.standard_normal(600)
    worse = told_run(tmp_path / "worse", label=label, score=noise)
    better = told_run(
        tmp_path / "better", label=label[:400], score=(noise + separation * label)[:400]
    )
    row = BY_ID["words.non-lenses-why"].row({"mrc-3-from-random": better, "mrc-3-shuffled": worse})
    assert (row.verdict, row.n) == (verdict, 400)


def test_a_mask_that_removes_alarms(tmp_path: Path) -> None:
    many = {name: 0.3 for name in CONDITIONS if name != "clean"}
    runs = {
        "naberrie-vis-artefacts-on-artefacts": exam(tmp_path / "a", many),
        "naberrie-vis-marking-on-artefacts": exam(tmp_path / "b", {}),
    }
    row = BY_ID["words.artefact-mask"].row(runs)
    assert row.verdict == "holds"
    assert row.ours == pytest.approx(0.29)
    # the same scenes are alarms with every flaw: N of them and no more are independent
    assert row.n == N
    assert row.ci_high - row.ci_low == pytest.approx(2 * 1.96 * 0.032, rel=0.15)


def test_score_and_light_together(tmp_path: Path) -> None:
    """A painting that knows what the score does not."""
    rng = np.random.default_rng(1)
    label = rng.random(1200) < 0.5
    columns = {name: rng.standard_normal(1200) for name in ("score", *TRAITS)}
    columns["flux"] = columns["flux"] + 3.0 * label
    split = np.where(np.arange(1200) < 400, "validation", "test")
    run = told_run(tmp_path / "a", label=label, split=split, **columns)
    names = BY_ID["words.score-and-light"].needs
    row = BY_ID["words.score-and-light"].row(dict.fromkeys(names, run))
    assert row.verdict == "holds"
    assert row.ours > 0.8


def test_the_scorecard_says_what_a_claim_is() -> None:
    text = as_text(claims({}))
    assert "    OU-200 responds to blue rings (share of ordinary images" in text
    assert all(each.id in text for each in CLAIMS)
    result = CliRunner().invoke(app, ["scorecard"])
    assert result.exit_code == 0
    assert "words.vis-sees-more" in result.stdout
    assert "naberrie-vis-on-artefacts" in NEEDED
