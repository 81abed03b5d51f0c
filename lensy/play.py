"""What a chapter gives to the things readers play with on its page.

The page's own scripts (`book/_static`) do the rest; nothing is fetched and no kernel is asked.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image as Picture

from lensy.coco import grey_levels
from lensy.metrics import both_classes

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
