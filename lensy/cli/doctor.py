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
from typing import Literal, NamedTuple

import numpy as np
import torch
from astropy.io import fits
from packaging.requirements import Requirement
from torch.utils.data import DataLoader

from lensy.datasets.frames import Crops
from lensy.datasets.store import make_data_set
from lensy.errors import LensyError
from lensy.finding.cutouts import read_cutout
from lensy.finding.unet_finder import Finder
from lensy.models.unet import Naberrie
from lensy.runs.library import shipped_run
from lensy.simulation.example import Example, Recipe, simulate
from lensy.telescope.bands import band

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
    return Check("packages", "ok", f"torch {torch.__version__}, numpy {np.__version__}")


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
    try:
        run = shipped_run("naberrie-vis")
        run.classifier()
    except (LensyError, OSError, ValueError, KeyError, RuntimeError) as error:
        return Check("weights", "problem", f"{error} Install the package again, or run `git pull`.")
    return Check("weights", "ok", f"{run.info['experiment']['name']}, {run.info['fingerprint']}")


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


TRIAL = Recipe(name="trial", n_train=8, n_validation=0, n_test=0)


def _simulate(folder: Path) -> str:
    data = make_data_set(TRIAL, folder / "data", n_jobs=1, progress=False)
    return f"{data.recipe.n_train} scenes in four bands"


def _train(folder: Path) -> str:
    data = make_data_set(TRIAL, folder / "data", n_jobs=1, progress=False)
    torch.manual_seed(1)
    model = Naberrie(8, band("VIS").background_sigma).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    crops = Crops(data, ("VIS",), size=64, seed=1, start=0, count=64)
    losses = []
    for batch in DataLoader(crops, batch_size=8):
        error = model(batch["image"]) - model.compress_light(batch["target"])
        loss = error.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    if not np.isfinite(losses).all():
        raise LensyError("Training gave no finite loss: torch does not work here, run `make env`.")
    return f"{len(losses)} steps"


def _find(folder: Path) -> str:
    path = folder / "lens.fits"
    example = _bright_lens()
    hdu = fits.ImageHDU(example.observed("VIS"), name="VIS")
    # 31.4 is the AB magnitude of 1 nJy
    hdu.header["MAGZERO"] = float(band("VIS").magnitude(1.0))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    finder = Finder.from_run(shipped_run("naberrie-vis"))
    (found, *_) = finder.find(read_cutout(path)).candidates
    if found.score < finder.threshold:
        raise LensyError(
            f"The shipped network missed a bright simulated lens (score {found.score:.2f}): the "
            "numerical libraries do not agree with those it was trained with, run `make env`."
        )
    return f"a lens, with probability {found.probability:.2f}"


def _bright_lens() -> Example:
    """The first clear ring among simulated scenes."""
    for index in range(100):
        example = simulate(TRIAL, "test", index)
        if example.label and example.row["arc_signal_to_noise_VIS"] > 100:
            return example
    raise LensyError("No bright lens among a hundred scenes: the package is damaged.")
