"""One way to score an image with any network of the book.

Naberrie's classifier gives log-odds, a Mask R-CNN the score of its best detection of lensed light,
the predecessor's networks log-odds too: their probabilities are rounded to 1 for the images that
matter most. Scores rank images of one network; those of two have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensy.instances import LENS
from lensy.mask_training import trained_masks
from lensy.models.classifier import log_odds
from lensy.models.mask_rcnn import image_score
from lensy.models.ou import Ou
from lensy.ou_training import trained_ou
from lensy.predecessor import published
from lensy.runs import Run

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Scorer:
    """A network as a function of images.

    bands: of the images, in the order of their channels. grid: the band on whose pixels they are.
    paint: for networks that paint, the lensed light (batch, 1, y, x) on the network's scale. mark:
    for those that mark artefacts, the probability (batch, 1, y, x) that one spoils a pixel.
    """

    bands: tuple[str, ...]
    grid: str
    network: Callable[[Tensor], Tensor]
    paint: Callable[[Tensor], Tensor] | None = None
    mark: Callable[[Tensor], Tensor] | None = None

    @torch.inference_mode()
    def __call__(self, flux: Tensor) -> Scores:
        """Scores (batch,), the higher the more lens-like, of images (batch, n_bands, y, x), nJy."""
        return np.asarray(self.network(flux).double().cpu().numpy())


def scorer_of(run: Run) -> Scorer:
    """A finished run's network. Raises LensyError where the run holds none."""
    about = run.info["experiment"]
    if run.finds_masks:
        detector = trained_masks(run)
        return Scorer(("VIS",), "VIS", lambda flux: image_score(detector.detect(flux), label=LENS))
    if "network" in about:
        return _of_ou(trained_ou(run))
    bands = tuple(about["bands"])
    classifier = run.classifier().fused()
    unet = classifier.encoder.unet
    mark = unet.mark if unet.marks_artefacts else None
    return Scorer(bands, bands[0], classifier.score, unet, mark)


def published_scorer(name: str, weights: Path) -> Scorer:
    """One of the predecessor's networks with its published weights, see `predecessor.published`."""
    return _of_ou(published(name, weights))


def _of_ou(model: Ou) -> Scorer:
    design = model.design
    return Scorer(design.bands, design.grid, lambda flux: log_odds(model(flux)))
