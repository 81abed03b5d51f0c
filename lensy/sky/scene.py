"""A scene: what is on the sky before any telescope looks at it.

Positions are in arcsec from the centre of the frame, x along columns and y along rows. Angles are
in radians from the x axis towards the y axis. Magnitudes are AB and total, one per band. Every
object is frozen and checks its numbers when it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lensy.values import AxisRatio, Finite, Frozen, Positive, Redshift

Kind = Literal["galaxy", "spiral", "ring", "edge-on", "merger", "blue neighbour"]
"""What the candidate is, apart from any lensing: a plain galaxy, or one that looks like a lens."""


class Galaxy(Frozen):
    """Light with elliptical Sersic isophotes.

    half_light_radius: arcsec, geometric mean of the axes of the ellipse that holds half the light.
    magnitudes: AB, per band name. redshift: None where nothing depends on it.
    Source of the profile: Sersic 1968; Ciotti & Bertin 1999.
    """

    x: Finite
    y: Finite
    magnitudes: dict[str, Finite]
    half_light_radius: Positive
    sersic_index: Annotated[float, Field(ge=0.3, le=8)]
    axis_ratio: AxisRatio
    position_angle: Finite
    redshift: Redshift | None = None


class Pattern(Frozen):
    """Light along a ring, an arc or spiral arms, no lensing involved.

    On ellipses of radius r and angle phi the brightness is
    exp(-((r - radius) / width)^2 / 2) exp(sharpness (cos(n_arms (phi - phase) - winding ln(r /
    radius)) - 1)): a ring with sharpness 0, a part of one with one arm, a spiral with winding.

    radius, width: arcsec, geometric mean of the axes. phase: radians from the major axis.
    winding: radians per e-folding of radius, n_arms over the tangent of the pitch angle.
    magnitudes: AB, per band name, of all its light.
    """

    x: Finite
    y: Finite
    magnitudes: dict[str, Finite]
    radius: Positive
    width: Positive
    axis_ratio: AxisRatio
    position_angle: Finite
    n_arms: Annotated[int, Field(ge=0, le=8)] = 0
    sharpness: Annotated[float, Field(ge=0, le=20)] = 0.0
    phase: Finite = 0.0
    winding: Finite = 0.0


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


SIMPLE_LENS: dict[str, Any] = {
    "x": 0.0,
    "y": 0.0,
    "magnitudes": {"VIS": 19.0, "Y": 18.115, "J": 17.819, "H": 17.656},
    "half_light_radius": 0.9,
    "sersic_index": 4.0,
    "axis_ratio": 0.8,
    "position_angle": 0.5,
    "redshift": 0.4,
}
SIMPLE_DEFLECTOR: dict[str, Any] = {"x": 0.0, "y": 0.0, "axis_ratio": 0.8, "position_angle": 0.5}
SIMPLE_SOURCE: dict[str, Any] = {
    "x": 0.15,
    "y": 0.1,
    "magnitudes": {"VIS": 23.0, "Y": 22.095, "J": 21.798, "H": 21.607},
    "half_light_radius": 0.25,
    "sersic_index": 1.0,
    "axis_ratio": 0.7,
    "position_angle": 1.5,
    "redshift": 1.5,
}
"""What `Scene.simple` is made of: arcsec, AB magnitudes, radians. Colours: as `colours.magnitudes`
has them for an elliptical (type 0) and for an irregular (type 3) at these redshifts."""


class Scene(Frozen):
    """A candidate galaxy, perhaps with something behind it, and the galaxies around.

    lens: light of the candidate; structure: its rings and spiral arms.
    deflector and source: both given, or both absent (no lensing). second_deflector and
    second_source: given for a compound lens, where the source has mass too and bends the light of
    a second source behind it; lens and both sources then need a redshift.
    Sources are where they would be seen without any deflector.
    """

    lens: Galaxy
    structure: tuple[Pattern, ...] = ()
    kind: Kind = "galaxy"
    deflector: Deflector | None = None
    source: Galaxy | None = None
    second_deflector: Deflector | None = None
    second_source: Galaxy | None = None
    companions: tuple[Galaxy, ...] = ()

    @classmethod
    def simple(
        cls,
        einstein_radius: float = 1.5,
        *,
        lens: Mapping[str, Any] | None = None,
        deflector: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
        companions: Sequence[Galaxy] = (),
    ) -> Self:
        """A lens in the middle of the frame, as clear as those of the talk.

        An elliptical of VIS magnitude 19 at redshift 0.4 bends the light of a blue disc of
        magnitude 23 at redshift 1.5, which lies 0.15 and 0.1 arcsec off its centre: a bright arc
        and a counter-image, in all four bands of Euclid.

        einstein_radius: arcsec. lens, deflector, source: fields of each that shall be otherwise.
        companions: galaxies beside it, none unless given.
        Raises ValidationError for a value that cannot be, a negative radius, say.

        >>> scene = Scene.simple(einstein_radius=1.2, source={"x": 0.5})
        >>> scene.deflector.einstein_radius, scene.source.x, sorted(scene.lens.magnitudes)
        (1.2, 0.5, ['H', 'J', 'VIS', 'Y'])
        """
        return cls(
            lens=Galaxy(**(SIMPLE_LENS | dict(lens or {}))),
            deflector=Deflector(
                **(SIMPLE_DEFLECTOR | {"einstein_radius": einstein_radius} | dict(deflector or {}))
            ),
            source=Galaxy(**(SIMPLE_SOURCE | dict(source or {}))),
            companions=tuple(companions),
        )

    @model_validator(mode="after")
    def _lensing_needs_both(self) -> Self:
        if (self.deflector is None) != (self.source is None):
            raise ValueError("deflector and source must both be given, or neither")
        if (self.second_deflector is None) != (self.second_source is None):
            raise ValueError("second_deflector and second_source must both be given, or neither")
        return self

    @model_validator(mode="after")
    def _compound_lens_has_distances(self) -> Self:
        if self.second_source is None:
            return self
        if self.source is None:
            raise ValueError("a second source needs a first deflector and a first source")
        z_lens, z_source, z_second = (
            each.redshift or 0.0 for each in (self.lens, self.source, self.second_source)
        )
        if not 0 < z_lens < z_source < z_second:
            raise ValueError(
                "a compound lens needs redshifts of lens, source and second source that increase"
            )
        return self
