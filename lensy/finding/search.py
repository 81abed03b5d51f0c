"""Search a cutout with a network, window by window: what all networks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.ndimage import binary_dilation
from torch import Tensor
from tqdm import tqdm

from lensy.errors import LensyError
from lensy.finding.cutouts import Cutout, stretch
from lensy.finding.result import LIGHT, Candidate, Finding
from lensy.metrics.operating_point import Calibration
from lensy.telescope.bands import band
from lensy.training.scorer import Scorer
from lensy.values import Floats, Image, Images, Mask

RADIUS = 5.0
"""Radius (arcsec) in which a candidate's light is collected: twice the largest Einstein radius that
is simulated, so that both ends of an image pair are in it."""

GUARD = 3
"""Pixels from a hole, padding or the border on which no candidate may stand: edges are not arcs."""

EDGE = 2.5
"""Distance (arcsec) from the border within which a candidate is flagged: a ring may be cut."""

BATCH = 8


@dataclass(frozen=True)
class Window:
    """What a network sees at a time, in pixels of its band.

    side: of a window, that of the frames it was trained for. radius: RADIUS.
    """

    side: int
    radius: int

    @classmethod
    def of(cls, band_name: str) -> Window:
        """The window of a band's networks."""
        return cls(band(band_name).n_pixels, round(RADIUS / band(band_name).pixel_scale))

    @cached_property
    def stride(self) -> int:
        """Pixels from window to window: all but the frame's rim is 5 arcsec deep in some window."""
        return self.side // 2

    def starts(self, n_pixels: int) -> list[int]:
        """First pixels of the windows along an axis; the last one ends flush with the frame."""
        return sorted({*range(0, n_pixels - self.side, self.stride), n_pixels - self.side})

    def corners(self, shape: tuple[int, ...]) -> list[tuple[int, int]]:
        """First pixels (y, x) of all windows of a frame."""
        rows, columns = (self.starts(n) for n in shape)
        return [(y, x) for y in rows for x in columns]

    def around(self, place: int, n_pixels: int) -> slice:
        """The window along an axis whose middle is nearest to a pixel."""
        return stretch(place, self.side, n_pixels)


class Search(ABC):
    """One network and one cutout. A subclass says how to search.

    flux: the cutout's (y, x) in nJy, padded to the size of a window. inside: where in it the cutout
    lies. usable: pixels (y, x) of the cutout on which a candidate may stand. threshold: score that
    10 % of the simulated non-lenses reach; None where nobody knows.
    """

    columns: ClassVar[dict[str, str]]
    """What the numbers of its candidates mean."""

    def __init__(self, scorer: Scorer, cutout: Cutout, *, progress: bool = False) -> None:
        """Raises LensyError for a cutout of another band, or where nothing can be searched."""
        if (cutout.band,) != scorer.bands:
            raise LensyError(
                f"The network sees band {', '.join(scorer.bands)}, not {cutout.band}: read that "
                "band of the file, or take another network."
            )
        self.scorer, self.cutout, self.progress = scorer, cutout, progress
        self.window = Window.of(cutout.band)
        self.usable = searchable(cutout.mask)
        if not self.usable.any():
            raise LensyError(
                f"{cutout.path} has no pixel farther than {GUARD} pixels from its border and from "
                "pixels without data: take a larger cutout."
            )
        self.flux, self.inside = cutout.padded(self.window.side)
        self.threshold = threshold_of(scorer)

    @abstractmethod
    def found(self) -> Finding:
        """What there is, with at least one candidate."""

    def view(self, y: int, x: int) -> Tensor:
        """The window (1, 1, y, x) whose first pixel that is, padding counted."""
        part = self.flux[y : y + self.window.side, x : x + self.window.side]
        return torch.from_numpy(np.ascontiguousarray(part)[None, None])

    def windows(self) -> Any:
        """First pixels (y, x) of all windows, with a bar of progress where one is wanted."""
        corners = self.window.corners(self.flux.shape)
        return tqdm(corners, desc="windows", leave=False, disable=not self.progress)

    def candidate(
        self,
        column: float,
        row: float,
        score: float,
        *,
        to_border: float,
        no_data: Mask,
        kind: str | None = None,
        **more: Any,
    ) -> Candidate:
        """A candidate at a place on the cutout, with its flags.

        to_border: pixels. no_data: which of the pixels that it covers have none. kind: its class,
        if there are any. more: what else the network knows.
        """
        x, y = self.cutout.position(column, row)
        ra, dec = self.cutout.sky(x, y)
        least = self.threshold if kind in (None, LIGHT) else -np.inf
        states = {
            "padded": min(self.usable.shape) < self.window.side,
            "masked pixels": bool(no_data.any()),
            "edge": to_border * band(self.cutout.band).pixel_scale < EDGE,
            "below threshold": least is not None and score < least,
            "no threshold": least is None,
        }
        return Candidate(
            file=str(self.cutout.path),
            band=self.cutout.band,
            kind=kind,
            x=x,
            y=y,
            ra=ra,
            dec=dec,
            score=score,
            flags=",".join(flag for flag, holds in states.items() if holds),
            **more,
        )

    def probability(self, score: float) -> float:
        """The calibrated chance of a lens; NaN where the network was never calibrated."""
        known = self.scorer.meaning.get("calibration")
        return float(Calibration(**known).probability(score)) if known else float("nan")


