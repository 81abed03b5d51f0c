"""Finding finished runs by name, and what they share with others."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_experiment, tiny_recipe

from lensy.errors import LensyError
from lensy.provenance import write_json
from lensy.runs.columns import read_columns, write_columns
from lensy.runs.library import finished_runs, shipped_run
from lensy.runs.run import SHIPPED, Run, write_run

COLUMNS = {
    "score": np.array([0.1, np.nan, -3.0]),
    "label": np.array([True, False, True]),
    "kind": np.array(["lens", "spiral", "lens"]),
    "number": np.arange(3),
    "picture": np.ones((3, 2, 2), np.float16),
}


def a_run(folder: Path) -> Run:
    return write_run(folder, tiny_experiment(tiny_recipe()), info={}, scores=COLUMNS)


def test_finished_runs_are_found_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "laptop" / "mine"
    a_run(folder)
    (tmp_path / "laptop" / "begun").mkdir()
    names = ("mine", "begun", "absent", "naberrie-vis")
    found = finished_runs(names, "laptop", runs=tmp_path)
    assert {name: run.folder for name, run in found.items()} == {
        "mine": folder,
        "naberrie-vis": SHIPPED / "laptop" / "naberrie-vis",
    }
    assert set(finished_runs(names, "laptop", runs=tmp_path, use_shipped=False)) == {"mine"}
    assert finished_runs(names, "smoke", runs=tmp_path) == {}


def test_columns_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_columns(tmp_path / "a.npz", COLUMNS)
    write_columns(tmp_path / "b.npz", COLUMNS)
    found = read_columns(tmp_path / "a.npz")
    assert list(found) == list(COLUMNS)
    for name, values in COLUMNS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with pytest.raises(LensyError, match="is missing: put it back"):
        read_columns(tmp_path / "c.npz")


def test_what_runs_share_is_put_together_with_what_is_their_own(tmp_path: Path) -> None:
    """Of the band alone, as many rows as scores, and its own column where it has one."""
    run = a_run(tmp_path / "mine")
    shared = {
        "kind": np.array(["other"] * 4),
        "radius": np.arange(4.0),
        "VIS/magnitude": np.full(4, 20.0),
        "H/magnitude": np.full(4, 18.0),
    }
    write_columns(tmp_path / "examples-tiny.npz", shared)
    about = json.loads((run.folder / "run.json").read_text("utf-8"))
    names = {"file": "examples-tiny.npz", "band": "VIS"}
    write_json(run.folder / "run.json", about | {"examples": names})
    found = Run(run.folder).scores()
    assert list(found) == [*COLUMNS, "radius", "magnitude"]
    assert list(found["kind"]) == list(COLUMNS["kind"])
    np.testing.assert_array_equal(found["radius"], [0, 1, 2])
    np.testing.assert_array_equal(found["magnitude"], [20, 20, 20])
    (tmp_path / "examples-tiny.npz").unlink()
    with pytest.raises(LensyError, match=r"examples-tiny\.npz is missing"):
        Run(run.folder).scores()


def test_a_shipped_run_that_is_copied_finds_its_examples(tmp_path: Path) -> None:
    run = shipped_run("naberrie-vis")
    shutil.copytree(run.folder, tmp_path / "mine")
    np.testing.assert_array_equal(Run(tmp_path / "mine").scores()["kind"], run.scores()["kind"])


def test_a_run_without_weights_says_so(tmp_path: Path) -> None:
    run = a_run(tmp_path / "mine")
    command = re.escape("`lensy train tiny --data DATA --scale smoke`")
    with pytest.raises(LensyError, match=rf"mine keeps scores and no weights .*{command}"):
        run.weights()
    network = torch.nn.Linear(2, 2)
    made = write_run(
        tmp_path / "with",
        tiny_experiment(tiny_recipe()),
        info={},
        scores=COLUMNS,
        networks={"model": network},
    )
    assert made.weights()["bias"].dtype == torch.float32
