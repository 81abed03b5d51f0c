"""Reconstructions of lensed light in numbers, one per image: how good, and what they look like.

A reconstruction is what a U-Net paints, on its scale arcsinh(flux / sigma). Its quality needs the
truth; its traits do not, so that a regression can learn from them on images that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter

from lensy.values import Floats, Image, Images, Masks

BRIGHTEST = 0.01
"""Share of a frame's pixels, those of the brightest lensed light, over which flux and position are
compared: the talk's 99th-percentile mask, 4 square arcsec, which holds a ring."""

QUALITY = (
    "squared_error",
    "squared_error_inside",
    "squared_error_outside",
    "scaled_squared_error",
    "flux_fraction",
    "offset",
)
"""Names of what is measured against the truth."""

TRAITS = {
    "flux": "painted light, log10 of its sum over the noise of a pixel",
    "peak": "brightest painted pixel, arcsinh of its light over the noise",
    "area": "painted area, square arcsec",
    "extent": "rms distance of the painted light from its centroid, arcsec",
    "share": "painted light over all light of the same pixels",
    "offset": "distance of the centroid from the nearest galaxy, arcsec",
    "around": "share of eight directions around that galaxy in which there is painted light",
    "spoilt": "how likely an artefact spoils a pixel, averaged over the painted light",
}
"""Name and meaning of each trait; all are 0 for an empty reconstruction."""

SMOOTHING = 0.2
"""Scale (arcsec) on which galaxies are looked for."""

BRIGHT = 5.0
"""Surface brightness, in the noise of a pixel after SMOOTHING, from which on a peak is a galaxy."""


def reconstruction_quality(
    painted: Images, light: Images, image: Images, *, sigma: float, pixel_scale: float
) -> dict[str, Floats]:
    """QUALITY of reconstructions against the lensed light, one value per image, (n,) each.

    painted: (n, y, x) on the network's scale arcsinh(flux / sigma). light: (n, y, x), the lensed
    light without noise in nJy. image: (n, y, x), what the network saw, in nJy.

    squared_error: mean over pixels of the squared difference on the network's scale; `_inside` over
    the brightest lensed light (`BRIGHTEST`), `_outside` over the other pixels.
    scaled_squared_error: the same in flux, in units of the image's maximum less minimum (of sigma,
    if that is more), which is how the predecessor scaled images (Wilde et al. 2022). flux_fraction:
    painted over true flux inside. offset: arcsec between the flux centroids inside. NaN for
    `inside` where there is no lensed light at all, for the offset also where nothing was painted.
    """
    return _columns(
        _quality(*each, sigma=sigma, pixel_scale=pixel_scale)
        for each in zip(painted, light, image, strict=True)
    )


def _columns(rows: Iterable[dict[str, float]]) -> dict[str, Floats]:
    """A table of rows by its columns, (n,) each."""
    found = list(rows)
    return {name: np.array([row[name] for row in found]) for name in found[0]}


def _quality(
    painted: Image, light: Image, image: Image, *, sigma: float, pixel_scale: float
) -> dict[str, float]:
    flux = sigma * np.sinh(painted.astype(np.float64))
    error = (painted - np.arcsinh(light / sigma)) ** 2
    scaled = ((flux - light) / max(float(np.ptp(image)), sigma)) ** 2
    row = dict.fromkeys(QUALITY, np.nan)
    row["squared_error"] = row["squared_error_outside"] = float(error.mean(dtype=np.float64))
    row["scaled_squared_error"] = float(scaled.mean(dtype=np.float64))
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


def traits(
    painted: Images,
    image: Images,
    spoilt: Images | None = None,
    *,
    sigma: float,
    pixel_scale: float,
) -> dict[str, Floats]:
    """TRAITS of reconstructions, (n,) each.

    painted: (n, y, x) on the network's scale arcsinh(flux / sigma). image: (n, y, x), what the
    network saw, in nJy. spoilt: (n, y, x), how likely an artefact spoils each pixel, 0 unless
    given: a network paints next to nothing where it is sure of that. sigma: noise of an empty
    pixel, nJy. Light counts from one sigma on.
    """
    if spoilt is None:
        spoilt = np.zeros_like(painted)
    columns = _columns(
        _traits(*each, sigma=sigma, pixel_scale=pixel_scale)
        for each in zip(painted, image, strict=True)
    )
    return columns | {"spoilt": share_on(painted, spoilt)}


def share_on(painted: Images, mask: Masks | Images) -> Floats:
    """Share of the painted light that lies under a mask, (n,); as `traits`. 0 without any light.

    mask: (n, y, x), a pixel counts as much as its value from 0 to 1.
    """
    light = _light(painted)
    total = light.sum(axis=(1, 2))
    under = (mask * light).sum(axis=(1, 2))
    return np.asarray(np.divide(under, total, out=np.zeros_like(total), where=total > 0))


def _light(painted: Image | Images) -> Floats:
    """Light in units of the noise, 0 where it is fainter than that."""
    light = np.sinh(painted.astype(np.float64))
    light[light < 1] = 0.0
    return np.asarray(light)


def _traits(painted: Image, image: Image, *, sigma: float, pixel_scale: float) -> dict[str, float]:
    light = _light(painted)
    lit = light > 0
    row = {name: 0.0 for name in TRAITS if name != "spoilt"}
    if not lit.any():
        return row
    total = light.sum()
    places = np.stack(np.nonzero(lit), axis=1)
    weights = light[lit]
    centre = np.average(places, axis=0, weights=weights)
    distance = np.hypot(*(places - centre).T)
    smooth = gaussian_filter(image, SMOOTHING / pixel_scale)
    peaks = (smooth == maximum_filter(smooth, size=3)) & (smooth > BRIGHT * sigma)
    galaxies = np.stack(np.nonzero(peaks), axis=1)
    row |= {
        "flux": float(np.log10(total)),
        "peak": float(painted.max()),
        "area": float(lit.sum() * pixel_scale**2),
        "extent": float(pixel_scale * np.sqrt(np.average(distance**2, weights=weights))),
        "share": float(total / max(image[lit].sum(dtype=np.float64) / sigma, total)),
    }
    if len(galaxies):
        away = np.hypot(*(galaxies - centre).T)
        nearest = galaxies[away.argmin()]
        y, x = (places - nearest).T
        directions = np.floor((np.arctan2(y, x) / (2 * np.pi) + 0.5) * 8).astype(int) % 8
        row["offset"] = float(pixel_scale * away.min())
        row["around"] = len(set(directions.tolist())) / 8
    return row
