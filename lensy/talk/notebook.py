"""What chapters show between their figures: tables, and numbers with their intervals."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike
from PIL import Image as Picture

from lensy.datasets.coco import grey_levels
from lensy.errors import LensyError
from lensy.metrics.ranking import Estimate, both_classes


class ShownTable:
    """A table that a notebook shows whole, however long or wide it is."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def _repr_html_(self) -> str:
        lines = self.table.pformat(html=True, max_lines=-1, max_width=-1, tableclass="table")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "\n".join(self.table.pformat(max_lines=-1, max_width=-1))


def show_table(
    content: Table | Mapping[str, Sequence[Any]] | Sequence[Sequence[Any]],
    names: Sequence[str] | None = None,
) -> ShownTable:
    """A table for a page, from a table, from columns by name, or from rows and `names`."""
    if isinstance(content, Table | Mapping):
        return ShownTable(Table(content))
    return ShownTable(Table(rows=content, names=names))


def with_interval(estimate: Estimate | Mapping[str, float], *, form: str = ".3f") -> str:
    """A value with its 95 % interval, `0.957 (0.952 to 0.962)`.

    estimate: one of `metrics`, or what a run's `run.json` keeps of it. form: of each number.
    """
    if isinstance(estimate, Estimate):
        value, low, high = estimate.value, estimate.low, estimate.high
    else:
        value, low, high = (estimate[name] for name in ("value", "low", "high"))
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


DIGITS = 2
"""Decimals of a score on the page."""


class Shown:
    """A piece of a page, as HTML."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def threshold_player(
    labels: ArrayLike,
    scores: ArrayLike,
    pictures: Iterable[ArrayLike],
    *,
    sigma: float,
    threshold: float = 0.0,
) -> Shown:
    """A ROC curve with a threshold to move, and what would be inspected at it.

    labels, scores: (n,), of a test set. pictures: of the first of these images, (y, x) in nJy.
    sigma: noise of the band, nJy, for the stretch. threshold: at which the page begins.
    """
    labels, scores = both_classes(labels), np.round(np.asarray(scores, float), DIGITS)
    content = {
        "threshold": round(threshold, DIGITS),
        "lenses": np.sort(scores[labels]).tolist(),
        "others": np.sort(scores[~labels]).tolist(),
        "pictures": [
            {"lens": bool(label), "score": float(score), "picture": _jpeg(picture, sigma)}
            for label, score, picture in zip(labels, scores, pictures, strict=False)
        ],
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Shown(
        f'<div class="play-roc"><script type="application/json">{text}</script>'
        "<noscript>This needs JavaScript.</noscript></div>"
    )


def _jpeg(image: ArrayLike, sigma: float) -> str:
    """An image as an address that holds it, upside down as FITS viewers show it."""
    buffer = io.BytesIO()
    grey = grey_levels(np.asarray(image), sigma)
    Picture.fromarray(grey[::-1]).save(buffer, format="jpeg", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def benchmark(name: str) -> dict[str, Any]:
    """The recorded result of a benchmark: `rows`, `commit`, `hardware`, and what else it keeps.

    Raises LensyError where none is recorded.
    """
    path = files("lensy.talk").joinpath("benchmarks.json")
    known = json.loads(path.read_text("utf-8"))
    if name not in known:
        raise LensyError(
            f"No benchmark {name!r} is recorded; there are {', '.join(known)}. Record one with "
            f"`python tests/benchmarks/{name}.py --record`."
        )
    return dict(known[name])
