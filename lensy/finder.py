"""Score real images and locate candidates with a trained network.

The network's output is searched for its brightest places; a candidate's score is the mean of the
brightest output pixels within 5 arcsec. A frame of at most 200 pixels on a side is padded to the
network's frame and gives one row. A larger one is scanned with overlapping windows and gives a row
per place whose score 10 % of the simulated non-lenses reach; every file gives at least one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from lensy.background import Image, Mask
from lensy.cutouts import Cutout
from lensy.errors import LensyError
from lensy.models.naberrie import Naberrie
from lensy.provenance import provenance, whole_file
from lensy.runs import Run
from lensy.search import (
    GUARD,
    SIDE,
    Place,
    bright_places,
    centroid,
    disc_around,
    searchable,
    stitched_output,
)

EDGE = 25
"""Pixels from the border (2.5 arcsec) within which a candidate is flagged: a ring may be cut."""

COLUMN_UNITS = {"x": "pix", "y": "pix", "ra": "deg", "dec": "deg"}


@dataclass(frozen=True)
class Candidate:
    """One row of the result. x, y: 0-based pixels. ra, dec: degrees, NaN without coordinates.

    flags: comma-separated: "padded", "masked pixels", "edge", "below threshold".
    """

    file: str
    band: str
    x: float
    y: float
    ra: float
    dec: float
    score: float
    flags: str


@dataclass(frozen=True)
class Finding:
    """What was found in a cutout. light: reconstructed lensed light (y, x) in nJy."""

    cutout: Cutout
    light: Image
    candidates: list[Candidate]


@dataclass(frozen=True)
class Finder:
    """A network with the score that its validation chose.

    n_brightest: output pixels whose mean is the score. threshold: score that 10 % of the simulated
    non-lenses reach. origin: where both come from, written into every table.
    """

    model: Naberrie
    n_brightest: int
    threshold: float
    band: str = "VIS"
    origin: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_run(cls, run: Run) -> Finder:
        """The finder that a finished run makes. Raises LensyError where it holds no network."""
        score = run.info.get("score", {})
        if "n_brightest" not in score or not (run.folder / "model.safetensors").exists():
            raise LensyError(
                f"{run.folder} holds no network that paints lensed light: give the folder of a "
                "finished naberrie run with --run."
            )
        experiment = run.info["experiment"]
        origin = {
            "run": experiment["name"],
            "scale": experiment["scale"],
            "fingerprint": run.info["fingerprint"],
            "commit_of_run": run.info["provenance"]["commit"],
            "score": score,
        }
        threshold = score["threshold_at_false_positive_rate"]["0.1"]
        return cls(run.model(), score["n_brightest"], threshold, experiment["band"], origin)

    def find(self, cutout: Cutout, *, progress: bool = False) -> Finding:
        """Search one cutout. Raises LensyError for another band or where nothing can be searched.

        progress: show a bar over the windows of a large frame.
        """
        if cutout.band != self.band:
            raise LensyError(f"The network sees band {self.band}, not {cutout.band}.")
        usable = searchable(cutout.mask)
        if not usable.any():
            raise LensyError(
                f"{cutout.path} has no pixel farther than {GUARD} pixels from its border and from "
                "pixels without data: take a larger cutout."
            )
        flux, inside = cutout.padded(SIDE)
        output = stitched_output(self.model, flux, progress=progress)[inside]
        places = self._places(output, usable, one=max(usable.shape) <= SIDE)
        light = np.asarray(np.sinh(output) * float(self.model.sigma), np.float32)
        return Finding(cutout, light, [self._candidate(cutout, light, each) for each in places])

    def _places(self, output: Image, usable: Mask, *, one: bool) -> list[Place]:
        """The places whose score reaches the threshold, or else the best one."""
        tried = bright_places(output, usable, self.n_brightest, self.threshold)
        tried.sort(key=lambda place: -place.score)
        good = [place for place in tried if place.score >= self.threshold]
        return tried[:1] if one or not good else good

    def _candidate(self, cutout: Cutout, light: Image, place: Place) -> Candidate:
        x, y = centroid(light, place, self.n_brightest)
        ra, dec = cutout.sky(x, y)
        flags = self._flags(cutout, place)
        return Candidate(str(cutout.path), cutout.band, x, y, ra, dec, place.score, ",".join(flags))

    def _flags(self, cutout: Cutout, place: Place) -> list[str]:
        shape = cutout.flux.shape
        part, disc = disc_around(place.peak, shape)
        to_border = min(min(i, n - 1 - i) for i, n in zip(place.peak, shape, strict=True))
        states = {
            "padded": min(shape) < SIDE,
            "masked pixels": bool(cutout.mask[part][disc].any()),
            "edge": to_border < EDGE,
            "below threshold": place.score < self.threshold,
        }
        return [flag for flag, holds in states.items() if holds]


def candidate_table(candidates: Iterable[Candidate], origin: dict[str, Any]) -> Table:
    """Rows with units, best score first; the table's meta says what made them."""
    ranked = sorted(candidates, key=lambda each: -each.score)
    table = Table(rows=[asdict(each) for each in ranked], units=COLUMN_UNITS)
    table.meta = {
        "score": "mean of the brightest output pixels (arcsinh scale) within 5 arcsec",
        "finder": origin,
        "made": provenance(),
    }
    return table


def write_candidates(table: Table, path: Path) -> None:
    """Write the table as ECSV; the file is whole or not there."""
    with whole_file(path) as temporary:
        table.write(temporary, format="ascii.ecsv")
