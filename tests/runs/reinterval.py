"""Compute the intervals of finished runs anew: `python tests/runs/reinterval.py FOLDER...`, once.

When SciPy took over the resampling, the ends of intervals moved by its noise. Nothing else may: the
script stops where a value itself would change. It needs the columns that `ship.py` takes away.
"""

from __future__ import annotations

import json
import sys
from math import isclose
from pathlib import Path
from typing import Any

from lensy.metrics.ranking import ranking_results
from lensy.provenance import write_json
from lensy.runs.run import Run

COLUMNS = {"test": "score", "test_painting": "brightest"}
"""By result of a run, the column that it ranks."""


def anew(run: Run) -> dict[str, Any]:
    """The results of a run with new intervals."""
    scores, found = run.scores(), {}
    for result in COLUMNS.keys() & run.info:
        found[result] = ranking_results(scores["label"], scores[COLUMNS[result]])
        for name, old in run.info[result].items():
            new = found[result][name]
            if isinstance(old, dict):
                assert isclose(old["value"], new["value"], rel_tol=1e-6), (run.name, name)
                new["value"] = old["value"]
            assert isinstance(old, dict) or old == new, (run.name, name)
    return found


def main(folders: list[str]) -> None:
    """Every run below the folders that has results."""
    for path in sorted(each for folder in folders for each in Path(folder).rglob("run.json")):
        if found := anew(Run(path.parent)):
            # read again: others may have written meanwhile
            write_json(path, json.loads(path.read_text("utf-8")) | found)


if __name__ == "__main__":
    main(sys.argv[1:])
