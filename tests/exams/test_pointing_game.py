"""Whether maps of attention point at lensed light."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_data, tiny_experiment

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.pointing_game import (
    RANDOM,
    PointingGame,
    hit_rates,
    methods,
)
from lensy.exams.saliency import differentiable
from lensy.models.mask_rcnn import MaskRcnn
from lensy.runs.run import Run, write_run
from lensy.training.fit import fit
from lensy.training.kinds import scorer_of
from lensy.training.scorer import Scorer


@pytest.fixture(scope="module")
def lenses(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """A few examples, bright lenses among them."""
    folder = tmp_path_factory.mktemp("data") / "tiny"
    population = bright_population(source_magnitude=(20.0, 21.0))
    return tiny_data(folder, population=population, n_test=6, n_validation=8, n_train=8)


@pytest.fixture(scope="module")
def run(lenses: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    options = {"accelerator": "cpu", "devices": 1}
    folder = tmp_path_factory.mktemp("run")
    return fit(tiny_experiment(lenses.recipe), lenses, folder, trainer_options=options)


def test_every_method_plays_with_lenses_that_can_be_seen(
    run: Run, lenses: DataSet, tmp_path: Path
) -> None:
    game = PointingGame.of(run, lenses.recipe, n_lenses=2, stride=40)
    assert (game.name, game.side) == ("tiny-points", 40)
    made = game.make(lenses, tmp_path, start=None, progress=False)
    rows, rates = made.scores(), hit_rates(made)
    assert set(rates) == {"occlusion", "Guided Grad-CAM", RANDOM, "painting"}
    assert lenses.labels("test")[rows["number"]].all()
    assert ((rows["chance"] > 0) & (rows["chance"] < 0.2)).all()
    assert (np.abs(rows["likeness"]) <= 1).all()
    for rate in rates.values():
        assert rate.low <= rate.value <= rate.high
        assert rate.n == len(rows["number"]) <= 2


def test_maps_are_of_the_image_and_finite(run: Run, lenses: DataSet) -> None:
    network = differentiable(scorer_of(run))
    flux = torch.from_numpy(lenses.observed("test", 0, "VIS")[None, None])
    for way in methods(network, side=50, stride=50).values():
        found = way(flux)
        assert found.shape == (200, 200)
        assert np.isfinite(found).all()


def test_hits_are_counted(run: Run, lenses: DataSet, tmp_path: Path) -> None:
    hits = np.array([True, True, True, False])
    scores = {"hits_a": hits, "hits_b": ~hits, "number": hits}
    game = PointingGame.of(run, lenses.recipe)
    rates = hit_rates(write_run(tmp_path, game, info={}, scores=scores))
    assert (rates["a"].value, rates["b"].value) == (0.75, 0.25)
    assert rates["a"].n == 4


def test_networks_that_cannot_play_are_refused() -> None:
    def brightest(flux: torch.Tensor) -> torch.Tensor:
        return flux.amax(dim=(1, 2, 3))

    detector = MaskRcnn(1, 2.0, "light")
    masks = Scorer(("VIS",), brightest, name="mrc-3", detector=detector)
    with pytest.raises(LensyError, match="mrc-3 says itself what it looks at"):
        differentiable(masks)
    with pytest.raises(LensyError, match="brightest cannot be asked what it looks at"):
        differentiable(Scorer(("VIS",), brightest))
    with pytest.raises(LensyError, match="brightest sees pixels of H in H"):
        differentiable(Scorer(("H",), brightest))


def test_without_a_visible_lens_there_is_no_game(run: Run, tmp_path: Path) -> None:
    population = bright_population(lens_fraction=0.0)
    dark = tiny_data(tmp_path / "data", population=population)
    game = PointingGame.of(run, dark.recipe, n_lenses=2)
    with pytest.raises(LensyError, match="no lens with a signal-to-noise above 30"):
        game.make(dark, tmp_path / "run", start=None, progress=False)
