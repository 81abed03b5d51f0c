"""Which artefacts a frame has, how often, and what an exposure with them looks like.

An `Instrument` says which kinds occur and how often; it draws them for a frame, and `expose` puts
noise and artefacts on a noiseless image and hands back a mask per kind. The kinds themselves are
in `optical_artefacts.py` and `detector_artefacts.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from lensy.errors import LensyError
from lensy.telescope import bands
from lensy.telescope.artefact import ARTEFACTS, FIRST_KINDS, Artefact, Setting, Sharing, Spoil
from lensy.telescope.bands import FLAWS, Band, generator_number
from lensy.telescope.focal_plane import INSTRUMENTS, instrument_of
from lensy.telescope.noise import (
    HST_PIXELS,
    ExposureMode,
    as_seen,
    detector_pixels,
    observe,
    resampled,
)
from lensy.telescope.rates import Rates, field_name, realistic_rates
from lensy.values import Frozen, Image, Mask

KINDS = tuple(ARTEFACTS)
"""Names of all kinds of artefact that come with lensy."""

DESCRIPTIONS = {kind: each.words for kind, each in ARTEFACTS.items()}
"""What each kind is."""


class Instrument(Frozen):
    """What may go wrong with a frame. As it stands nothing does: `observe` and no more.

    exposure: four exposures added, one alone, or one as of HST (VIS only). correlated_noise:
    whether noise has the scatter and the correlation of neighbours of a real mosaic, instead of
    being white. rates: see `Rates`; a noise step needs a coadd.
    """

    exposure: ExposureMode = "coadd"
    correlated_noise: bool = False
    rates: Rates = Rates()

    @model_validator(mode="after")
    def _some_need_a_coadd(self) -> Self:
        for kind in self.rates.kinds:
            if ARTEFACTS[kind].needs_coadd and self.exposure != "coadd":
                raise ValueError(
                    f"rates.{field_name(kind)} must be 0 where exposure is {self.exposure!r}: only "
                    f"a coadd of several exposures has a {kind}"
                )
        return self

    @classmethod
    def realistic(cls, exposure: ExposureMode = "coadd") -> Instrument:
        """All artefacts at the rates of `realistic_rates`, and in a coadd correlated noise."""
        return cls(
            exposure=exposure,
            correlated_noise=exposure == "coadd",
            rates=realistic_rates(exposure),
        )

    @classmethod
    def only(cls, kind: str, exposure: ExposureMode = "coadd") -> Instrument:
        """An artefact of one kind in the frame of every band, and white noise."""
        if kind not in ARTEFACTS:
            kinds = ", ".join(ARTEFACTS)
            raise LensyError(f"There is no artefact {kind!r}; the kinds are {kinds}.")
        return cls(exposure=exposure, rates=Rates({field_name(kind): 1.0}))

    def without(self, kind: str) -> Instrument:
        """The same but for artefacts of one kind; where others are seen does not change."""
        return self.model_copy(update={"rates": self.rates.without(kind)})

    def draw(self, rng: np.random.Generator) -> tuple[Artefact, ...]:
        """The artefacts of one frame in all bands.

        Each kind has its own random numbers, so that switching one off leaves the others.
        """
        angle = float(rng.uniform(0, 2 * np.pi))
        # as many as ever are taken from `rng`, whatever further kinds there are
        seeds = rng.integers(2**53, size=(len(FIRST_KINDS), 4))
        single = self.exposure != "coadd"
        found: list[Artefact] = []
        for kind in self.rates.kinds:
            for bands_of_one, seed in zip(
                _groups(ARTEFACTS[kind].per), _seeds_of(kind, seeds), strict=False
            ):
                own = np.random.default_rng(seed)
                if own.random() < self.rates.of(kind, instrument_of(bands_of_one[0])):
                    found.append(ARTEFACTS[kind].draw(own, Setting(bands_of_one, angle, single)))
        return tuple(found)

    def draw_from_seed(self, seed: int) -> tuple[Artefact, ...]:
        """The artefacts of the frame with a seed, in all bands: the same every time."""
        return self.draw(np.random.default_rng([seed, FLAWS]))


CLEAN = Instrument()
"""Noise and nothing else."""


def _groups(per: Sharing) -> tuple[tuple[str, ...], ...]:
    """Bands that share an artefact."""
    names = tuple(name for names in INSTRUMENTS.values() for name in names)
    if per == "frame":
        return (names,)
    return tuple(INSTRUMENTS.values()) if per == "instrument" else tuple((name,) for name in names)


def _seeds_of(kind: str, seeds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Four seeds of a kind: its row of those of FIRST_KINDS, or for a further one its own."""
    if kind in FIRST_KINDS:
        return np.asarray(seeds[FIRST_KINDS.index(kind)])
    own = np.random.default_rng([int(seeds[0, 0]), crc32(kind.encode())])
    return own.integers(2**53, size=4)


