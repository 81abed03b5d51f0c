"""The predecessor's published weights, fetched once and turned into safetensors.

pooch fetches a file of the public repository. torch reads its tensors with the loader that runs no
code of the file (`weights_only`). What must agree with our record is the tensors themselves, their
names, shapes and bits: a checksum of the whole file would say nothing more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pooch
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lensy.errors import LensyError
from lensy.models.ou import FAMILY, Ou

ADDRESS = (
    "https://raw.githubusercontent.com/JoshWilde/LensFindery-McLensFinderFace/"
    "3df10594ec0145260d69346aa38b03314de2e63a/CNN Models/"
)
"""Where the files are. Source: the repository of Wilde et al. 2022, MIT licence."""

CONTENT = {
    "ou-200": "9e6594956145b89d772e0b4fb87a026cb9af1973fa98e752a3e4693a55474985",
    "ou-vis": "50d69e0d2a907f3d10c71feb4f7b12f120ba755022cc8dcff8d44673f933d6ca",
    "ou-66": "6d8896b279886eef240bfc929f318f0e786f991330cc444b0ea4852af078d4aa",
    "ou-jyh": "cb149f6b574c86969fe2611d6cd846002596b4bed3b13a556deaa292c99e8fa2",
    "ou-y": "7a4f52d2f386cf1de1411ab45052cf83ffacb5f65a88f5f3de39aa83a17a152f",
    "ou-j": "22511c6abbf7d30f242500c43c7c09a611fcdf1a6c197133bd978bacba99fe06",
    "ou-h": "180ff67e9926db50ff87020a34df7fc69d63b1391eb11ef5fdd0ea6722536646",
}
"""SHA-256 of the tensors of each network, see `content`."""


def file_name(network: str) -> str:
    """Name of a network's file in the repository."""
    return f"{network.replace('-', '_').upper()}_Weights.pt"


def content(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes and bits of tensors, in the order of their names."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().float().contiguous()
        found.update(f"{name} {tuple(tensor.shape)} ".encode())
        found.update(tensor.numpy().tobytes())
    return found.hexdigest()


def fetch_weights(network: str, folder: Path | None = None) -> Path:
    """Path of a network's published weights as safetensors, fetched into `folder` once.

    network: one of `models.ou.FAMILY`. folder: the user's cache by default.
    Raises LensyError where there is no such network, no connection, or another content.
    """
    if network not in FAMILY:
        raise LensyError(f"There is no network {network!r}; the networks are {', '.join(FAMILY)}.")
    place = Path(folder or pooch.os_cache("lensy"))
    converted = place / f"{network}.safetensors"
    if converted.exists() and content(load_file(converted)) == CONTENT[network]:
        return converted
    name = file_name(network)
    url = ADDRESS.replace(" ", "%20") + quote(name)
    try:
        path = Path(pooch.retrieve(url, None, fname=name, path=place))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LensyError(
            f"{name} could not be fetched ({reason[:120]}): check the network, or give the weights "
            "as a safetensors file."
        ) from None
    tensors = _tensors(path)
    if content(tensors) != CONTENT[network]:
        path.unlink()
        raise LensyError(
            f"{url} does not hold the published weights of {network.upper()}: their content is not "
            "that of our record. The file has been removed; try again, or give them as safetensors."
        )
    part = converted.with_suffix(".part")
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, part)
    part.replace(converted)
    return converted


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a file that torch wrote; empty where it holds anything else."""
    try:
        found = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:  # what torch raises for a file that is none of its own has no common base
        return {}
    if not isinstance(found, Mapping):
        return {}
    return {str(key): value for key, value in found.items() if isinstance(value, Tensor)}


def published(name: str, weights: Path) -> Ou:
    """A published network, in evaluation mode. Raises LensyError where the file does not fit it."""
    if name not in FAMILY:
        raise LensyError(f"There is no network {name!r}; the networks are {', '.join(FAMILY)}.")
    model = Ou(name)
    try:
        model.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise LensyError(
            f"{weights} does not hold the weights of {name.upper()} ({first}): give the converted "
            "safetensors file of the published network."
        ) from None
    return model.eval()
