"""Which artefacts a frame has, how often, and what an exposure with them looks like.

An `Instrument` says which kinds occur and how often; it draws them for a frame, and `expose` puts
noise and artefacts on a noiseless image and hands back a mask per kind. The kinds themselves are
in `stray_light.py` and `defects.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from lensy.bands import Band
from lensy.defects import ChipGap, CosmicRays, Holes, HotColumn, HotPixels, NoiseStep
from lensy.detector import Look, as_seen, observe, resampled
from lensy.errors import LensyError
from lensy.focal_plane import INSTRUMENTS, LAYOUTS, MEAN_SPAN, instrument_of
from lensy.frame import Paint, Setting
from lensy.scene import Frozen
from lensy.stray_light import Ghost, Star, Trail

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Artefact(Protocol):
    """Anything with a kind, the bands it is seen in, and a way to paint itself on a frame."""

    kind: ClassVar[str]

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands it is seen in."""

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """One for a frame."""

    def paint(self, band: Band) -> Paint:
        """What it does to the frame of a band, of which `n_exposures` are added."""


CLASSES: dict[str, type[Artefact]] = {
    each.kind: each
    for each in (
        ChipGap,
        NoiseStep,
        CosmicRays,
        Star,
        Ghost,
        HotPixels,
        HotColumn,
        Trail,
        Holes,
    )
}
"""The model of each kind."""

DESCRIPTIONS = {
    "chip gap": "no data between two detectors, or beyond the edge of the mosaic",
    "noise step": "fewer exposures, so more noise, on one side of a straight edge",
    "cosmic rays": "tracks of charged particles",
    "star": "a saturated star with halo, six spikes and bleeding columns",
    "ghost": "a reflection of a bright star: a faint disc or ring without a galaxy",
    "hot pixels": "single pixels with charge of their own",
    "hot column": "part of a detector column with charge of its own",
    "trail": "something that moved during an exposure: a straight streak",
    "hole": "masked clusters of bad pixels without data",
}
"""What each kind is."""

KINDS = tuple(CLASSES)
"""Names of all kinds of artefact."""

Probability = Annotated[float, Field(ge=0, le=1)]


class PerInstrument(Frozen):
    """One probability for VIS and one for NISP."""

    VIS: Probability = 0.0
    NISP: Probability = 0.0


def _for_both(value: Any) -> Any:
    return {"VIS": value, "NISP": value} if isinstance(value, int | float) else value


Rate = Annotated[PerInstrument, BeforeValidator(_for_both)]
"""Probabilities for VIS and NISP; a single number stands for both."""

NEVER = PerInstrument()


class Rates(Frozen):
    """Probability that a frame of 20 arcsec has an artefact of each kind, from 0 to 1, no unit.

    A frame is that of one band for cosmic rays and trails, that of an instrument for what belongs
    to its detectors, and all bands together for a star.
    """

    chip_gap: Rate = NEVER
    noise_step: Rate = NEVER
    cosmic_rays: Rate = NEVER
    star: Probability = 0.0
    ghost: Rate = NEVER
    hot_pixels: Rate = NEVER
    hot_column: Rate = NEVER
    trail: Rate = NEVER
    hole: Rate = NEVER

    def of(self, kind: str, instrument: str) -> float:
        """The probability of a kind in VIS or NISP."""
        rate = getattr(self, kind.replace(" ", "_"))
        return float(rate if isinstance(rate, float | int) else getattr(rate, instrument))


FRAME = 20.0
"""Side of a frame, arcsec."""

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


@cache
def realistic_rates(look: Look) -> Rates:
    """What a frame of the survey has, to the best of what is public.

    From the geometry: chip gaps of an exposure, noise steps. From counts: stars, ghosts, trails.
    From four public Q1 cutouts: holes (in one field of four in NISP; in VIS where only two
    exposures are), and cosmic rays that a coadd keeps (none seen in five frames' worth). Reading:
    hot pixels and columns, edges of the mosaic (1 of 200 frames).
    """
    span = FRAME * MEAN_SPAN
    always = {"star": STARS, "ghost": GHOSTS}
    if look == "single exposure":
        rates: dict[str, Any] = {
            # candidates are where detectors are: of those frames, the share that a gap cuts
            "chip_gap": {name: each.cut_fraction(span) for name, each in LAYOUTS.items()},
            "cosmic_rays": {"VIS": 1.0, "NISP": 0.9},
            "hot_pixels": 1.0,
            "hot_column": 0.05,
            "trail": TRAILS,
            "hole": {"VIS": 0.0, "NISP": 0.4},
        }
    else:
        rates = {
            "chip_gap": 0.005,
            "noise_step": {name: each.step_fraction(span) for name, each in LAYOUTS.items()},
            "cosmic_rays": {"VIS": 0.1, "NISP": 0.02},
            "hot_pixels": 0.02,
            "hot_column": 0.005,
            "trail": 4 * TRAILS,
            "hole": {"VIS": 0.1, "NISP": 0.4},
        }
    return Rates.model_validate(rates | always)


