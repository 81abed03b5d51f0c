"""Data sets on disk: HDF5 shards, a catalogue, the recipe and checksums.

A data set is a folder with

    recipe.json       the recipe: with the same library versions it gives the same bytes
    begun.json        those library versions: shards of two versions never mix
    <split>-0000.h5   shards: layers per band, masks as pixel indices, scenes, catalogue rows
    catalogue.ecsv    all rows as an astropy table with units
    checksums.json    SHA-256 of every file above
    provenance.json   versions, commit, hardware and wall time of the job that finished it

A shard is written beside its place and renamed, so it is whole or absent; making a data set again
in the same folder makes what is missing. One process makes a data set at a time: it holds a lock
(filelock, because the operating system lets go of it when the process dies). HDF5 because arrays
of a known shape are read from it piece by piece, and no file of it can run code.
"""

from __future__ import annotations

import errno
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.table import Table, vstack
from filelock import FileLock, Timeout
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from lensy.errors import LensyError
from lensy.provenance import provenance, sha256, versions, whole_file, write_json
from lensy.simulation import targets
from lensy.simulation.catalogue import column_unit
from lensy.simulation.example import Example, simulate
from lensy.simulation.recipe import SPLITS, VERSION, Recipe, Split, read_recipe
from lensy.simulation.render import LENSED_LIGHT
from lensy.sky.scene import Scene
from lensy.telescope import bands
from lensy.telescope.bands import Band
from lensy.telescope.instrument import Exposure, Instrument, expose_from_seed
from lensy.values import Image

SHARD_SIZE = 100
"""Examples in a shard: two seconds of work, the most that a killed job loses."""

NUMERICAL = ("numpy", "scipy", "lenstronomy", "h5py")
"""Packages whose versions may change the bytes."""


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
    folder = Path(folder)
    with _only_here(folder), _said_plainly(folder):
        _claim(folder, recipe)
        missing = [shard for shard in _shards(recipe) if not _path(folder, *shard).exists()]
        jobs = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            # workers may have been started in another folder than this one
            delayed(_make_shard)(recipe, folder.absolute(), *shard)
            for shard in missing
        )
        n_examples = sum(len(_indices(recipe, *shard)) for shard in missing)
        with tqdm(total=n_examples, desc=recipe.name, unit="img", disable=not progress) as bar:
            for n_made in jobs:
                bar.update(n_made)
        if missing or not (folder / "checksums.json").exists():
            _finish(recipe, folder, n_made=n_examples, seconds=time.monotonic() - started)
    return DataSet(folder)


@contextmanager
def _only_here(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that no other process makes the same data set meanwhile."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise LensyError(
            f"Another process is making {folder}: wait for it, then start again; only what is "
            "missing is made."
        ) from None
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise LensyError(f"{folder} cannot be a folder of data ({error}): give another.") from None


@contextmanager
def _said_plainly(folder: Path) -> Iterator[None]:
    """One sentence for a disk that is full, from whichever layer or process it comes."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise LensyError(
            f"No room is left for {folder}: make some, then start again; what is finished stays, "
            "and only what is missing is made."
        ) from None


def _claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe first; refuse a folder that belongs to another recipe or other versions.

    What a killed job left half-written is removed.
    """
    for left in folder.glob(".*.partial"):
        left.unlink()
    path, begun = folder / "recipe.json", folder / "begun.json"
    if not path.exists():
        write_json(begun, versions(NUMERICAL))
        write_json(path, json.loads(recipe.model_dump_json()))
        return
    there = read_recipe(path.read_text("utf-8"), where=str(path))
    _refuse_other_version(folder, there)
    if there != recipe:
        raise LensyError(
            f"{folder} already holds the data set {there.name!r} ({there.fingerprint}), not "
            f"{recipe.name!r} ({recipe.fingerprint}): give another folder or remove that one."
        )
    then, now = json.loads(begun.read_text("utf-8")), versions(NUMERICAL)
    if then != now and any(not _path(folder, *shard).exists() for shard in _shards(recipe)):
        was = ", ".join(f"{name} {then[name]}" for name in then if then[name] != now.get(name))
        raise LensyError(
            f"{folder} was begun with {was}, which is not installed here; its shards would not "
            "match: finish it with those versions, or give another folder."
        )


