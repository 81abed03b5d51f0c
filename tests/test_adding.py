"""What CONTRIBUTING says of adding things: each is added to a copy of the package, and used.

A copy of the sources gets the new lines; a fresh interpreter that imports the copy uses what was
added to the end. How many files of the copy differ is what the table says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import tiny_recipe

import data_sim
import lensy
from lensy.datasets.store import DataSet
from lensy.runs.run import SHIPPED, Run
from lensy.simulation.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]

ROWS = re.findall(
    r"^\| (.+?) \|.*\| (\d+) \|$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M
)
FILES = {what: int(number) for what, number in ROWS}
"""How many files a thing takes, by what CONTRIBUTING calls it."""

FLAT = Recipe(name="flat", n_test=2)


class House:
    """A copy of the package that things are added to."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "house"
        no_data = shutil.ignore_patterns("shipped", "__pycache__")
        shutil.copytree(ROOT / "lensy", self.root / "lensy", ignore=no_data)
        (self.root / "lensy" / "shipped").symlink_to(SHIPPED)
        self.before = self.sources()
        self.work = folder / "work"
        self.work.mkdir()

    def new(self, name: str, text: str) -> None:
        """A file of its own."""
        path = self.root / name
        assert not path.exists()
        path.write_text(text, "utf-8")

    def edit(self, name: str, changes: dict[str, str]) -> None:
        """Lines put after others, or at the end of a file for the key ''."""
        path = self.root / name
        text = path.read_text("utf-8")
        for line, further in changes.items():
            assert text.count(line) >= 1
            text = text.replace(line, f"{line}\n{further}", 1) if line else f"{text}\n{further}"
        path.write_text(text, "utf-8")

    def use(self, function: Callable[[], None]) -> None:
        """Call a function of this module in a fresh interpreter that imports the copy."""
        code = (
            f"import lensy, test_adding; assert lensy.__file__.startswith({str(self.root)!r}); "
            f"test_adding.{function.__name__}()"
        )
        paths = {"PYTHONPATH": os.pathsep.join([str(self.root), str(ROOT / "tests")])}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.work,
            env=os.environ | paths,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def sources(self) -> dict[Path, bytes]:
        """Every module of the copy."""
        return {path: path.read_bytes() for path in (self.root / "lensy").rglob("*.py")}

    def n_changed(self) -> int:
        """Modules that are new, or not as they were copied."""
        return sum(self.before.get(path) != text for path, text in self.sources().items())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def highest(flux: torch.Tensor) -> torch.Tensor:
    """A network that is none of ours: the brightest pixel."""
    return flux.amax(dim=(1, 2, 3))


BANDS = "lensy/telescope/bands.py"


def test_a_band(house: House) -> None:
    lines = (house.root / BANDS).read_text("utf-8").splitlines()
    last = next(line for line in lines if line.startswith('    "H": Filter('))
    camera = "from lenstronomy.SimulationAPI.ObservationConfig.LSST import LSST"
    row = '    "i": Filter(100, 0.2, 0.754, LSST),'
    house.edit(BANDS, {"import numpy as np": camera, last: row})
    house.use(use_the_band)
    assert house.n_changed() == FILES["a band"]


def use_the_band() -> None:
    """A scene observed, a data set made, a network asked and an image searched in it."""
    from lensy.exams.ranking import Ranking

    bright = {part: {"magnitudes": {"i": 20.0}} for part in ("lens", "source")}
    assert lensy.observe(lensy.Scene.simple(**bright), "i").shape == (100, 100)
    recipe = tiny_recipe(bands=("VIS", "i"), n_train=0, n_validation=0, n_test=8)
    data = lensy.make_data_set(recipe, "data/tiny", n_jobs=1, progress=False)
    image = data.observed("test", 1, "i")
    assert image.shape == (100, 100)
    network = lensy.Scorer(("i",), highest)
    assert lensy.obtain(Ranking.of(network, recipe)).scores()["score"][1] == image.max()
    assert lensy.find(image, network).table["band"][0] == "i"


ARTEFACT = '''
@dataclass(frozen=True)
class DeadRow(Artefact):
    """A row of pixels that give no data. y: of its middle, arcsec."""

    kind: ClassVar[str] = "dead row"
    words: ClassVar[str] = "a row of pixels that give no data"
    per: ClassVar[Sharing] = "band"

    bands: tuple[str, ...]
    y: float

    @classmethod
    def draw(cls, rng: np.random.Generator, setting: Setting) -> Self:
        """At any height."""
        return cls(setting.bands, float(rng.uniform(-9.0, 9.0)))

    def spoil(self, band: Band) -> Spoil:
        """No data in it."""
        _, y = pixel_positions(band.n_pixels, band.pixel_scale)
        row = np.broadcast_to(np.abs(y - self.y) <= 0.5 * band.pixel_scale, band.shape)
        return Spoil(row, blank=row)
'''


