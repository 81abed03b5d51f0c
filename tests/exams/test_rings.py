"""Rings without a lens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_data, tiny_experiment
from numpy.testing import assert_allclose
from torch import Tensor

from lensy.exams.rings import (
    ORDINARY,
    SWEEPS,
    Ring,
    RingExam,
    responses,
    share_below,
    share_below_ring,
    swept,
)
from lensy.simulation.render import render, render_bands
from lensy.telescope.bands import band
from lensy.training.fit import fit
from lensy.training.kinds import scorer_of
from lensy.training.scorer import Scorer


def ring_alone(ring: Ring, name: str = "VIS") -> np.ndarray:
    """Light of the ring without its galaxy, (y, x)."""
    scene = ring.scene()
    whole = render(scene, band(name)).image
    return np.asarray(whole - render(scene.model_copy(update={"structure": ()}), band(name)).image)


def test_a_ring_has_the_colour_it_is_given() -> None:
    for colour in (-1.0, 2.0):
        scene = Ring(colour=colour, galaxy=30.0).scene()
        layers = render_bands(scene, [band("VIS"), band("H")])
        magnitude = {name: band(name).magnitude(float(each.image.sum()))
                     for name, each in layers.items()}  # fmt: skip
        assert magnitude["VIS"] - magnitude["H"] == pytest.approx(colour, abs=0.03)


@pytest.mark.parametrize("radius", [1.0, 2.5])
def test_its_light_lies_at_its_radius(radius: float) -> None:
    light = ring_alone(Ring(radius=radius, magnitude=20.0, width=0.1))
    y, x = np.mgrid[:200, :200] - 99.5
    mean = np.average(0.1 * np.hypot(x, y), weights=np.clip(light, 0, None))
    assert mean == pytest.approx(radius, rel=0.05)


@pytest.mark.parametrize("part", [0.2, 0.45])
def test_a_part_of_the_circle_is_bright(part: float) -> None:
    light = ring_alone(Ring(part=part, magnitude=20.0, radius=2.5, width=0.1))
    y, x = np.mgrid[:200, :200] - 99.5
    angle = np.arctan2(y, x)
    sums = [light[(angle >= low) & (angle < low + np.pi / 30)].sum()
            for low in np.linspace(-np.pi, np.pi, 61)[:-1]]  # fmt: skip
    assert np.mean(sums > 0.5 * max(sums)) == pytest.approx(part, abs=0.06)


def test_an_even_ring_has_no_phase() -> None:
    assert Ring().scene().structure[0].sharpness == 0.0
    assert Ring(part=0.5).scene().structure[0].sharpness > 0.5


def brightness(flux: Tensor) -> Tensor:
    return flux.sum(dim=(1, 2, 3))


def test_brighter_rings_score_higher_with_a_network_that_sums_light() -> None:
    scorer = Scorer(("VIS",), brightness)
    found = responses(scorer, swept("magnitude"), n_draws=3)
    assert found.shape == (len(SWEEPS["magnitude"][1]), 3)
    assert (np.diff(found.mean(axis=1)) < 0).all()
    # each draw has its own noise, and that of a draw is the same for all rings
    assert len(set(found[0])) == 3


def test_bands_come_in_the_order_and_on_the_pixels_of_the_network() -> None:
    seen: list[torch.Size] = []

    def note(flux: Tensor) -> Tensor:
        seen.append(flux.shape)
        return brightness(flux)

    responses(Scorer(("J", "Y", "H", "VIS"), note, grid="VIS"), [Ring()], n_draws=2)
    responses(Scorer(("H",), note), [Ring()], n_draws=1)
    assert seen == [torch.Size([2, 4, 200, 200]), torch.Size([1, 1, 66, 66])]


def test_one_property_moves_and_the_others_stay() -> None:
    for name, (_, values) in SWEEPS.items():
        rings = swept(name)
        assert [getattr(ring, name) for ring in rings] == list(values)
        same = [ring.model_copy(update={name: getattr(Ring(), name)}) for ring in rings]
        assert all(ring == Ring() for ring in same)


def test_share_below() -> None:
    assert share_below([3.0, 1.0, 2.0, 4.0], [0.0, 2.5, 9.0]).tolist() == [0.0, 0.5, 1.0]


def test_an_exam_on_rings_keeps_every_draw(tmp_path: Path) -> None:
    data = tiny_data(tmp_path / "data", n_test=6, n_validation=4, n_train=8)
    options = {"trainer_options": {"accelerator": "cpu", "devices": 1}}
    run = fit(tiny_experiment(data.recipe), data, tmp_path / "run", **options)
    exam = RingExam.of(run, data.recipe, n_draws=2, n_ordinary=4)
    made = exam.make(data, tmp_path / "exam", start=None, progress=False)
    assert made.name == "tiny-on-rings"
    rows = made.scores()
    assert (rows["sweep"] == ORDINARY).sum() == 4
    values, shares = share_below_ring(made, "colour")
    assert shares.shape == (len(SWEEPS["colour"][1]), 2)
    assert values[0] == SWEEPS["colour"][1][0]
    direct = responses(scorer_of(run), swept("colour"), n_draws=2)
    ordinary = rows["score"][rows["sweep"] == ORDINARY]
    assert_allclose(shares, share_below(ordinary, direct.astype(np.float32)))
