"""The search by reconstruction on made-up frames, with a network whose output is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from fits_files import COUNT, coordinates, noise_image, write_fits
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor, nn

from lensy.errors import LensyError
from lensy.finding.cutouts import Cutout, read_cutout
from lensy.finding.finder import Finder
from lensy.finding.search import Window, searchable, stitched_output
from lensy.finding.unet_search import mean_of_brightest
from lensy.training.scorer import Scorer

SIGMA = 2.0
VIS = Window.of("VIS")
SOURCE = 100.0 / COUNT
"""Counts of a pixel of 100 nJy."""


class Mirror(nn.Module):
    """A stand-in that takes all light for lensed: arcsinh(flux / sigma), blurred where asked."""

    def __init__(
        self, *, blur: bool = False, edges: bool = False, marks_artefacts: bool = False
    ) -> None:
        super().__init__()
        self.marks_artefacts = marks_artefacts
        self.register_buffer("sigma", torch.tensor(SIGMA))
        self.blur, self.edges = blur, edges

    def forward(self, flux: Tensor) -> Tensor:
        output = torch.asinh(flux / cast(Tensor, self.sigma))
        if self.blur:
            output = nn.functional.avg_pool2d(output, 5, stride=1, padding=2)
        if self.edges:
            output[..., 0, :] = output[..., -1, :] = 99.0
        return output

    def outputs(self, flux: Tensor) -> tuple[Tensor, Tensor | None]:
        """Every pixel of more than 50 nJy is an artefact."""
        return self(flux), (flux > 50).float() if self.marks_artefacts else None


def brightness(flux: Tensor) -> Tensor:
    """A stand-in for a classifier: scores an image by its ten brightest pixels."""
    bright = torch.topk(flux.flatten(1), 10, dim=1).values
    return torch.asinh(bright / SIGMA).mean(dim=1)


def finder(
    *,
    unet: Mirror | None = None,
    band: str = "VIS",
    least_light: float = 3.0,
    threshold: float = 3.0,
) -> Finder:
    """Ten pixels make light and score; 3 is the threshold: noise stays below, SOURCE gives 4.6."""
    meaning = {
        "threshold_at_false_positive_rate": {"0.1": threshold},
        "calibration": {"slope": 2.0, "intercept": -6.0},
        "painting": {
            "n_brightest": 10,
            "threshold_at_false_positive_rate": {"0.1": least_light},
        },
    }
    origin = {"run": "stub"}
    return Finder(
        Scorer(
            (band,), brightness, unet=cast(Any, unet or Mirror()), meaning=meaning, origin=origin
        )
    )


def frame(shape: tuple[int, int], sources: list[tuple[int, int]] = ()) -> np.ndarray:  # type: ignore[assignment]
    """Noise and squares of 5x5 pixels around the given (x, y), in counts."""
    image = noise_image(shape)
    for x, y in sources:
        image[y - 2 : y + 3, x - 2 : x + 3] += SOURCE
    return image


def cutout(folder: Path, image: np.ndarray, **header: Any) -> Cutout:
    return read_cutout(write_fits(folder / "a.fits", {"VIS_FLUX": image}, **header))


@pytest.mark.parametrize("shape", [(200, 200), (100, 100), (60, 180)])
def test_one_row_for_a_small_frame(tmp_path: Path, shape: tuple[int, int]) -> None:
    """The brighter of two sources, where it is in the file; noise moves the mean by 1/20 pixel."""
    image = frame(shape, [(20, 30), (160, 25)] if shape[1] > 100 else [(20, 30)])
    image[28:33, 18:23] += SOURCE
    (found,) = finder().find(cutout(tmp_path, image)).candidates
    assert_allclose((found.x, found.y), (20, 30), atol=1.5)
    assert_allclose(found.score, np.arcsinh(200 / SIGMA), rtol=0.02)
    expected = ["padded"] if min(shape) < 200 else []
    assert found.flags == ",".join([*expected, "edge"])


def test_score_is_that_of_validation(tmp_path: Path) -> None:
    """On a whole frame the mean of the brightest output pixels, as in `metrics`."""
    image = cutout(tmp_path, frame((200, 200), [(90, 110)]))
    output = np.sort(np.arcsinh(image.flux / SIGMA), axis=None)
    (found,) = finder().find(image).candidates
    assert_allclose(found.score, output[-10:].mean(), rtol=1e-6)
    assert_allclose(found.light, output[-10:].mean(), rtol=1e-6)
    assert_allclose(found.probability, 1 / (1 + np.exp(6 - 2 * found.score)), rtol=1e-6)


def test_an_empty_frame_gives_a_row_below_threshold(tmp_path: Path) -> None:
    for shape in ((200, 200), (300, 260)):
        image = read_cutout(write_fits(tmp_path / f"{shape}.fits", {"VIS": frame(shape)}))
        (found,) = finder().find(image).candidates
        assert found.score < 3.0
        assert "below threshold" in found.flags


def test_two_sources_in_a_large_frame(tmp_path: Path) -> None:
    """430 x 350 pixels, best first; the sky position is that of the pixel."""
    image = frame((350, 430), [(102, 101), (400, 250)])
    image[248:253, 398:403] += SOURCE
    whole = cutout(tmp_path, image, **coordinates())
    first, second = finder().find(whole).candidates
    assert_allclose((first.x, first.y, second.x, second.y), (400, 250, 102, 101), atol=1.5)
    assert first.score > second.score > 3.0
    assert_allclose((first.ra, first.dec), whole.sky(first.x, first.y), rtol=1e-12)
    assert_allclose(first.dec, -50 + (first.y - 10) / 36000, atol=1e-6)


def test_every_place_above_threshold_is_found(tmp_path: Path) -> None:
    """A single hot pixel smooths to more than a source but its score is low: no reason to stop."""
    image = frame((300, 300), [(60, 60), (220, 200)])
    image[150, 150] += 1e4 * SOURCE
    found = finder(least_light=4.0, threshold=4.0).find(cutout(tmp_path, image)).candidates
    assert len(found) == 2


@pytest.mark.parametrize("shape", [(300, 260), (120, 100)])
def test_a_network_that_marks_artefacts_marks_those_of_the_frame(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    image = cutout(tmp_path, frame(shape, [(60, 70)]))
    marking = finder(unet=Mirror(marks_artefacts=True))
    found = marking.find(image)
    assert found.marked is not None
    assert_array_equal(found.marked, image.flux > 50)
    assert all("artefact" in each.masks for each in found.entries())
    assert finder().find(image).marked is None
    assert all("artefact" not in each.masks for each in finder().find(image).entries())


def test_stitched_output_is_that_of_one_window() -> None:
    """For a network without a border (5x5 pixels see each other) tiling must not show at all."""
    flux = np.random.default_rng(1).normal(0, 5, (350, 430)).astype(np.float32)
    model = Mirror(blur=True)
    once = model(torch.from_numpy(flux)[None, None])[0, 0].numpy()
    assert_allclose(stitched_output(model, flux, VIS)[0], once, atol=1e-6)


def test_borders_of_windows_are_left_out() -> None:
    """A network that paints the first and last row of each window: only the frame's own stay."""
    output = stitched_output(Mirror(edges=True), np.zeros((350, 200), np.float32), VIS)
    assert_array_equal(np.flatnonzero(output[0, :, 50] > 50), [0, 349])


