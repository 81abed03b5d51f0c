"""Where training crops are placed: around the candidate galaxy, and now and then anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray

from lensy.bands import Band

ANYWHERE = 0.2
"""Share of crops placed anywhere; the others hold the candidate galaxy."""


def candidate_pixels(catalogue: Table, band: Band) -> NDArray[np.float64]:
    """Where the candidates of a catalogue are in a band's frames, (n, 2): row and column."""
    centre = np.stack([catalogue["y"].data, catalogue["x"].data], axis=1)
    return np.asarray(centre / band.pixel_scale + 0.5 * (band.n_pixels - 1))


def crop_corner(
    rng: np.random.Generator, centre: Sequence[float] | ArrayLike, size: int, n_pixels: int
) -> tuple[int, int]:
    """Row and column of the first pixel of a square crop of a frame.

    centre: row and column of the candidate. size, n_pixels: sides of the crop and of the frame.
    """
    last = n_pixels - size
    if rng.random() < ANYWHERE:
        row, column = (int(each) for each in rng.integers(0, last + 1, 2))
    else:
        inside = rng.uniform(0.2, 0.8, 2) * size
        corner = np.clip(np.rint(np.asarray(centre) - inside).astype(int), 0, last)
        row, column = int(corner[0]), int(corner[1])
    return row, column
