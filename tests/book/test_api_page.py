"""The network on the API page that is none of ours is ten lines, and does what the page shows."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builders import bright_population, tiny_recipe
from fits_files import noise_image, write_fits

import lensy
from lensy.datasets import named
from lensy.runs.run import Run

PAGE = (Path(__file__).resolve().parents[2] / "book" / "api.md").read_text("utf-8")

FACE, CODE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
"""What the page shows of the face, and of a network that is none of ours."""

POPULATION = bright_population(source_magnitude=(20.0, 21.0))
RECIPES = {
    name: tiny_recipe(name=name, n_test=6, population=POPULATION)
    for name in ("talk-smoke", "talk-others-smoke")
}


def test_the_network_goes_through_exams_and_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's code as it stands, on few images and beside a FITS file."""
    offer = SimpleNamespace(load=lambda: RECIPES)
    monkeypatch.setattr(named, "entry_points", lambda **_: [offer])
    monkeypatch.chdir(tmp_path)
    write_fits(Path("my.fits"), {"VIS": noise_image((210, 220))})
    left: dict[str, Any] = {}
    exec(compile(CODE, "book/api.md", "exec"), left)
    answers = [each for each in left.values() if isinstance(each, Run)]
    kinds = ["exam-ranking", "exam-artefacts", "exam-pointing-game"]
    assert [each.kind for each in answers] == kinds
    assert all(np.isfinite(each.scores()["score"]).all() for each in answers[:2])
    assert left["found"].table["file"].tolist() == ["my.fits"]
    assert "rings" in str(left["found"].table.meta)
    assert "my.fits" in Path("grade.html").read_text("utf-8")
    assert str(answers[0].info["test"]["auroc"]) in capsys.readouterr().out


def test_the_network_is_ten_lines_long() -> None:
    (network,) = re.findall(r"^class .*?(?=^\w)", CODE, re.DOTALL | re.MULTILINE)
    assert len([line for line in network.splitlines() if line.strip()]) == 10


def test_every_public_name_is_on_the_page() -> None:
    face, _, _ = PAGE.partition("### A network that is none of ours")
    shown = set(re.findall(r"::? lensy\.(\w+)$|lensy\.(figures)\.", face, re.MULTILINE))
    assert {"".join(each) for each in shown} == set(lensy.__all__) - {"__version__"}
