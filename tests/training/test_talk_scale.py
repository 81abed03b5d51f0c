"""The networks of scale `talk`, as large as they are there, with one step of training each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import tiny_data

from lensy.datasets.store import DataSet
from lensy.models.mask_rcnn import MaskRcnn
from lensy.training.fit import fit
from lensy.training.kinds import experiment, experiment_of

CPU = {"accelerator": "cpu", "devices": 1, "precision": "bf16-mixed"}
FEW = {"n_epochs": 1, "steps_per_epoch": 1, "batch": 2, "n_check": 4}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Data of all four bands."""
    folder = tmp_path_factory.mktemp("talk") / "data"
    return tiny_data(folder, n_test=4, n_validation=4, n_train=4)


@pytest.mark.parametrize("name", ["naberrie-vis", "naberrie-h", "naberrie-colour"])
def test_a_painter_trains_and_scores(data: DataSet, tmp_path: Path, name: str) -> None:
    wanted = experiment(name, "talk", data.recipe)
    head = wanted.training.head.model_copy(update={"n_draws": 1, "n_epochs": 1})
    training = wanted.training.model_copy(update=FEW | {"head": head})
    wanted = wanted.model_copy(update={"training": training, "start": None})
    assert (training.width, training.crop) == (64, 64 if name == "naberrie-h" else 128)
    run = fit(wanted, data, tmp_path / "run", trainer_options=CPU)
    assert run.info["arithmetic"] == "bf16-mixed"
    assert np.isfinite(run.scores()["score"]).all()
    assert experiment_of(run).trunk(run).width == 64


def test_the_full_mask_rcnn_trains_and_scores(data: DataSet, tmp_path: Path) -> None:
    wanted = experiment("mrc-3", "talk", data.recipe)
    training = wanted.training.model_copy(update=FEW | {"n_train": 4, "n_test": 4})
    assert training.size == "full"
    run = fit(
        wanted.model_copy(update={"training": training}),
        data,
        tmp_path / "run",
        keep_weights=False,
        trainer_options=CPU,
    )
    assert ((run.scores()["score"] >= 0) & (run.scores()["score"] <= 1)).all()
    # torchvision's default on a ResNet-50 has 44 million
    n = sum(each.numel() for each in MaskRcnn(3, size="full").parameters())
    assert 40e6 < n < 48e6
