"""Data sets on disk: HDF5 shards, a catalogue, the recipe and checksums.

A data set is a folder with

    recipe.json       the recipe: with the same library versions it gives the same bytes
    <split>-0000.h5   shards: layers per band, masks as pixel indices, rows of the catalogue
    catalogue.ecsv    all rows as an astropy table with units
    checksums.json    SHA-256 of every file above
    provenance.json   versions, commit, hardware and wall time of the job that finished it

A shard is written beside its place and renamed, so it is whole or absent; making a data set again
in the same folder makes what is missing. HDF5 because arrays of a known shape are read from it
piece by piece, and no file of it can run code.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.table import Table, vstack
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from lensy import targets
from lensy.errors import LensyError
from lensy.provenance import provenance, sha256, whole_file, write_json
from lensy.simulate import (
    COLUMN_UNITS,
    SPLITS,
    Example,
    Recipe,
    Split,
    observe_frozen,
    read_recipe,
    simulate,
)

SHARD_SIZE = 100
"""Examples in a shard: five seconds of work, the most that a killed job loses."""

Image = NDArray[np.float32]


def make_data_set(
    recipe: Recipe,
    folder: Path,
    *,
    n_jobs: int = -1,
    progress: bool = True,
) -> DataSet:
    """Make the data set of `recipe` in `folder`, or what is still missing of it.

    n_jobs: worker processes, as joblib counts them (-1: all cores). Where a joblib backend is
    active (a Dask cluster, say), its workers are used.
    Raises LensyError where `folder` holds a data set of another recipe, or nothing is asked for.
    """
    if not any(recipe.size(split) for split in SPLITS):
        raise LensyError(f"Recipe {recipe.name!r} has no examples: set n_train or n_test.")
    started = time.monotonic()
    _claim(folder, recipe)
    missing = [shard for shard in _shards(recipe) if not _path(folder, *shard).exists()]
    jobs = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_make_shard)(recipe, folder, split, number) for split, number in missing
    )
    n_examples = sum(len(_indices(recipe, *shard)) for shard in missing)
    with tqdm(total=n_examples, desc=recipe.name, unit="img", disable=not progress) as bar:
        for n_made in jobs:
            bar.update(n_made)
    if missing or not (folder / "checksums.json").exists():
        _finish(recipe, folder, n_made=n_examples, seconds=time.monotonic() - started)
    return DataSet(folder)


def _claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe first; refuse a folder that belongs to another recipe.

    What a killed job left half-written is removed.
    """
    for left in folder.glob(".*.partial"):
        left.unlink()
    path = folder / "recipe.json"
    if not path.exists():
        write_json(path, json.loads(recipe.model_dump_json()))
        return
    there = read_recipe(path.read_text("utf-8"), where=str(path))
    if there != recipe:
        raise LensyError(
            f"{folder} already holds the data set {there.name!r} ({there.fingerprint}), not "
            f"{recipe.name!r} ({recipe.fingerprint}): give another folder or remove that one."
        )


