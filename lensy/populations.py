"""Populations: probability distributions from which scenes are drawn.

A population is a frozen model, so that it travels as JSON inside a recipe. Its fields are its
numbers; the docstring of each says where the number comes from.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator
from scipy import stats

from lensy.errors import LensyError
from lensy.scene import Deflector, Frozen, Galaxy, Scene


def _in_order(limits: tuple[float, float]) -> tuple[float, float]:
    if not limits[0] <= limits[1]:
        raise ValueError("the first number must not exceed the second")
    return limits


Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]
AxisRatio = Annotated[float, Field(ge=0.05, le=1)]
Interval = Annotated[tuple[Finite, Finite], AfterValidator(_in_order)]
PositiveInterval = Annotated[tuple[Positive, Positive], AfterValidator(_in_order)]
AxisRatios = Annotated[tuple[AxisRatio, AxisRatio], AfterValidator(_in_order)]
Shear = Annotated[float, Field(ge=-0.5, le=0.5)]
Count = Annotated[int, Field(ge=0, le=100)]
SersicIndex = Annotated[float, Field(ge=0.3, le=8)]
SersicIndices = Annotated[tuple[SersicIndex, SersicIndex], AfterValidator(_in_order)]
MedianAndScatter = tuple[Positive, Annotated[float, Field(ge=0, le=3)]]

MEDIAN_OF_GAMMA = float(stats.gamma(1.5).median())
"""Median of the Gamma(3/2) distribution."""


class LensCopula:
    """Correlated properties of the lenses that Euclid is forecast to discover.

    A Gaussian copula: each variable's marginal as a table of quantiles, and the correlations of
    their normal scores. Source: LensPop, Collett 2015, ApJ 811, 20; the numbers are in
    `lensy/data/lenspop_euclid_copula.json`.
    """

    def __init__(self) -> None:
        text = files("lensy").joinpath("data/lenspop_euclid_copula.json").read_text("utf-8")
        table = json.loads(text)
        self.levels: NDArray[np.float64] = np.array(table["quantile_levels"])
        self.quantiles = {name: np.array(q) for name, q in table["variables"].items()}
        self.order: list[str] = table["normal_score_correlation"]["order"]
        self.correlation: NDArray[np.float64] = np.array(
            table["normal_score_correlation"]["matrix"]
        )

    def score(self, name: str, value: float) -> float:
        """Normal score of a value of one variable. Outside the table: that of its ends."""
        level = np.interp(value, self.quantiles[name], self.levels)
        return float(stats.norm.ppf(np.clip(level, 1e-4, 1 - 1e-4)))

    def value(self, name: str, score: float) -> float:
        """Value of one variable at a normal score."""
        return float(np.interp(stats.norm.cdf(score), self.levels, self.quantiles[name]))

    @cache  # noqa: B019 - the one instance lives as long as the module
    def _conditional(
        self, names: tuple[str, ...], given: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        i = [self.order.index(name) for name in names]
        j = self.order.index(given)
        slope = self.correlation[i, j]
        covariance = self.correlation[np.ix_(i, i)] - np.outer(slope, slope)
        return slope, np.asarray(np.linalg.cholesky(covariance), np.float64)

    def draw_given(
        self, names: tuple[str, ...], given: str, value: float, rng: np.random.Generator
    ) -> dict[str, float]:
        """One joint draw of the variables `names` where the variable `given` has `value`."""
        slope, root = self._conditional(names, given)
        scores = slope * self.score(given, value) + root @ rng.standard_normal(len(names))
        return {n: self.value(n, s) for n, s in zip(names, scores, strict=True)}


@cache
def lens_copula() -> LensCopula:
    """The copula of the Euclid forecast, read once."""
    return LensCopula()


class TalkPopulation(Frozen):
    """Scenes that look like the panels of the talk: large bright rings anywhere in the frame.

    Lenses and non-lenses have the same distribution of candidate galaxies and companions; only
    the lensed light tells them apart.
    """

    kind: Literal["talk"] = "talk"

    field_of_view: Annotated[float, Field(gt=2)] = 20.0
    """Side of the frame, arcsec: 200 VIS pixels of 0.1 arcsec, as in the talk."""

    margin: Annotated[float, Field(ge=0)] = 1.0
    """Least distance of the candidate from the edge, arcsec. The talk's lenses stand anywhere,
    the nearest shown 2 arcsec from the edge; below 1 arcsec little of a ring is left."""

    lens_fraction: Fraction = 0.5
    """Share of scenes with a source: the talk's NISP rows imply a prevalence of one half."""

    einstein_radius: PositiveInterval = (0.5, 2.5)
    """Uniform, arcsec. The rings shown in the talk have 1.2 to 2.5; below 0.5 a ring is smaller
    than three times the VIS point-spread function."""

    faintest_lens: Finite = 22.5
    """VIS magnitude: the forecast's lens galaxies, less the tail too faint for a candidate list."""

    mass_axis_ratio_scatter: MedianAndScatter = (0.99, 0.11)
    """Mean and scatter of mass axis ratio over light axis ratio.
    Source: Koopmans et al. 2006, ApJ 649, 599."""

    mass_angle_scatter: Annotated[float, Field(ge=0, le=np.pi)] = np.deg2rad(10.0)
    """Scatter of the angle between mass and light, radians. Source: Koopmans et al. 2006."""

    shear: Annotated[tuple[Shear, Shear], AfterValidator(_in_order)] = (-0.05, 0.05)
    """Uniform, per component. Source: the predecessor's recipe (Wilde et al. 2022, section 2)."""

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

    n_companions: Annotated[tuple[Count, Count], AfterValidator(_in_order)] = (3, 9)
    """Uniform, ends included. The talk's Mask R-CNN panels show 3 to 9 further galaxies."""

    companion_magnitude: Interval = (18.0, 25.5)
    """VIS; six galaxies to 25.5 is what number counts give for 20 x 20 arcsec^2, and six is the
    mean of `n_companions`."""

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

    def draw(self, rng: np.random.Generator) -> Scene:
        """One scene. Uses `rng` and nothing else."""
        half = 0.5 * self.field_of_view
        x, y = rng.uniform(-half + self.margin, half - self.margin, 2)
        einstein_radius = rng.uniform(*self.einstein_radius)
        lens = self._draw_lens(x, y, einstein_radius, rng)
        deflector = source = None
        if rng.random() < self.lens_fraction:
            deflector = self._draw_deflector(lens, einstein_radius, rng)
            source = self._draw_source(deflector, rng)
        n_companions = rng.integers(self.n_companions[0], self.n_companions[1] + 1)
        companions = tuple(self._draw_companion(rng) for _ in range(n_companions))
        return Scene(lens=lens, deflector=deflector, source=source, companions=companions)

    def _draw_lens(
        self, x: float, y: float, einstein_radius: float, rng: np.random.Generator
    ) -> Galaxy:
        names = ("lens_mag_vis", "lens_half_light_radius_arcsec", "lens_axis_ratio")
        for _ in range(1000):
            drawn = lens_copula().draw_given(names, "einstein_radius_arcsec", einstein_radius, rng)
            if drawn["lens_mag_vis"] < self.faintest_lens:
                break
        else:
            raise LensyError(
                f"No lens galaxy brighter than faintest_lens = {self.faintest_lens} turned up in "
                f"1000 draws; the forecast's magnitudes reach from 12.5 to 29: choose above 18."
            )
        return Galaxy(
            x=x,
            y=y,
            magnitudes={"VIS": drawn["lens_mag_vis"]},
            half_light_radius=drawn["lens_half_light_radius_arcsec"],
            sersic_index=4.0,
            axis_ratio=drawn["lens_axis_ratio"],
            position_angle=rng.uniform(0, np.pi),
        )

    def _draw_deflector(
        self, lens: Galaxy, einstein_radius: float, rng: np.random.Generator
    ) -> Deflector:
        ratio = lens.axis_ratio * rng.normal(*self.mass_axis_ratio_scatter)
        return Deflector(
            x=lens.x,
            y=lens.y,
            einstein_radius=einstein_radius,
            axis_ratio=float(np.clip(ratio, 0.2, 1.0)),
            position_angle=lens.position_angle + rng.normal(0, self.mass_angle_scatter),
            shear_1=rng.uniform(*self.shear),
            shear_2=rng.uniform(*self.shear),
        )

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


def draw_magnitude(limits: Interval, slope: float, rng: np.random.Generator) -> float:
    """A magnitude from number counts N(m) that rise as 10^(slope m) between two limits."""
    low, high = 10.0 ** (slope * np.array(limits))
    return float(np.log10(rng.uniform(low, high)) / slope)


def draw_half_light_radius(magnitude: float, rng: np.random.Generator) -> float:
    """Half-light radius (major axis, arcsec) of a field galaxy of a magnitude near i = VIS.

    The disc scale length r has p(r) proportional to r exp(-(r/a)^(4/3)), that is
    r = a t^(3/4) with t from a Gamma(3/2) distribution, and the median
    ln r = -1.145 - 0.269 (i - 23). Source: Miller et al. 2013, MNRAS 429, 2858, appendix B1.
    """
    median = np.exp(-1.145 - 0.269 * (magnitude - 23.0))
    scale_length = median * (rng.gamma(1.5) / MEDIAN_OF_GAMMA) ** 0.75
    half_light_of_exponential = 1.678
    return float(max(half_light_of_exponential * scale_length, 0.02))


Population = TalkPopulation
"""Every population there is, told apart by `kind`."""