@pytest.mark.parametrize(
    ("n", "expected"), [(200, [0]), (201, [0, 1]), (300, [0, 100]), (350, [0, 100, 150])]
)
def test_windows_cover_the_frame(n: int, expected: list[int]) -> None:
    assert VIS.starts(n) == expected


@pytest.mark.parametrize(("place", "start"), [(0, 0), (99, 0), (150, 50), (349, 150)])
def test_a_window_around_a_place_lies_in_the_frame(place: int, start: int) -> None:
    assert VIS.around(place, 350) == slice(start, start + 200)


def test_windows_of_both_instruments_see_the_same_sky() -> None:
    """20 arcsec and circles of 5, in pixels of 0.1 and 0.3 arcsec."""
    assert (VIS.side, VIS.radius) == (200, 50)
    assert (Window.of("H").side, Window.of("H").radius) == (66, 17)


def test_where_a_candidate_may_stand() -> None:
    """Three pixels from the border, from (y, x) = (10, 12) in every direction, and no farther."""
    mask = np.zeros((21, 25), bool)
    mask[10, 12] = True
    expected = np.zeros_like(mask)
    expected[3:-3, 3:-3] = True
    expected[7:14, 9:16] = False
    assert_array_equal(searchable(mask), expected)


@pytest.mark.parametrize("hole", ["nan", "zero", "rms"])
def test_the_edge_of_a_hole_is_no_candidate(tmp_path: Path, hole: str) -> None:
    """A bright rim of 2 pixels around a hole and along the frame's border outshines the source."""
    image = frame((200, 200), [(150, 60)])
    image[78:122, 78:122] += 50 * SOURCE
    image[:2] += 50 * SOURCE
    image[:, -3:] += 50 * SOURCE
    rms = np.full_like(image, 0.004)
    part = np.s_[80:120, 80:120]
    if hole == "rms":
        rms[part] = 1e16
    else:
        image[part] = np.nan if hole == "nan" else 0.0
    path = write_fits(tmp_path / "a.fits", {"VIS_FLUX": image, "VIS_RMS": rms})
    (found,) = finder().find(read_cutout(path)).candidates
    assert_allclose((found.x, found.y), (150, 60), atol=1.5)
    assert found.flags == "masked pixels"


