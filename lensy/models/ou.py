"""The predecessor's convolutional networks, OU-200 and its family, as published.

Layer order and names are those of the published weights, which load unchanged.
Source: Wilde et al. 2022, MNRAS 512, 3464; the repository LensFindery-McLensFinderFace.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

DROPOUT = 0.2


@dataclass(frozen=True)
class Design:
    """What one of the networks sees.

    bands: in the order of its channels. wide: whether it sees 200 x 200 pixels, those of VIS, or
    66 x 66, those of NISP.
    """

    bands: tuple[str, ...]
    wide: bool = False

    @property
    def grid(self) -> str:
        """The band on whose pixels all others are put."""
        return "VIS" if self.wide else "H"


FAMILY = {
    "ou-200": Design(("J", "Y", "H", "VIS"), wide=True),
    "ou-vis": Design(("VIS",), wide=True),
    "ou-66": Design(("J", "Y", "H", "VIS")),
    "ou-jyh": Design(("J", "Y", "H")),
    "ou-y": Design(("Y",)),
    "ou-j": Design(("J",)),
    "ou-h": Design(("H",)),
}
"""The seven networks. Source: Wilde et al. 2022, section 3."""


class Ou(nn.Module):
    """Lens or not from one image, 331 632 parameters for OU-200. name: one of FAMILY."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.design = FAMILY[name]
        n_channels = len(self.design.bands)
        trunk, n_features, n_hidden = (
            (_wide(n_channels), 720, 350) if self.design.wide else (_narrow(n_channels), 120, 500)
        )
        # the published weights of OU-VIS have another name for it
        self.trunk_name = "VIS_layer" if name == "ou-vis" else "layer"
        self.add_module(self.trunk_name, trunk)
        self.fc_layer = nn.Sequential(
            nn.Linear(n_features, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 2)
        )
        # half as fast again on CPUs, in training and without
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def trunk(self) -> nn.Sequential:
        """The convolutions."""
        trunk: nn.Sequential = self.get_submodule(self.trunk_name)  # type: ignore[assignment]
        return trunk

    def forward(self, flux: Tensor) -> Tensor:
        """Logits (batch, 2) of images (batch, n_bands, y, x), each band scaled to [0, 1]."""
        low = flux.amin(dim=(-2, -1), keepdim=True)
        high = flux.amax(dim=(-2, -1), keepdim=True)
        scale = (high - low).clamp_min(torch.finfo(flux.dtype).tiny)
        logits: Tensor = self.fc_layer(self.trunk((flux - low) / scale).flatten(1))
        return logits

    @torch.inference_mode()
    def score(self, flux: Tensor) -> Tensor:
        """Probability of a lens, (batch,). The softmax runs over the classes.

        The published code's softmax runs over the batch, so that its score depends on the
        company an image keeps; the weights are the same.
        """
        return torch.softmax(self(flux), dim=1)[:, 1]


def _wide(n_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out, kernel in [(n_channels, 50, 5), (50, 40, 5), (40, 30, 3), (30, 20, 3)]:
        layers += [nn.Conv2d(n_in, n_out, kernel), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Dropout(DROPOUT)]
    for _ in range(2):
        layers += [nn.Conv2d(20, 20, 3), nn.ReLU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers)


def _narrow(n_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    widths = (n_channels, 50, 50, 50, 50, 40, 40, 40, 40, 30)
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        layers += [nn.Conv2d(n_in, n_out, 3), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if k % 4 == 0 else []
        layers += [nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers)
