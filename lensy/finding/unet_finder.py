"""Score real images and locate candidates with a trained network.

The painting is searched for its brightest places, and the classifier scores the surroundings of
each. A frame of at most the network's 20 arcsec on a side is padded to that and gives one row. A
larger one is scanned with overlapping windows and gives a row per place that 10 % of the simulated
non-lenses would pass, in brightness of the painting and in score; every file gives at least one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from matplotlib.figure import Figure

from lensy.errors import LensyError
from lensy.figures.images import draw_candidate
from lensy.finding.cutouts import Cutout
from lensy.finding.inspection_page import Entry, entry, in_words
from lensy.finding.search import (
    EDGE,
    Place,
    Window,
    bright_places,
    centroid,
    disc_around,
    stitched_output,
    surroundings,
    usable_pixels,
    write_table,
)
from lensy.metrics.operating_point import Calibration
from lensy.models.classifier import Classifier
from lensy.provenance import provenance
from lensy.runs.run import Run
from lensy.telescope.bands import band
from lensy.training.scorer import MARKED
from lensy.values import Image, Mask

COLUMN_UNITS = {"x": "pix", "y": "pix", "ra": "deg", "dec": "deg"}


@dataclass(frozen=True)
class Candidate:
    """One row of the result. x, y: 0-based pixels. ra, dec: degrees, NaN without coordinates.

    score: log-odds of the classifier. probability: the calibrated chance that this is a lens, if
    half of all images like it were. light: mean of the brightest pixels of the painting.
    flags: comma-separated: "padded", "masked pixels", "edge", "below threshold".
    """

    file: str
    band: str
    x: float
    y: float
    ra: float
    dec: float
    score: float
    probability: float
    light: float
    flags: str


@dataclass(frozen=True)
class Finding:
    """What was found in a cutout.

    light: reconstructed lensed light (y, x) in nJy. marked: pixels (y, x) that an artefact spoils,
    by a network that marks them.
    """

    cutout: Cutout
    light: Image
    candidates: list[Candidate]
    marked: Mask | None = None

    def draw(self, title: str | None = None) -> Figure:
        """Image, reconstruction, and both with the candidates; the file's name as title."""
        cutout = self.cutout
        return draw_candidate(
            cutout.flux,
            self.light,
            marks=[
                (*cutout.place(each.x, each.y), f"{each.probability:.2f}")
                for each in self.candidates
            ],
            mask=cutout.mask,
            title=cutout.path.name if title is None else title,
            band_sigma=band(cutout.band).background_sigma,
        )

    def entries(self) -> list[Entry]:
        """The candidates for an inspection page, with the reconstruction of each."""
        sigma = band(self.cutout.band).background_sigma
        found = []
        for each in self.candidates:
            part = surroundings(self.cutout, each.x, each.y)
            light = self.light[part]
            masks = {"lensed light": light > sigma}
            if self.marked is not None:
                masks["artefact"] = self.marked[part]
            found.append(
                entry(
                    self.cutout.path.name,
                    each.score,
                    sigma=sigma,
                    images={"image": self.cutout.flux[part], "reconstruction": light},
                    masks=masks,
                    details=in_words(asdict(each)),
                )
            )
        return found