def _refuse_other_version(folder: Path, recipe: Recipe) -> None:
    if recipe.version != VERSION:
        raise LensyError(
            f"{folder} was made by version {recipe.version} of the simulation, this is version "
            f"{VERSION}: make the data set anew in another folder, or install a lensy of then."
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
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
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
        _write_masks(file, examples)
        _write_scenes(file, examples)
        catalogue = Table(rows=[example.row for example in examples])
        for column in ("split", "kind"):
            catalogue[column] = catalogue[column].astype("S16")
        file.create_dataset("catalogue", data=catalogue.as_array())
    # written in one go: where a disk is full, HDF5 itself may crash
    with whole_file(_path(folder, split, number)) as path:
        path.write_bytes(content.getbuffer())
    return len(examples)


def _write_masks(file: h5py.File, examples: list[Example]) -> None:
    """All rings of all objects of all examples in a row, with the lengths that cut it up."""
    objects = [rings for example in examples for rings in example.masks]
    pixels = np.concatenate([ring for rings in objects for ring in rings])
    file.create_dataset("masks/pixels", data=pixels, compression="gzip", shuffle=True)
    file["masks/ring_lengths"] = np.array([[len(r) for r in rings] for rings in objects])
    file["masks/n_objects"] = np.array([len(e.masks) for e in examples])


def _write_scenes(file: h5py.File, examples: list[Example]) -> None:
    """Every scene as JSON, one after the other, with the lengths that cut the text up."""
    texts = [example.scene.model_dump_json(exclude_defaults=True).encode() for example in examples]
    letters = np.frombuffer(b"".join(texts), np.uint8)
    file.create_dataset("scenes/text", data=letters, compression="gzip")
    file["scenes/lengths"] = np.array([len(text) for text in texts])


def _finish(recipe: Recipe, folder: Path, *, n_made: int, seconds: float) -> None:
    shards = [_path(folder, *shard) for shard in _shards(recipe)]
    tables = []
    for path in shards:
        with _open(path) as file:
            table = Table(file["catalogue"][()])
        for column in ("split", "kind"):
            table[column] = table[column].astype(str)
        tables.append(table)
    catalogue = vstack(tables)
    for column in catalogue.colnames:
        if unit := column_unit(column):
            catalogue[column].unit = unit
    with whole_file(folder / "catalogue.ecsv") as path:
        catalogue.write(path, format="ascii.ecsv")
    last_job = {"examples_made": n_made, "wall_seconds": round(seconds, 1)}
    write_json(folder / "provenance.json", provenance() | last_job)
    files = [folder / name for name in ("recipe.json", "begun.json", "catalogue.ecsv")] + shards
    write_json(folder / "checksums.json", {path.name: sha256(path) for path in files})


def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> LensyError:
    return LensyError(
        f"{path} cannot be read ({error}). Remove it and make the data set again in the same "
        "folder: only what is missing is made."
    )


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
        _refuse_other_version(self.folder, self.recipe)
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

    def layers(self, split: Split, index: int, band: Band | str) -> Image:
        """Lens light, lensed light and companions of one example, (3, y, x) in nJy.

        band: one of the recipe's, or its name. Raises LensyError for another one.
        """
        name = band.name if isinstance(band, Band) else band
        if name not in self.recipe.bands:
            raise LensyError(
                f"{self.folder} has no band {name!r}, only {', '.join(self.recipe.bands)}."
            )
        file, row = self._locate(split, index)
        try:
            stack: Image = file[f"{name}/layers"][row]
        except OSError as error:
            raise _damaged(Path(file.filename), error) from None
        return stack

    def lensed_light(self, split: Split, index: int, band: Band | str) -> Image:
        """The lensed light of one example without noise, (y, x) in nJy."""
        return np.asarray(self.layers(split, index, band)[LENSED_LIGHT])

    def scene(self, split: Split, index: int) -> Scene:
        """Everything that was drawn for one example."""
        file, row = self._locate(split, index)
        lengths = file["scenes/lengths"][()]
        first = int(lengths[:row].sum())
        text = file["scenes/text"][first : first + int(lengths[row])].tobytes()
        return Scene.model_validate_json(text)

    def labels(self, split: Split) -> NDArray[np.bool_]:
        """Whether each example of a split is a lens."""
        return np.asarray(self.catalogue(split)["is_lens"], bool)

    def observed(self, split: Split, index: int, band: Band | str) -> Image:
        """The image with its frozen noise and artefacts, (y, x) in nJy."""
        return self.exposure(split, index, band).image

    def exposure(
        self, split: Split, index: int, band: Band | str, instrument: Instrument | None = None
    ) -> Exposure:
        """As `observed`, with the masks of artefacts beside the image.

        instrument: another one than the recipe's. Whatever it does, the noise is the same where it
        leaves the picture alone.
        """
        file, row = self._locate(split, index)
        image = self.layers(split, index, band).sum(axis=0, dtype=np.float32)
        noise_seed = int(file["catalogue"]["noise_seed"][row])
        return expose_from_seed(image, band, noise_seed, instrument or self.recipe.instrument)

    def masks(self, split: Split, index: int, percentile: float) -> NDArray[np.bool_]:
        """Percentile masks of all objects in VIS, (object, y, x): lens galaxy, arc, companions.

        percentile: one of `targets.PERCENTILES`.
        """
        file, row = self._locate(split, index)
        counts, lengths = file["masks/n_objects"][()], file["masks/ring_lengths"][()]
        first = int(counts[:row].sum())
        start = int(lengths[:first].sum())
        objects = lengths[first : first + int(counts[row])]
        pixels = file["masks/pixels"][start : start + int(objects.sum())]
        rings = np.split(pixels, np.cumsum(objects.ravel())[:-1])
        n_rings = objects.shape[1]
        cut = [rings[k : k + n_rings] for k in range(0, len(rings), n_rings)]
        return targets.masks_from_rings(cut, percentile, bands.band("VIS").shape)

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
