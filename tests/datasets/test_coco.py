"""Data sets as COCO: what pycocotools reads back is what the store holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from builders import file_bytes, tiny_data
from numpy.testing import assert_allclose
from PIL import Image as Picture
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lensy.datasets.coco import annotate, export_coco, grey_levels, run_length
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.finding.cutouts import read_cutout
from lensy.simulation import targets
from lensy.telescope.bands import band

N_TEST = 8

# pycocotools 2.0.11 decodes masks in a way that NumPy 2 deprecates
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@pytest.fixture(scope="module")
def exported(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON file of a split with its images. Tests only read it."""
    return export_coco(data, "test", tmp_path_factory.mktemp("coco"), progress=False)


@pytest.fixture(scope="module")
def coco(exported: Path) -> COCO:
    return COCO(str(exported))


def small_box(mask: np.ndarray) -> list[int]:
    """COCO's box around a mask, from the list of its pixels."""
    rows, columns = zip(*np.argwhere(mask).tolist(), strict=True)
    x, y = min(columns), min(rows)
    return [x, y, max(columns) - x + 1, max(rows) - y + 1]


# What pycocotools reads back


def test_every_example_is_an_image(coco: COCO, data: DataSet) -> None:
    assert sorted(coco.getImgIds()) == list(range(N_TEST))
    assert {(each["width"], each["height"]) for each in coco.imgs.values()} == {(200, 200)}
    assert [coco.imgs[i]["is_lens"] for i in range(N_TEST)] == data.labels("test").tolist()
    names = {each["name"]: each["id"] for each in coco.loadCats(coco.getCatIds())}
    assert names == {"lensed light": 1, "lens galaxy": 2, "galaxy": 3}


def test_masks_are_those_of_the_store(coco: COCO, data: DataSet) -> None:
    for each in coco.anns.values():
        expected = data.masks("test", each["image_id"], 99.5)[each["object"]]
        assert np.array_equal(coco.annToMask(each), expected)
        assert each["area"] == run_lengths.area(each["segmentation"]) == expected.sum()
        assert each["bbox"] == small_box(expected)
        assert each["iscrowd"] == 0


def test_every_object_of_an_image_is_annotated_once(coco: COCO, data: DataSet) -> None:
    """But for the lensed light of what is not labelled a lens."""
    for number in range(N_TEST):
        annotations = coco.imgToAnns[number]
        objects = set(range(len(data.masks("test", number, 99.5))))
        lensed = set() if coco.imgs[number]["is_lens"] else {1}
        assert sorted(each["object"] for each in annotations) == sorted(objects - lensed)


def test_only_lenses_have_lensed_light(coco: COCO) -> None:
    for number, image in coco.imgs.items():
        classes = [each["category_id"] for each in coco.imgToAnns[number]]
        assert classes[: 2 * image["is_lens"]] == [2, 1][: 2 * image["is_lens"]]
        assert set(classes[2 * image["is_lens"] :]) <= {3}


