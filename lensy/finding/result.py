"""What was found: candidates of one cutout or of many, as a table, a figure, a page, as COCO."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from astropy.table import Table
from matplotlib.figure import Figure

from lensy.errors import LensyError
from lensy.figures.images import draw_candidate
from lensy.figures.objects import Outlined, draw_object_rows
from lensy.finding.cutouts import Cutout
from lensy.finding.inspection_page import Entry, entry, in_words, write_page
from lensy.provenance import provenance, whole_file
from lensy.telescope.bands import band
from lensy.values import Image, Mask

UNITS = {
    "x": "pix", "y": "pix", "ra": "deg", "dec": "deg",
    "x_min": "pix", "y_min": "pix", "width": "pix", "height": "pix", "area": "pix2",
}  # fmt: skip

HIDDEN = ("kind", "segmentation")
"""What a table does not have: its candidates are of one kind, and masks go beside it."""

LIGHT = "lensed light"
"""The class of objects that are candidates."""

PAGE_SIDE = 12.0
"""Side (arcsec) of what an inspection page shows of a candidate's surroundings."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A place that may hold a lens, or any object of a detector; None where a network says nothing.

    kind: class of an object. x, y: 0-based pixels of the file, of an object the middle of its mask.
    ra, dec: degrees, NaN without coordinates. score: the higher the more lens-like. probability:
    the calibrated chance that this is a lens, if half of all images like it were. light: mean of
    the brightest pixels of the reconstruction. x_min, y_min, width, height: box of an object,
    pixels. area: pixels of its mask, segmentation: the mask as COCO's run lengths. flags:
    comma-separated: "padded", "masked pixels", "edge", "below threshold", "no threshold", "nothing
    found"; with the last, score and area are 0: a file without any candidate has one that says so.
    """

    file: str
    band: str
    kind: str | None = None
    x: float
    y: float
    ra: float
    dec: float
    score: float
    probability: float | None = None
    light: float | None = None
    x_min: float | None = None
    y_min: float | None = None
    width: float | None = None
    height: float | None = None
    area: int | None = None
    flags: str = ""
    segmentation: dict[str, Any] | None = None

    @property
    def may_be_lens(self) -> bool:
        """Whether it is no other object, such as a galaxy that a detector found beside it."""
        return self.kind in (None, LIGHT)


@dataclass(frozen=True)
class Finding:
    """What one network found in a cutout, best first.

    about: what the columns mean, and what made them. light: reconstructed lensed light (y, x) in
    nJy, by a network that makes it. marked: pixels (y, x) that an artefact spoils, likewise. masks:
    (y, x) of each candidate, by a detector; classes: those of its objects, from number 1. outlined:
    what a figure shows where there is no reconstruction.
    """

    cutout: Cutout
    candidates: list[Candidate]
    about: Mapping[str, Any] = field(default_factory=dict)
    light: Image | None = None
    marked: Mask | None = None
    masks: list[Mask] | None = None
    classes: tuple[str, ...] = ()
    outlined: Sequence[Outlined] = ()

    @property
    def table(self) -> Table:
        """Candidates with units, best first; its meta says what made them."""
        return Findings().add(self, page=False).table

    def to_html(self, path: Path | str, *, title: str = "Lens candidates") -> None:
        """Write a page on which to grade the candidates in a browser."""
        Findings().add(self).to_html(path, title=title)

    def figure(self, title: str | None = None) -> Figure:
        """The image, and what was found in it; the file's name as title."""
        flux, sigma = self.cutout.flux, band(self.cutout.band).background_sigma
        title = self.cutout.path.name if title is None else title
        if self.light is None:
            words = "best window" if self.masks is None else "detections"
            panels = [("image", flux, []), (words, flux, self.outlined)]
            return draw_object_rows([panels], title=title, sigma=sigma, upwards=True)
        marks = [
            (*self.cutout.place(each.x, each.y), f"{each.probability:.2f}")
            for each in self.candidates
        ]
        mask = self.cutout.mask
        return draw_candidate(
            flux, self.light, marks=marks, mask=mask, title=title, band_sigma=sigma
        )

    def entries(self) -> list[Entry]:
        """The candidates for an inspection page, with what the network shows of each."""
        every = enumerate(self.candidates)
        return [self._entry(each, k) for k, each in every if each.may_be_lens]

    def _entry(self, candidate: Candidate, k: int) -> Entry:
        its_band = band(self.cutout.band)
        side = round(PAGE_SIDE / its_band.pixel_scale)
        part = self.cutout.around(candidate.x, candidate.y, side)
        images, masks = {"image": self.cutout.flux[part]}, {}
        if self.light is not None:
            images["reconstruction"] = self.light[part]
            masks[LIGHT] = self.light[part] > its_band.background_sigma
        if self.masks is not None:
            masks[LIGHT] = self.masks[k][part]
        if self.marked is not None:
            masks["artefact"] = self.marked[part]
        return entry(
            self.cutout.path.name,
            candidate.score,
            sigma=its_band.background_sigma,
            images=images,
            masks=masks,
            details=in_words(asdict(candidate)),
        )


