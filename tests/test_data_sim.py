"""The command that makes data sets, and its recipes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from astropy.io import fits
from astropy.table import Table
from builders import bright_population, tiny_recipe
from matplotlib.image import imread
from numpy.testing import assert_allclose
from typer.testing import CliRunner, Result

from data_sim import RECIPES, recipe
from data_sim.__main__ import estimate, main
from data_sim.contact_sheet import title
from lensy.datasets.coco import export_coco
from lensy.datasets.store import DataSet, make_data_set
from lensy.errors import LensyError
from lensy.simulation.example import simulate
from lensy.simulation.recipe import SPLITS, read_recipe

README = (Path(__file__).resolve().parents[1] / "data_sim" / "README.md").read_text("utf-8")


def run(*words: str | Path) -> Result:
    """What the command does with these words."""
    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(result: Result) -> str:
    """The one line of a command that ended with exit code 2."""
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return str(line)


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "tiny.json"
    path.write_text(tiny_recipe(n_test=3, n_validation=0, n_train=0).model_dump_json(), "utf-8")
    return path


def test_the_list_has_every_recipe_with_its_sizes() -> None:
    result = run("--list")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(RECIPES)
    assert "talk-smoke: 120 test, 60 validation, 240 train" in result.stdout


def test_a_recipe_file_becomes_a_data_set(recipe_file: Path, tmp_path: Path) -> None:
    result = run(recipe_file, tmp_path / "out", "--jobs", "1", "--verify")
    assert result.exit_code == 0
    assert "3 examples" in result.stdout
    assert DataSet(tmp_path / "out").recipe.n_test == 3
    assert imread(tmp_path / "out" / "contact_sheet.png").shape[2] == 4


def test_the_report_names_signal_to_noise_in_two_bands(tmp_path: Path) -> None:
    path = tmp_path / "lenses.json"
    always = tiny_recipe(n_train=0, population=bright_population(lens_fraction=1.0))
    path.write_text(always.model_dump_json(), "utf-8")
    out = run(path, tmp_path / "out", "--jobs", "1").stdout
    lenses = DataSet(tmp_path / "out").catalogue()
    lenses = lenses[lenses["is_lens"]]
    vis, h = (np.median(lenses[f"arc_signal_to_noise_{name}"]) for name in ("VIS", "H"))
    assert f"at a median signal-to-noise of {vis:.0f} in VIS and {h:.0f} in H." in out


def test_the_report_of_a_set_without_lenses_names_none(recipe_file: Path, tmp_path: Path) -> None:
    assert "3 examples, 0.0 % lenses. Look at" in run(recipe_file, tmp_path / "out").stdout


def test_every_split_is_exported(tmp_path: Path) -> None:
    """The same files as those that the library writes."""
    path = tmp_path / "two.json"
    path.write_text(tiny_recipe(n_test=2, n_validation=1, n_train=0).model_dump_json(), "utf-8")
    result = run(path, tmp_path / "out", "--jobs", "1", "--coco", "99.5")
    assert result.exit_code == 0
    assert "1 images of validation" in result.stdout
    there = {each.relative_to(tmp_path / "out/coco").as_posix()
             for each in (tmp_path / "out/coco").rglob("*.*")}  # fmt: skip
    assert there == {
        "recipe.json",
        "test-99.5.json",
        "test/000000.png",
        "test/000001.png",
        "validation-99.5.json",
        "validation/000000.png",
    }
    data = DataSet(tmp_path / "out")
    again = export_coco(data, "test", tmp_path / "again", progress=False)
    assert again.read_bytes() == (tmp_path / "out/coco/test-99.5.json").read_bytes()


def test_an_export_has_the_images_asked_for(recipe_file: Path, tmp_path: Path) -> None:
    words = (recipe_file, tmp_path / "out", "--jobs", "1", "--quiet", "--coco", "95")
    assert run(*words, "--images", "fits", "--band", "H").output == ""
    content = json.loads((tmp_path / "out/coco/test-95.json").read_text("utf-8"))
    assert (content["info"]["band"], content["info"]["percentile"]) == ("H", 95.0)
    with fits.open(tmp_path / "out/coco/test/000000.fits") as hdus:
        assert_allclose(hdus[0].data, DataSet(tmp_path / "out").observed("test", 0, "H"))
    assert run(*words[:-2], "--coco", "99", "--images", "none").output == ""
    assert (tmp_path / "out/coco/test-99.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--coco", "98"), "--coco is one of the percentiles 95, 99, 99.5, not 98."),
        (("--coco", "99", "--images", "gif"), "--images is png, fits or none, not 'gif'."),
        (("--coco", "99", "--band", "g"), "--band is one of VIS, Y, J, H, not 'g'."),
        (("--band", "H"), "--images and --band belong to an export: give --coco 99.5 too."),
    ],
)
def test_a_wrong_export_is_refused_before_anything_is_made(
    words: tuple[str, ...], message: str, recipe_file: Path, tmp_path: Path
) -> None:
    assert refusal(run(recipe_file, tmp_path / "out", *words)) == f"Error: {message}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"kind": "merger", "has_source": False, "is_lens": False}, "test 3: merger"),
        ({"kind": "lens", "has_source": True, "is_lens": True}, "test 3: lens, S/N 41"),
        ({"kind": "lens", "has_source": True, "is_lens": False}, "test 3: lens (no label), S/N 41"),
    ],
)
def test_a_contact_sheet_says_what_each_candidate_is(row: dict[str, object], expected: str) -> None:
    number = {"split": "test", "index": 3, "arc_signal_to_noise_VIS": 41.3}
    assert title(Table(rows=[number | row])[0]) == expected


def test_quiet_is_quiet_and_a_second_time_changes_nothing(
    recipe_file: Path, tmp_path: Path
) -> None:
    words = (recipe_file, tmp_path / "out", "--jobs", "1", "--quiet")
    assert run(*words).output == ""
    before = (tmp_path / "out" / "test-0000.h5").stat().st_mtime_ns
    assert run(*words).exit_code == 0
    assert (tmp_path / "out" / "test-0000.h5").stat().st_mtime_ns == before


def test_an_unknown_recipe_is_refused(tmp_path: Path) -> None:
    line = refusal(run("talk-gigantic", tmp_path / "out"))
    assert line.startswith("Error: There is no recipe 'talk-gigantic'; the recipes are talk-smoke,")
    assert not (tmp_path / "out").exists()


def test_a_missing_word_is_asked_for() -> None:
    assert "Give a recipe and a folder: `python -m data_sim talk-smoke OUT`" in refusal(run())


def test_a_missing_recipe_file_is_named(tmp_path: Path) -> None:
    assert "There is no recipe file nowhere.json" in refusal(run("nowhere.json", tmp_path / "out"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"name": "x", "seeed": 1}',
            "there is no field 'seeed'; recipe.json of any data set shows them all",
        ),
        ('{"name": "x", "seed": -1}', "field 'seed' cannot be -1: Input should be greater than or"),
        ("seed = 1", "Invalid JSON"),
    ],
)
def test_a_bad_recipe_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, "utf-8")
    line = refusal(run(path, tmp_path / "out"))
    assert line.startswith(f"Error: {path}: ")
    assert message in line


def test_a_folder_with_other_data_is_refused(recipe_file: Path, tmp_path: Path) -> None:
    other = tiny_recipe(n_test=1, n_validation=0, n_train=0)
    make_data_set(other, tmp_path / "out", n_jobs=1, progress=False)
    line = refusal(run(recipe_file, tmp_path / "out", "--quiet"))
    assert "already holds the data set 'tiny'" in line


def test_damage_is_found(recipe_file: Path, tmp_path: Path) -> None:
    run(recipe_file, tmp_path / "out", "--jobs", "1", "--quiet")
    (tmp_path / "out" / "catalogue.ecsv").write_text("", "utf-8")
    line = refusal(run(recipe_file, tmp_path / "out", "--verify", "--quiet"))
    assert f"{tmp_path / 'out' / 'catalogue.ecsv'} is missing or damaged" in line


LIST_AND_SAY_WHETHER_TORCH_CAME_ALONG = """
import atexit, runpy, sys
atexit.register(lambda: print("torch:", "torch" in sys.modules))
sys.argv = ["data_sim", "--list"]
runpy.run_module("data_sim", run_name="__main__")
"""


def test_the_module_runs_and_imports_no_torch() -> None:
    """`python -m data_sim --list` in an interpreter of its own."""
    words = [sys.executable, "-c", LIST_AND_SAY_WHETHER_TORCH_CAME_ALONG]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    assert done.stdout.startswith("talk-smoke: ")
    assert done.stdout.endswith("torch: False\n")


def test_a_recipe_without_examples_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    empty = tiny_recipe(n_test=0, n_validation=0, n_train=0)
    with pytest.raises(LensyError, match="'tiny' has no examples: set n_train or n_test"):
        make_data_set(empty, tmp_path / "empty", n_jobs=1, progress=False)
    assert not (tmp_path / "empty").exists()


def test_the_estimate_names_number_and_cores() -> None:
    sentence = estimate(tiny_recipe(n_train=996), 3)
    assert sentence.startswith("tiny: 1000 examples, about ")
    assert "on 3 cores" in sentence


def test_recipes_have_their_names() -> None:
    assert {name: each.name for name, each in RECIPES.items()} == {name: name for name in RECIPES}
    assert recipe("talk-smoke") is RECIPES["talk-smoke"]
    with pytest.raises(LensyError, match=r"no recipe 'x'; the recipes are talk-smoke"):
        recipe("x")


def test_recipes_of_a_population_differ_in_size_alone() -> None:
    """So that the test set of a larger scale begins with that of a smaller one."""
    sizes = {"name": "any", "n_test": 0, "n_validation": 0, "n_train": 0}
    for kind in ("talk", "talk-others", "talk-survey", "talk-artefacts", "euclid"):
        named = [RECIPES[f"{kind}-{scale}"] for scale in ("smoke", "laptop", "talk")]
        same = {each.model_copy(update=sizes).fingerprint for each in named}
        assert len(same) == 1


def test_non_lenses_are_not_those_of_the_test_set() -> None:
    others = RECIPES["talk-others-smoke"]
    assert (
        simulate(others, "test", 0).scene.lens
        != simulate(RECIPES["talk-smoke"], "test", 0).scene.lens
    )
    assert not any(simulate(others, "test", index).label for index in range(6))


def test_a_survey_has_few_lenses_and_scenes_of_its_own() -> None:
    survey = RECIPES["talk-survey-smoke"]
    assert survey.population.lens_fraction == 1e-3
    assert survey.instrument == RECIPES["talk-artefacts-smoke"].instrument
    seeds = {each.seed for name, each in RECIPES.items() if name.endswith("-smoke")}
    assert len(seeds) == 3


def test_scenes_with_artefacts_are_those_of_the_test_set() -> None:
    clean, real = (simulate(recipe(f"talk{word}-smoke"), "test", 0) for word in ("", "-artefacts"))
    assert clean.scene == real.scene
    assert not np.array_equal(clean.observed("VIS"), real.observed("VIS"))


def test_the_talks_sizes() -> None:
    """45 000 / 3 000 / 12 000: Wilde et al. 2022, section 2."""
    sizes = {split: RECIPES["talk-talk"].size(split) for split in SPLITS}
    assert sizes == {"train": 45_000, "validation": 3_000, "test": 12_000}


def test_the_readme_has_a_row_for_every_recipe() -> None:
    rows = [line.strip("| ").split(" | ") for line in README.splitlines() if line[:3] == "| `"]
    sizes = {
        row[0].strip("`"): [int(n.replace(" ", "")) for n in row[3:6]]
        for row in rows[: len(RECIPES)]
    }
    splits = ("train", "validation", "test")
    assert sizes == {n: [each.size(split) for split in splits] for n, each in RECIPES.items()}
    assert {row[2] for row in rows[: len(RECIPES)]} == {
        ", ".join(each.bands) for each in RECIPES.values()
    }


def test_the_readmes_large_recipe_is_one() -> None:
    text = re.findall(r"```json\n(.*?)```", README, re.DOTALL)[0]
    large = read_recipe(text, where="README.md")
    assert sum(large.size(split) for split in SPLITS) == 100_000
    assert (large.seed, large.population) == (
        RECIPES["talk-talk"].seed,
        recipe("talk-talk").population,
    )
