"""The forecast: the copula against its own file, by slower ways."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

from lensy.sky.forecast import lens_copula

Floats = NDArray[np.float64]

LEAST_P = 1e-3
COPULA_NAMES = ("lens_mag_vis", "lens_half_light_radius_arcsec", "lens_axis_ratio")


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
    given = {"einstein_radius_arcsec": einstein_radius}
    drawn = [draw(COPULA_NAMES, given, rng) for _ in range(800)]
    expected = forecast_at(einstein_radius, 100_000, rng)
    for column, name in enumerate(COPULA_NAMES):
        ours = [galaxy[name] for galaxy in drawn]
        assert stats.ks_2samp(ours, expected[:, column]).pvalue > LEAST_P
    # brightness and size go together at a given Einstein radius, too; the standard error of a rank
    # correlation is about 1 / sqrt(n - 1)
    ours = stats.spearmanr([list(galaxy.values()) for galaxy in drawn]).statistic[0, 1]
    theirs = stats.spearmanr(expected).statistic[0, 1]
    assert_allclose(ours, theirs, atol=4 * np.sqrt(1 / 800 + 1 / len(expected)))


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


def test_two_known_variables_are_both_used() -> None:
    """Linear regression of joint draws' scores on two of them, by least squares: 100 000 draws
    have slopes to 0.005 (the variables known correlate by 0.7), 2000 a mean to 0.02."""
    copula, rng = lens_copula(), np.random.default_rng(6)
    known = {"lens_mag_vis": 20.0, "einstein_radius_arcsec": 1.5}
    i = [copula.order.index(name) for name in known]
    scores = rng.standard_normal((100_000, 11)) @ np.linalg.cholesky(copula.correlation).T
    slopes, *_ = np.linalg.lstsq(scores[:, i], scores[:, 0])
    expected = slopes @ [copula.score(name, value) for name, value in known.items()]
    drawn = [copula.draw_given(("lens_redshift",), known, rng) for _ in range(2000)]
    found = np.mean([copula.score("lens_redshift", each["lens_redshift"]) for each in drawn])
    assert_allclose(found, expected, atol=0.03)


def test_many_draws_are_the_same_as_one_at_a_time() -> None:
    together = lens_copula().draw(3, np.random.default_rng(4))
    rng = np.random.default_rng(4)
    for i in range(3):
        alone = lens_copula().draw(1, rng)
        assert set(alone) == set(lens_copula().order)
        for name, value in alone.items():
            assert_allclose(value[0], together[name][i])


def test_sources_are_behind_their_lenses() -> None:
    drawn = lens_copula().draw(20_000, np.random.default_rng(7))
    assert np.all(drawn["source_redshift"] > drawn["lens_redshift"])


def test_source_redshift_lies_between_its_limits() -> None:
    """And is distributed there as without limits, which are checked by rejection."""
    copula, rng = lens_copula(), np.random.default_rng(8)
    known = {"lens_redshift": 0.8, "lens_mag_vis": 21.0}
    drawn = [copula.draw_source_redshift(known, rng, beyond=1.0, up_to=2.5) for _ in range(1000)]
    free = [copula.draw_given(("source_redshift",), known, rng) for _ in range(4000)]
    redshifts = np.array([each["source_redshift"] for each in free])
    expected = redshifts[(redshifts > 1.0) & (redshifts < 2.5)]
    assert 1.0 < min(drawn) < max(drawn) < 2.5
    assert stats.ks_2samp(drawn, expected).pvalue > LEAST_P