@dataclass
class Findings:
    """What one network found in several cutouts.

    candidates: of all of them, in the order in which they came. Images are not kept, so that there
    may be any number, but for the `best` finding: that with the highest score of a candidate.
    """

    candidates: list[Candidate] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    best: Finding | None = None

    def add(self, finding: Finding, *, page: bool = True) -> Self:
        """Add what was found in a cutout. page: whether there is to be a page of candidates."""
        self.candidates += finding.candidates
        self.entries += finding.entries() if page else []
        if self.best is None or _highest(finding) > _highest(self.best):
            self.best = finding
        return self

    @property
    def table(self) -> Table:
        """Candidates of all files with units, best first; its meta says what made them.

        Columns are those that the network fills. Raises LensyError where there is nothing.
        """
        about = self._best().about
        rows = [asdict(each) for each in self.candidates if each.may_be_lens]
        rows.sort(key=lambda row: -row["score"])
        filled = [name for name, value in rows[0].items() if value is not None]
        names = [name for name in filled if name not in HIDDEN]
        units = {name: unit for name, unit in UNITS.items() if name in names}
        table = Table([[row[name] for row in rows] for name in names], names=names, units=units)
        table.meta = {**about, "made": provenance()}
        return table

    def figure(self, title: str | None = None) -> Figure:
        """The file with the best candidate of all, and what was found in it."""
        return self._best().figure(title)

    def to_html(self, path: Path | str, *, title: str = "Lens candidates") -> None:
        """Write a page on which to grade the candidates in a browser; it is whole or not there."""
        write_page(self.entries, Path(path), title=title)

    def write(self, path: Path | str) -> None:
        """Write the table as ECSV; of a detector also all objects, as COCO.

        The latter has the table's name with the ending `.json`. Files are whole or not there.
        """
        path, classes = Path(path), self._best().classes
        if classes:
            write_coco(self.candidates, classes, path.with_suffix(".json"))
        with whole_file(path) as temporary:
            self.table.write(temporary, format="ascii.ecsv")

    def _best(self) -> Finding:
        if self.best is None:
            raise LensyError("Nothing was searched yet: find something in at least one file.")
        return self.best


def _highest(finding: Finding) -> float:
    return max(each.score for each in finding.candidates if each.may_be_lens)


def write_coco(candidates: Iterable[Candidate], classes: Iterable[str], path: Path) -> None:
    """Write a detector's objects as COCO with a score each; the file is whole or not there."""
    found = [(each, each.segmentation) for each in candidates if each.segmentation is not None]
    sizes = {each.file: mask["size"] for each, mask in found}
    images = {name: k for k, name in enumerate(sizes)}
    numbers = {name: k for k, name in enumerate(classes, 1)}
    content = {
        "images": [
            {"id": k, "file_name": name, "height": sizes[name][0], "width": sizes[name][1]}
            for name, k in images.items()
        ],
        "categories": [{"id": k, "name": name} for name, k in numbers.items()],
        "annotations": [
            {
                "id": k,
                "image_id": images[each.file],
                "category_id": numbers[str(each.kind)],
                "bbox": [each.x_min, each.y_min, each.width, each.height],
                "area": each.area,
                "segmentation": mask,
                "score": each.score,
                "iscrowd": 0,
            }
            for k, (each, mask) in enumerate([pair for pair in found if pair[0].area], 1)
        ],
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, separators=(",", ":")) + "\n", "utf-8")
