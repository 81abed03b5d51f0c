"""Lens or not: dense layers on the frozen encoder of a trained Naberrie.

The decoder is taken off, the encoder keeps its weights and its statistics, and six dense layers
learn from what it sees, as in the talk. The talk does not say how images become vectors. Here each
channel of each block, the bottleneck included, gives its largest value and its mean over the image:
a lens may stand anywhere in the frame, and neither number asks where. (Dense layers on the
flattened bottleneck must learn every place anew; `tests/benchmarks/classifier_features.py`
compares.)

The sky has no up. A convolutional network does not know that: turned by a right angle, an image
gets another score. The classifier therefore looks four times and takes the mean (Dieleman, Willett
& Dambre 2015, MNRAS 450, 1441, did so with galaxies).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from lensy.models.unet import Naberrie

HIDDEN = (256, 256, 128, 64, 32)
"""Widths of the first five dense layers; the sixth has two outputs, non-lens and lens."""


class FrozenEncoder(nn.Module):
    """Naberrie without its decoder, as a function that training cannot change.

    No weight asks for a gradient, and `train()` leaves it in evaluation mode, so that batch
    normalisation keeps its statistics too.
    """

    def __init__(self, unet: Naberrie) -> None:
        super().__init__()
        self.unet = unet
        self.unet.requires_grad_(False)
        self.unet.eval()

    @property
    def n_features(self) -> int:
        """Numbers that describe an image."""
        widths: list[int] = self.unet.encoder.widths
        return 2 * (sum(widths) + 2 * widths[-1])

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever is asked."""
        super().train(mode)
        self.unet.eval()
        return self

    @torch.no_grad()
    def forward(self, flux: Tensor) -> Tensor:
        """Features (batch, n_features) from flux (batch, n_bands, y, x)."""
        features, skips = self.unet.encode(flux)
        return pooled([*skips, features])


def pooled(blocks: Sequence[Tensor]) -> Tensor:
    """Largest value and mean of every channel of every block: (batch, 2 x channels in all).

    Over the blocks as they are, the reflected padding of odd sizes included. In single precision,
    even of blocks in half: a mean may vary less from image to image than half precision resolves.
    """
    # on channels-last blocks ten times as fast as amax, and the same
    largest = [functional.adaptive_max_pool2d(block, 1).flatten(1) for block in blocks]
    mean = [block.mean(dim=(2, 3), dtype=torch.float32) for block in blocks]
    return torch.cat([*largest, *mean], dim=1)


class Head(nn.Module):
    """Six dense layers with ReLU between them, from features to two classes.

    Features are brought to mean 0 and scatter 1 first; both are saved with the weights.
    """

    mean: Tensor
    scatter: Tensor

    def __init__(self, n_features: int, hidden: Sequence[int] = HIDDEN) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scatter", torch.ones(n_features))
        layers: list[nn.Module] = []
        for n_in, n_out in zip([n_features, *hidden], hidden, strict=False):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden[-1], 2))

    def standardise(self, features: Tensor) -> None:
        """Take mean and scatter from the training features, (n, n_features).

        A feature that hardly varies keeps its scale: divided by next to nothing it would shout
        when it varies at last.
        """
        mean, scatter = features.mean(dim=0), features.std(dim=0, correction=0)
        still = scatter <= 1e-4 * mean.abs().clamp_min(1e-2)
        self.mean.copy_(mean)
        self.scatter.copy_(scatter.masked_fill(still, 1.0))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (batch, 2), non-lens and lens, of features (batch, n_features).

        In single precision, so that no two images share a score for want of digits.
        """
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.layers((features - self.mean) / self.scatter)
        return logits


def log_odds(logits: Tensor) -> Tensor:
    """Natural logarithm of p / (1 - p), p the probability of lens: (batch,) from (batch, 2).

    The order is that of the softmax over classes, without its rounding to 0 and 1.
    """
    return logits[:, 1] - logits[:, 0]


N_TURNS = 4
"""Right angles by which an image is turned, 0 included, for its logits to be averaged."""


class Classifier(nn.Module):
    """Lens or non-lens: a frozen encoder and a head."""

    def __init__(self, encoder: FrozenEncoder, head: Head) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, flux: Tensor) -> Tensor:
        """Logits (batch, 2), non-lens and lens, of flux (batch, n_bands, y, x).

        Their mean over the image's turns by a right angle.
        """
        turned = (torch.rot90(flux, n, dims=(2, 3)) for n in range(N_TURNS))
        return torch.stack([self.head(self.encoder(image)) for image in turned]).mean(dim=0)

    def fused(self) -> Classifier:
        """A copy for inference only, a fifth faster on CPUs and equal but for rounding."""
        return Classifier(FrozenEncoder(self.encoder.unet.fused()), self.head).eval()

    @torch.inference_mode()
    def score(self, flux: Tensor) -> Tensor:
        """Log-odds (batch,) that each image shows a lens."""
        return log_odds(self(flux))

    @torch.inference_mode()
    def probability(self, flux: Tensor) -> Tensor:
        """Probability of lens (batch,), the softmax over the two classes."""
        return torch.sigmoid(self.score(flux))


class Differentiable(nn.Module):
    """A classifier whose encoder lets gradients through to the image; one look, unturned.

    The classifier itself keeps its encoder from them, as nothing of it may learn.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.unet = copy.deepcopy(classifier.encoder.unet)
        self.head = copy.deepcopy(classifier.head)
        self.eval()
        for module in self.modules():
            if isinstance(module, nn.ReLU):
                # guided backpropagation changes what comes back through each
                module.inplace = False

    def forward(self, flux: Tensor) -> Tensor:
        """Logits (batch, 2) of flux (batch, n_bands, y, x)."""
        features, skips = self.unet.encode(flux)
        logits: Tensor = self.head(pooled([*skips, features]))
        return logits
