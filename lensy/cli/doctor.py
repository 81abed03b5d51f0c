"""Is this machine ready? Versions, disk, memory, threads, weights, a trial, and advice in words.

For a workshop: whoever sees only "ok" can begin.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from lensy.errors import LensyError, exit_code_two

if TYPE_CHECKING:
    from lensy.datasets.store import DataSet
    from lensy.simulation.example import Example

State = Literal["ok", "advice", "problem"]

LEAST_PYTHON = (3, 11)

DISK = {"problem": 2.0, "advice": 8.0}
"""GB free below which there is a problem, or advice: the data of scale `smoke` take 0.1, those of
`laptop` 2 each."""

MEMORY = {"problem": 3.0, "advice": 6.0}
"""GB of memory, likewise: training at scale `laptop` takes 2, Jupyter and a browser as much."""

TRIAL_SECONDS = 60.0
"""A trial that takes longer means that chapters take three times as long as they say."""


class Check(NamedTuple):
    """One thing that was looked at. says: a sentence, with what to do where that is needed."""

    name: str
    state: State
    says: str


def doctor(
    folder: Annotated[Path, typer.Argument(help="Where you want to work.")] = Path(),
    trial: Annotated[bool, typer.Option(help="Simulate, train and find a little.")] = True,
) -> None:
    """Look whether this machine is ready, and say in words what to do where it is not.

    Exit code: 0 when all is well or there is only advice; 1 when there is a problem.
    """
    with exit_code_two():
        if not folder.is_dir():
            raise LensyError(f"{folder} is not a folder: give the one where you want to work.")
        problems = 0
        for check in examine(folder, trial=trial):
            typer.echo(f"{check.state:<8} {check.name:<9} {check.says}")
            problems += check.state == "problem"
    if problems:
        raise typer.Exit(1)


def examine(folder: Path, *, trial: bool = True) -> Iterator[Check]:
    """Every check in turn, each as soon as it is known. folder: where work will be written."""
    yield python()
    yield packages()
    yield disk(folder)
    yield memory()
    yield threads()
    yield weights()
    if trial:
        yield from trials()


def python() -> Check:
    """The interpreter's version."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        return Check("python", "problem", f"{found}: install Python {least} or newer.")
    return Check("python", "ok", found)


def packages() -> Check:
    """Whether every package that the project asks for is there, in a version that it allows."""
    from packaging.requirements import Requirement

    wrong = []
    for text in requires("lensy") or []:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} is {found}, not {wanted.specifier}")
    if wrong:
        return Check("packages", "problem", f"{'; '.join(wrong)}: run `make env`.")
    return Check("packages", "ok", f"torch {version('torch')}, numpy {version('numpy')}")


def _by_size(name: str, size: float, limits: dict[str, float], advice: str) -> Check:
    said = f"{size:.0f} GB"
    for state in ("problem", "advice"):
        if size < limits[state]:
            return Check(name, state, f"{said}, less than {limits[state]:.0f} GB: {advice}")
    return Check(name, "ok", said)


def disk(folder: Path) -> Check:
    """Free space where work is written."""
    free = shutil.disk_usage(folder).free / 1e9
    return _by_size("disk", free, DISK, f"free some space on the disk of {folder.resolve()}.")


def memory() -> Check:
    """Memory of the machine."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, OSError, ValueError):
        return Check("memory", "advice", "unknown here: 6 GB or more are comfortable.")
    return _by_size(
        "memory", total, MEMORY, "close other programs, and use scale `smoke` where it is slow."
    )


def threads() -> Check:
    """Cores, and how many of them torch uses."""
    import torch

    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    used = torch.get_num_threads()
    if used < cores:
        return Check(
            "threads",
            "advice",
            f"torch uses {used} of {cores} cores: unset OMP_NUM_THREADS, or set it to {cores}.",
        )
    return Check("threads", "ok", f"{used} on {cores} cores")


def weights() -> Check:
    """Whether the networks that come with the package can be read."""
    from lensy.runs.library import shipped_run
    from lensy.training.kinds import experiment_of

    try:
        run = shipped_run("naberrie-vis")
        experiment_of(run).load(run)
    except (LensyError, OSError, ValueError, KeyError, RuntimeError) as error:
        return Check("weights", "problem", f"{error} Install the package again, or run `git pull`.")
    return Check("weights", "ok", f"{run.name}, {run.fingerprint}")


def trials() -> Iterator[Check]:
    """Simulate a few images, train a small network for a few steps, find a lens in a file."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steps: dict[str, Callable[[Path], str]] = {
            "simulate": _simulate,
            "train": _train,
            "find": _find,
        }
        for step, work in steps.items():
            began = time.perf_counter()
            try:
                said = work(folder)
            except (LensyError, OSError, RuntimeError, MemoryError) as error:
                yield Check(step, "problem", f"{error}")
                return
            yield Check(step, "ok", f"{said}, {time.perf_counter() - began:.0f} seconds")
    seconds = time.perf_counter() - started
    if seconds > TRIAL_SECONDS:
        yield Check(
            "speed",
            "advice",
            f"the trial took {seconds:.0f} seconds and not 20: close other programs; chapters will "
            "take longer than they say.",
        )
    else:
        yield Check("speed", "ok", f"{seconds:.0f} seconds for the trial")


def _trial(folder: Path) -> DataSet:
    """Sixteen scenes, half of them to train with."""
    from lensy.datasets.store import make_data_set
    from lensy.simulation.recipe import Recipe

    few = Recipe(name="trial", n_train=8, n_validation=8)
    return make_data_set(few, folder / "data", n_jobs=1, progress=False)


def _simulate(folder: Path) -> str:
    return f"{_trial(folder).recipe.n_train} scenes in four bands"


def _train(folder: Path) -> str:
    import numpy as np
    import torch

    from lensy.training.learner import run_trainer
    from lensy.training.unet import UnetExperiment, UnetTraining

    data = _trial(folder)
    torch.manual_seed(1)
    few = UnetTraining(width=8, batch=8, n_epochs=1, steps_per_epoch=8, n_check=8)
    learner = UnetExperiment(
        name="trial", scale="smoke", recipe=data.recipe, bands=("VIS",), training=few
    ).learner(data)
    run_trainer(learner)
    if not np.isfinite(learner.rows[-1]["train_loss"]):
        raise LensyError("Training gave no finite loss: torch does not work here, run `make env`.")
    return f"{few.n_steps} steps"


def _find(folder: Path) -> str:
    from astropy.io import fits

    from lensy.finding.finder import find
    from lensy.telescope.bands import band

    path = folder / "lens.fits"
    hdu = fits.ImageHDU(_bright_lens().observed("VIS"), name="VIS")
    # 31.4 is the AB magnitude of 1 nJy
    hdu.header["MAGZERO"] = float(band("VIS").magnitude(1.0))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    found = find(path, "naberrie-vis").candidates[0]
    if "below threshold" in found.flags:
        raise LensyError(
            f"The shipped network missed a bright simulated lens (score {found.score:.2f}): the "
            "numerical libraries do not agree with those it was trained with, run `make env`."
        )
    return f"a lens, with probability {found.probability:.2f}"


def _bright_lens() -> Example:
    """The first clear ring among simulated scenes."""
    from lensy.simulation.example import simulate
    from lensy.simulation.recipe import Recipe

    for index in range(100):
        example = simulate(Recipe(name="trial"), "test", index)
        if example.label and example.row["arc_signal_to_noise_VIS"] > 100:
            return example
    raise LensyError("No bright lens among a hundred scenes: the package is damaged.")
