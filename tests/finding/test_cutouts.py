"""Cutouts: files in, flux, masks and coordinates out; what fills a frame looks like the frame."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from fits_files import COUNT, coordinates, noise_image, write_fits
from numpy.testing import assert_allclose, assert_array_equal

from lensy.errors import LensyError
from lensy.finding import euclid_q1
from lensy.finding.background import Noise, fill, measure_noise, seed_from
from lensy.finding.cutouts import no_data, read_cutout
from lensy.finding.mosaics import band_in

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"
needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason=f"no public files in {REAL}")


def test_flux_is_in_njy(tmp_path: Path) -> None:
    image = noise_image()
    cutout = read_cutout(write_fits(tmp_path / "a.fits", {"VIS_FLUX": image}))
    assert_allclose(cutout.flux, image * COUNT, rtol=1e-5)
    assert cutout.flux.dtype == np.float32
    assert cutout.flux.dtype.isnative
    assert not cutout.mask.any()
    assert np.isnan(cutout.sky(3, 4)).all()


@pytest.mark.parametrize(
    "names",
    [
        ("HSC_G_FLUX", "VIS_FLUX", "NIR_Y_FLUX"),
        ("VIS_PSF", "VIS_BGSUB"),
        ("VIS_RMS", "VIS"),
        ("VIS_FLUX", "VIS_BGSUB"),
    ],
)
def test_the_band_is_found_by_name(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Everything but the wanted image is a frame of twos, noise maps included."""
    wanted = next(n for n in ("VIS_BGSUB", "VIS_FLUX", "VIS") if n in names)
    image = noise_image()
    images = {name: image if name == wanted else np.full_like(image, 2.0) for name in names}
    cutout = read_cutout(write_fits(tmp_path / "a.fits", images))
    assert_allclose(cutout.flux, image * COUNT, rtol=1e-5)


def test_the_only_image_is_named_by_its_filter(tmp_path: Path) -> None:
    path = tmp_path / "a.fits.gz"
    image = noise_image()
    fits.PrimaryHDU(image, fits.Header({"FILTER": "VIS", "ZP_STACK": 24.6})).writeto(path)
    assert_allclose(read_cutout(path).flux, image * COUNT, rtol=1e-5)


def test_the_only_image_is_named_by_the_file(tmp_path: Path) -> None:
    path = write_fits(tmp_path / "EUC_MER_MOSAIC-VIS_TILE1.fits", {"": noise_image()})
    assert read_cutout(path).band == "VIS"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VIS", "VIS"),
        ("NIR_Y", "Y"),
        ("EUC_MER_BGSUB-MOSAIC-NIR-H_TILE102.fits", "H"),
        ("nisp-J.fits", "J"),
        ("H", "H"),
        ("HSC_Y", None),
        ("DECAM_r", None),
        ("visible.fits", None),
        ("VIS_and_NIR_Y.fits", None),
        ("", None),
    ],
)
def test_names_of_bands(text: str, expected: str | None) -> None:
    assert band_in(text) == expected


def test_the_given_zero_point_comes_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """2.5 magnitudes more are a tenth of the flux."""
    path = write_fits(tmp_path / "a.fits", {"VIS": noise_image()})
    with caplog.at_level(logging.WARNING):
        faint = read_cutout(path, zero_point=27.1)
    assert "27.1 given, used instead of the header's 24.6" in caplog.text
    assert_allclose(faint.flux, read_cutout(path).flux / 10, rtol=1e-5)


def test_zero_point_of_the_primary_header(tmp_path: Path) -> None:
    image = noise_image()
    extension = fits.ImageHDU(image, name="VIS")
    primary = fits.PrimaryHDU(header=fits.Header({"MAGZERO": 24.6}))
    fits.HDUList([primary, extension]).writeto(tmp_path / "a.fits")
    assert_allclose(read_cutout(tmp_path / "a.fits").flux, image * COUNT, rtol=1e-5)


def test_pixels_without_data_are_masked() -> None:
    image = np.ones((6, 8))
    image[0, 0] = np.nan
    image[2, 2:4] = 0.0
    image[5, 7] = 0.0
    rms = np.ones((6, 8))
    rms[4, 0] = 1e16
    expected = np.zeros((6, 8), bool)
    expected[0, 0] = expected[2, 2] = expected[2, 3] = expected[4, 0] = True
    assert_array_equal(no_data(image, rms), expected)


def test_a_zero_beside_a_masked_pixel_is_masked() -> None:
    image = np.ones((4, 4))
    image[1, 1], image[2, 2] = np.inf, 0.0
    assert_array_equal(np.argwhere(no_data(image)), [[1, 1], [2, 2]])


