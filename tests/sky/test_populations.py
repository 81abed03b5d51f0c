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
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from lensy.errors import LensyError
from lensy.sky.forecast import lens_copula
from lensy.sky.impostors import KINDS
from lensy.sky.populations import (
    CompoundPopulation,
    EuclidPopulation,
    Population,
    TalkPopulation,
)
from lensy.sky.scene import Galaxy, Scene
from lensy.telescope.bands import FILTERS

Floats = NDArray[np.float64]

LEAST_P = 1e-3
EVERY_POPULATION = (TalkPopulation(), EuclidPopulation(), CompoundPopulation())


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


def test_larger_einstein_radii_have_brighter_lens_galaxies(lenses: list[Scene]) -> None:
    """In bins of half an arcsec, each bin is brighter than the last, as in the forecast."""
    radius = np.array([scene.deflector.einstein_radius for scene in lenses])
    magnitude = np.array([scene.lens.magnitudes["VIS"] for scene in lenses])
    medians = stats.binned_statistic(radius, magnitude, "median", bins=4, range=(0.5, 2.5))
    assert np.all(np.diff(medians.statistic) < 0)
    assert stats.spearmanr(radius, magnitude).pvalue < 1e-6


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


def test_companions_have_the_median_size_of_their_magnitude(companions: list[Galaxy]) -> None:
    """The ellipse's mean radius is sqrt(axis ratio) of the drawn one; half lie below the median."""
    magnitude = np.array([galaxy.magnitudes["VIS"] for galaxy in companions])
    radius = [galaxy.half_light_radius / np.sqrt(galaxy.axis_ratio) for galaxy in companions]
    median = 1.678 * np.exp(-1.145 - 0.269 * (magnitude - 23))
    n_below = int(np.sum(radius < median))
    assert stats.binomtest(n_below, len(companions), 0.5).pvalue > LEAST_P


def test_shapes_are_those_of_the_days_before_colours() -> None:
    """As drawn by the code that knew VIS alone: its data sets keep their VIS images."""
    scene = TalkPopulation().draw(np.random.default_rng(8))
    assert scene.source is not None
    found = [
        scene.lens.magnitudes["VIS"],
        scene.lens.position_angle,
        scene.deflector.shear_2,
        scene.source.magnitudes["VIS"],
        scene.source.position_angle,
        scene.companions[-1].magnitudes["VIS"],
        scene.companions[-1].position_angle,
    ]
    recorded = [18.579993, 1.375646, -0.024285, 23.639801, 2.032164, 25.091784, 1.178166]
    assert_allclose(found, recorded, atol=1e-6)


@pytest.mark.parametrize("population", EVERY_POPULATION, ids=lambda each: each.kind)
def test_every_galaxy_has_every_band_and_a_redshift(population: Population) -> None:
    rng = np.random.default_rng(13)
    for scene in [population.draw(rng) for _ in range(50)]:
        sources = [each for each in (scene.source, scene.second_source) if each]
        for part in (scene.lens, *sources, *scene.companions):
            assert list(part.magnitudes) == list(FILTERS)
            assert part.redshift is not None


@pytest.mark.parametrize("population", EVERY_POPULATION, ids=lambda each: each.kind)
def test_lenses_are_old_and_red_and_sources_young_and_blue(population: Population) -> None:
    """In each colour the median lens is redder by more than any median is uncertain: colours
    scatter by 0.7, so medians of 200 by 0.06. And sources lie behind."""
    rng = np.random.default_rng(14)
    scenes = [population.draw(rng) for _ in range(400)]
    pairs = [(scene.lens, scene.source) for scene in scenes if scene.source]
    for band in ("Y", "J", "H"):
        colours = [[g.magnitudes["VIS"] - g.magnitudes[band] for g in pair] for pair in pairs]
        lens, source = np.median(colours, axis=0)
        assert lens - source > 0.3
    assert all(lens.redshift < source.redshift for lens, source in pairs)


def test_companions_are_of_all_colours(companions: list[Galaxy]) -> None:
    """Spheroids among them are redder at the same redshift than the middle of the discs."""
    near_one = [galaxy for galaxy in companions if 0.8 < galaxy.redshift < 1.2]
    redness = {
        index: np.median(
            [g.magnitudes["VIS"] - g.magnitudes["H"] for g in near_one if g.sersic_index == index]
        )
        for index in (1.0, 4.0)
    }
    assert redness[4.0] > redness[1.0] + 1.0


