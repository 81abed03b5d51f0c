"""An image is blamed on a flaw exactly if it falls off the list without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_recipe
from numpy.testing import assert_array_equal

from lensy.artefacts import Instrument
from lensy.runs import write_run
from lensy.scorers import Scorer
from lensy.shortlist import GALAXY, LENS, best, counts, shortlist
from lensy.simulate import simulate

RECIPE = tiny_recipe(n_test=8)
STAR_AND_GAP = Instrument.model_validate(
    {"look": "single exposure", "rates": {"star": 1.0, "chip_gap": 1.0}}
)
LENSES = [index for index in range(12) if simulate(RECIPE, "test", index).label]
OTHERS = [index for index in range(12) if index not in LENSES]


def brightness(flux: torch.Tensor) -> torch.Tensor:
    """A network that likes the brightest pixel of an image."""
    return flux.amax(dim=(1, 2, 3))


def darkness(flux: torch.Tensor) -> torch.Tensor:
    """A network that likes pixels without data."""
    return (flux == 0).float().mean(dim=(1, 2, 3))


def scorer(network) -> Scorer:  # type: ignore[no-untyped-def]
    return Scorer(("VIS",), "VIS", network)


@pytest.mark.parametrize(("network", "cause"), [(brightness, "star"), (darkness, "chip gap")])
def test_the_flaw_that_a_network_likes_is_the_cause(network, cause: str) -> None:  # type: ignore[no-untyped-def]
    one = scorer(network)
    found = shortlist(one, RECIPE, STAR_AND_GAP, OTHERS[:3], limit=0.0)
    # nothing falls below a limit of 0 in brightness, all do in the share without data
    expected = GALAXY if network is brightness else cause
    assert [each.cause for each in found] == [expected] * 3
    limit = max(each.clean_score for each in found)
    assert all(each.score > limit for each in found)
    found = shortlist(one, RECIPE, STAR_AND_GAP, OTHERS[:3], limit=limit)
    assert [each.cause for each in found] == [cause] * 3


def test_a_lens_is_a_lens_whatever_else_there_is() -> None:
    (found,) = shortlist(scorer(darkness), RECIPE, STAR_AND_GAP, LENSES[:1], limit=0.0)
    assert found.cause == LENS
    assert found.index == LENSES[0]


def test_without_flaws_it_is_the_galaxy() -> None:
    clean = Instrument()
    (found,) = shortlist(scorer(brightness), RECIPE, clean, OTHERS[:1], limit=1e9)
    assert found.cause == GALAXY
    assert found.score == found.clean_score
    assert_array_equal(found.image, simulate(RECIPE, "test", OTHERS[0]).observed("VIS"))


def test_the_best_are_those_with_the_highest_scores(tmp_path: Path) -> None:
    columns = {
        "condition": np.array(["survey", "HST-like", "survey", "survey"]),
        "number": np.array([0, 0, 1, 2]),
        "score": np.array([0.2, 9.0, 0.9, 0.5]),
    }
    exam = write_run(tmp_path, info={}, scores=columns)
    numbers, limit = best(exam, "survey", 2)
    assert_array_equal(numbers, [1, 2])
    assert limit == pytest.approx(0.2)
    assert best(exam, "survey", 5)[1] == -np.inf


def test_causes_are_counted() -> None:
    found = shortlist(scorer(darkness), RECIPE, STAR_AND_GAP, [*OTHERS[:2], LENSES[0]], limit=0.0)
    assert counts(found) == {"chip gap": 2, LENS: 1}
    assert list(counts(found)) == ["chip gap", LENS]
