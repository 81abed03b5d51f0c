"""What an artefact is: a class that says what it spoils, how often, and whom it spoils it for.

A new kind is one class with a `kind` that derives from `Artefact`, wherever it is written: defining
it registers it in ARTEFACTS, and every instrument, catalogue and exposure knows it from then on.

Positions are in arcsec from the frame's centre, x along columns and y along rows, as in a scene;
angles in radians from x towards y. `angle` is how far the rows of the detector are turned against
those of the frame, which follows from the roll of the telescope.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from lensy.telescope.bands import Band
from lensy.telescope.noise import ExposureMode
from lensy.values import Floats, Mask

FAINTEST = 0.25
"""Light or charge above this share of the noise of an empty pixel belongs to an artefact's mask."""

FRAME = 20.0
"""Side of a frame, arcsec."""


@dataclass(frozen=True)
class Setting:
    """What the artefacts of one frame have in common.

    bands: in which one of them is seen. angle: of the detector's rows, radians. single: whether
    this is a single exposure, not a coadd.
    """

    bands: tuple[str, ...]
    angle: float
    single: bool


@dataclass(frozen=True)
class Spoil:
    """What an artefact does to a whole frame, (y, x) each; what is not given does nothing.

    mask: the pixels it spoils. light: photons it adds, nJy averaged over the exposures. charge:
    nJy that electrons of other origin add. missing: how many exposures did not see each pixel.
    blank: no data.
    """

    mask: Mask
    light: Floats = 0.0  # type: ignore[assignment]
    charge: Floats = 0.0  # type: ignore[assignment]
    missing: NDArray[np.int64] = 0  # type: ignore[assignment]
    blank: Mask = False  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for each in fields(self):
            whole = np.broadcast_to(getattr(self, each.name), self.mask.shape)
            object.__setattr__(self, each.name, whole)

    def cropped(self, part: tuple[slice, slice]) -> Spoil:
        """The same for a part of the frame."""
        return Spoil(*(getattr(self, each.name)[part] for each in fields(self)))

    def binned(self, n: int) -> Spoil:
        """The same on pixels n times as wide: light and charge add up.

        A pixel is spoilt, or without data, where any of its parts is.
        """
        if n == 1:
            return self
        from astropy.nddata import block_reduce  # takes a second to load, and is seldom needed

        join = {"light": np.sum, "charge": np.sum, "missing": np.max}
        return Spoil(
            **{
                each.name: block_reduce(getattr(self, each.name), n, join.get(each.name, np.any))
                for each in fields(self)
            }
        )


@lru_cache
def pixel_positions(n_pixels: int, pixel_scale: float) -> tuple[Floats, Floats]:
    """Where the pixel centres of a square frame are: x (1, n) and y (n, 1), arcsec."""
    axis: Floats = np.arange(n_pixels, dtype=np.float64)
    axis = (axis - 0.5 * (n_pixels - 1)) * pixel_scale
    return axis[None, :], axis[:, None]


def turned(x: Floats, y: Floats, angle: float) -> tuple[Floats, Floats]:
    """Positions along axes that are turned by `angle`: along the rows, along the columns."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(x * cosine + y * sine), np.asarray(y * cosine - x * sine)


ARTEFACTS: dict[str, type[Artefact]] = {}
"""Every class of artefact by its kind: those of FIRST_KINDS first, then as they were defined."""

FIRST_KINDS = (
    "chip gap",
    "noise step",
    "cosmic rays",
    "star",
    "ghost",
    "hot pixels",
    "hot column",
    "trail",
    "hole",
)
"""Kinds that draw their random numbers together, in this order, as they have from the beginning.
Any further kind draws by itself, so that it moves nothing: this list does not grow."""

Sharing = Literal["band", "instrument", "frame"]


class Artefact(ABC):
    """Something in a frame that is neither light of the sky nor noise; subclasses are dataclasses.

    kind, words: its name and what it is. per: whom it is shared by: each band has its own, those of
    an instrument have the same, or all bands of a frame. harmless: whether light in its mask is
    still light. needs_coadd: whether a single exposure cannot have it. bands: those it is seen in.
    """

    kind: ClassVar[str]
    words: ClassVar[str]
    per: ClassVar[Sharing] = "instrument"
    harmless: ClassVar[bool] = False
    needs_coadd: ClassVar[bool] = False

    bands: tuple[str, ...]

    def __init_subclass__(cls) -> None:
        """Register a class that has a kind of its own."""
        super().__init_subclass__()
        if "kind" in vars(cls):
            known = [*FIRST_KINDS, *ARTEFACTS, cls.kind]
            ARTEFACTS[cls.kind] = cls
            ordered = {kind: ARTEFACTS[kind] for kind in known if kind in ARTEFACTS}
            ARTEFACTS.clear()
            ARTEFACTS.update(ordered)

    @classmethod
    def realistic_rate(cls, exposure: ExposureMode) -> float | dict[str, float]:
        """How often a frame of the survey has one: from 0 to 1, where VIS and NISP differ for each.

        A frame is that of a band, of an instrument or of all bands, see `per`.
        """
        del exposure
        return 0.0

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """One for a frame. Uses `rng` and nothing else."""

    @abstractmethod
    def spoil(self, band: Band) -> Spoil:
        """What it does to the frame of a band, of which `n_exposures` are added."""
