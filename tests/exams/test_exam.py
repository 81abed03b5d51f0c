"""Networks that are none of ours go through every exam, and an exam is one file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_recipe
from numpy.testing import assert_allclose
from torch import Tensor, nn

from lensy.datasets import named
from lensy.datasets.store import DataSet, make_data_set
from lensy.errors import LensyError
from lensy.exams.artefacts import CONDITIONS
from lensy.exams.exam import EXAMS, Exam, exam, exam_names, load_exams
from lensy.exams.pointing_game import hit_rates
from lensy.exams.rings import share_below_ring
from lensy.exams.subject import fingerprint_of, folder_name
from lensy.exams.survey import counts, shortlist
from lensy.metrics.ranking import auroc
from lensy.runs.library import find_run, obtain
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.training.scorer import Scorer

Hold = Callable[..., Run]

POPULATION = bright_population(source_magnitude=(20.0, 21.0))
RECIPES = {
    f"{name}-smoke": tiny_recipe(name=f"{name}-smoke", n_test=6, population=POPULATION)
    for name in ("talk", "talk-others", "talk-survey")
}


def brightest(flux: Tensor) -> Tensor:
    """A function that scores an image (batch, 1, y, x) by its brightest pixel."""
    return flux.amax(dim=(1, 2, 3))


class Foreign(nn.Module):
    """Ten lines that are none of ours."""

    def __init__(self, n_bands: int = 1) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.seen = nn.Conv2d(n_bands, 4, kernel_size=5, padding=2)
        self.relu = nn.ReLU(inplace=True)
        self.last = nn.Linear(4, 2)

    def forward(self, flux: Tensor) -> Tensor:
        return self.last(self.relu(self.seen(torch.asinh(flux))).mean(dim=(2, 3)))


class Offer:
    """What stands in for an installed package that offers recipes."""

    @staticmethod
    def load() -> dict[str, Recipe]:
        return RECIPES


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, recipe in RECIPES.items():
        make_data_set(recipe, folder / name, n_jobs=1, progress=False)
    return folder


@pytest.fixture
def hold(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hold:
    """Hold an exam on the tiny recipes, below a folder of the test's own."""
    monkeypatch.setattr(named, "entry_points", lambda **_: [Offer])
    return lambda name, network, **how: exam(
        name, network, data_folder=data_folder, runs=tmp_path / "runs", **how
    )


@pytest.mark.parametrize("network", [brightest, Foreign()], ids=["function", "module"])
def test_any_network_is_ranked(network: Callable[[Tensor], Tensor], hold: Hold) -> None:
    run = hold("talk", network)
    rows = run.scores()
    assert run.kind == "exam-ranking"
    assert run.name == f"{'brightest' if network is brightest else 'Foreign'}-ranks-talk"
    assert len(rows["score"]) == 6
    assert {"label", "arc_signal_to_noise", "einstein_radius"} < rows.keys()
    found = run.info["test"]["auroc"]
    assert found["value"] == pytest.approx(auroc(rows["label"], rows["score"]))
    assert found["low"] <= found["value"] <= found["high"]


def test_scores_are_what_the_network_says(hold: Hold, data_folder: Path) -> None:
    data = DataSet(data_folder / "talk-smoke")
    peaks = [data.observed("test", k, "VIS").max() for k in range(6)]
    assert_allclose(hold("talk", brightest).scores()["score"], peaks, rtol=1e-6)


@pytest.mark.parametrize("network", [brightest, Foreign()], ids=["function", "module"])
def test_any_network_sees_artefacts_surveys_and_rings(
    network: Callable[[Tensor], Tensor],
    hold: Hold,
) -> None:
    seen = hold("artefacts", network).scores()
    assert set(seen["condition"]) == set(CONDITIONS)
    assert "n_marked" not in seen
    survey = hold("survey", network, n_top=2)
    assert sum(counts(shortlist(survey, "HST-like")).values()) == 2
    _, shares = share_below_ring(hold("rings", network, n_draws=1), "magnitude")
    assert ((shares >= 0) & (shares <= 1)).all()


def test_a_module_is_asked_what_it_looks_at(hold: Hold) -> None:
    network = Foreign()
    game = hold("pointing-game", network, n_lenses=1, stride=50)
    assert set(hit_rates(game)) == {"occlusion", "Guided Grad-CAM", "random weights"}
    pictures = hold("attribution", network, stride=50, n_steps=2).scores()
    assert np.isfinite(pictures["dream"]).all()
    assert "painting" not in pictures
    # it stays as it was
    assert network.relu.inplace


