"""Populations: probability distributions from which scenes are drawn.

A population is a frozen model, so that it travels as JSON inside a recipe. Its fields are its
numbers; the docstring of each says where the number comes from.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from lensy.sky.candidate_field import (
    CandidateField,
    SourceRedshifts,
    draw_bright_lens,
    lens_of_forecast,
)
from lensy.sky.forecast import LENS_REDSHIFT, SOURCE_REDSHIFT, lens_copula
from lensy.sky.impostors import scene_without_source
from lensy.sky.scene import Deflector, Galaxy, Scene
from lensy.values import (
    AxisRatios,
    Count,
    Finite,
    Fraction,
    Interval,
    MedianAndScatter,
    Positive,
    PositiveInterval,
    SersicIndices,
    in_order,
)


class TalkPopulation(CandidateField):
    """Scenes that look like the panels of the talk: large bright rings anywhere in the frame.

    Shapes and VIS magnitudes are those of the panels; redshifts, and with them the colours, are
    those of the forecast at the lens galaxy's Einstein radius, magnitude, size and shape.
    """

    kind: Literal["talk"] = "talk"

    einstein_radius: PositiveInterval = (0.5, 2.5)
    """Uniform, arcsec. The rings shown in the talk have 1.2 to 2.5; below 0.5 a ring is smaller
    than three times the VIS point-spread function."""

    faintest_lens: Finite = 22.5
    """VIS magnitude: the forecast's lens galaxies, less the tail too faint for a candidate list."""

    source_magnitude: Interval = (23.0, 25.5)
    """Uniform, VIS, before magnification: the brighter half of the forecast's sources (median
    25.5), where the talk's clearly visible arcs come from."""

    source_radius: MedianAndScatter = (0.3, 0.5)
    """Median half-light radius (arcsec) and scatter of its logarithm. Larger than the forecast's
    0.11 because the arcs of the talk are wide."""

    halo_fraction: Fraction = 0.1
    """Share of sources from the wide tail below: one halo among some ten of the talk's rings."""

    halo_radius: PositiveInterval = (0.2, 7.0)
    """Half-light radius of the tail, uniform, arcsec. Source: the predecessor's recipe, whose
    very large radii explain the faint halos around the talk's rings."""

    source_sersic_index: SersicIndices = (1.0, 4.0)
    """Uniform: from discs to the predecessor's upper limit."""

    source_axis_ratio: AxisRatios = (0.3, 1.0)
    """Uniform. Source: the predecessor's recipe."""

    source_offset: Annotated[float, Field(ge=0, le=2)] = 0.8
    """Radius of the disc, in Einstein radii, over which sources are uniform: inside it an
    isothermal lens makes several images, the faintest still a ninth of the brightest."""

    n_companions: Annotated[tuple[Count, Count], AfterValidator(in_order)] = (3, 9)
    """Uniform, ends included. The talk's Mask R-CNN panels show 3 to 9 further galaxies."""

    companion_magnitude: Interval = (18.0, 25.5)
    """VIS; six galaxies to 25.5 is what number counts give for 20 x 20 arcsec^2, and six is the
    mean of `n_companions`."""

    def draw(self, rng: np.random.Generator) -> Scene:
        """One scene. Uses `rng` and nothing else."""
        where = self._draw_position(rng)
        einstein_radius = rng.uniform(*self.einstein_radius)
        lens = draw_bright_lens(where, einstein_radius, self.faintest_lens, rng)
        deflector = source = None
        if rng.random() < self.lens_fraction:
            deflector = self._draw_deflector(lens, einstein_radius, rng)
            source = self._draw_source(deflector, rng)
        companions = self._draw_companions(rng)
        # shapes come first, so that they are those of the days before there were colours
        known = {
            "einstein_radius_arcsec": einstein_radius,
            "lens_mag_vis": lens.magnitudes["VIS"],
            "lens_half_light_radius_arcsec": lens.half_light_radius,
            "lens_axis_ratio": lens.axis_ratio,
        }
        redshift = lens_copula().draw_given((LENS_REDSHIFT,), known, rng)[LENS_REDSHIFT]
        lens = self._colour_lens(lens, redshift, rng)
        coloured = tuple(self._colour_companion(each, rng) for each in companions)
        if source is None:
            return scene_without_source(lens, coloured, self.impostor_fraction, rng)
        known[LENS_REDSHIFT] = redshift
        source_redshift = lens_copula().draw_source_redshift(known, rng, beyond=redshift)
        source = self._colour_source(source, source_redshift, rng)
        return Scene(lens=lens, deflector=deflector, source=source, companions=coloured)

    def _draw_companion_number(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self.n_companions[0], self.n_companions[1] + 1))

    def _draw_source(self, deflector: Deflector, rng: np.random.Generator) -> Galaxy:
        radius = self.source_offset * deflector.einstein_radius * np.sqrt(rng.random())
        angle = rng.uniform(0, 2 * np.pi)
        median, scatter = self.source_radius
        half_light_radius = median * np.exp(scatter * rng.standard_normal())
        if rng.random() < self.halo_fraction:
            half_light_radius = rng.uniform(*self.halo_radius)
        return Galaxy(
            x=deflector.x + radius * np.cos(angle),
            y=deflector.y + radius * np.sin(angle),
            magnitudes={"VIS": rng.uniform(*self.source_magnitude)},
            half_light_radius=half_light_radius,
            sersic_index=rng.uniform(*self.source_sersic_index),
            axis_ratio=rng.uniform(*self.source_axis_ratio),
            position_angle=rng.uniform(0, np.pi),
        )


