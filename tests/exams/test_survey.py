"""An image is blamed on a flaw exactly if it falls off the list without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_data, tiny_experiment, tiny_recipe
from numpy.testing import assert_array_equal

import data_sim
from lensy.exams.survey import (
    CAUSES,
    GALAXY,
    LENS,
    SURVEYS,
    Shortlisted,
    SurveyExam,
    best,
    cause,
    counts,
    shortlist,
)
from lensy.runs.library import find_run, shipped_run
from lensy.simulation.example import simulate
from lensy.telescope.instrument import Instrument, expose_from_seed
from lensy.training import predecessor
from lensy.training.fit import fit
from lensy.training.scorer import Scorer

RECIPE = tiny_recipe(n_test=8)
STAR_AND_GAP = Instrument.model_validate(
    {"exposure": "single exposure", "rates": {"star": 1.0, "chip_gap": 1.0}}
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
    return Scorer(("VIS",), network)


def blamed(network, index: int, *, instrument: Instrument = STAR_AND_GAP, limit: float) -> str:  # type: ignore[no-untyped-def]
    return cause(scorer(network), simulate(RECIPE, "test", index), instrument, limit=limit)


@pytest.mark.parametrize(("network", "kind"), [(brightness, "star"), (darkness, "chip gap")])
def test_the_flaw_that_a_network_likes_is_the_cause(network, kind: str) -> None:  # type: ignore[no-untyped-def]
    plain = Instrument(exposure="single exposure")
    for index in OTHERS[:3]:
        example = simulate(RECIPE, "test", index)
        image = expose_from_seed(
            example.layers["VIS"].image, "VIS", example.noise_seed, plain
        ).image
        clean = float(network(torch.from_numpy(image)[None, None])[0])
        assert blamed(network, index, limit=clean) == kind
        assert blamed(network, index, limit=clean - 1e-3 * abs(clean) - 1e-6) == GALAXY


def test_a_lens_is_a_lens_whatever_else_there_is() -> None:
    assert blamed(darkness, LENSES[0], limit=0.0) == LENS


def test_without_flaws_it_is_the_galaxy() -> None:
    assert blamed(brightness, OTHERS[0], instrument=Instrument(), limit=1e9) == GALAXY


def test_the_best_are_those_with_the_highest_scores() -> None:
    order, limit = best([0.2, 0.9, 0.5], 2)
    assert_array_equal(order, [1, 2])
    assert limit == pytest.approx(0.2)
    assert best([0.2, 0.9, 0.5], 5)[1] == -np.inf


def test_a_survey_is_judged_at_its_top(tmp_path: Path) -> None:
    data = tiny_data(tmp_path / "data", n_test=6, n_validation=4, n_train=8)
    options = {"trainer_options": {"accelerator": "cpu", "devices": 1}}
    run = fit(tiny_experiment(data.recipe), data, tmp_path / "run", **options)
    exam = SurveyExam.of(run, data.recipe, n_top=2)
    made = exam.make(data, tmp_path / "exam", start=None, progress=False)
    rows = made.scores()
    for survey, instrument in SURVEYS.items():
        here = rows["condition"] == survey
        assert here.sum() == 6
        judged = rows["cause"][here] != ""
        assert judged.sum() == 2
        assert rows["score"][here][judged].min() >= rows["score"][here][~judged].max()
        found = shortlist(made, survey)
        assert [each.score for each in found] == sorted(
            (each.score for each in found), reverse=True
        )
        assert {each.cause for each in found} <= {*CAUSES}
        seen = data.exposure("test", found[0].index, "VIS", instrument).image
        assert_array_equal(found[0].image, seen)
    assert sum(counts(shortlist(made, "survey")).values()) == 2


def test_causes_are_counted() -> None:
    image = np.zeros((2, 2), np.float32)
    found = [Shortlisted(0, 1.0, each, image) for each in ("star", "chip gap", "star")]
    assert list(counts(found).items()) == [("star", 2), ("chip gap", 1)]


@pytest.mark.parametrize("name", ["ou-200-published", "ou-vis-published", "naberrie-vis", "mrc-3"])
def test_shipped_lists_are_found_without_the_weights_of_their_networks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published weights come by a network that a reader of the book may not have."""

    def no_weights(network: str) -> Path:
        raise AssertionError(f"weights of {network} were asked for")

    monkeypatch.setattr(predecessor, "fetch_weights", no_weights)
    run, recipe = shipped_run(name), data_sim.recipe("talk-survey-laptop")
    exam = SurveyExam.of(run, recipe)
    assert set(exam.conditions) == ({"survey"} if name == "ou-200-published" else set(SURVEYS))
    found = find_run(exam, runs=tmp_path)
    assert found is not None
    top = [row for row in found.scores()["cause"] if row]
    assert len(top) == 50 * len(exam.conditions)
