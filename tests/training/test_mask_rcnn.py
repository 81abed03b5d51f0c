"""Mask R-CNN learns on a handful of frames, with and without lenses among them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from builders import bright_population, tiny_data
from numpy.testing import assert_allclose
from safetensors.torch import load_file

from lensy.datasets.instances import Instances, collated
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.runs.library import find_run, runs_folder
from lensy.simulation.recipe import Recipe
from lensy.training.detection_scores import score_instances
from lensy.training.fit import fit
from lensy.training.kinds import experiment
from lensy.training.learner import train
from lensy.training.mask_rcnn import (
    FROM_RANDOM,
    MaskExperiment,
    MaskTraining,
    without_detection,
)
from lensy.training.mask_rcnn_learner import MaskRcnnLearner


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    population = bright_population(n_companions=(1, 2))
    folder = tmp_path_factory.mktemp("data")
    return tiny_data(folder, population=population, n_train=6, n_validation=6, n_test=6)


def tiny(data: DataSet, variant: str = "mrc-3") -> MaskExperiment:
    training = MaskTraining(batch=2, n_epochs=1, steps_per_epoch=2, n_check=6, n_train=4, n_test=6)
    return MaskExperiment(
        name=variant, scale="smoke", variant=variant, training=training, recipe=data.recipe
    )


def test_steps_on_one_batch_lower_the_loss(frames: DataSet) -> None:
    torch.manual_seed(1)
    module = MaskRcnnLearner(tiny(frames), frames).train()
    batch = collated([Instances(frames, "train", module.experiment.objects)[k] for k in range(3)])
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-3)
    losses = []
    for step in range(12):
        loss = module.training_step(batch, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


def test_a_training_runs_and_keeps_its_history(frames: DataSet, tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = MaskRcnnLearner(tiny(frames), frames)
    best = train(module, tmp_path, options={"accelerator": "cpu", "devices": 1})
    assert best.exists()
    (row,) = module.rows
    assert row["step"] == 2
    assert row["train_loss"] > 0
    assert 0 <= row["val_auroc"] <= 1


def test_a_training_is_a_function_of_its_seed(frames: DataSet, tmp_path: Path) -> None:
    options = {"accelerator": "cpu", "devices": 1}
    weights = []
    for attempt, seed in enumerate((1, 1, 2)):
        wanted = tiny(frames)
        training = wanted.training.model_copy(update={"seed": seed})
        wanted = wanted.model_copy(update={"training": training})
        run = fit(wanted, frames, tmp_path / str(attempt), trainer_options=options)
        weights.append(load_file(run.folder / "model.safetensors"))
    first, again, other = weights
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_experiments_differ_by_variant_and_seed() -> None:
    recipe = Recipe(name="x")
    made = [experiment("mrc-95", "laptop", recipe, seed=seed) for seed in (None, 2)]
    made.append(experiment("mrc-3", "laptop", recipe))
    assert [each.name for each in made] == ["mrc-95", "mrc-95-seed-2", "mrc-3"]
    assert len({each.fingerprint for each in made}) == 3
    assert experiment("mrc-95", "laptop", recipe, seed=1) == made[0]


def test_light_networks_begin_with_the_painter_of_their_seed() -> None:
    recipe = Recipe(name="x")
    first, second = (experiment("mrc-3", "laptop", recipe, seed=seed) for seed in (1, 2))
    assert first.start == experiment("naberrie-vis", "laptop", recipe)
    assert second.start == experiment("naberrie-vis", "laptop", recipe, seed=2)
    assert experiment("mrc-3", "talk", recipe).start is None
    random = experiment("mrc-3-from-random", "laptop", recipe)
    assert random.objects == first.objects
    assert random.training == first.training
    assert random.fingerprint != first.fingerprint
    for name in FROM_RANDOM:
        assert experiment(name, "laptop", recipe).start is None


def test_a_training_needs_the_run_it_begins_with(frames: DataSet, tmp_path: Path) -> None:
    wanted = experiment("mrc-3", "smoke", frames.recipe)
    with pytest.raises(LensyError, match="mrc-3 begins with the weights of naberrie-vis, but was"):
        fit(wanted, frames, tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(LensyError, match=r"no experiment 'mrc-9'; .*, mrc-95, mrc-99"):
        experiment("mrc-9", "laptop", Recipe(name="x"))


def test_a_run_is_written_found_and_read_again(frames: DataSet, tmp_path: Path) -> None:
    wanted = tiny(frames)
    folder = runs_folder(wanted, tmp_path)
    made = fit(wanted, frames, folder, trainer_options={"accelerator": "cpu", "devices": 1})
    found = find_run(wanted, runs=tmp_path, use_shipped=False)
    assert found is not None
    assert found.folder == made.folder == folder
    items = Instances(frames, "test", wanted.objects)
    columns, _ = score_instances(wanted.load(found), items)
    stored = found.scores()
    assert_allclose(columns["score"], stored["score"], rtol=1e-4, atol=1e-6)
    assert_allclose(
        stored["arc_signal_to_noise"], frames.catalogue("test")["arc_signal_to_noise_VIS"]
    )
    assert (folder / "model.safetensors").stat().st_size < 10e6
    shares = without_detection(found)
    empty = stored["score"] == 0
    assert shares["non-lenses"] * (~stored["label"]).sum() == (empty & ~stored["label"]).sum()


def test_data_of_another_recipe_are_refused(frames: DataSet, tmp_path: Path) -> None:
    other = tiny(frames).model_copy(
        update={"recipe": frames.recipe.model_copy(update={"seed": 9, "name": "other"})}
    )
    with pytest.raises(LensyError, match=r"holds 'tiny', but mrc-3 .* is defined on 'other'"):
        fit(other, frames, tmp_path)
    assert not list(tmp_path.iterdir())
