"""The forecast: correlated properties of the lenses that Euclid can discover."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np
from scipy import special

from lensy.values import Floats

LENS_REDSHIFT, SOURCE_REDSHIFT = "lens_redshift", "source_redshift"


class LensCopula:
    """Correlated properties of the lenses that Euclid is forecast to discover.

    A Gaussian copula: each variable's marginal as a table of quantiles, and the correlations of
    their normal scores. Source: LensPop, Collett 2015, ApJ 811, 20; the numbers are in
    `lensy/sky/lenspop_euclid_copula.json`. One thing is added: a source lies behind its lens,
    which one in eighty draws of the copula forgets.
    """

    def __init__(self) -> None:
        text = files("lensy.sky").joinpath("lenspop_euclid_copula.json").read_text("utf-8")
        table = json.loads(text)
        self.levels: Floats = np.array(table["quantile_levels"])
        self.quantiles = {name: np.array(q) for name, q in table["variables"].items()}
        self.order: tuple[str, ...] = tuple(table["normal_score_correlation"]["order"])
        self.correlation: Floats = np.array(table["normal_score_correlation"]["matrix"])

    def score(self, name: str, value: float) -> float:
        """Normal score of a value of one variable. Outside the table: that of its ends."""
        return float(self._scores(name, np.array(value)))

    def value(self, name: str, score: float) -> float:
        """Value of one variable at a normal score."""
        return float(self._values(name, np.array(score)))

    def _scores(self, name: str, values: Floats) -> Floats:
        level = np.interp(values, self.quantiles[name], self.levels)
        return np.asarray(special.ndtri(np.clip(level, 1e-4, 1 - 1e-4)))

    def _values(self, name: str, scores: Floats) -> Floats:
        return np.asarray(np.interp(special.ndtr(scores), self.levels, self.quantiles[name]))

    @cache  # noqa: B019 - the one instance lives as long as the module
    def _conditional(self, names: tuple[str, ...], given: tuple[str, ...]) -> tuple[Floats, Floats]:
        """Slopes (name, given) and root of the covariance of scores where others are known."""
        i = [self.order.index(name) for name in names]
        j = [self.order.index(name) for name in given]
        across = self.correlation[np.ix_(j, i)]
        slope = np.linalg.solve(self.correlation[np.ix_(j, j)], across).T
        covariance = self.correlation[np.ix_(i, i)] - slope @ across
        root = np.linalg.cholesky(covariance)
        return np.asarray(slope, np.float64), np.asarray(root, np.float64)

    def draw_given(
        self, names: tuple[str, ...], given: Mapping[str, float], rng: np.random.Generator
    ) -> dict[str, float]:
        """One joint draw of the variables `names` where those in `given` have its values."""
        slope, root = self._conditional(names, tuple(given))
        known = [self.score(name, value) for name, value in given.items()]
        scores = slope @ known + root @ rng.standard_normal(len(names))
        return {n: self.value(n, s) for n, s in zip(names, scores, strict=True)}

    def draw_source_redshift(
        self,
        given: Mapping[str, float],
        rng: np.random.Generator,
        *,
        beyond: float,
        up_to: float = np.inf,
    ) -> float:
        """One draw of the source redshift between two limits where `given` has its values."""
        known = np.array([[self.score(name, value)] for name, value in given.items()])
        level = rng.random(1)
        return float(self._source_redshift(tuple(given), known, level, beyond, up_to)[0])

    def draw(self, n_draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Joint draws of all variables, each (n_draws,). n draws are the same as n times one.

        The source's redshift is drawn where all else is known, beyond the lens.
        """
        names = tuple(name for name in self.order if name != SOURCE_REDSHIFT)
        _, root = self._conditional(names, ())
        normal = rng.standard_normal((n_draws, len(self.order))).T
        scores = root @ normal[1:]
        drawn = {name: self._values(name, s) for name, s in zip(names, scores, strict=True)}
        level = special.ndtr(normal[0])
        drawn[SOURCE_REDSHIFT] = self._source_redshift(names, scores, level, drawn[LENS_REDSHIFT])
        return drawn

    def _source_redshift(
        self,
        given: tuple[str, ...],
        scores: Floats,
        level: Floats,
        beyond: Floats | float,
        up_to: float = np.inf,
    ) -> Floats:
        """Source redshift at a level (0 to 1) of its distribution between two limits.

        scores: of the variables in `given`, (n_given, n_draws).
        """
        slope, root = self._conditional((SOURCE_REDSHIFT,), given)
        mean, scatter = (slope @ scores)[0], root[0, 0]
        limits = (self._scores(SOURCE_REDSHIFT, np.asarray(each)) for each in (beyond, up_to))
        low, high = (special.ndtr((limit - mean) / scatter) for limit in limits)
        score = mean + scatter * special.ndtri(low + level * (high - low))
        return self._values(SOURCE_REDSHIFT, score)


@cache
def lens_copula() -> LensCopula:
    """The copula of the Euclid forecast, read once."""
    return LensCopula()
