"""A candidate galaxy and the galaxies around it: what all populations share.

Shapes and VIS magnitudes come first; then every galaxy gets a spectral type and a redshift, which
give it the other bands.
"""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from lensy.errors import LensyError
from lensy.sky.colours import SBC, YOUNG_BURST, colour_galaxy
from lensy.sky.field_galaxies import (
    draw_half_light_radius,
    draw_magnitude,
    draw_redshift,
    draw_spectral_type,
    expected_number,
)
from lensy.sky.forecast import lens_copula
from lensy.sky.scene import Deflector, Galaxy
from lensy.values import AxisRatios, Fraction, Frozen, Interval, MedianAndScatter, Shears, in_order

SpectralType = Annotated[float, Field(ge=0, le=YOUNG_BURST)]

SpectralTypes = Annotated[tuple[SpectralType, SpectralType], AfterValidator(in_order)]

SourceRedshift = Annotated[float, Field(ge=3, le=6.5)]

SourceRedshifts = Annotated[tuple[SourceRedshift, SourceRedshift], AfterValidator(in_order)]

LENS_NAMES = ("lens_mag_vis", "lens_half_light_radius_arcsec", "lens_axis_ratio")
"""What of a lens galaxy shows, as the forecast names it."""


class CandidateField(Frozen):
    """What all populations share: a candidate somewhere in the frame, and galaxies around it.

    Lenses and non-lenses have the same distribution of candidate galaxies and companions; only
    the lensed light, or what an impostor has in its place, tells them apart.
    """

    field_of_view: Annotated[float, Field(gt=2)] = 20.0
    """Side of the frame, arcsec: 200 VIS pixels of 0.1 arcsec, as in the talk."""

    margin: Annotated[float, Field(ge=0)] = 1.0
    """Least distance of the candidate from the edge, arcsec. The talk's lenses stand anywhere,
    the nearest shown 2 arcsec from the edge; below 1 arcsec little of a ring is left."""

    lens_fraction: Fraction = 0.5
    """Share of scenes with a source: the talk's NISP rows imply a prevalence of one half."""

    impostor_fraction: Fraction = 0.0
    """Share of the scenes without a source whose candidate is an impostor, each kind as often."""

    lens_type_scatter: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Candidates have the spectrum of an elliptical (0) but for the absolute value of a Gaussian
    with this scatter towards Sbc (1): a reading, a few hundredths of a magnitude in colour, as
    the red sequence has."""

    source_types: SpectralTypes = (3.0, 5.0)
    """Uniform, spectral types of sources: young and blue, from irregular to young burst. So are
    three in four of the field galaxies as faint (Benitez 2000, ApJ 536, 571, table 1)."""

    mass_axis_ratio_scatter: MedianAndScatter = (0.99, 0.11)
    """Mean and scatter of mass axis ratio over light axis ratio.
    Source: Koopmans et al. 2006, ApJ 649, 599."""

    mass_angle_scatter: Annotated[float, Field(ge=0, le=np.pi)] = np.deg2rad(10.0)
    """Scatter of the angle between mass and light, radians. Source: Koopmans et al. 2006."""

    shear: Shears = (-0.05, 0.05)
    """Uniform, per component. Source: the predecessor's recipe (Wilde et al. 2022, section 2)."""

    companion_magnitude: Interval = (18.0, 26.0)
    """VIS; number counts give 9.6 galaxies to magnitude 26 in 20 x 20 arcsec^2."""

    count_slope: Annotated[float, Field(gt=0)] = 0.35
    """d log10 N / dm of the number counts: 2.8, 4.3 and 9.6 galaxies per frame to 24.5, 25, 26."""

    spheroid_fraction: Fraction = 0.1
    """Share of companions with Sersic index 4; the others are exponential discs.
    Source: Miller et al. 2013, MNRAS 429, 2858."""

    companion_axis_ratio: AxisRatios = (0.3, 1.0)
    """Uniform. Source: the predecessor's recipe."""

    @model_validator(mode="after")
    def _margin_leaves_room(self) -> Self:
        if self.margin >= 0.5 * self.field_of_view:
            raise ValueError(
                f"margin = {self.margin} must be below half of field_of_view = {self.field_of_view}"
            )
        return self

    def _draw_position(self, rng: np.random.Generator) -> dict[str, float]:
        reach = 0.5 * self.field_of_view - self.margin
        x, y = rng.uniform(-reach, reach, 2)
        return {"x": x, "y": y}

    def _draw_deflector(
        self, light: Galaxy, einstein_radius: float, rng: np.random.Generator
    ) -> Deflector:
        ratio = light.axis_ratio * rng.normal(*self.mass_axis_ratio_scatter)
        return Deflector(
            x=light.x,
            y=light.y,
            einstein_radius=einstein_radius,
            axis_ratio=float(np.clip(ratio, 0.2, 1.0)),
            position_angle=light.position_angle + rng.normal(0, self.mass_angle_scatter),
            shear_1=rng.uniform(*self.shear),
            shear_2=rng.uniform(*self.shear),
        )

    def _draw_companions(self, rng: np.random.Generator) -> list[Galaxy]:
        """Shapes and VIS magnitudes. They may stand beside the candidate or overlap with it."""
        return [self._draw_companion(rng) for _ in range(self._draw_companion_number(rng))]

    def _draw_companion_number(self, rng: np.random.Generator) -> int:
        area = self.field_of_view**2
        expected = expected_number(self.companion_magnitude, self.count_slope, area)
        return int(rng.poisson(expected))

    def _draw_companion(self, rng: np.random.Generator) -> Galaxy:
        half = 0.5 * self.field_of_view
        magnitude = draw_magnitude(self.companion_magnitude, self.count_slope, rng)
        axis_ratio = rng.uniform(*self.companion_axis_ratio)
        return Galaxy(
            x=rng.uniform(-half, half),
            y=rng.uniform(-half, half),
            magnitudes={"VIS": magnitude},
            half_light_radius=draw_half_light_radius(magnitude, rng) * np.sqrt(axis_ratio),
            sersic_index=4.0 if rng.random() < self.spheroid_fraction else 1.0,
            axis_ratio=axis_ratio,
            position_angle=rng.uniform(0, np.pi),
        )

    def _colour_lens(self, lens: Galaxy, redshift: float, rng: np.random.Generator) -> Galaxy:
        return colour_galaxy(lens, min(abs(rng.normal(0, self.lens_type_scatter)), SBC), redshift)

    def _colour_source(self, source: Galaxy, redshift: float, rng: np.random.Generator) -> Galaxy:
        return colour_galaxy(source, rng.uniform(*self.source_types), redshift)

    def _colour_companion(self, galaxy: Galaxy, rng: np.random.Generator) -> Galaxy:
        vis = galaxy.magnitudes["VIS"]
        spectral_type = draw_spectral_type(vis, galaxy.sersic_index == 4.0, rng)
        return colour_galaxy(galaxy, spectral_type, draw_redshift(vis, spectral_type, rng))


def draw_bright_lens(
    where: dict[str, float], einstein_radius: float, faintest: float, rng: np.random.Generator
) -> Galaxy:
    """A lens galaxy of the forecast with an Einstein radius, brighter than `faintest` in VIS."""
    given = {"einstein_radius_arcsec": einstein_radius}
    for _ in range(1000):
        drawn = lens_copula().draw_given(LENS_NAMES, given, rng)
        if drawn["lens_mag_vis"] < faintest:
            return lens_of_forecast(where, drawn, rng)
    raise LensyError(
        f"No lens galaxy brighter than faintest_lens = {faintest} turned up in "
        f"1000 draws; the forecast's magnitudes reach from 12.5 to 29: choose above 18."
    )


def lens_of_forecast(
    where: dict[str, float], drawn: dict[str, float], rng: np.random.Generator
) -> Galaxy:
    """The lens galaxy of a draw from the forecast, where Sersic indices of lenses are 4."""
    return Galaxy(
        **where,
        magnitudes={"VIS": drawn["lens_mag_vis"]},
        half_light_radius=drawn["lens_half_light_radius_arcsec"],
        sersic_index=4.0,
        axis_ratio=drawn["lens_axis_ratio"],
        position_angle=rng.uniform(0, np.pi),
    )
