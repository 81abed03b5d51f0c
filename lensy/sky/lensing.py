"""Gravitational lensing: from the sky to the source plane, for one and for two lens planes.

The lens models are lenstronomy's. Everything is in arcsec from the centre of the frame.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.Util.param_util import phi_q2_ellipticity
from numpy.typing import NDArray

from lensy.sky.scene import Deflector, Scene
from lensy.values import Floats

_LENS = LensModel(["SIE", "SHEAR"])

N_STEPS = 128
"""Steps of the grid on which images are counted, in radius and in angle."""


def trace_to_source(deflector: Deflector, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Where the light seen at (x, y) left the source plane, arcsec. Shapes as given."""
    e1, e2 = phi_q2_ellipticity(deflector.position_angle, deflector.axis_ratio)
    centre = {"center_x": deflector.x, "center_y": deflector.y}
    sie = {"theta_E": deflector.einstein_radius, "e1": e1, "e2": e2, **centre}
    shear = {
        "gamma1": deflector.shear_1,
        "gamma2": deflector.shear_2,
        "ra_0": deflector.x,
        "dec_0": deflector.y,
    }
    beta_x, beta_y = _LENS.ray_shooting(x.ravel(), y.ravel(), [sie, shear])
    return beta_x.reshape(x.shape), beta_y.reshape(y.shape)


def trace_to_second_source(scene: Scene, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """As `trace_to_source`, for the second source of a compound lens.

    Einstein radii are those that a source on the next plane sees; the first deflector bends light
    from behind by `stretch` more. Source: the multi-plane lens equation, Schneider, Ehlers & Falco
    1992, section 9.1, in reduced deflection angles.
    """
    first, second = scene.deflector, scene.second_deflector
    if first is None or second is None or scene.source is None or scene.second_source is None:
        raise ValueError("only a compound lens has a second source")
    stretch = deflection_ratio(
        scene.lens.redshift or 0, scene.source.redshift or 0, scene.second_source.redshift or 0
    )
    middle_x, middle_y = trace_to_source(first, x, y)
    beta_x, beta_y = trace_to_source(second, middle_x, middle_y)
    return beta_x - (stretch - 1) * (x - middle_x), beta_y - (stretch - 1) * (y - middle_y)


@cache
def deflection_ratio(z_lens: float, z_near: float, z_far: float) -> float:
    """How much more a lens bends (reduced) light from a far source than from a near one.

    Flat, H0 = 70 km/s/Mpc, Omega_m = 0.3: the cosmology of Wilde et al. 2022, section 2.
    """
    lens, near, far = FlatLambdaCDM(H0=70, Om0=0.3).comoving_distance([z_lens, z_near, z_far])
    # in a flat universe, distance from lens to source over distance to the source
    return float((1 - lens / far) / (1 - lens / near))


def count_images(deflector: Deflector, *, x: float, y: float) -> int:
    """Number of images of a point (x, y) of the source plane, arcsec.

    On a polar grid around the deflector, finer towards its centre, where the mapping is singular
    and no image is counted. Each triangle of neighbours whose source positions hold the point holds
    an image of it. Two images closer than the grid's step, 1.6 % of the largest distance or 2.8
    degrees, may be missed: they merge on a critical curve. Source: Keeton 2001, astro-ph/0102340.
    """
    shear = float(np.hypot(deflector.shear_1, deflector.shear_2))
    distance = np.hypot(x - deflector.x, y - deflector.y)
    farthest = 1.5 * (deflector.einstein_radius + distance) / (1 - shear)
    steps = np.arange(1, N_STEPS + 1)[:, None] / N_STEPS
    radius, angle = farthest * steps**2, 2 * np.pi * np.arange(N_STEPS + 1)[None, :] / N_STEPS
    beta_x, beta_y = trace_to_source(
        deflector, deflector.x + radius * np.cos(angle), deflector.y + radius * np.sin(angle)
    )
    u, v = beta_x - x, beta_y - y
    rows, columns = np.nonzero(_may_hold_origin(u) & _may_hold_origin(v))
    corners = [(rows, columns), (rows, columns + 1), (rows + 1, columns + 1), (rows + 1, columns)]
    a, b, c, d = [(u[place], v[place]) for place in corners]
    return int(np.sum(_holds_origin(a, b, c)) + np.sum(_holds_origin(a, c, d)))


def _may_hold_origin(value: Floats) -> NDArray[np.bool_]:
    """Cells of the grid whose four corners do not all have one sign."""
    positive = value > 0
    count = positive[:-1, :-1].astype(np.int8) + positive[1:, :-1]
    count += positive[:-1, 1:].astype(np.int8) + positive[1:, 1:]
    return (count > 0) & (count < 4)


def _holds_origin(*corners: tuple[Floats, Floats]) -> NDArray[np.bool_]:
    """Whether triangles, each given by its three corners, hold the origin."""
    turns = [
        p[0] * q[1] - p[1] * q[0] > 0
        for p, q in zip(corners, (*corners[1:], corners[0]), strict=True)
    ]
    same: NDArray[np.bool_] = (turns[0] == turns[1]) & (turns[1] == turns[2])
    return same
