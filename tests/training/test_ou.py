"""The predecessor's networks learn here by its protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_data
from numpy.testing import assert_allclose
from safetensors.torch import save_file

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.models.ou import FAMILY, Ou
from lensy.runs.library import find_run, runs_folder
from lensy.simulation.recipe import Recipe
from lensy.training import ou
from lensy.training.fit import fit
from lensy.training.kinds import experiment
from lensy.training.ou import OuExperiment, OuLearner, OuTraining, Remembered
from lensy.training.predecessor import frames_for, predecessor_scores

CPU = {"accelerator": "cpu", "devices": 1}


def tiny(data: DataSet, network: str = "ou-h") -> OuExperiment:
    training = OuTraining(batch=4, n_epochs=2, steps_per_epoch=2, n_check=8)
    return OuExperiment(
        name=f"{network}-trained",
        scale="smoke",
        network=network,
        training=training,
        recipe=data.recipe,
    )


@pytest.mark.parametrize(("network", "shape"), [("ou-200", (4, 200, 200)), ("ou-66", (4, 66, 66))])
def test_remembered_frames_are_those_of_the_data(
    data: DataSet, network: str, shape: tuple[int, ...]
) -> None:
    image, label = Remembered(data, "test", FAMILY[network])[2]
    assert image.shape == shape
    assert label == data.labels("test")[2]
    seen = data.observed("test", 2, "H" if network == "ou-66" else "VIS")
    mine = image[2 if network == "ou-66" else 3]
    span = seen.max() - seen.min()
    assert_allclose(mine, (seen - seen.min()) / span, atol=5e-4)


def test_bands_are_in_the_order_of_the_published_weights(data: DataSet) -> None:
    """J, Y, H, VIS: each looks like its own band and not like the others."""
    image, _ = Remembered(data, "test", FAMILY["ou-66"])[0]
    for k, name in enumerate(("J", "Y", "H")):
        own = data.observed("test", 0, name).ravel()
        likeness = [np.corrcoef(own, each.ravel())[0, 1] for each in image.numpy()]
        assert int(np.argmax(likeness)) == k


def test_a_run_is_written_found_and_read_again(data: DataSet, tmp_path: Path) -> None:
    wanted = tiny(data)
    made = fit(wanted, data, runs_folder(wanted, tmp_path), trainer_options=CPU)
    found = find_run(wanted, runs=tmp_path, use_shipped=False)
    assert found is not None
    model = wanted.load(found)
    again = predecessor_scores(model, frames_for(model.design, data))
    assert_allclose(again["score"], made.scores()["score"], rtol=1e-4)
    losses = made.history()["val_loss"]
    assert made.info["best_epoch"] == 1 + int(np.argmin(losses))
    assert (made.scores()["arc_signal_to_noise"] >= 0).all()


def test_a_tuned_network_begins_with_the_published_weights(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(5)
    theirs = Ou("ou-h")
    path = tmp_path / "ou-h.safetensors"
    save_file({name: each.contiguous() for name, each in theirs.state_dict().items()}, path)
    monkeypatch.setattr(ou, "fetch_weights", lambda _name: path)
    wanted = tiny(data)
    begun = OuLearner(wanted.model_copy(update={"tuned": True}), data).model.state_dict()
    assert all(torch.equal(begun[name], each) for name, each in theirs.state_dict().items())
    fresh = OuLearner(wanted, data).model.state_dict()
    assert not any(torch.equal(fresh[name], each) for name, each in theirs.state_dict().items())


def test_the_loss_counts_both_classes_alike(data: DataSet) -> None:
    module = OuLearner(tiny(data), data)
    labels = module.training_frames.labels
    weights = module.loss.weight
    assert weights is not None
    assert_allclose(weights[1] * labels.sum(), weights[0] * (~labels).sum(), rtol=1e-6)


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    population = tiny_data(tmp_path / "x").recipe.population.model_copy(
        update={"lens_fraction": 0.0}
    )
    empty = tiny_data(tmp_path / "data", population=population)
    with pytest.raises(LensyError, match="one class only in 'train'"):
        OuLearner(tiny(empty), empty)


def test_names_and_scales_are_checked() -> None:
    recipe = Recipe(name="x")
    with pytest.raises(LensyError, match=r"no experiment 'ou-1'; .*, ou-200, ou-vis"):
        experiment("ou-1", "laptop", recipe)
    with pytest.raises(LensyError, match="no scale 'huge'; the scales are smoke"):
        experiment("ou-200", "huge", recipe)  # type: ignore[arg-type]
    made = [experiment(name, "laptop", recipe) for name in OuExperiment.names]
    assert len({each.fingerprint for each in made}) == len(OuExperiment.names)
    assert made[0].name == "ou-200-trained"
    tuned = experiment("ou-200-tuned", "laptop", recipe, seed=3)
    assert (tuned.name, tuned.network, tuned.tuned) == ("ou-200-tuned-seed-3", "ou-200", True)


def test_a_step_uses_dropout_and_no_augmentation(data: DataSet) -> None:
    torch.manual_seed(1)
    module = OuLearner(tiny(data), data).train()
    images = torch.stack([module.training_frames[k][0] for k in range(2)])
    assert not torch.equal(module.model(images), module.model(images))
    assert torch.equal(images[0], module.training_frames[0][0])
