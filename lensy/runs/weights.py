"""Weights of networks on disk: half precision in safetensors files, single precision in use.

safetensors, since loading such a file runs no code of its author.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from lensy.provenance import whole_file


def write_halved(path: Path, network: torch.nn.Module) -> None:
    """Write a network's weights in half precision."""
    halved = {
        name: (w.half() if w.is_floating_point() else w).contiguous().cpu()
        for name, w in network.state_dict().items()
    }
    with whole_file(path) as temporary:
        save_file(halved, temporary)


def single_precision_weights(path: Path) -> dict[str, torch.Tensor]:
    """Weights as a network computes with them."""
    return {name: w.float() if w.is_floating_point() else w for name, w in load_file(path).items()}


def round_trip_half(model: torch.nn.Module) -> None:
    """Round weights in place to half precision, so that results are those of the shipped file."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())