def test_redshifts_of_the_talk_follow_the_forecast(lenses: list[Scene]) -> None:
    """Near an Einstein radius and a magnitude of the lens: medians against joint draws of the
    forecast. Scatter is 0.15 and 0.6; ours are some 60 of the scenes, the forecast's hundreds."""

    def near(radius: Floats, magnitude: Floats) -> NDArray[np.bool_]:
        return (np.abs(radius - 1.25) < 0.25) & (np.abs(magnitude - 19.0) < 0.75)

    theirs = lens_copula().draw(100_000, np.random.default_rng(15))
    expected = near(theirs["einstein_radius_arcsec"], theirs["lens_mag_vis"])
    radius = np.array([scene.deflector.einstein_radius for scene in lenses])
    magnitude = np.array([scene.lens.magnitudes["VIS"] for scene in lenses])
    ours = near(radius, magnitude)
    for name, galaxies in (
        ("lens_redshift", [scene.lens for scene in lenses]),
        ("source_redshift", [scene.source for scene in lenses]),
    ):
        found = np.array([each.redshift for each in galaxies])[ours]
        there = theirs[name][expected]
        tolerance = 4 * 1.25 * there.std() / np.sqrt(ours.sum())
        assert_allclose(np.median(found), np.median(there), atol=tolerance)


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


N_FORECAST = 20_000

FORECAST: dict[str, Callable[[Scene], float]] = {
    "lens_redshift": lambda scene: scene.lens.redshift,
    "source_redshift": lambda scene: scene.source.redshift,
    "einstein_radius_arcsec": lambda scene: scene.deflector.einstein_radius,
    "lens_axis_ratio": lambda scene: scene.lens.axis_ratio,
    "lens_half_light_radius_arcsec": lambda scene: scene.lens.half_light_radius,
    "lens_mag_vis": lambda scene: scene.lens.magnitudes["VIS"],
    "source_offset_over_einstein_radius": lambda scene: (
        np.hypot(scene.source.x - scene.deflector.x, scene.source.y - scene.deflector.y)
        / scene.deflector.einstein_radius
    ),
    "source_axis_ratio": lambda scene: scene.source.axis_ratio,
    "source_half_light_radius_arcsec": lambda scene: scene.source.half_light_radius,
    "source_mag_vis": lambda scene: scene.source.magnitudes["VIS"],
}
"""Every variable of the forecast's file that a scene has: all but the velocity dispersion."""

BEHIND = 0.005
"""How far levels of the source's redshift may be off, and three times that its correlations: the
file's copula has 1.2 % of the sources in front of their lenses, and ours has none."""


@pytest.fixture(scope="module")
def forecast() -> dict[str, Floats]:
    """The variables of 20 000 scenes, all with a source, none with companions."""
    population = EuclidPopulation(lens_fraction=1.0, companion_magnitude=(18.0, 18.0))
    rng = np.random.default_rng(2015)
    rows = []
    for _ in range(N_FORECAST):
        scene = population.draw(rng)
        rows.append([value(scene) for value in FORECAST.values()])
    return dict(zip(FORECAST, np.array(rows).T, strict=True))


@pytest.mark.parametrize("name", FORECAST)
def test_marginals_are_those_of_the_forecast(forecast: dict[str, Floats], name: str) -> None:
    """At each of the file's 25 quantiles the share of scenes below it, of 20 000: four standard
    errors of a share. Where several quantiles are equal, the share jumps across their levels."""
    levels, quantiles = lens_copula().levels, lens_copula().quantiles[name]
    tolerance = 4 * np.sqrt(levels * (1 - levels) / N_FORECAST) + 1e-9
    tolerance += BEHIND if name == "source_redshift" else 0.0
    # offsets are recomputed from positions, hence the hair's breadth
    values = np.sort(forecast[name])
    below = np.searchsorted(values, quantiles - 1e-9) / N_FORECAST
    up_to = np.searchsorted(values, quantiles + 1e-9, side="right") / N_FORECAST
    assert np.all(below <= levels + tolerance)
    assert np.all(up_to >= levels - tolerance)


def test_correlations_are_those_of_the_forecast(forecast: dict[str, Floats]) -> None:
    """Of normal scores by rank, as in the file, every pair: four standard errors,
    (1 - r^2) / sqrt(n), and 0.004 for values that share a rank."""
    scores = [stats.norm.ppf(stats.rankdata(v) / (N_FORECAST + 1)) for v in forecast.values()]
    places = [lens_copula().order.index(name) for name in FORECAST]
    expected = lens_copula().correlation[np.ix_(places, places)]
    tolerance = 4 * (1 - expected**2) / np.sqrt(N_FORECAST) + 0.004
    of_source_redshift = list(FORECAST).index("source_redshift")
    tolerance[of_source_redshift] += 3 * BEHIND
    tolerance[:, of_source_redshift] += 3 * BEHIND
    assert np.all(np.abs(np.corrcoef(scores) - expected) < tolerance)


@pytest.fixture(scope="module")
def euclid() -> list[Scene]:
    rng = np.random.default_rng(2026)
    return [EuclidPopulation().draw(rng) for _ in range(1500)]


def test_two_in_five_of_the_non_lenses_are_impostors(euclid: list[Scene]) -> None:
    kinds = [scene.kind for scene in euclid if scene.source is None]
    assert {scene.kind for scene in euclid if scene.source} == {"galaxy"}
    n_impostors = sum(kind != "galaxy" for kind in kinds)
    assert stats.binomtest(n_impostors, len(kinds), 0.4).pvalue > LEAST_P
    assert stats.chisquare([kinds.count(kind) for kind in KINDS]).pvalue > LEAST_P


