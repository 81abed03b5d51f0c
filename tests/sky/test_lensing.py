"""Rays against closed forms and lenstronomy's planes; images counted where theory knows them."""

from __future__ import annotations

import numpy as np
import pytest
from brute_force import distance_ratio, mass, multi_plane
from builders import galaxy, isothermal_sphere
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from lensy.sky.lensing import (
    count_images,
    deflection_ratio,
    trace_to_second_source,
    trace_to_source,
)
from lensy.sky.scene import Deflector, Scene

Floats = NDArray[np.float64]


def compound_lens() -> Scene:
    """Two deflectors, both flat, off the axis and with shear."""
    return Scene(
        lens=galaxy(redshift=0.4),
        deflector=Deflector(
            x=0.5, y=-0.3, einstein_radius=1.3, axis_ratio=0.7, position_angle=0.4,
            shear_1=0.03, shear_2=-0.04,
        ),
        source=galaxy(x=0.6, y=-0.1, redshift=1.1),
        second_deflector=Deflector(
            x=0.6, y=-0.1, einstein_radius=0.35, axis_ratio=0.8, position_angle=2.0, shear_2=0.02
        ),
        second_source=galaxy(x=0.4, y=-0.2, redshift=3.4),
    )  # fmt: skip


def test_rays_of_a_sphere_are_bent_by_its_einstein_radius() -> None:
    x, y = np.array([3.0, 0.0]), np.array([4.0, -2.0])
    beta = trace_to_source(isothermal_sphere(1.5), x, y)
    assert_allclose(beta, [[3.0 - 0.9, 0.0], [4.0 - 1.2, -0.5]], atol=1e-6)


def test_rays_are_sheared_about_the_deflector() -> None:
    """beta = theta - (g1 x + g2 y, g2 x - g1 y), next to no mass, centre at (1, 1)."""
    sheared = isothermal_sphere(1e-9, x=1.0, y=1.0, shear_1=0.05, shear_2=-0.02)
    beta = trace_to_source(sheared, np.array([3.0]), np.array([2.0]))
    assert_allclose(beta, [[3 - 0.05 * 2 + 0.02 * 1], [2 + 0.02 * 2 + 0.05 * 1]], atol=1e-6)


def test_einstein_radius_holds_the_same_mass_for_every_axis_ratio() -> None:
    """Geometric mean over the critical ellipse, so that its area is pi theta_E^2.

    Inside the critical curve light comes from the far side: a pixel's parity, the determinant of
    d beta / d theta, is negative. Counting pixels of 0.02 arcsec knows the area to about 0.5 %.
    """
    axis = np.arange(-150, 150) * 0.02 + 0.01
    x, y = np.meshgrid(axis, axis)
    flat = isothermal_sphere(1.2, axis_ratio=0.6, position_angle=0.8)
    beta_x, beta_y = trace_to_source(flat, x, y)
    (xy, xx), (yy, yx) = np.gradient(beta_x, 0.02), np.gradient(beta_y, 0.02)
    area = 0.02**2 * np.sum(xx * yy - xy * yx < 0)
    assert_allclose(np.sqrt(area / np.pi), 1.2, rtol=5e-3)


# Two planes


def test_two_planes_are_those_of_lenstronomy() -> None:
    scene = compound_lens()
    x, y = np.random.default_rng(1).uniform(-6, 6, (2, 20, 5))
    theirs = multi_plane(scene)(x.ravel(), y.ravel())
    ours = trace_to_second_source(scene, x, y)
    assert ours[0].shape == x.shape
    assert_allclose([each.ravel() for each in ours], theirs, atol=1e-9)


def test_without_mass_on_the_second_plane_the_first_bends_by_the_ratio() -> None:
    """A sphere's rays at 5 arcsec, bent by 1.5 arcsec times the ratio of distances."""
    scene = compound_lens().model_copy(
        update={
            "deflector": isothermal_sphere(1.5),
            "second_deflector": isothermal_sphere(1e-9),
        }
    )
    beta = trace_to_second_source(scene, np.array([3.0]), np.array([4.0]))
    bent = 1.5 * distance_ratio(0.4, 1.1, 3.4)
    assert_allclose(beta, [[3 - 0.6 * bent], [4 - 0.8 * bent]], atol=1e-6)


@pytest.mark.parametrize("redshifts", [(0.1, 0.3, 0.4), (0.5, 1.0, 3.0), (1.2, 2.9, 4.5)])
def test_deflections_grow_as_the_distances_say(redshifts: tuple[float, float, float]) -> None:
    assert_allclose(deflection_ratio(*redshifts), distance_ratio(*redshifts), rtol=1e-9)
    assert deflection_ratio(*redshifts) > 1


def test_only_a_compound_lens_has_a_second_source() -> None:
    scene = Scene(lens=galaxy(), deflector=isothermal_sphere(), source=galaxy())
    with pytest.raises(ValueError, match="only a compound lens has a second source"):
        trace_to_second_source(scene, np.zeros(1), np.zeros(1))


# Images


@pytest.mark.parametrize(
    ("distance", "expected"), [(0.1, 2), (0.7, 2), (1.45, 2), (1.6, 1), (3, 1)]
)
@pytest.mark.parametrize("angle", [0.0, 1.0, 4.0])
def test_a_sphere_has_two_images_within_its_einstein_radius(
    distance: float, expected: int, angle: float
) -> None:
    """The inner one at theta_E - r, down to 0.05 arcsec; the singular centre is never one."""
    deflector = isothermal_sphere(1.5)
    x, y = distance * np.cos(angle), distance * np.sin(angle)
    assert count_images(deflector, x=x, y=y) == expected


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(0.02, 0.03, 4), (-0.05, 0.1, 4), (0.9, 0.0, 2), (0.0, 0.7, 2), (2.2, 0.0, 1)],
)
@pytest.mark.parametrize("turned", [0.0, 0.6])
def test_an_ellipsoid_has_four_images_in_the_diamond(
    x: float, y: float, expected: int, turned: float
) -> None:
    """Kormann, Schneider & Bartelmann 1994: the diamond of an axis ratio of 0.6 reaches about a
    quarter of the Einstein radius, the cut about one."""
    cosine, sine = np.cos(turned), np.sin(turned)
    deflector = isothermal_sphere(1.5, axis_ratio=0.6, position_angle=turned)
    x, y = x * cosine - y * sine, x * sine + y * cosine
    assert count_images(deflector, x=x, y=y) == expected


@pytest.mark.parametrize(("x", "y"), [(0.25, -0.05), (0.9, 0.3), (1.0, 1.6), (0.1, -0.6)])
def test_images_are_those_that_lenstronomy_solves_for(x: float, y: float) -> None:
    deflector = Deflector(
        x=0.2, y=-0.1, einstein_radius=1.4, axis_ratio=0.7, position_angle=0.3, shear_1=0.05
    )
    solver = LensEquationSolver(LensModel(["SIE", "SHEAR"]))
    solved = solver.image_position_from_source(x, y, mass(deflector), search_window=10)
    assert count_images(deflector, x=x, y=y) == len(solved[0])


def test_without_a_lens_there_is_one_image() -> None:
    assert count_images(isothermal_sphere(1e-6), x=2.0, y=1.0) == 1