class EuclidPopulation(CandidateField):
    """Scenes as the forecast has them: what Euclid can discover, in proportion.

    Einstein radii, magnitudes, sizes, shapes, offsets and redshifts are drawn together, so that
    they are correlated as in the forecast (Collett 2015, ApJ 811, 20). What follows from geometry,
    such as the lensed magnitude, is left to it. Velocity dispersions are implied.
    """

    kind: Literal["euclid"] = "euclid"

    impostor_fraction: Fraction = 0.4
    """Share of the scenes without a source whose candidate is an impostor, each kind as often:
    a reading, so that each kind is met often enough to count its false positives."""

    def draw(self, rng: np.random.Generator) -> Scene:
        """One scene. Uses `rng` and nothing else."""
        where = self._draw_position(rng)
        drawn = {name: float(value[0]) for name, value in lens_copula().draw(1, rng).items()}
        shape = lens_of_forecast(where, drawn, rng)
        lens = self._colour_lens(shape, drawn[LENS_REDSHIFT], rng)
        companions = tuple(self._colour_companion(c, rng) for c in self._draw_companions(rng))
        if rng.random() >= self.lens_fraction:
            return scene_without_source(lens, companions, self.impostor_fraction, rng)
        deflector = self._draw_deflector(lens, drawn["einstein_radius_arcsec"], rng)
        source = self._draw_source(deflector, drawn, rng)
        return Scene(lens=lens, deflector=deflector, source=source, companions=companions)

    def _draw_source(
        self, deflector: Deflector, drawn: dict[str, float], rng: np.random.Generator
    ) -> Galaxy:
        """The source of a draw from the forecast, where Sersic indices of sources are 1."""
        offset = drawn["source_offset_over_einstein_radius"] * deflector.einstein_radius
        angle = rng.uniform(0, 2 * np.pi)
        source = Galaxy(
            x=deflector.x + offset * np.cos(angle),
            y=deflector.y + offset * np.sin(angle),
            magnitudes={"VIS": drawn["source_mag_vis"]},
            half_light_radius=drawn["source_half_light_radius_arcsec"],
            sersic_index=1.0,
            axis_ratio=drawn["source_axis_ratio"],
            position_angle=rng.uniform(0, np.pi),
        )
        return self._colour_source(source, drawn[SOURCE_REDSHIFT], rng)


