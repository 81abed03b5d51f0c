"""Boxes, masks and classes move with the image and say what the store says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_data
from numpy.testing import assert_allclose

from lensy.datasets.instances import (
    LEAST_PIECE,
    LEAST_SEEN,
    LENS,
    MOST_PIECES,
    Instances,
    collated,
    objects,
    pieces,
)
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.simulation.targets import CLASSES, class_number, roles
from lensy.training.mask_rcnn import (
    ABLATIONS,
    BEGUN_AT_RANDOM,
    FROM_RANDOM,
    TALK,
    VARIANTS,
)


@pytest.fixture(scope="module")
def lenses(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Frames with a candidate and one companion, some of them lenses."""
    population = bright_population(n_companions=(1, 1))
    return tiny_data(tmp_path_factory.mktemp("data"), population=population, n_train=6, n_test=6)


def test_the_variants_are_the_talks() -> None:
    assert {name: each.percentile for name, each in TALK.items()} == {
        "mrc-95": 95.0, "mrc-99": 99.0, "mrc-995": 99.5, "mrc-3": 99.5,
    }  # fmt: skip
    assert all(each.label("lensed light") == LENS for each in VARIANTS.values())
    assert [len(each.classes) for each in TALK.values()] == [1, 1, 1, 3]


def test_the_others_differ_from_mrc_3_in_one_thing() -> None:
    others = VARIANTS.keys() - TALK.keys() - BEGUN_AT_RANDOM.keys()
    galaxies = {name: VARIANTS[name].classes["galaxy"] for name in others}
    assert galaxies.pop("mrc-3-companions") == ("companion",)
    assert galaxies.pop("mrc-3-candidates") == ("candidate",)
    assert set(galaxies.values()) == {("candidate", "companion")}
    assert {name for name, each in VARIANTS.items() if each.artefacts} == {
        "mrc-3-artefacts", "mrc-4",
    }  # fmt: skip
    assert FROM_RANDOM.keys() == BEGUN_AT_RANDOM.keys() | ABLATIONS.keys()
    for name, variant in BEGUN_AT_RANDOM.items():
        assert TALK[name.removesuffix("-from-random")] == variant
    assert VARIANTS["mrc-4"].label("artefact") == 4
    assert VARIANTS["mrc-3-artefacts"].label("artefact") == 0


def test_artefacts_are_objects_of_mrc_4_alone(lenses: DataSet) -> None:
    n_found = 0
    for seed in range(6):
        plain = Instances(lenses, "train", VARIANTS["mrc-3-artefacts"], seed=seed)
        named = Instances(lenses, "train", VARIANTS["mrc-4"], seed=seed)
        for (image, without), (same, found) in zip(plain, named, strict=True):
            assert torch.equal(image, same)
            others = found["labels"] != 4
            assert torch.equal(without["masks"], found["masks"][others])
            n_found += int((~others).sum())
            assert (found["masks"][~others].sum((1, 2)) >= LEAST_PIECE).all()
    assert n_found > 10


def test_pieces_of_an_artefact() -> None:
    one, other = np.zeros((2, 60, 60), bool)
    one[2:6, 2:6] = one[6:9, 6:9] = True  # touch at a corner
    one[30, 30:39] = True  # too small
    other[40:50, 40:50] = True
    found = pieces({"star": one, "hole": other})
    assert [int(piece.sum()) for piece in found] == [100, 25]
    assert np.array_equal(found[0], other)
    many = np.zeros((200, 200), bool)
    many[::5] = True
    assert len(pieces({"trail": many})) == MOST_PIECES
    assert pieces({}) == []


def test_boxes_are_tight_around_the_masks_of_the_store(lenses: DataSet) -> None:
    variant = VARIANTS["mrc-3"]
    for index, (image, found) in enumerate(Instances(lenses, "test", variant)):
        assert_allclose(image[0], lenses.observed("test", index, "VIS"))
        stored = lenses.masks("test", index, 99.5)
        numbers = map(class_number, roles(bool(lenses.labels("test")[index]), len(stored)))
        names = [[None, *CLASSES][number] for number in numbers]
        wanted = [k for k, name in enumerate(names) if name and stored[k].sum() >= LEAST_SEEN]
        classes = list(variant.classes)
        assert np.array_equal(found["masks"].numpy().astype(bool), stored[wanted])
        assert [classes[n - 1] for n in found["labels"]] == [names[k] for k in wanted]
        for box, mask in zip(found["boxes"], found["masks"], strict=True):
            x0, y0, x1, y1 = (int(each) for each in box)
            assert mask[y0:y1, x0:x1].sum() == mask.sum()
            assert mask[y0, x0:x1].any()
            assert mask[y1 - 1, x0:x1].any()
            assert mask[y0:y1, x0].any()
            assert mask[y0:y1, x1 - 1].any()


