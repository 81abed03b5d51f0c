"""Search a cutout with a U-Net and the classifier on its encoder.

The reconstruction is searched for its brightest places, and the classifier scores the surroundings
of each. A frame of at most the network's 20 arcsec on a side is padded to that and gives one row. A
larger one is scanned with overlapping windows and gives a row per place that 10 % of the simulated
non-lenses would pass, in brightness of the reconstruction and in score; every file gives at least
one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from astropy.nddata import overlap_slices
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from lensy.finding.result import Candidate, Finding
from lensy.finding.search import Search, stitched_output
from lensy.metrics.ranking import brightest_mean
from lensy.models.unet import MARKED
from lensy.values import Image, Mask


@dataclass(frozen=True)
class Place:
    """A place on the network's output and its score.

    peak: its brightest pixel (y, x). part: the rectangle around it. disc: its pixels in `part`.
    """

    peak: tuple[int, int]
    part: tuple[slice, slice]
    disc: Mask
    score: float


Scored = TypeVar("Scored", Place, Candidate)


class UnetSearch(Search):
    """Where the reconstruction is bright, and what the classifier says of it."""

    columns: ClassVar[dict[str, str]] = {
        "score": "log-odds of the classifier for the 20 arcsec around the candidate",
        "probability": "calibrated; half of all images like it taken to be lenses",
        "light": "mean of the brightest output pixels (arcsinh scale) within 5 arcsec",
    }

    def found(self) -> Finding:
        """The reconstruction, the artefacts where the network marks them, and the candidates."""
        unet: Any = self.scorer.unet
        layers = stitched_output(
            self._layers,
            self.flux,
            self.window,
            n_layers=1 + unet.marks_artefacts,
            progress=self.progress,
        )
        output, *marks = layers[:, *self.inside]
        light = np.asarray(np.sinh(output) * float(unet.sigma.flatten()[0]), np.float32)
        candidates = [self._candidate(light, place) for place in self._places(output)]
        marked = marks[0] > MARKED if marks else None
        best = self._worth(candidates, self.threshold)
        return Finding(self.cutout, best, light=light, marked=marked)

    def _layers(self, flux: Tensor) -> NDArray[np.float32]:
        """Reconstruction and artefact mask, if there is one: (batch, n_layers, y, x)."""
        return np.stack([each for each in self.scorer.outputs(flux) if each is not None], axis=1)

    def _places(self, output: Image) -> list[Place]:
        """The places whose brightness reaches the least, or else the best one."""
        known = self.scorer.meaning["painting"]
        n_brightest = known["n_brightest"]
        least = known["threshold_at_false_positive_rate"]["0.1"]
        places = bright_places(output, self.usable, n_brightest, least, self.window.radius)
        return self._worth(places, least)

    def _worth(self, found: list[Scored], least: float | None) -> list[Scored]:
        """Those that reach the least, best first, or else the best; of one window only the best."""
        ranked = sorted(found, key=lambda each: -each.score)
        good = [each for each in ranked if least is None or each.score >= least]
        one = max(self.usable.shape) <= self.window.side
        return ranked[:1] if one or not good else good

    def _candidate(self, light: Image, place: Place) -> Candidate:
        y, x = (
            self.window.around(peak + inside.start, n).start
            for peak, inside, n in zip(place.peak, self.inside, self.flux.shape, strict=True)
        )
        score = float(self.scorer(self.view(y, x))[0])
        column, row = centroid(light, place, self.scorer.meaning["painting"]["n_brightest"])
        part, disc = disc_around(place.peak, light.shape, self.window.radius)
        return self.candidate(
            column,
            row,
            score,
            to_border=min(min(i, n - 1 - i) for i, n in zip(place.peak, light.shape, strict=True)),
            no_data=self.cutout.mask[part][disc],
            probability=self.probability(score),
            light=place.score,
        )


def bright_places(
    output: Image, usable: Mask, n_brightest: int, threshold: float, radius: int
) -> list[Place]:
    """Places on the output (y, x), brightest first; no pixel belongs to two of them.

    The brightest pixel of the lightly smoothed output is taken with its disc, then the next one,
    as long as some pixel left reaches the threshold: a mean of pixels below it cannot. There is
    always at least one place where there is a usable pixel. radius: of a disc, pixels.
    """
    smooth = gaussian_filter(np.where(usable, output, 0.0), 1.0)
    smooth[~usable] = -np.inf
    left = np.where(usable, output, -np.inf)
    places: list[Place] = []
    while np.isfinite(left).any() and (not places or left.max() >= threshold):
        at = np.unravel_index(np.argmax(smooth), smooth.shape)
        part, disc = disc_around((int(at[0]), int(at[1])), smooth.shape, radius)
        disc &= np.isfinite(left[part])
        score = mean_of_brightest(output[part][disc], n_brightest)
        places.append(Place((int(at[0]), int(at[1])), part, disc, score))
        smooth[part][disc] = left[part][disc] = -np.inf
    return places


def disc_around(
    peak: tuple[int, int], shape: tuple[int, ...], radius: int
) -> tuple[tuple[slice, slice], Mask]:
    """The part of a frame around a pixel, and which of its pixels are within a radius."""
    n = 2 * radius + 1
    part, inside = overlap_slices(shape, (n, n), peak, mode="partial")
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return part, np.asarray(y**2 + x**2 <= radius**2)[inside]


def mean_of_brightest(values: NDArray[Any], n_brightest: int) -> float:
    """Mean of the `n_brightest` of some output values (k,); values that lack count as no light."""
    padded = np.pad(values, (0, max(0, n_brightest - values.size)))
    return float(brightest_mean(padded[None], n_brightest)[0])


def centroid(light: Image, place: Place, n_brightest: int) -> tuple[float, float]:
    """Flux-weighted mean position (x, y) of the brightest pixels of a place.

    light: (y, x) in nJy. Only the pixels that make the score count: faint light and noise all over
    the disc would draw the mean to its middle. The peak where there is no light.
    """
    weights = np.clip(np.where(place.disc, light[place.part], 0.0), 0.0, None).astype(np.float64)
    n_fainter = max(0, weights.size - n_brightest)
    weights[weights < np.partition(weights, n_fainter, axis=None)[n_fainter]] = 0.0
    if not weights.any():
        return float(place.peak[1]), float(place.peak[0])
    y, x = np.mgrid[place.part]
    return float(np.average(x, weights=weights)), float(np.average(y, weights=weights))
