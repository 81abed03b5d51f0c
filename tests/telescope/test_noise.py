"""Noise: its mean and variance within five standard errors of what counting says.

With N pixels of variance v the mean has standard error sqrt(v / N), the variance v sqrt(2 / N):
Poisson counts of some 500 electrons and more have an excess kurtosis below 0.002.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from builders import EUCLID
from lenstronomy.SimulationAPI.observation_api import SingleBand
from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from lensy.errors import LensyError
from lensy.telescope.bands import FILTERS, band
from lensy.telescope.noise import as_seen, noise_sigma, observe, resampled

SIDE = 400
N = SIDE**2

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"
needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason=f"no public files in {REAL}")


@pytest.mark.parametrize("name", EUCLID)
@pytest.mark.parametrize("flux", [0.0, 3.0, 500.0])
def test_mean_and_variance_of_a_flat_image(name: str, flux: float) -> None:
    """Electrons by hand: object and sky are counted, four read-outs add their variance."""
    each = band(name)
    image = np.full((SIDE, SIDE), flux, np.float32)
    seen = observe(image, each, np.random.default_rng(1)).astype(float)
    electrons = flux / each.njy_per_electron + each.sky_electrons + 4 * each.read_noise**2
    variance = electrons * each.njy_per_electron**2
    assert_allclose(seen.mean(), flux, atol=5 * np.sqrt(variance / N))
    assert_allclose(seen.var(), variance, rtol=5 * np.sqrt(2 / N))


@pytest.mark.parametrize("name", EUCLID)
def test_variance_is_that_of_lenstronomy(name: str) -> None:
    """Its noise for a flux is Gaussian: background and flux per exposure time, in quadrature."""
    each = band(name)
    settings = Euclid(name).kwargs_single_band() | {"pixel_scale": each.pixel_scale}
    single = SingleBand(data_count_unit="e-", **settings)
    unit = each.flux(each.zero_point)
    image = np.full((SIDE, SIDE), 200.0)
    theirs = single.flux_noise(image / unit) ** 2 + single.background_noise**2
    seen = observe(image.astype(np.float32), each, np.random.default_rng(2)).astype(float)
    assert_allclose(seen.var(), theirs.mean() * unit**2, rtol=5 * np.sqrt(2 / N))


def test_noise_sigma_is_the_scatter_of_observe() -> None:
    """Pixel by pixel, from 2000 pictures of a ramp; a standard deviation has 1 / sqrt(2 n)."""
    vis, rng = band("VIS"), np.random.default_rng(3)
    ramp = np.linspace(0, 100, 25, dtype=np.float32).reshape(5, 5)
    pictures = np.stack([observe(ramp, vis, rng) for _ in range(2000)])
    assert_allclose(pictures.std(axis=0), noise_sigma(ramp, vis), rtol=5 / np.sqrt(4000))


def test_empty_sky_has_the_background_sigma() -> None:
    vis = band("VIS")
    assert_allclose(noise_sigma(np.zeros((2, 2), np.float32), vis), vis.background_sigma, rtol=1e-6)
    # flux below zero is rounding, not light
    assert_allclose(noise_sigma(np.full((2, 2), -1.0), vis), vis.background_sigma, rtol=1e-6)


def test_pixels_are_independent() -> None:
    """Correlation of neighbours: standard error 1 / sqrt(N)."""
    seen = observe(np.zeros((SIDE, SIDE), np.float32), band("VIS"), np.random.default_rng(4))
    right = np.corrcoef(seen[:, 1:].ravel(), seen[:, :-1].ravel())[0, 1]
    below = np.corrcoef(seen[1:].ravel(), seen[:-1].ravel())[0, 1]
    assert_allclose([right, below], 0.0, atol=5 / np.sqrt(N))


def test_the_generator_decides_and_nothing_else() -> None:
    image, vis = np.ones((4, 4), np.float32), band("VIS")
    first, again, other = (observe(image, vis, np.random.default_rng(s)) for s in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.dtype, first.shape) == (np.float32, (4, 4))
    assert np.array_equal(image, np.ones((4, 4)))


@pytest.mark.parametrize("name", EUCLID)
def test_a_single_exposure_counts_a_quarter_of_the_electrons(name: str) -> None:
    """So its noise in nJy is twice that of four, and as_seen's sigma says the same."""
    each, single = band(name), as_seen(band(name), "single exposure")
    empty = np.zeros((SIDE, SIDE), np.float32)
    seen = observe(empty, each, np.random.default_rng(5), exposure="single exposure").astype(float)
    assert_allclose(seen.std(), 2 * each.background_sigma, rtol=5 / np.sqrt(2 * N))
    assert_allclose(single.background_sigma, 2 * each.background_sigma, rtol=1e-12)
    assert as_seen(each, "coadd") is each


