"""Light that is in the way: saturated stars, ghosts, trails. One class each, with its model.

It arrives as photons, so it is added before the noise. Positions and angles as in `artefact.py`.
«Reading» after a number says that it is our choice within what is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import erf

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
from lensy.telescope.focal_plane import instrument_of
from lensy.telescope.noise import ExposureMode
from lensy.values import Floats, Mask

Bands = tuple[str, ...]

FULL_WELL = {"VIS": 200_000.0, "NISP": 130_000.0}
"""Electrons that a pixel holds. Source: VIS, the Euclid Consortium's page on the instrument (about
200 000, so that stars are limited to 17.8); NISP, reading of Kubik et al. 2026 (linear to 80 000).
"""

HALO = {"VIS": (0.10, 0.3), "NISP": (0.15, 0.5)}
"""Share of a star's light in the wide wings, which fall as the cube of the radius, and where they
begin to (arcsec). Reading: diffraction by a round aperture."""

SPIKES = {"VIS": (0.02, 0.5), "NISP": (0.04, 0.8)}
"""Share of a star's light in the six spikes, and the length (arcsec) over which they lose three
quarters of their brightness. Three vanes hold the secondary mirror, each makes a pair of spikes.
Reading: seen over ten arcsec around a star of magnitude 15."""

BRIGHTEST, FAINTEST_STAR, COUNT_SLOPE = 12.0, 17.8, 0.2
"""VIS magnitudes of stars that saturate, and by how much the logarithm of their number grows with
one magnitude. Source: bright limit as in FULL_WELL; slope and brightest star, reading."""

HALF_FRAME = 0.5 * FRAME
"""Half the side of a frame, arcsec."""

SQUARE_DEGREE = 3600.0**2
"""In square arcsec."""

STARS = 0.04 * 10.0 ** (0.2 * 0.3)
"""Stars that saturate in VIS, to magnitude 17.8, per frame: 0.02 to 0.06 to magnitude 17.5, and
counts that grow as 10^(0.2 m). Source: star counts at high galactic latitude; slope, reading."""

GHOSTS = 8.0 * 2 * (FRAME + 18.0) ** 2 / SQUARE_DEGREE
"""Ghosts per frame: 8 stars to magnitude 10 per square degree, a dichroic and a filter ghost each,
of 9 arcsec radius. Source: 340 000 stars to magnitude 10 in the sky; Paterson et al. 2026."""

TRAILS = 10.0 * (FRAME + 5.0) ** 2 / SQUARE_DEGREE
"""Asteroid trails per frame and exposure: 150 000 of them in 15 000 square degrees.
Source: Carry 2018, A&A 609, A113."""


def _around(band: Band, x: float, y: float, angle: float) -> tuple[Floats, Floats]:
    """Pixel centres relative to a position, along axes turned by `angle`, each (y, x)."""
    columns, rows = pixel_positions(band.n_pixels, band.pixel_scale)
    return turned(columns - x, rows - y, angle)


def _seen(light: Floats, band: Band) -> Mask:
    return np.asarray(light > FAINTEST * band.background_sigma)


def _line_width(band: Band) -> float:
    """Sigma of a thin line's profile: the point-spread function, widened by the pixel."""
    return float(np.hypot(band.psf_sigma, band.pixel_scale / np.sqrt(12)))


