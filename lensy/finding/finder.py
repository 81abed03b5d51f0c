"""Find lenses in real images with any network: one of ours, shipped or made here, or another.

What a network can do decides how it searches: one that reconstructs the lensed light looks where
that is bright, one that detects objects gives their masks, and any other scores windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lensy.errors import LensyError
from lensy.finding.cutouts import Cutout, read_cutout
from lensy.finding.mask_search import MaskSearch
from lensy.finding.result import Finding, Findings
from lensy.finding.search import Search, threshold_of
from lensy.finding.unet_search import UnetSearch
from lensy.finding.window_search import WindowSearch
from lensy.runs.run import SINGLE, Run
from lensy.training.kinds import Network, bands_of, scorer_of, subject_of
from lensy.training.scorer import Scorer
from lensy.values import Image

ENDINGS = (".fits", ".fits.gz")


@dataclass(frozen=True)
class Finder:
    """A network that searches cutouts of the one band that it sees."""

    scorer: Scorer

    def __post_init__(self) -> None:
        """Raise LensyError where the network needs more than the image of one band."""
        _check(self.scorer.name, self.scorer.bands, self.scorer.grid)

    @classmethod
    def of(cls, network: Network, *, band: str | None = None) -> Finder:
        """The finder that a network makes. band: that of a module or function, VIS unless given.

        Raises LensyError where the network cannot search an image.
        """
        subject = subject_of(network, (band or "VIS",))
        if isinstance(subject, Run):
            # said before its weights are wanted
            _check(subject.name, bands_of(subject))
            # in single precision, whatever it was trained in: images are few, and digits count
            subject = scorer_of(subject, SINGLE)
        finder = cls(subject)
        if band not in (None, finder.band):
            raise LensyError(
                f"{finder.scorer.name} sees band {finder.band}, not {band}: leave out the band, or "
                "take another network."
            )
        return finder

    @property
    def band(self) -> str:
        """The band that is searched."""
        return self.scorer.bands[0]

    @property
    def threshold(self) -> float | None:
        """Score that 10 % of the simulated non-lenses reach; None where nobody knows."""
        return threshold_of(self.scorer)

    @property
    def search(self) -> type[Search]:
        """How the network searches."""
        if self.scorer.detector is not None:
            return MaskSearch
        knows_light = self.scorer.unet is not None and "painting" in self.scorer.meaning
        return UnetSearch if knows_light else WindowSearch

    def find(self, cutout: Cutout, *, progress: bool = False) -> Finding:
        """Search one cutout. Raises LensyError for another band or where nothing can be searched.

        progress: show a bar over the windows of a large frame.
        """
        origin = dict(self.scorer.origin) or {"network": self.scorer.name}
        meaning = {"score": dict(self.scorer.meaning)} if self.scorer.meaning else {}
        about = {**self.search.columns, "finder": origin | meaning}
        return replace(self.search(self.scorer, cutout, progress=progress).found(), about=about)


def find(
    images: Path | str | Cutout | Image | Iterable[Path | str],
    network: Network = "naberrie-vis",
    *,
    band: str | None = None,
    zero_point: float | None = None,
    progress: bool = False,
) -> Finding | Findings:
    """Find lens candidates in an image, with a table, a figure and a page of them.

    images: a FITS file, a `Cutout`, or a picture (y, x) in nJy on the band's pixels; several files
    or a folder of them give `Findings`. network: see `Network`. band: of the network, for a module
    or function that sees another than VIS. zero_point: AB magnitude of one count, instead of the
    header's. progress: show a bar over the windows of large frames.
    Raises LensyError where a file cannot be read, or a network cannot search its image.

    >>> import numpy as np
    >>> image = np.random.default_rng(1).normal(0.0, 2.0, (200, 200))
    >>> found = find(image, lambda flux: flux.amax(dim=(1, 2, 3)))
    >>> found.table.colnames
    ['file', 'band', 'x', 'y', 'ra', 'dec', 'score', 'probability', 'flags']
    """
    finder = Finder.of(network, band=band)
    if isinstance(images, str | Path) and not Path(images).is_dir():
        images = read_cutout(Path(images), finder.band, zero_point=zero_point)
    if isinstance(images, np.ndarray):
        images = Cutout.of(images, finder.band)
    if isinstance(images, Cutout):
        return finder.find(images, progress=progress)
    findings = Findings()
    for path in fits_files([images] if isinstance(images, str | Path) else images):
        cutout = read_cutout(path, finder.band, zero_point=zero_point)
        findings.add(finder.find(cutout, progress=progress))
    return findings


def fits_files(paths: Iterable[Path | str]) -> list[Path]:
    """The files named and those in the folders named, each once, in order."""
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else []
        for each in [f for f in inside if f.name.lower().endswith(ENDINGS)] or [path]:
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _check(name: str, bands: tuple[str, ...], grid: str = "") -> None:
    if len(bands) > 1:
        raise LensyError(
            f"{name} needs the bands {', '.join(bands)} at once, and images are searched in one: "
            "take the network of a single band."
        )
    if grid and grid != bands[0]:
        raise LensyError(
            f"{name} sees {bands[0]} on the pixels of {grid}, and images are searched on their "
            "own: take another network."
        )