def test_padding_is_no_candidate(tmp_path: Path) -> None:
    """The rim of a small frame is bright, and so is the padding beside it at first."""
    image = frame((80, 80), [(40, 30)])
    image[:, :3] += 50 * SOURCE
    (found,) = finder().find(cutout(tmp_path, image)).candidates
    assert_allclose((found.x, found.y), (40, 30), atol=1.5)


def test_values_that_lack_count_as_no_light() -> None:
    assert mean_of_brightest(np.array([4.0, 2.0]), 4) == 1.5
    assert mean_of_brightest(np.array([4.0, 2.0, 1.0]), 2) == 3.0


def test_a_frame_that_is_all_border(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match=r"a\.fits has no pixel farther than 3 pixels from its"):
        finder().find(cutout(tmp_path, frame((6, 80))))


def test_another_band_than_the_network(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match="The network sees band Y, not VIS"):
        finder(band="Y").find(cutout(tmp_path, frame((80, 80))))


def test_rows_are_sorted_and_have_units(tmp_path: Path) -> None:
    """Columns are those of `lensy find`, in its order."""
    image = frame((350, 430), [(102, 101), (400, 250)])
    image[248:253, 398:403] += SOURCE
    table = finder().find(cutout(tmp_path, image)).table
    assert_allclose(table["x"], [400, 102], atol=1.5)
    assert table["ra"].unit == "deg"
    assert table["x"].unit == "pix"
    assert table.meta["finder"]["run"] == "stub"
    assert list(table.meta) == ["score", "probability", "light", "finder", "made"]
    names = "file band x y ra dec score probability light flags"
    assert table.colnames == names.split()


def test_nisp_is_searched_on_its_own_pixels(tmp_path: Path) -> None:
    """Mosaics have 0.1 arcsec in all bands: 3 x 3 are summed, and positions are the file's."""
    image = noise_image((240, 240))
    image[99:114, 150:165] += SOURCE / 9
    path = write_fits(tmp_path / "a.fits", {"NIR_H_BGSUB": image}, **coordinates())
    whole = read_cutout(path, "H")
    assert whole.flux.shape == (80, 80)
    assert_allclose(whole.flux[33:38, 50:55], 100, atol=6 * 3 * SIGMA)
    (found,) = finder(band="H").find(whole).candidates
    assert_allclose((found.x, found.y), (157, 106), atol=1.5)
    assert_allclose(whole.place(found.x, found.y), (52, 35), atol=0.5)
    assert found.band == "H"
