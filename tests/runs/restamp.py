"""Stamp finished runs anew: `python tests/runs/restamp.py FOLDER...`, once, when the house moved.

Fingerprints were hashes of strings glued together, class names and reprs among them. They are now
those of canonical JSON. A run's kind was guessed from the keys of its JSON; it is now written down.
Some fields got the names that the field uses. Nothing else may change: the script compares what it
writes with what was there, key by key, and stops where anything but these differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lensy.exams.exam import EXAMS, load_exams
from lensy.provenance import write_json
from lensy.runs.experiment import Experiment
from lensy.training.kinds import KINDS, load_kinds
from lensy.training.predecessor import PublishedExperiment

NEW_NAMES = {"look": "exposure", "n_looks": "n_draws"}
"""Of fields."""

NEW_ENDINGS = {"-looks": "-attribution"}
"""Of names of runs, and so of their folders."""

EXAM_KINDS = {
    "-on-artefacts": "exam-artefacts",
    "-on-survey": "exam-survey",
    "-on-rings": "exam-rings",
    "-points": "exam-pointing-game",
    "-looks": "exam-attribution",
}


def kind_of(about: dict[str, Any]) -> str:
    """The kind of an experiment of the old days, from its keys and its name."""
    if "variant" in about:
        return "mask-rcnn"
    if "published" in about:
        return "ou-published"
    if "training" in about:
        return "ou" if "network" in about else "unet"
    if "-describes-" in about["name"]:
        return "exam-description"
    return next(kind for end, kind in EXAM_KINDS.items() if about["name"].endswith(end))


def renamed(value: Any) -> Any:
    """JSON with the fields' new names."""
    if isinstance(value, dict):
        return {NEW_NAMES.get(key, key): renamed(each) for key, each in value.items()}
    return [renamed(each) for each in value] if isinstance(value, list) else value


def new_name(name: str) -> str:
    for old, new in NEW_ENDINGS.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def experiment_of(kind: str, about: dict[str, Any]) -> Experiment:
    """The experiment as it is understood now."""
    classes: dict[str, type[Experiment]] = {**KINDS, **EXAMS, "ou-published": PublishedExperiment}
    return classes[kind].model_validate(about)


def restamp(info: dict[str, Any], stamps: dict[str, str]) -> dict[str, Any]:
    """A run's JSON stamped anew. stamps: new fingerprints by the old ones, added to."""
    kind = info.get("kind") or kind_of(info["experiment"])
    about = renamed(info["experiment"])
    about["name"] = new_name(about["name"])
    if kind.startswith("exam-"):
        about["network"] = stamps.get(about["network"], about["network"])
    fingerprint = experiment_of(kind, about).fingerprint
    stamps[info["fingerprint"]] = fingerprint
    new = info | {"kind": kind, "experiment": about, "fingerprint": fingerprint}
    if "trained_on" in info:
        new["trained_on"] = renamed(info["trained_on"])
    if "encoder_of" in info:
        owner = info["encoder_of"]
        stamp = stamps.get(owner["fingerprint"], owner["fingerprint"])
        new["encoder_of"] = owner | {"fingerprint": stamp}
    return new


def main(folders: list[str]) -> None:
    """Stamp every run below the folders, networks before the exams on them."""
    load_kinds()
    load_exams()
    paths = [path for folder in folders for path in sorted(Path(folder).rglob("run.json"))]
    runs = {path: json.loads(path.read_text("utf-8")) for path in paths}
    stamps: dict[str, str] = {}
    order = {"unet": 0, "mask-rcnn": 1, "ou": 1, "ou-published": 1}

    def turn(path: Path) -> tuple[int, bool]:
        info = runs[path]
        return order.get(info.get("kind") or kind_of(info["experiment"]), 2), "encoder_of" in info

    for path in sorted(paths, key=turn):
        new = restamp(runs[path], stamps)
        allowed = {"kind", "fingerprint", "experiment", "trained_on", "encoder_of"}
        assert {key: each for key, each in new.items() if key not in allowed} == {
            key: each for key, each in runs[path].items() if key not in allowed
        }
        write_json(path, new)
        name = new["experiment"]["name"]
        if path.parent.name != name:
            path.parent.rename(path.parent.with_name(name))
        print(f"{name}: {new['kind']}, {runs[path]['fingerprint']} -> {new['fingerprint']}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