def test_where_all_exposures_saw_a_pixel_it_is_the_same() -> None:
    vis, image = band("VIS"), np.full((40, 40), 3.0, np.float32)
    exposures = np.full((40, 40), 4)
    exposures[:, :9] = 2
    plain = observe(image, vis, np.random.default_rng(6))
    stepped = observe(image, vis, np.random.default_rng(6), exposures=exposures)
    assert_array_equal(stepped[:, 9:], plain[:, 9:])
    assert (stepped[:, :9] != plain[:, :9]).mean() > 0.99


@pytest.mark.parametrize("name", ["VIS", "H"])
@pytest.mark.parametrize("flux", [0.0, 500.0])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_exposures_have_the_mean_and_more_variance(name: str, flux: float, n: int) -> None:
    """The variance by hand: n exposures count n / 4 of the electrons and are scaled by 4 / n."""
    each = band(name)
    exposures = np.full((SIDE, SIDE), n)
    image = np.full((SIDE, SIDE), flux, np.float32)
    seen = observe(image, each, np.random.default_rng(7), exposures=exposures).astype(float)
    electrons = flux / each.njy_per_electron + each.sky_electrons + 4 * each.read_noise**2
    variance = electrons * each.njy_per_electron**2 * 4 / n
    assert_allclose(seen.mean(), flux, atol=5 * np.sqrt(variance / N))
    assert_allclose(seen.var(), variance, rtol=5 * np.sqrt(2 / N))


def test_no_exposure_is_no_data() -> None:
    exposures = np.full((20, 20), 4)
    exposures[5:9] = 0
    image = np.full((20, 20), 100.0, np.float32)
    seen = observe(image, band("VIS"), np.random.default_rng(8), exposures=exposures)
    assert_array_equal(seen == 0, exposures == 0)


@pytest.mark.parametrize(
    ("exposures", "message"),
    [
        (np.full((4, 5), 4), r"exposures has the shape \(4, 5\), the image \(4, 4\)"),
        (np.full((4, 4), 5), "exposures lie from 0 to 4 in VIS, not from 5 to 5"),
        (np.full((4, 4), -1), "exposures lie from 0 to 4 in VIS, not from -1 to -1"),
    ],
)
def test_impossible_exposures_are_refused(exposures: np.ndarray, message: str) -> None:
    image = np.zeros((4, 4), np.float32)
    with pytest.raises(LensyError, match=message):
        observe(image, band("VIS"), np.random.default_rng(9), exposures=exposures)


def correlation(noise: np.ndarray, rows: int, columns: int) -> float:
    """Of pixels that far apart; NaN is left out."""
    height, width = noise.shape
    near, far = noise[: height - rows, : width - columns], noise[rows:, columns:]
    return float(np.nanmean(near * far) / np.nanmean(noise**2))


def scatter(values: np.ndarray) -> float:
    """Standard deviation of a Gaussian with this median absolute deviation; NaN is left out."""
    return float(1.4826 * np.nanmedian(np.abs(values - np.nanmedian(values))))


