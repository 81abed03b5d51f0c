from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from builders import tiny_experiment
from numpy.testing import assert_allclose
from safetensors.torch import save_file
from typer.testing import CliRunner, Result

from lensy.cli.main import app
from lensy.datasets.store import DataSet
from lensy.models.ou import Ou
from lensy.runs.library import shipped_run
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.training import kinds
from lensy.training.kinds import experiment
from lensy.training.mask_rcnn import MaskExperiment, MaskTraining
from lensy.training.ou import OuTraining
from lensy.training.ou_weights import published
from lensy.training.predecessor import frames_for, predecessor_scores


def lensy(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nonsense",), "There is no experiment 'nonsense'; the experiments are naberrie-vis, "),
        (
            ("nonsense",),
            "naberrie-vis-artefacts, naberrie-vis-marking, mrc-95, mrc-99, mrc-995, mrc-3, ",
        ),
        (("naberrie-vis", "--scale", "huge"), "There is no scale 'huge'; the scales are smoke,"),
        (("mrc-3", "--scale", "huge"), "There is no scale 'huge'; the scales are smoke,"),
        (("ou-200", "--start", "x"), "--start is for the experiments naberrie-y, "),
        (("ou-200", "--scale", "huge"), "There is no scale 'huge'; the scales are smoke,"),
    ],
)
def test_train_names_what_there_is(
    data: DataSet, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    result = lensy("train", *words, "--data", data.folder, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not (tmp_path / "run").exists()


def test_train_without_data_says_how_to_make_them(tmp_path: Path) -> None:
    result = lensy("train", "naberrie-vis", "--data", tmp_path / "none")
    assert result.exit_code == 2
    assert "holds no data set: make it with `python -m data_sim NAME" in result.stderr


def test_train_writes_a_run_and_reports_it(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = tiny_experiment(data.recipe)
    monkeypatch.setattr(kinds, "experiment", lambda *_, **__: tiny)
    words = ("naberrie-vis", "--data", data.folder, "--out", tmp_path / "run", "--quiet")
    result = lensy("train", *words, "--accelerator", "cpu", "--devices", "1")
    assert result.exit_code == 0, result.output
    area = Run(tmp_path / "run").info["test"]["auroc"]["value"]
    assert f"test AUROC {area:.4f}" in result.stdout
    again = ("--encoder", tmp_path / "run", "--out", tmp_path / "again")
    result = lensy("train", "naberrie-vis", "--data", data.folder, "--quiet", *again)
    assert result.exit_code == 0, result.output
    assert Run(tmp_path / "again").info["experiment"]["name"] == "tiny-for-tiny"
    words = ("--run", tmp_path / "run", "--data", data.folder, "--out", tmp_path / "scored")
    result = lensy("evaluate", *words, "--quiet")
    assert result.exit_code == 0, result.output
    assert f"test AUROC {area:.4f}" in result.stdout


def test_a_mask_rcnn_is_trained_and_scored_again(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = MaskTraining(batch=2, n_epochs=1, steps_per_epoch=1, n_check=8, n_train=2, n_test=8)
    tiny = MaskExperiment(
        name="tiny", scale="smoke", variant="mrc-3", training=training, recipe=data.recipe
    )
    monkeypatch.setattr(kinds, "experiment", lambda *_, **__: tiny)
    words = ("--data", data.folder, "--quiet", "--out")
    usual = ("--accelerator", "cpu", "--devices", "1")
    result = lensy("train", "mrc-3", *words, tmp_path / "run", *usual)
    assert result.exit_code == 0, result.output
    made = Run(tmp_path / "run")
    assert made.info["arithmetic"] == "32-true"
    assert made.summary().startswith("tiny at scale smoke, trained here: seed 1")
    result = lensy("evaluate", "--run", made.folder, *words, tmp_path / "again")
    assert result.exit_code == 0, result.output
    again = Run(tmp_path / "again")
    assert again.info["experiment"]["name"] == "tiny-on-tiny"
    assert_allclose(again.scores()["score"], made.scores()["score"], atol=1e-6)
    assert not list(again.folder.glob("*.safetensors"))


def test_a_network_of_the_predecessor_is_trained(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = experiment("ou-h", "smoke", data.recipe)
    training = OuTraining(batch=4, n_epochs=1, steps_per_epoch=1, n_check=8)
    tiny = usual.model_copy(update={"training": training})
    monkeypatch.setattr(kinds, "experiment", lambda *_, **__: tiny)
    words = ("--data", data.folder, "--quiet", "--out", tmp_path / "run")
    result = lensy("train", "ou-h", *words, "--accelerator", "cpu", "--devices", "1")
    assert result.exit_code == 0, result.output
    assert Run(tmp_path / "run").summary().startswith("ou-h-trained at scale smoke, trained here")


def test_a_network_without_an_encoder_is_refused(data: DataSet, tmp_path: Path) -> None:
    words = ("--encoder", shipped_run("mrc-3").folder, "--data", data.folder)
    result = lensy("train", "mrc-3", *words, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "is a run of the kind 'mask-rcnn': only one of the kind 'unet' has" in result.stderr
    assert not (tmp_path / "run").exists()


def test_the_list_has_every_experiment() -> None:
    result = lensy("train", "--list")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [*kinds.names()]
    assert {"naberrie-vis", "mrc-3", "ou-200-tuned"} <= set(result.stdout.splitlines())


def test_a_seed_makes_an_experiment_of_its_own() -> None:
    usual, other = (experiment("naberrie-h", "smoke", Recipe(name="x"), seed=k) for k in (None, 2))
    assert (usual.name, other.name) == ("naberrie-h", "naberrie-h-seed-2")
    assert (usual.training.seed, other.training.seed) == (1, 2)
    assert usual.fingerprint != other.fingerprint
    assert experiment("naberrie-h", "smoke", Recipe(name="x"), seed=1) == usual


def test_train_says_which_run_is_needed_first(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("naberrie-h", "--data", data.folder, "--scale", "smoke", "--quiet")
    result = lensy("train", *words)
    assert result.exit_code == 2
    assert "naberrie-h begins with the weights of naberrie-vis, of which" in result.stderr
    assert "lensy train naberrie-vis --data" in result.stderr.replace("\n", " ")
    assert not list(tmp_path.iterdir())


def test_evaluate_scores_the_test_set_with_given_weights(data: DataSet, tmp_path: Path) -> None:
    torch.manual_seed(1)
    tensors = {name: each.contiguous() for name, each in Ou("ou-vis").state_dict().items()}
    save_file(tensors, tmp_path / "ou.safetensors")
    words = ("--weights", tmp_path / "ou.safetensors", "--data", data.folder)
    result = lensy("evaluate", *words, "--out", tmp_path / "ou-vis", "--quiet")
    assert result.exit_code == 0, result.output
    run = Run(tmp_path / "ou-vis")
    assert run.info["experiment"]["published"] == "ou-vis"
    model = published("ou-vis", tmp_path / "ou.safetensors")
    expected = predecessor_scores(model, frames_for(model.design, data))
    assert_allclose(run.scores()["score"], expected["score"], rtol=1e-4, atol=1e-6)
    assert run.scores()["score"].shape == (data.recipe.n_test,)


def test_evaluate_refuses_a_file_that_holds_no_such_weights(data: DataSet, tmp_path: Path) -> None:
    (tmp_path / "wrong.safetensors").write_text(json.dumps({"not": "weights"}))
    words = ("--weights", tmp_path / "wrong.safetensors", "--data", data.folder)
    result = lensy("evaluate", *words, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "wrong.safetensors does not hold the weights of OU-VIS" in result.stderr
    assert not (tmp_path / "out").exists()
