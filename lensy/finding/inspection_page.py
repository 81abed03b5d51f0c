"""A page on which people grade candidates: one static file, which fetches nothing.

Best score first: image, reconstruction and both together, sliders for the stretch, keys for the
grades A, B, C and X (as in Walmsley et al. 2025, arXiv 2503.15324), which the browser keeps and
exports as CSV. What comes from files and headers reaches the page as data, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image as Picture

from lensy.datasets.coco import grey_levels
from lensy.errors import LensyError
from lensy.provenance import whole_file


@dataclass(frozen=True)
class Entry:
    """A candidate on the page, its pictures already encoded, so that a thousand of them are light.

    details: words shown beside it and exported. images, masks: PNG as base64, by name; `image` is
    among the images, and names of masks are `lensed light` and `artefact`.
    """

    name: str
    score: float
    details: Mapping[str, str]
    images: Mapping[str, str]
    masks: Mapping[str, str]


def entry(
    name: str,
    score: float,
    *,
    sigma: float,
    images: Mapping[str, ArrayLike],
    masks: Mapping[str, ArrayLike],
    details: Mapping[str, Any],
) -> Entry:
    """A candidate from its pictures. images: (y, x) in nJy, first row at the bottom of the sky.

    sigma: noise of the band, nJy, for the stretch. masks: (y, x).
    """
    return Entry(
        name=name,
        score=float(score),
        details={key: str(value) for key, value in details.items()},
        images={key: _png(grey_levels(np.asarray(each), sigma)) for key, each in images.items()},
        masks={
            key: _png(np.where(np.asarray(each, bool), 255, 0).astype(np.uint8))
            for key, each in masks.items()
        },
    )


def in_words(row: Mapping[str, Any]) -> dict[str, str]:
    """A row of a table as words for a page: numbers with five digits, nothing that is not text."""
    words = {key: f"{each:.5f}" if isinstance(each, float) else each for key, each in row.items()}
    return {key: str(each) for key, each in words.items() if isinstance(each, str | int)}


def _png(grey: np.ndarray) -> str:
    """Grey levels (y, x) as PNG in base64, turned upside down as FITS viewers show them."""
    buffer = io.BytesIO()
    Picture.fromarray(grey[::-1]).save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def page(entries: Iterable[Entry], *, title: str = "Lens candidates") -> str:
    """The page as HTML. Raises LensyError where there is nothing to show."""
    ranked = sorted(entries, key=lambda each: -each.score)
    if not ranked:
        raise LensyError("There are no candidates for a page: search some images first.")
    candidates: list[dict[str, Any]] = []
    for each in ranked:
        # a grade belongs to what was seen and not to a place in the list
        seen = json.dumps([each.name, dict(each.details), dict(each.images)])
        identity = hashlib.sha256(seen.encode()).hexdigest()[:12]
        candidates.append({"id": identity, **vars(each)})
    columns = list(dict.fromkeys(key for each in ranked for key in each.details))
    key = hashlib.sha256("".join(each["id"] for each in candidates).encode()).hexdigest()[:12]
    content = {"title": title, "key": key, "columns": columns, "candidates": candidates}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    # no text can close the script element it stands in
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    template = files("lensy.finding").joinpath("inspection_page.html").read_text("utf-8")
    return template.replace("{{DATA}}", text)


def write_page(entries: Iterable[Entry], path: Path, *, title: str = "Lens candidates") -> None:
    """Write the page; the file is whole or not there."""
    text = page(entries, title=title)
    with whole_file(path) as temporary:
        temporary.write_text(text, "utf-8")
