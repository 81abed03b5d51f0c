"""Any network finds: the finder that fits it, and one result for all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fits_files import COUNT, coordinates, noise_image, write_fits
from numpy.testing import assert_allclose
from torch import Tensor, nn

from lensy.errors import LensyError
from lensy.finding import Cutout, Finder, Finding, Findings, find, fits_files, read_cutout
from lensy.finding.mask_search import MaskSearch
from lensy.finding.unet_search import UnetSearch
from lensy.finding.window_search import WindowSearch
from lensy.runs.library import shipped_run
from lensy.runs.run import SHIPPED, Run
from lensy.training.scorer import Scorer

COLUMNS = {
    "naberrie-vis": "file band x y ra dec score probability light flags",
    "mrc-3": "file band x y ra dec score x_min y_min width height area flags",
    "foreign": "file band x y ra dec score probability flags",
}


class Foreign(nn.Module):
    """Ten lines that are none of ours: two logits from the brightest patch of 8 x 8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(8)
        self.layer = nn.Linear(1, 2, bias=False)
        nn.init.constant_(self.layer.weight, 0.1)
        with torch.no_grad():
            self.layer.weight[0] = -0.1

    def forward(self, flux: Tensor) -> Tensor:
        return self.layer(self.pool(flux).amax(dim=(1, 2, 3))[:, None])


def brightest(flux: Tensor) -> Tensor:
    return flux.amax(dim=(1, 2, 3))


def file_with_a_patch(path: Path, at: tuple[int, int], shape: tuple[int, int] = (300, 430)) -> Path:
    """Noise, and 16 x 16 pixels of 400 nJy with their first at (x, y)."""
    image = noise_image(shape)
    image[at[1] : at[1] + 16, at[0] : at[0] + 16] += 400 / COUNT
    return write_fits(path, {"VIS": image}, **coordinates())


@pytest.mark.parametrize("network", [Foreign(), brightest, Scorer(("VIS",), Foreign())])
def test_a_network_that_is_none_of_ours_finds(tmp_path: Path, network: Any) -> None:
    """Windows begin every 100 pixels and end flush with the frame; only the last has the patch."""
    path = file_with_a_patch(tmp_path / "a.fits", (405, 270))
    found = find(path, network)
    assert isinstance(found, Finding)
    (row,) = found.candidates
    assert (row.x, row.y) == (230 + 99.5, 100 + 99.5)
    assert_allclose((row.ra, row.dec), read_cutout(path).sky(row.x, row.y), rtol=1e-12)
    assert row.flags == "no threshold"
    assert np.isnan(found.table["probability"][0])
    assert found.table.colnames == COLUMNS["foreign"].split()


def test_the_score_of_a_window_is_the_networks(tmp_path: Path) -> None:
    cutout = read_cutout(file_with_a_patch(tmp_path / "a.fits", (30, 40)))
    (row,) = find(cutout, brightest).candidates
    assert row.score == cutout.flux.max()
    there = cutout.flux[: round(row.y + 100.5), : round(row.x + 100.5)]
    assert there.max() == cutout.flux.max()