@pytest.mark.parametrize(
    "value",
    [
        lambda lens: lens.magnitudes["VIS"],
        lambda lens: lens.magnitudes["H"],
        lambda lens: lens.half_light_radius,
        lambda lens: lens.axis_ratio,
        lambda lens: lens.redshift,
    ],
    ids=["VIS", "H", "half_light_radius", "axis_ratio", "redshift"],
)
def test_plain_non_lenses_are_the_galaxies_that_lens(
    euclid: list[Scene], value: Callable[[Galaxy], float]
) -> None:
    plain = [scene for scene in euclid if scene.kind == "galaxy"]
    with_source = [value(scene.lens) for scene in plain if scene.source]
    without = [value(scene.lens) for scene in plain if not scene.source]
    assert stats.ks_2samp(with_source, without).pvalue > LEAST_P


def test_companions_are_as_many_as_number_counts_say(euclid: list[Scene]) -> None:
    """9.6 in the frame to magnitude 26, less those brighter than 18, of which there are none; a
    Poisson number, so its variance is its mean."""
    counts = [len(scene.companions) for scene in euclid if scene.kind == "galaxy"]
    n, mean = len(counts), np.mean(counts)
    assert_allclose(mean, 9.6, atol=4 * np.sqrt(9.6 / n) + 0.02)
    # the variance of a Poisson sample is known to 1 / sqrt(2 n)
    assert_allclose(np.var(counts), mean, rtol=4 * np.sqrt(1 / (2 * n) + 1 / (9.6 * n)) + 0.01)


def test_some_companions_overlap_with_the_candidate(euclid: list[Scene]) -> None:
    """As if it were not there: within 2 arcsec, and inside the frame, an area of 4 pi of 400
    arcsec^2, less what the edge cuts off where the candidate is near it."""
    far = [s for s in euclid if s.kind == "galaxy" and max(abs(s.lens.x), abs(s.lens.y)) < 8]
    around = [np.hypot(g.x - s.lens.x, g.y - s.lens.y) < 2 for s in far for g in s.companions]
    assert stats.binomtest(int(np.sum(around)), len(around), np.pi / 100).pvalue > LEAST_P


@pytest.fixture(scope="module")
def compounds() -> list[Scene]:
    rng = np.random.default_rng(70)
    drawn = [CompoundPopulation().draw(rng) for _ in range(600)]
    return [scene for scene in drawn if scene.second_source]


def test_half_of_the_compound_scenes_have_two_sources(compounds: list[Scene]) -> None:
    """The others have none: a plain lens would be a third class."""
    assert stats.binomtest(len(compounds), 600, 0.5).pvalue > LEAST_P


@pytest.mark.parametrize("part", ["lens", "source", "second_source"])
def test_compound_lenses_follow_the_recipe_of_the_predecessor(
    compounds: list[Scene], part: str
) -> None:
    """The ranges that Wilde et al. 2022 drew from, uniformly."""
    galaxies = [getattr(scene, part) for scene in compounds]
    assert_uniform([galaxy.half_light_radius for galaxy in galaxies], 0.2, 7.0)
    assert_uniform([galaxy.sersic_index for galaxy in galaxies], 1.5, 4.0)
    assert_uniform([galaxy.axis_ratio for galaxy in galaxies], 0.3, 1.0)
    offsets = [galaxy.x - scene.lens.x for galaxy, scene in zip(galaxies, compounds, strict=True)]
    if part != "lens":
        assert_uniform(offsets, -0.25, 0.25)


def test_the_first_source_of_a_compound_lens_is_a_lens(compounds: list[Scene]) -> None:
    ratios = []
    for scene in compounds:
        assert (scene.second_deflector.x, scene.second_deflector.y) == (
            scene.source.x,
            scene.source.y,
        )
        first, second = scene.deflector.einstein_radius, scene.second_deflector.einstein_radius
        ratios.append(second / first)
    assert_uniform(ratios, 0.1, 0.4)
    for name in ("shear_1", "shear_2"):
        assert_uniform([getattr(scene.second_deflector, name) for scene in compounds], -0.05, 0.05)


def test_the_planes_of_a_compound_lens_are_apart(compounds: list[Scene]) -> None:
    redshifts = np.array(
        [[s.lens.redshift, s.source.redshift, s.second_source.redshift] for s in compounds]
    )
    assert np.all(redshifts[:, 1] >= redshifts[:, 0] + 0.5)
    assert np.all(redshifts[:, 2] > redshifts[:, 1])
    assert_uniform(list(redshifts[:, 2]), 3.0, 4.5)


@pytest.mark.parametrize("population", EVERY_POPULATION, ids=lambda each: each.kind)
def test_a_population_survives_json(population: Population) -> None:
    adapter = TypeAdapter(Population)
    assert adapter.validate_json(population.model_dump_json()) == population


def test_an_unknown_population_is_named() -> None:
    with pytest.raises(ValidationError, match=r"'hubble' .*'talk', 'euclid', 'compound'"):
        TypeAdapter(Population).validate_python({"kind": "hubble"})
