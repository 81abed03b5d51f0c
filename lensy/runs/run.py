"""Runs on disk: a trained network, its history, its scores on the test set, where it came from.

A run is a folder with

    run.json            kind, experiment, recipe, fingerprint, score, results, provenance
    history.csv         one row per epoch
    scores.npz          one row per test example: score, label and what the example is
    model.safetensors   weights of the network in half precision
    head.safetensors    those of a classifier's dense layers, likewise

What a network has taken from another run and kept as it was may be stored there alone: `beside`
finds that run. Runs that come with the package may keep scores only, and share what their examples
are: see `columns`.

`run.json` is written last, once: a folder without it holds no run. Finished runs that come with the
package are in `lensy/shipped/<scale>/<experiment>/`, local ones in `runs/<scale>/<experiment>/`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lensy.errors import LensyError
from lensy.provenance import whole_file, write_json
from lensy.runs.columns import read_columns, shared_columns, single_precision, write_columns
from lensy.values import Columns, Floats

if TYPE_CHECKING:
    # opening a run needs neither; whoever reads only numbers should not wait for them
    from torch import Tensor, nn

    from lensy.datasets.store import DataSet
    from lensy.runs.experiment import Experiment

SHIPPED = Path(__file__).resolve().parent.parent / "shipped"

SINGLE = "32-true"
"""Lightning's name for single precision."""


