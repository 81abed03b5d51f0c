"""The renderer against converged pictures, against closed forms, and against lenstronomy's script.

"To 1 % of the noise" is in every pixel: of the standard deviation of the picture there, all light
of the scene included.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brute_force import (
    Samples,
    light_settings,
    mass,
    sample_galaxy,
    sample_pattern,
    sample_second_source,
    sample_source,
)
from builders import EUCLID, SERSIC_B, galaxy, isothermal_sphere, radii
from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid
from lenstronomy.SimulationAPI.sim_api import SimAPI
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy import special
from threadpoolctl import threadpool_limits

import data_sim
from lensy.errors import LensyError
from lensy.simulation import targets
from lensy.simulation.example import simulate
from lensy.simulation.render import (
    Layers,
    _blur,
    render,
    render_arc,
    render_bands,
    render_galaxy,
)
from lensy.sky.scene import Deflector, Galaxy, Pattern, Scene
from lensy.telescope.bands import Band, band
from lensy.telescope.noise import noise_sigma, observe

Floats = NDArray[np.float64]

VIS = band("VIS")
BANDS = [band(name) for name in EUCLID]
FLUX = VIS.flux(22.0)

SAMPLING = 1e-3
"""Relative error of flux. Light below half a step of the stored layers, 0.001 of the noise, is not
drawn: of galaxies of magnitude 22 and half an arcsec 1e-3 at most."""


# Every pixel to 1 % of the noise


def bright(magnitude: float, **changes: Any) -> Galaxy:
    """A galaxy with the same magnitude in each band."""
    return galaxy(magnitudes=dict.fromkeys(EUCLID, magnitude), **changes)


def lens(x: float = 0.0, y: float = 0.0, **changes: Any) -> Deflector:
    usual = {"einstein_radius": 1.4, "axis_ratio": 0.75, "position_angle": 0.6, "shear_1": 0.03}
    return Deflector(x=x, y=y, **(usual | changes))


ELLIPTICAL = {"half_light_radius": 0.8, "sersic_index": 4.0, "axis_ratio": 0.7}

SCENES = {
    "steep source of the talk": Scene(
        lens=bright(19.5, x=0.31, y=-0.72, position_angle=0.5, **ELLIPTICAL),
        deflector=lens(0.31, -0.72),
        source=bright(
            23.0, x=0.9, y=-0.4, half_light_radius=0.3, sersic_index=4.0, axis_ratio=0.6
        ),
        companions=(bright(18.0, x=-6.02, y=5.13, axis_ratio=0.6),),
    ),
    "quad": Scene(
        lens=bright(20.5, x=-2.4, y=3.3, **ELLIPTICAL),
        deflector=lens(-2.4, 3.3, axis_ratio=0.6),
        source=bright(24.0, x=-2.37, y=3.35, half_light_radius=0.12, sersic_index=1.7),
    ),
    "ring": Scene(
        lens=bright(21.0, **ELLIPTICAL),
        deflector=isothermal_sphere(0.6),
        source=bright(23.5, half_light_radius=0.25, sersic_index=1.3, axis_ratio=0.5),
    ),
    "edge-on disc": Scene(
        lens=bright(19.5, x=1.03, y=2.01, half_light_radius=0.9, axis_ratio=0.1, position_angle=0.3)
    ),
    "bright and compact": Scene(
        lens=bright(17.0, x=-3.349, y=0.02, half_light_radius=0.25, sersic_index=4.0)
    ),
    "on the edge": Scene(
        lens=bright(18.0, x=9.98, y=-9.4, **ELLIPTICAL),
        deflector=lens(9.98, -9.4, einstein_radius=1.9),
        source=bright(23.0, x=9.8, y=-9.3),
        companions=(bright(18.0, x=3.0, y=10.06, sersic_index=4.0),),
    ),
    "small source and its faint counter-image": Scene(
        lens=bright(21.0, **ELLIPTICAL),
        deflector=lens(0.0, 0.0, shear_1=0.0),
        source=bright(23.0, x=1.0, y=0.4, half_light_radius=0.05, sersic_index=2.5),
    ),
    "spiral in a ring": Scene(
        lens=bright(20.5, sersic_index=2.0),
        structure=(
            Pattern(
                x=0.02, y=0.01, radius=0.9, width=0.4, axis_ratio=0.6, position_angle=0.4,
                n_arms=2, sharpness=3.0, winding=7.0, magnitudes=dict.fromkeys(EUCLID, 19.0),
            ),
            Pattern(
                x=0.02, y=0.01, radius=2.2, width=0.15, axis_ratio=0.6, position_angle=0.4,
                magnitudes=dict.fromkeys(EUCLID, 20.5),
            ),
        ),
    ),
    "compound lens": Scene(
        lens=bright(20.0, redshift=0.4, **ELLIPTICAL),
        deflector=lens(),
        source=bright(22.5, x=0.2, y=0.1, redshift=1.2, half_light_radius=0.6, axis_ratio=0.5),
        second_deflector=isothermal_sphere(0.4, x=0.2, y=0.1, axis_ratio=0.8),
        second_source=bright(
            22.5, x=0.1, y=-0.15, redshift=3.5, half_light_radius=1.2, sersic_index=2.0
        ),
    ),
}  # fmt: skip


Parts = list[list[tuple[Samples, dict[str, float]]]]


def parts_of(scene: Scene) -> Parts:
    """Points and magnitudes of each object: of the lens galaxy, the lensed light, companions."""
    parts: Parts = [[(sample_galaxy(scene.lens), scene.lens.magnitudes)], []]
    parts[0] += [(sample_pattern(each), each.magnitudes) for each in scene.structure]
    if scene.source is not None:
        parts[1].append((sample_source(scene.source, scene.deflector), scene.source.magnitudes))
    if scene.second_source is not None:
        parts[1].append((sample_second_source(scene), scene.second_source.magnitudes))
    return parts + [[(sample_galaxy(each), each.magnitudes)] for each in scene.companions]


def pictures(parts: Parts, each: Band) -> list[Floats]:
    """Converged layers in one band, nJy."""
    return [
        np.sum([each.flux(m[each.name]) * points.seen(each) for points, m in objects], axis=0)
        + np.zeros(each.shape)
        for objects in parts
    ]


def objects_of(layers: Layers) -> list[NDArray[np.float32]]:
    return [layers.lens_light, layers.arc, *layers.companions]


@pytest.fixture(scope="module", params=SCENES)
def converged(request: pytest.FixtureRequest) -> tuple[Scene, Parts, dict[str, Layers]]:
    """A scene, its points by brute force, and its layers in four bands by the renderer."""
    scene = SCENES[request.param]
    return scene, parts_of(scene), render_bands(scene, BANDS)


@pytest.mark.parametrize("name", EUCLID)
def test_no_pixel_of_any_layer_is_off_by_a_hundredth_of_the_noise(
    converged: tuple[Scene, Parts, dict[str, Layers]], name: str
) -> None:
    """What is not drawn, below half a step of stored layers, is 0.0013 of the noise at most."""
    _, parts, layers = converged
    tolerance = 0.01 * noise_sigma(layers[name].image, band(name))
    expected = pictures(parts, band(name))
    for ours, exact in zip(objects_of(layers[name]), expected, strict=True):
        assert np.max(np.abs(ours - exact) / tolerance) < 1


def test_what_we_compare_with_has_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells a third smaller, and more of them, change 1e-6 of the peak and of the flux."""
    scene = SCENES["steep source of the talk"]
    exact = sample_source(scene.source, scene.deflector)
    monkeypatch.setattr("brute_force.SMALL", 0.23)
    monkeypatch.setattr("brute_force.LITTLE", 1e-9)
    finer = sample_source(scene.source, scene.deflector)
    assert_allclose(exact.total, finer.total, rtol=1e-6)
    assert_allclose(exact.seen(VIS), finer.seen(VIS), atol=1e-6 * exact.seen(VIS).max())


