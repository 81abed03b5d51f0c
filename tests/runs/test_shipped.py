"""The runs that come with the package: whole, loadable, and what they say of themselves."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import data_sim
from lensy.datasets.instances import LENS
from lensy.errors import LensyError
from lensy.finding.cutouts import read_cutout
from lensy.finding.euclid_q1 import real_sky, recorded_real_sky
from lensy.finding.finder import Finder
from lensy.metrics.ranking import auroc
from lensy.models.mask_rcnn import image_score
from lensy.models.unet import MARKED
from lensy.runs.library import find_run, finished_runs, shipped_run
from lensy.runs.run import SHIPPED, Run
from lensy.simulation.example import simulate
from lensy.talk.claims import NEEDED, claims
from lensy.talk.published import published_number
from lensy.telescope.instrument import Instrument, expose_from_seed
from lensy.training.detection_scores import CALLED
from lensy.training.kinds import experiment, experiment_of
from lensy.training.mask_rcnn import TALK, VARIANTS
from lensy.training.predecessor import find_predecessor

RECIPE = data_sim.recipe("talk-laptop")
FOLDERS = sorted(path.parent for path in SHIPPED.glob("*/*/run.json"))
"""Of all runs."""
SCORED = [folder for folder in FOLDERS if "test" in Run(folder).info]
"""Of those that score a test set: others are answers to questions."""


@pytest.mark.parametrize("folder", SCORED, ids=lambda path: path.name)
def test_stated_result_is_that_of_the_stored_scores(folder: Path) -> None:
    run = shipped_run(folder.name)
    scores, test = run.scores(), run.info["test"]
    assert len(scores["label"]) == test["n"] >= 2000
    if "auroc" in test:
        assert_allclose(auroc(scores["label"], scores["score"]), test["auroc"]["value"])
    else:
        assert test["n_lenses"] == scores["label"].sum() == 0


def test_the_run_is_that_of_the_experiment_as_it_is_defined_now(tmp_path: Path) -> None:
    for name in ("naberrie-vis", "naberrie-y", "naberrie-j", "naberrie-h"):
        run = find_run(experiment(name, "laptop", RECIPE), runs=tmp_path)
        assert run is not None
        assert run.is_shipped
    assert find_predecessor(RECIPE) is not None


@pytest.mark.parametrize("seed", [1, 2])
def test_the_talks_mask_rcnns_are_shipped_with_two_seeds(seed: int, tmp_path: Path) -> None:
    for name in TALK:
        run = find_run(experiment(name, "laptop", RECIPE, seed=seed), runs=tmp_path)
        assert run is not None
        assert run.is_shipped
        # the talk's target for three of its four
        assert run.info["test"]["auroc"]["low"] > 0.80
        assert run.info["experiment"]["training"]["n_train"] >= 2000


def test_what_the_chapter_on_mask_rcnn_sums_up_is_so() -> None:
    """Above the talk's first three, below its fourth, and what its gain from random weights is."""
    for name in TALK:
        found = shipped_run(name).info["test"]["auroc"]
        assert found["low"] > published_number("auroc.mrc-995").value
        assert found["high"] < published_number("auroc.mrc-3").value
    rows = {row.id: row.verdict for row in claims(finished_runs(NEEDED, "laptop"))}
    assert rows["words.non-lenses-help"] == "does not hold"
    assert rows["words.non-lenses-help-at-first"] == "holds"
    assert rows["words.non-lenses-why"] == "does not hold"


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - TALK.keys()))
def test_what_stands_beside_them_is_shipped(name: str, tmp_path: Path) -> None:
    run = find_run(experiment(name, "laptop", RECIPE), runs=tmp_path)
    assert run is not None
    assert run.is_shipped