def test_masked_pixels_are_filled_with_noise(tmp_path: Path) -> None:
    """A hole of 400 pixels: standard error of its sigma 3.5 %, of its mean 0.05 sigma, both a
    third more for the correlation and the local level; four of them are allowed."""
    image = noise_image((100, 100))
    image[30:50, 40:60] = np.nan
    rms = np.full_like(image, 0.004)
    cutout = read_cutout(write_fits(tmp_path / "a.fits", {"VIS_FLUX": image, "VIS_RMS": rms}))
    hole = cutout.flux[30:50, 40:60] / (0.0027 * COUNT)
    assert cutout.mask.sum() == hole.size
    assert_allclose(hole.std(), 1.0, atol=4 * 0.047)
    assert_allclose(hole.mean(), 0.0, atol=4 * 0.067)


def test_a_hole_in_light_gets_the_level_around_it() -> None:
    """A slope over 4 pixels: the level there is the slope's middle, to the 5 % left for doubt."""
    flux = np.full((60, 60), 100.0, np.float32)
    mask = np.zeros(flux.shape, bool)
    mask[30:32, 30:32] = True
    filled = fill(np.where(mask, 0, flux), mask, Noise(0.0, 1e-3, 0.2), seed_from(flux))
    assert_allclose(filled[mask], 100.0, rtol=0.06)


def lag_correlation(noise: np.ndarray) -> float:
    """Correlation of neighbours in x."""
    return float(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])


def test_padding_is_noise_of_the_frames_own_kind(tmp_path: Path) -> None:
    """120x150 pixels: sigma comes from a median over half of them, standard error
    1.17 / sqrt(9000) = 1.2 %, 1.6 % with the correlation; the correlation's is 0.01. Four allowed.
    """
    image = noise_image((120, 150))
    image[50:60, 50:60] += 1.0
    cutout = read_cutout(write_fits(tmp_path / "a.fits", {"VIS_FLUX": image}))
    flux, inside = cutout.padded(200)
    assert flux.shape == (200, 200)
    assert_array_equal(flux[inside], cutout.flux)
    above = flux[:38]
    assert_allclose(above.std(), 0.0027 * COUNT, rtol=4 * 0.016)
    own = lag_correlation(noise_image((120, 150)))
    assert own > 0.2
    assert_allclose(lag_correlation(above), own, atol=4 * 0.01)
    assert_allclose(lag_correlation(above.T), own, atol=4 * 0.01)
    assert not (flux == 0).any()


def test_padding_is_the_same_every_time(tmp_path: Path) -> None:
    paths = [
        write_fits(tmp_path / f"{i}.fits", {"VIS": noise_image((50, 50), seed=seed)})
        for i, seed in enumerate([1, 1, 2])
    ]
    first, second, third = (read_cutout(path).padded(200)[0] for path in paths)
    assert_array_equal(first, second)
    assert (first[:70] != third[:70]).all()


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.25, 0.6])
def test_drawn_noise_has_the_correlation_asked_for(correlation: float) -> None:
    """Standard error 1 / 500 for 250 000 pixels, less than twice that with correlation."""
    noise = Noise(0.0, 2.0, correlation).draw((500, 500), np.random.default_rng(1))
    assert_allclose(noise.std(), 2.0, rtol=4 * 0.004)
    assert_allclose(lag_correlation(noise), correlation, atol=4 * 0.004)


def test_a_frame_without_noise_is_no_trouble() -> None:
    noise = measure_noise(np.full((30, 30), 2.0, np.float32), np.zeros((30, 30), bool))
    assert noise == Noise(2.0, 0.0, 0.0)


def test_coordinates_are_kept(tmp_path: Path) -> None:
    """10 pixels north of the reference pixel are 1 arcsec; 10 to the right are 1 arcsec west."""
    cutout = read_cutout(write_fits(tmp_path / "a.fits", {"VIS": noise_image()}, **coordinates()))
    assert_allclose(cutout.sky(20, 10), (57.0, -50.0), rtol=1e-12)
    assert_allclose(cutout.sky(20, 20), (57.0, -50.0 + 1 / 3600), rtol=1e-10)
    west = 57.0 - 1 / 3600 / np.cos(np.radians(50))
    assert_allclose(cutout.sky(30, 10), (west, -50.0), rtol=1e-8)


