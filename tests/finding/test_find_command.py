"""`lensy find`: files in; a table, pictures, a page and masks out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from astropy.table import Table
from builders import untrained
from fits_files import coordinates, noise_image, write_fits
from pycocotools.coco import COCO
from typer.testing import CliRunner

from lensy.cli.main import app
from lensy.models.mask_rcnn import MaskRcnn
from lensy.runs.run import Run, write_run
from lensy.simulation.recipe import Recipe
from lensy.training.mask_rcnn import MaskExperiment
from lensy.training.unet import UnetExperiment


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Untrained networks of two channels."""
    settings = UnetExperiment.named("naberrie-vis", "smoke", Recipe(name="x"))
    narrow = settings.training.model_copy(update={"width": 2})
    rates = {"0.1": -100.0, "0.01": 1.0}
    info = {
        "score": {
            "threshold_at_false_positive_rate": rates,
            "calibration": {"slope": 1.0, "intercept": 0.0},
            "painting": {"n_brightest": 30, "threshold_at_false_positive_rate": rates},
        },
        "provenance": {"commit": "0123456789ab"},
    }
    classifier = untrained()
    return write_run(
        tmp_path_factory.mktemp("runs") / "untrained",
        settings.model_copy(update={"training": narrow}),
        info=info,
        scores={"score": np.zeros(1)},
        networks={"model": classifier.encoder.unet, "head": classifier.head},
    )


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An untrained Mask R-CNN."""
    torch.manual_seed(1)
    info = {
        "score": {"threshold_at_false_positive_rate": {"0.1": 0.4, "0.01": 0.9}},
        "provenance": {"commit": "0123456789ab"},
    }
    return write_run(
        tmp_path_factory.mktemp("runs") / "untrained",
        MaskExperiment.named("mrc-3", "smoke", Recipe(name="x")),
        info=info,
        scores={"score": np.zeros(1)},
        networks={"model": MaskRcnn(3, 2.0)},
    )


def find(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["find", *map(str, arguments)])


def test_find_writes_table_and_pictures(tmp_path: Path, run: Run) -> None:
    """Two files of the same name in two folders, one of them given twice."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_fits(tmp_path / name / "a.fits", {"VIS": noise_image((50, 60))}, **coordinates())
    out, pictures = tmp_path / "new" / "c.ecsv", tmp_path / "pictures"
    result = find(
        tmp_path / "one", tmp_path / "two", tmp_path / "one" / "a.fits",
        "--out", out, "--pictures", pictures, "--run", run.folder, "--quiet",
        "--html", tmp_path / "page" / "index.html",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert not result.output
    table = Table.read(out)
    assert table.colnames == [
        "file",
        "band",
        "x",
        "y",
        "ra",
        "dec",
        "score",
        "probability",
        "light",
        "flags",
    ]
    assert sorted(table["file"]) == [str(tmp_path / name / "a.fits") for name in ("one", "two")]
    assert all(flags.startswith("padded") for flags in table["flags"])
    assert table.meta["finder"]["commit_of_run"] == "0123456789ab"
    assert sorted(path.name for path in pictures.iterdir()) == ["a-2.png", "a.png"]
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in pictures.iterdir())
    assert [path.name for path in out.parent.iterdir()] == ["c.ecsv"]
    assert "lensed light" in (tmp_path / "page" / "index.html").read_text("utf-8")


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path, run: Run) -> None:
    write_fits(tmp_path / "good.fits", {"VIS": noise_image((50, 60))})
    (tmp_path / "bad.fits").write_text("nothing")
    result = find(tmp_path, "--out", tmp_path / "c.ecsv", "--run", run.folder)
    assert result.exit_code == 1
    assert "bad.fits is not a FITS file" in result.stderr
    assert "file/s" in result.stderr
    assert len(Table.read(tmp_path / "c.ecsv")) == 1


def test_zero_point_from_the_command_line(tmp_path: Path, run: Run) -> None:
    path = write_fits(tmp_path / "a.fits", {"VIS": noise_image((50, 60))}, MAGZERO=None)
    common = (path, "--out", tmp_path / "c.ecsv", "--run", run.folder)
    assert find(*common).exit_code == 2
    assert not (tmp_path / "c.ecsv").exists()
    assert find(*common, "--zero-point", 24.6).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.fits"], r"None of 1 files could be searched; c.ecsv is not written"),
        (["."], "is a folder without .fits"),
        (["b.fits"], "None of 1 files could be searched"),
        (["a.fits", "--run", "."], "holds no finished run"),
        (["a.fits", "--out", "."], "--out . is a folder: give the name of a file in it"),
        (["a.fits", "--pictures", "file"], "--pictures file is a file: give a folder"),
        (["a.fits", "--out", "file/c.ecsv"], "file cannot be made"),
        (["a.fits", "--html", "."], "--html . is a folder: give the name of a file in it"),
        (["a.fits", "--html", "c.ecsv"], "--html and --out are both c.ecsv: give two names"),
    ],
)
def test_arguments_that_cannot_be_used(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    if arguments[0] == "a.fits":
        write_fits(Path("a.fits"), {"VIS": noise_image((50, 60))})
    result = find("--out", "c.ecsv", "--run", run.folder, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("c.ecsv").exists()


def test_find_writes_table_masks_and_pictures(tmp_path: Path, masks: Run) -> None:
    image = np.random.default_rng(1).normal(0, 2, (210, 200)).astype(np.float32)
    write_fits(tmp_path / "a.fits", {"VIS": image}, **coordinates())
    out, pictures = tmp_path / "new" / "c.ecsv", tmp_path / "pictures"
    words = ("--out", out, "--pictures", pictures, "--run", masks.folder, "--quiet")
    result = find(tmp_path / "a.fits", *words)
    assert result.exit_code == 0, result.output
    table = Table.read(out)
    assert {"file", "x", "ra", "score", "x_min", "width", "area", "flags"} <= set(table.colnames)
    assert len(table) >= 1
    assert table.meta["finder"]["run"] == "mrc-3"
    assert len(COCO(out.with_suffix(".json")).imgs) == 1
    assert (pictures / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in out.parent.iterdir()) == ["c.ecsv", "c.json"]


def test_a_table_cannot_have_the_name_of_the_masks(tmp_path: Path, masks: Run) -> None:
    result = find(tmp_path, "--out", tmp_path / "c.json", "--run", masks.folder)
    assert result.exit_code == 2
    assert "masks go beside it as .json: choose another ending" in result.stderr.replace("\n", " ")
