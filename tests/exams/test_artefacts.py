"""Any network scores any image, and is examined on images with one flaw each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_data, tiny_experiment, tiny_recipe
from numpy.testing import assert_allclose

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.exams.artefacts import CONDITIONS, ArtefactExam, false_positives, mask_quality
from lensy.exams.survey import SurveyExam
from lensy.metrics.reconstruction import TRAITS
from lensy.runs.run import Run, write_run
from lensy.telescope.instrument import KINDS, Instrument
from lensy.training.fit import fit
from lensy.training.kinds import experiment, scorer_of
from lensy.training.mask_rcnn import MaskTraining
from lensy.training.ou import OuTraining
from lensy.training.scorer import Scorer

CPU = {"accelerator": "cpu", "devices": 1}
NETWORKS = ("naberrie-vis", "marking", "mrc-3", "ou-h")


@pytest.fixture(scope="module")
def runs(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One tiny run of each family of networks."""
    folder = tmp_path_factory.mktemp("runs")
    short = MaskTraining(n_train=4, batch=2, n_epochs=1, steps_per_epoch=1, n_test=4, n_check=4)
    masks = experiment("mrc-3-from-random", "smoke", data.recipe)
    masks = masks.model_copy(update={"training": short})
    brief = OuTraining(batch=4, n_epochs=1, steps_per_epoch=1, n_check=8)
    ou = experiment("ou-h", "smoke", data.recipe).model_copy(update={"training": brief})
    options = {"trainer_options": CPU}
    marking = tiny_experiment(data.recipe, artefacts=True).model_copy(
        update={"name": "marking", "marks_artefacts": True}
    )
    return {
        "marking": fit(marking, data, folder / "d", **options),
        "naberrie-vis": fit(tiny_experiment(data.recipe), data, folder / "a", **options),
        "mrc-3": fit(masks, data, folder / "b", **options),
        "ou-h": fit(ou, data, folder / "c", **options),
    }


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Six images to be examined on."""
    return tiny_data(
        tmp_path_factory.mktemp("data") / "others", n_test=6, n_validation=0, n_train=0
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_those_of_the_run(runs: dict[str, Run], data: DataSet, name: str) -> None:
    scorer = scorer_of(runs[name])
    frames = Frames(data, "test", scorer.bands, grid=scorer.grid)
    images = torch.stack([frames[k]["image"] for k in range(4)])
    stored = runs[name].scores()["score"][:4]
    assert_allclose(scorer(images), stored, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_exam_has_a_row_for_every_image(
    runs: dict[str, Run], others: DataSet, tmp_path: Path, name: str
) -> None:
    exam = ArtefactExam.of(runs[name], others.recipe)
    assert exam.n_images == 2
    made = exam.make(others, tmp_path, start=None, progress=False)
    rows = made.scores()
    clean = rows["condition"] == "clean"
    assert clean.sum() == 6
    assert all((rows["condition"] == each).sum() == 2 for each in CONDITIONS if each != "clean")
    assert (set(TRAITS) <= rows.keys()) == (name in ("naberrie-vis", "marking"))
    assert ("n_marked" in rows) == (name == "marking")
    assert np.isfinite(rows["score"]).all()
    scorer = scorer_of(runs[name])
    frames = Frames(others, "test", scorer.bands, grid=scorer.grid)
    first = scorer(frames[0]["image"][None])
    assert_allclose(rows["score"][clean][0], first[0], rtol=1e-3, atol=1e-4)


def answered(folder: Path, **scores: np.ndarray) -> Run:
    """The run of an exam with these columns."""
    some = Scorer(("VIS",), lambda flux: flux.sum(dim=(1, 2, 3)))
    return write_run(
        folder, ArtefactExam.of(some, tiny_recipe(n_test=6)), info={}, scores=dict(scores)
    )


def test_the_quality_of_a_mask_counts_pixels(tmp_path: Path) -> None:
    condition = np.array(list(CONDITIONS))
    star = condition == "star"
    counts = {"n_spoilt": 40.0, "n_marked": 60.0, "n_found": 30.0}
    columns = {name: np.where(star, value, 0.0) for name, value in counts.items()}
    found = mask_quality(answered(tmp_path, condition=condition, **columns))
    assert found["star"] == {"precision": 0.5, "recall": 0.75, "iou": 30 / 70}
    assert all(np.isnan(list(found["clean"].values())))


def test_more_noise_spoils_nothing(others: DataSet) -> None:
    frames = Frames(others, "test", ("VIS",), instrument=Instrument.only("noise step"))
    assert not any(frames[k]["spoilt"].any() for k in range(len(frames)))


def test_every_kind_of_artefact_is_a_condition() -> None:
    assert set(KINDS) < CONDITIONS.keys()
    for kind in KINDS:
        drawn = CONDITIONS[kind].draw(np.random.default_rng(1))
        assert {each.kind for each in drawn} == {kind}
    assert CONDITIONS["one exposure"].exposure == "single exposure"


def test_a_flaw_leaves_the_rest_of_the_image_as_it_is(others: DataSet) -> None:
    frames = Frames(others, "test", ("VIS",), instrument=Instrument.only("trail"))
    plain = Frames(others, "test", ("VIS",))
    for index in range(len(frames)):
        flawed, clean = frames[index], plain[index]
        spoilt = flawed["spoilt"] > 0
        assert spoilt.any()
        assert not clean["spoilt"].any()
        changed = flawed["image"] != clean["image"]
        assert changed[spoilt].float().mean() > 0.9
        # light fainter than the noise reaches beyond the mask
        assert (flawed["image"] - clean["image"])[~spoilt].abs().median() == 0


def test_exams_differ_by_network_and_images(runs: dict[str, Run], others: DataSet) -> None:
    run = runs["naberrie-vis"]
    exams = [
        ArtefactExam.of(run, others.recipe),
        ArtefactExam.of(runs["mrc-3"], others.recipe),
        ArtefactExam.of(run, others.recipe.model_copy(update={"seed": 5})),
        ArtefactExam.of(run, others.recipe, n_images=1),
    ]
    assert len({each.fingerprint for each in exams}) == len(exams)
    assert exams[0].name == "tiny-on-artefacts"


@pytest.mark.parametrize(
    ("name", "surveys"), [("naberrie-vis", ["survey", "HST-like"]), ("ou-h", ["survey"])]
)
def test_a_survey_is_seen_by_hst_in_vis_alone(
    runs: dict[str, Run], others: DataSet, name: str, surveys: list[str]
) -> None:
    exam = SurveyExam.of(runs[name], others.recipe)
    assert list(exam.conditions) == surveys
    assert exam.n_images == 6
    assert exam.fingerprint != SurveyExam.of(runs[name], others.recipe, n_top=3).fingerprint


def test_false_positives_are_counted_above_the_clean_threshold(tmp_path: Path) -> None:
    names = list(CONDITIONS)
    condition = np.repeat(names, [300] + [100] * (len(names) - 1))
    score = np.where(condition == "star", 1.0, 0.0)
    score[:300] = np.linspace(0, 0.5, 300)
    found = false_positives(answered(tmp_path, condition=condition, score=score))
    assert found["star"].value == 1.0
    assert found["star"].low == pytest.approx(1 / (1 + 1.96**2 / 100), abs=1e-3)
    assert found["ghost"].value == 0.0
    assert found["ghost"].high == pytest.approx(1.96**2 / (100 + 1.96**2), abs=1e-3)
    assert found["clean"].value == pytest.approx(0.01)
    assert found["clean"].n == 300