@pytest.mark.parametrize("name", ["mrc-3", "mrc-4"])
def test_masks_give_the_stored_scores(name: str) -> None:
    run = shipped_run(name)
    images = [simulate(RECIPE, "test", index).observed("VIS") for index in range(3)]
    found = experiment_of(run).load(run).detect(torch.from_numpy(np.stack(images))[:, None])
    # single precision, summed in another order on another machine
    assert_allclose(image_score(found, LENS), run.scores()["score"][:3], rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("name", ["vis", "y", "j", "h"])
def test_the_talk_is_beaten_on_our_images(name: str) -> None:
    found = shipped_run(f"naberrie-{name}").info["test"]["auroc"]
    assert found["low"] > published_number(f"auroc.naberrie.{name}").value + 0.1


def test_vis_is_above_every_nisp_band() -> None:
    found = {name: shipped_run(f"naberrie-{name}").info["test"]["auroc"] for name in "yjh"}
    assert shipped_run("naberrie-vis").info["test"]["auroc"]["low"] > 0.95
    assert all(0.80 < each["low"] < each["high"] < 0.95 for each in found.values())


@pytest.mark.parametrize("name", ["naberrie-vis", "naberrie-vis-marking"])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_weights_give_the_stored_scores(name: str, index: int) -> None:
    run = shipped_run(name)
    example = simulate(RECIPE, "test", index)
    classifier = experiment_of(run).load(run)
    score = float(classifier.score(torch.from_numpy(example.observed("VIS"))[None, None])[0])
    # single precision, summed in another order on another machine
    assert_allclose(score, run.scores()["score"][index], rtol=2e-3, atol=5e-3)


def test_the_artefact_mask_covers_the_chip_gaps_of_single_exposures() -> None:
    """On validation scenes. Of the marked pixels half and more are in a gap, and the reverse."""
    run = shipped_run("naberrie-vis-marking")
    wanted = experiment("naberrie-vis-marking", "laptop", RECIPE)
    assert run.info["fingerprint"] == wanted.fingerprint
    model = experiment_of(run).trunk(run)
    instrument = Instrument.only("chip gap", "single exposure")
    both = marked = spoilt = 0
    for index in range(3):
        example = simulate(RECIPE, "validation", index)
        light, seed = example.layers["VIS"].image, example.noise_seed
        seen = expose_from_seed(light, "VIS", seed, instrument)
        mask = model.mark(torch.from_numpy(seen.image)[None, None])[0, 0].numpy() > MARKED
        gap = seen.masks["chip gap"]
        both, marked, spoilt = both + (mask & gap).sum(), marked + mask.sum(), spoilt + gap.sum()
    assert min(both / marked, both / spoilt) > 0.5


def test_columns_are_those_of_the_examples() -> None:
    stored = shipped_run("naberrie-vis").scores()
    rows = [simulate(RECIPE, "test", index).row for index in range(4)]
    assert list(stored["label"][:4]) == [row["is_lens"] for row in rows]
    expected = [row["arc_signal_to_noise_VIS"] for row in rows]
    assert_allclose(stored["arc_signal_to_noise"][:4], expected, rtol=1e-5)


@pytest.mark.parametrize("name", real_sky())
def test_known_lenses_score_as_recorded(name: str) -> None:
    path = Path(__file__).resolve().parents[3] / "shared" / "real" / f"{name}.fits"
    if not path.exists():
        pytest.skip(f"{path} is not there: the public files do not come with the project")
    finding = Finder.of(shipped_run("naberrie-vis")).find(read_cutout(path))
    recorded = recorded_real_sky()
    assert recorded is not None
    rows = recorded[recorded["file"] == path.name]
    found = sorted(candidate.score for candidate in finding.candidates)
    # single precision, summed in another order on another machine
    assert_allclose(found, sorted(rows["score"]), rtol=2e-3, atol=1e-2)


def test_mrc_3_finds_a_known_lens() -> None:
    known = real_sky()["EUCLJ174517.55+655612.5"]
    path = Path(__file__).resolve().parents[3] / "shared" / "real" / known.file_name
    if not path.exists():
        pytest.skip(f"{path} is not there: the public files do not come with the project")
    finding = Finder.of(shipped_run("mrc-3")).find(read_cutout(path))
    best = next(each for each in finding.candidates if each.kind == "lensed light")
    assert best.score > CALLED
    assert known.is_at(best.x, best.y)


@pytest.mark.parametrize("name", ["mrc-95", "naberrie-vis-seed-2", "naberrie-h-for-euclid"])
def test_a_network_that_nobody_loads_says_how_to_make_it(name: str) -> None:
    run = shipped_run(name)
    with pytest.raises(LensyError, match="keeps scores and no weights") as caught:
        experiment_of(run).load(run)
    command = {
        "mrc-95": "`lensy train mrc-95 --data DATA --scale laptop`",
        "naberrie-vis-seed-2": "`lensy train naberrie-vis --data DATA --scale laptop --seed 2`",
        "naberrie-h-for-euclid": f"--encoder {SHIPPED / 'laptop' / 'naberrie-h'}`",
    }
    assert command[name] in str(caught.value)


def test_a_run_that_keeps_scores_only_is_none_to_begin_with(tmp_path: Path) -> None:
    start = experiment("mrc-3", "laptop", RECIPE, seed=2).start
    assert start is not None
    assert find_run(start, runs=tmp_path) is not None
    assert find_run(start, runs=tmp_path, with_weights=True) is None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_column_has_as_many_rows_as_there_are_scores(folder: Path) -> None:
    columns = Run(folder).scores()
    assert len({len(values) for values in columns.values()}) == 1
    if "examples" in Run(folder).info:
        assert columns.keys() >= {"arc_signal_to_noise", "einstein_radius", "kind"}


MOST = 45e6
"""Bytes of all files of the project, and of the package."""


def test_what_is_shipped_is_light() -> None:
    sizes = np.array([path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()])
    assert sizes.max() < 10e6
    assert sizes.sum() < MOST


def test_all_tracked_files_together_are_light() -> None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        pytest.skip(f"{root} is no checkout")
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True)
    paths = [root / name for name in listed.stdout.decode().split("\0") if name]
    assert sum(path.stat().st_size for path in paths if path.is_file()) < MOST


def test_the_package_is_light() -> None:
    """What a wheel holds before it is compressed: modules, and the data that pyproject names."""
    root = Path(__file__).resolve().parents[2]
    about = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    paths = {path for name in ("lensy", "data_sim") for path in (root / name).rglob("*.py")}
    for package, patterns in about["package-data"].items():
        paths |= {path for each in patterns for path in (root / package).glob(each)}
    assert SHIPPED / "laptop" / "examples-talk-laptop.npz" in paths
    assert sum(path.stat().st_size for path in paths if path.is_file()) < MOST
