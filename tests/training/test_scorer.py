"""One way to score images, whichever network it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from builders import tiny_experiment
from numpy.testing import assert_allclose
from safetensors.torch import save_file

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.exams.artefacts import CONDITIONS, ArtefactExam, examine
from lensy.exams.pointing_game import attention
from lensy.models.ou import Ou
from lensy.runs import library
from lensy.runs.run import SINGLE, Run
from lensy.training import scorer as scorers
from lensy.training.ou import find_predecessor, frames_for, published, score_predecessor
from lensy.training.scorer import is_ou, ou_of, scorer_of
from lensy.training.unet_fit import fit


@pytest.fixture(scope="module")
def painter(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    options = {"accelerator": "cpu", "devices": 1}
    folder = tmp_path_factory.mktemp("painter")
    return fit(tiny_experiment(data.recipe), data, folder, trainer_options=options)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands in for the published weights of OU-VIS."""
    torch.manual_seed(1)
    path = tmp_path / "ou-vis.safetensors"
    save_file({name: each.contiguous() for name, each in Ou("ou-vis").state_dict().items()}, path)
    monkeypatch.setattr(scorers, "fetch_weights", lambda name: path.with_stem(name))
    return path


def test_a_published_network_can_be_asked_like_any_other(
    weights: Path, data: DataSet, tmp_path: Path
) -> None:
    run = score_predecessor(weights, data, tmp_path / "run", name="ou-vis")
    assert is_ou(run)
    scorer = scorer_of(run)
    assert (scorer.bands, scorer.grid, scorer.precision) == (("VIS",), "VIS", SINGLE)
    frames = frames_for(ou_of(run), data)
    images = torch.stack([frames[k]["image"] for k in range(4)])
    assert_allclose(scorer(images), run.scores()["score"][:4], rtol=1e-4, atol=1e-5)
    assert scorer.outputs(images) == (None, None)
    network, bands = attention(run)
    assert bands == ("VIS",)
    assert network(images).shape == (4, 2)


def test_scores_of_a_published_network_are_known_by_weights_and_recipe(
    weights: Path, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    folder = shipped / "smoke" / "ou-vis-published"
    made = score_predecessor(weights, data, folder, name="ou-vis")
    monkeypatch.setattr(library, "SHIPPED", shipped)
    found = find_predecessor(data.recipe)
    assert found is not None
    assert found.folder == folder
    assert find_predecessor(data.recipe.model_copy(update={"seed": 77})) is None
    torch.manual_seed(2)
    other = {name: each.contiguous() for name, each in Ou("ou-vis").state_dict().items()}
    save_file(other, weights)
    again = score_predecessor(weights, data, tmp_path / "again", name="ou-vis")
    assert again.info["fingerprint"] != made.info["fingerprint"]
    assert published("ou-vis", weights).design.bands == ("VIS",)


def test_scores_come_in_the_precision_of_the_training_unless_another_is_asked_for(
    painter: Run, data: DataSet
) -> None:
    images = torch.from_numpy(data.observed("test", 0, "VIS")[None, None])
    single, half = scorer_of(painter), scorer_of(painter, "bf16-mixed")
    assert single.precision == painter.arithmetic == SINGLE
    assert_allclose(single(images), painter.classifier().score(images), rtol=1e-4)
    assert half(images) != single(images)
    assert_allclose(half(images), single(images), atol=0.1)


@pytest.mark.parametrize("precision", [None, "bf16-mixed"])
def test_an_exam_says_in_which_precision_it_was_held(
    painter: Run, data: DataSet, tmp_path: Path, precision: str | None
) -> None:
    conditions = {"clean": CONDITIONS["clean"]}
    exam = ArtefactExam.to(painter, data.recipe, "x", conditions=conditions, n_images=1)
    made = examine(painter, exam, data, tmp_path, precision=precision)
    assert made.info["arithmetic"] == (precision or painter.arithmetic)
    frames = Frames(data, "test", ("VIS",), limit=3)
    images = torch.stack([frames[k]["image"] for k in range(3)])
    assert_allclose(made.scores()["score"], scorer_of(painter, precision)(images), rtol=1e-5)


def test_painting_and_mask_come_from_one_pass(painter: Run, data: DataSet) -> None:
    images = torch.from_numpy(data.observed("test", 0, "VIS")[None, None])
    painted, mask = scorer_of(painter).outputs(images)
    assert mask is None
    assert painted is not None
    assert_allclose(painted, painter.model()(images)[:, 0].detach(), atol=1e-4)
