"""What the package offers at its face: every line that it shows works as it is written."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy.io import fits
from builders import tiny_experiment, tiny_recipe
from matplotlib.figure import Figure
from torch import nn

import data_sim
import lensy
from lensy.datasets.named import recipe
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.telescope.bands import band
from lensy.training import teach

SHOWN = [line.strip() for line in (lensy.__doc__ or "").splitlines() if line.startswith("    ")]

OFFERED = [name for name in lensy.__all__ if name not in ("__version__", "figures")]


class Brightest(nn.Module):
    """Any network that is none of ours: the brightest pixel."""

    def forward(self, flux: torch.Tensor) -> torch.Tensor:
        return flux.amax(dim=(1, 2, 3))


def write_image(path: Path, image: np.ndarray) -> None:
    """A picture in nJy as a FITS file."""
    hdu = fits.ImageHDU(image, name="VIS")
    hdu.header["MAGZERO"] = band("VIS").magnitude(1.0)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)


def test_each_line_that_is_shown_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them in an empty folder, from the first scene to the score of a foreign network.

    As written, but that the recipe of that name asks for few examples.
    """
    few = tiny_recipe(name="talk-smoke", n_train=16, n_validation=8, n_test=8)
    monkeypatch.setitem(data_sim.RECIPES, few.name, few)
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "my.fits", lensy.observe(lensy.Scene.simple(), "VIS"))
    names: dict[str, Any] = {"lensy": lensy, "my_network": Brightest()}
    assert len(SHOWN) == 7
    for line in SHOWN:
        exec(line, names)
    assert names["image"].shape == (200, 200)
    assert names["data"].recipe == few
    run, score, found = names["run"], names["score"], names["found"]
    assert run.folder == Path("runs/smoke/naberrie-vis")
    assert 0 <= run.info["test"]["auroc"]["value"] <= 1
    assert len(score.scores()["score"]) == few.n_test
    assert found.table["score"].size >= 1
    assert isinstance(found.figure(), Figure)
    found.to_html("grade.html")
    assert Path("grade.html").read_text("utf-8").count("my.fits") >= 1
    ax = Figure().subplots()
    lensy.figures.roc(run, lensy.shipped_run("naberrie-vis"), ax=ax)
    assert len(ax.lines) >= 2


def test_every_name_is_there_and_nothing_else() -> None:
    assert set(lensy.__all__) <= set(dir(lensy))
    for name in lensy.__all__:
        assert getattr(lensy, name)
    with pytest.raises(AttributeError, match="module 'lensy' has no attribute 'lens'"):
        _ = lensy.lens  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", OFFERED)
def test_every_name_shows_how_it_is_used(name: str) -> None:
    """An example in its docstring, or in that of one of its methods; pytest runs them."""
    thing = getattr(lensy, name)
    methods = vars(thing).values() if inspect.isclass(thing) else []
    texts = [inspect.getdoc(each) or "" for each in (thing, *methods)]
    assert any(">>> " in text for text in texts)


def test_recipes_are_found_by_name() -> None:
    assert recipe("compound") == data_sim.recipe("compound")
    with pytest.raises(LensyError, match="There is no recipe 'x'; the recipes are talk-smoke, "):
        recipe("x")


def test_the_run_that_another_begins_with_is_trained_first_and_once(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = tiny_experiment(data.recipe)
    second = tiny_experiment(data.recipe, bands=("H",), crop=32)
    second = second.model_copy(update={"name": "second", "start": first})
    monkeypatch.setattr(teach, "experiment", lambda *_, **__: second)
    run = lensy.train("second", data, scale="smoke", folder="here", progress=False)
    assert (run.name, run.folder) == ("second", Path("here"))
    made = tmp_path / "runs" / "smoke" / "tiny" / "run.json"
    written = made.stat().st_mtime_ns
    again = lensy.train("second", data, scale="smoke", folder="there", progress=False)
    assert made.stat().st_mtime_ns == written
    assert np.array_equal(again.scores()["score"], run.scores()["score"])
