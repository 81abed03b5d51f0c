"""Score and painting of whole frames in numbers, of which a regression can make one number.

The talk's last idea: the classifier's score says how sure the network is, the painting what of, so
the two together may tell a lens from what only looks like one.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm import tqdm

from lensy.artefacts import Instrument
from lensy.bands import band
from lensy.datasets import Frames
from lensy.errors import LensyError
from lensy.evaluation import Columns
from lensy.finder import MARKED
from lensy.finished import Places, obtained
from lensy.questions import Question, write_answers
from lensy.runs import Run
from lensy.scorers import Scorer, scorer_of
from lensy.simulate import Recipe, Split
from lensy.store import DataSet
from lensy.traits import share_on, traits

BATCH = 16

SPLITS: tuple[Split, ...] = ("validation", "test")


def describe(scorer: Scorer, frames: Frames, *, progress: bool = False) -> Columns:
    """`label` and `score` of frames, (n,) each, and what else their networks say of them.

    `n_spoilt`: pixels that artefacts spoil. For a network that paints also the `traits.TRAITS` of
    its painting, and `on_artefact`, the share of the light that was painted where an artefact is.
    For one that marks artefacts also the numbers of pixels `n_marked` and, spoilt as well,
    `n_found`; the trait `spoilt` is by its mask, and 0 for one that makes none.
    """
    first = band(scorer.bands[0])
    scale = {"sigma": first.background_sigma, "pixel_scale": first.pixel_scale}
    parts: dict[str, list[NDArray[Any]]] = {}
    loader = DataLoader(frames, batch_size=BATCH)
    for batch in tqdm(loader, desc="describing", unit="batch", disable=not progress):
        columns = {"label": batch["label"].numpy(), "score": scorer(batch["image"])}
        image, spoilt = batch["image"][:, 0].numpy(), batch["spoilt"][:, 0].numpy() > 0
        masks = {"n_spoilt": spoilt}
        painted, probability = scorer.outputs(batch["image"])
        if probability is not None:
            marked = probability > MARKED
            masks |= {"n_marked": marked, "n_found": spoilt & marked}
        columns |= {name: mask.sum(axis=(1, 2)).astype(float) for name, mask in masks.items()}
        if painted is not None:
            columns |= traits(painted, image, probability, **scale)
            columns |= {"on_artefact": share_on(painted, spoilt)}
        for name, values in columns.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


class Description(Question):
    """Score and painting of validation and test frames, in numbers."""


class FlawedDescription(Question):
    """The same of validation frames alone, seen with artefacts that the data set does not have.

    A regression for flawed images learns from these: on clean ones hardly anything is marked.
    """

    instrument: Instrument


def description(
    run: Run, recipe: Recipe, instrument: Instrument | None = None
) -> Description | FlawedDescription:
    """What a finished run's network has to say of the images of a recipe.

    instrument: with whose artefacts its validation frames are seen, if other than the recipe's.
    """
    data = recipe.name.removesuffix(f"-{run.info['experiment']['scale']}")
    if instrument is None:
        return Description.to(run, recipe, f"describes-{data}")
    return FlawedDescription.to(run, recipe, f"describes-{data}-with-flaws", instrument=instrument)


def fit_description(
    run: Run,
    wanted: Description | FlawedDescription,
    data: DataSet,
    folder: Path,
    *,
    precision: str | None = None,
    progress: bool = False,
) -> Run:
    """Describe the frames in question with a run's networks, and write that as a run.

    precision: as in `scorer_of`.

    Its `scores` have a row per frame: `split` and the columns of `describe`.
    Raises LensyError for a run whose network does not paint.
    """
    started = time.monotonic()
    scorer = scorer_of(run, precision)
    if scorer.painter is None:
        raise LensyError(
            f"{run.info['experiment']['name']} paints nothing that could be described: take a "
            "naberrie run."
        )
    instrument = wanted.instrument if isinstance(wanted, FlawedDescription) else None
    parts = []
    for split in SPLITS if instrument is None else SPLITS[:1]:
        if data.recipe.size(split):
            frames = Frames(data, split, scorer.bands, grid=scorer.grid, instrument=instrument)
            rows = describe(scorer, frames, progress=progress)
            parts.append({"split": np.full(len(frames), split), **rows})
    return write_answers(folder, wanted, run, parts, started=started, precision=scorer.precision)


def obtain_description(
    run: Run, recipe: Recipe, instrument: Instrument | None = None, **places: Unpack[Places]
) -> Run:
    """A network's description of images: shipped, made earlier, or else made now, data included.

    instrument: as in `description`.
    """
    wanted = description(run, recipe, instrument)
    return obtained(wanted, partial(fit_description, run, wanted), **places)


def of_split(run: Run, split: Split) -> Columns:
    """The rows of a description that belong to a split. Raises LensyError where there are none."""
    rows = run.scores()
    here = rows["split"] == split
    if not here.any():
        raise LensyError(f"{run.folder} describes no frames of {split!r}.")
    return {name: values[here] for name, values in rows.items() if name != "split"}
