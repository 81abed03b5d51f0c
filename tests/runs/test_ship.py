"""Runs made ready to ship: what stays is the same in every bit, in less room."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import tiny_recipe, untrained
from safetensors.torch import load_file

from lensy.models.mask_rcnn import WIDTH
from lensy.runs.experiment import Experiment
from lensy.runs.run import Run, write_run
from lensy.training.kinds import experiment, experiment_of
from lensy.training.mask_rcnn import MaskExperiment

sys.path.insert(0, str(Path(__file__).parent))
import ship

N = 6


def columns(seed: int, n: int = N) -> dict[str, Any]:
    """Scores of a network, and what the examples are whoever is asked."""
    rng = np.random.default_rng(seed)
    own = {"label": rng.random(n) > 0.5, "score": rng.normal(size=n), "brightest": np.ones(n)}
    examples = {name: np.linspace(0, 1, N)[:n] for name in ship.EXAMPLES if name != "kind"}
    return own | examples | {"kind": np.array(["single"] * n)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A U-Net, another seed of it, and a Mask R-CNN whose trunk begins with the first."""
    root = tmp_path_factory.mktemp("runs")
    recipe = tiny_recipe()
    masks = experiment("mrc-3", "smoke", recipe)
    assert isinstance(masks, MaskExperiment)
    assert masks.start is not None
    first = untrained(WIDTH, seed=1)
    network = masks.network()
    network.begin_with(first.encoder.unet.half().float())
    # a trunk may have statistics of its own
    network.network.backbone.body.block0[1].running_mean += 1
    seed_2 = experiment("naberrie-vis", "smoke", recipe, seed=2)
    parts = {"model": first.encoder.unet, "head": first.head}
    made: list[tuple[Experiment, dict[str, Any], int]] = [
        (masks.start, parts, N),
        (seed_2, parts, N),
        (masks, {"model": network}, N - 2),
    ]
    for k, (each, networks, n) in enumerate(made):
        write_run(root / each.name, each, info={}, scores=columns(k, n), networks=networks)
    return root


def test_what_stays_is_the_same(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "new")
    ship.main([str(tmp_path / "new")])
    for path in sorted(folder.glob("*/run.json")):
        old, new = Run(path.parent), Run(tmp_path / "new" / path.parent.name)
        before, after = old.scores(), new.scores()
        assert before.keys() - after.keys() == before.keys() & ship.unread(old)
        for name, values in after.items():
            assert values.dtype == before[name].dtype
            np.testing.assert_array_equal(values, before[name])
        assert new.holds() == (new.name in ship.LOADED)
        if new.holds():
            pair = (experiment_of(run).load(run).state_dict() for run in (old, new))
            (whole, light) = pair
            assert whole.keys() == light.keys()
            assert all(torch.equal(whole[name], light[name]) for name in whole)


def test_it_is_stored_once(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "new")
    ship.main([str(tmp_path / "new")])
    for name in ("naberrie-vis", "naberrie-vis-seed-2", "mrc-3"):
        with np.load(tmp_path / "new" / name / "scores.npz") as file:
            assert set(file.files) == {"label", "score"}
    kept = load_file(tmp_path / "new" / "mrc-3" / "model.safetensors")
    trunk = {name for name in kept if name.startswith(ship.TRUNK)}
    assert trunk == {f"{ship.TRUNK}block0.1.running_mean"}


def test_a_second_time_changes_nothing(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "new")
    ship.main([str(tmp_path / "new")])
    first = {path: path.read_bytes() for path in (tmp_path / "new").rglob("*.*")}
    ship.main([str(tmp_path / "new")])
    assert {path: path.read_bytes() for path in (tmp_path / "new").rglob("*.*")} == first


def test_last_digits_of_another_machine_stay_with_the_run(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "new")
    path = tmp_path / "new" / "naberrie-vis" / "scores.npz"
    changed = dict(np.load(path))
    changed["magnification"][2] += 1e-6
    ship.write_columns(path, changed)
    ship.main([str(tmp_path / "new")])
    with np.load(path) as file:
        assert set(file.files) == {"label", "score", "magnification"}
    found = Run(path.parent).scores()["magnification"]
    np.testing.assert_array_equal(found, changed["magnification"])