@dataclass(frozen=True)
class Finder:
    """A classifier with its painting, and what validation chose for both.

    n_brightest: output pixels whose mean is a painting's brightness. least_light: brightness that
    10 % of the simulated non-lenses reach; threshold: score that they reach. origin: where all of
    it comes from, written into every table.
    """

    classifier: Classifier
    calibration: Calibration
    n_brightest: int
    least_light: float
    threshold: float
    band: str = "VIS"
    origin: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_run(cls, run: Run) -> Finder:
        """The finder that a finished run makes. Raises LensyError where it cannot search an image.

        The run needs both networks, and they must see one band.
        """
        score = run.info.get("score", {})
        if "painting" not in score or not (run.folder / "head.safetensors").exists():
            raise LensyError(
                f"{run.folder} holds no network that paints lensed light and scores images: give "
                "the folder of a finished naberrie run with --run."
            )
        experiment = run.info["experiment"]
        if len(experiment["bands"]) > 1:
            raise LensyError(
                f"{experiment['name']} needs the bands {', '.join(experiment['bands'])} at once, "
                "and images are searched in one: take the network of a single band."
            )
        origin = {
            "run": experiment["name"],
            "scale": experiment["scale"],
            "fingerprint": run.info["fingerprint"],
            "commit_of_run": run.info["provenance"]["commit"],
            "score": score,
        }
        return cls(
            classifier=run.classifier().fused(),
            calibration=Calibration(**score["calibration"]),
            n_brightest=score["painting"]["n_brightest"],
            least_light=score["painting"]["threshold_at_false_positive_rate"]["0.1"],
            threshold=score["threshold_at_false_positive_rate"]["0.1"],
            band=experiment["bands"][0],
            origin=origin,
        )

    @property
    def window(self) -> Window:
        """What the networks see at a time."""
        return Window.of(self.band)

    def write(self, candidates: Iterable[Candidate], path: Path) -> None:
        """Write the table of candidates as ECSV; the file is whole or not there."""
        write_table(candidate_table(candidates, self.origin), path)

    def find(self, cutout: Cutout, *, progress: bool = False) -> Finding:
        """Search one cutout. Raises LensyError for another band or where nothing can be searched.

        progress: show a bar over the windows of a large frame.
        """
        usable = usable_pixels(cutout, self.band)
        unet = self.classifier.encoder.unet
        flux, inside = cutout.padded(self.window.side)
        output = stitched_output(unet, flux, self.window, progress=progress)[inside]
        places = self._places(output, usable)
        light = np.asarray(np.sinh(output) * float(unet.sigma.flatten()[0]), np.float32)
        corner = (inside[0].start, inside[1].start)
        candidates = [self._candidate(cutout, flux, corner, light, place) for place in places]
        candidates.sort(key=lambda each: -each.score)
        good = [each for each in candidates if each.score >= self.threshold]
        one = max(usable.shape) <= self.window.side
        marked = None
        if unet.marks_artefacts:
            spoilt = stitched_output(unet.mark, flux, self.window, progress=progress)
            marked = spoilt[inside] > MARKED
        return Finding(cutout, light, candidates[:1] if one or not good else good, marked)

    def _places(self, output: Image, usable: Mask) -> list[Place]:
        """The places whose brightness reaches the least, or else the best one."""
        tried = bright_places(
            output, usable, self.n_brightest, self.least_light, self.window.radius
        )
        tried.sort(key=lambda place: -place.score)
        good = [place for place in tried if place.score >= self.least_light]
        one = max(usable.shape) <= self.window.side
        return tried[:1] if one or not good else good

    def _candidate(
        self, cutout: Cutout, flux: Image, corner: tuple[int, int], light: Image, place: Place
    ) -> Candidate:
        """flux: with padding, in which the cutout's first pixel is at `corner`."""
        where = tuple(
            self.window.around(peak + start, n)
            for peak, start, n in zip(place.peak, corner, flux.shape, strict=True)
        )
        surroundings = torch.from_numpy(np.ascontiguousarray(flux[where])[None, None])
        score = float(self.classifier.score(surroundings)[0])
        x, y = cutout.position(*centroid(light, place, self.n_brightest))
        ra, dec = cutout.sky(x, y)
        return Candidate(
            file=str(cutout.path),
            band=cutout.band,
            x=x,
            y=y,
            ra=ra,
            dec=dec,
            score=score,
            probability=float(self.calibration.probability(score)),
            light=place.score,
            flags=",".join(self._flags(cutout, place, score)),
        )

    def _flags(self, cutout: Cutout, place: Place, score: float) -> list[str]:
        shape = cutout.flux.shape
        part, disc = disc_around(place.peak, shape, self.window.radius)
        to_border = min(min(i, n - 1 - i) for i, n in zip(place.peak, shape, strict=True))
        states = {
            "padded": min(shape) < self.window.side,
            "masked pixels": bool(cutout.mask[part][disc].any()),
            "edge": to_border * band(self.band).pixel_scale < EDGE,
            "below threshold": score < self.threshold,
        }
        return [flag for flag, holds in states.items() if holds]


def candidate_table(candidates: Iterable[Candidate], origin: dict[str, Any]) -> Table:
    """Rows with units, best score first; the table's meta says what made them."""
    ranked = sorted(candidates, key=lambda each: -each.score)
    table = Table(rows=[asdict(each) for each in ranked], units=COLUMN_UNITS)
    table.meta = {
        "score": "log-odds of the classifier for the 20 arcsec around the candidate",
        "probability": "calibrated; half of all images like it taken to be lenses",
        "light": "mean of the brightest output pixels (arcsinh scale) within 5 arcsec",
        "finder": origin,
        "made": provenance(),
    }
    return table
