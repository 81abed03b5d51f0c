"""Frames and crops: what a network is shown."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_data
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter
from torch.utils.data import DataLoader

from lensy.datasets.frames import Crops, Frames, Item
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.telescope.bands import band
from lensy.telescope.instrument import Exposure, Instrument
from lensy.telescope.noise import noise_sigma
from lensy.telescope.regrid import Image, on_grid_of


def crops(data: DataSet, **changes: Any) -> Crops:
    usual = {"size": 64, "seed": 3, "start": 0, "count": 16}
    return Crops(data, ("VIS",), **(usual | changes))


def same(one: Item, other: Item) -> bool:
    return all(torch.equal(one[key], other[key]) for key in ("image", "target", "label"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Two training examples whose candidate is the only galaxy, in the middle of the frame."""
    population = bright_population(margin=8.0, faintest_lens=21.0)
    folder = tmp_path_factory.mktemp("alone") / "tiny"
    return tiny_data(folder, population=population, n_test=0, n_validation=0)


def noiseless(monkeypatch: pytest.MonkeyPatch) -> None:
    def untouched(image: Image, *_: Any, **__: Any) -> Exposure:
        return Exposure(image.copy(), {})

    monkeypatch.setattr("lensy.datasets.frames.expose", untouched)


# Frames


def test_frames_are_the_stored_images(data: DataSet) -> None:
    frames = Frames(data, "test", ("VIS",))
    item = frames[3]
    assert np.array_equal(item["image"][0], data.observed("test", 3, "VIS"))
    assert np.array_equal(item["target"][0], data.lensed_light("test", 3, "VIS"))
    assert bool(item["label"]) == data.labels("test")[3]
    assert item["image"].shape == (1, 200, 200)


def test_noise_of_frames_is_frozen(data: DataSet) -> None:
    assert same(Frames(data, "test", ("VIS",))[2], Frames(data, "test", ("VIS",))[2])


def test_frames_are_limited(data: DataSet) -> None:
    frames = Frames(data, "validation", ("VIS",), limit=5)
    assert len(frames) == len(frames.labels) == 5
    assert len(Frames(data, "validation", ("VIS",), limit=99)) == 8


def test_frames_of_an_empty_split_are_refused(alone: DataSet) -> None:
    with pytest.raises(LensyError, match=rf"{alone.folder} has no examples in 'test'"):
        Frames(alone, "test", ("VIS",))


# Crops


def test_a_crop_is_the_same_in_whatever_order_it_is_read(data: DataSet) -> None:
    forwards = [crops(data)[k] for k in range(16)]
    backwards = crops(data)
    assert all(same(backwards[k], forwards[k]) for k in reversed(range(16)))


def test_a_crop_is_the_same_wherever_the_epoch_starts(data: DataSet) -> None:
    assert same(crops(data, start=10, count=4)[1], crops(data)[11])


def test_a_loader_gives_what_the_items_are(data: DataSet) -> None:
    batch = next(iter(DataLoader(crops(data), batch_size=4)))
    assert batch["image"].shape == (4, 1, 64, 64)
    assert torch.equal(batch["image"][2], crops(data)[2]["image"])
    assert batch["image"].dtype == batch["target"].dtype == torch.float32


def test_each_turn_has_every_example_once_in_a_new_order(data: DataSet) -> None:
    source = crops(data, count=24)
    turns = [[source._example(8 * turn + k) for k in range(8)] for turn in range(3)]
    assert [sorted(turn) for turn in turns] == [list(range(8))] * 3
    assert turns[0] != turns[1] != turns[2]


def test_labels_follow_the_examples(data: DataSet) -> None:
    source = crops(data)
    expected = [data.labels("train")[source._example(k)] for k in range(16)]
    assert [bool(source[k]["label"]) for k in range(16)] == expected


def test_the_next_epoch_has_other_noise(alone: DataSet) -> None:
    """Whole frames of the same example differ by their noise (and by how they are turned)."""
    whole = crops(alone, size=200, count=8)
    again = [whole[k] for k in range(8) if whole._example(k) == 0]
    noise = [np.sort((item["image"] - item["target"]).numpy().ravel()) for item in again]
    light = [np.sort(item["target"].numpy().ravel()) for item in again]
    assert len(again) == 4
    assert all(np.array_equal(each, light[0]) for each in light)
    assert not any(np.array_equal(one, other) for one, other in pairwise(noise))


