"""Colours of galaxies: what a spectrum of a type, seen at a redshift, shows in the Euclid bands.

The spectra are those of nearby galaxies. That the stars of a distant galaxy are younger (passive
evolution) is ignored: an elliptical above redshift one is redder here than on the sky.
`data_sim/make_colours.py` computed the table; it names the spectra and the passbands. A band that
the table has not lies in magnitude between its neighbours in wavelength, or, beyond them, has the
colour of the nearest: a stopgap until it is computed.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from lensy.errors import LensyError
from lensy.sky.scene import Galaxy
from lensy.telescope.bands import FILTERS

ELLIPTICAL, SBC, SCD, IRREGULAR, STARBURST, YOUNG_BURST = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
"""Spectral types of the six templates, from old and red to young and blue. A type in between is
a mean of its neighbours' colours."""

LARGEST_REDSHIFT = 7.0
"""Beyond it intergalactic hydrogen leaves nothing to see in VIS."""


@cache
def _table() -> tuple[tuple[str, ...], float, NDArray[np.float64]]:
    """Names of the bands, step in redshift, offsets from VIS (type, redshift, band)."""
    text = files("lensy.sky").joinpath("colours.json").read_text("utf-8")
    table = json.loads(text)
    offsets = table["offset_from_vis"]
    return tuple(offsets), table["redshift_step"], np.stack([*map(np.array, offsets.values())], -1)


def colours(spectral_type: float, redshift: float) -> dict[str, float]:
    """AB magnitude in each band less that in VIS: -2 in H for a galaxy two magnitudes brighter.

    spectral_type: from 0 (elliptical) to 5 (young burst). redshift: from 0 to 7. Linear between the
    rows and columns of the table. Raises LensyError outside.
    Source: templates of Benitez et al. 2004, ApJS 150, 1, and Coe et al. 2006, AJ 132, 926; see
    `lensy/sky/colours.json`.
    """
    names, step, offsets = _table()
    if not ELLIPTICAL <= spectral_type <= YOUNG_BURST:
        raise LensyError(f"spectral_type lies from 0 to {YOUNG_BURST:g}, not at {spectral_type}.")
    if not 0 <= redshift <= LARGEST_REDSHIFT:
        raise LensyError(f"redshift lies from 0 to {LARGEST_REDSHIFT:g}, not at {redshift}.")
    row, down = _cell(spectral_type, offsets.shape[0])
    column, right = _cell(redshift / step, offsets.shape[1])
    corner = offsets[row : row + 2, column : column + 2]
    left_and_right = (1 - down) * corner[0] + down * corner[1]
    found = (1 - right) * left_and_right[0] + right * left_and_right[1]
    measured = {"VIS": 0.0, **dict(zip(names, found.tolist(), strict=True))}
    further = [name for name in FILTERS if name not in measured]
    if not further:
        return measured
    known = sorted(measured, key=_log_wavelength)
    between = np.interp(
        [*map(_log_wavelength, further)],
        [*map(_log_wavelength, known)],
        [measured[name] for name in known],
    )
    return measured | dict(zip(further, between.tolist(), strict=True))


def _log_wavelength(name: str) -> float:
    return float(np.log(FILTERS[name].wavelength))


def _cell(position: float, n_points: int) -> tuple[int, float]:
    first = min(int(position), n_points - 2)
    return first, position - first


def magnitudes(vis: float, spectral_type: float, redshift: float) -> dict[str, float]:
    """AB magnitudes in all bands of a galaxy that has magnitude `vis` in VIS."""
    return {name: vis + offset for name, offset in colours(spectral_type, redshift).items()}


def colour_galaxy(galaxy: Galaxy, spectral_type: float, redshift: float) -> Galaxy:
    """The same galaxy at a redshift and with magnitudes in all bands, that in VIS as before."""
    coloured = magnitudes(galaxy.magnitudes["VIS"], spectral_type, redshift)
    return Galaxy(**(dict(galaxy) | {"magnitudes": coloured, "redshift": redshift}))
