"""One way to score images, whichever network it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from builders import tiny_experiment
from numpy.testing import assert_allclose
from safetensors.torch import save_file

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.models.ou import Ou
from lensy.runs.run import SINGLE, Run
from lensy.training import predecessor
from lensy.training.fit import fit
from lensy.training.kinds import experiment_of, scorer_of
from lensy.training.ou_weights import published
from lensy.training.predecessor import find_predecessor, frames_for, score_predecessor
from lensy.training.scorer import Scorer


@pytest.fixture(scope="module")
def trained(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    options = {"accelerator": "cpu", "devices": 1}
    folder = tmp_path_factory.mktemp("trained")
    return fit(tiny_experiment(data.recipe), data, folder, trainer_options=options)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands in for the published weights of OU-VIS."""
    torch.manual_seed(1)
    path = tmp_path / "ou-vis.safetensors"
    save_file({name: each.contiguous() for name, each in Ou("ou-vis").state_dict().items()}, path)
    monkeypatch.setattr(predecessor, "fetch_weights", lambda name: path.with_stem(name))
    return path


def test_a_published_network_can_be_asked_like_any_other(
    weights: Path, data: DataSet, tmp_path: Path
) -> None:
    run = score_predecessor(weights, data, tmp_path / "run", name="ou-vis")
    assert run.kind == "ou-published"
    scorer = scorer_of(run)
    assert (scorer.bands, scorer.grid, scorer.precision) == (("VIS",), "VIS", SINGLE)
    frames = frames_for(experiment_of(run).load(run).design, data)
    images = torch.stack([frames[k]["image"] for k in range(4)])
    assert_allclose(scorer(images), run.scores()["score"][:4], rtol=1e-4, atol=1e-5)
    assert scorer.outputs(images) == (None, None)
    assert scorer.differentiable is not None
    assert scorer.differentiable(images).shape == (4, 2)


def test_scores_of_a_published_network_are_known_by_weights_and_recipe(
    weights: Path, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    folder = shipped / "smoke" / "ou-vis-published"
    made = score_predecessor(weights, data, folder, name="ou-vis")
    monkeypatch.setattr(predecessor, "SHIPPED", shipped)
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
    trained: Run, data: DataSet
) -> None:
    images = torch.from_numpy(data.observed("test", 0, "VIS")[None, None])
    single, half = scorer_of(trained), scorer_of(trained, "bf16-mixed")
    assert single.precision == trained.arithmetic == SINGLE
    assert_allclose(single(images), experiment_of(trained).load(trained).score(images), rtol=1e-4)
    assert half(images) != single(images)
    assert_allclose(half(images), single(images), atol=0.1)


def test_painting_and_mask_come_from_one_pass(trained: Run, data: DataSet) -> None:
    images = torch.from_numpy(data.observed("test", 0, "VIS")[None, None])
    painted, mask = scorer_of(trained).outputs(images)
    assert mask is None
    assert painted is not None
    assert_allclose(
        painted, experiment_of(trained).trunk(trained)(images)[:, 0].detach(), atol=1e-4
    )


def brightest(flux: torch.Tensor) -> torch.Tensor:
    return flux.amax(dim=(1, 2, 3))


class TwoLogits(torch.nn.Module):
    """A network that is none of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(1, 2)

    def forward(self, flux: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.dense(flux.mean(dim=(2, 3)))
        return found


def test_any_function_and_any_module_is_a_scorer() -> None:
    flux = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = Scorer(("VIS",), brightest)
    assert (plain.grid, plain.name, plain.differentiable) == ("VIS", "brightest", None)
    assert_allclose(plain(flux), flux.numpy().max(axis=(1, 2, 3)))
    module = TwoLogits().eval()
    other = Scorer(("VIS",), module)
    logits = module(flux).detach().numpy()
    assert_allclose(other(flux), logits[:, 1] - logits[:, 0], rtol=1e-6)
    assert other.differentiable is not None
    assert_allclose(other.differentiable(flux).detach(), logits)


def test_a_score_becomes_two_logits_that_gradients_pass() -> None:
    flux = torch.randn(2, 1, 4, 4, requires_grad=True)
    mean = torch.nn.Sequential(torch.nn.AvgPool2d(4), torch.nn.Flatten())
    network = Scorer(("VIS",), mean).differentiable
    assert network is not None
    network(flux)[:, 1].sum().backward()
    assert flux.grad is not None
    assert_allclose(flux.grad, 1 / 16)


def test_an_answer_that_is_no_score_is_refused() -> None:
    pictures = Scorer(("VIS",), lambda flux: flux, name="pictures")
    with pytest.raises(LensyError, match=r"shape \(2, 1, 3, 3\) for 2 images: a score for each"):
        pictures(torch.zeros(2, 1, 3, 3))