def threshold_of(scorer: Scorer) -> float | None:
    """Score that 10 % of the simulated non-lenses reach; None where nobody knows."""
    found = scorer.meaning.get("threshold_at_false_positive_rate", {}).get("0.1")
    return None if found is None else float(found)


def searchable(mask: Mask) -> Mask:
    """Pixels (y, x) on which a candidate may stand, given those without data."""
    barred = np.pad(mask, 1, constant_values=True)
    barred = binary_dilation(barred, np.ones((3, 3), bool), iterations=GUARD)
    return np.asarray(~barred[1:-1, 1:-1])


@torch.inference_mode()
def stitched_output(
    model: Callable[[Tensor], Any],
    flux: Image,
    window: Window,
    *,
    n_layers: int = 1,
    progress: bool = False,
) -> Images:
    """A network's pictures (n_layers, y, x) of a frame (y, x) in nJy of at least a window's size.

    model: from images (batch, 1, y, x) to pictures of them, (batch, n_layers, y, x). Each pixel is
    taken from the window in which it lies deepest; the frame's own border does not count as a
    window's, as there is nothing beyond.
    """
    output = np.zeros((n_layers, *flux.shape), np.float32)
    deepest = np.full(flux.shape, -1.0)
    side, corners = window.side, window.corners(flux.shape)
    batches = [corners[i : i + BATCH] for i in range(0, len(corners), BATCH)]
    for batch in tqdm(batches, desc="windows", leave=False, disable=not progress):
        windows = np.stack([flux[y : y + side, x : x + side] for y, x in batch])
        pictures = np.asarray(model(torch.from_numpy(windows[:, None])))
        for (y, x), picture in zip(batch, pictures, strict=True):
            part = np.s_[y : y + side, x : x + side]
            depth = np.minimum.outer(_depth(y, flux.shape[0], side), _depth(x, flux.shape[1], side))
            deeper = depth > deepest[part]
            output[:, *part][:, deeper] = picture[:, deeper]
            deepest[part][deeper] = depth[deeper]
    return output


def _depth(start: int, n_pixels: int, side: int) -> Floats:
    """Pixels from each pixel of a window to the window's ends that are not the frame's."""
    here = np.arange(side, dtype=np.float64)
    before = here if start > 0 else np.full(side, np.inf)
    after = here[::-1] if start + side < n_pixels else np.full(side, np.inf)
    return np.asarray(np.minimum(before, after))
