"""What the talk published: its numbers and its digitised ROC curves.

Source: Wilde, "Where's Lensy?", NAM 2022, repository WheresLensy; the numbers are in
`lensy/talk/published.json`, the curves, read off the two figures, in `lensy/talk/roc_published.csv`
(the area under each agrees with the printed AUROC to 0.0012). So are the areas of the masks that
it showed, measured on its pictures.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lensy.errors import LensyError


class Published(NamedTuple):
    """One published number.

    lower_is_better: for losses. unit_unknown: the source does not say in which unit it is.
    of_one_image: a score of an image that was not published.
    """

    id: str
    quantity: str
    value: float
    lower_is_better: bool = False
    unit_unknown: bool = False
    of_one_image: bool = False


@cache
def published_numbers() -> tuple[Published, ...]:
    """Every number the talk printed, in the order of the talk."""
    content = _content()
    numbers = []
    for row in content["table"]:
        band = row["band"]
        for column in ("accuracy", "recall", "precision"):
            quantity = f"{column} of Naberrie's classifier, {band}"
            numbers.append(Published(f"table.{band.lower()}.{column}", quantity, row[column]))
        quantity = f"loss (RMSE of the lensed light), {band}"
        numbers.append(
            Published(f"table.{band.lower()}.loss", quantity, row["loss_rmse"], True, True)
        )
    for family, areas in content["auroc"].items():
        for name, value in areas.items():
            key = f"auroc.naberrie.{name}" if family == "naberrie" else f"auroc.{name}"
            title = f"AUROC of Naberrie, {name}" if family == "naberrie" else f"AUROC of {name}"
            numbers.append(Published(key.lower(), title, value))
    for name, value in content["triptych_scores"].items():
        key = f"triptych.{name.replace(' ', '-')}"
        quantity = f"score of the talk's image {name}"
        numbers.append(Published(key, quantity, value, of_one_image=True))
    return tuple(numbers)


def published_number(identifier: str) -> Published:
    """The published number with an id such as `auroc.naberrie.vis`.

    >>> published_number("auroc.naberrie.vis").value
    0.8102
    """
    for number in published_numbers():
        if number.id == identifier:
            return number
    known = ", ".join(number.id for number in published_numbers())
    raise LensyError(f"No published number is called {identifier!r}; there are {known}.")


@cache
def published_roc(curve: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A digitised ROC curve of the talk: false and true positive rates, each (n,).

    curve: VIS, Y, J, H, MRC-95, MRC-99, MRC-995 or MRC-3.
    """
    text = files("lensy.talk").joinpath("roc_published.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    points = [
        (float(row["false_positive_rate"]), float(row["true_positive_rate"]))
        for row in rows
        if row["curve"] == curve
    ]
    if not points:
        names = ", ".join(dict.fromkeys(row["curve"] for row in rows))
        raise LensyError(f"The talk shows no ROC curve {curve!r}; it shows {names}.")
    x, y = np.array(points).T
    return x, y


@cache
def published_mask_areas() -> dict[int, dict[str, int]]:
    """Pixels under each colour of the masks in the talk's four "Input Data" figures, by number.

    Computed from the pictures, see `published.json`. Red is the lens galaxy, cyan the lensed light;
    an object that lies partly under another shows fewer pixels than it has.
    """
    areas = _content()["input_panels"]["mask_areas"]
    return {int(panel): dict(colours) for panel, colours in areas.items()}


@cache
def _content() -> dict[str, Any]:
    text = files("lensy.talk").joinpath("published.json").read_text("utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