def test_a_frame_without_a_lens_has_no_object_for_the_first_three(lenses: DataSet) -> None:
    labels = lenses.labels("test")
    assert 0 < labels.sum() < len(labels)
    for (_, found), label in zip(
        Instances(lenses, "test", VARIANTS["mrc-995"]), labels, strict=True
    ):
        assert len(found["labels"]) == int(label)
        assert found["boxes"].shape == (int(label), 4)
        assert found["masks"].shape == (int(label), 200, 200)


def test_masks_turn_with_the_image(lenses: DataSet) -> None:
    """The light under each mask stays the same, and so does the number of its pixels."""
    variant = VARIANTS["mrc-3"]
    stored = Instances(lenses, "train", variant)
    places = set()
    for seed in range(8):
        for (old_image, old), (image, found) in zip(
            stored, Instances(lenses, "train", variant, seed=seed), strict=True
        ):
            assert torch.equal(old["labels"], found["labels"])
            assert torch.equal(old["masks"].sum((1, 2)), found["masks"].sum((1, 2)))
            under = (image * found["masks"]).sum((1, 2))
            # noise of 200 pixels of 1.4 nJy, and of the photons
            assert_allclose(under, (old_image * old["masks"]).sum((1, 2)), rtol=0.05, atol=120)
            places |= {tuple(found["boxes"][0].tolist())} if len(found["boxes"]) else set()
    assert len(places) > 12


def test_a_training_frame_is_a_function_of_seed_and_number(lenses: DataSet) -> None:
    make = {"variant": VARIANTS["mrc-3"], "seed": 5}
    first, again = (Instances(lenses, "train", **make, count=9) for _ in range(2))  # type: ignore[arg-type]
    later = Instances(lenses, "train", **make, start=7, count=2)  # type: ignore[arg-type]
    assert torch.equal(first[8][0], again[8][0])
    assert torch.equal(first[8][0], later[1][0])
    assert not torch.equal(first[2][0], first[8][0])  # the same scene, seen again


def test_objects_outside_the_frame_are_left_out() -> None:
    masks = np.zeros((4, 5, 5), bool)
    masks[1, 2:4, 3:5] = masks[2, 0:2, 0:2] = True
    masks[3, 4, 0:3] = True  # three pixels are less than LEAST_SEEN
    found = objects(masks, [2, 1, 0, 1])
    assert found["boxes"].tolist() == [[3.0, 2.0, 5.0, 4.0]]
    assert found["labels"].tolist() == [1]
    assert found["masks"].shape == (1, 5, 5)


def test_a_crop_has_the_crop_of_the_masks(lenses: DataSet) -> None:
    """The light under each mask of a crop is light; most crops hold the candidate."""
    variant = VARIANTS["mrc-995"]
    n_lenses = n_shown = 0
    for seed in range(8):
        crops = Instances(lenses, "train", variant, seed=seed, crop=96)
        for index, (image, found) in enumerate(crops):
            assert image.shape == (1, 96, 96)
            assert found["masks"].shape == (len(found["labels"]), 96, 96)
            n_lenses += int(lenses.labels("train")[index])
            n_shown += len(found["labels"])
            for mask in found["masks"].bool():
                assert image[0][mask].mean() > image[0].median() + 2
    assert 0.6 * n_lenses < n_shown <= n_lenses


def test_roles_of_a_lens_and_of_a_non_lens() -> None:
    assert roles(True, 4) == ["lens galaxy", "lensed light", "companion", "companion"]
    assert roles(False, 3) == ["candidate", None, "companion"]
    assert [VARIANTS["mrc-3"].label(each) for each in roles(True, 3)] == [2, 1, 3]
    assert [VARIANTS["mrc-95"].label(each) for each in roles(False, 3)] == [0, 0, 0]


def test_shuffled_classes_say_nothing_but_the_lensed_light_stays(lenses: DataSet) -> None:
    honest = VARIANTS["mrc-3"]
    shuffled = replace(honest, shuffled=True)
    pairs = [
        (found["labels"], wrong["labels"])
        for (_, found), (_, wrong) in zip(
            Instances(lenses, "train", honest), Instances(lenses, "train", shuffled), strict=True
        )
    ]
    assert all(torch.equal(a == LENS, b == LENS) for a, b in pairs)
    assert any(not torch.equal(a, b) for a, b in pairs)
    again = Instances(lenses, "train", shuffled, seed=3)
    assert torch.equal(again[0][1]["labels"], pairs[0][1])


def test_a_batch_keeps_frames_without_objects(lenses: DataSet) -> None:
    items = Instances(lenses, "test", VARIANTS["mrc-95"])
    images, found = collated([items[k] for k in range(3)])
    assert images.shape == (3, 1, 200, 200)
    assert len(found) == 3


def test_a_split_without_examples_is_refused(tmp_path: Path) -> None:
    empty = tiny_data(tmp_path / "data", n_train=0)
    with pytest.raises(LensyError, match="has no examples in 'train'"):
        Instances(empty, "train", VARIANTS["mrc-95"])