def test_an_artefact(house: House) -> None:
    fingerprints = {name: each.fingerprint for name, each in data_sim.RECIPES.items()}
    (house.work / "before.json").write_text(json.dumps(fingerprints), "utf-8")
    house.edit("lensy/telescope/detector_artefacts.py", {"": ARTEFACT})
    house.use(use_the_artefact)
    assert house.n_changed() == FILES["an artefact"]


def use_the_artefact() -> None:
    """Drawn, seen, masked, listed in a catalogue; what is without it stays as it was."""
    from lensy.telescope.instrument import Instrument
    from lensy.training.kinds import KINDS, experiment_of, load_kinds

    dead = Instrument.only("dead row")
    recipe = tiny_recipe(bands=("VIS",), n_validation=0, n_train=0, instrument=dead)
    data = lensy.make_data_set(recipe, "data", n_jobs=1, progress=False)
    seen = data.exposure("test", 0, "VIS")
    assert set(seen.masks) == {"dead row"}
    assert seen.spoilt.sum() in (200, 400)
    assert np.all(seen.image[seen.spoilt] == 0)
    assert data.catalogue()["has_dead_row"].all()
    before = json.loads(Path("before.json").read_text("utf-8"))
    assert {name: each.fingerprint for name, each in data_sim.RECIPES.items()} == before
    load_kinds()
    for path in SHIPPED.glob("*/*/run.json"):
        if (run := Run(path.parent)).kind in KINDS:
            assert experiment_of(run).fingerprint == run.fingerprint


MODEL = '''"""A small network of another kind: the brightest places after one convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Peak(nn.Module):
    """Logits (batch, 2) of images (batch, n_bands, y, x) in nJy."""

    def __init__(self, n_bands: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_bands, 4, 5)
        self.dense = nn.Linear(4, 2)

    def forward(self, flux: Tensor) -> Tensor:
        """Non-lens and lens."""
        logits: Tensor = self.dense(self.convolution(torch.asinh(flux)).amax(dim=(2, 3)))
        return logits
'''

TRAINING = '''"""How a `Peak` is taught, loaded and asked."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import Tensor, nn
from torch.utils.data import DataLoader

from lensy.datasets.frames import Crops, Frames, Item
from lensy.datasets.store import DataSet
from lensy.models.classifier import log_odds
from lensy.models.peak import Peak
from lensy.runs.experiment import Scale, Training, with_seed
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.training.fit import NetworkExperiment, Tested
from lensy.training.learner import Learner
from lensy.training.predecessor import predecessor_scores
from lensy.training.scorer import Scorer
from lensy.training.unet_scores import meaning_of

SETTINGS = Training(batch=4, n_epochs=1, steps_per_epoch=2, learning_rate=1e-2, n_check=8)


class PeakExperiment(NetworkExperiment):
    """A `Peak` in VIS."""

    kind: ClassVar[str] = "peak"
    names: ClassVar[tuple[str, ...]] = ("peak",)

    @classmethod
    def named(cls, name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None) -> Self:
        label, training = with_seed(name, SETTINGS, seed)
        return cls(name=label, scale=scale, recipe=recipe, training=training)

    @property
    def bands(self) -> tuple[str, ...]:
        return ("VIS",)

    def learner(self, data: DataSet) -> Learner:
        return PeakLearner(self, data)

    def load(self, run: Run) -> Peak:
        model = Peak(1)
        model.load_state_dict(run.weights())
        return model.eval()

    def validated(
        self, network: nn.Module, data: DataSet, *, earlier: dict[str, Any] | None, progress: bool
    ) -> dict[str, Any]:
        found = predecessor_scores(network, Frames(data, "validation", self.bands))
        return meaning_of(found["label"], found["score"], "log-odds of a lens")

    def tested(
        self, network: nn.Module, data: DataSet, score: dict[str, Any], *, progress: bool
    ) -> Tested:
        return Tested(predecessor_scores(network, Frames(data, "test", self.bands)), {})

    def scorer(self, run: Run, precision: str | None = None) -> Scorer:
        return Scorer(
            self.bands,
            self.load(run),
            name=run.name,
            meaning=run.info["score"],
            origin=run.origin,
        )


class PeakLearner(Learner):
    """Cross-entropy on whole frames."""

    def __init__(self, experiment: PeakExperiment, data: DataSet) -> None:
        super().__init__(experiment.training, n_steps=experiment.training.n_steps)
        self.experiment, self.data, self.model = experiment, data, Peak(1)

    def train_dataloader(self) -> DataLoader[Item]:
        settings = self.experiment.training
        count = settings.steps_per_epoch * settings.batch
        start = self.trainer.current_epoch * count
        crops = Crops(self.data, ("VIS",), size=64, seed=settings.seed, start=start, count=count)
        return self.loader(crops, settings.batch)

    def val_dataloader(self) -> DataLoader[Item]:
        limit = self.experiment.training.n_check
        return self.loader(Frames(self.data, "validation", ("VIS",), limit=limit), 8)

    def training_step(self, batch: Item, batch_idx: int) -> Tensor:
        logits = self.model(batch["image"])
        return self.noted(nn.functional.cross_entropy(logits, batch["label"].long()))

    def validation_step(self, batch: Item, batch_idx: int) -> None:
        self.collect(score=log_odds(self.model(batch["image"])), label=batch["label"])
'''


