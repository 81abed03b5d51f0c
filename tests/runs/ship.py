"""Make finished runs ready to ship: `python tests/runs/ship.py lensy/shipped/laptop`.

Weights stay where somebody loads them, and a trunk that a network has taken over lies with the run
it is from. Columns that nothing reads go; what examples are is stored once for all runs on them.
Nothing that stays changes in any bit, and a second time changes nothing at all.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from lensy.datasets.frames import CATALOGUE_COLUMNS, PER_BAND
from lensy.metrics.reconstruction import QUALITY, TRAITS
from lensy.provenance import whole_file, write_json
from lensy.runs.columns import write_columns
from lensy.runs.run import Run
from lensy.training.kinds import experiment_of
from lensy.training.mask_rcnn import MaskExperiment
from lensy.values import Columns

Values = NDArray[Any]

PER_BAND_NETWORKS = ("naberrie-vis", "naberrie-y", "naberrie-j", "naberrie-h")
"""The talk's: what they reconstruct is looked at image by image."""

LOADED = (*PER_BAND_NETWORKS, "naberrie-vis-artefacts", "naberrie-vis-marking", "mrc-3", "mrc-4")
"""Networks that a chapter, a test or `lensy find` loads."""

TRUNK = "network.backbone.body."
"""How the names of weights begin that a light Mask R-CNN may have from Naberrie."""

EXAMPLES = (*PER_BAND, *CATALOGUE_COLUMNS)
"""Columns that say what an example is, and nothing of a network."""

COUNTED = ("naberrie-vis-on-talk-others",)
"""Runs whose scores alone are read."""

UNREAD = ("brightest", "source_magnitude", "arc_contrast")
"""Columns that nothing reads of any run, only of a data set or while a network is tested."""


def unread(run: Run) -> set[str]:
    """Names of the columns of a run that no chapter, test or command reads."""
    found = set(UNREAD)
    if run.kind in ("unet", "mask-rcnn", "ou") and run.name not in PER_BAND_NETWORKS:
        found |= {*QUALITY, "lens_logit"}
    if run.kind == "exam-artefacts":
        found |= TRAITS.keys() - {"flux"}
    return found | set(EXAMPLES) if run.name in COUNTED else found


def strip_weights(run: Run) -> None:
    """Remove weights that nobody loads, and those of a trunk that are another run's."""
    if run.name not in LOADED:
        for path in run.folder.glob("*.safetensors"):
            path.unlink()
    experiment = experiment_of(run) if run.holds() else None
    if not isinstance(experiment, MaskExperiment) or experiment.start is None:
        return
    model = experiment.network()
    owner = Run(run.folder.parent / experiment.start.name)
    model.begin_with(experiment.start.trunk(owner))
    begun, weights = model.state_dict(), load_file(run.folder / "model.safetensors")
    own = {
        name: each
        for name, each in weights.items()
        if not (name.startswith(TRUNK) and torch.equal(begun[name].to(each.dtype), each))
    }
    with whole_file(run.folder / "model.safetensors") as path:
        save_file(own, path)


def examples_of(run: Run, scores: Columns) -> Columns:
    """What a run's scores say of the examples, by the names that shared files have."""
    band = experiment_of(run).band
    names = {name: f"{band}/{name}" if name in PER_BAND else name for name in EXAMPLES}
    return {names[name]: scores[name] for name in EXAMPLES if name in scores}


def begins(values: Values, whole: Values) -> bool:
    """Whether one column is the beginning of another, bit by bit."""
    return values.dtype == whole.dtype and whole.tobytes().startswith(values.tobytes())


def most_common(columns: Sequence[Values]) -> Values:
    """The one of the longest columns that begins like most others do."""
    longest = [each for each in columns if len(each) == max(map(len, columns))]
    return max(longest, key=lambda whole: sum(begins(each, whole) for each in columns))


def share(runs: Mapping[Run, Columns], folder: Path) -> None:
    """Write what runs say of the same examples once, and to each run what is its own.

    Data sets that were made on two machines may differ in the last digit: then a run keeps its own
    column.
    """
    on: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda each: -len(runs[each]["score"])):
        radii = runs[run]["einstein_radius"]
        known = {name: runs[each[0]]["einstein_radius"] for name, each in on.items()}
        fitting = (name for name, whole in known.items() if begins(radii, whole))
        on.setdefault(next(fitting, run.info["experiment"]["recipe"]["name"]), []).append(run)
    for recipe, members in on.items():
        said = {run: examples_of(run, runs[run]) for run in members}
        names = sorted({name for columns in said.values() for name in columns})
        whole = {
            name: most_common([each[name] for each in said.values() if name in each])
            for name in names
        }
        write_columns(folder / f"examples-{recipe}.npz", whole)
        for run in members:
            same = {name for name, each in said[run].items() if begins(each, whole[name])}
            short = {name.rpartition("/")[2] for name in same}
            own = {name: each for name, each in runs[run].items() if name not in short}
            write_columns(run.folder / "scores.npz", own)
            about = {"file": f"examples-{recipe}.npz", "band": experiment_of(run).band}
            write_json(run.folder / "run.json", run.info | {"examples": about})


def main(folders: list[str]) -> None:
    """Make the runs in folders of a scale ready."""
    for folder in map(Path, folders):
        runs = [Run(path.parent) for path in sorted(folder.glob("*/run.json"))]
        kept = {
            run: {name: each for name, each in run.scores().items() if name not in unread(run)}
            for run in runs
        }
        for run in runs:
            strip_weights(run)
        with_examples = {run for run, scores in kept.items() if scores.keys() & set(EXAMPLES)}
        for run in kept.keys() - with_examples:
            write_columns(run.folder / "scores.npz", kept[run])
        share({run: kept[run] for run in runs if run in with_examples}, folder)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        print(f"{folder}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
