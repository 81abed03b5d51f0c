"""How much of the lensed light could be told from anything else, by the best of observers.

An observer who knows everything but whether the lensed light is there has its whole signal-to-noise
to decide by. One who must also find out what the lens galaxy looks like loses whatever part of it a
slightly different galaxy would imitate. That part is found by projection: the derivatives of the
galaxy's image by its parameters span, to first order, all images that other galaxies would make,
and only what stands at right angles to them is evidence. Source: the Cramer-Rao bound with nuisance
parameters (Kay 1993, Fundamentals of Statistical Signal Processing I, section 3.8).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from lensy.simulation.render import render, render_galaxy
from lensy.sky.scene import Galaxy, Scene
from lensy.telescope.bands import Band
from lensy.telescope.noise import noise_sigma
from lensy.values import Floats


def ideal_completeness(signal_to_noise: ArrayLike, *, false_positive_rate: float) -> Floats:
    """Share found by an observer who knows exactly what to look for, and where.

    Such an observer's statistic, the image's projection on the known lensed light, is Gaussian with
    scatter 1 and mean 0 or the signal-to-noise. Source: Peterson, Birdsall & Fox 1954.

    >>> print(ideal_completeness([0, 2.326, 5], false_positive_rate=0.01).round(2))
    [0.01 0.5  1.  ]
    """
    threshold = norm.isf(false_positive_rate)
    return np.asarray(norm.sf(threshold - np.asarray(signal_to_noise, np.float64)))


STEPS = {
    "x": 0.01,
    "y": 0.01,
    "half_light_radius": 0.01,
    "sersic_index": 0.02,
    "axis_ratio": 0.01,
    "position_angle": 0.02,
}
"""Half of the step of each central difference; the radius's is a share of it. Small against what
the noise leaves unknown of a bright galaxy, large against the rounding of single precision."""


class Evidence(NamedTuple):
    """Signal-to-noise of lensed light: `known` with the lens galaxy known, `fitted` without."""

    known: float
    fitted: float


def evidence(scene: Scene, band: Band | str) -> Evidence:
    """Signal-to-noise of a scene's lensed light in a band, for two observers.

    Both know the lensed light's shape and where it is, and the companions.
    """
    layers = render(scene, band)
    noise = noise_sigma(layers.image, band).astype(np.float64)
    arc = (layers.arc / noise).ravel()
    imitations = (lens_derivatives(scene.lens, band) / noise).reshape(-1, arc.size).T
    # columns of one length, so that none is lost to rounding; turning a round galaxy does nothing
    lengths = np.linalg.norm(imitations, axis=0)
    imitations = imitations[:, lengths > 0] / lengths[lengths > 0]
    explained, *_ = np.linalg.lstsq(imitations, arc, rcond=1e-10)
    return Evidence(
        known=float(np.linalg.norm(arc)), fitted=float(np.linalg.norm(arc - imitations @ explained))
    )


def lens_derivatives(galaxy: Galaxy, band: Band | str) -> Floats:
    """Change of a galaxy's image by its flux and by each parameter of STEPS, (7, y, x)."""
    images = [render_galaxy(galaxy, band).astype(np.float64)]
    for name, step in STEPS.items():
        value = getattr(galaxy, name)
        size = step * value if name == "half_light_radius" else step
        # at the ends of what a galaxy may be, the difference is one-sided
        ends = [_moved(galaxy, name, value + sign * size) for sign in (1, -1)]
        values = [getattr(each, name) for each in ends]
        high, low = (render_galaxy(each, band).astype(np.float64) for each in ends)
        images.append((high - low) / (values[0] - values[1]))
    return np.stack(images)


def _moved(galaxy: Galaxy, name: str, value: float) -> Galaxy:
    limits = {"axis_ratio": (0.05, 1.0), "sersic_index": (0.3, 8.0)}
    low, high = limits.get(name, (-np.inf, np.inf))
    return galaxy.model_copy(update={name: float(np.clip(value, low, high))})