def _shards(recipe: Recipe) -> list[tuple[Split, int]]:
    return [
        (split, number)
        for split in SPLITS
        for number in range(-(-recipe.size(split) // SHARD_SIZE))
    ]


def _path(folder: Path, split: Split, number: int) -> Path:
    return folder / f"{split}-{number:04d}.h5"


def _indices(recipe: Recipe, split: Split, number: int) -> range:
    return range(number * SHARD_SIZE, min((number + 1) * SHARD_SIZE, recipe.size(split)))


def _make_shard(recipe: Recipe, folder: Path, split: Split, number: int) -> int:
    """Simulate and write one shard; the number of its examples."""
    examples = [simulate(recipe, split, i) for i in _indices(recipe, split, number)]
    with whole_file(_path(folder, split, number)) as path, h5py.File(path, "w") as file:
        for name in recipe.bands:
            layers = np.stack([example.layers[name].stack for example in examples])
            file.create_dataset(
                f"{name}/layers",
                data=layers,
                chunks=(1, *layers.shape[1:]),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
                fletcher32=True,
            )
            _write_masks(file, name, examples)
        catalogue = Table(rows=[example.row for example in examples])
        catalogue["split"] = catalogue["split"].astype("S10")
        file.create_dataset("catalogue", data=catalogue.as_array())
    return len(examples)


def _write_masks(file: h5py.File, band_name: str, examples: list[Example]) -> None:
    """All rings of all objects of all examples in a row, with the lengths that cut it up."""
    objects = [rings for example in examples for rings in example.masks[band_name]]
    pixels = np.concatenate([ring for rings in objects for ring in rings])
    file.create_dataset(f"{band_name}/mask_pixels", data=pixels, compression="gzip", shuffle=True)
    file[f"{band_name}/ring_lengths"] = np.array([[len(r) for r in rings] for rings in objects])
    file[f"{band_name}/n_objects"] = np.array([len(e.masks[band_name]) for e in examples])


def _finish(recipe: Recipe, folder: Path, *, n_made: int, seconds: float) -> None:
    shards = [_path(folder, *shard) for shard in _shards(recipe)]
    tables = []
    for path in shards:
        with _open(path) as file:
            table = Table(file["catalogue"][()])
        table["split"] = table["split"].astype(str)
        tables.append(table)
    catalogue = vstack(tables)
    for column, unit in COLUMN_UNITS.items():
        if column in catalogue.colnames:
            catalogue[column].unit = unit
    with whole_file(folder / "catalogue.ecsv") as path:
        catalogue.write(path, format="ascii.ecsv")
    last_job = {"examples_made": n_made, "wall_seconds": round(seconds, 1)}
    write_json(folder / "provenance.json", provenance() | last_job)
    files = [folder / "recipe.json", folder / "catalogue.ecsv", *shards]
    write_json(folder / "checksums.json", {path.name: sha256(path) for path in files})


def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise LensyError(
            f"{path} cannot be read ({error}). Remove it and make the data set again in the same "
            f"folder: only what is missing is made."
        ) from None


class DataSet:
    """A finished data set, read from its folder."""

    def __init__(self, folder: Path) -> None:
        """Open `folder`. Raises LensyError where it is missing, unfinished or of another layout."""
        self.folder = Path(folder)
        path = self.folder / "recipe.json"
        if not path.exists() or not (self.folder / "checksums.json").exists():
            state = "is not finished" if path.exists() else "holds no data set"
            raise LensyError(
                f"{self.folder} {state}: make it with `python -m data_sim NAME {self.folder}` "
                "(`python -m data_sim --list` shows the names)."
            )
        self.recipe = read_recipe(path.read_text("utf-8"), where=str(path))
        self._files: dict[Path, h5py.File] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Open files stay behind when a worker process gets a copy."""
        return self.__dict__ | {"_files": {}}

    def verify(self) -> None:
        """Compare every file with its checksum. Raises LensyError naming the first that differs."""
        sums = json.loads((self.folder / "checksums.json").read_text("utf-8"))
        for name, expected in sums.items():
            path = self.folder / name
            if not path.exists() or sha256(path) != expected:
                raise LensyError(
                    f"{path} is missing or damaged. Remove it and checksums.json, then run "
                    f"`python -m data_sim {self.recipe.name} {self.folder}`: only what is missing "
                    "is made again."
                )

    def catalogue(self, split: Split | None = None) -> Table:
        """The rows of one split, or of all, with units."""
        table = Table.read(self.folder / "catalogue.ecsv", format="ascii.ecsv")
        return table if split is None else table[table["split"] == split]

    def layers(self, split: Split, index: int, band_name: str) -> Image:
        """Lens light, lensed light and companions of one example, (3, y, x) in nJy."""
        file, row = self._locate(split, index)
        stack: Image = file[f"{band_name}/layers"][row]
        return stack

    def labels(self, split: Split) -> NDArray[np.bool_]:
        """Whether each example of a split is a lens."""
        return np.asarray(self.catalogue(split)["is_lens"], bool)

    def observed(self, split: Split, index: int, band_name: str) -> Image:
        """The image with its frozen noise, (y, x) in nJy."""
        file, row = self._locate(split, index)
        image = self.layers(split, index, band_name).sum(axis=0, dtype=np.float32)
        return observe_frozen(image, band_name, int(file["catalogue"]["noise_seed"][row]))

    def masks(self, split: Split, index: int, band_name: str, percentile: float) -> Image:
        """Percentile masks of all objects, (object, y, x) of bool: lens galaxy, arc, companions.

        percentile: one of `targets.PERCENTILES`.
        """
        file, row = self._locate(split, index)
        group = file[band_name]
        first = int(group["n_objects"][:row].sum())
        lengths = group["ring_lengths"][()]
        start = int(lengths[:first].sum())
        n_rings = sorted(targets.PERCENTILES, reverse=True).index(percentile) + 1
        shape = group["layers"].shape[-2:]
        masks = []
        for rings in lengths[first : first + int(group["n_objects"][row])]:
            mask = np.zeros(shape[0] * shape[1], bool)
            mask[group["mask_pixels"][start : start + int(rings[:n_rings].sum())]] = True
            masks.append(mask.reshape(shape))
            start += int(rings.sum())
        return np.stack(masks)

    def _locate(self, split: Split, index: int) -> tuple[h5py.File, int]:
        if not 0 <= index < self.recipe.size(split):
            raise LensyError(
                f"{self.folder} has {self.recipe.size(split)} examples in {split!r}; "
                f"there is no number {index}."
            )
        path = _path(self.folder, split, index // SHARD_SIZE)
        if path not in self._files:
            self._files[path] = _open(path)
        return self._files[path], index % SHARD_SIZE
