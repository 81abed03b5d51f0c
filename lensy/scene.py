"""A scene: what is on the sky before any telescope looks at it.

Positions are in arcsec from the centre of the frame, x along columns and y along rows. Angles are
in radians from the x axis towards the y axis. Magnitudes are AB and total, one per band. Every
object is frozen and checks its numbers when it is made.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
AxisRatio = Annotated[float, Field(gt=0, le=1)]


class Frozen(BaseModel):
    """A validated value: no field can be changed, none can be misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Galaxy(Frozen):
    """Light with elliptical Sersic isophotes.

    half_light_radius: arcsec, geometric mean of the axes of the ellipse that holds half the light.
    magnitudes: AB, per band name. Source of the profile: Sersic 1968; Ciotti & Bertin 1999.
    """

    x: Finite
    y: Finite
    magnitudes: dict[str, Finite]
    half_light_radius: Positive
    sersic_index: Annotated[float, Field(ge=0.3, le=8)]
    axis_ratio: AxisRatio
    position_angle: Finite


class Deflector(Frozen):
    """A singular isothermal ellipsoid with external shear.

    einstein_radius: arcsec, geometric mean over the critical ellipse. shear_1, shear_2: the two
    components of the external shear. Source: Kormann, Schneider & Bartelmann 1994, A&A 284, 285.
    """

    x: Finite
    y: Finite
    einstein_radius: Positive
    axis_ratio: AxisRatio
    position_angle: Finite
    shear_1: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0
    shear_2: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0


class Scene(Frozen):
    """A candidate galaxy, perhaps with something behind it, and the galaxies around.

    lens: light of the candidate. deflector and source: both given, or both absent (no lensing).
    The source is where it would be seen without the deflector.
    """

    lens: Galaxy
    deflector: Deflector | None = None
    source: Galaxy | None = None
    companions: tuple[Galaxy, ...] = ()

    @model_validator(mode="after")
    def _lensing_needs_both(self) -> Self:
        if (self.deflector is None) != (self.source is None):
            raise ValueError("deflector and source must both be given, or neither")
        return self
