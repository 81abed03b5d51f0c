"""Galaxies that look like lenses and are none: spirals, rings, edge-on discs, mergers, neighbours.

An impostor takes the place of a candidate galaxy and keeps its position, its total VIS magnitude
and its redshift, so that a catalogue of magnitudes does not give it away. Where a number has no
source it is a reading: what makes pictures that look like the false positives of published
searches (Metcalf et al. 2019, A&A 625, A119; Pearce-Casey et al. 2024, arXiv 2411.16808).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensy.errors import LensyError
from lensy.sky.colours import ELLIPTICAL, IRREGULAR, SBC, SCD, YOUNG_BURST, magnitudes
from lensy.sky.field_galaxies import draw_half_light_radius, draw_redshift
from lensy.sky.scene import Galaxy, Kind, Pattern, Scene

RED = (ELLIPTICAL, 0.4)
"""Spectral types of bulges and cores."""

DISC = (SBC, SCD)
"""Spectral types of the discs of spirals."""

BLUE = (IRREGULAR, YOUNG_BURST)
"""Spectral types of rings, arms, tidal arcs and blue neighbours."""

DISC_RADIUS = (0.5, 3.0)
"""Limits of a disc's half-light radius, arcsec: smaller shows no arms, larger fills the frame."""

BULGE_SIZE = 0.13
"""Half-light radius of a bulge over that of its disc: a fifth of the disc's scale length, which
for an exponential bulge is a ratio of scale lengths of 0.13.
Source: Courteau, de Jong & Broeils 1996, ApJ 457, L73."""

BULGE_SHARE = (0.05, 0.25)
"""Light of the bulge over that of the galaxy: bulge over disc is typically below a third.
Source: Graham & Worley 2008, MNRAS 388, 1708."""

PITCH_ANGLE = (10.0, 25.0)
"""Degrees between a spiral arm and a circle: Sb to Sc (Kennicutt 1981, AJ 86, 1847)."""

RING_RADIUS = (0.6, 2.5)
"""Uniform in the logarithm, arcsec: as the Einstein radii that one can see. For the distance of
blue neighbours, too."""

ARC_MAGNITUDE = (21.5, 24.5)
"""VIS, of rings and blue neighbours: about the lensed sources of the talk and of the forecast,
whose medians are 22.9 and 23.7. Brighter ones would fool nobody."""


@dataclass(frozen=True)
class Impostor:
    """A candidate that is no lens: its main galaxy, rings and arms of it, galaxies close to it."""

    lens: Galaxy
    structure: tuple[Pattern, ...] = ()
    neighbours: tuple[Galaxy, ...] = ()


def impostor(candidate: Galaxy, kind: Kind, rng: np.random.Generator) -> Impostor:
    """An impostor of a kind in the place of `candidate`, which needs a redshift and all bands.

    Raises LensyError if the kind is "galaxy", which is no impostor.
    """
    if kind not in _MAKERS:
        raise LensyError(f"There is no impostor {kind!r}; the kinds are {', '.join(_MAKERS)}.")
    return _MAKERS[kind](_Maker(candidate, rng))


@dataclass(frozen=True)
class _Maker:
    """Makes parts of an impostor, all at the candidate's place and redshift."""

    candidate: Galaxy
    rng: np.random.Generator

    @property
    def magnitude(self) -> float:
        return self.candidate.magnitudes["VIS"]

    def uniform(self, limits: tuple[float, float]) -> float:
        return float(self.rng.uniform(*limits))

    def colour(self, share: float, types: tuple[float, float]) -> dict[str, float]:
        """Magnitudes of a part with a share of the candidate's VIS light."""
        vis = self.magnitude - 2.5 * np.log10(share)
        return magnitudes(vis, self.uniform(types), self.candidate.redshift or 0.0)

    def part(self, share: float, types: tuple[float, float], **changes: Any) -> Galaxy:
        """The candidate with a share of its light, the colours of a type, and other changes."""
        given = {"magnitudes": self.colour(share, types)} | changes
        return Galaxy(**(dict(self.candidate) | given))

    def pattern(self, share: float, types: tuple[float, float], **shape: Any) -> Pattern:
        """A ring, an arc or arms around the candidate's centre."""
        where = {"x": self.candidate.x, "y": self.candidate.y}
        return Pattern(**(where | {"magnitudes": self.colour(share, types)} | shape))

    def ring_radius(self) -> float:
        """Radius (arcsec) at which a lens would show its ring."""
        return float(np.exp(self.uniform((np.log(RING_RADIUS[0]), np.log(RING_RADIUS[1])))))

    def disc_radius(self) -> float:
        """Half-light radius (major axis, arcsec) of a disc as bright as the candidate.

        Source: Miller et al. 2013, as for the galaxies of the field.
        """
        return float(np.clip(draw_half_light_radius(self.magnitude, self.rng), *DISC_RADIUS))


