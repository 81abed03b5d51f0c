"""Data sets as COCO, the format that tools for instance segmentation read.

A folder of such an export holds

    recipe.json       the recipe of the data set, so that a second export cannot mix two of them
    test/000000.png   the images of a split, as 8-bit PNG or as FITS in nJy, or none at all
    test-99.5.json    images, categories and annotations of a split at one percentile

File names in the JSON start from the folder. It is written last: where it is, all its images are.

* Masks are those of `targets.percentile_mask`: of an object's own light, also under other objects.
  What no other object covers stands beside, as `visible_segmentation`, `visible_area` and
  `visible_bbox` (`targets.visible_masks`; null where all is covered). Readers skip such fields.
* Masks are compressed run lengths with `iscrowd` 0, which pycocotools and torchvision take as they
  are; Detectron2 wants to be told (`INPUT.MASK_FORMAT = "bitmask"`).
* An image that is not labelled a lens has neither lensed light nor a lens galaxy, see
  `targets.roles`. Objects without light in the frame have no annotation.
* PNG is for tools that want 8 bits: grey levels are linear in arcsinh(flux / sigma), with sigma the
  band's background noise, and the same in every image. FITS keeps the flux.

Source of the format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from PIL import Image as Picture
from pycocotools import mask as run_lengths
from tqdm import tqdm

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.provenance import whole_file, write_json
from lensy.simulation import targets
from lensy.simulation.recipe import Split, read_recipe
from lensy.telescope.bands import Band, band
from lensy.values import Image, Mask, Masks

ImageFormat = Literal["png", "fits"]

IMAGE_FORMATS: tuple[ImageFormat, ...] = ("png", "fits")

GREY_LIMITS = (-2.0, 10.0)
"""arcsinh(flux / sigma) that is black and white in a PNG: -3.6 and 11 013 sigma."""


def export_coco(
    data: DataSet,
    split: Split,
    folder: Path,
    *,
    percentile: float = 99.5,
    limit: int | None = None,
    classes: Sequence[str] = tuple(targets.CLASSES),
    images: ImageFormat | None = "png",
    band_name: str = "VIS",
    progress: bool = True,
) -> Path:
    """Write a split, or its first `limit` examples, as COCO; the path of the JSON file.

    percentile: one of `targets.PERCENTILES`. classes: the categories that are annotated; all three
    are declared. images: how images are written, None for not at all.
    Raises LensyError where a choice is impossible or `folder` holds another data set's export.
    """
    _check(data, split, percentile, limit, classes, images)
    _claim(folder, data)
    path = folder / f"{split}-{percentile:g}.json"
    path.unlink(missing_ok=True)
    suffix = images or "png"
    entries: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    rows = data.catalogue(split)[:limit]
    for index, row in enumerate(tqdm(rows, desc=path.name, unit="img", disable=not progress)):
        entry = _entry(row, f"{split}/{index:06d}.{suffix}", band(band_name))
        entries.append(entry)
        if images is not None:
            image = data.observed(split, index, band_name)
            _write_image(folder / entry["file_name"], image, band(band_name))
        masks = data.masks(split, index, percentile)
        for annotation in annotate(masks, label=entry["is_lens"], classes=classes):
            # numbers start at 1: to pycocotools' evaluation 0 means that nothing matches
            annotations.append({"id": len(annotations) + 1, "image_id": entry["id"], **annotation})
    content = {
        "info": _info(data, percentile, band_name),
        "licenses": [],
        "images": entries,
        "categories": [{"id": n, "name": name} for n, name in enumerate(targets.CLASSES, 1)],
        "annotations": annotations,
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, separators=(",", ":")) + "\n", "utf-8")
    return path


def run_length(mask: Mask) -> dict[str, Any]:
    """A mask (y, x) as COCO's compressed run lengths, ready for JSON."""
    encoded = run_lengths.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode("ascii")}


def grey_levels(image: Image, sigma: float) -> NDArray[np.uint8]:
    """An image (y, x) in nJy as 8-bit grey, linear in arcsinh(flux / sigma) between GREY_LIMITS."""
    black, white = GREY_LIMITS
    share = (np.arcsinh(image / sigma) - black) / (white - black)
    return np.asarray(np.rint(255 * np.clip(share, 0, 1)), np.uint8)


