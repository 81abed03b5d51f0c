"""What a network should learn from an example: label, target image, masks, boxes.

Everything is derived from the noiseless layers that also make the image, so that picture and
answer cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lensy.errors import LensyError
from lensy.telescope import bands
from lensy.telescope.bands import Band
from lensy.telescope.noise import noise_sigma
from lensy.values import Image, Mask, Masks

Pixels = NDArray[np.uint32]

LEAST_MAGNIFICATION = 1.6
"""A lens magnifies more than this. Source: Wilde et al. 2022, section 2."""

LEAST_LENSED_PIXELS = 20
"""A lens shows more lensed pixels above the noise than this. Source: as above."""

PERCENTILES = (95.0, 99.0, 99.5)
"""Mask thresholds of the talk's Mask R-CNNs: the brightest 5, 1 and 0.5 % of all pixels of an
object's own noiseless light, however bright it is."""

Role = Literal["lensed light", "lens galaxy", "candidate", "companion", "artefact"]
"""What an object of a frame is. A candidate is the galaxy of a non-lens that lensed light would be
around; companions are the other galaxies. An artefact is a connected piece of what one spoils."""

CLASSES: dict[str, tuple[Role, ...]] = {
    "lensed light": ("lensed light",),
    "lens galaxy": ("lens galaxy",),
    "galaxy": ("candidate", "companion"),
}
"""The classes of objects of the sky with the roles they hold, numbered from 1; 0 is the background.
Source: the classes of the talk's MRC-3 (lensed light, lens galaxy, non-lens)."""


def lensed_pixels(arc: Image, band: Band | str) -> Mask:
    """Where the lensed light exceeds the noise of an empty pixel, (y, x)."""
    return np.asarray(arc > bands.band(band).background_sigma)


def is_lens(magnification: float, n_lensed_pixels: int) -> bool:
    """The label: magnified by more than 1.6 and more than 20 pixels above the noise.

    Source: the rule of Wilde et al. 2022, section 2.
    """
    return magnification > LEAST_MAGNIFICATION and n_lensed_pixels > LEAST_LENSED_PIXELS


def roles(label: bool, n_objects: int) -> list[Role | None]:
    """Role of each object of an example, in the order of its masks.

    In a non-lens the candidate is a galaxy like the others, and lensed light too little for the
    label, if there is any, is nothing to be found: None.
    """
    companions: list[Role | None] = ["companion"] * (n_objects - 2)
    if label:
        return ["lens galaxy", "lensed light", *companions]
    return ["candidate", None, *companions]


def class_number(role: Role | None, classes: Mapping[str, Sequence[Role]] = CLASSES) -> int:
    """Number of the class that has a role, from 1; 0, the background, where none has.

    classes: by name, in the order of their numbers, the roles that each holds.
    """
    numbers = (number for number, held in enumerate(classes.values(), 1) if role in held)
    return next(numbers, 0)


def arc_signal_to_noise(arc: Image, image: Image, band: Band | str) -> float:
    """Signal-to-noise of the lensed light for an observer who knows its shape exactly.

    arc, image: noiseless (y, x) in nJy; `image` holds all light, whose photons are noise too.
    """
    return float(np.sqrt(np.sum((arc / noise_sigma(image, band)) ** 2, dtype=np.float64)))


def arc_contrast(arc: Image, lens_light: Image, band: Band | str) -> float:
    """Flux of lensed light over flux of the lens galaxy where the former exceeds the noise.

    0 where no pixel does.
    """
    where = lensed_pixels(arc, band)
    if not where.any():
        return 0.0
    return float(arc[where].sum(dtype=np.float64) / lens_light[where].sum(dtype=np.float64))


def n_mask_pixels(percentile: float, n_pixels: int) -> int:
    """Pixels that a percentile mask keeps out of `n_pixels`: 5 % of 40 000 are 2000."""
    if not 0 <= percentile < 100:
        raise LensyError(f"A mask percentile lies from 0 to below 100, not at {percentile}.")
    return round(n_pixels * (100.0 - percentile) / 100.0)