def _spiral(make: _Maker) -> Impostor:
    """A red bulge in a disc with two or four blue arms.

    The disc is a Gaussian with the half-light radius of an exponential, its edge made by the arms.
    """
    plane = {"axis_ratio": make.uniform((0.4, 1.0)), "position_angle": make.uniform((0, np.pi))}
    radius, bulge = make.disc_radius() * np.sqrt(plane["axis_ratio"]), make.uniform(BULGE_SHARE)
    arms = (1 - bulge) * make.uniform((0.2, 0.4))
    n_arms = 2 if make.rng.random() < 0.7 else 4
    pitch = np.deg2rad(make.uniform(PITCH_ANGLE)) * make.rng.choice([-1, 1])
    disc_shape = {"radius": 0.1 * radius, "width": radius / 1.18}
    arm_shape = {"radius": 0.9 * radius, "width": 0.45 * radius, "n_arms": n_arms}
    winding = {"winding": n_arms / np.tan(pitch), "phase": make.uniform((0, 2 * np.pi))}
    sharpness = {"sharpness": make.uniform((1.0, 4.0))}
    return Impostor(
        make.part(bulge, RED, half_light_radius=BULGE_SIZE * radius, axis_ratio=0.85),
        (
            make.pattern(1 - bulge - arms, DISC, **disc_shape, **plane),
            make.pattern(arms, BLUE, **arm_shape, **winding, **sharpness, **plane),
        ),
    )


def _ring(make: _Maker) -> Impostor:
    """A red core inside a blue, uneven ring, seen nearly face on. Half of the light at most."""
    fainter = make.uniform(ARC_MAGNITUDE) - make.magnitude
    share, radius = min(10 ** (-0.4 * fainter), 0.5), make.ring_radius()
    shape = {
        "radius": radius,
        "width": radius * make.uniform((0.05, 0.2)),
        "axis_ratio": make.uniform((0.6, 1.0)),
        "position_angle": make.uniform((0, np.pi)),
        "n_arms": int(make.rng.integers(1, 4)),
        "sharpness": make.uniform((0.0, 1.0)),
        "phase": make.uniform((0, 2 * np.pi)),
    }
    return Impostor(make.part(1 - share, RED), (make.pattern(share, BLUE, **shape),))


def _edge_on(make: _Maker) -> Impostor:
    """A thin disc with a red bulge in its middle."""
    radius, bulge = make.disc_radius(), make.uniform(BULGE_SHARE)
    axis_ratio, angle = make.uniform((0.08, 0.2)), make.uniform((0, np.pi))
    disc = {"half_light_radius": radius * np.sqrt(axis_ratio), "sersic_index": 1.0}
    plane = {"axis_ratio": axis_ratio, "position_angle": angle}
    width = max(BULGE_SIZE * radius, 0.1)
    shape = {"radius": 0.1 * width, "width": width, "axis_ratio": make.uniform((0.5, 0.8))}
    return Impostor(
        make.part(1 - bulge, DISC, **disc, **plane),
        (make.pattern(bulge, RED, **shape, position_angle=angle),),
    )