@dataclass(frozen=True)
class Exposure:
    """A picture with everything in it. image: (y, x) in nJy, exactly 0 without data.

    masks: the pixels that each kind of artefact spoils, (y, x); kinds without any are left out.
    """

    image: Image
    masks: dict[str, Mask]

    @property
    def spoilt(self) -> Mask:
        """Pixels whose light an artefact spoils, (y, x): those of harmless kinds are not."""
        found = [mask for kind, mask in self.masks.items() if not ARTEFACTS[kind].harmless]
        return np.asarray(np.any([np.zeros(self.image.shape, bool), *found], axis=0))


def expose(
    image: Image,
    band: Band | str,
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
    band = bands.band(band)
    spoils = _spoils(image, band, artefacts, instrument, corner)
    if len(spoils) == 1 and not instrument.correlated_noise:
        return Exposure(observe(image, band, rng, exposure=instrument.exposure), {})
    seen = as_seen(band, instrument.exposure)
    exposures = seen.n_exposures - np.max([each.missing for _, each in spoils], axis=0)
    unseen = exposures == 0
    picture = observe(image, band, rng, exposures=exposures, exposure=instrument.exposure)
    light = np.sum([each.light for _, each in spoils], axis=0)
    expected = image + light.astype(np.float32)
    photon = seen.njy_per_electron / (np.maximum(exposures, 1) / seen.n_exposures)
    photons = rng.poisson(np.where(unseen, 0.0, light) / photon)
    picture = picture + (photons * photon).astype(np.float32)
    if instrument.correlated_noise:
        # where nothing was seen there is no noise to correlate
        expected = np.where(unseen, picture, expected)
        picture = expected + resampled(picture - expected, band)
    for _, each in spoils:
        picture = picture + each.charge.astype(np.float32)
    picture[np.any([unseen, *(each.blank for _, each in spoils)], axis=0)] = 0.0
    return Exposure(picture, _masks(spoils))


def expose_from_seed(
    image: Image, band: Band | str, seed: int, instrument: Instrument = CLEAN
) -> Exposure:
    """The picture of a whole frame with the noise and artefacts of a seed: the same every time."""
    band = bands.band(band)
    rng = np.random.default_rng([seed, generator_number(band.name)])
    artefacts = instrument.draw_from_seed(seed)
    return expose(image, band, rng, artefacts=artefacts, instrument=instrument)


def _spoils(
    image: Image,
    band: Band,
    artefacts: Sequence[Artefact],
    instrument: Instrument,
    corner: tuple[int, int],
) -> list[tuple[str, Spoil]]:
    """What each artefact does to the image, by kind; the first one is none and does nothing."""
    part = _part(image, band, corner)
    fine = detector_pixels(band, instrument.exposure)
    n_parts = HST_PIXELS if instrument.exposure == "HST-like" else 1
    return [
        ("", Spoil(np.zeros(image.shape, bool))),
        *(
            (each.kind, each.spoil(fine).binned(n_parts).cropped(part))
            for each in artefacts
            if band.name in each.bands
        ),
    ]


def _masks(spoils: Sequence[tuple[str, Spoil]]) -> dict[str, Mask]:
    """Masks by kind, joined over artefacts, in the order of ARTEFACTS."""
    by_kind = {kind: [spoil.mask for each, spoil in spoils if each == kind] for kind in ARTEFACTS}
    return {kind: np.any(found, axis=0) for kind, found in by_kind.items() if np.any(found)}


def _part(image: Image, band: Band, corner: tuple[int, int]) -> tuple[slice, slice]:
    """Where an image lies in the frame of its band."""
    part = [slice(first, first + n) for first, n in zip(corner, image.shape, strict=True)]
    if min(corner) < 0 or max(each.stop for each in part) > band.n_pixels:
        raise LensyError(
            f"An image of {image.shape} pixels (y, x) at the corner {corner} does not lie in the "
            f"{band.name} frame of {band.shape}: give a smaller corner, or a crop of the frame."
        )
    return part[0], part[1]