def summed(image: np.ndarray, size: int = 3) -> np.ndarray:
    """Sums over size x size pixels."""
    n_y, n_x = (n // size for n in image.shape)
    return image[: n_y * size, : n_x * size].reshape(n_y, size, n_x, size).sum(axis=(1, 3))


def noise_numbers(noise: np.ndarray) -> tuple[float, float, float]:
    """Pixel sigma, sigma after a 3x3 sum, correlation of neighbours."""
    noise = np.where(np.abs(noise) > 4 * scatter(noise), np.nan, noise)
    neighbours = 0.5 * (correlation(noise, 0, 1) + correlation(noise, 1, 0))
    return scatter(noise), scatter(summed(noise)), neighbours


@pytest.mark.parametrize("name", EUCLID)
def test_resampled_noise_has_the_stated_scatter_and_correlation(name: str) -> None:
    """Diagonal neighbours correlate by the square: the kernel is the same on both axes.

    Correlated pixels count for fewer: about N / 3, and 5 standard errors of those.
    """
    each = band(name)
    white = observe(np.zeros((SIDE, SIDE), np.float32), each, np.random.default_rng(10))
    noise = resampled(white, each).astype(float)
    sigma, neighbours = FILTERS[name].mosaic.sigma, FILTERS[name].mosaic.correlation
    tolerance = 5 / np.sqrt(N / 3)
    assert_allclose(noise.std(), sigma, rtol=tolerance)
    assert_allclose(noise[[0, -1]].std(), sigma, rtol=5 / np.sqrt(2 * SIDE / 3))
    seen = [correlation(noise, 0, 1), correlation(noise, 1, 0), correlation(noise, 1, 1)]
    assert_allclose(seen, [neighbours, neighbours, neighbours**2], atol=tolerance)
    assert_allclose(correlation(noise, 0, 3), 0.0, atol=tolerance)


def test_resampled_noise_lies_just_below_that_of_whole_mosaic_frames() -> None:
    """Published medians over 11 fields, sources and all, which add some 15 % in NISP.

    Counts per mosaic pixel and zero points are typed from the README of the real files.
    """
    counts = {"VIS": (0.0027, 24.6), "Y": (4.50, 29.8), "J": (4.98, 30.0), "H": (4.80, 29.9)}
    for name, (sigma, zero_point) in counts.items():
        whole = sigma * 3631e9 * 10 ** (-0.4 * zero_point)
        assert 0.8 < FILTERS[name].mosaic.sigma / whole < 1.02


@pytest.mark.parametrize("name", EUCLID)
def test_sums_of_resampled_noise_scatter_as_in_real_mosaics(name: str) -> None:
    """Medians of four fields that differ by 10 % and more: known to 7 % or so; white fails."""
    white = observe(np.zeros((SIDE, SIDE), np.float32), band(name), np.random.default_rng(12))
    ours = summed(resampled(white, band(name)).astype(float)).std()
    assert_allclose(ours, FILTERS[name].mosaic.of_3x3, rtol=0.07)
    assert 3 * FILTERS[name].mosaic.sigma < 0.8 * FILTERS[name].mosaic.of_3x3


@pytest.fixture(scope="module")
def real_noise() -> dict[str, np.ndarray]:
    """Pixel sigma, 3x3-sum sigma and correlation, (file, number), by band, where no source is.

    Sources: smoothed flux above 2.5 times its scatter in any band, over 25 pixels or more, and 8
    pixels around. NISP is summed over 3x3 mosaic pixels to its own grid of 0.3 arcsec.
    """
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in EUCLID}
    for path in sorted(REAL.glob("*.fits")):
        images, holes = {}, {}
        with fits.open(path) as hdus:
            for name in EUCLID:
                stem = "VIS" if name == "VIS" else f"NIR_{name}"
                hdu = next(h for h in hdus if h.name in (f"{stem}_FLUX", f"{stem}_BGSUB"))
                scale = 3631e9 * 10 ** (-0.4 * hdu.header["MAGZERO"])
                images[name] = hdu.data.astype(float) * scale
                holes[name] = ndimage.binary_dilation(hdus[f"{stem}_RMS"].data > 1e10, iterations=2)
        source = np.zeros(images["VIS"].shape, bool)
        for image in images.values():
            smooth = ndimage.gaussian_filter(image, 3)
            source |= smooth - np.median(smooth) > 2.5 * scatter(smooth)
        labels, n_labels = ndimage.label(source)
        sizes = ndimage.sum(source, labels, np.arange(n_labels + 1))
        source = ndimage.binary_dilation(sizes[labels] > 25, iterations=8)
        for name, image in images.items():
            empty = np.where(source | holes[name], np.nan, image)
            empty = empty if name == "VIS" else summed(empty)
            found[name].append(noise_numbers(empty - np.nanmedian(empty)))
    return {name: np.array(numbers) for name, numbers in found.items()}


@needs_real_files
@pytest.mark.parametrize("name", EUCLID)
def test_resampled_noise_is_that_of_real_mosaics(
    name: str, real_noise: dict[str, np.ndarray]
) -> None:
    """Against the median of four fields, which differ by some 10 % in depth.

    So the median is known to 10 % * 1.25 / sqrt(4) = 6 % or so, and we ask for 10 %; the
    correlations differ by up to 0.05 from field to field. White noise would fail all three.
    """
    each = band(name)
    image = np.zeros((SIDE, SIDE), np.float32)
    ours = noise_numbers(resampled(observe(image, each, np.random.default_rng(11)), each))
    real = np.median(real_noise[name], axis=0)
    assert_allclose(ours[:2], real[:2], rtol=0.1)
    assert_allclose(FILTERS[name].mosaic.of_3x3, real[1], rtol=0.01)
    assert_allclose(ours[2], real[2], atol=0.05)
