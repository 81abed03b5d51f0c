"""`lensy exam` puts any network to an exam."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import tiny_recipe
from typer.testing import CliRunner, Result

import data_sim
from lensy.cli.main import app
from lensy.runs.run import Run


def lensy(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A small recipe of the name that exams ask for, a folder to work in."""
    small = tiny_recipe(name="talk-smoke", n_train=0, n_validation=0, n_test=8)
    monkeypatch.setitem(data_sim.RECIPES, small.name, small)
    monkeypatch.chdir(tmp_path)


def test_a_function_of_a_module_here_is_asked(tmp_path: Path) -> None:
    (tmp_path / "my_peaks.py").write_text("def peak(flux):\n    return flux.amax(dim=(1, 2, 3))\n")
    result = lensy("exam", "talk", "my_peaks:peak", "--quiet", "--out", "answers")
    assert result.exit_code == 0, result.output
    area = Run(Path("answers")).info["test"]["auroc"]["value"]
    assert result.stdout.startswith(f"answers: test AUROC {area:.4f} (95 % interval ")
    assert (tmp_path / "data" / "talk-smoke" / "recipe.json").exists()


def test_the_list_has_every_exam() -> None:
    result = lensy("exam", "--list")
    assert result.exit_code == 0
    assert {"artefacts", "rings", "survey", "ranking"} <= set(result.stdout.splitlines())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("talk", "my.module:x"), "There is no network 'my.module:x' (No module named 'my'): give"),
        (("talk", "math:no_such"), "There is no network 'math:no_such' (module 'math' has no "),
        (("talk", "no-such-run"), "No run of 'no-such-run' is shipped"),
        (("nonsense", "naberrie-vis"), "The exams are "),
        (("talk", "naberrie-vis", "--scale", "huge"), "There is no scale 'huge'"),
    ],
)
def test_what_is_not_there_is_said(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    result = lensy("exam", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not list(tmp_path.iterdir())