def test_without_noise_a_whole_frame_is_the_stored_one(
    alone: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turned and mirrored: one of the eight orientations, the same for image and target."""
    noiseless(monkeypatch)
    source = crops(alone, size=200)
    for k in range(4):
        stored = alone.layers("train", source._example(k), "VIS")
        pair = np.stack([stored.sum(axis=0), stored[1]])
        turned = [
            np.rot90(each, n, axes=(1, 2)) for each in (pair, pair[..., ::-1]) for n in range(4)
        ]
        shown = np.concatenate([source[k]["image"], source[k]["target"]])
        assert sum(np.array_equal(shown, each) for each in turned) == 1


def test_every_orientation_turns_up(alone: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 64 items one orientation of eight is missing with a chance of 8 (7/8)^64 = 0.2 %."""
    noiseless(monkeypatch)
    source = crops(alone, size=200, count=64)
    shown = {source[k]["image"].numpy().tobytes() for k in range(64) if source._example(k) == 0}
    assert len(shown) <= 8
    assert len(shown | {source[k]["image"].numpy().tobytes() for k in range(64)}) == 16


def test_a_crop_is_a_part_of_its_frame(alone: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """All light but the lensed is the candidate's, which is nowhere below zero."""
    noiseless(monkeypatch)
    source = crops(alone)
    for k in range(16):
        stored = alone.layers("train", source._example(k), "VIS")
        item = source[k]
        assert np.isin(item["target"].numpy(), stored[1]).all()
        assert np.isin(item["image"].numpy(), stored.sum(axis=0)).all()
        assert (item["image"] - item["target"]).min() >= -band("VIS").flux_step


def test_noise_of_crops_is_the_detectors(alone: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard errors of mean and variance of n normal residuals: 1 / sqrt(n), sqrt(2 / n)."""
    noisy = crops(alone)[0]["image"].numpy()
    noiseless(monkeypatch)
    light = crops(alone)[0]["image"].numpy()
    residual = (noisy - light) / noise_sigma(light, band("VIS"))
    assert_allclose(residual.mean(), 0.0, atol=5 / 64)
    assert_allclose(residual.var(), 1.0, atol=5 * np.sqrt(2) / 64)


def test_the_candidate_is_inside_most_crops(
    alone: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four fifths are placed around it; of the others, anywhere in the frame, some hold it too.

    Its centre is the frame's brightest pixel without noise. The standard error of the share in 200
    crops is 0.028. In the middle of the frame a crop of 64 placed anywhere holds it with
    probability (64 / 137)^2 = 0.2, so that 0.84 are expected.
    """
    noiseless(monkeypatch)
    peaks = [alone.layers("train", i, "VIS").sum(axis=0).max() for i in range(2)]
    source = crops(alone, count=200)
    held = [source[k]["image"].max() == peaks[source._example(k)] for k in range(200)]
    assert_allclose(np.mean(held), 0.84, atol=3 * 0.028)


@pytest.mark.parametrize("size", [15, 201])
def test_an_impossible_size_is_refused(data: DataSet, size: int) -> None:
    with pytest.raises(LensyError, match=rf"from 16 to 200 pixels on a side, not {size}"):
        crops(data, size=size)


def test_an_item_beyond_the_count_is_refused(data: DataSet) -> None:
    with pytest.raises(IndexError, match="16"):
        crops(data)[16]


def test_crops_need_training_examples(tmp_path: Path) -> None:
    data = tiny_data(tmp_path / "none", n_test=1, n_validation=0, n_train=0)
    with pytest.raises(LensyError, match="has no training examples: make one that has"):
        crops(data)


# Artefacts and the other bands


def test_crops_have_the_artefacts_they_are_told_to_have(alone: DataSet) -> None:
    """A hard gap leaves pixels without data in most frames; without an instrument there is none."""
    gaps = Instrument.only("chip gap", exposure="single exposure")
    blank = [(crops(alone, instrument=gaps)[k]["image"] == 0).float().mean() for k in range(16)]
    clean = [(crops(alone)[k]["image"] == 0).float().mean() for k in range(16)]
    assert max(blank) > 0.2
    assert max(clean) < 0.01


def test_each_crop_has_artefacts_of_its_own(alone: DataSet) -> None:
    gaps = Instrument.only("chip gap", exposure="single exposure")
    whole = crops(alone, size=200, instrument=gaps)
    assert len({int((whole[k]["image"] == 0).sum()) for k in range(8)}) > 4


@pytest.mark.parametrize("name", ["Y", "J", "H"])
def test_nisp_frames_and_crops(data: DataSet, name: str) -> None:
    frame = Frames(data, "test", (name,))[1]
    assert np.array_equal(frame["image"][0], data.observed("test", 1, name))
    crop = Crops(data, (name,), size=48, seed=3, start=0, count=2)[1]
    assert crop["image"].shape == crop["target"].shape == (1, 48, 48)


# Bands on one grid


def test_nisp_on_the_pixels_of_vis_keeps_its_places() -> None:
    """A plane stays a plane: bilinear, pixel centres 0.3 arcsec apart on those 0.1 apart."""
    y, x = (0.3 * (np.arange(66) - 32.5))[:, None], (0.3 * (np.arange(66) - 32.5))[None, :]
    finer = on_grid_of((2 * x - y).astype(np.float32), "H", "VIS")
    axis = 0.1 * (np.arange(200) - 99.5)
    expected = 2 * axis[None, :] - axis[:, None]
    # the outermost pixels lie beyond the last centres of NISP
    inner = np.s_[3:-3, 3:-3]
    assert finer.shape == (200, 200)
    assert_allclose(finer[inner], expected[inner], atol=1e-4)


def test_vis_on_nisp_pixels_is_the_mean_of_nine() -> None:
    """The pixels of VIS beyond the last of NISP, one on each side, are left out."""
    image = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    coarse = on_grid_of(image, "VIS", "H")
    expected = image[1:-1, 1:-1].reshape(66, 3, 66, 3).mean(axis=(1, 3))
    assert_allclose(coarse, expected, atol=1e-5)
    assert_allclose(
        on_grid_of(image, "VIS", "H", (slice(3, 9), slice(0, 4))), expected[3:9, :4], atol=1e-5
    )


def test_frames_on_the_grid_of_another_band(data: DataSet) -> None:
    """As OU-200 and OU-66 have them; the target stays that of the first band."""
    (finer, coarser) = (Frames(data, "test", ("H", "VIS"), grid=grid)[0] for grid in ("VIS", "H"))
    assert finer["image"].shape == (2, 200, 200)
    assert coarser["image"].shape == (2, 66, 66)
    assert_allclose(finer["image"][1], data.observed("test", 0, "VIS"))
    assert_allclose(coarser["image"][0], data.observed("test", 0, "H"))
    assert torch.equal(finer["target"], coarser["target"])


def test_bands_stay_together_when_turned_and_cropped(data: DataSet) -> None:
    """The lensed light of H, put on the grid of VIS, lies where that of VIS does."""
    lens = int(np.flatnonzero(np.asarray(data.catalogue("train")["arc_signal_to_noise_H"]) > 20)[0])
    crops = Crops(data, ("VIS", "H"), size=64, seed=4, start=0, count=64)
    shown = next(k for k in range(64) if crops._example(k) == lens)
    item = crops[shown]
    alone = Crops(data, ("VIS",), size=64, seed=4, start=0, count=64)[shown]
    assert item["image"].shape == (2, 64, 64)
    # the first band comes before the others draw anything
    assert torch.equal(item["image"][0], alone["image"][0])
    assert torch.equal(item["target"], alone["target"])
    vis, h = (gaussian_filter(each, 3) for each in item["image"].numpy())
    assert np.corrcoef(vis.ravel(), h.ravel())[0, 1] > 0.8


def test_whole_frames_to_train_on(data: DataSet) -> None:
    item = Crops(data, ("H",), size=None, seed=4, start=0, count=3)[2]
    assert item["image"].shape == item["target"].shape == (1, 66, 66)


def test_artefacts_in_training_are_an_option(data: DataSet) -> None:
    """Same crop, other detector: every crop with a trail differs, its target does not."""
    usual = {"size": None, "seed": 4, "start": 0, "count": 3}
    clean = Crops(data, ("VIS",), **usual)[1]
    spoilt = Crops(data, ("VIS",), **usual, instrument=Instrument.only("trail"))[1]
    assert float((spoilt["image"] - clean["image"]).abs().max()) > 5 * 2.0
