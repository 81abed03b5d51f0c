"""Pictures of what a network looks at: one image of each kind, asked by every method.

The methods are those of `saliency`, and the reconstruction of a network that makes one: the same
question, answered without being asked. `pointing_game` counts what is only shown here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.artefacts import CONDITIONS, SINGLE_GAP
from lensy.exams.exam import Exam
from lensy.exams.rings import Ring, ring_images
from lensy.exams.saliency import (
    class_image,
    deep_dream,
    differentiable,
    first_convolution,
    guided_gradcam,
    occlusion_map,
    reconstruction,
)
from lensy.runs.experiment import Count
from lensy.simulation.recipe import Recipe
from lensy.telescope.bands import band, generator_number
from lensy.telescope.noise import observe
from lensy.telescope.regrid import on_grid_of
from lensy.training.kinds import Subject
from lensy.training.scorer import Scorer
from lensy.values import Columns, Image, Images

METHODS = ("image", "occlusion", "Guided Grad-CAM", "most like a lens", "dream", "painting")
"""Pictures of each subject: itself in VIS, two maps, and two images made of it, in nJy; the
lensed light in nJy where the network reconstructs it."""

N_SEARCHED = 60
"""Examples of the test set among which the lens is the brightest in lensed light."""

LARGEST = 6e4
"""nJy in a pixel, beyond which half precision, in which pictures are kept, has no numbers."""


def subjects(data: DataSet, bands: tuple[str, ...]) -> dict[str, Tensor]:
    """An image (1, n_bands, y, x) of each kind by name, nJy on VIS pixels.

    A lens and a galaxy that is none, both of the data set's test images; the same galaxy in a
    single exposure with a chip gap; a galaxy with a blue ring, see `rings`; and empty sky.
    Raises LensyError where the data set lacks lenses or others.
    """
    catalogue = data.catalogue("test")[:N_SEARCHED]
    is_lens = np.asarray(catalogue["is_lens"], bool)
    if is_lens.all() or not is_lens.any():
        raise LensyError(f"{data.folder} needs a lens and an image without one among its test set.")
    lens = int(np.argmax(np.where(is_lens, catalogue["arc_signal_to_noise_VIS"], -1.0)))
    other = int(np.flatnonzero(~is_lens)[0])
    clean = Frames(data, "test", bands, grid="VIS")
    gaps = Frames(data, "test", bands, grid="VIS", instrument=CONDITIONS[SINGLE_GAP])
    return {
        "a lens": clean[lens]["image"][None],
        "no lens": clean[other]["image"][None],
        "a chip gap": gaps[other]["image"][None],
        "a blue ring": torch.from_numpy(ring_images(Ring(colour=-0.5), bands, "VIS")),
        "empty sky": torch.from_numpy(_empty_sky(bands)),
    }


def _empty_sky(bands: tuple[str, ...]) -> Images:
    images = []
    for name in bands:
        rng = np.random.default_rng([0, generator_number(name)])
        dark = np.zeros(band(name).shape, np.float32)
        images.append(on_grid_of(observe(dark, band(name), rng), name, "VIS"))
    return np.stack(images)[None].astype(np.float32)


class Attribution(Exam):
    """What a network makes of one image of each kind.

    side, stride: of the square that hides a part of the image, VIS pixels. n_steps: of the ascent
    to an image that is more like a lens, or that excites the first convolution more.

    Its `scores` have a row per subject: its name `subject`, the network's log-odds `score`, and for
    each of METHODS a picture (y, x) in half precision; no painting from a network that makes none.
    """

    kind: ClassVar[str] = "exam-attribution"
    ending: ClassVar[str] = "attribution"
    by_gradients: ClassVar[bool] = True

    side: Count = 4
    stride: Count = 4
    n_steps: Count = 40

    @classmethod
    def of(cls, subject: Subject, recipe: Recipe, *, stride: int = 4, **how: Any) -> Self:
        """The pictures of a network. The square covers the image wherever it stands next."""
        return super().of(subject, recipe, stride=stride, **({"side": max(4, stride)} | how))

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """Ask about every subject."""
        network = differentiable(scorer)
        images = subjects(data, scorer.bands)
        rows = []
        for name, flux in tqdm(images.items(), desc="asking", unit="image", disable=not progress):
            pictures = self.pictures(network, flux, scorer.bands)
            if scorer.unet is not None:
                pictures["painting"] = reconstruction(scorer.unet, flux).astype(np.float32)
            with torch.inference_mode():
                score = float(torch.diff(network(flux))[0, 0])
            rows.append({"subject": name, "score": score} | _halved(pictures))
        return [{name: np.array([row[name] for row in rows]) for name in rows[0]}]

    def pictures(
        self, network: nn.Module, flux: Tensor, bands: tuple[str, ...]
    ) -> dict[str, Image]:
        """What each method but painting shows of an image (1, n_bands, y, x) by name, (y, x)."""
        vis, sigma = bands.index("VIS"), band("VIS").background_sigma
        like = class_image(network, flux, steps=self.n_steps, sigma=sigma)
        layer = first_convolution(network)
        dream = deep_dream(network, layer, flux, steps=self.n_steps, sigma=sigma)
        found = {
            "image": flux[0, vis],
            "occlusion": occlusion_map(network, flux, side=self.side, stride=self.stride),
            "Guided Grad-CAM": guided_gradcam(network, flux),
            "most like a lens": like[0, vis],
            "dream": dream[0, vis],
        }
        return {name: np.asarray(picture, np.float32) for name, picture in found.items()}


def _halved(pictures: Mapping[str, Image]) -> dict[str, NDArray[np.float16]]:
    return {
        name: np.clip(picture, -LARGEST, LARGEST).astype(np.float16)
        for name, picture in pictures.items()
    }
