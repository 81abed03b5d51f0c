"""The focal planes of Euclid: where detectors lie, where gaps, and how often a gap meets a frame.

Positions are in arcsec along the axes of the detectors, x along rows and y along columns, from the
lower left corner of a focal plane. A survey adds four exposures with small steps between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from lensy.errors import LensyError
from lensy.telescope.bands import FILTERS, known_band
from lensy.values import Floats, Mask

Counts = NDArray[np.int64]

INSTRUMENTS = {
    each: tuple(name for name, row in FILTERS.items() if row.instrument == each)
    for each in ("VIS", "NISP")
}
"""Bands of each instrument."""


def instrument_of(band_name: str) -> str:
    """The instrument that has a band, VIS or NISP. Raises LensyError for a band of another one."""
    instrument = FILTERS[known_band(band_name)].instrument
    if instrument is None:
        raise LensyError(f"{band_name} is a band of neither VIS nor NISP: it has no artefacts.")
    return instrument


DITHERS = ((0.0, 0.0), (50.0, 100.0), (50.0, 200.0), (100.0, 300.0))
"""Where the four exposures of a field point (x, y), arcsec: steps of (50, 100), (0, 100) and
(50, 100). Source: reading of the S pattern, Scaramella et al. 2022, A&A 662, A112, figure 9."""

MEAN_SPAN = 4.0 / np.pi
"""Width of a square that is turned by any angle, along a fixed axis and in units of its side: the
mean of |cos| + |sin|."""


@dataclass(frozen=True)
class Layout:
    """A square array of detectors. detector: width and height; gap: between them (arcsec)."""

    n_detectors: int
    detector: tuple[float, float]
    gap: tuple[float, float]

    @property
    def pitch(self) -> tuple[float, float]:
        """From one detector to the same place on the next, arcsec."""
        return (self.detector[0] + self.gap[0], self.detector[1] + self.gap[1])

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height of the whole focal plane, arcsec."""
        n = self.n_detectors
        return (n * self.pitch[0] - self.gap[0], n * self.pitch[1] - self.gap[1])

    def clear_fraction(self, side: float) -> float:
        """Share of places in the focal plane where a square of `side` lies on one detector."""
        clear = [max(d - side, 0.0) / p for d, p in zip(self.detector, self.pitch, strict=True)]
        return clear[0] * clear[1]

    def cut_fraction(self, side: float) -> float:
        """The same for squares whose centre is on a detector: the share that a gap cuts."""
        clear = [max(d - side, 0.0) / d for d in self.detector]
        return 1.0 - clear[0] * clear[1]

    def on_detector(self, x: Floats, y: Floats) -> Mask:
        """Whether positions are on any detector, in one exposure. Gaps repeat without end."""
        return np.asarray(
            (np.mod(x, self.pitch[0]) < self.detector[0])
            & (np.mod(y, self.pitch[1]) < self.detector[1])
        )

    def in_field(self, x: Floats, y: Floats) -> Mask:
        """Whether positions are within the outer edges of the focal plane."""
        width, height = self.extent
        return np.asarray((x >= 0) & (x < width) & (y >= 0) & (y < height))

    def n_exposures(self, x: Floats, y: Floats) -> Counts:
        """How many of the four exposures saw positions, far from the edges of the survey."""
        seen = [self.on_detector(x - dx, y - dy) for dx, dy in DITHERS]
        return np.asarray(np.sum(seen, axis=0))

    def exposure_map(self) -> Counts:
        """`n_exposures` over one period of the array, (y, x), on a grid of about 1 arcsec."""
        n_x, n_y = round(self.pitch[0]), round(self.pitch[1])
        x, y = self.pitch[0] * np.arange(n_x) / n_x, self.pitch[1] * np.arange(n_y) / n_y
        return self.n_exposures(x, y[:, None])

    def step_fraction(self, side: float) -> float:
        """Share of squares of `side` that not all exposures cover alike: a step in the noise.

        Counted on the grid of `exposure_map`: right to about 1 arcsec in `side`.
        """
        exposures = self.exposure_map()
        size = max(round(side), 1)
        most = maximum_filter(exposures, size, mode="wrap")
        return float(np.mean(most > minimum_filter(exposures, size, mode="wrap")))


LAYOUTS = {
    "VIS": Layout(n_detectors=6, detector=(409.6, 413.2), gap=(12.3, 64.6)),
    "NISP": Layout(n_detectors=4, detector=(612.0, 612.0), gap=(50.4, 99.6)),
}
"""VIS: 6x6 CCDs of 4096x4132 pixels of 0.1 arcsec and their gaps. Source: Scaramella et al. 2022.
NISP: 4x4 detectors of 2040x2040 pixels of 0.3 arcsec; the gaps are what they leave of the field of
view of 0.722 x 0.763 degrees in ESA's table of instrument characteristics."""
