"""Mixed precision: where networks compute in half of it, and what keeps its digits there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class SinglePrecision(nn.Conv2d):
    """A convolution in single precision, where a mixed one would take half.

    On a bright galaxy the three digits of bfloat16 are coarser than lensed light is bright. What
    the first convolution hands on may have few digits, what it is given may not.
    """

    def forward(self, image: Tensor) -> Tensor:
        """As `Conv2d`, float32 whatever autocast says."""
        with torch.autocast(image.device.type, enabled=False):
            return super().forward(image.float())


HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
"""Type of the convolutions in Lightning's mixed precisions."""


@contextmanager
def computing_in(precision: str, device: str = "cpu") -> Iterator[None]:
    """What a run computes beside its training, its scores say, in the precision of its training.

    precision: by Lightning's name; any that is not in HALF is single. device: torch's name for
    the kind of device.
    """
    with torch.autocast(device, HALF.get(precision), enabled=precision in HALF):
        yield
