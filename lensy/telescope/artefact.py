"""A frame's pixels, and what an artefact paints on them.

Positions are in arcsec from the frame's centre, x along columns and y along rows, as in a scene;
angles in radians from x towards y. `angle` is how far the rows of the detector are turned against
those of the frame, which follows from the roll of the telescope.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lensy.telescope.bands import Band
from lensy.values import Floats, Mask

FAINTEST = 0.25
"""Light or charge above this share of the noise of an empty pixel belongs to an artefact's mask."""


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
class Paint:
    """What an artefact does to a whole frame; every array is (y, x).

    mask: the pixels it spoils. light: photons it adds, nJy averaged over the exposures. charge:
    nJy that electrons of other origin add. exposures: how many saw each pixel. blank: no data.
    """

    mask: Mask
    light: Floats | None = None
    charge: Floats | None = None
    exposures: NDArray[np.int64] | None = None
    blank: Mask | None = None

    def cropped(self, window: tuple[slice, slice]) -> Paint:
        """The same for a part of the frame."""

        def crop(array: Any) -> Any:
            return None if array is None else array[window]

        return Paint(*(crop(getattr(self, each.name)) for each in fields(self)))

    def binned(self, n: int) -> Paint:
        """The same on pixels n times as wide: light and charge add up.

        A pixel is spoilt, or without data, where any of its parts is.
        """
        if n == 1:
            return self

        def blocks(array: NDArray[Any]) -> NDArray[Any]:
            rows, columns = (side // n for side in array.shape)
            return array.reshape(rows, n, columns, n)

        def added(array: Floats | None) -> Floats | None:
            return None if array is None else np.asarray(blocks(array).sum(axis=(1, 3)))

        def anywhere(array: Mask | None) -> Mask | None:
            return None if array is None else np.asarray(blocks(array).any(axis=(1, 3)))

        fewest = None if self.exposures is None else blocks(self.exposures).min(axis=(1, 3))
        return Paint(
            np.asarray(blocks(self.mask).any(axis=(1, 3))),
            added(self.light),
            added(self.charge),
            fewest,
            anywhere(self.blank),
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


class Artefact(Protocol):
    """Anything with a kind, the bands it is seen in, and a way to paint itself on a frame.

    words: what the kind is.
    """

    kind: ClassVar[str]
    words: ClassVar[str]

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands it is seen in."""

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """One for a frame."""

    def paint(self, band: Band) -> Paint:
        """What it does to the frame of a band, of which `n_exposures` are added."""
