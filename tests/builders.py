"""Small things that the tests are made of: tiny scenes, recipes and data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lensy.datasets.store import DataSet, make_data_set
from lensy.models.classifier import Classifier, FrozenEncoder, Head
from lensy.models.unet import Naberrie
from lensy.simulation.recipe import Recipe
from lensy.sky.populations import TalkPopulation
from lensy.sky.scene import Deflector, Galaxy
from lensy.training.head import HeadTraining
from lensy.training.unet import UnetExperiment, UnetTraining

EUCLID = ("VIS", "Y", "J", "H")
"""The bands of Euclid, whatever others there are."""

TINY_HEAD = HeadTraining(n_draws=1, n_epochs=2, batch=4)

CHAPTER_HEADER = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A chapter

"""
"""What stands at the top of a chapter with code."""

SERSIC_B = {1.0: 1.9992 * 1 - 0.3271, 4.0: 1.9992 * 4 - 0.3271}
"""Scale b_n of a Sersic profile by index, in the usual approximation (Capaccioli 1989); exact are
1.6783 and 7.6692."""


def galaxy(**changes: Any) -> Galaxy:
    """A round exponential galaxy of VIS magnitude 22 and radius 0.3 arcsec in the centre."""
    usual = {
        "x": 0.0,
        "y": 0.0,
        "magnitudes": {"VIS": 22.0},
        "half_light_radius": 0.3,
        "sersic_index": 1.0,
        "axis_ratio": 1.0,
        "position_angle": 0.0,
    }
    return Galaxy(**(usual | changes))


def isothermal_sphere(einstein_radius: float = 1.5, **changes: Any) -> Deflector:
    """A round isothermal deflector without shear in the centre."""
    usual = {"x": 0.0, "y": 0.0, "axis_ratio": 1.0, "position_angle": 0.0}
    return Deflector(einstein_radius=einstein_radius, **(usual | changes))


def tiny_recipe(**changes: Any) -> Recipe:
    """Two examples in each split."""
    return Recipe(**({"name": "tiny", "n_test": 2, "n_validation": 2, "n_train": 2} | changes))


def tiny_data(folder: Path, **changes: Any) -> DataSet:
    """The data set of `tiny_recipe`, made in this process."""
    return make_data_set(tiny_recipe(**changes), folder, n_jobs=1, progress=False)


def bright_population(**changes: Any) -> TalkPopulation:
    """Candidates alone in the frame."""
    return TalkPopulation(**({"n_companions": (0, 0)} | changes))


def tiny_experiment(recipe: Recipe, **changes: Any) -> UnetExperiment:
    """A training of two epochs of two steps, for the data of `recipe`."""
    usual = {"width": 2, "crop": 32, "batch": 4, "n_epochs": 2, "steps_per_epoch": 2}
    bands = changes.pop("bands", ("VIS",))
    training = UnetTraining(**(usual | {"n_check": 8, "head": TINY_HEAD} | changes))
    return UnetExperiment(name="tiny", scale="smoke", bands=bands, training=training, recipe=recipe)


def untrained(width: int = 2, sigma: float | Sequence[float] = 2.0, *, seed: int = 1) -> Classifier:
    """A classifier with the weights it begins with."""
    torch.manual_seed(seed)
    encoder = FrozenEncoder(Naberrie(width, sigma))
    return Classifier(encoder, Head(encoder.n_features)).eval()


JOB = ("provenance.json", ".lock")


def file_bytes(folder: Path) -> dict[str, bytes]:
    """Content of every file of a data set but for the job's provenance and lock, by name."""
    paths = sorted(path for path in folder.iterdir() if path.name not in JOB)
    return {path.name: path.read_bytes() for path in paths}


def radii(shape: tuple[int, int], scale: float = 0.1) -> np.ndarray:
    """Distance of every pixel from the frame's centre, (y, x), arcsec."""
    rows, columns = np.indices(shape)
    return scale * np.hypot(rows - 0.5 * (shape[0] - 1), columns - 0.5 * (shape[1] - 1))
