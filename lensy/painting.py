"""How well lensed light was painted: arrays in, numbers out, one per image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Images = NDArray[np.float32]

BRIGHTEST = 0.01
"""Share of a frame's pixels, those of the brightest lensed light, over which flux and position are
compared: the talk's 99th-percentile mask, 4 square arcsec, which holds a ring."""

COLUMNS = (
    "squared_error",
    "squared_error_inside",
    "squared_error_outside",
    "scaled_squared_error",
    "flux_fraction",
    "offset",
)


def painting_quality(
    painted: Images, light: Images, image: Images, *, sigma: float, pixel_scale: float
) -> dict[str, Floats]:
    """Errors of paintings against the lensed light, one value per image, (n,) each.

    painted: (n, y, x) on the network's scale arcsinh(flux / sigma). light: (n, y, x), the lensed
    light without noise in nJy. image: (n, y, x), what the network saw, in nJy.

    squared_error: mean over pixels of the squared difference on the network's scale; `_inside` over
    the brightest lensed light (`BRIGHTEST`), `_outside` over the other pixels.
    scaled_squared_error: the same in flux, in units of the image's maximum less minimum (of sigma,
    if that is more), which is how the predecessor scaled images (Wilde et al. 2022). flux_fraction:
    painted over true flux inside. offset: arcsec between the flux centroids inside. NaN for
    `inside` where there is no lensed light at all, for the offset also where nothing was painted.
    """
    rows = [
        _quality(*each, sigma=sigma, pixel_scale=pixel_scale)
        for each in zip(painted, light, image, strict=True)
    ]
    return {name: np.array([row[name] for row in rows]) for name in COLUMNS}


def _quality(
    painted: Images, light: Images, image: Images, *, sigma: float, pixel_scale: float
) -> dict[str, float]:
    flux = sigma * np.sinh(painted.astype(np.float64))
    error = (painted - np.arcsinh(light / sigma)) ** 2
    scaled = ((flux - light) / max(float(np.ptp(image)), sigma)) ** 2
    row = dict.fromkeys(COLUMNS, np.nan)
    row |= {
        "squared_error": float(error.mean(dtype=np.float64)),
        "squared_error_outside": float(error.mean(dtype=np.float64)),
        "scaled_squared_error": float(scaled.mean(dtype=np.float64)),
    }
    if not light.any():
        return row
    n_inside = max(1, round(BRIGHTEST * light.size))
    inside = np.zeros(light.shape, bool)
    inside.flat[np.argpartition(light, light.size - n_inside, axis=None)[-n_inside:]] = True
    row["squared_error_inside"] = float(error[inside].mean(dtype=np.float64))
    row["squared_error_outside"] = float(error[~inside].mean(dtype=np.float64))
    row["flux_fraction"] = float(flux[inside].sum() / light[inside].sum(dtype=np.float64))
    y, x = np.nonzero(inside)
    weights = np.clip(flux[inside], 0.0, None)
    if weights.any():
        there = np.average([y, x], axis=1, weights=weights)
        here = np.average([y, x], axis=1, weights=light[inside].astype(np.float64))
        row["offset"] = float(pixel_scale * np.hypot(*(there - here)))
    return row
