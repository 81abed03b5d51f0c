"""The command that makes data sets, and its recipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from builders import tiny_recipe
from matplotlib.image import imread
from typer.testing import CliRunner, Result

from data_sim import RECIPES, recipe
from data_sim.__main__ import estimate, main
from lensy.errors import LensyError
from lensy.simulate import SPLITS
from lensy.store import DataSet, make_data_set


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
    talk = [each.model_copy(update=sizes) for name, each in RECIPES.items() if "talk-" in name]
    assert len({each.fingerprint for each in talk}) == 1


def test_the_talks_sizes() -> None:
    """45 000 / 3 000 / 12 000: Wilde et al. 2022, section 2."""
    sizes = {split: RECIPES["talk-talk"].size(split) for split in SPLITS}
    assert sizes == {"train": 45_000, "validation": 3_000, "test": 12_000}
