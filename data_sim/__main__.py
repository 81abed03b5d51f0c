"""`python -m data_sim NAME OUT`: make a data set, or what is missing of it."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from data_sim.contact_sheet import save_contact_sheet
from data_sim.recipes import RECIPES, recipe
from lensy.errors import LensyError, exit_code_two
from lensy.simulate import SPLITS, Recipe, read_recipe, simulate
from lensy.store import DataSet, make_data_set

KILOBYTES_PER_EXAMPLE = 60
"""Measured on talk-smoke: 24 MB for 420 examples in one band."""


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
        if not quiet and not (out / "checksums.json").exists():
            typer.echo(estimate(chosen, jobs))
        with _backend(scheduler):
            data = make_data_set(chosen, out, n_jobs=jobs, progress=not quiet)
        if verify:
            data.verify()
        save_contact_sheet(data, out / "contact_sheet.png")
        if not quiet:
            typer.echo(_report(data))


def _recipe(name: str) -> Recipe:
    if not name.endswith(".json"):
        return recipe(name)
    if not Path(name).is_file():
        raise LensyError(f"There is no recipe file {name}.")
    return read_recipe(Path(name).read_text("utf-8"), where=name)


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
    signal = catalogue["arc_signal_to_noise_VIS"][catalogue["is_lens"]]
    share = 100 * catalogue["is_lens"].mean()
    return (
        f"{data.folder}: {len(catalogue)} examples, {share:.1f} % lenses, lensed light at a median "
        f"signal-to-noise of {sorted(signal)[len(signal) // 2] if len(signal) else 0:.0f}. "
        f"Look at {data.folder / 'contact_sheet.png'}."
    )


if __name__ == "__main__":
    typer.run(main)
