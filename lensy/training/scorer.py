"""One way to ask any network, one of ours or one that is not.

Naberrie's classifier gives log-odds, a Mask R-CNN the score of its best detection of lensed light,
the predecessor's networks log-odds too: their probabilities are rounded to 1 for the images that
matter most. Scores rank images of one network; those of two have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lensy.errors import LensyError
from lensy.models.classifier import log_odds
from lensy.models.precision import computing_in
from lensy.models.unet import Naberrie
from lensy.runs.run import SINGLE
from lensy.values import Floats, Images


@dataclass(frozen=True)
class Scorer:
    """A network as a function of images: any `nn.Module` or function will do.

    bands: of the images, in the order of their channels. module: from images (batch, n_bands, y, x)
    in nJy to scores (batch,), the higher the more lens-like, or to logits (batch, 2), non-lens and
    lens. grid: the band on whose pixels the images are, the first one unless given.

    What else our own networks can say. unet: reconstructs the lensed light, and marks artefacts
    where it has learned that. detector: finds objects (a `MaskRcnn`), of `classes` by number from
    1. differentiable: logits (batch, 2) with gradients down to the image. precision: of the
    convolutions, by Lightning's name. meaning: what validation says of the score, as a run keeps
    it. origin: where all of it comes from.

    >>> brightest = Scorer(("VIS",), lambda flux: flux.amax(dim=(1, 2, 3)), name="brightest pixel")
    >>> brightest(torch.tensor([[[[0.0, 3.0]]], [[[1.0, 0.0]]]]))
    array([3., 1.])
    """

    bands: tuple[str, ...]
    module: Callable[[Tensor], Tensor]
    grid: str = ""
    name: str = ""
    unet: Naberrie | None = None
    detector: Any = None
    classes: tuple[str, ...] = ()
    differentiable: nn.Module | None = None
    precision: str = SINGLE
    meaning: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what follows from the rest."""
        object.__setattr__(self, "bands", tuple(self.bands))
        usual = {
            "grid": self.bands[0],
            "name": getattr(self.module, "__name__", type(self.module).__name__),
        }
        for name, value in usual.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        if self.differentiable is None and isinstance(self.module, nn.Module):
            object.__setattr__(self, "differentiable", _Logits(self.module))

    @torch.inference_mode()
    def __call__(self, flux: Tensor) -> Floats:
        """Scores (batch,) of images (batch, n_bands, y, x) in nJy.

        Raises LensyError where the network gives something else.
        """
        with computing_in(self.precision, flux.device.type):
            return np.asarray(_scores(self.module(flux), len(flux)).double().cpu().numpy())

    @torch.inference_mode()
    def outputs(self, flux: Tensor) -> tuple[Images | None, Images | None]:
        """Reconstruction and artefact mask, (batch, y, x) each, as far as a network makes them.

        Lensed light on the network's scale, and the probability that an artefact spoils a pixel.
        """
        if self.unet is None:
            return None, None
        with computing_in(self.precision, flux.device.type):
            light, mask = self.unet.outputs(flux)
        return _plane(light), None if mask is None else _plane(mask)


class _Logits(nn.Module):
    """Two logits of any network: what it gives, or 0 and its score."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.eval()

    def forward(self, flux: Tensor) -> Tensor:
        """Logits (batch, 2) of flux (batch, n_bands, y, x)."""
        found: Tensor = self.module(flux)
        if found.shape == (len(flux), 2):
            return found
        score = _scores(found, len(flux))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def _scores(found: Tensor, n: int) -> Tensor:
    """Scores (n,) from whatever a network may give for n images."""
    if found.shape == (n, 2):
        return log_odds(found)
    if found.numel() != n:
        raise LensyError(
            f"The network gives an array of shape {tuple(found.shape)} for {n} images: a score for "
            "each, (batch,), or two logits, (batch, 2), can be used."
        )
    return found.reshape(n)


def _plane(image: Tensor) -> Images:
    return np.asarray(image[:, 0].float().cpu().numpy())