class CompoundPopulation(CandidateField):
    """Lenses whose source bends the light of a second source behind it: two source planes.

    The predecessor's recipe (Wilde et al. 2022, section 2) in what it states: two isothermal
    deflectors with shear, the ranges of half-light radius, Sersic index, axis ratio and offset,
    and a last source beyond redshift 3. Magnitudes, Einstein radii and the nearer redshifts are
    ours. Scenes without a source have the same candidates.
    """

    kind: Literal["compound"] = "compound"

    einstein_radius: PositiveInterval = (0.8, 2.0)
    """Uniform, arcsec, of the first deflector for the first source. The second source is bent
    more: with the upper limit both rings are about those that the talk shows."""

    second_einstein_radius: PositiveInterval = (0.1, 0.4)
    """Uniform, over the first deflector's: the first source is a smaller galaxy. A reading; in
    the compound lens J0946+1006 it is a tenth (Collett & Auger 2014, MNRAS 443, 969)."""

    faintest_lens: Finite = 22.5
    """VIS magnitude of the lens galaxy, drawn from the forecast as for the talk's population."""

    source_magnitude: Interval = (21.5, 23.5)
    """Uniform, VIS, of both sources before magnification: brighter than the forecast's, as these
    sources are larger, and still seen. A reading."""

    half_light_radius: PositiveInterval = (0.2, 7.0)
    """Uniform, arcsec, of all three galaxies. Source: the predecessor's recipe."""

    sersic_index: SersicIndices = (1.5, 4.0)
    """Uniform, of all three galaxies. Source: the predecessor's recipe."""

    axis_ratio: AxisRatios = (0.3, 1.0)
    """Uniform, of all three galaxies. Source: the predecessor's recipe."""

    source_offset: Positive = 0.25
    """Sources are uniform within this of the lens in x and in y, arcsec. Source: as above."""

    second_redshift: SourceRedshifts = (3.0, 4.5)
    """Uniform, of the second source. The predecessor's lies beyond 3; beyond 4.5 the forecast
    has one source in a hundred."""

    plane_separation: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5
    """Least difference in redshift of the first two planes: closer, the Einstein radius for the
    second source would be more than about twice that for the first. A reading."""

    def draw(self, rng: np.random.Generator) -> Scene:
        """One scene. Uses `rng` and nothing else."""
        where = self._draw_position(rng)
        einstein_radius = rng.uniform(*self.einstein_radius)
        drawn = draw_bright_lens(where, einstein_radius, self.faintest_lens, rng)
        known = {
            "einstein_radius_arcsec": einstein_radius,
            "lens_mag_vis": drawn.magnitudes["VIS"],
        }
        redshift = lens_copula().draw_given((LENS_REDSHIFT,), known, rng)[LENS_REDSHIFT]
        shape = self._draw_galaxy(where, drawn.magnitudes["VIS"], rng)
        lens = self._colour_lens(shape, redshift, rng)
        companions = tuple(self._colour_companion(c, rng) for c in self._draw_companions(rng))
        if rng.random() >= self.lens_fraction:
            return scene_without_source(lens, companions, self.impostor_fraction, rng)
        first, second = self._draw_sources(lens, known | {LENS_REDSHIFT: redshift}, rng)
        ratio = rng.uniform(*self.second_einstein_radius)
        return Scene(
            lens=lens,
            deflector=self._draw_deflector(lens, einstein_radius, rng),
            source=first,
            second_deflector=self._draw_deflector(first, ratio * einstein_radius, rng),
            second_source=second,
            companions=companions,
        )

    def _draw_sources(
        self, lens: Galaxy, known: dict[str, float], rng: np.random.Generator
    ) -> list[Galaxy]:
        """The nearer source and the farther one."""
        farther = rng.uniform(*self.second_redshift)
        nearest = known[LENS_REDSHIFT] + self.plane_separation
        nearer = lens_copula().draw_source_redshift(known, rng, beyond=nearest, up_to=farther)
        sources = []
        for redshift in (nearer, farther):
            x, y = np.array([lens.x, lens.y]) + self.source_offset * rng.uniform(-1, 1, 2)
            magnitude = rng.uniform(*self.source_magnitude)
            source = self._draw_galaxy({"x": x, "y": y}, magnitude, rng)
            sources.append(self._colour_source(source, redshift, rng))
        return sources

    def _draw_galaxy(
        self, where: dict[str, float], magnitude: float, rng: np.random.Generator
    ) -> Galaxy:
        """A galaxy of the predecessor's recipe."""
        return Galaxy(
            **where,
            magnitudes={"VIS": magnitude},
            half_light_radius=rng.uniform(*self.half_light_radius),
            sersic_index=rng.uniform(*self.sersic_index),
            axis_ratio=rng.uniform(*self.axis_ratio),
            position_angle=rng.uniform(0, np.pi),
        )


Population = Annotated[
    TalkPopulation | EuclidPopulation | CompoundPopulation, Field(discriminator="kind")
]
"""Every population there is, told apart by `kind`."""