def _gauss(distance: Floats, sigma: float) -> Floats:
    return np.asarray(np.exp(-0.5 * (distance / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma))


@dataclass(frozen=True)
class Star(Artefact):
    """A star so bright that pixels overflow: halo, six spikes, and in VIS bleeding along columns.

    magnitudes: AB, per band. The core is the band's Gaussian, integrated over pixels. What does
    not fit into a VIS pixel flows up and down its column and fills the next ones.
    """

    bands: Bands
    x: float
    y: float
    angle: float
    magnitudes: dict[str, float]
    kind: ClassVar[str] = "star"
    words: ClassVar[str] = "a saturated star with halo, six spikes and bleeding columns"
    per: ClassVar[Sharing] = "frame"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Counts of stars."""
        del exposure
        return STARS

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """Anywhere in the frame but within 3 arcsec of its centre, where the candidate is.

        Colours from those of a solar type star to those of a red dwarf: reading.
        """
        x = y = 0.0
        while np.hypot(x, y) < 3:
            x, y = rng.uniform(-HALF_FRAME, HALF_FRAME, 2)
        share = rng.uniform(10 ** (COUNT_SLOPE * (BRIGHTEST - FAINTEST_STAR)), 1)
        magnitude, red = FAINTEST_STAR + np.log10(share) / COUNT_SLOPE, rng.random()
        colours = {"VIS": 0.0, "Y": 0.2 + 0.7 * red, "J": 0.3 + 0.9 * red, "H": 0.3 + red}
        magnitudes = {name: float(magnitude - colours[name]) for name in setting.bands}
        return cls(setting.bands, float(x), float(y), setting.angle, magnitudes)

    def light(self, band: Band) -> Floats:
        """Its light before any pixel overflows, (y, x) in nJy."""
        instrument, area = instrument_of(band.name), band.pixel_scale**2
        in_halo, core = HALO[instrument]
        in_spikes, reach = SPIKES[instrument]
        across, along = _around(band, self.x, self.y, self.angle)
        halo = (1 + (across**2 + along**2) / core**2) ** -1.5 * (area / (2 * np.pi * core**2))
        width = _line_width(band)
        share = (1 - in_halo - in_spikes) * self._core(band) + in_halo * halo
        for spoke in range(3):
            outwards, off = turned(across, along, spoke * np.pi / 3)
            near = np.abs(off) < 5 * width
            fall = (1 + np.abs(outwards[near]) / reach) ** -2 / (2 * reach)
            share[near] += in_spikes * fall * _gauss(off[near], width) * (area / 3)
        return np.asarray(band.flux(self.magnitudes[band.name]) * share)

    def _core(self, band: Band) -> Floats:
        """Share of a Gaussian in each pixel."""
        columns, rows = pixel_positions(band.n_pixels, band.pixel_scale)
        half, width = 0.5 * band.pixel_scale, np.sqrt(2) * band.psf_sigma
        parts = [
            0.5 * (erf((axis + half) / width) - erf((axis - half) / width))
            for axis in (columns - self.x, rows - self.y)
        ]
        return np.asarray(parts[0] * parts[1])

    @staticmethod
    def full_well(band: Band) -> float:
        """What a full pixel amounts to, nJy."""
        electrons = FULL_WELL[instrument_of(band.name)]
        return electrons * band.flux(band.zero_point) / band.exposure_time

    def spoil(self, band: Band) -> Spoil:
        """Light up to the full well, and what flowed over as charge."""
        light, full = self.light(band), self.full_well(band)
        kept = np.minimum(light, full)
        if instrument_of(band.name) != "VIS" or light.max() <= full:
            return Spoil(mask=_seen(kept, band), light=kept)
        charge = self._bled(light - kept, full - kept, band)
        return Spoil(mask=_seen(kept + charge, band), light=kept, charge=charge)

    def _bled(self, excess: Floats, room: Floats, band: Band) -> Floats:
        """The excess of each column, in the pixels of that column nearest to the star."""
        across, along = _around(band, self.x, self.y, self.angle)
        column = np.rint(across / band.pixel_scale).astype(int)
        charge = np.zeros_like(excess)
        for each in np.unique(column[excess > 0]):
            pixels = np.flatnonzero(column == each)
            pixels = pixels[np.argsort(np.abs(along.flat[pixels]))]
            there = room.flat[pixels]
            left = excess.flat[pixels].sum() - (np.cumsum(there) - there)
            charge.flat[pixels] = np.clip(left, 0.0, there)
        return charge


VANE = 0.05
"""Half the width of a vane's shadow in a ghost, in units of its radius. Reading."""


@dataclass(frozen=True)
class Ghost(Artefact):
    """A bright star's light after two reflections, far from the star: a disc or ring, no galaxy.

    It is an image of the mirror: round, dark in the middle (hole, in units of the radius), with
    the shadows of three vanes. surface_brightness: AB magnitude per square arcsec. Source: NISP,
    Paterson et al. 2026, A&A 707, A226: stars to magnitude 10, radius 20 to 40 pixels.
    """

    bands: Bands
    x: float
    y: float
    angle: float
    radius: float
    hole: float
    surface_brightness: float
    kind: ClassVar[str] = "ghost"
    words: ClassVar[str] = "a reflection of a bright star: a faint disc or ring without a galaxy"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Counts of bright stars."""
        del exposure
        return GHOSTS

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """Discs and rings alike, from the noise of a pixel to five times as much: reading.

        NISP: radius 20 to 40 pixels, source as above. VIS: 4 to 10 arcsec, reading.
        """
        smallest, largest = (6, 12) if instrument_of(setting.bands[0]) == "NISP" else (4, 10)
        x, y = rng.uniform(-HALF_FRAME, HALF_FRAME, 2)
        radius, hole = rng.uniform(smallest, largest), rng.uniform(0.3, 0.85)
        brightness = rng.uniform(24.0, 25.8)
        return cls(
            setting.bands,
            float(x),
            float(y),
            setting.angle,
            float(radius),
            float(hole),
            float(brightness),
        )

    def spoil(self, band: Band) -> Spoil:
        """Light within the disc, with edges that are a little soft."""
        across, along = _around(band, self.x, self.y, self.angle)
        distance, soft = np.hypot(across, along), 0.05 * self.radius + band.psf_sigma
        edges = (self.radius, self.hole * self.radius)
        outer, inner = (erf((edge - distance) / soft) for edge in edges)
        disc = 0.5 * (outer - inner)
        for vane in range(3):
            forward, sideways = turned(across, along, vane * 2 * np.pi / 3)
            disc[(forward > 0) & (np.abs(sideways) < VANE * self.radius)] *= 0.3
        light = disc * band.flux(self.surface_brightness) * band.pixel_scale**2
        return Spoil(mask=_seen(light, band), light=light)


@dataclass(frozen=True)
class Trail(Artefact):
    """Something that moved during one exposure: a straight streak with round ends.

    x, y: its middle; direction: of motion; length: arcsec. magnitude: AB, mean over the exposure.
    Source: asteroids move 1 to 80 arcsec per hour (Carry 2018, A&A 609, A113; Pontinen et al.
    2020, A&A 644, A35).
    """

    bands: Bands
    x: float
    y: float
    direction: float
    length: float
    magnitude: float
    kind: ClassVar[str] = "trail"
    words: ClassVar[str] = "something that moved during an exposure: a straight streak"
    per: ClassVar[Sharing] = "band"

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """Counts of asteroids, in each of four exposures."""
        return 4 * TRAILS if exposure == "coadd" else TRAILS

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """An asteroid of magnitude 19 to 23; one of ten a brighter streak across the whole frame.

        Speed 5 to 80 arcsec per hour, equal numbers per factor. Magnitudes and share: reading.
        """
        x, y = rng.uniform(-0.8 * HALF_FRAME, 0.8 * HALF_FRAME, 2)
        direction, speed = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(5), np.log(80)))
        length, magnitude = speed * band(setting.bands[0]).exposure_time / 3600, rng.uniform(19, 23)
        if rng.random() < 0.1:
            length, magnitude = 60.0, rng.uniform(17, 20)
        return cls(
            setting.bands, float(x), float(y), float(direction), float(length), float(magnitude)
        )

    def spoil(self, band: Band) -> Spoil:
        """A line as wide as the point-spread function; one exposure of those added has it."""
        along, off = _around(band, self.x, self.y, self.direction)
        width, half = _line_width(band), 0.5 * self.length
        ends = [erf((along + end) / (np.sqrt(2) * width)) for end in (half, -half)]
        line = (ends[0] - ends[1]) / (2 * self.length) * _gauss(off, width)
        light = line * band.pixel_scale**2 * band.flux(self.magnitude) / band.n_exposures
        return Spoil(mask=_seen(light, band), light=light)
