"""One way to score an image with any network of the book.

Naberrie's classifier gives log-odds, a Mask R-CNN the score of its best detection of lensed light,
the predecessor's networks log-odds too: their probabilities are rounded to 1 for the images that
matter most. Scores rank images of one network; those of two have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lensy.datasets.instances import LENS
from lensy.models.classifier import log_odds
from lensy.models.mask_rcnn import image_score
from lensy.models.ou import FAMILY, Ou
from lensy.models.precision import computing_in
from lensy.runs.run import SINGLE, Run
from lensy.training.mask_rcnn_fit import trained_masks
from lensy.training.ou import published, trained_ou
from lensy.training.ou_weights import fetch_weights

MARKED = 0.5
"""Probability from which on a pixel counts as spoilt by an artefact."""

Scores = NDArray[np.float64]

Painting = NDArray[np.float32]


@dataclass(frozen=True)
class Scorer:
    """A network as a function of images.

    bands: of the images, in the order of their channels. grid: the band on whose pixels they are.
    painter: for networks that paint, as `Naberrie.outputs`. precision: of the convolutions, by
    Lightning's name.
    """

    bands: tuple[str, ...]
    grid: str
    network: Callable[[Tensor], Tensor]
    painter: Callable[[Tensor], tuple[Tensor, Tensor | None]] | None = None
    precision: str = SINGLE

    @torch.inference_mode()
    def __call__(self, flux: Tensor) -> Scores:
        """Scores (batch,), the higher the more lens-like, of images (batch, n_bands, y, x), nJy."""
        with computing_in(self.precision, flux.device.type):
            return np.asarray(self.network(flux).double().cpu().numpy())

    @torch.inference_mode()
    def outputs(self, flux: Tensor) -> tuple[Painting | None, Painting | None]:
        """Painting and artefact mask of images, (batch, y, x) each, as far as a network makes them.

        Lensed light on the network's scale, and the probability that an artefact spoils a pixel.
        """
        if self.painter is None:
            return None, None
        with computing_in(self.precision, flux.device.type):
            painted, mask = self.painter(flux)
        return _plane(painted), None if mask is None else _plane(mask)


def _plane(image: Tensor) -> Painting:
    return np.asarray(image[:, 0].float().cpu().numpy())


def scorer_of(run: Run, precision: str | None = None) -> Scorer:
    """A finished run's network. Raises LensyError where the run holds none.

    precision: of Naberrie's convolutions, that of its training unless given; the other networks
    need single precision to tell their best images apart.
    """
    bands = bands_of(run)
    if run.finds_masks:
        detector = trained_masks(run)
        return Scorer(bands, "VIS", lambda flux: image_score(detector.detect(flux), label=LENS))
    if is_ou(run):
        model = ou_of(run)
        return Scorer(bands, model.design.grid, lambda flux: log_odds(model(flux)))
    classifier = run.classifier().fused()
    unet = classifier.encoder.unet
    return Scorer(bands, bands[0], classifier.score, unet.outputs, precision or run.arithmetic)


def bands_of(run: Run) -> tuple[str, ...]:
    """Bands that a finished run's network sees, in the order of its channels; needs no weights."""
    about = run.info["experiment"]
    if run.finds_masks:
        return ("VIS",)
    if is_ou(run):
        return FAMILY[about.get("published") or about["network"]].bands
    return tuple(about["bands"])


def is_ou(run: Run) -> bool:
    """Whether a run is of one of the predecessor's networks."""
    return not {"network", "published"}.isdisjoint(run.info["experiment"])


def ou_of(run: Run) -> Ou:
    """The predecessor's network of a run: trained here, or with its published weights.

    The latter come from the user's cache, and are fetched into it once.
    """
    name = run.info["experiment"].get("published")
    return published(name, fetch_weights(name)) if name else trained_ou(run)