def test_what_a_network_cannot_do_is_said(hold: Hold, tmp_path: Path) -> None:
    for name in ("pointing-game", "attribution"):
        with pytest.raises(LensyError, match="brightest cannot be asked what it looks at"):
            hold(name, brightest)
    with pytest.raises(LensyError, match="Foreign paints nothing that could be described"):
        hold("description", Foreign())
    with pytest.raises(LensyError, match=r"no recipe 'nothing-smoke'.*The exams are .*survey"):
        hold("nothing", brightest)
    assert not list(tmp_path.rglob("run.json"))


def test_every_band_and_grid_is_taken(hold: Hold) -> None:
    networks = [
        Scorer(("H",), brightest),
        Scorer(("VIS", "Y", "J", "H"), Foreign(n_bands=4), grid="VIS", name="four / bands"),
    ]
    for network in networks:
        assert len(hold("talk", network).scores()["score"]) == 6
    assert folder_name(networks[1]) == "four-bands"
    pictures = hold("attribution", networks[1], stride=100, n_steps=1).scores()
    assert pictures["image"].shape == (5, 200, 200)


def test_answers_are_found_again_until_the_network_changes(hold: Hold) -> None:
    """A function in a notebook keeps its name when it is changed, and a module its class."""
    network = Foreign()
    path = hold("talk", network).folder / "run.json"
    first = path.read_text()
    hold("talk", network)
    assert path.read_text() == first
    with torch.no_grad():
        network.last.weight += 1.0
    assert hold("talk", network).fingerprint not in first
    scales = [Scorer(("VIS",), lambda flux, k=k: k * brightest(flux), name="same") for k in (1, 2)]
    assert len({fingerprint_of(each) for each in scales}) == 2
    assert fingerprint_of(scales[0]) == fingerprint_of(scales[0])


def test_a_folder_of_ones_own_is_written_to(hold: Hold, tmp_path: Path) -> None:
    run = hold("talk", brightest, folder=tmp_path / "mine")
    assert run.folder == tmp_path / "mine"
    assert run.info["network"]["name"] == "brightest"
    assert not (tmp_path / "runs").exists()


def test_an_exam_that_was_read_has_no_network_to_ask(hold: Hold, data_folder: Path) -> None:
    run = hold("talk", brightest)
    read = EXAMS[run.kind].model_validate(run.info["experiment"])
    assert read.fingerprint == run.fingerprint
    with pytest.raises(LensyError, match=r"does not have it: give one to `Ranking\.of`"):
        read.make(DataSet(data_folder / "talk-smoke"), run.folder, start=None, progress=False)


def test_recipes_are_those_that_packages_offer(hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    del hold
    assert named.recipe("talk-smoke") == RECIPES["talk-smoke"]
    monkeypatch.setattr(named, "entry_points", lambda **_: [])
    with pytest.raises(LensyError, match="install the package anew"):
        named.recipe("talk-smoke")


def test_every_exam_has_a_name() -> None:
    assert {"artefacts", "survey", "rings", "pointing-game", "attribution"} < set(exam_names())
    load_exams()
    assert all(kind == each.kind for kind, each in EXAMS.items())


COUNTING = '''
from typing import ClassVar
import numpy as np
from lensy.exams.exam import Exam


class Counting(Exam):
    """Scores of images without any light."""

    kind: ClassVar[str] = "exam-counting"
    ending: ClassVar[str] = "counts"
    n_images: int = 3

    def answers(self, scorer, data, *, progress):
        import torch
        flux = torch.zeros(self.n_images, len(scorer.bands), 20, 20)
        return [{"score": scorer(flux)}, {"score": scorer(flux + 1)}]
'''


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Exam]]:
    """An exam in a module that was not there before."""
    (tmp_path / "counting_exam.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("counting_exam").Counting
    del Exam.registry["exam-counting"], sys.modules["counting_exam"]


def test_an_exam_is_a_file(
    counting: type[Exam],
    hold: Hold,
    data_folder: Path,
    tmp_path: Path,
) -> None:
    """Registered, held by its name, and found again."""
    assert EXAMS["exam-counting"] is counting
    run = hold("counting", brightest)
    assert (run.name, run.kind) == ("brightest-counts", "exam-counting")
    assert run.scores()["score"].tolist() == [0, 0, 0, 1, 1, 1]
    wanted = counting.of(Scorer(("VIS",), brightest), RECIPES["talk-smoke"])
    runs = tmp_path / "runs"
    found = find_run(wanted, runs=runs)
    assert found is not None
    assert found.folder == run.folder
    again = obtain(wanted, data_folder=data_folder, runs=runs)
    assert again.info["provenance"] == run.info["provenance"]
    other = counting.of(Scorer(("VIS",), brightest), RECIPES["talk-smoke"], n_images=2)
    assert find_run(other, runs=runs) is None