def percentile_mask(light: Image, percentile: float) -> Mask:
    """The brightest pixels of one object's noiseless light, as many as the percentile leaves.

    light: (y, x), all of the frame: an object cut by its edge keeps as many pixels as any other.
    Of equal pixels the first are taken. An object without light has an empty mask, and one with
    fewer lit pixels than that has those.
    Source: computed from the four published panels. Their light summed over each colour gives 199
    to 200 pixels of 40 000 for the lensed light, the lens galaxies and the others, wherever nothing
    hides a part; objects cut by the frame come to the same but for what its drawn line hides.
    """
    pixels, flux = _lit(light)
    mask = np.zeros(light.size, bool)
    mask[pixels[_brightest(flux, n_mask_pixels(percentile, light.size))]] = True
    return mask.reshape(light.shape)


def mask_rings(light: Image) -> list[Pixels]:
    """Pixels of the three nested percentile masks as rings, innermost (99.5) first.

    Flat indices in ascending order. The mask at a percentile is the union of the rings up to it.
    """
    pixels, flux = _lit(light)
    rings = []
    for percentile in sorted(PERCENTILES):
        chosen = _brightest(flux, n_mask_pixels(percentile, light.size))
        rings.append(pixels[~chosen])
        pixels, flux = pixels[chosen], flux[chosen]
    return [pixels, *rings[:0:-1]]  # the first ring is what no mask holds


def masks_from_rings(
    objects: Sequence[Sequence[Pixels]], percentile: float, shape: tuple[int, int]
) -> Masks:
    """Masks of several objects from their `mask_rings`, (object, y, x).

    percentile: one of PERCENTILES. shape: of the frame, (y, x).
    """
    if percentile not in PERCENTILES:
        allowed = ", ".join(f"{each:g}" for each in PERCENTILES)
        raise LensyError(f"Masks are kept at the percentiles {allowed}, not at {percentile:g}.")
    n_rings = sorted(PERCENTILES, reverse=True).index(percentile) + 1
    masks = np.zeros((len(objects), shape[0] * shape[1]), bool)
    for mask, rings in zip(masks, objects, strict=True):
        for ring in rings[:n_rings]:
            mask[ring] = True
    return masks.reshape(len(objects), *shape)


def _lit(light: Image) -> tuple[Pixels, Image]:
    """Flat indices of the pixels with light, ascending, and their flux."""
    flat = light.ravel()
    pixels = np.flatnonzero(flat > 0).astype(np.uint32)
    return pixels, flat[pixels]


def _brightest(flux: Image, count: int) -> Mask:
    """Which of the values are the `count` largest; of equal ones the first."""
    if count >= flux.size:
        return np.ones(flux.size, bool)
    if count == 0:
        return np.zeros(flux.size, bool)
    faintest = np.partition(flux, flux.size - count)[flux.size - count]
    chosen: Mask = flux > faintest
    equal = np.flatnonzero(flux == faintest)
    chosen[equal[: count - np.count_nonzero(chosen)]] = True
    return chosen


def top_down(n_objects: int) -> list[int]:
    """Numbers of the objects of an example from the uppermost mask to the lowest.

    Lensed light (1) above the lens galaxy (0) above the companions (2, 3, ...), an earlier
    companion above a later one.
    Source: the published panels (computed, as above). Lensed light: all of it shows in all four,
    while 42 pixels of a lens galaxy lie under it in one and 8 of a companion in another. Companions
    (reading): all five overlaps, and which colours occur, agree with one list of colours of which
    the earlier lies above. No panel shows a lens galaxy and a companion overlap: that is ours.
    """
    return [1, 0, *range(2, n_objects)]


def visible_masks(masks: Masks, order: Sequence[int] | None = None) -> Masks:
    """The part of each mask that no other covers, (object, y, x): each pixel has one owner at most.

    masks: (object, y, x). order: numbers of the objects from the uppermost to the lowest, as
    `top_down` where it is not given. Cheap, and so derived when it is needed and never stored.
    """
    order = top_down(len(masks)) if order is None else order
    if sorted(order) != list(range(len(masks))):
        raise LensyError(
            f"An order names each of the {len(masks)} masks once, from 0 to {len(masks) - 1}, "
            f"not {list(order)}."
        )
    visible, covered = np.zeros_like(masks), np.zeros(masks.shape[1:], bool)
    for number in order:
        visible[number] = masks[number] & ~covered
        covered |= masks[number]
    return visible


def bounding_box(mask: Mask) -> tuple[int, int, int, int] | None:
    """Tight box (x0, y0, x1, y1) around a mask, half-open; None around an empty one.

    So a box is at least one pixel wide and high, and never leaves the frame.
    """
    if not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
