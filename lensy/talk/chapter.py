"""What a chapter of the book stands on: its data sets, its runs, and what it says of them.

A chapter opens with `page = open_chapter(...)`. Whatever it asks the page for is found (shipped, or
made earlier) or made, and remembered, so that one folded table can say where all of it is from.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lensy.datasets.store import DataSet, make_data_set
from lensy.errors import LensyError
from lensy.runs.experiment import Experiment, Scale, known_scale
from lensy.runs.library import Places, finished_runs, obtain
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.talk.notebook import Shown

if TYPE_CHECKING:
    # a chapter on the sky alone need not wait for torch
    from torch import nn

    from lensy.exams.exam import Exam


class Chapter:
    """A chapter at a scale. recipes: those of the data sets, by name without the scale."""

    def __init__(self, name: str, scale: Scale, places: Places, recipes: dict[str, Recipe]) -> None:
        self.name = name
        self.scale = scale
        self.places = places
        self.recipes = recipes
        self.obtained: dict[str, Run] = {}

    def recipe(self, name: str) -> Recipe:
        """The recipe of a data set at this chapter's scale: `talk` at smoke is `talk-smoke`.

        Raises LensyError with the names there are.
        """
        for each in (f"{name}-{self.scale}", name):
            if each in self.recipes:
                return self.recipes[each]
        raise LensyError(f"There is no recipe {name!r}; there are {', '.join(self.recipes)}.")

    def data(self, name: str, /, *, first: int | None = None, **changes: Any) -> DataSet:
        """A data set, made where it is not there yet.

        first: its first test examples alone. changes: fields of its recipe that shall be otherwise,
        among them a `name` of its own.
        """
        recipe = self.recipe(name)
        if first is not None:
            few = {"n_train": 0, "n_validation": 0, "n_test": first}
            changes = {"name": f"{recipe.name}-{first}", **few, **changes}
        recipe = recipe.model_copy(update=changes)
        folder = self.places.get("data_folder", Path("data")) / recipe.name
        return make_data_set(recipe, folder, progress=False)

    def run(self, name: str, *, seed: int | None = None, on: str = "talk") -> Run:
        """The finished run of an experiment. on: the data set that it learns from."""
        from lensy.training.kinds import experiment

        return self.keep(experiment(name, self.scale, self.recipe(on), seed=seed))

    def network(self, run: Run) -> nn.Module:
        """The whole network of a finished run, as it was trained."""
        from lensy.training.kinds import experiment_of

        return experiment_of(run).load(run)

    def unet(self, run: Run) -> nn.Module:
        """The U-Net of a finished run, which reconstructs the lensed light."""
        from lensy.training.kinds import experiment_of
        from lensy.training.unet import UnetExperiment

        about = experiment_of(run)
        if not isinstance(about, UnetExperiment):
            raise LensyError(f"{run.name} reconstructs no lensed light: take a naberrie run.")
        return about.trunk(run)

    def on(self, run: Run, data: str, *, taught: bool = False) -> Run:
        """A run's network on another data set: scored, or with dense layers taught for it."""
        from lensy.training.kinds import experiment_of

        word: Literal["for", "on"] = "for" if taught else "on"
        about = experiment_of(run)
        if not hasattr(about, "elsewhere"):
            raise LensyError(f"{run.name} has published weights: score it with `lensy evaluate`.")
        return self.keep(about.elsewhere(run, self.recipe(data), word))

    def predecessor(self, network: str = "ou-200", *, otherwise: str) -> Run:
        """Shipped scores of a published network, or the run of the experiment `otherwise`."""
        return self.shipped_predecessor(network) or self.run(otherwise)

    def shipped_predecessor(self, network: str) -> Run | None:
        """Shipped scores of a published network, if there are any and they may be shown."""
        from lensy.training.predecessor import find_predecessor

        if not self.places.get("use_shipped", True):
            return None
        found = find_predecessor(self.recipe("talk"), network)
        return self.remember(found) if found else None

    def exam(self, kind: type[Exam], run: Run, data: str, **how: Any) -> Run:
        """What a run's network answers in an exam. how: the exam's own settings."""
        return self.keep(kind.of(run, self.recipe(data), **how))

    def keep(self, wanted: Experiment) -> Run:
        """The run of an experiment, remembered for `provenance`."""
        return self.remember(obtain(wanted, **self.places))

    def remember(self, run: Run) -> Run:
        """A run that the page shows, for `provenance`."""
        self.obtained[run.name] = run
        return run

    def finished(self, *names: str) -> dict[str, Run]:
        """Finished runs of this scale by name, as far as there are any."""
        found = finished_runs(
            names,
            self.scale,
            runs=self.places.get("runs", Path("runs")),
            use_shipped=self.places.get("use_shipped", True),
        )
        for run in found.values():
            self.remember(run)
        return found

    def provenance(self) -> Shown:
        """Where the networks on the page come from: one table, folded in."""
        rows = [_origin(run) for run in self.obtained.values()]
        head = "".join(f"<th>{escape(name)}</th>" for name in rows[0]) if rows else ""
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row.values()) + "</tr>"
            for row in rows
        )
        return Shown(
            f"<details><summary>Where the networks on this page come from ({len(rows)})</summary>"
            f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
            "</details>"
        )

    def glue(self, name: str, value: Any) -> None:
        """Hand a value to the chapter's text, which says it with {glue:text}."""
        try:
            from myst_nb import glue  # type: ignore[import-untyped]
        except ImportError:  # a learner's machine need not be able to build the book
            return
        glue(name, value, display=False)


def open_chapter(
    name: str,
    *,
    scale: str = "laptop",
    use_shipped: bool = True,
    data_folder: str | Path = "data",
    runs_folder: str | Path = "runs",
) -> Chapter:
    """What a chapter stands on.

    use_shipped: whether runs that come with the package may be shown; else all are made here.
    data_folder, runs_folder: where data sets and runs are, or will be.
    """
    from lensy.datasets.named import recipes

    places: Places = {
        "data_folder": Path(data_folder),
        "runs": Path(runs_folder),
        "use_shipped": use_shipped,
    }
    return Chapter(name, known_scale(scale), places, dict(recipes()))


def _origin(run: Run) -> dict[str, str]:
    """A row of the table of provenance."""
    about, made = run.info["experiment"], run.info["provenance"]
    seed = about["training"]["seed"] if "training" in about else ""
    taught = run.info["trained_on"]["name"] if "trained_on" in run.info else ""
    return {
        "run": run.name,
        "scale": run.info["experiment"]["scale"],
        "from": "shipped" if run.is_shipped else "made here",
        "data": about["recipe"]["name"],
        "trained on": taught,
        "seed": str(seed),
        "precision": run.arithmetic,
        "minutes": f"{run.info['wall_seconds'] / 60:.1f}",
        "commit": made["commit"],
        "hardware": made["hardware"],
        "date": made["date"][:10],
    }
