"""An unfinished or finished run as a few files of limited size, for a machine that is lent.

A folder of this kind holds `result.json`, which says how far the work has come, and `run.tar.0`,
`run.tar.1`, ..., which one after the other are a tar archive of the run's folder.

With the optimiser's memory a checkpoint is three times as large as its network. What does not fit
is handed over in the first of these forms that does:

    exact       the last epoch and the best one: whoever goes on gets the weights of a training
                that was never stopped
    halved      both in half precision, the optimiser without memory, which it gains anew in a few
                hundred steps
    last alone  likewise, and the last epoch counts as the best so far
    none        no checkpoint; the work so far stays in the run's own folder

Naberrie with 16 channels (a checkpoint of 22 MB) and the predecessor's networks (4 MB) are handed
over exactly. Naberrie with 64 channels, as at scale talk, has 29 million parameters: 347 MB for the
last epoch, 116 MB in all when halved. A whole Mask R-CNN has 44 million, 88 MB as the last alone.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from lensy.errors import LensyError
from lensy.provenance import whole_file, write_json

LARGEST = 16_000_000
"""Bytes of a file that is handed over."""

MOST = 8
"""Files in a folder that is handed over, `result.json` among them."""

LAST, BEST = "checkpoints/last.ckpt", "checkpoints/best.ckpt"

UNFINISHED = ("experiment.json", LAST, BEST)
FINISHED = ("*.json", "*.csv", "*.npz", "*.safetensors")

Checkpoint = dict[str, Any]


def hand_over(
    run: Path, folder: Path, about: Mapping[str, Any], *, limit: int = LARGEST * (MOST - 1)
) -> dict[str, Any]:
    """Write a run's folder into another as files of limited size; what `result.json` says.

    about: what it should say of the work. limit: bytes of the archive.
    """
    form, content = archive(run, limit)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("run.tar.*"):
        path.unlink()
    parts = [content[k : k + LARGEST] for k in range(0, len(content), LARGEST)]
    for k, part in enumerate(parts):
        with whole_file(folder / f"run.tar.{k}") as temporary:
            temporary.write_bytes(part)
    said = {**about, "epochs": epochs(run), "form": form, "parts": len(parts)}
    write_json(folder / "result.json", said)
    return said


def archive(run: Path, limit: int) -> tuple[str, bytes]:
    """The first form of a run's folder that has at most `limit` bytes, and its tar archive."""
    if (run / "run.json").exists():
        paths = sorted(path for pattern in FINISHED for path in run.glob(pattern))
        return "finished", packed({path.name: path.read_bytes() for path in paths})
    if not (run / LAST).exists():
        return "none", b""
    for form, checkpoints in forms(run):
        files = {"experiment.json": (run / "experiment.json").read_bytes()}
        content = packed(files | {name: saved(each) for name, each in checkpoints.items()})
        if len(content) <= limit:
            return form, content
    return "none", b""


def forms(run: Path) -> Iterator[tuple[str, dict[str, Checkpoint]]]:
    """Checkpoints of a run in each form, by name, the most faithful first."""
    last, best = loaded(run / LAST), loaded(run / BEST)
    both = {LAST: last} if last["epoch"] == best["epoch"] else {LAST: last, BEST: best}
    yield "exact", both
    yield "halved", {name: halved(each) for name, each in both.items()}
    yield "last alone", {LAST: alone(halved(last))}


def loaded(path: Path) -> Checkpoint:
    """A checkpoint; no code of its author is run."""
    found: Checkpoint = torch.load(path, weights_only=True, map_location="cpu")
    return found


def saved(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the bytes of its file."""
    content = io.BytesIO()
    torch.save(checkpoint, content)
    return content.getvalue()


def halved(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint in half precision whose optimiser remembers nothing."""
    weights = {
        name: each.half() if each.is_floating_point() else each
        for name, each in checkpoint["state_dict"].items()
    }
    optimisers = [{**each, "state": {}} for each in checkpoint["optimizer_states"]]
    return {**checkpoint, "state_dict": weights, "optimizer_states": optimisers}


def alone(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint whose epoch counts as the best so far."""
    callbacks = dict(checkpoint["callbacks"])
    for key, state in callbacks.items():
        if state.get("monitor"):
            score = state["current_score"]
            models = dict.fromkeys(state["best_k_models"], score)
            new = {"best_model_score": score, "kth_value": score, "best_k_models": models}
            callbacks[key] = {**state, **new}
    return {**checkpoint, "callbacks": callbacks}


def packed(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of files by name."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, each in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(each)
            tar.addfile(entry, io.BytesIO(each))
    return content.getvalue()


def take_back(folder: Path, run: Path, *, fingerprint: str) -> dict[str, Any]:
    """Bring what was handed over into a run's folder, unless that has come as far by itself.

    What `result.json` says. Raises LensyError where there is none, or another experiment's.
    """
    path = folder / "result.json"
    if not path.exists():
        raise LensyError(f"{folder} holds no result: give a folder that `lensy reproduce` wrote.")
    about: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if about["fingerprint"] != fingerprint:
        raise LensyError(
            f"{folder} holds {about['name']} at scale {about['scale']} ({about['fingerprint']}), "
            f"not what is asked for ({fingerprint}): give another folder, or begin without one."
        )
    finished = (run / "run.json").exists()
    if about["parts"] and not finished and (about["finished"] or about["epochs"] > epochs(run)):
        unpack(b"".join(_part(folder, k) for k in range(about["parts"])), run)
    return about


def _part(folder: Path, k: int) -> bytes:
    path = folder / f"run.tar.{k}"
    if not path.exists():
        raise LensyError(f"{path} is missing: copy all files of {folder} again.")
    return path.read_bytes()


def unpack(content: bytes, run: Path) -> None:
    """Write an archive's files into a run's folder, checkpoints at home there; run.json is last."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
        contents = {name: file.read() for name, file in files.items() if file is not None}
    if LAST in contents:
        contents.setdefault(BEST, contents[LAST])
    for name in sorted(contents, key=lambda each: (each == "run.json", each)):
        plain = "/" not in name and any(Path(name).match(each) for each in FINISHED)
        if not plain and name not in UNFINISHED:
            raise LensyError(f"A run's archive holds no {name}: take one of `lensy reproduce`.")
        with whole_file(run / name) as path:
            path.write_bytes(contents[name])
    for name in (LAST, BEST):
        if name in contents:
            checkpoint = at_home(loaded(run / name), (run / name).parent.resolve())
            with whole_file(run / name) as path:
                path.write_bytes(saved(checkpoint))


def at_home(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """A checkpoint that names the folder it is in now, and not the one it was written in."""

    def here(path: str) -> str:
        return str(folder / Path(path).name) if path else path

    callbacks = dict(checkpoint["callbacks"])
    for key, state in callbacks.items():
        if "dirpath" in state:
            paths = {name: here(each) for name, each in state.items() if name.endswith("_path")}
            models = {here(path): score for path, score in state["best_k_models"].items()}
            new = {"dirpath": str(folder), "best_k_models": models}
            callbacks[key] = {**state, **paths, **new}
    return {**checkpoint, "callbacks": callbacks}


def epochs(run: Path) -> int:
    """Epochs that are finished in a run's folder."""
    return int(loaded(run / LAST)["epoch"]) + 1 if (run / LAST).exists() else 0
