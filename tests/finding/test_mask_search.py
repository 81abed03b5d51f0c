"""Objects of a frame of any size, each once, in a table and as COCO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy.table import Table
from fits_files import write_fits
from numpy.testing import assert_allclose
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from scipy.ndimage import find_objects, label
from torch import Tensor, nn

from lensy.errors import LensyError
from lensy.finding.cutouts import Cutout, read_cutout
from lensy.finding.finder import Finder
from lensy.finding.result import Findings, write_coco
from lensy.models.mask_rcnn import image_score
from lensy.training.scorer import Scorer

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
"""Decoding by pycocotools."""

CLASSES = ("lensed light", "lens galaxy", "galaxy")


class Bright(nn.Module):
    """Sees every connected patch above 100 nJy; one above 1000 is lensed light, others galaxies."""

    def detect(self, flux: Tensor) -> list[dict[str, Tensor]]:
        (image,) = flux[:, 0].numpy()
        numbers, n = label(image > 100)
        boxes = [(x.start, y.start, x.stop, y.stop) for y, x in find_objects(numbers)]
        masks = [numbers == k for k in range(1, n + 1)]
        peaks = [float(image[mask].max()) for mask in masks]
        order = np.argsort(peaks)[::-1]
        shape = (n, 1, *image.shape)
        return [
            {
                "boxes": torch.tensor([boxes[k] for k in order]).float().reshape(-1, 4),
                "labels": torch.tensor([1 if peaks[k] > 1000 else 3 for k in order]).long(),
                "scores": torch.tensor([min(1.0, peaks[k] / 4000) for k in order]),
                "masks": torch.from_numpy(
                    np.array([masks[k] for k in order], np.float32).reshape(shape)
                ),
            }
        ]


def finder() -> Finder:
    network = Bright()
    return Finder(
        Scorer(
            ("VIS",),
            lambda flux: image_score(network.detect(flux), label=1),
            detector=network,
            classes=CLASSES,
            meaning={"threshold_at_false_positive_rate": {"0.1": 0.6}},
            origin={"run": "stub"},
        )
    )


def cutout(folder: Path, shape: tuple[int, int], patches: dict[tuple[int, int], float]) -> Cutout:
    """Noise with squares of 9 x 9 pixels, given by first pixel (y, x) and flux in nJy."""
    image = np.random.default_rng(1).normal(0, 1, shape)
    for (y, x), flux in patches.items():
        image[y : y + 9, x : x + 9] = flux
    write_fits(folder / "a.fits", {"VIS": image.astype(np.float32)}, MAGZERO=31.4)
    return read_cutout(folder / "a.fits")


def boxes(found: list[Any]) -> dict[tuple[float, float], str]:
    return {(each.x_min, each.y_min): each.kind for each in found}


@pytest.mark.parametrize("shape", [(120, 150), (200, 200), (460, 330)])
def test_each_object_is_found_once_wherever_it_lies(tmp_path: Path, shape: tuple[int, int]) -> None:
    """Also where windows overlap, and on their borders."""
    patches = {(20, 20): 3000.0, (95, 96): 300.0, (60, 100): 2000.0}
    if shape[0] > 300:
        patches |= {(196, 195): 2500.0, (250, 150): 400.0, (300, 295): 200.0}
    found = finder().find(cutout(tmp_path, shape, patches)).candidates
    assert boxes(found) == {
        (x, y): "lensed light" if flux > 1000 else "galaxy" for (y, x), flux in patches.items()
    }
    assert all((each.width, each.height, each.area) == (9, 9, 81) for each in found)
    first = next(each for each in found if each.x_min == 20)
    assert (first.x, first.y) == (24.0, 24.0)
    mask = run_lengths.decode(first.segmentation)
    assert mask.shape == shape
    assert mask[20:29, 20:29].sum() == mask.sum() == 81


def test_flags_say_what_is_special(tmp_path: Path) -> None:
    patches = {(5, 80): 2000.0, (80, 80): 3000.0}
    found = finder().find(cutout(tmp_path, (150, 150), patches)).candidates
    flags = {each.y_min: each.flags for each in found}
    assert flags == {5.0: "padded,edge,below threshold", 80.0: "padded"}


def test_a_file_without_lensed_light_has_a_row_that_says_so(tmp_path: Path) -> None:
    finding = finder().find(cutout(tmp_path, (200, 200), {(80, 80): 300.0}))
    galaxy, nothing = finding.candidates
    assert galaxy.kind == "galaxy"
    assert (nothing.kind, nothing.score, nothing.area) == ("lensed light", 0.0, 0)
    assert nothing.flags == "nothing found"
    Findings().add(finding).write(tmp_path / "t.ecsv")
    (row,) = Table.read(tmp_path / "t.ecsv")
    assert row["flags"] == "nothing found"
    assert np.isnan(row["x"])
    content = json.loads((tmp_path / "t.json").read_text("utf-8"))
    assert [each["category_id"] for each in content["annotations"]] == [3]
    assert len(content["images"]) == 1


def test_a_patch_without_data_is_nothing_that_was_seen(tmp_path: Path) -> None:
    image = np.random.default_rng(1).normal(0, 1, (200, 200)).astype(np.float32)
    image[50:60, 50:60] = np.nan
    write_fits(tmp_path / "a.fits", {"VIS": image}, MAGZERO=31.4)
    there = read_cutout(tmp_path / "a.fits")
    there.flux[52:58, 52:58] = 3000.0
    (row,) = finder().find(there).candidates
    assert row.flags == "nothing found"


def test_coco_is_read_by_its_own_tools(tmp_path: Path) -> None:
    finding = finder().find(cutout(tmp_path, (200, 220), {(20, 20): 3000.0, (90, 90): 300.0}))
    write_coco(finding.candidates, CLASSES, tmp_path / "found.json")
    coco = COCO(tmp_path / "found.json")
    (image,) = coco.imgs.values()
    assert (image["height"], image["width"]) == (200, 220)
    assert {each["name"] for each in coco.cats.values()} == set(CLASSES)
    for each in coco.anns.values():
        mask = coco.annToMask(each)
        assert mask.sum() == each["area"] == 81
        assert_allclose(
            run_lengths.toBbox(run_lengths.encode(np.asfortranarray(mask))), each["bbox"]
        )


def test_the_picture_shows_what_was_called(tmp_path: Path) -> None:
    patches = {(20, 20): 3000.0, (90, 90): 300.0}
    figure = finder().find(cutout(tmp_path, (200, 200), patches)).figure()
    image, detections = figure.axes
    assert not image.patches
    (box,) = detections.patches
    assert (box.get_xy(), box.get_width()) == ((19.5, 19.5), 9.0)
    assert [text.get_text() for text in detections.texts] == ["0.75"]
    bottom, top = detections.get_ylim()
    assert bottom < top


def test_another_band_is_refused(tmp_path: Path) -> None:
    there = cutout(tmp_path, (200, 200), {})
    other = Cutout(there.path, "H", there.flux, there.mask, there.noise, there.wcs)
    with pytest.raises(LensyError, match="sees band VIS, not H"):
        finder().find(other)