def test_what_validation_says_of_a_network_is_used(tmp_path: Path) -> None:
    meaning = {
        "threshold_at_false_positive_rate": {"0.1": 1000.0},
        "calibration": {"slope": 0.0, "intercept": 0.0},
    }
    network = Scorer(("VIS",), brightest, name="peak", meaning=meaning)
    found = find(file_with_a_patch(tmp_path / "a.fits", (30, 40), (90, 100)), network)
    (row,) = found.candidates
    assert row.flags == "padded,below threshold"
    assert (row.x, row.y) == (49.5, 44.5)
    assert row.probability == 0.5
    assert found.table.meta["finder"] == {"network": "peak", "score": meaning}


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(LensyError, match=r"gives a score of image that is no finite number"):
        find(noise_image((200, 200)), lambda flux: brightest(flux) * torch.nan)


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frame of 30 arcsec with a bright patch."""
    return file_with_a_patch(tmp_path_factory.mktemp("sky") / "a.fits", (150, 140), (300, 300))


@pytest.mark.parametrize(
    ("name", "search"),
    [("naberrie-vis", UnetSearch), ("mrc-3", MaskSearch), ("foreign", WindowSearch)],
)
def test_every_kind_gives_a_table_a_figure_and_a_page(
    tmp_path: Path, sky: Path, name: str, search: type
) -> None:
    finder = Finder.of(Foreign() if name == "foreign" else name)
    assert finder.search is search
    found = finder.find(read_cutout(sky))
    assert found.table.colnames == COLUMNS[name].split()
    assert found.table["x"].unit == "pix"
    assert list(found.table["score"]) == sorted(found.table["score"], reverse=True)
    figure = found.figure(title="Tonight")
    assert figure.get_suptitle() == "Tonight"
    assert len(figure.axes) == (3 if search is UnetSearch else 2)
    found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8").count("a.fits") >= len(found.table)


def test_the_figure_of_a_score_shows_its_window(sky: Path) -> None:
    figure = find(sky, brightest).figure()
    assert figure.get_suptitle() == "a.fits"
    assert [axes.get_title() for axes in figure.axes] == ["image", "best window"]
    (box,) = figure.axes[1].patches
    assert (box.get_width(), box.get_height()) == (200, 200)


def test_several_files_make_one_table(tmp_path: Path) -> None:
    """A folder, and a list that names a file of it again; the best file is drawn."""
    for name, shape in (("a", (210, 200)), ("b", (200, 200))):
        file_with_a_patch(tmp_path / f"{name}.fits", (150, 140), shape)
    write_fits(tmp_path / "c.fits", {"VIS": noise_image((200, 200))})
    found = find(tmp_path, brightest)
    assert isinstance(found, Findings)
    assert len(found.table) == len(found.entries) == 3
    assert Path(found.table["file"][-1]).name == "c.fits"
    assert found.figure().get_suptitle() == Path(found.table["file"][0]).name
    same = find([tmp_path / "c.fits", str(tmp_path)], brightest)
    assert list(same.table["score"]) == list(found.table["score"])
    found.to_html(tmp_path / "page.html")
    found.write(tmp_path / "table.ecsv")
    assert not (tmp_path / "table.json").exists()


def test_files_come_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.fits", "a.fits.gz", "notes.txt"):
        (tmp_path / name).touch()
    names = [path.name for path in fits_files([tmp_path, tmp_path / "b.fits", "nowhere.fits"])]
    assert names == ["a.fits.gz", "b.fits", "nowhere.fits"]


def test_nothing_is_no_table() -> None:
    with pytest.raises(LensyError, match="Nothing was searched yet"):
        _ = Findings().table


def test_a_picture_in_memory_is_searched() -> None:
    """Pixels that are not finite are holes."""
    image = noise_image((200, 200)) * COUNT
    image[90:100, 90:100] = np.nan
    found = find(image, brightest)
    assert found.candidates[0].file == "image"
    assert found.candidates[0].flags == "masked pixels,no threshold"
    cutout = Cutout.of(image)
    assert cutout.mask.sum() == 100
    assert np.isfinite(cutout.flux).all()


def test_the_band_of_another_network(tmp_path: Path) -> None:
    """Nine mosaic pixels are one of NISP; the file has both bands."""
    image = noise_image((240, 240))
    path = write_fits(tmp_path / "a.fits", {"VIS": image, "NIR_H": 2 * image})
    (row,) = find(path, brightest, band="H").candidates
    assert row.band == "H"
    assert_allclose(row.score, read_cutout(path, "H").flux.max())
    assert 0 <= row.x < 240


def test_a_band_that_the_network_does_not_see(sky: Path) -> None:
    with pytest.raises(LensyError, match="naberrie-vis sees band VIS, not H: leave out the band"):
        find(sky, "naberrie-vis", band="H")


def test_pixels_of_another_band_are_refused() -> None:
    with pytest.raises(LensyError, match="sees VIS on the pixels of H, and images are searched"):
        Finder(Scorer(("VIS",), brightest, grid="H"))


def test_a_run_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"kind": "exam-survey", "experiment": {"name": "x"}}')
    with pytest.raises(LensyError, match="is of the kind 'exam-survey' and holds no network"):
        Finder.of(Run(tmp_path))


def test_a_run_without_weights(tmp_path: Path) -> None:
    info = (SHIPPED / "laptop" / "naberrie-vis" / "run.json").read_text("utf-8")
    (tmp_path / "run.json").write_text(info)
    with pytest.raises(LensyError, match=r"model\.safetensors"):
        Finder.of(Run(tmp_path))


def test_a_network_of_several_bands_is_not_for_single_images(tmp_path: Path) -> None:
    """Said before its weights are wanted."""
    info = json.loads((shipped_run("naberrie-vis").folder / "run.json").read_text("utf-8"))
    info["experiment"]["bands"] = ["VIS", "H"]
    (tmp_path / "run.json").write_text(json.dumps(info))
    with pytest.raises(LensyError, match="naberrie-vis needs the bands VIS, H at once"):
        Finder.of(Run(tmp_path))
    with pytest.raises(LensyError, match="brightest needs the bands VIS, H at once"):
        Finder.of(Scorer(("VIS", "H"), brightest))