def _merger(make: _Maker) -> Impostor:
    """Two or three nuclei within an arcsec or so, and a tidal arc.

    Light within a factor of three: a major merger. The types are those of spirals.
    """
    n_nuclei, arc = int(make.rng.integers(2, 4)), make.uniform((0.1, 0.3))
    weights = np.array([1.0, *make.rng.uniform(1 / 3, 1.0, n_nuclei - 1)])
    shares = (1 - arc) * weights / weights.sum()
    nuclei = tuple(_nucleus(make, share, first=i == 0) for i, share in enumerate(shares))
    shape = {
        "radius": make.uniform((0.9, 2.0)),
        "axis_ratio": make.uniform((0.5, 1.0)),
        "position_angle": make.uniform((0, np.pi)),
        "n_arms": 1,
        "sharpness": make.uniform((1.0, 4.0)),
        "phase": make.uniform((0, 2 * np.pi)),
        "winding": make.uniform((-3.0, 3.0)),
    }
    tail = make.pattern(arc, BLUE, width=shape["radius"] * make.uniform((0.15, 0.3)), **shape)
    return Impostor(nuclei[0], (tail,), nuclei[1:])


def _nucleus(make: _Maker, share: float, *, first: bool) -> Galaxy:
    distance = 0.0 if first else make.uniform((0.4, 1.2))
    angle = make.uniform((0, 2 * np.pi))
    return make.part(
        share,
        (0.5, SCD),
        x=make.candidate.x + distance * np.cos(angle),
        y=make.candidate.y + distance * np.sin(angle),
        half_light_radius=make.candidate.half_light_radius * np.sqrt(share),
        sersic_index=make.uniform((1.0, 4.0)),
        axis_ratio=make.uniform((0.4, 1.0)),
        position_angle=make.uniform((0, np.pi)),
    )


def _blue_neighbour(make: _Maker) -> Impostor:
    """The candidate as it is, and one or two small blue galaxies that happen to stand close by."""
    n_neighbours = int(make.rng.integers(1, 3))
    return Impostor(make.candidate, (), tuple(_neighbour(make) for _ in range(n_neighbours)))


def _neighbour(make: _Maker) -> Galaxy:
    """Half of them lie across the line to the candidate, as an arc does."""
    distance, angle = make.ring_radius(), make.uniform((0, 2 * np.pi))
    across = make.rng.random() < 0.5
    spectral_type, axis_ratio = make.uniform(BLUE), make.uniform((0.2, 0.5))
    magnitude = make.uniform(ARC_MAGNITUDE)
    redshift = draw_redshift(magnitude, spectral_type, make.rng)
    radius = draw_half_light_radius(magnitude, make.rng)
    return Galaxy(
        x=make.candidate.x + distance * np.cos(angle),
        y=make.candidate.y + distance * np.sin(angle),
        magnitudes=magnitudes(magnitude, spectral_type, redshift),
        half_light_radius=radius * np.sqrt(axis_ratio),
        sersic_index=1.0,
        axis_ratio=axis_ratio,
        position_angle=angle + np.pi / 2 if across else make.uniform((0, np.pi)),
        redshift=redshift,
    )


_MAKERS: dict[Kind, Callable[[_Maker], Impostor]] = {
    "spiral": _spiral,
    "ring": _ring,
    "edge-on": _edge_on,
    "merger": _merger,
    "blue neighbour": _blue_neighbour,
}

KINDS: tuple[Kind, ...] = tuple(_MAKERS)
"""Every kind of impostor."""


def scene_without_source(
    candidate: Galaxy,
    companions: tuple[Galaxy, ...],
    impostor_fraction: float,
    rng: np.random.Generator,
) -> Scene:
    """The candidate as it is or, in a share of the draws, an impostor in its place."""
    if rng.random() >= impostor_fraction:
        return Scene(lens=candidate, companions=companions)
    kind = KINDS[rng.integers(len(KINDS))]
    drawn = impostor(candidate, kind, rng)
    return Scene(
        kind=kind,
        lens=drawn.lens,
        structure=drawn.structure,
        companions=drawn.neighbours + companions,
    )