def _check(
    data: DataSet,
    split: Split,
    percentile: float,
    limit: int | None,
    classes: Sequence[str],
    images: str | None,
) -> None:
    """Refuse what cannot be exported, before anything is written."""
    if not data.recipe.size(split):
        raise LensyError(f"{data.folder} has no examples in {split!r}: choose another split.")
    if percentile not in targets.PERCENTILES:
        allowed = ", ".join(f"{each:g}" for each in targets.PERCENTILES)
        raise LensyError(f"Masks are kept at the percentiles {allowed}, not at {percentile:g}.")
    if limit is not None and limit < 1:
        raise LensyError(f"limit is the number of examples, 1 or more, not {limit}.")
    unknown = [name for name in classes if name not in targets.CLASSES]
    if unknown or not classes:
        given = repr(unknown[0]) if unknown else "none at all"
        raise LensyError(f"classes are some of {', '.join(targets.CLASSES)}, not {given}.")
    if images is not None and images not in IMAGE_FORMATS:
        raise LensyError(f"images is one of {', '.join(IMAGE_FORMATS)} or None, not {images!r}.")


def _claim(folder: Path, data: DataSet) -> None:
    """Write the recipe into the folder first; refuse a folder that belongs to another recipe."""
    path = folder / "recipe.json"
    if not path.exists():
        write_json(path, json.loads(data.recipe.model_dump_json()))
        return
    there = read_recipe(path.read_text("utf-8"), where=str(path))
    if there.fingerprint != data.recipe.fingerprint:
        raise LensyError(
            f"{folder} already holds an export of {there.name!r} ({there.fingerprint}), not of "
            f"{data.recipe.name!r} ({data.recipe.fingerprint}): give another folder."
        )


def _info(data: DataSet, percentile: float, band_name: str) -> dict[str, Any]:
    return {
        "description": f"{data.recipe.name}: simulated strong lenses as Euclid sees them",
        "version": data.recipe.fingerprint,
        "band": band_name,
        "percentile": percentile,
        "png": f"grey 0 to 255 is arcsinh(flux / sigma) from {GREY_LIMITS[0]} to {GREY_LIMITS[1]}",
        "sigma_njy": band(band_name).background_sigma,
        "recipe": json.loads(data.recipe.model_dump_json()),
        "provenance": json.loads((data.folder / "provenance.json").read_text("utf-8")),
    }


def _entry(row: Any, file_name: str, its_band: Band) -> dict[str, Any]:
    """An item of `images`. Its number is the example's; `is_lens` and `kind` are ours."""
    kind = {"kind": str(row["kind"])} if "kind" in row.colnames else {}
    return {
        "id": int(row["index"]),
        "file_name": file_name,
        "width": its_band.n_pixels,
        "height": its_band.n_pixels,
        "is_lens": bool(row["is_lens"]),
        **kind,
    }


def annotate(masks: Masks, *, label: bool, classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Items of `annotations` for the objects of one example, without their numbers."""
    numbers = [targets.class_number(role) for role in targets.roles(label, len(masks))]
    asked = {number for number, name in enumerate(targets.CLASSES, 1) if name in classes}
    masks = masks & np.array(numbers, bool)[:, None, None]
    visible = targets.visible_masks(masks)
    for place, (number, mask, seen) in enumerate(zip(numbers, masks, visible, strict=True)):
        box = _box(mask)
        if number not in asked or box is None:
            continue
        yield {
            "category_id": number,
            "segmentation": run_length(mask),
            "area": int(mask.sum()),
            "bbox": box,
            "iscrowd": 0,
            "object": place,
            "visible_segmentation": run_length(seen) if seen.any() else None,
            "visible_area": int(seen.sum()),
            "visible_bbox": _box(seen),
        }


def _box(mask: Mask) -> list[int] | None:
    """COCO's box: x and y of the first corner, width, height. None around nothing."""
    box = targets.bounding_box(mask)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


def _write_image(path: Path, image: Image, its_band: Band) -> None:
    with whole_file(path) as temporary:
        if path.suffix == ".png":
            grey = grey_levels(image, its_band.background_sigma)
            Picture.fromarray(grey).save(temporary, format="png")
            return
        hdu = fits.PrimaryHDU(image.astype(np.float32))
        hdu.header["BUNIT"] = "nJy"
        hdu.header["MAGZERO"] = (its_band.magnitude(1.0), "AB magnitude of 1 nJy")
        hdu.header["FILTER"] = "VIS" if its_band.name == "VIS" else f"NIR_{its_band.name}"
        hdu.writeto(temporary)