class Run:
    """A finished run, read from its folder.

    >>> run = Run(SHIPPED / "laptop" / "naberrie-vis")
    >>> run.kind, run.scores()["score"].shape
    ('unet', (6000,))
    """

    def __init__(self, folder: Path) -> None:
        """Open `folder`. Raises LensyError where it holds no finished run."""
        self.folder = Path(folder)
        if not (self.folder / "run.json").exists():
            raise LensyError(
                f"{self.folder} holds no finished run: make one with `lensy train` or choose a "
                f"folder below {SHIPPED}."
            )

    @cached_property
    def info(self) -> dict[str, Any]:
        """What `run.json` says."""
        content: dict[str, Any] = json.loads((self.folder / "run.json").read_text("utf-8"))
        return content

    @property
    def kind(self) -> str:
        """Which kind of experiment it is the result of: `unet`, `mask-rcnn`, ..."""
        return str(self.info["kind"])

    @property
    def name(self) -> str:
        """Name of its experiment."""
        return str(self.info["experiment"]["name"])

    @property
    def fingerprint(self) -> str:
        """That of its experiment."""
        return str(self.info["fingerprint"])

    @property
    def is_shipped(self) -> bool:
        """Whether this run came with the package."""
        return self.folder.is_relative_to(SHIPPED)

    @property
    def arithmetic(self) -> str:
        """Lightning's name of the precision of its training."""
        return str(self.info.get("arithmetic", SINGLE))

    @property
    def origin(self) -> dict[str, Any]:
        """Where its network comes from, in a few words for tables."""
        return {
            "run": self.name,
            "scale": self.info["experiment"]["scale"],
            "fingerprint": self.fingerprint,
            "commit_of_run": self.info["provenance"]["commit"],
        }

    def history(self) -> dict[str, Floats]:
        """Columns of the training history, each (n_epochs,)."""
        rows = self.history_rows()
        return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}

    def history_rows(self) -> list[dict[str, str]]:
        """The training history as it is written, one row per epoch."""
        with (self.folder / "history.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def scores(self) -> Columns:
        """Columns of the test set: `score`, `label` and what each example is, each (n,)."""
        own, shared = read_columns(self.folder / "scores.npz"), self.info.get("examples")
        if shared is None:
            return own
        places = self._places(shared["file"])
        path = next((each for each in places if each.exists()), places[0])
        # its own come first, and hold where both have a column
        return own | shared_columns(path, shared["band"], len(own["score"])) | own

    def holds(self, part: str = "model") -> bool:
        """Whether it keeps weights of its own for a part of its network."""
        return (self.folder / f"{part}.safetensors").exists()

    def weights(self, part: str = "model") -> dict[str, Tensor]:
        """Weights of a part of its network by name, single precision.

        Raises LensyError where the run keeps none.
        """
        from lensy.runs.weights import single_precision_weights

        if not self.holds(part):
            raise LensyError(
                f"{self.folder} keeps scores and no weights ({part}.safetensors): make a run that "
                f"has them with `{self.command}`, and give its folder."
            )
        return single_precision_weights(self.folder / f"{part}.safetensors")

    @property
    def command(self) -> str:
        """The command that teaches its network anew; DATA stands for the folder of its data."""
        about = self.info["experiment"]
        owner = self.info.get("encoder_of")
        name, _, seed = (owner["name"] if owner else self.name).partition("-seed-")
        words = ["lensy train", name, "--data DATA", f"--scale {about['scale']}"]
        words += [f"--seed {seed}"] if seed else []
        words += [f"--encoder {self.folder.parent / owner['name']}"] if owner else []
        return " ".join(words)

    def beside(self, name: str, fingerprint: str) -> Run:
        """The run that this one has taken weights from: in the folder beside it, or shipped.

        Raises LensyError where there is none with that fingerprint.
        """
        places = self._places(name)
        runs = [Run(each) for each in places if (each / "run.json").exists()]
        same = [run for run in runs if run.fingerprint == fingerprint]
        if not same:
            raise LensyError(
                f"{self.folder} stands on the encoder of {name} with the fingerprint "
                f"{fingerprint}, but there is no such run in {places[0]}: put the right one there."
            )
        return next((run for run in same if run.holds()), same[0])

    def _places(self, name: str) -> list[Path]:
        """Where something that it shares may lie: beside its folder, or with the package."""
        return [self.folder.parent / name, SHIPPED / self.info["experiment"]["scale"] / name]

    def summary(self) -> str:
        """One sentence for a page: what was loaded or trained, at which scale, when and where."""
        about, made = self.info["experiment"], self.info["provenance"]
        origin = "shipped with the package" if self.is_shipped else "trained here"
        facts = []
        if "training" in about:
            facts.append(f"seed {about['training']['seed']}")
        if "trained_on" in self.info:
            facts.append(f"trained on {self.info['trained_on']['name']}")
        if self.arithmetic != SINGLE:
            facts.append(f"precision {self.arithmetic}")
        facts += [f"commit {made['commit']}", made["hardware"]]
        facts += [f"{self.info['wall_seconds'] / 60:.1f} minutes", made["date"][:10]]
        return f"{self.name} at scale {about['scale']}, {origin}: {', '.join(facts)}."


def claim(folder: Path, experiment: Experiment, data: DataSet) -> None:
    """Begin a run in a folder, or go on with the same one.

    Raises LensyError where the data are not the experiment's, or the folder holds the beginning of
    another.
    """
    if data.recipe.fingerprint != experiment.recipe.fingerprint:
        raise LensyError(
            f"{data.folder} holds {data.recipe.name!r}, but {experiment.name} at scale "
            f"{experiment.scale} is defined on {experiment.recipe.name!r}."
        )
    path = folder / "experiment.json"
    content = {"kind": experiment.kind, **json.loads(experiment.model_dump_json())}
    if path.exists() and json.loads(path.read_text("utf-8")) != content:
        raise LensyError(
            f"{folder} holds an unfinished run with other settings: give another folder, or "
            "remove that one."
        )
    write_json(path, content)


def write_run(
    folder: Path,
    experiment: Experiment,
    *,
    info: Mapping[str, Any],
    scores: Columns,
    networks: Mapping[str, nn.Module] | None = None,
) -> Run:
    """Write a finished run; `run.json` comes last.

    info: what `run.json` says beside the experiment. networks: the parts whose weights it keeps,
    by file name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part, network in (networks or {}).items():
        from lensy.runs.weights import write_halved

        write_halved(folder / f"{part}.safetensors", network)
    write_columns(folder / "scores.npz", single_precision(scores))
    about = {
        "kind": experiment.kind,
        "experiment": experiment.model_dump(mode="json"),
        "fingerprint": experiment.fingerprint,
    }
    write_json(folder / "run.json", about | dict(info))
    return Run(folder)


def write_history(path: Path, rows: Sequence[Mapping[str, float | str]]) -> None:
    """Write the training history as CSV, one row per epoch."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
