"""Detections by hand, against scores and average precisions worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_data
from numpy.testing import assert_allclose
from torch import Tensor

from lensy.datasets.instances import Instances
from lensy.datasets.store import DataSet
from lensy.models.mask_rcnn import MaskRcnn
from lensy.simulation.targets import roles
from lensy.telescope.instrument import Instrument
from lensy.training.detection_scores import lies_on, score_images, score_instances
from lensy.training.mask_rcnn import VARIANTS


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    population = bright_population(n_companions=(1, 1))
    folder = tmp_path_factory.mktemp("data")
    return tiny_data(folder, population=population, n_train=0, n_validation=0, n_test=6)


class Oracle(MaskRcnn):
    """Finds what it is told to, frame after frame."""

    def __init__(self, answers: list[dict[str, Tensor]]) -> None:
        torch.nn.Module.__init__(self)
        self.register_buffer("sigma", torch.tensor(1.0))
        self.answers = iter(answers)

    def detect(self, flux: Tensor) -> list[dict[str, Tensor]]:
        return [next(self.answers) for _ in flux]


def told(data: DataSet, score: float, **changes: Any) -> list[dict[str, Tensor]]:
    """The objects themselves as detections of one score."""
    answers = []
    for _, found in Instances(data, "test", VARIANTS["mrc-3"]):
        n = len(found["labels"])
        answers.append(
            {
                "boxes": found["boxes"],
                "labels": found["labels"],
                "scores": torch.full((n,), score),
                "masks": found["masks"][:, None].float(),
            }
            | changes
        )
    return answers


def nothing() -> dict[str, Tensor]:
    return {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "scores": torch.zeros(0),
        "masks": torch.zeros(0, 1, 200, 200),
    }


def test_an_oracle_is_perfect(frames: DataSet) -> None:
    items = Instances(frames, "test", VARIANTS["mrc-3"])
    columns, precision = score_instances(Oracle(told(frames, 0.9)), items)
    labels = frames.labels("test")
    assert 0 < labels.sum() < len(labels)
    assert np.array_equal(columns["label"], labels)
    assert_allclose(columns["score"], np.where(labels, 0.9, 0.0), rtol=1e-6)
    assert np.array_equal(columns["n_called"], labels)
    assert np.array_equal(columns["n_matched"], labels)
    assert_allclose(list(precision.values()), 1.0)
    # the mask of 200 pixels and the lensed light above the noise are not the same
    assert np.isnan(columns["mask_iou"][~labels]).all()
    assert ((columns["mask_iou"][labels] > 0.1) & (columns["mask_iou"][labels] < 1)).all()


def test_scores_alone_are_those_of_the_whole_account(frames: DataSet) -> None:
    answers = told(frames, 0.9)
    answers[0] = nothing()
    items = Instances(frames, "test", VARIANTS["mrc-3"])
    labels, scores = score_images(Oracle(answers), items)
    columns, _ = score_instances(Oracle(answers), items)
    assert np.array_equal(labels, columns["label"])
    assert np.array_equal(scores, columns["score"])
    assert scores[0] == 0
    assert scores.any()


def test_whoever_finds_nothing_scores_nothing(frames: DataSet) -> None:
    items = Instances(frames, "test", VARIANTS["mrc-995"])
    columns, precision = score_instances(Oracle([nothing() for _ in range(6)]), items)
    assert not columns["score"].any()
    assert not columns["n_matched"].any()
    assert np.isnan(columns["mask_iou"]).all()
    assert_allclose(list(precision.values()), 0.0)


def test_half_of_a_mask_has_found_the_object_barely(frames: DataSet) -> None:
    """Every second pixel row is missing: the overlap is near one half, the box still right."""
    answers = told(frames, 0.9)
    for each in answers:
        each["masks"][:, :, ::2] = 0
    items = Instances(frames, "test", VARIANTS["mrc-3"])
    _, precision = score_instances(Oracle(answers), items)
    assert precision["box_ap"] == pytest.approx(1.0)
    assert precision["mask_ap75"] == 0


def test_a_call_below_one_half_is_none(frames: DataSet) -> None:
    items = Instances(frames, "test", VARIANTS["mrc-3"])
    columns, precision = score_instances(Oracle(told(frames, 0.4)), items)
    assert not columns["n_called"].any()
    assert precision["mask_ap50"] == pytest.approx(1.0)


def test_what_lies_under_a_mask() -> None:
    objects = np.zeros((3, 6, 6), bool)
    objects[0, :2] = objects[1, 2:3] = objects[2, 5] = True
    mask = np.zeros((6, 6), bool)
    roles: list[Any] = ["candidate", None, "companion"]
    mask[3, 3] = True
    assert lies_on(mask, objects, roles) == "sky"
    mask[2, :3] = True
    assert lies_on(mask, objects, roles) == "no lens"
    mask[5, :2] = mask[1, :4] = True
    assert lies_on(mask, objects, roles) == "candidate"


def test_a_false_alarm_has_an_object(frames: DataSet) -> None:
    """Galaxies of lenses and of non-lenses taken for lensed light: the label is the first class."""
    answers = told(frames, 0.9)
    for each in answers:
        galaxy = each["labels"] == 3
        for name in each:
            each[name] = each[name][galaxy][:1]
        each["labels"][:] = 1
    items = Instances(frames, "test", VARIANTS["mrc-3"])
    columns, _ = score_instances(Oracle(answers), items)
    labels = frames.labels("test")
    # the first galaxy is the candidate itself, in a lens the companion
    assert set(columns["on"][~labels]) == {"candidate"}
    assert set(columns["on"][labels]) == {"companion"}


def test_everything_in_a_frame_has_its_role(frames: DataSet) -> None:
    items = Instances(frames, "test", VARIANTS["mrc-95"])
    for number, label in enumerate(frames.labels("test")):
        masks, found = items.everything(number)
        assert np.array_equal(masks, frames.masks("test", number, 99.5))
        assert found == roles(bool(label), 3)
    spoiled = frames.recipe.model_copy(update={"instrument": Instrument.only("hot column")})
    frames.recipe, clean = spoiled, frames.recipe
    masks, found = items.everything(0)
    frames.recipe = clean
    assert found[-1] == "artefact"
    assert 0 < masks[-1].sum() < 4000
