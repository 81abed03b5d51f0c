"""The predecessor's one-band convolutional network, OU-VIS, as published.

Layer order and names are those of the published weights, which load unchanged.
Source: Wilde et al. 2022, MNRAS 512, 3464; the repository LensFindery-McLensFinderFace.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DROPOUT = 0.2


class OuVis(nn.Module):
    """Lens or not from one 200 x 200 VIS image; 327 882 parameters."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out, kernel in [(1, 50, 5), (50, 40, 5), (40, 30, 3), (30, 20, 3)]:
            layers += [nn.Conv2d(n_in, n_out, kernel), nn.ReLU()]
            layers += [nn.MaxPool2d(2), nn.Dropout(DROPOUT)]
        for _ in range(2):
            layers += [nn.Conv2d(20, 20, 3), nn.ReLU(), nn.Dropout(DROPOUT)]
        self.VIS_layer = nn.Sequential(*layers)
        self.fc_layer = nn.Sequential(nn.Linear(720, 350), nn.ReLU(), nn.Linear(350, 2))

    def forward(self, flux: Tensor) -> Tensor:
        """Logits (batch, 2) of images (batch, 1, 200, 200), each of which is scaled to [0, 1]."""
        low = flux.amin(dim=(-2, -1), keepdim=True)
        high = flux.amax(dim=(-2, -1), keepdim=True)
        scale = (high - low).clamp_min(torch.finfo(flux.dtype).tiny)
        features: Tensor = self.VIS_layer((flux - low) / scale)
        logits: Tensor = self.fc_layer(features.flatten(1))
        return logits

    @torch.inference_mode()
    def score(self, flux: Tensor) -> Tensor:
        """Probability of a lens, (batch,). The softmax runs over the classes.

        The published code's softmax runs over the batch, so that its score depends on the
        company an image keeps; the weights are the same.
        """
        return torch.softmax(self(flux), dim=1)[:, 1]
