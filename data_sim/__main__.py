"""`python -m data_sim NAME OUT`: make a data set, or what is missing of it, and export it."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import typer

from data_sim.contact_sheet import save_contact_sheet
from data_sim.recipes import RECIPES, recipe
from lensy.datasets.coco import IMAGE_FORMATS, ImageFormat, export_coco
from lensy.datasets.store import DataSet, make_data_set
from lensy.errors import LensyError, exit_code_two
from lensy.simulation.example import simulate
from lensy.simulation.recipe import SPLITS, Recipe, read_recipe
from lensy.simulation.targets import PERCENTILES

KILOBYTES_PER_EXAMPLE = 75
"""Measured in four bands: 76 for TALK, 56 for EUCLID, 95 for COMPOUND."""


def main(
    name: Annotated[
        str | None, typer.Argument(help="A recipe's name, or a recipe as a .json file.")
    ] = None,
    out: Annotated[Path | None, typer.Argument(help="Folder of the data set.")] = None,
    jobs: Annotated[int, typer.Option(help="Worker processes; -1: one per core.")] = -1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, tcp://HOST:PORT.")
    ] = None,
    quiet: Annotated[bool, typer.Option(help="No progress, only errors.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show the recipes.")] = False,
    verify: Annotated[bool, typer.Option(help="Compare every file with its checksum.")] = False,
    coco: Annotated[
        float | None,
        typer.Option(help="Export all splits to OUT/coco, with masks at this percentile."),
    ] = None,
    images: Annotated[str, typer.Option(help="Of the export: png, fits or none.")] = "png",
    band_name: Annotated[str, typer.Option("--band", help="Of the exported images.")] = "VIS",
) -> None:
    """Simulate the data set NAME in the folder OUT; started again, it makes what is missing."""
    with exit_code_two():
        if show_list:
            for each in RECIPES.values():
                sizes = ", ".join(f"{each.size(split)} {split}" for split in SPLITS)
                typer.echo(f"{each.name}: {sizes}")
            return
        if name is None or out is None:
            raise LensyError("Give a recipe and a folder: `python -m data_sim talk-smoke OUT`.")
        if jobs == 0:
            raise LensyError("--jobs 0 leaves nobody to work: give 1 or more, or -1 for all cores.")
        chosen = _recipe(name)
        _check_export(chosen, coco, images, band_name)
        if not quiet and not (out / "checksums.json").exists():
            typer.echo(estimate(chosen, jobs))
        with _backend(scheduler):
            data = make_data_set(chosen, out, n_jobs=jobs, progress=not quiet)
        if verify:
            data.verify()
        save_contact_sheet(data, out / "contact_sheet.png")
        if not quiet:
            typer.echo(_report(data))
        if coco is not None:
            _export(data, coco, images, band_name, quiet=quiet)


def _recipe(name: str) -> Recipe:
    if not name.endswith(".json"):
        return recipe(name)
    if not Path(name).is_file():
        raise LensyError(f"There is no recipe file {name}.")
    return read_recipe(Path(name).read_text("utf-8"), where=name)


def _check_export(chosen: Recipe, percentile: float | None, images: str, band_name: str) -> None:
    """Refuse a wrong choice before hours of simulation, not after."""
    if percentile is None:
        if (images, band_name) != ("png", "VIS"):
            raise LensyError("--images and --band belong to an export: give --coco 99.5 too.")
        return
    if percentile not in PERCENTILES:
        allowed = ", ".join(f"{each:g}" for each in PERCENTILES)
        raise LensyError(f"--coco is one of the percentiles {allowed}, not {percentile:g}.")
    if images not in (*IMAGE_FORMATS, "none"):
        raise LensyError(f"--images is {', '.join(IMAGE_FORMATS)} or none, not {images!r}.")
    if band_name not in chosen.bands:
        raise LensyError(f"--band is one of {', '.join(chosen.bands)}, not {band_name!r}.")


def _export(data: DataSet, percentile: float, images: str, band_name: str, *, quiet: bool) -> None:
    """Every split of a data set as COCO, into the folder `coco` beside its shards."""
    suffix = cast(ImageFormat, images) if images != "none" else None
    for split in SPLITS:
        if not data.recipe.size(split):
            continue
        path = export_coco(
            data,
            split,
            data.folder / "coco",
            percentile=percentile,
            images=suffix,
            band_name=band_name,
            progress=not quiet,
        )
        if not quiet:
            typer.echo(f"{path}: {data.recipe.size(split)} images of {split}.")


def _backend(scheduler: str | None) -> AbstractContextManager[object]:
    """A joblib backend: Dask where an address is given, its own processes otherwise."""
    if scheduler is None:
        return nullcontext()
    try:
        from dask.distributed import Client
    except ImportError:
        raise LensyError("--scheduler needs Dask: pip install 'lensy[cluster]'.") from None
    import joblib

    try:
        Client(scheduler, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise LensyError(f"No Dask scheduler answers at {scheduler} ({error}).") from None
    backend: AbstractContextManager[object] = joblib.parallel_config("dask")
    return backend


def estimate(chosen: Recipe, jobs: int) -> str:
    """A sentence that says how long the data set will take and how much room, from a trial."""
    n_examples = sum(chosen.size(split) for split in SPLITS)
    simulate(chosen, "train", 0)  # warms the caches up
    started = time.perf_counter()
    n_trials = 3
    for index in range(n_trials):
        simulate(chosen, "train", index)
    cores = jobs if jobs > 0 else max((os.cpu_count() or 1) + 1 + jobs, 1)
    minutes = (time.perf_counter() - started) / n_trials * n_examples / cores / 60
    megabytes = n_examples * KILOBYTES_PER_EXAMPLE / 1000
    return (
        f"{chosen.name}: {n_examples} examples, about {minutes:.1f} minutes on {cores} cores "
        f"and {megabytes:.0f} MB."
    )


def _report(data: DataSet) -> str:
    catalogue = data.catalogue()
    lenses = catalogue[catalogue["is_lens"]]
    share = 100 * len(lenses) / len(catalogue)
    medians = [
        f"{np.median(lenses[f'arc_signal_to_noise_{name}']):.0f} in {name}"
        for name in ("VIS", "H")
        if len(lenses) and name in data.recipe.bands
    ]
    signal = f", lensed light at a median signal-to-noise of {' and '.join(medians)}"
    return (
        f"{data.folder}: {len(catalogue)} examples, {share:.1f} % lenses"
        f"{signal if medians else ''}. Look at {data.folder / 'contact_sheet.png'}."
    )


if __name__ == "__main__":
    typer.run(main)
