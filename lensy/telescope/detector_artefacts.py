"""What detectors do by themselves: gaps, steps in the noise, cosmic rays, hot pixels, holes.

One class each, with its model and its rate. Positions and angles as in `artefact.py`. «Reading»
after a number says that it is our choice within what is known.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from lensy.telescope.artefact import (
    FAINTEST,
    FRAME,
    Artefact,
    Setting,
    Sharing,
    Spoil,
    pixel_positions,
    turned,
)
from lensy.telescope.bands import Band, band
from lensy.telescope.focal_plane import DITHERS, LAYOUTS, MEAN_SPAN, Layout, instrument_of
from lensy.telescope.noise import ExposureMode
from lensy.values import Floats, Mask

Bands = tuple[str, ...]

SPAN = FRAME * MEAN_SPAN
"""Width of a frame along the axes of the detectors, arcsec, in the mean over all angles."""

PROBES = np.linspace(-9.75, 9.75, 14)
"""Where a frame is probed for whether an edge crosses it: out to its outermost pixels, arcsec."""


def _pixels(band: Band) -> tuple[Floats, Floats]:
    return pixel_positions(band.n_pixels, band.pixel_scale)


def _charged(electrons: NDArray[Any], band: Band) -> Spoil:
    """Charge of one of the exposures that are added, and where it can be told from noise."""
    charge = np.asarray(electrons * band.njy_per_electron, np.float64)
    return Spoil(mask=np.asarray(charge > FAINTEST * band.background_sigma), charge=charge)


@dataclass(frozen=True)
class _OnDetectors(Artefact, ABC):
    """Something that follows from where in the focal plane the frame's centre lies (x, y)."""

    bands: Bands
    x: float
    y: float
    angle: float

    @property
    def layout(self) -> Layout:
        """Detectors of the instrument."""
        return LAYOUTS[instrument_of(self.bands[0])]

    def places(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Positions in the focal plane of positions in the frame, arcsec."""
        along_rows, along_columns = turned(x, y, self.angle)
        return self.x + along_rows, self.y + along_columns


@dataclass(frozen=True)
class ChipGap(_OnDetectors):
    """No data between detectors (`gaps`, one exposure) and beyond the edge of what was observed.

    Source: geometry of the focal plane, see `focal_plane.py`.
    """

    gaps: bool = True
    kind: ClassVar[str] = "chip gap"
    words: ClassVar[str] = "no data between two detectors, or beyond the edge of the mosaic"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Candidates are where detectors are: of those frames, the share that a gap cuts.

        Edges of the mosaic: 1 of 200 frames, reading.
        """
        if exposure == "coadd":
            return 0.005
        return {name: each.cut_fraction(SPAN) for name, each in LAYOUTS.items()}

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """The frame's centre has data, a part of the frame has none.

        A single exposure: any detector of the focal plane. A coadd: at the edge of the mosaic.
        """
        layout = LAYOUTS[instrument_of(setting.bands[0])]
        while True:
            cell = rng.integers(layout.n_detectors, size=2)
            place = cell * layout.pitch + rng.uniform(0, 1, 2) * layout.detector
            if not setting.single:
                axis = rng.integers(2)
                place[axis] = rng.uniform(0, 15)
            gap = cls(
                setting.bands, float(place[0]), float(place[1]), setting.angle, gaps=setting.single
            )
            if gap.blank(PROBES, PROBES[:, None]).any():
                return gap

    def blank(self, x: Floats, y: Floats) -> Mask:
        """Whether positions in the frame have no data."""
        places = self.places(x, y)
        seen = self.layout.in_field(*places)
        return ~(seen & self.layout.on_detector(*places)) if self.gaps else ~seen

    def spoil(self, band: Band) -> Spoil:
        """Blank pixels."""
        blank = self.blank(*_pixels(band))
        return Spoil(mask=blank, blank=blank)


@dataclass(frozen=True)
class NoiseStep(_OnDetectors):
    """Fewer exposures on one side of a straight edge: a gap of one of the four exposures.

    Source: geometry and dither pattern, see `focal_plane.py`; two of four public Q1 cutouts show
    such steps in their noise maps.
    """

    kind: ClassVar[str] = "noise step"
    words: ClassVar[str] = "fewer exposures, so more noise, on one side of a straight edge"
    harmless: ClassVar[bool] = True
    needs_coadd: ClassVar[bool] = True

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """What the geometry and the dithers give."""
        return _step_fractions() if exposure == "coadd" else 0.0

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """Somewhere in the focal plane where an edge crosses the frame."""
        layout = LAYOUTS[instrument_of(setting.bands[0])]
        while True:
            x, y = rng.uniform(0, 1, 2) * layout.pitch
            step = cls(setting.bands, float(x), float(y), setting.angle)
            missing = step.missing(PROBES, PROBES[:, None])
            if missing.min() < missing.max():
                return step

    def missing(self, x: Floats, y: Floats) -> NDArray[np.int64]:
        """How many of the four exposures did not see positions in the frame."""
        return np.asarray(len(DITHERS) - self.layout.n_exposures(*self.places(x, y)))

    def spoil(self, band: Band) -> Spoil:
        """Exposures that are missing; masked where any is."""
        missing = self.missing(*_pixels(band))
        return Spoil(mask=missing > 0, missing=missing)


@cache
def _step_fractions() -> dict[str, float]:
    return {name: each.step_fraction(SPAN) for name, each in LAYOUTS.items()}


TRACK_LENGTH = {"VIS": (10.7, 0.76), "NISP": (2.0, 0.6)}
"""Length of a cosmic-ray track: median (pixels) and scatter of its logarithm. Source: VIS,
quantiles 0.1, 0.5 and 0.9 of `data/cdf_cr_length.dat` in EuclidVisibleInstrument (4.9, 10.7 and
29.4 pixels); NISP, reading: layers a quarter as thick, pixels half as large again."""

TRACK_CHARGE = (1100.0, 0.8)
"""Electrons per pixel of track: median and scatter of the logarithm. Source: quantiles of
`data/cdf_cr_total.dat` there (12 000 electrons in the median, 130 000 in one of ten)."""

SURVIVING_CHARGE = (100.0, 0.5)
"""The same for tracks that a coadd has kept: faint enough to pass for noise in one exposure of
four. Reading: 100 electrons are 8 sigma of a single VIS pixel, where rejection begins."""

CROOKED = 0.15
"""Share of tracks that wander like worms: electrons that scatter. Reading of public exposures."""

TRACKS = {"VIS": 0.03 / 15.6, "NISP": 5e-4}
"""Cosmic-ray tracks per pixel and exposure. Source: VIS, 3 % of the pixels touched in 565 s
(EuclidVisibleInstrument) by tracks of 15.6 pixels in the mean of this model; NISP, the same
particles per area and time on pixels of 18 instead of 12 micrometres in 87 s."""

SURVIVORS = 0.3
"""Tracks beyond the first in a coadd that has kept any, in the mean. Reading."""

STEP = 0.4
"""Distance (pixels) between the points from which a track is made."""


@dataclass(frozen=True)
class CosmicRays(Artefact):
    """Tracks of charged particles, straight or wandering, across one band.

    n_tracks: they begin anywhere in the frame. survivors: faint ones, which a coadd has kept.
    """

    bands: Bands
    n_tracks: int
    seed: int
    survivors: bool = False
    kind: ClassVar[str] = "cosmic rays"
    words: ClassVar[str] = "tracks of charged particles"
    per: ClassVar[Sharing] = "band"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Those that a coadd keeps: none seen in five frames' worth of public Q1 cutouts."""
        return {"VIS": 0.1, "NISP": 0.02} if exposure == "coadd" else {"VIS": 1.0, "NISP": 0.9}

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """All tracks of an exposure, at least one, or the one or two that a coadd keeps."""
        if setting.single:
            mean = TRACKS[instrument_of(setting.bands[0])] * band(setting.bands[0]).n_pixels ** 2
            n_tracks = max(1, int(rng.poisson(mean)))
        else:
            n_tracks = 1 + int(rng.poisson(SURVIVORS))
        return cls(setting.bands, n_tracks, int(rng.integers(2**53)), survivors=not setting.single)

    def lengths(self) -> Floats:
        """Lengths of the tracks, pixels."""
        median, scatter = TRACK_LENGTH[instrument_of(self.bands[0])]
        normal = np.random.default_rng([self.seed, 0]).standard_normal(self.n_tracks)
        return np.asarray(median * np.exp(scatter * normal))

    def spoil(self, band: Band) -> Spoil:
        """Charge along the tracks."""
        rng = np.random.default_rng([self.seed, 1])
        lengths, n = self.lengths(), band.n_pixels
        n_points = np.ceil(lengths / STEP).astype(int)
        track = np.repeat(np.arange(self.n_tracks), n_points)
        median, scatter = SURVIVING_CHARGE if self.survivors else TRACK_CHARGE
        charge = median * np.exp(scatter * rng.standard_normal(self.n_tracks))
        column, row = self._paths(track, n, rng)
        inside = (column >= 0) & (column < n) & (row >= 0) & (row < n)
        # Energy is lost in lumps: four collisions a point in the mean
        each = (charge * lengths / n_points)[track] * rng.gamma(4.0, 0.25, track.size)
        electrons = np.bincount((row * n + column)[inside], each[inside], minlength=n * n)
        return _charged(electrons.reshape(n, n), band)

    def _paths(
        self, track: NDArray[np.int64], n_pixels: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Column and row of each point of each track, which may lie outside the frame."""
        first = np.searchsorted(track, track)
        wander = np.where(rng.random(self.n_tracks) < CROOKED, 0.25, 0.01)
        turn = np.cumsum(wander[track] * rng.standard_normal(track.size))
        angle = rng.uniform(0, 2 * np.pi, self.n_tracks)[track] + turn - turn[first]
        ends = []
        for steps in (np.cos(angle), np.sin(angle)):
            path = np.cumsum(STEP * steps)
            start = rng.uniform(-0.5, n_pixels - 0.5, self.n_tracks)[track]
            ends.append(np.rint(path - path[first] + start).astype(int))
        return ends[0], ends[1]


HOT_CHARGE = (1000.0, 1.0)
"""Electrons of a hot pixel in one exposure: median and scatter of the logarithm. Reading."""


@dataclass(frozen=True)
class HotPixels(Artefact):
    """Single pixels with charge of their own."""

    bands: Bands
    n_pixels: int
    seed: int
    kind: ClassVar[str] = "hot pixels"
    words: ClassVar[str] = "single pixels with charge of their own"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Reading."""
        return 0.02 if exposure == "coadd" else 1.0

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """About four in an exposure: VIS one of 10 000 pixels, NISP one of 1000; one in a coadd.

        Source: NISP, less than 0.2 % of the pixels do not work (Kubik et al. 2026); rest, reading.
        """
        return cls(
            setting.bands,
            1 + int(rng.poisson(3.0 if setting.single else 0.2)),
            int(rng.integers(2**53)),
        )

    def spoil(self, band: Band) -> Spoil:
        """Charge in one pixel each."""
        rng, n = np.random.default_rng(self.seed), band.n_pixels
        place = rng.integers(n * n, size=self.n_pixels)
        charge = HOT_CHARGE[0] * np.exp(HOT_CHARGE[1] * rng.standard_normal(self.n_pixels))
        return _charged(np.bincount(place, charge, minlength=n * n).reshape(n, n), band)


@dataclass(frozen=True)
class HotColumn(Artefact):
    """A column of the detector with charge of its own, from a defect to the edge of the frame.

    offset: of the column from the frame's centre; start: of the defect along it (arcsec).
    electrons: in each pixel and one exposure.
    """

    bands: Bands
    angle: float
    offset: float
    start: float
    electrons: float
    kind: ClassVar[str] = "hot column"
    words: ClassVar[str] = "part of a detector column with charge of its own"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Reading."""
        return 0.005 if exposure == "coadd" else 0.05

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """Some 15 times the noise of one VIS exposure in each pixel: reading."""
        offset, start = rng.uniform(-8, 8), rng.uniform(-14, 5)
        electrons = 200 * np.exp(0.5 * rng.standard_normal())
        return cls(setting.bands, setting.angle, float(offset), float(start), float(electrons))

    def spoil(self, band: Band) -> Spoil:
        """The same charge in each of its pixels."""
        across, along = turned(*_pixels(band), self.angle)
        near = np.abs(across - self.offset) <= 0.5 * band.pixel_scale
        return _charged(np.where(near & (along >= self.start), self.electrons, 0.0), band)


HOLE_PIXELS = {"VIS": (5.0, 0.5), "NISP": (2.0, 0.8)}
"""Pixels of the detector in one hole: median and scatter of the logarithm. On the frame, where they
are turned, that makes a median of 8 and 4 pixels. Source: 26 holes in public Q1 cutouts, of 4 to 14
VIS pixels (median 8.5) and 1 to 13 NISP pixels of 0.3 arcsec (median 4)."""

QUARTERS = np.array([(-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25)])
"""Four points of a pixel, each in the middle of a quarter of it."""


@dataclass(frozen=True)
class Holes(Artefact):
    """Masked clusters of bad pixels: places without data, the same in all bands of a detector.

    Source: public Q1 cutouts, where NISP has them at almost the same place in Y, J and H.
    """

    bands: Bands
    n_holes: int
    angle: float
    seed: int
    kind: ClassVar[str] = "hole"
    words: ClassVar[str] = "masked clusters of bad pixels without data"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """In one field of four in NISP; in VIS where only two exposures are. Source: as above."""
        return {"VIS": 0.1 if exposure == "coadd" else 0.0, "NISP": 0.4}

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """One and some 2.3 more: with the rate of NISP, 1.3 per frame, as in Q1 cutouts."""
        return cls(
            setting.bands, 1 + int(rng.poisson(2.3)), setting.angle, int(rng.integers(2**53))
        )

    def spoil(self, band: Band) -> Spoil:
        """Blank pixels: clusters joined at sides and corners, turned with the detector."""
        rng, n = np.random.default_rng(self.seed), band.n_pixels
        blank = np.zeros((n, n), bool)
        median, scatter = HOLE_PIXELS[instrument_of(band.name)]
        for _ in range(self.n_holes):
            centre = rng.uniform(-0.5, n - 0.5, 2)
            size = max(1, round(median * np.exp(scatter * rng.standard_normal())))
            cells = np.zeros((size, 2))
            for k in range(1, size):
                cells[k] = cells[rng.integers(k)] + rng.integers(-1, 2, 2)
            parts = (cells[:, None] + QUARTERS).reshape(-1, 2)
            x, y = turned(parts[:, 0], parts[:, 1], -self.angle)
            column, row = np.rint(x + centre[0]).astype(int), np.rint(y + centre[1]).astype(int)
            inside = (row >= 0) & (row < n) & (column >= 0) & (column < n)
            blank[row[inside], column[inside]] = True
        return Spoil(mask=blank, blank=blank)
