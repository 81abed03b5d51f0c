"""The pointing game: how often the highest pixel of a map of attention lies on lensed light.

Of lenses that can be seen, for every method of `saliency` and for the reconstruction of a network
that makes one. Beside them chance, the share of a frame that would count as a hit, and a map by the
same method with random weights. Source of the game: Zhang et al. 2016, arXiv 1608.00507.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from scipy.ndimage import binary_dilation
from torch import Tensor, nn
from tqdm import tqdm

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.exam import Exam
from lensy.exams.saliency import (
    Map,
    differentiable,
    guided_gradcam,
    likeness,
    occlusion_map,
    points_at,
    randomised,
    reconstruction,
)
from lensy.metrics.ranking import Estimate, share_estimate
from lensy.runs.experiment import Count
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.telescope.bands import band
from lensy.training.kinds import Subject
from lensy.training.scorer import Scorer
from lensy.values import Columns, Mask

SLACK = 3
"""Pixels of VIS by which a map may miss."""

SEEN = 30.0
"""Signal-to-noise of the lensed light from which on a lens takes part."""

RANDOM = "random weights"


class PointingGame(Exam):
    """Where maps of attention have their highest pixel.

    n_lenses: at most. side, stride: of the square that hides a part of the image, VIS pixels. seen:
    signal-to-noise of the lensed light from which on a lens takes part. slack: VIS pixels by which
    a map may miss.

    Its `scores` have a row per lens: `number` of the example, `chance`, for each method whether it
    `hits_<method>`, and `likeness`, the rank correlation of the map with and without learning.
    """

    kind: ClassVar[str] = "exam-pointing-game"
    ending: ClassVar[str] = "points"
    by_gradients: ClassVar[bool] = True

    n_lenses: Count
    side: Count = 10
    stride: Count = 10
    seen: float = SEEN
    slack: int = SLACK

    @classmethod
    def of(
        cls,
        subject: Subject,
        recipe: Recipe,
        *,
        n_lenses: int = 40,
        stride: int = 10,
        **how: Any,
    ) -> Self:
        """The game of a network. The square that hides a part moves by its side unless told so."""
        how = {"side": stride} | how
        return super().of(subject, recipe, n_lenses=n_lenses, stride=stride, **how)

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """Play with the first lenses of the test set that can be seen."""
        ways = methods(differentiable(scorer), side=self.side, stride=self.stride)
        if scorer.unet is not None:
            ways["painting"] = partial(reconstruction, scorer.unet)
        catalogue = data.catalogue("test")
        seen = catalogue["is_lens"] & (catalogue["arc_signal_to_noise_VIS"] > self.seen)
        numbers = np.flatnonzero(seen)[: self.n_lenses]
        if not len(numbers):
            raise LensyError(
                f"{data.folder} has no lens with a signal-to-noise above {self.seen:g}."
            )
        frames = Frames(data, "test", scorer.bands, grid="VIS")
        rows = []
        for number in tqdm(numbers, desc="pointing", unit="lens", disable=not progress):
            flux = frames[int(number)]["image"][None]
            truth = data.layers("test", int(number), "VIS")[1] > band("VIS").background_sigma
            maps = {name: way(flux) for name, way in ways.items()}
            rows.append({"number": int(number)} | self._row(maps, truth))
        return [{name: np.array([row[name] for row in rows]) for name in rows[0]}]

    def _row(self, maps: Mapping[str, Map], truth: Mask) -> dict[str, float | bool]:
        hits = {
            f"hits_{name}": points_at(each, truth, slack=self.slack) for name, each in maps.items()
        }
        return {
            "chance": float(binary_dilation(truth, iterations=self.slack).mean()),
            "likeness": likeness(maps["Guided Grad-CAM"], maps[RANDOM]),
        } | hits


def methods(network: nn.Module, *, side: int, stride: int) -> dict[str, Callable[[Tensor], Map]]:
    """Ways to ask a network what it looks at, each from one image (1, n_bands, y, x) to a map."""
    return {
        "occlusion": partial(occlusion_map, network, side=side, stride=stride),
        "Guided Grad-CAM": partial(guided_gradcam, network),
        RANDOM: partial(guided_gradcam, randomised(network)),
    }


def hit_rates(game: Run) -> dict[str, Estimate]:
    """Share of lenses at which each method points, with Wilson's 95 % interval."""
    return {
        name.removeprefix("hits_"): share_estimate(hits)
        for name, hits in game.scores().items()
        if name.startswith("hits_")
    }