def test_magnification_is_that_of_all_points(
    converged: tuple[Scene, Parts, dict[str, Layers]],
) -> None:
    """Of scenes in the middle of the frame, whose lensed light is all within the samples."""
    scene, parts, layers = converged
    expected = max((points.total for points, _ in parts[1]), default=0.0)
    if scene.lens.x < 9:
        assert_allclose(layers["VIS"].magnification, expected, rtol=2e-3)
    assert len({each.magnification for each in layers.values()}) == 1


# One galaxy


@pytest.mark.parametrize("sersic_index", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("half_light_radius", [0.15, 0.5])
def test_all_light_of_a_small_galaxy_is_in_the_frame(
    sersic_index: float, half_light_radius: float
) -> None:
    small = galaxy(sersic_index=sersic_index, half_light_radius=half_light_radius, axis_ratio=0.7)
    assert_allclose(render_galaxy(small, VIS).sum(dtype=float), FLUX, rtol=SAMPLING)


@pytest.mark.parametrize("sersic_index", [1.0, 4.0])
@pytest.mark.parametrize("radius", [1.03, 2.03, 5.03])
def test_light_in_an_aperture_is_the_sersic_integral(sersic_index: float, radius: float) -> None:
    """Ciotti & Bertin 1999, equation 2, at the radius of a circle with the aperture's pixels.

    The tolerance is for what the point-spread function carries out of the aperture: a ring's loss
    is sigma^2/2 dI/dr over 2 pi r, some 3e-3 of the flux at 1 arcsec.
    """
    image = render_galaxy(galaxy(sersic_index=sersic_index, half_light_radius=1.0), VIS)
    aperture = radii(VIS.shape) < radius
    same_area = np.sqrt(aperture.sum() * VIS.pixel_scale**2 / np.pi)
    x = SERSIC_B[sersic_index] * same_area ** (1 / sersic_index)
    expected = special.gammainc(2 * sersic_index, x)
    assert_allclose(image[aperture].sum(dtype=float) / FLUX, expected, rtol=5e-3)


@pytest.mark.parametrize(("x", "y"), [(10.0, 0.0), (-10.0, 0.0), (0.0, 10.0), (0.0, -10.0)])
def test_half_of_a_galaxy_on_the_edge_is_in_the_frame(x: float, y: float) -> None:
    image = render_galaxy(galaxy(x=x, y=y), VIS)
    assert_allclose(image.sum(dtype=float), 0.5 * FLUX, rtol=SAMPLING)


def test_light_scatters_in_from_outside_of_the_frame() -> None:
    """Ten arcsec are a hundred pixels: beyond the edge as in the middle."""
    outside = render_galaxy(galaxy(x=10.05), VIS)
    middle = render_galaxy(galaxy(x=0.05), VIS)
    assert_allclose(outside[:, 100:], middle[:, :100], atol=1e-6 * middle.max())


def test_x_runs_along_columns_and_y_along_rows() -> None:
    image = render_galaxy(galaxy(x=3.05, y=-2.05), VIS)
    assert np.unravel_index(image.argmax(), image.shape) == (79, 130)


@pytest.mark.parametrize("position_angle", [0.0, 0.4, 2.5])
def test_moments_give_back_axis_ratio_and_position_angle(position_angle: float) -> None:
    """The Gaussian and the pixel add their variances to the galaxy's second moments."""
    image = render_galaxy(galaxy(axis_ratio=0.5, position_angle=position_angle), VIS).astype(float)
    weight = image / image.sum()
    y, x = 0.1 * (np.indices(VIS.shape) - 99.5)
    blur = VIS.psf_sigma**2 + VIS.pixel_scale**2 / 12
    xx, yy, xy = np.sum(weight * np.stack([x * x - blur, y * y - blur, x * y]), axis=(1, 2))
    minor, major = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    assert_allclose(np.sqrt(minor / major), 0.5, rtol=SAMPLING)
    assert_allclose(np.sin(angle - position_angle), 0.0, atol=1e-3)


@pytest.mark.parametrize("psf_fwhm", [0.05, 0.16, 0.5])
def test_the_point_spread_function_conserves_flux(psf_fwhm: float) -> None:
    """Same samples, other widths: the sums differ by rounding to float32 alone."""
    other = replace(VIS, psf_fwhm=psf_fwhm)
    assert_allclose(
        render_galaxy(galaxy(), other).sum(dtype=float),
        render_galaxy(galaxy(), VIS).sum(dtype=float),
        rtol=1e-6,
    )


@pytest.mark.parametrize("name", EUCLID)
def test_the_point_spread_function_is_the_gaussian_of_its_width(name: str) -> None:
    """A small galaxy's variance is its own, 3 h^2 for an exponential, the Gaussian's and the
    pixel's. Light that is not drawn is far out, and weighs with its distance squared."""
    each, radius = band(name), 0.15 if name == "VIS" else 0.05
    small = bright(20.0, half_light_radius=radius)
    image = render_galaxy(small, each).astype(float)
    variance = np.sum(image * radii(each.shape, each.pixel_scale) ** 2) / image.sum() / 2
    variance -= 3 * (radius / SERSIC_B[1.0]) ** 2 + each.pixel_scale**2 / 12
    fwhm = np.sqrt(8 * np.log(2) * variance)
    assert_allclose(fwhm, each.psf_fwhm, rtol=SAMPLING)


@pytest.mark.parametrize("name", EUCLID)
def test_frames_of_all_bands_have_one_centre(name: str) -> None:
    """66 pixels of 0.3 arcsec in the middle of 200 of 0.1: what is symmetric stays so, and the
    centroid of a galaxy is where it is on the sky."""
    each = band(name)
    middle = render_galaxy(bright(20.0), each)
    assert middle.shape == {"VIS": (200, 200)}.get(name, (66, 66))
    assert_allclose(middle, middle[::-1, ::-1], atol=1e-6 * middle.max())
    image = render_galaxy(bright(20.0, x=2.43, y=-3.37), each).astype(float)
    y, x = each.pixel_scale * (np.indices(each.shape) - 0.5 * (each.n_pixels - 1))
    centroid = np.sum(image * np.stack([x, y]), axis=(1, 2)) / image.sum()
    assert_allclose(centroid, [2.43, -3.37], atol=2e-4)


@pytest.mark.parametrize("name", EUCLID)
def test_every_band_holds_the_same_magnitude(name: str) -> None:
    each = band(name)
    image = render_galaxy(galaxy(magnitudes={name: 21.0}), each)
    assert_allclose(each.magnitude(image.sum(dtype=float)), 21.0, atol=SAMPLING)


def test_a_galaxy_without_the_bands_magnitude_is_refused() -> None:
    with pytest.raises(LensyError, match=r"no magnitude in Y, only in VIS"):
        render_galaxy(galaxy(), band("Y"))


# Lensed light: closed forms of the singular isothermal sphere


def sphere_images(source: Galaxy, einstein_radius: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Images of every point of a round exponential source behind a sphere in the centre.

    Returns position along x and magnification of the outer and of the inner images, each weighted
    by the light there. A point at distance r has images at r + theta_E and r - theta_E, magnified
    by theta_E / r + 1 and theta_E / r - 1 (the latter only inside the Einstein radius).
    """
    scale = source.half_light_radius / SERSIC_B[1.0]
    grid = 12 * scale * (np.arange(-500, 500) + 0.5) / 500
    dx, dy = np.meshgrid(grid, grid)
    light = np.exp(-np.hypot(dx, dy) / scale)
    x, y = source.x + dx, source.y + dy
    distance = np.hypot(x, y)
    outer = light / light.sum() * (einstein_radius / distance + 1)
    inner = light / light.sum() * np.maximum(einstein_radius / distance - 1, 0)
    x_outer = x * (1 + einstein_radius / distance)
    x_inner = x * (1 - einstein_radius / distance)
    return x_outer, outer, x_inner, inner


@pytest.mark.parametrize("einstein_radius", [0.6, 1.5, 2.2])
@pytest.mark.parametrize("offset", [0.3, 0.7, 1.3])
def test_total_magnification_of_a_sphere(einstein_radius: float, offset: float) -> None:
    """To 2e-3: the sum over points of the source misses that much around the pole at r = 0."""
    source = galaxy(x=offset * einstein_radius, half_light_radius=0.2)
    image, magnification = render_arc(source, isothermal_sphere(einstein_radius), VIS)
    _, outer, _, inner = sphere_images(source, einstein_radius)
    assert_allclose(magnification, outer.sum() + inner.sum(), rtol=2e-3)
    assert_allclose(image.sum(dtype=float) / FLUX, magnification, rtol=1e-5)


def test_magnification_of_a_point_is_two_einstein_radii_over_its_distance() -> None:
    """The limit of a small source; its size changes 2 theta_E / r by <s^2> / 4 r^2 = 2 %."""
    source = galaxy(x=0.6, half_light_radius=0.11)
    magnification = render_arc(source, isothermal_sphere(1.5), VIS)[1]
    assert_allclose(magnification, 2 * 1.5 / 0.6, rtol=0.025)


def sides(x: Floats, light: Floats) -> list[float]:
    """Mean x of the light to the right of the centre and to the left of it."""
    return [np.sum((light * x)[side]) / light[side].sum() for side in (x > 0, x < 0)]


def test_centroids_of_the_two_images_of_a_sphere() -> None:
    """Of a point they are two Einstein radii apart; of this source its sum over points."""
    source = galaxy(x=0.5, half_light_radius=0.11)
    image = render_arc(source, isothermal_sphere(1.5), VIS)[0].astype(float)
    x_outer, outer, x_inner, inner = sphere_images(source, 1.5)
    expected = sides(np.concatenate([x_outer, x_inner]), np.concatenate([outer, inner]))
    measured = sides(0.1 * (np.arange(200) - 99.5), image.sum(axis=0))
    assert_allclose(measured, expected, atol=2e-3)
    assert_allclose(measured[0] - measured[1], 3.0, atol=0.1)


@pytest.mark.parametrize(("einstein_radius", "half_light_radius"), [(1.0, 0.15), (2.0, 0.3)])
def test_ring_of_a_centred_source(einstein_radius: float, half_light_radius: float) -> None:
    """Exponential of scale h behind a sphere: magnification 2 theta_E / h; mean radius of the light
    theta_E + 2 h^2 / theta_E, to which a blur of variance v per axis adds v / 2 theta_E."""
    source = galaxy(half_light_radius=half_light_radius)
    image, magnification = render_arc(source, isothermal_sphere(einstein_radius), VIS)
    scale = half_light_radius / SERSIC_B[1.0]
    blur = VIS.psf_sigma**2 + VIS.pixel_scale**2 / 12
    radius = np.sum(image * radii(VIS.shape)) / image.sum()
    expected = einstein_radius + (2 * scale**2 + 0.5 * blur) / einstein_radius
    assert_allclose(magnification, 2 * einstein_radius / scale, rtol=SAMPLING)
    assert_allclose(radius, expected, atol=1e-3)


def test_a_lens_without_mass_leaves_the_source_as_it_is() -> None:
    source = galaxy(x=0.3, y=0.2, axis_ratio=0.6)
    image, magnification = render_arc(source, isothermal_sphere(1e-6), VIS)
    unlensed = render_galaxy(source, VIS)
    assert_allclose(magnification, 1.0, rtol=SAMPLING)
    assert_allclose(image, unlensed, atol=2e-4 * unlensed.max())


def test_light_reaches_the_frame_from_a_lens_beyond_its_edge() -> None:
    """A ring around a lens on the edge is cut in two equal halves."""
    source, deflector = galaxy(x=10.0), isothermal_sphere(1.5, x=10.0)
    image, magnification = render_arc(source, deflector, VIS)
    assert_allclose(image.sum(dtype=float) / FLUX, 0.5 * magnification, rtol=1e-3)


# Scenes


def scene_of_everything() -> Scene:
    return Scene(
        lens=galaxy(
            x=1.0, y=-2.0, half_light_radius=0.6, sersic_index=4.0, axis_ratio=0.7,
            position_angle=0.5, magnitudes={"VIS": 20.5, "Y": 19.5, "J": 19.2, "H": 19.0},
        ),
        deflector=Deflector(
            x=1.0, y=-2.0, einstein_radius=1.4, axis_ratio=0.75, position_angle=0.6,
            shear_1=0.03, shear_2=-0.02,
        ),
        source=galaxy(
            x=1.2, y=-1.8, half_light_radius=0.25, axis_ratio=0.6, position_angle=2.0,
            magnitudes={"VIS": 24.0, "Y": 23.5, "J": 23.6, "H": 23.7},
        ),
        companions=(
            galaxy(
                x=-4.3, y=3.21, axis_ratio=0.4,
                magnitudes={"VIS": 22.5, "Y": 22.0, "J": 21.9, "H": 21.7},
            ),
            galaxy(
                x=6.0, y=7.0, half_light_radius=0.5,
                magnitudes={"VIS": 21.5, "Y": 22.0, "J": 22.1, "H": 22.1},
            ),
        ),
    )  # fmt: skip


def test_layers_add_up_to_the_image() -> None:
    layers = render(scene_of_everything(), VIS)
    by_hand = layers.lens_light + layers.arc + layers.companions[0] + layers.companions[1]
    assert_allclose(layers.image, by_hand, rtol=1e-6)
    assert_allclose(layers.stack, [layers.lens_light, layers.arc, layers.companions.sum(axis=0)])


def test_a_scene_is_its_objects_drawn_one_by_one() -> None:
    scene = scene_of_everything()
    layers = render(scene, VIS)
    assert_allclose(layers.lens_light, render(Scene(lens=scene.lens), VIS).image)
    # the candidate, usually the brightest, is sampled more finely: 0.3 % of the noise of 2 nJy
    alone = render(Scene(lens=scene.companions[1]), VIS).image
    assert_allclose(layers.companions[1], alone, atol=6e-3)
    assert_allclose(layers.arc, render_arc(scene.source, scene.deflector, VIS)[0])


def test_no_source_no_lensed_light() -> None:
    layers = render(Scene(lens=galaxy()), VIS)
    assert (layers.magnification, layers.arc.max(), layers.companions.shape) == (
        0,
        0,
        (0, 200, 200),
    )
    assert layers.image.dtype == np.float32


# The straight lenstronomy script


def lenstronomy_layers(scene: Scene, each: Band, supersampling: int) -> list[Floats]:
    """Lensed light, lens light and companions in nJy, the way lenstronomy's manual draws them."""
    settings = Euclid(each.name).kwargs_single_band() | {"pixel_scale": each.pixel_scale}
    galaxies = [scene.lens, *scene.companions]
    simulator = SimAPI(
        each.n_pixels,
        settings,
        {
            "lens_model_list": ["SIE", "SHEAR"],
            "lens_light_model_list": ["SERSIC_ELLIPSE"] * len(galaxies),
            "source_light_model_list": ["SERSIC_ELLIPSE"],
        },
    )
    numerics = {"supersampling_factor": supersampling, "supersampling_convolution": True}
    model = simulator.image_model_class(numerics)
    lights, source, _ = simulator.magnitude2amplitude(
        [light_settings(light) | {"magnitude": light.magnitudes[each.name]} for light in galaxies],
        [light_settings(scene.source) | {"magnitude": scene.source.magnitudes[each.name]}],
    )
    arc = model.image(mass(scene.deflector), source, lights, lens_light_add=False)
    drawn = [arc, *(model.lens_surface_brightness(lights, k=k) for k in range(len(galaxies)))]
    return [image * each.flux(each.zero_point) for image in drawn]


@pytest.fixture(scope="module", params=["everything in VIS", "quad near the edge", "Y", "J", "H"])
def both_ways(request: pytest.FixtureRequest) -> tuple[Band, list[Floats], list[Floats], Scene]:
    """Layers of a scene by the renderer and by the script, in the same order."""
    everything = scene_of_everything()
    near_the_edge = {"x": -7.5, "y": 6.9}
    quad = Scene(
        lens=galaxy(**near_the_edge, half_light_radius=0.9, magnitudes={"VIS": 19.5}),
        deflector=Deflector(
            **near_the_edge, einstein_radius=1.9, axis_ratio=0.6, position_angle=1.9, shear_2=0.04
        ),
        source=galaxy(x=-7.45, y=6.85, half_light_radius=0.15, magnitudes={"VIS": 24.5}),
        companions=(galaxy(x=3.0, y=-1.0, sersic_index=2.0),),
    )
    scene, each, factor = {
        "everything in VIS": (everything, VIS, 5),
        "quad near the edge": (quad, VIS, 5),
        **{name: (everything, band(name), 15) for name in "YJH"},
    }[request.param]
    layers = render(scene, each)
    ours = [layers.arc, layers.lens_light, *layers.companions]
    return each, ours, lenstronomy_layers(scene, each, factor), scene


def test_lensed_light_is_that_of_lenstronomy(both_ways: Any) -> None:
    """To 0.3 % of the peak. Both sample every 0.02 arcsec where it matters, lenstronomy adds
    nothing from beyond the frame and cuts its kernel off; the frame's outermost second is left out.
    """
    each, ours, theirs, _ = both_ways
    inside = np.s_[round(1 / each.pixel_scale) : -round(1 / each.pixel_scale),] * 2
    assert_allclose(ours[0][inside], theirs[0][inside], atol=3e-3 * theirs[0].max())
    assert_allclose(ours[0].sum(dtype=float), theirs[0].sum(), rtol=2e-3)


def test_galaxies_are_those_of_lenstronomy(both_ways: Any) -> None:
    """To 0.3 % of the peak away from the centre, where the script samples a cusp without averaging
    it: within 0.3 arcsec its pixels are wrong by some per cent (ours are not, see above)."""
    each, ours, theirs, scene = both_ways
    rows, columns = each.pixel_scale * (np.indices(each.shape) - 0.5 * (each.n_pixels - 1))
    for k, light in enumerate([scene.lens, *scene.companions], start=1):
        core = np.hypot(columns - light.x, rows - light.y) < 0.3 + 2 * each.psf_sigma
        peak = theirs[k].max()
        assert_allclose(ours[k][~core], theirs[k][~core], atol=3e-3 * peak)
        assert_allclose(ours[k][core], theirs[k][core], atol=2e-2 * peak)


@pytest.mark.parametrize("variance", [0.0, 0.01, 0.1, 0.3, 1.0, 4.0])
def test_a_narrow_blur_makes_a_wider_gaussian_of_a_gaussian(variance: float) -> None:
    """Sampled as it stands, a Gaussian of a tenth of a pixel would give four times the light."""
    distance = np.arange(-60.0, 61.0)
    image = np.exp(-0.5 * distance**2 / 1.5**2)
    blurred = np.convolve(image, _blur(distance, variance), mode="same")
    width = 1.5**2 + variance
    expected = 1.5 / np.sqrt(width) * np.exp(-0.5 * distance**2 / width)
    assert_allclose(blurred, expected, atol=2e-5)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_an_image_does_not_depend_on_the_number_of_threads(n_threads: int) -> None:
    recipe = data_sim.recipe("talk-smoke")
    expected = [simulate(recipe, "test", index).layers for index in range(4)]
    with threadpool_limits(limits=n_threads, user_api="blas"):
        found = [simulate(recipe, "test", index).layers for index in range(4)]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.keys() == theirs.keys()
        for name, layers in mine.items():
            assert np.array_equal(layers.arc, theirs[name].arc)
            assert np.array_equal(layers.image, theirs[name].image)


def test_the_name_of_a_band_does_as_well_as_the_band() -> None:
    scene, h = Scene.simple(), band("H")
    named, given = render(scene, "H"), render(scene, h)
    assert_array_equal(named.image, given.image)
    rngs = [np.random.default_rng(1) for _ in range(2)]
    pictures = [observe(given.image, each, rng) for each, rng in zip(("H", h), rngs, strict=True)]
    assert_array_equal(*pictures)
    assert_array_equal(noise_sigma(given.image, "H"), noise_sigma(given.image, h))
    assert_array_equal(targets.lensed_pixels(given.arc, "H"), targets.lensed_pixels(given.arc, h))
    with pytest.raises(LensyError, match="There is no band 'K'"):
        render(scene, "K")
