"""How often a frame has an artefact of each kind: rates, and those of the survey."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from lensy.telescope.focal_plane import LAYOUTS, MEAN_SPAN
from lensy.telescope.noise import Look
from lensy.values import Frozen

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
    if look != "coadd":
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
