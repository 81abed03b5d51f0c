"""The pointing game: how often the highest pixel of a map of attention lies on lensed light.

Of lenses that can be seen, for every method of `interpret` and for the painting of a network that
paints. Beside them chance, the share of a frame that would count as a hit, and a map by the same
method with random weights. Source of the game: Zhang et al. 2016, arXiv 1608.00507.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Unpack

import numpy as np
from astropy.stats import binom_conf_interval
from scipy.ndimage import binary_dilation
from torch import Tensor, nn
from tqdm import tqdm

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.exam import Question, write_answers
from lensy.exams.saliency import (
    Differentiable,
    Map,
    guided_gradcam,
    likeness,
    occlusion_map,
    points_at,
    randomised,
)
from lensy.metrics.ranking import Estimate
from lensy.runs.experiment import Count
from lensy.runs.library import Places, obtained
from lensy.runs.run import Run
from lensy.simulation.example import Recipe
from lensy.telescope.bands import band
from lensy.training.scorer import is_ou, ou_of
from lensy.values import Columns

SLACK = 3
"""Pixels of VIS by which a map may miss."""

SEEN = 30.0
"""Signal-to-noise of the lensed light from which on a lens takes part."""

RANDOM = "random weights"


class PointingGame(Question):
    """Where maps of attention have their highest pixel.

    n_lenses: at most. side, stride: of the square that hides a part of the image, VIS pixels. seen:
    signal-to-noise of the lensed light from which on a lens takes part. slack: VIS pixels by which
    a map may miss.
    """

    n_lenses: Count
    side: Count = 10
    stride: Count = 10
    seen: float = SEEN
    slack: int = SLACK


def attention(run: Run) -> tuple[nn.Module, tuple[str, ...]]:
    """A run's classifier with gradients down to the image, and the bands it sees, on VIS pixels.

    Raises LensyError for a Mask R-CNN, which has no single score to ask about, and for networks
    that do not see VIS pixels.
    """
    about = run.info["experiment"]
    if run.finds_masks:
        raise LensyError(f"{about['name']} says itself what it looks at: look at its masks.")
    if is_ou(run):
        model = ou_of(run)
        return _on_vis(about["name"], model, model.design.bands, model.design.grid)
    bands = tuple(about["bands"])
    return _on_vis(about["name"], Differentiable(run.classifier()), bands, bands[0])


def _on_vis(
    name: str, network: nn.Module, bands: tuple[str, ...], grid: str
) -> tuple[nn.Module, tuple[str, ...]]:
    if grid != "VIS":
        raise LensyError(f"{name} sees pixels of {grid}; the game is played on those of VIS.")
    return network, bands


def painting_of(run: Run) -> Callable[[Tensor], Map] | None:
    """What a run's network paints of one image (1, n_bands, y, x), lensed light (y, x) in nJy.

    None for a network that does not paint.
    """
    if "bands" not in run.info["experiment"]:
        return None
    unet = run.model()
    return lambda flux: np.asarray(unet.reconstruct(flux)[0, 0].double().numpy())


def methods(network: nn.Module, *, side: int, stride: int) -> dict[str, Callable[[Tensor], Map]]:
    """Ways to ask a network what it looks at, each from one image (1, n_bands, y, x) to a map."""
    return {
        "occlusion": partial(occlusion_map, network, side=side, stride=stride),
        "Guided Grad-CAM": partial(guided_gradcam, network),
        RANDOM: partial(guided_gradcam, randomised(network)),
    }


def play(
    run: Run, game: PointingGame, data: DataSet, folder: Path, *, progress: bool = False
) -> Run:
    """Play with the first lenses of a test set that can be seen, and write that as a run.

    Its `scores` have a row per lens: `number` of the example, `chance`, for each method whether it
    `hits_<method>`, and `likeness`, the rank correlation of the map with and without learning.
    """
    started = time.monotonic()
    network, bands = attention(run)
    ways = methods(network, side=game.side, stride=game.stride)
    paints = painting_of(run)
    if paints is not None:
        ways["painting"] = paints
    catalogue = data.catalogue("test")
    seen = catalogue["is_lens"] & (catalogue["arc_signal_to_noise_VIS"] > game.seen)
    frames = Frames(data, "test", bands, grid="VIS")
    rows = []
    numbers = np.flatnonzero(seen)[: game.n_lenses]
    if not len(numbers):
        raise LensyError(f"{data.folder} has no lens with a signal-to-noise above {game.seen:g}.")
    for number in tqdm(numbers, desc="pointing", unit="lens", disable=not progress):
        flux = frames[int(number)]["image"][None]
        truth = data.layers("test", int(number), "VIS")[1] > band("VIS").background_sigma
        maps = {name: way(flux) for name, way in ways.items()}
        rows.append(
            {
                "number": int(number),
                "chance": float(binary_dilation(truth, iterations=game.slack).mean()),
                "likeness": likeness(maps["Guided Grad-CAM"], maps[RANDOM]),
            }
            | {
                f"hits_{name}": points_at(each, truth, slack=game.slack)
                for name, each in maps.items()
            }
        )
    columns: Columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return write_answers(folder, game, run, [columns], started=started)


def obtain_pointing(
    run: Run, recipe: Recipe, n_lenses: int = 40, stride: int = 10, **places: Unpack[Places]
) -> Run:
    """The game of a run's network: shipped, played earlier, or else played now, data included."""
    game = PointingGame.to(run, recipe, "points", n_lenses=n_lenses, side=stride, stride=stride)
    return obtained(game, partial(play, run, game), **places)


def hit_rates(game: Run) -> dict[str, Estimate]:
    """Share of lenses at which each method points, with Wilson's 95 % interval."""
    found = {}
    for name, hits in game.scores().items():
        if name.startswith("hits_"):
            low, high = binom_conf_interval(hits.sum(), hits.size, 0.95, interval="wilson")
            rate = Estimate(float(hits.mean()), float(low), float(high), hits.size)
            found[name.removeprefix("hits_")] = rate
    return found
