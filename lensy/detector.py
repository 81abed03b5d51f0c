"""What the instrument does to a noiseless image: shot noise and read-out noise.

Plain NumPy; every function takes the random generator it draws from, or draws nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lensy.bands import Band

Image = NDArray[np.float32]


def observe(image: Image, band: Band, rng: np.random.Generator) -> Image:
    """One noisy, sky-subtracted picture of a noiseless image. Same shape, nJy per pixel, float32.

    Photons of object and sky are counted (Poisson) over the whole exposure, every read-out adds
    Gaussian noise, and the mean sky is taken away again. Source: lenstronomy's noise model
    (`SimulationAPI/observation_api.py`), with counted photons where that takes a Gaussian.
    """
    expected = image.astype(np.float64) / band.njy_per_electron + band.sky_electrons
    electrons = rng.poisson(np.maximum(expected, 0.0)).astype(np.float64)
    electrons += np.sqrt(band.n_exposures) * band.read_noise * rng.standard_normal(image.shape)
    observed = (electrons - band.sky_electrons) * band.njy_per_electron
    return observed.astype(np.float32)


def noise_sigma(image: Image, band: Band) -> Image:
    """Standard deviation of `observe` for a noiseless image, nJy per pixel, same shape."""
    photons = np.maximum(image, 0.0) * band.njy_per_electron
    return np.sqrt(band.background_sigma**2 + photons).astype(np.float32)