def test_visible_parts_share_out_what_the_masks_cover(coco: COCO) -> None:
    for number in coco.imgs:
        annotations = coco.imgToAnns[number]
        full = np.sum([coco.annToMask(each) for each in annotations], axis=0)
        parts = [run_lengths.decode(each["visible_segmentation"]) for each in annotations]
        assert [each["visible_area"] for each in annotations] == [part.sum() for part in parts]
        assert [each["visible_bbox"] for each in annotations] == [small_box(p) for p in parts]
        assert np.array_equal(np.sum(parts, axis=0), full > 0)


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_the_truth_finds_itself(coco: COCO, kind: str) -> None:
    fields = ("image_id", "category_id", "segmentation", "bbox")
    found = [{k: each[k] for k in fields} | {"score": 1.0} for each in coco.anns.values()]
    evaluation = COCOeval(coco, coco.loadRes(found), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert_allclose(evaluation.stats[0], 1.0)


# Objects made by hand


def hand_made() -> np.ndarray:
    """Candidate, lensed light, one companion under the candidate, one that is nowhere."""
    masks = np.zeros((4, 6, 8), bool)
    masks[0, 1:4, 1:5] = masks[1, 3:5, 2:4] = masks[2, 2, 2:4] = True
    return masks


def test_objects_of_a_lens() -> None:
    candidate, arc, companion = annotate(hand_made(), label=True, classes=list(targets.CLASSES))
    assert [candidate["category_id"], arc["category_id"], companion["category_id"]] == [2, 1, 3]
    assert (candidate["area"], candidate["visible_area"]) == (12, 10)
    assert (arc["area"], arc["visible_area"]) == (4, 4)
    assert arc["bbox"] == arc["visible_bbox"] == [2, 3, 2, 2]


def test_what_is_wholly_covered_has_no_visible_part() -> None:
    *_, companion = annotate(hand_made(), label=True, classes=["galaxy"])
    assert companion["bbox"] == [2, 2, 2, 1]
    assert companion["visible_area"] == 0
    assert companion["visible_segmentation"] is None
    assert companion["visible_bbox"] is None


def test_lensed_light_below_the_label_is_not_there_and_covers_nothing() -> None:
    candidate, companion = annotate(hand_made(), label=False, classes=list(targets.CLASSES))
    assert (candidate["object"], companion["object"]) == (0, 2)
    assert (candidate["category_id"], companion["category_id"]) == (3, 3)
    assert candidate["visible_area"] == candidate["area"] == 12


def test_a_class_that_is_left_out_still_covers() -> None:
    (candidate,) = annotate(hand_made(), label=True, classes=["lens galaxy"])
    assert (candidate["area"], candidate["visible_area"]) == (12, 10)


def test_run_lengths_of_a_mask_that_is_no_square() -> None:
    mask = np.random.default_rng(1).random((5, 9)) > 0.5
    encoded = json.loads(json.dumps(run_length(mask)))
    assert encoded["size"] == [5, 9]
    assert np.array_equal(run_lengths.decode(encoded), mask)


# Choices


def test_percentile_classes_and_limit(data: DataSet, tmp_path: Path) -> None:
    path = export_coco(
        data, "train", tmp_path, percentile=95, limit=3, classes=["galaxy"], images=None,
        progress=False,
    )  # fmt: skip
    assert {each.name for each in tmp_path.iterdir()} == {"recipe.json", "train-95.json"}
    content = json.loads(path.read_text("utf-8"))
    assert [each["id"] for each in content["images"]] == [0, 1, 2]
    assert {each["category_id"] for each in content["annotations"]} == {3}
    assert [each["id"] for each in content["categories"]] == [1, 2, 3]
    for each in content["annotations"]:
        mask = data.masks("train", each["image_id"], 95.0)[each["object"]]
        assert each["area"] == mask.sum()
    assert max(each["area"] for each in content["annotations"]) == 2000


def test_png_is_grey_and_the_same_stretch_everywhere(exported: Path, data: DataSet) -> None:
    with Picture.open(exported.parent / "test" / "000003.png") as picture:
        assert picture.mode == "L"
        shown = np.asarray(picture)
    sigma = band("VIS").background_sigma
    assert np.array_equal(shown, grey_levels(data.observed("test", 3, "VIS"), sigma))


def test_grey_levels_undo_to_the_flux() -> None:
    """Half a level of 12 / 255 in arcsinh at most; what lies outside is black or white."""
    flux = np.array([[-5.0, 0.0, 3.0, 4000.0]], np.float32)
    levels = grey_levels(flux, 2.0)
    assert levels.dtype == np.uint8
    assert_allclose(levels / 255 * 12 - 2, np.arcsinh(flux / 2), atol=6 / 255 * 1.001)
    assert grey_levels(np.array([[-1e9, 1e9]], np.float32), 2.0).tolist() == [[0, 255]]


def test_fits_keeps_the_flux_and_is_a_cutout(data: DataSet, tmp_path: Path) -> None:
    """The finder reads it as it reads a real image: zero point, band and flux."""
    export_coco(data, "test", tmp_path, limit=1, images="fits", progress=False)
    cutout = read_cutout(tmp_path / "test" / "000000.fits")
    assert not cutout.mask.any()
    assert_allclose(cutout.flux, data.observed("test", 0, "VIS"), rtol=1e-6)


# Files


def test_names_in_the_file_lead_to_the_images(exported: Path) -> None:
    content = json.loads(exported.read_text("utf-8"))
    assert exported.name == "test-99.5.json"
    assert all((exported.parent / each["file_name"]).is_file() for each in content["images"])


def test_the_same_data_give_the_same_bytes(exported: Path, data: DataSet, tmp_path: Path) -> None:
    again = export_coco(data, "test", tmp_path, progress=False)
    assert again.read_bytes() == exported.read_bytes()
    assert file_bytes(tmp_path / "test") == file_bytes(exported.parent / "test")


def test_a_broken_export_leaves_no_annotations(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor those of an earlier export, whose images have been touched."""
    path = export_coco(data, "test", tmp_path, limit=1, progress=False)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(DataSet, "masks", fail)
    with pytest.raises(OSError, match="disk full"):
        export_coco(data, "test", tmp_path, progress=False)
    assert not path.exists()
    assert not list(tmp_path.rglob("*.partial"))


def test_two_data_sets_are_not_mixed(exported: Path, tmp_path: Path) -> None:
    other = tiny_data(tmp_path / "other", n_test=1, n_validation=0, n_train=0, seed=7)
    with pytest.raises(LensyError, match=r"already holds an export of 'tiny' .* another folder"):
        export_coco(other, "test", exported.parent, progress=False)
    with pytest.raises(LensyError, match="has no examples in 'train'"):
        export_coco(other, "train", tmp_path / "empty", progress=False)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"percentile": 98.0}, "percentiles 95, 99, 99.5, not at 98"),
        ({"limit": 0}, "1 or more, not 0"),
        ({"classes": ["arc"]}, "lensed light, lens galaxy, galaxy, not 'arc'"),
        ({"classes": []}, "not none at all"),
        ({"images": "jpg"}, "png, fits or None, not 'jpg'"),
    ],
)
def test_what_cannot_be_exported_is_named(
    data: DataSet, tmp_path: Path, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(LensyError, match=message):
        export_coco(data, "test", tmp_path / "new", progress=False, **choice)
    assert not (tmp_path / "new").exists()
