"""Which artefacts a frame has, how often, and what an exposure with them looks like.

An `Instrument` says which kinds occur and how often; it draws them for a frame, and `expose` puts
noise and artefacts on a noiseless image and hands back a mask per kind. The kinds themselves are
in `stray_light.py` and `defects.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from lensy.errors import LensyError
from lensy.telescope import detector_artefacts, optical_artefacts
from lensy.telescope.artefact import Artefact, Paint, Setting
from lensy.telescope.bands import Band
from lensy.telescope.focal_plane import INSTRUMENTS, instrument_of
from lensy.telescope.noise import HST_PIXELS, Look, as_seen, detector_pixels, observe, resampled
from lensy.telescope.rates import NEVER, Rates, realistic_rates
from lensy.values import Frozen, Image, Mask

KINDS = tuple(field.replace("_", " ") for field in Rates.model_fields)
"""Names of all kinds of artefact: those that have a rate, in its order."""


def _classes() -> dict[str, type[Artefact]]:
    """The classes with a kind in the modules that hold artefacts, in the order of KINDS."""
    known = {
        each.kind: each
        for module in (detector_artefacts, optical_artefacts)
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and hasattr(each, "kind")
    }
    return {kind: known[kind] for kind in KINDS}


CLASSES = _classes()
"""The model of each kind."""

DESCRIPTIONS = {kind: each.words for kind, each in CLASSES.items()}
"""What each kind is."""


class Instrument(Frozen):
    """What may go wrong with a frame. As it stands nothing does: `observe` and no more.

    look: four exposures added, one alone, or one as of HST (VIS only). correlated_noise: whether
    noise has the scatter and the correlation of neighbours of a real mosaic, instead of being
    white. rates: see `Rates`; a noise step needs a coadd.
    """

    look: Look = "coadd"
    correlated_noise: bool = False
    rates: Rates = Rates()

    @model_validator(mode="after")
    def _steps_need_a_coadd(self) -> Self:
        if self.look != "coadd" and self.rates.noise_step != NEVER:
            raise ValueError(
                f"rates.noise_step must be 0 where look is {self.look!r}: a step in the noise "
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

    def without(self, kind: str) -> Instrument:
        """The same but for artefacts of one kind; where others are seen does not change."""
        rates = self.rates.model_dump() | {kind.replace(" ", "_"): 0.0}
        return self.model_copy(update={"rates": Rates.model_validate(rates)})

    def draw(self, rng: np.random.Generator) -> tuple[Artefact, ...]:
        """The artefacts of one frame in all bands.

        Each kind has its own random numbers, so that switching one off leaves the others.
        """
        angle = float(rng.uniform(0, 2 * np.pi))
        seeds = rng.integers(2**53, size=(len(KINDS), 4))
        single = self.look != "coadd"
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
    n_parts = HST_PIXELS if instrument.look == "HST-like" else 1
    painter = detector_pixels(band, instrument.look)
    paints = [(each.kind, each.paint(painter).binned(n_parts).cropped(window)) for each in here]
    exposures = _fewest([p.exposures for _, p in paints if p.exposures is not None])
    unseen = np.zeros(image.shape, bool) if exposures is None else exposures == 0
    picture = observe(image, band, rng, exposures=exposures, look=instrument.look)
    expected = image
    lights = [paint.light for _, paint in paints if paint.light is not None]
    if lights:
        light = np.sum(lights, axis=0)
        expected = image + light.astype(np.float32)
        light = np.where(unseen, 0.0, light)
        share = 1.0 if exposures is None else np.maximum(exposures, 1) / seen.n_exposures
        photon = seen.njy_per_electron / share
        picture = picture + (rng.poisson(light / photon) * photon).astype(np.float32)
    if instrument.correlated_noise:
        # where nothing was seen there is no noise to correlate
        expected = np.where(unseen, picture, expected)
        picture = expected + resampled(picture - expected, band)
    for _, paint in paints:
        if paint.charge is not None:
            picture = picture + paint.charge.astype(np.float32)
    blank = [paint.blank for _, paint in paints if paint.blank is not None]
    if blank:
        picture[np.any(blank, axis=0)] = 0.0
    picture[unseen] = 0.0
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
