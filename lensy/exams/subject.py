"""Whoever is asked: the network of a finished run, or any other as a `Scorer`."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lensy.provenance import provenance
from lensy.runs.experiment import SCALES, Scale
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.telescope.bands import band
from lensy.training import kinds
from lensy.training.kinds import Subject
from lensy.training.ou_weights import content
from lensy.training.scorer import Scorer
from lensy.values import fingerprint

N_PROBES = 4
"""Images by whose scores a network that is no run's is known again."""


def bands_of(subject: Subject) -> tuple[str, ...]:
    """Bands that it sees, in the order of its channels; needs no weights."""
    return kinds.bands_of(subject) if isinstance(subject, Run) else subject.bands


def folder_name(subject: Subject) -> str:
    """Its name, as far as that can be one of a folder.

    >>> folder_name(Scorer(("VIS",), lambda flux: flux.amax(dim=(1, 2, 3)), name="peak / nJy"))
    'peak-nJy'
    """
    return re.sub(r"[^\w.]+", "-", subject.name).strip("-.") or "network"


def scale_of(subject: Subject, recipe: Recipe) -> Scale:
    """The scale of the recipe, or else of the run; smoke where neither has one."""
    words = [recipe.name.rsplit("-", 1)[-1]]
    if isinstance(subject, Run):
        words.append(subject.info["experiment"]["scale"])
    return next((scale for word in words for scale in SCALES if scale == word), "smoke")


def fingerprint_of(subject: Subject) -> str:
    """That of a run; of another network one that changes with its weights and its answers.

    Answers, because a function has no weights, and one in a notebook keeps its name when it is
    changed. They are those to N_PROBES images, with four digits.
    """
    if isinstance(subject, Run):
        return subject.fingerprint
    if "fingerprint" in subject.origin:
        return str(subject.origin["fingerprint"])
    module = subject.module
    about = {
        "name": subject.name,
        "bands": subject.bands,
        "grid": subject.grid,
        "weights": content(module.state_dict()) if isinstance(module, nn.Module) else "",
        "answers": [f"{score:.4g}" for score in subject(_probes(subject))],
    }
    return fingerprint("scorer", about)


def _probes(scorer: Scorer) -> Tensor:
    """Images (N_PROBES, n_bands, y, x) of clouds of 0.1 to 10 000 nJy, a blank corner in each."""
    rng = np.random.default_rng(1)
    n_bands, side = len(scorer.bands), band(scorer.grid).n_pixels
    coarse = 10 ** rng.uniform(-1.0, 4.0, (N_PROBES, n_bands, 8, 8))
    clouds = nn.functional.interpolate(torch.from_numpy(coarse), (side, side), mode="bilinear")
    flux = clouds + torch.from_numpy(rng.normal(size=tuple(clouds.shape)))
    flux[..., : side // 8, : side // 8] = 0.0
    return flux.float()


def provenance_of(subject: Subject) -> dict[str, Any]:
    """Where the network comes from; of one that is no run's only this moment is known."""
    if isinstance(subject, Run):
        found: dict[str, Any] = subject.info["provenance"]
        return found
    return provenance()
