"""Frames in numbers, and what a regression makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import tiny_data, tiny_experiment
from numpy.testing import assert_allclose

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.description import (
    INPUTS,
    SCORE,
    Description,
    combined,
    false_positives_left,
    of_split,
    weights,
)
from lensy.metrics.reconstruction import TRAITS
from lensy.runs.library import obtain
from lensy.runs.run import Run
from lensy.telescope.instrument import CLEAN, Instrument
from lensy.training.fit import fit
from lensy.training.scorer import Scorer
from lensy.values import Columns


@pytest.fixture(scope="module")
def run(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "smoke" / "tiny"
    options = {"accelerator": "cpu", "devices": 1}
    return fit(tiny_experiment(data.recipe), data, folder, trainer_options=options)


def test_frames_of_both_splits_are_described(run: Run, data: DataSet, tmp_path: Path) -> None:
    exam = Description.of(run, data.recipe)
    made = exam.make(data, tmp_path, start=None, progress=False)
    test, validation = of_split(made, "test"), of_split(made, "validation")
    assert test["score"].shape == validation["score"].shape == (8,)
    assert set(TRAITS) < test.keys()
    assert_allclose(test["score"], run.scores()["score"], rtol=1e-3, atol=1e-4)
    assert (test["label"] == data.labels("test")).all()
    assert (validation["label"] == data.labels("validation")).all()
    assert made.info["network"]["name"] == "tiny"


def test_test_frames_alone_can_be_described(run: Run, tmp_path: Path) -> None:
    others = tiny_data(tmp_path / "data", name="others-smoke", n_validation=0, n_train=0)
    wanted = Description.of(run, others.recipe)
    assert wanted.name == "tiny-describes-others"
    made = wanted.make(others, tmp_path / "run", start=None, progress=False)
    assert len(of_split(made, "test")["score"]) == 2
    with pytest.raises(LensyError, match="describes no frames of 'validation'"):
        of_split(made, "validation")


def test_validation_frames_are_described_with_flaws(
    run: Run, data: DataSet, tmp_path: Path
) -> None:
    """The same scenes, in which a star now spoils pixels; test frames are left alone."""
    instrument = Instrument.only("star")
    wanted = Description.of(run, data.recipe, instrument=instrument)
    assert wanted.name.endswith("-with-flaws")
    assert wanted.fingerprint != Description.of(run, data.recipe).fingerprint
    assert wanted.fingerprint != Description.of(run, data.recipe, instrument=CLEAN).fingerprint
    made = wanted.make(data, tmp_path, start=None, progress=False)
    assert set(made.scores()["split"]) == {"validation"}
    flawed = of_split(made, "validation")
    assert (flawed["label"] == data.labels("validation")).all()
    assert (flawed["n_spoilt"] > 0).any()


def test_a_description_is_made_once(run: Run, data: DataSet, tmp_path: Path) -> None:
    places = {"data_folder": data.folder.parent, "runs": tmp_path, "use_shipped": False}
    recipe = data.recipe.model_copy(update={"name": data.folder.name})
    first = obtain(Description.of(run, recipe), **places)  # type: ignore[arg-type]
    written = (first.folder / "scores.npz").stat().st_mtime_ns
    again = obtain(Description.of(run, recipe), **places)  # type: ignore[arg-type]
    assert again.folder == first.folder
    assert (again.folder / "scores.npz").stat().st_mtime_ns == written


def test_a_network_without_a_reconstruction_is_refused(data: DataSet, tmp_path: Path) -> None:
    bright = Scorer(("VIS",), lambda flux: flux.amax(dim=(1, 2, 3)), name="bright")
    with pytest.raises(LensyError, match="bright paints nothing that could be described"):
        Description.of(bright, data.recipe).make(data, tmp_path, start=None, progress=False)


def frames(n: int, seed: int, *, informative: float = 1.0) -> Columns:
    """Scores that tell lenses by some, and a trait that tells as much again, if informative."""
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.5
    columns = {name: rng.normal(size=n) for name in TRAITS}
    columns["spoilt"] -= 1.5 * informative * label
    return {"label": label, "score": rng.normal(size=n) + 1.5 * label, **columns}


def test_what_both_know_leaves_fewer_false_positives() -> None:
    validation, test = frames(1500, 1), frames(3000, 2)
    scores = combined(validation, test)
    assert scores.keys() == INPUTS.keys()
    left = false_positives_left(test["label"], scores, true_positive_rate=0.8)
    assert left[SCORE].removed.value == left[SCORE].removed.high == 0.0
    for name in ("both, logistic", "both, boosted"):
        assert left[name].rate.value < left[SCORE].rate.low
        assert left[name].removed.low > 0.2
        expected = 1 - left[name].rate.value / left[SCORE].rate.value
        assert left[name].removed.value == pytest.approx(expected)


def test_numbers_that_say_nothing_help_nothing() -> None:
    validation, test = frames(1500, 3, informative=0.0), frames(3000, 4, informative=0.0)
    left = false_positives_left(test["label"], combined(validation, test), true_positive_rate=0.8)
    assert left["both, logistic"].removed.low < 0 < left["both, logistic"].removed.high + 0.05
    assert left["painting alone"].rate.value == pytest.approx(0.8, abs=0.06)


def test_the_score_alone_keeps_its_order() -> None:
    validation, test = frames(500, 5), frames(200, 6)
    alone = combined(validation, test)[SCORE]
    assert (np.argsort(alone) == np.argsort(test["score"])).all()


def test_weights_say_what_speaks_for_a_lens() -> None:
    found = weights(frames(3000, 7))
    assert found["score"] > 1
    assert found["spoilt"] < -1
    assert abs(found["area"]) < 0.3
