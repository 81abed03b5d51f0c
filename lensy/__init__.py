"""Simulate strong gravitational lenses as Euclid sees them, and learn to find them.

What most people need is here, each thing loaded when it is first used:

    lens = lensy.Scene.simple(einstein_radius=1.5)
    image = lensy.observe(lens, "VIS", seed=1)
    data = lensy.make_data_set("talk-smoke", "data/talk-smoke")
    run = lensy.train("naberrie-vis", data, scale="smoke")
    found = lensy.find("my.fits")
    lensy.figures.roc(run)
    score = lensy.exam("talk", my_network)

Everything else is in the wings: telescope, sky, simulation, datasets, models, metrics, runs,
training, figures, finding, exams and talk.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lensy import figures
    from lensy.datasets.named import make_data_set
    from lensy.exams.exam import exam
    from lensy.finding.cutouts import read_cutout
    from lensy.finding.finder import find
    from lensy.runs.library import obtain, shipped_run
    from lensy.runs.run import Run
    from lensy.simulation.example import observe
    from lensy.sky.scene import Scene
    from lensy.talk.scorecard import scorecard
    from lensy.training.kinds import experiment
    from lensy.training.scorer import Scorer
    from lensy.training.teach import train

    __version__: str

__all__ = [
    "Run",
    "Scene",
    "Scorer",
    "__version__",
    "exam",
    "experiment",
    "figures",
    "find",
    "make_data_set",
    "observe",
    "obtain",
    "read_cutout",
    "scorecard",
    "shipped_run",
    "train",
]

_HOMES = {
    "Run": "runs.run",
    "Scene": "sky.scene",
    "Scorer": "training.scorer",
    "exam": "exams.exam",
    "experiment": "training.kinds",
    "find": "finding.finder",
    "make_data_set": "datasets.named",
    "observe": "simulation.example",
    "obtain": "runs.library",
    "read_cutout": "finding.cutouts",
    "scorecard": "talk.scorecard",
    "shipped_run": "runs.library",
    "train": "training.teach",
}


def __getattr__(name: str) -> Any:
    """A public name, whose module is loaded when it is first asked for."""
    from importlib import import_module

    if name == "__version__":
        return _version()
    if name == "figures":
        return import_module("lensy.figures")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lensy.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lensy")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0+unknown"