def test_a_network_of_another_kind(house: House) -> None:
    house.new("lensy/models/peak.py", MODEL)
    house.new("lensy/training/peak.py", TRAINING)
    house.use(use_the_network)
    assert house.n_changed() == FILES["a network of another kind"]


def use_the_network() -> None:
    """Trained by name, found again, asked, examined, sent over other data and real images."""
    from lensy.exams.ranking import Ranking
    from lensy.training.kinds import experiment_of, names, scorer_of

    assert "peak" in names()
    recipe = tiny_recipe(n_train=8, n_validation=8, n_test=8)
    data = lensy.make_data_set(recipe, "data/tiny", n_jobs=1, progress=False)
    run = lensy.train("peak", data, scale="smoke", progress=False)
    assert lensy.obtain(lensy.experiment("peak", "smoke", recipe)).folder == run.folder
    scorer = scorer_of(run)
    images = torch.from_numpy(np.stack([data.observed("test", k, "VIS") for k in range(8)]))
    np.testing.assert_allclose(scorer(images[:, None]), run.scores()["score"], atol=1e-5)
    held = lensy.obtain(Ranking.of(run, recipe))
    np.testing.assert_allclose(held.scores()["score"], run.scores()["score"], atol=1e-5)
    others = tiny_recipe(name="others", seed=5, n_train=0, n_validation=0, n_test=8)
    on_others = experiment_of(run).elsewhere(run, others)
    assert lensy.obtain(on_others).name == "peak-on-others"
    found = lensy.find(data.observed("test", 0, "VIS"), run)
    np.testing.assert_allclose(found.table["score"][0], run.scores()["score"][0], atol=1e-5)


EXAM = '''"""What a network makes of half an image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from lensy.datasets.frames import Frames
from lensy.datasets.store import DataSet
from lensy.exams.exam import Exam
from lensy.training.scorer import Scorer
from lensy.values import Columns


class HalfExam(Exam):
    """Scores of images whose lower or upper half is blank."""

    kind: ClassVar[str] = "exam-halves"
    ending: ClassVar[str] = "on-halves"

    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """`score` of each image, `kept`: which half is seen."""
        frames = Frames(data, "test", scorer.bands, grid=scorer.grid)
        images = torch.stack([frames[k]["image"] for k in range(len(frames))])
        middle = images.shape[-2] // 2
        found = []
        for kept, blank in (("upper", slice(middle)), ("lower", slice(middle, None))):
            seen = images.clone()
            seen[..., blank, :] = 0.0
            found.append({"score": scorer(seen), "kept": np.full(len(seen), kept)})
        return found
'''


def test_an_exam(house: House) -> None:
    house.new("lensy/exams/halves.py", EXAM)
    house.use(use_the_exam)
    assert house.n_changed() == FILES["an exam"]


def use_the_exam() -> None:
    """Held with a foreign network, and had again without being held."""
    from lensy.exams.exam import EXAMS, exam_names

    assert "halves" in exam_names()
    exam = EXAMS["exam-halves"].of(lensy.Scorer(("VIS",), highest), FLAT)
    run = lensy.obtain(exam)
    image = DataSet(Path("data/flat")).observed("test", 1, "VIS")
    rows = run.scores()
    assert rows["kept"].tolist() == ["upper"] * 2 + ["lower"] * 2
    np.testing.assert_allclose(rows["score"][1::2], [image[100:].max(), image[:100].max()])
    written = (run.folder / "run.json").stat().st_mtime_ns
    again = lensy.obtain(EXAMS[run.kind].of(lensy.Scorer(("VIS",), highest), FLAT))
    assert again.folder == run.folder
    assert (again.folder / "run.json").stat().st_mtime_ns == written