def bad_file(folder: Path, kind: str) -> Path:
    """A file that cannot be used, of a kind."""
    path = folder / "bad.fits"
    image = noise_image()
    header = fits.Header({"MAGZERO": 24.6, "FILTER": "NIR_Y"})
    if kind == "text":
        path.write_text("not an image")
    elif kind == "empty":
        path.touch()
    elif kind == "cut":
        whole = write_fits(folder / "whole.fits", {"VIS": image}).read_bytes()
        path.write_bytes(whole[:9000])
    elif kind == "cut gz":
        fits.PrimaryHDU(image, header).writeto(folder / "whole.fits.gz")
        path = folder / "bad.fits.gz"
        path.write_bytes((folder / "whole.fits.gz").read_bytes()[:2000])
    elif kind == "no image":
        fits.HDUList([fits.PrimaryHDU()]).writeto(path)
    elif kind == "other band":
        fits.PrimaryHDU(image, header).writeto(path)
    elif kind == "unnamed":
        write_fits(path, {"SCI": image})
    elif kind == "two":
        write_fits(path, {"A": image, "B": image}, FILTER="VIS")
    elif kind == "cube":
        write_fits(path, {"VIS": np.stack([image, image])})
    elif kind == "no zero point":
        write_fits(path, {"VIS_FLUX": image}, MAGZERO=None)
    elif kind == "zero zero point":
        write_fits(path, {"VIS_FLUX": image}, MAGZERO=0.0)
    elif kind == "masked":
        write_fits(path, {"VIS_FLUX": np.zeros_like(image)})
    elif kind == "rms of another shape":
        write_fits(path, {"VIS_FLUX": image, "VIS_RMS": image[1:]})
    elif kind == "scale":
        write_fits(path, {"VIS_FLUX": image}, **coordinates(0.3))
    elif kind == "too bright":
        write_fits(path, {"VIS_FLUX": np.full(image.shape, 1e38, np.float32)})
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", r"There is no file .*bad\.fits\."),
        ("text", r"bad\.fits is not a FITS file .*allowed are FITS images"),
        ("empty", r"bad\.fits is not a FITS file"),
        ("cut", r"bad\.fits is damaged or cut short .*download or copy it again"),
        ("cut gz", r"bad\.fits\.gz is damaged or cut short"),
        ("no image", r"bad\.fits holds no image: allowed are FITS files with an image in VIS"),
        ("other band", r"holds no VIS image but PRIMARY \(FILTER NIR_Y\): name one extension"),
        ("unnamed", r"holds no VIS image but SCI \(FILTER not given\): .*FILTER = 'VIS'"),
        ("two", r"holds more than one VIS image but A \(FILTER VIS\), B \(FILTER VIS\)"),
        ("cube", r"bad\.fits \[VIS\] has 3 axes, not 2 \(y, x\): cut out one plane"),
        ("no zero point", r"bad\.fits \[VIS_FLUX\] says neither MAGZERO nor .*--zero-point"),
        ("zero zero point", r"\[VIS_FLUX\] cannot have the zero point 0\.0: allowed .* 10 to 40"),
        ("masked", r"\[VIS_FLUX\] has data in 0 of 3000 pixels, too few to search"),
        ("rms of another shape", r"\[VIS_FLUX\] has \(60, 50\) .*VIS_RMS has \(59, 50\)"),
        ("scale", r"has pixels of 0\.300 x 0\.300 arcsec: allowed is 0\.1 arcsec to 5 %"),
        ("too bright", r"\[VIS_FLUX\] has pixels too bright .*check MAGZERO"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, kind: str, message: str) -> None:
    with pytest.raises(LensyError, match=message):
        read_cutout(bad_file(tmp_path, kind))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match=r"is a folder without \.fits or \.fits\.gz files"):
        read_cutout(tmp_path)


def test_unknown_band(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match=r"no band 'Z'; the bands are VIS, Y, J, H"):
        read_cutout(tmp_path / "a.fits", "Z")


@needs_real_files
@pytest.mark.parametrize("name", euclid_q1.real_sky())
def test_real_files_are_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """README of the real files: median pixel sigma over fields 1.4 nJy; 20 % either side."""
    monkeypatch.setenv("LENSY_REAL_SKY", str(REAL))
    cutout = read_cutout(euclid_q1.fetch(name))
    assert_allclose(cutout.noise.sigma, 1.4, rtol=0.2)
    assert 0.1 < cutout.noise.correlation < 0.3
    assert cutout.mask.mean() < 0.01
    assert np.isfinite(cutout.sky(50, 50)).all()


def test_a_damaged_public_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENSY_REAL_SKY", str(tmp_path))
    (tmp_path / "group.fits").write_text("something else")
    with pytest.raises(LensyError, match=r"group\.fits is not the file it should be .*SHA-256"):
        euclid_q1.fetch("group")


def test_no_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any, **__: Any) -> str:
        raise ConnectionError("Network is unreachable")

    monkeypatch.setattr("pooch.retrieve", no_network)
    monkeypatch.delenv("LENSY_REAL_SKY", raising=False)
    with pytest.raises(LensyError, match=r"unreachable\): check the network, or put the file from"):
        euclid_q1.fetch("group", tmp_path)


def test_unknown_public_file() -> None:
    with pytest.raises(LensyError, match=r"no public file 'ring'; there are 1020.*group"):
        euclid_q1.fetch("ring")