class Instrument(Frozen):
    """What may go wrong with a frame. As it stands nothing does: `observe` and no more.

    look: four exposures added, or one alone. correlated_noise: whether noise has the scatter and
    the correlation of neighbours of a real mosaic, instead of being white. rates: see `Rates`;
    a noise step needs a coadd.
    """

    look: Look = "coadd"
    correlated_noise: bool = False
    rates: Rates = Rates()

    @model_validator(mode="after")
    def _steps_need_a_coadd(self) -> Self:
        if self.look == "single exposure" and self.rates.noise_step != NEVER:
            raise ValueError(
                "rates.noise_step must be 0 where look is 'single exposure': a step in the noise "
                "is where one of several exposures ends"
            )
        return self

    @classmethod
    def realistic(cls, look: Look = "coadd") -> Instrument:
        """All artefacts at the rates of `realistic_rates`, and in a coadd correlated noise."""
        return cls(look=look, correlated_noise=look == "coadd", rates=realistic_rates(look))

    @classmethod
    def only(cls, kind: str, look: Look = "coadd") -> Instrument:
        """An artefact of one kind in the frame of every band, and white noise."""
        if kind not in KINDS:
            raise LensyError(f"There is no artefact {kind!r}; the kinds are {', '.join(KINDS)}.")
        return cls(look=look, rates=Rates.model_validate({kind.replace(" ", "_"): 1.0}))

    def draw(self, rng: np.random.Generator) -> tuple[Artefact, ...]:
        """The artefacts of one frame in all bands.

        Each kind has its own random numbers, so that switching one off leaves the others.
        """
        angle = float(rng.uniform(0, 2 * np.pi))
        seeds = rng.integers(2**53, size=(len(KINDS), 4))
        single = self.look == "single exposure"
        found: list[Artefact] = []
        for kind, row in zip(KINDS, seeds, strict=True):
            for bands, seed in zip(_groups(kind), row, strict=False):
                rate = self.rates.of(kind, instrument_of(bands[0]))
                if rate == 0:
                    continue
                own = np.random.default_rng(seed)
                if own.random() < rate:
                    found.append(CLASSES[kind].draw(own, Setting(bands, angle, single)))
        return tuple(found)


CLEAN = Instrument()
"""Noise and nothing else."""

ALL_BANDS = tuple(name for names in INSTRUMENTS.values() for name in names)


def _groups(kind: str) -> tuple[tuple[str, ...], ...]:
    """Bands that share an artefact of a kind."""
    if kind == "star":
        return (ALL_BANDS,)
    if kind in ("cosmic rays", "trail"):
        return tuple((name,) for name in ALL_BANDS)
    return tuple(INSTRUMENTS.values())


@dataclass(frozen=True)
class Exposure:
    """A picture with everything in it. image: (y, x) in nJy, exactly 0 without data.

    masks: the pixels that each kind of artefact spoils, (y, x); kinds without any are left out.
    """

    image: Image
    masks: dict[str, Mask]


def expose(
    image: Image,
    band: Band,
    rng: np.random.Generator,
    *,
    artefacts: Sequence[Artefact] = (),
    instrument: Instrument = CLEAN,
    corner: tuple[int, int] = (0, 0),
) -> Exposure:
    """The picture that the instrument takes of a noiseless image (y, x) in nJy.

    artefacts: of the whole frame, as `Instrument.draw` gives them. image: the frame, or a part of
    it whose first pixel is the frame's pixel `corner` (row, column).
    Without artefacts and with the instrument as it stands this is `observe`, bit for bit.
    """
    window = _window(image, band, corner)
    seen = as_seen(band, instrument.look)
    here = [each for each in artefacts if band.name in each.bands]
    paints = [(each.kind, each.paint(seen).cropped(window)) for each in here]
    exposures = _fewest([p.exposures for _, p in paints if p.exposures is not None])
    picture = observe(image, band, rng, exposures=exposures, look=instrument.look)
    expected = image
    lights = [paint.light for _, paint in paints if paint.light is not None]
    if lights:
        light = np.sum(lights, axis=0)
        expected = image + light.astype(np.float32)
        share = 1.0 if exposures is None else exposures / seen.n_exposures
        photon = seen.njy_per_electron / share
        picture = picture + (rng.poisson(light / photon) * photon).astype(np.float32)
    if instrument.correlated_noise:
        picture = expected + resampled(picture - expected, band)
    for _, paint in paints:
        if paint.charge is not None:
            picture = picture + paint.charge.astype(np.float32)
    blank = [paint.blank for _, paint in paints if paint.blank is not None]
    if blank:
        picture[np.any(blank, axis=0)] = 0.0
    return Exposure(picture, _masks(paints))


def _fewest(maps: list[NDArray[np.int64]]) -> NDArray[np.int64] | None:
    return np.asarray(np.min(maps, axis=0)) if maps else None


def _masks(paints: Sequence[tuple[str, Paint]]) -> dict[str, Mask]:
    """Masks by kind, joined over artefacts, in the order of KINDS."""
    masks = {}
    for kind in KINDS:
        found = [paint.mask for each, paint in paints if each == kind]
        mask = np.any(found, axis=0) if found else np.zeros(0, bool)
        if mask.any():
            masks[kind] = np.asarray(mask)
    return masks


def _window(image: Image, band: Band, corner: tuple[int, int]) -> tuple[slice, slice]:
    """Where an image lies in the frame of its band."""
    window = [slice(first, first + n) for first, n in zip(corner, image.shape, strict=True)]
    if min(corner) < 0 or max(each.stop for each in window) > band.n_pixels:
        raise LensyError(
            f"An image of {image.shape} pixels (y, x) at the corner {corner} does not lie in the "
            f"{band.name} frame of {band.shape}: give a smaller corner, or a crop of the frame."
        )
    return window[0], window[1]
