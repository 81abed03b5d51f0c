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


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page's code leaves, run as it stands beside a FITS file, on few images."""
    offer = SimpleNamespace(load=lambda: RECIPES)
    monkeypatch.setattr(named, "entry_points", lambda **_: [offer])
    monkeypatch.chdir(tmp_path)
    write_fits(Path("my.fits"), {"VIS": noise_image((210, 220))})
    names: dict[str, Any] = {}
    exec(compile(CODE, "book/api.md", "exec"), names)
    return names


def test_the_network_goes_through_exams_and_a_search(
    shown: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [each for each in shown.values() if isinstance(each, Run)]
    assert [each.kind for each in answers] == [
        "exam-ranking",
        "exam-artefacts",
        "exam-pointing-game",
    ]
    assert all(np.isfinite(each.scores()["score"]).all() for each in answers[:2])
    assert len(shown["found"].table) == 1
    assert "rings" in str(shown["found"].table.meta)
    assert "my.fits" in (tmp_path / "grade.html").read_text("utf-8")
    assert str(shown["ranked"].info["test"]["auroc"]["value"]) in capsys.readouterr().out


def test_the_network_is_ten_lines_long() -> None:
    (network,) = re.findall(r"^class .*?(?=^\w)", CODE, re.DOTALL | re.MULTILINE)
    assert len([line for line in network.splitlines() if line.strip()]) == 10


def test_every_public_name_is_on_the_page() -> None:
    face, _, _ = PAGE.partition("### A network that is none of ours")
    shown = set(re.findall(r"::? lensy\.(\w+)$|lensy\.(figures)\.", face, re.MULTILINE))
    assert {"".join(each) for each in shown} == set(lensy.__all__) - {"__version__"}
