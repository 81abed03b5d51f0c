"""Runs on disk: a trained network, its history, its scores on the test set, where it came from.

A run is a folder with

    run.json            experiment, recipe, fingerprint, score, results, provenance
    history.csv         one row per epoch
    scores.npz          one row per test example: score, label and what the example is
    model.safetensors   weights of Naberrie in half precision
    head.safetensors    weights of the classifier's dense layers, likewise

A run with new dense layers on another run's encoder can go without weights of its own for that:
they are then those of the run that `encoder_of` names, in the folder beside it.

`run.json` is written last: a folder without it holds no run. Finished runs that come with the
package are in `lensy/shipped/<scale>/<experiment>/`, local ones in `runs/<scale>/<experiment>/`.
"""

from __future__ import annotations

from lensy.values import Columns, Floats

from typing import Any
from lensy.models.classifier import Classifier
from lensy.datasets.store import DataSet
from lensy.models.classifier import FrozenEncoder
from lensy.models.classifier import Head
from lensy.errors import LensyError
from collections.abc import Mapping
from numpy.typing import NDArray
from lensy.models.unet import Naberrie
from pathlib import Path
from lensy.runs.experiment import Planned
from collections.abc import Sequence
from functools import cached_property
import csv
from importlib.resources import files
import json
import numpy as np
from lensy.runs.weights import single_precision_weights
import torch
from lensy.provenance import whole_file
from lensy.runs.weights import write_halved
from lensy.provenance import write_json


SHIPPED = Path(str(files("lensy").joinpath("shipped")))

SINGLE = "32-true"
"""Lightning's name for single precision."""


class Run:
    """A finished run, read from its folder."""

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
    def is_shipped(self) -> bool:
        """Whether this run came with the package."""
        return self.folder.is_relative_to(SHIPPED)

    @property
    def arithmetic(self) -> str:
        """Lightning's name of the precision of its training; Naberrie is scored in the same."""
        return str(self.info.get("arithmetic", SINGLE))

    @property
    def finds_masks(self) -> bool:
        """Whether its network is a Mask R-CNN and not Naberrie."""
        return "variant" in self.info["experiment"]

    def history(self) -> dict[str, Floats]:
        """Columns of the training history, each (n_epochs,)."""
        rows = self.history_rows()
        return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}

    def history_rows(self) -> list[dict[str, str]]:
        """The training history as it is written, one row per epoch."""
        with (self.folder / "history.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def scores(self) -> dict[str, NDArray[Any]]:
        """Columns of the test set: `score`, `label` and what each example is, each (n,)."""
        with np.load(self.folder / "scores.npz", allow_pickle=False) as file:
            return dict(file)

    def model(self) -> Naberrie:
        """The trained network, in evaluation mode, single precision."""
        settings = self.info["experiment"]["training"]
        weights = single_precision_weights(self._painter() / "model.safetensors")
        sigma = weights["sigma"].flatten().tolist()
        model = Naberrie(
            settings["width"],
            sigma,
            settings["upsampling"],
            marks_artefacts=self.info["experiment"].get("marks_artefacts", False),
        )
        model.load_state_dict(weights)
        fast: Naberrie = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return fast.eval()

    def _painter(self) -> Path:
        """Folder with the U-Net: this one, or that of the run whose encoder it stands on."""
        owner = self.info.get("encoder_of")
        if owner is None or (self.folder / "model.safetensors").exists():
            return self.folder
        beside = Run(self.folder.parent / owner["name"])
        if beside.info["fingerprint"] != owner["fingerprint"]:
            raise LensyError(
                f"{self.folder} stands on the encoder of {owner['name']} with the fingerprint "
                f"{owner['fingerprint']}, but {beside.folder} is another run: put the right one "
                "there, or its model.safetensors into this folder."
            )
        return beside.folder

    def classifier(self) -> Classifier:
        """The trained classifier on the encoder of `model`, in evaluation mode."""
        encoder = FrozenEncoder(self.model())
        head = Head(encoder.n_features)
        head.load_state_dict(single_precision_weights(self.folder / "head.safetensors"))
        return Classifier(encoder, head).eval()

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
        return f"{about['name']} at scale {about['scale']}, {origin}: {', '.join(facts)}."



def claim(folder: Path, experiment: Planned, data: DataSet) -> None:
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
    content = json.loads(experiment.model_dump_json())
    if path.exists() and json.loads(path.read_text("utf-8")) != content:
        raise LensyError(
            f"{folder} holds an unfinished run with other settings: give another folder, or "
            "remove that one."
        )
    write_json(path, content)



def write_run(
    folder: Path,
    *,
    info: dict[str, Any],
    scores: Columns,
    networks: Mapping[str, torch.nn.Module] | None = None,
) -> Run:
    """Write a finished run, its networks by file name if it keeps any; `run.json` comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in (networks or {}).items():
        write_halved(folder / f"{name}.safetensors", network)
    with whole_file(folder / "scores.npz") as path, path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **single_precision(scores))
    write_json(folder / "run.json", info)
    return Run(folder)



def single_precision(columns: Columns) -> Columns:
    """Columns in double precision made single: what a run keeps."""
    return {
        name: values.astype(np.float32) if values.dtype == np.float64 else values
        for name, values in columns.items()
    }


def write_history(path: Path, rows: Sequence[Mapping[str, float | str]]) -> None:
    """Write the training history as CSV, one row per epoch."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
