"""Mask R-CNN learns on a handful of frames, with and without lenses among them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from builders import bright_population, tiny_data

from lensy.errors import LensyError
from lensy.instances import Instances, collated
from lensy.learning import train
from lensy.mask_experiments import MaskExperiment, MaskTraining, mask_experiment
from lensy.mask_learning import MaskRcnnModule
from lensy.simulate import Recipe
from lensy.store import DataSet


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    population = bright_population(n_companions=(1, 2))
    folder = tmp_path_factory.mktemp("data")
    return tiny_data(folder, population=population, n_train=6, n_validation=6, n_test=2)


def tiny(data: DataSet, variant: str = "mrc-3") -> MaskExperiment:
    training = MaskTraining(batch=2, n_epochs=1, steps_per_epoch=2, n_check=6, n_train=4, n_test=2)
    return MaskExperiment(
        name=variant, scale="smoke", variant=variant, training=training, recipe=data.recipe
    )


def test_steps_on_one_batch_lower_the_loss(frames: DataSet) -> None:
    torch.manual_seed(1)
    module = MaskRcnnModule(tiny(frames), frames).train()
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
    module = MaskRcnnModule(tiny(frames), frames)
    best = train(module, tmp_path, options={"accelerator": "cpu", "devices": 1})
    assert best.exists()
    (row,) = module.rows
    assert row["step"] == 2
    assert row["train_loss"] > 0
    assert 0 <= row["val_auroc"] <= 1


def test_experiments_differ_by_variant_and_seed() -> None:
    recipe = Recipe(name="x")
    made = [mask_experiment("mrc-95", "laptop", recipe, seed=seed) for seed in (None, 2)]
    made.append(mask_experiment("mrc-3", "laptop", recipe))
    assert [each.name for each in made] == ["mrc-95", "mrc-95-seed-2", "mrc-3"]
    assert len({each.fingerprint for each in made}) == 3
    assert mask_experiment("mrc-95", "laptop", recipe, seed=1) == made[0]


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(LensyError, match=r"no variant 'mrc-9'; the variants are mrc-95, mrc-99"):
        mask_experiment("mrc-9", "laptop", Recipe(name="x"))
