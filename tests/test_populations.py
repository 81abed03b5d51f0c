"""Populations: every marginal against what the docstring of its field says.

The draws are seeded, so nothing here is a matter of luck today. Least p-value 1e-3: when the order
of the draws changes, a right population fails one of these some thirty tests once in thirty times,
and a distribution that is wrong by a tenth of its width has p below 1e-6 with these samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import integrate, stats

from lensy.errors import LensyError
from lensy.populations import (
    TalkPopulation,
    draw_half_light_radius,
    draw_magnitude,
    lens_copula,
)
from lensy.scene import Galaxy, Scene

Floats = NDArray[np.float64]

LEAST_P = 1e-3
COPULA_NAMES = ("lens_mag_vis", "lens_half_light_radius_arcsec", "lens_axis_ratio")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    rng = np.random.default_rng(20220711)
    return [TalkPopulation().draw(rng) for _ in range(1500)]


@pytest.fixture(scope="module")
def lenses(scenes: list[Scene]) -> list[Scene]:
    return [scene for scene in scenes if scene.source is not None]


@pytest.fixture(scope="module")
def companions(scenes: list[Scene]) -> list[Galaxy]:
    return [galaxy for scene in scenes for galaxy in scene.companions]


def assert_uniform(values: list[float], low: float, high: float) -> None:
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > LEAST_P


@pytest.mark.parametrize("axis", ["x", "y"])
def test_candidates_stand_anywhere_but_at_the_edge(scenes: list[Scene], axis: str) -> None:
    assert_uniform([getattr(scene.lens, axis) for scene in scenes], -9.0, 9.0)


def test_half_of_the_scenes_have_a_source(scenes: list[Scene]) -> None:
    n_sources = sum(scene.source is not None for scene in scenes)
    assert stats.binomtest(n_sources, len(scenes), 0.5).pvalue > LEAST_P
    assert n_sources == sum(scene.deflector is not None for scene in scenes)


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_lens_fraction_may_be_none_or_all(fraction: float) -> None:
    rng = np.random.default_rng(1)
    drawn = [TalkPopulation(lens_fraction=fraction).draw(rng) for _ in range(20)]
    assert {scene.source is not None for scene in drawn} == {fraction == 1.0}


@pytest.mark.parametrize(
    "value",
    [
        lambda lens: lens.magnitudes["VIS"],
        lambda lens: lens.half_light_radius,
        lambda lens: lens.axis_ratio,
        lambda lens: lens.position_angle,
        lambda lens: lens.x,
    ],
    ids=["magnitude", "half_light_radius", "axis_ratio", "position_angle", "x"],
)
def test_lenses_and_others_have_the_same_candidates(
    scenes: list[Scene], value: Callable[[Galaxy], float]
) -> None:
    with_source = [value(scene.lens) for scene in scenes if scene.source is not None]
    without = [value(scene.lens) for scene in scenes if scene.source is None]
    assert stats.ks_2samp(with_source, without).pvalue > LEAST_P


def test_lenses_and_others_have_the_same_number_of_companions(scenes: list[Scene]) -> None:
    counts = [
        np.bincount([len(s.companions) for s in scenes if (s.source is None) is without])[3:]
        for without in (True, False)
    ]
    assert stats.chi2_contingency(counts).pvalue > LEAST_P


def test_einstein_radius_is_uniform(lenses: list[Scene]) -> None:
    assert_uniform([scene.deflector.einstein_radius for scene in lenses], 0.5, 2.5)


def test_candidates_are_brighter_than_the_faintest(scenes: list[Scene]) -> None:
    assert max(scene.lens.magnitudes["VIS"] for scene in scenes) < 22.5


def test_candidates_are_de_vaucouleurs(scenes: list[Scene]) -> None:
    assert {scene.lens.sersic_index for scene in scenes} == {4.0}


def forecast_at(einstein_radius: float, n_draws: int, rng: np.random.Generator) -> Floats:
    """Lens galaxies of the forecast near an Einstein radius, (n, 3), by a slow way: draw all
    variables of the copula jointly and keep the radii within 5 %."""
    copula = lens_copula()
    root = np.linalg.cholesky(copula.correlation)
    scores = rng.standard_normal((n_draws, len(copula.order))) @ root.T
    columns = {
        name: np.interp(stats.norm.cdf(score), copula.levels, copula.quantiles[name])
        for name, score in zip(copula.order, scores.T, strict=True)
    }
    near = np.abs(columns["einstein_radius_arcsec"] / einstein_radius - 1) < 0.05
    return np.stack([columns[name][near] for name in COPULA_NAMES], axis=1)


@pytest.mark.parametrize("einstein_radius", [0.6, 1.0, 1.6])
def test_candidates_at_an_einstein_radius_follow_the_forecast(einstein_radius: float) -> None:
    rng = np.random.default_rng(5)
    draw = lens_copula().draw_given
    drawn = [draw(COPULA_NAMES, "einstein_radius_arcsec", einstein_radius, rng) for _ in range(800)]
    expected = forecast_at(einstein_radius, 100_000, rng)
    for column, name in enumerate(COPULA_NAMES):
        ours = [galaxy[name] for galaxy in drawn]
        assert stats.ks_2samp(ours, expected[:, column]).pvalue > LEAST_P
    # brightness and size go together at a given Einstein radius, too; the standard error of a rank
    # correlation is about 1 / sqrt(n - 1)
    ours = stats.spearmanr([list(galaxy.values()) for galaxy in drawn]).statistic[0, 1]
    theirs = stats.spearmanr(expected).statistic[0, 1]
    assert_allclose(ours, theirs, atol=4 * np.sqrt(1 / 800 + 1 / len(expected)))


def test_larger_einstein_radii_have_brighter_lens_galaxies(lenses: list[Scene]) -> None:
    """In bins of half an arcsec, each bin is brighter than the last, as in the forecast."""
    radius = np.array([scene.deflector.einstein_radius for scene in lenses])
    magnitude = np.array([scene.lens.magnitudes["VIS"] for scene in lenses])
    medians = stats.binned_statistic(radius, magnitude, "median", bins=4, range=(0.5, 2.5))
    assert np.all(np.diff(medians.statistic) < 0)
    assert stats.spearmanr(radius, magnitude).pvalue < 1e-6


def test_copula_scores_and_values_are_inverse() -> None:
    copula = lens_copula()
    median = np.median(copula.quantiles["einstein_radius_arcsec"])
    score = copula.score("einstein_radius_arcsec", median)
    assert_allclose(copula.value("einstein_radius_arcsec", score), median)
    assert np.isfinite([copula.score("einstein_radius_arcsec", each) for each in (0.0, 99.0)]).all()


def test_medians_of_the_forecast() -> None:
    """FACTS.md section 4, rounded as there."""
    copula = lens_copula()
    assert_allclose(copula.value("einstein_radius_arcsec", 0.0), 0.65, atol=0.005)
    assert_allclose(copula.value("lens_mag_vis", 0.0), 20.9, atol=0.05)
    assert_allclose(copula.value("lens_half_light_radius_arcsec", 0.0), 0.53, atol=0.005)


def test_mass_follows_light(lenses: list[Scene]) -> None:
    """Koopmans et al. 2006: ratio 0.99 +- 0.11 of the axis ratios, 10 degrees of scatter.

    The ratio only where the limit at a round deflector does not bite: light flatter than 0.6.
    """
    pairs = [(scene.deflector, scene.lens) for scene in lenses]
    angles = [mass.position_angle - light.position_angle for mass, light in pairs]
    flat = [(mass, light) for mass, light in pairs if 0.3 < light.axis_ratio < 0.6]
    ratios = [mass.axis_ratio / light.axis_ratio for mass, light in flat]
    assert stats.kstest(angles, stats.norm(0, np.deg2rad(10)).cdf).pvalue > LEAST_P
    assert stats.kstest(ratios, stats.norm(0.99, 0.11).cdf).pvalue > LEAST_P


def test_mass_is_centred_on_light(lenses: list[Scene]) -> None:
    mass = [(scene.deflector.x, scene.deflector.y) for scene in lenses]
    assert mass == [(scene.lens.x, scene.lens.y) for scene in lenses]


@pytest.mark.parametrize("name", ["shear_1", "shear_2"])
def test_shear_is_uniform(lenses: list[Scene], name: str) -> None:
    assert_uniform([getattr(scene.deflector, name) for scene in lenses], -0.05, 0.05)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (lambda source: source.magnitudes["VIS"], 23.0, 25.5),
        (lambda source: source.sersic_index, 1.0, 4.0),
        (lambda source: source.axis_ratio, 0.3, 1.0),
        (lambda source: source.position_angle, 0.0, np.pi),
    ],
    ids=["magnitude", "sersic_index", "axis_ratio", "position_angle"],
)
def test_source_is_uniform(
    lenses: list[Scene], value: Callable[[Galaxy], float], low: float, high: float
) -> None:
    assert_uniform([value(scene.source) for scene in lenses], low, high)


def test_sources_fill_a_disc_of_most_of_the_einstein_radius(lenses: list[Scene]) -> None:
    """Uniform over a disc: the squared distance is uniform, and so is the direction."""
    offset = np.array(
        [
            ((s.source.x - s.lens.x) + 1j * (s.source.y - s.lens.y)) / s.deflector.einstein_radius
            for s in lenses
        ]
    )
    assert_uniform(list(np.abs(offset) ** 2), 0.0, 0.64)
    assert_uniform(list(np.angle(offset)), -np.pi, np.pi)


def test_source_radius_is_log_normal_with_a_wide_tail(lenses: list[Scene]) -> None:
    def mixture(radius: Floats) -> Floats:
        bulk = stats.lognorm(0.5, scale=0.3).cdf(radius)
        return np.asarray(0.9 * bulk + 0.1 * stats.uniform(0.2, 6.8).cdf(radius))

    radii = [scene.source.half_light_radius for scene in lenses]
    assert stats.kstest(radii, mixture).pvalue > LEAST_P


def test_three_to_nine_companions(scenes: list[Scene]) -> None:
    counts = np.bincount([len(scene.companions) for scene in scenes])
    assert counts[:3].sum() == 0
    assert len(counts) == 10
    assert stats.chisquare(counts[3:]).pvalue > LEAST_P


@pytest.mark.parametrize("axis", ["x", "y"])
def test_companions_stand_anywhere(companions: list[Galaxy], axis: str) -> None:
    assert_uniform([getattr(galaxy, axis) for galaxy in companions], -10.0, 10.0)


def test_a_tenth_of_the_companions_are_spheroids(companions: list[Galaxy]) -> None:
    n_spheroids = sum(galaxy.sersic_index == 4.0 for galaxy in companions)
    assert {galaxy.sersic_index for galaxy in companions} == {1.0, 4.0}
    assert stats.binomtest(n_spheroids, len(companions), 0.1).pvalue > LEAST_P


def test_companions_are_counted_with_the_slope_of_number_counts(companions: list[Galaxy]) -> None:
    """Maximum-likelihood slope of counts 10^(0.35 m), truncated at 25.5 (and at 18, which changes
    nothing): 1 / (ln 10 * mean distance from the end), with relative standard error 1 / sqrt(n)."""
    magnitudes = np.array([galaxy.magnitudes["VIS"] for galaxy in companions])
    slope = 1 / (np.log(10) * np.mean(25.5 - magnitudes))
    assert magnitudes.min() >= 18.0
    assert_allclose(slope, 0.35, rtol=4 / np.sqrt(magnitudes.size) + 0.02)


def test_magnitudes_of_a_population_are_a_power_law() -> None:
    rng = np.random.default_rng(2)
    drawn = [draw_magnitude((20.0, 24.0), 0.35, rng) for _ in range(2000)]
    low, high = 10**7.0, 10**8.4
    expected = stats.kstest(drawn, lambda m: (10 ** (0.35 * m) - low) / (high - low))
    assert expected.pvalue > LEAST_P


def test_sizes_follow_miller() -> None:
    """p(r) prop. to r exp(-(r/a)^(4/3)) with a = median / 1.13, integrated numerically.

    1.13 is printed in Miller et al. 2013, appendix B1; half of an exponential's light lies within
    1.678 scale lengths.
    """
    rng = np.random.default_rng(3)
    drawn = np.array([draw_half_light_radius(24.5, rng) for _ in range(1500)]) / 1.678
    a = np.exp(-1.145 - 0.269 * 1.5) / 1.13
    grid = np.linspace(0, 12 * a, 4000)
    cumulative = integrate.cumulative_trapezoid(grid * np.exp(-((grid / a) ** (4 / 3))), grid)
    cumulative = np.concatenate([[0.0], cumulative]) / cumulative[-1]
    assert stats.kstest(drawn, lambda r: np.interp(r, grid, cumulative)).pvalue > LEAST_P


def test_companions_have_the_median_size_of_their_magnitude(companions: list[Galaxy]) -> None:
    """The ellipse's mean radius is sqrt(axis ratio) of the drawn one; half lie below the median."""
    magnitude = np.array([galaxy.magnitudes["VIS"] for galaxy in companions])
    radius = [galaxy.half_light_radius / np.sqrt(galaxy.axis_ratio) for galaxy in companions]
    median = 1.678 * np.exp(-1.145 - 0.269 * (magnitude - 23))
    n_below = int(np.sum(radius < median))
    assert stats.binomtest(n_below, len(companions), 0.5).pvalue > LEAST_P


def test_a_draw_depends_on_its_generator_alone() -> None:
    twice = [TalkPopulation().draw(np.random.default_rng(8)) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0] != TalkPopulation().draw(np.random.default_rng(9))


def test_an_impossible_limit_is_named() -> None:
    with pytest.raises(LensyError, match=r"faintest_lens = 10.0 .*choose above 18"):
        TalkPopulation(faintest_lens=10.0).draw(np.random.default_rng(1))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("einstein_radius", (2.5, 0.5), "the first number must not exceed the second"),
        ("einstein_radius", (0.0, 1.0), "greater than 0"),
        ("source_magnitude", (23.0, float("nan")), "finite number"),
        ("source_axis_ratio", (0.3, 2.0), "less than or equal to 1"),
        ("source_radius", (-0.3, 0.5), "greater than 0"),
        ("n_companions", (9, 3), "the first number must not exceed the second"),
        ("margin", 11.0, "must be below half of field_of_view"),
    ],
)
def test_a_distribution_that_cannot_be_drawn_from_is_refused(
    field: str, value: object, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        TalkPopulation(**{field: value})
