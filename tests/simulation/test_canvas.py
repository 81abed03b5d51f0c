"""The canvas: shares of points in pixels, nested parts that add up, patches that fall where due."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from builders import galaxy
from numpy.testing import assert_allclose
from scipy import special

from lensy.simulation import arcs, canvas
from lensy.simulation.canvas import (
    BLUR,
    CORE_REACH,
    FINER,
    MARGIN,
    VIS_PIXEL,
    VIS_SIDE,
    Canvas,
    Patch,
)
from lensy.telescope.bands import band

VIS = band("VIS")
SIGMA = VIS.psf_sigma / VIS_PIXEL


def test_a_canvas_has_the_sharpest_blur_but_at_least_that_of_vis() -> None:
    """So that each band is the canvas under a further blur, or the canvas itself."""
    assert Canvas([VIS]).sigma == Canvas([band("Y"), VIS]).sigma == SIGMA
    assert Canvas([band("Y")]).sigma == SIGMA
    sharper = replace(VIS, psf_fwhm=0.1)
    assert_allclose(Canvas([band("H"), sharper]).sigma, 0.625 * SIGMA)


# Points of light


@pytest.mark.parametrize("factor", [1, 3])
def test_a_point_is_shared_out_by_the_error_function(factor: int) -> None:
    """The middle one of `factor` points a pixel stands in the middle of the pixel."""
    samples = np.zeros((factor, factor), np.float32)
    samples[factor // 2, factor // 2] = 1.0
    patch = Canvas([VIS]).project(samples, 50, 70, factor=factor)
    edges = np.arange(-BLUR, BLUR + 2) - 0.5
    share = np.diff(special.ndtr(edges / SIGMA))
    assert (patch.row, patch.column) == (50 - BLUR, 70 - BLUR)
    assert_allclose(patch.light, np.outer(share, share), atol=1e-7)


def test_no_light_of_a_point_in_the_frame_is_lost() -> None:
    """Six standard deviations to each side: 1 - erf(6 / sqrt 2) = 2e-9 is missing."""
    patch = Canvas([VIS]).project(np.ones((1, 1), np.float32), 3, 199, factor=1)
    assert_allclose(patch.light.sum(dtype=float), 1.0, atol=1e-6)


def test_a_point_beyond_the_canvas_lights_nothing_up() -> None:
    patch = Canvas([VIS]).project(np.ones((1, 1), np.float32), -60, 100, factor=1)
    assert patch.light.size > 0
    assert patch.light.max() < 1e-6


# Patches


def test_a_patch_is_cut_to_the_frame() -> None:
    light = np.arange(30.0, dtype=np.float32).reshape(5, 6)
    rows, columns, seen = Patch(-2, VIS_SIDE - 4, light).crop()
    assert (rows, columns) == (slice(0, 3), slice(VIS_SIDE - 4, VIS_SIDE))
    assert np.array_equal(seen, light[2:, :4])


@pytest.mark.parametrize(("row", "column"), [(-9, 3), (VIS_SIDE + 2, 3), (3, VIS_SIDE), (3, -9)])
def test_a_patch_beside_the_frame_shows_nothing(row: int, column: int) -> None:
    assert Patch(row, column, np.ones((5, 6), np.float32)).crop()[2].size == 0


def test_a_patch_takes_up_a_smaller_one() -> None:
    whole = Patch(10, 20, np.zeros((4, 5), np.float32))
    whole.add(Patch(11, 22, np.full((2, 2), 3.0, np.float32)))
    assert whole.light.sum() == 12
    assert np.all(whole.light[1:3, 2:4] == 3)


@pytest.mark.parametrize("centre", [-700.0, -0.3, 99.5, 240.0])
def test_there_is_always_a_pixel_within(centre: float) -> None:
    seen = canvas.within(centre, 2.0, MARGIN)
    assert len(seen) >= 1
    assert -MARGIN <= seen.start < seen.stop <= VIS_SIDE + MARGIN


@pytest.mark.parametrize("position_angle", [0.0, 0.9, 2.2])
def test_a_window_holds_the_ellipse(position_angle: float) -> None:
    flat = galaxy(x=1.0, y=-2.0, axis_ratio=0.3, position_angle=position_angle)
    angle = np.linspace(0, 2 * np.pi, 400)
    along, across = 3 / np.sqrt(0.3) * np.cos(angle), 3 * np.sqrt(0.3) * np.sin(angle)
    x = 1 + along * np.cos(position_angle) - across * np.sin(position_angle)
    y = -2 + along * np.sin(position_angle) + across * np.cos(position_angle)
    rows, columns = canvas.window(flat, 3.0)
    for place, pixels in ((y, rows), (x, columns)):
        first, last = canvas.pixels(pixels)[[0, -1]]
        assert first - 0.5 * VIS_PIXEL <= place.min()
        assert place.max() <= last + 0.5 * VIS_PIXEL


def test_pixels_and_their_numbers() -> None:
    assert_allclose(canvas.pixels(range(0, VIS_SIDE))[[0, 99, 199]], [-9.95, -0.05, 9.95])
    assert_allclose([canvas.index(place) for place in (-9.95, 0.05)], [0, 100], atol=1e-9)


# Nested parts


def test_nested_weights_add_up_to_one() -> None:
    """1 - w_0, then w_0 - w_1 and so on to the last w: at any distance, 1."""
    distance = np.linspace(0, 60, 500)
    cores = 6.0 * float(FINER) ** -np.arange(5)
    weights = [canvas.weight(distance**2, core) for core in cores]
    parts = [1 - weights[0], *(w - v for w, v in pairwise(weights))]
    assert_allclose(np.sum([*parts, weights[-1]], axis=0), 1.0, rtol=1e-12)
    assert all(part.min() >= 0 for part in parts)


def test_a_weight_is_next_to_nothing_at_its_reach() -> None:
    assert 1e-6 < canvas.weight(np.array([CORE_REACH**2]), 1.0)[0] < 3e-6


def test_steeper_and_smaller_galaxies_have_more_parts() -> None:
    n_parts = [canvas.n_nested_parts(galaxy(sersic_index=n)) for n in (0.5, 1, 2, 4)]
    assert n_parts == sorted(n_parts)
    assert n_parts[0] < n_parts[-1]
    small = galaxy(half_light_radius=0.05)
    assert canvas.n_nested_parts(small) > canvas.n_nested_parts(galaxy())


def test_spread_matrices_keep_nine_moments() -> None:
    """Sum over the points of part 1 of share times place^k is the finer point's place^k."""
    half = 12
    matrices = canvas._spread_matrices(half, 4)
    coarse = (np.arange(-half, half) + 0.5) / half
    for part, matrix in enumerate(matrices, start=1):
        fine = coarse / FINER**part
        for power in range(10):
            assert_allclose(coarse**power @ matrix, fine**power, atol=2e-6)


# The same for lensed light


def test_stand_ins_keep_the_moments_of_scattered_points() -> None:
    """Total degree 6 at most, as many as seven points in a row determine."""
    rng = np.random.default_rng(4)
    place, flux = rng.uniform(8, 13, (2, 200)), rng.uniform(0.1, 1, 200)
    order = np.lexsort(np.rint(place[::-1]))
    grid = arcs._spread(place[:, order], flux[order], (21, 21))
    rows, columns = (np.indices(grid.shape) - 10.0) / 4
    y, x = (place - 10.0) / 4
    for j in range(7):
        for i in range(7 - j):
            assert_allclose(np.sum(grid * rows**j * columns**i), np.sum(flux * y**j * x**i))


def test_a_cell_is_cut_into_nine_around_its_middle() -> None:
    points = np.array([[4.0, 7.0], [1.0, -2.0]])
    finer = arcs._subdivide(points, 2, unit=0.9)
    assert finer.shape == (2, 18)
    assert_allclose(finer.reshape(2, 2, 9).mean(axis=2), points)
    assert_allclose(np.unique(np.round(finer[0, :9] - 4.0, 9)), [-0.3, 0.0, 0.3])
