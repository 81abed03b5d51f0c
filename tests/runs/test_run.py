"""Finding finished runs by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lensy.runs.library import finished_runs
from lensy.runs.run import SHIPPED, write_run


def test_finished_runs_are_found_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "laptop" / "mine"
    write_run(folder, info={"fingerprint": "x"}, scores={"label": np.zeros(3)})
    (tmp_path / "laptop" / "begun").mkdir()
    names = ("mine", "begun", "absent", "naberrie-vis")
    found = finished_runs(names, "laptop", runs=tmp_path)
    assert {name: run.folder for name, run in found.items()} == {
        "mine": folder,
        "naberrie-vis": SHIPPED / "laptop" / "naberrie-vis",
    }
    assert set(finished_runs(names, "laptop", runs=tmp_path, use_shipped=False)) == {"mine"}
    assert finished_runs(names, "smoke", runs=tmp_path) == {}
