"""Labels, masks and boxes on cases made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from builders import galaxy
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from lensy.errors import LensyError
from lensy.figures.objects import colour_masks
from lensy.simulation import targets
from lensy.simulation.render import render_galaxy
from lensy.telescope.bands import band

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


def test_of_equal_pixels_the_first_are_taken() -> None:
    mask = targets.percentile_mask(np.ones((200, 200), np.float32), 99.5)
    assert np.flatnonzero(mask).tolist() == list(range(200))


@pytest.mark.parametrize("n_levels", [3, 50, 100_000])
@pytest.mark.parametrize("half_width", [5, 30, 100])
def test_rings_are_slices_of_the_sorted_pixels(n_levels: int, half_width: int) -> None:
    """Sorted by flux and then by index, in plain Python; a stamp on black, with many equal pixels
    or few, and with fewer lit than the widest mask holds."""
    light = np.zeros((200, 200), np.float32)
    stamp = light[100 - half_width : 100 + half_width, 100 - half_width : 100 + half_width]
    stamp[:] = np.random.default_rng(n_levels).integers(0, n_levels, stamp.shape)
    flat = light.ravel().tolist()
    order = sorted((i for i, flux in enumerate(flat) if flux > 0), key=lambda i: (-flat[i], i))
    for ring, (a, b) in zip(
        targets.mask_rings(light), [(0, 200), (200, 400), (400, 2000)], strict=True
    ):
        assert ring.dtype == np.uint32
        assert ring.tolist() == sorted(order[a:b])


@pytest.mark.parametrize("percentile", targets.PERCENTILES)
def test_masks_from_rings_are_the_percentile_masks(light: Image, percentile: float) -> None:
    dark = np.zeros_like(light)
    objects = [light, dark, light[::-1]]
    masks = targets.masks_from_rings(
        [targets.mask_rings(each) for each in objects], percentile, light.shape
    )
    assert np.array_equal(masks, [targets.percentile_mask(each, percentile) for each in objects])


def test_rings_make_no_mask_between_the_percentiles() -> None:
    with pytest.raises(LensyError, match=r"percentiles 95, 99, 99\.5, not at 98"):
        targets.masks_from_rings([], 98.0, (4, 4))


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


@pytest.mark.parametrize(("x", "y"), [(-9.95, 0.05), (10.3, 3.0), (-10.4, -10.4)])
@pytest.mark.parametrize(("percentile", "count"), [(95.0, 2000), (99.0, 400), (99.5, 200)])
def test_an_object_cut_by_the_frame_keeps_its_pixels(
    x: float, y: float, percentile: float, count: int
) -> None:
    """Centre on the edge or outside: a percentile of the frame's pixels, in a tight box inside."""
    mask = targets.percentile_mask(render_galaxy(galaxy(x=x, y=y), VIS), percentile)
    assert mask.sum() == count
    x0, y0, x1, y1 = targets.bounding_box(mask)
    assert 0 <= x0 < x1 <= 200
    assert 0 <= y0 < y1 <= 200
    assert x0 == 0 if x < 0 else x1 == 200
    assert mask[y0:y1, x0:x1].sum() == count
    edges = [mask[y0, x0:x1], mask[y1 - 1, x0:x1], mask[y0:y1, x0], mask[y0:y1, x1 - 1]]
    assert all(edge.any() for edge in edges)


def strips() -> NDArray[np.bool_]:
    """Lens galaxy, lensed light and two companions in one row, each over its right neighbour."""
    lens, arc, first, second = np.zeros((4, 1, 10), bool)
    arc[0, :4] = lens[0, 2:6] = first[0, 5:8] = second[0, 6:] = True
    return np.array([lens, arc, first, second])


def test_lensed_light_covers_the_lens_which_covers_companions() -> None:
    lens, arc, first, second = targets.visible_masks(strips())[:, 0]
    assert np.flatnonzero(arc).tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(lens).tolist() == [4, 5]
    assert np.flatnonzero(first).tolist() == [6, 7]
    assert np.flatnonzero(second).tolist() == [8, 9]


def test_an_order_of_ones_own_from_the_top_down() -> None:
    masks = strips()
    lens, arc, first, second = targets.visible_masks(masks, [3, 2, 0, 1])[:, 0]
    assert np.array_equal(second, masks[3, 0])
    assert np.flatnonzero(first).tolist() == [5]
    assert np.flatnonzero(lens).tolist() == [2, 3, 4]
    assert np.flatnonzero(arc).tolist() == [0, 1]


def test_each_pixel_belongs_to_the_uppermost_of_its_masks() -> None:
    masks = np.random.default_rng(3).random((5, 20, 30)) > 0.6
    visible = targets.visible_masks(masks)
    for y, x in np.ndindex(20, 30):
        owners = [number for number in (1, 0, 2, 3, 4) if masks[number, y, x]]
        assert np.flatnonzero(visible[:, y, x]).tolist() == owners[:1]


def test_visible_parts_leave_the_masks_alone() -> None:
    masks = strips()
    targets.visible_masks(masks)
    assert np.array_equal(masks, strips())


def test_the_figure_is_painted_in_the_same_order() -> None:
    """Of parts that do not overlap, the order of painting cannot matter."""
    masks = np.random.default_rng(4).random((6, 20, 30)) > 0.6
    assert_allclose(colour_masks(masks), colour_masks(targets.visible_masks(masks)))


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1, 2, 2], [1, 2, 3, 4]])
def test_an_order_names_every_mask_once(order: list[int]) -> None:
    with pytest.raises(LensyError, match=r"each of the 4 masks once, from 0 to 3, not \["):
        targets.visible_masks(strips(), order)


def test_classes_of_lens_and_non_lens() -> None:
    names = [None, *targets.CLASSES]
    lens, other = ([names[targets.class_number(each)] for each in targets.roles(*given)]
                   for given in ((True, 4), (False, 3)))  # fmt: skip
    assert lens == ["lens galaxy", "lensed light", "galaxy", "galaxy"]
    assert other == ["galaxy", None, "galaxy"]
