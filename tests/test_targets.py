"""Labels, masks and boxes on cases made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from builders import galaxy
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from lensy import targets
from lensy.bands import band
from lensy.errors import LensyError
from lensy.render import render_galaxy

VIS = band("VIS")
Image = NDArray[np.float32]


@pytest.fixture
def light() -> Image:
    """Light without two equal pixels, (200, 200), in nJy."""
    return render_galaxy(galaxy(x=1.234, y=-2.345, axis_ratio=0.6, position_angle=0.5), VIS)


@pytest.mark.parametrize(
    ("magnification", "n_pixels", "label"),
    [
        (1.6, 21, False),
        (np.nextafter(1.6, 2), 21, True),
        (5.0, 20, False),
        (5.0, 21, True),
        (0.0, 0, False),
        (1.0, 1000, False),
    ],
)
def test_a_lens_is_magnified_and_seen(magnification: float, n_pixels: int, label: bool) -> None:
    assert targets.is_lens(magnification, n_pixels) == label


def test_lensed_pixels_are_above_the_noise() -> None:
    sigma = np.float32(VIS.background_sigma)
    arc = np.array([[0, 0.99 * sigma, 1.01 * sigma, 100]], np.float32)
    assert targets.lensed_pixels(arc, VIS).tolist() == [[False, False, True, True]]


def test_signal_to_noise_of_equal_pixels() -> None:
    """n pixels of signal s over noise sigma: s sqrt(n) / sigma, the light's photons included."""
    arc = np.zeros((10, 10), np.float32)
    arc[:3, :3] = 4.0
    image = arc + 50.0
    variance = VIS.background_sigma**2 + 54.0 * VIS.njy_per_electron
    assert_allclose(targets.arc_signal_to_noise(arc, image, VIS), 4 * 3 / np.sqrt(variance))


def test_contrast_counts_where_the_arc_is_seen() -> None:
    arc = np.array([[10, 20, 0.1]], np.float32)
    lens_light = np.array([[100, 200, 7]], np.float32)
    assert_allclose(targets.arc_contrast(arc, lens_light, VIS), 0.1)
    assert targets.arc_contrast(arc * 0.01, lens_light, VIS) == 0.0


@pytest.mark.parametrize(("percentile", "count"), [(95.0, 2000), (99.0, 400), (99.5, 200)])
@pytest.mark.parametrize("brightness", [1e-6, 1.0, 1e6])
def test_masks_have_their_number_of_pixels(
    light: Image, percentile: float, count: int, brightness: float
) -> None:
    mask = targets.percentile_mask(light * np.float32(brightness), percentile)
    assert mask.sum() == count
    assert targets.n_mask_pixels(percentile, 40_000) == count


@pytest.mark.parametrize("percentile", targets.PERCENTILES)
def test_a_mask_is_what_lies_above_the_percentile(light: Image, percentile: float) -> None:
    """NumPy's percentile interpolates between the last pixel out and the first one in."""
    expected = light > np.percentile(light.astype(float), percentile)
    assert np.array_equal(targets.percentile_mask(light, percentile), expected)


def test_masks_are_nested(light: Image) -> None:
    wide, middle, narrow = (targets.percentile_mask(light, p) for p in targets.PERCENTILES)
    assert not np.any(middle & ~wide)
    assert not np.any(narrow & ~middle)


def test_rings_make_up_the_masks(light: Image) -> None:
    rings = targets.mask_rings(light)
    assert [len(ring) for ring in rings] == [200, 200, 1600]
    for n_rings, percentile in enumerate([99.5, 99.0, 95.0], start=1):
        pixels = np.concatenate(rings[:n_rings])
        mask = targets.percentile_mask(light, percentile)
        assert np.array_equal(np.sort(pixels), np.flatnonzero(mask))


def test_rings_are_sorted_for_the_disk(light: Image) -> None:
    assert all(np.all(np.diff(ring.astype(int)) > 0) for ring in targets.mask_rings(light))


def test_a_mask_holds_only_pixels_with_light() -> None:
    light = np.zeros((200, 200), np.float32)
    light[10, 20:25] = [5, 4, 3, 2, 1]
    assert targets.percentile_mask(light, 95.0).sum() == 5
    assert [len(ring) for ring in targets.mask_rings(light)] == [5, 0, 0]


def test_no_light_no_mask() -> None:
    dark = np.zeros((200, 200), np.float32)
    assert not targets.percentile_mask(dark, 95.0).any()
    assert [len(ring) for ring in targets.mask_rings(dark)] == [0, 0, 0]


def test_equal_pixels_do_not_change_the_number() -> None:
    assert targets.percentile_mask(np.ones((200, 200), np.float32), 99.5).sum() == 200


@pytest.mark.parametrize("percentile", [100.0, -1.0, float("nan")])
def test_an_impossible_percentile_is_refused(percentile: float) -> None:
    with pytest.raises(LensyError, match=r"from 0 to below 100, not at"):
        targets.n_mask_pixels(percentile, 40_000)


def test_box_around_a_mask() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2, 3] = mask[4, 5] = True
    assert targets.bounding_box(mask) == (3, 2, 6, 5)


def test_box_that_touches_the_edges() -> None:
    assert targets.bounding_box(np.ones((6, 8), bool)) == (0, 0, 8, 6)
    corner = np.zeros((6, 8), bool)
    corner[5, 7] = True
    assert targets.bounding_box(corner) == (7, 5, 8, 6)


def test_no_box_around_nothing() -> None:
    assert targets.bounding_box(np.zeros((6, 8), bool)) is None


def test_box_of_a_galaxy_at_the_edge_ends_there() -> None:
    mask = targets.percentile_mask(render_galaxy(galaxy(x=-9.95, y=0.05), VIS), 99.5)
    x0, y0, x1, y1 = targets.bounding_box(mask)
    assert x0 == 0
    assert x1 < 30
    assert y0 < 100 < y1
