"""One way to teach any network: its experiment, `fit`, and `score_again` on other data.

A kind of network is a subclass of `NetworkExperiment` in a module of this wing. It says how such a
network is set up, taught, loaded and asked; whatever all of them have in common is done here.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import torch
from pydantic import PrivateAttr
from torch import nn

from lensy.datasets.frames import example_columns
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.metrics.ranking import ranking_results
from lensy.models.precision import computing_in
from lensy.provenance import provenance
from lensy.runs.experiment import Experiment, Scale, Training
from lensy.runs.run import SINGLE, Run, claim, write_history, write_run
from lensy.runs.weights import round_trip_half
from lensy.simulation.recipe import Recipe
from lensy.training.learner import Learner, arithmetic, train
from lensy.training.scorer import Scorer
from lensy.values import Columns

THRESHOLD_RATES = (0.1, 0.01)
"""False positive rates whose scores a run keeps: what a candidate list can begin with."""


class Tested(NamedTuple):
    """What a test set gave. columns: `label`, `score` and more, (n,). about: for `run.json`."""

    columns: Columns
    about: dict[str, Any]


class NetworkExperiment(Experiment):
    """A network, what it sees, its training and the recipe of its data: the base of every kind.

    registry: every kind by its name. names: of the experiments that a kind has.
    """

    registry: ClassVar[dict[str, type[NetworkExperiment]]] = {}
    names: ClassVar[tuple[str, ...]]
    judged_by: ClassVar[Literal["val_auroc", "val_loss"]] = "val_auroc"
    """What validation says of an epoch, by which the best one is kept."""
    scored_as_trained: ClassVar[bool] = False
    """Whether images are scored in the precision of the training, and not in single."""

    has_head: ClassVar[bool] = False
    """Whether it has dense layers that can be taught anew on what the rest has learned."""

    training: Training
    _given: Run | None = PrivateAttr(None)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            NetworkExperiment.registry[cls.kind] = cls

    @classmethod
    @abstractmethod
    def named(cls, name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None) -> Self:
        """The experiment of that name. seed: another one than usual becomes part of the name."""

    if TYPE_CHECKING:
        # a field of one kind, a property of another

        @property
        def bands(self) -> tuple[str, ...]:
            """Bands that the network sees, in the order of its channels."""

    @property
    def band(self) -> str:
        """The band whose numbers describe the examples."""
        return self.bands[0]

    def precision(self, trained: str) -> str:
        """Precision in which images are scored. trained: that of the training, Lightning's name."""
        return trained if self.scored_as_trained else SINGLE

    @abstractmethod
    def learner(self, data: DataSet) -> Learner:
        """The network with its data, ready to be taught."""

    def completed(
        self, learner: Learner, data: DataSet, *, progress: bool
    ) -> tuple[nn.Module, dict[str, Any]]:
        """The whole network once the learner has learned, and what `run.json` says of that."""
        del data, progress
        return learner.model.eval(), {}

    @abstractmethod
    def load(self, run: Run) -> nn.Module:
        """The whole network of a finished run, in evaluation mode, single precision."""

    def trunk(self, run: Run) -> nn.Module:
        """The part of a finished run's network that another may begin with."""
        return self.load(run)

    def parts(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """What a run keeps of a network, by file name."""
        return {"model": network}

    @abstractmethod
    def validated(
        self, network: nn.Module, data: DataSet, *, earlier: dict[str, Any] | None, progress: bool
    ) -> dict[str, Any]:
        """What a score means, from all validation frames.

        earlier: what another validation set has said, where choices stay as they were then.
        """

    @abstractmethod
    def tested(
        self, network: nn.Module, data: DataSet, score: dict[str, Any], *, progress: bool
    ) -> Tested:
        """The network's answers on the test set. score: as `validated` gives it."""

    @abstractmethod
    def scorer(self, run: Run, precision: str | None = None) -> Scorer:
        """A finished run's network as a function of images. precision: where it may be chosen."""

    def elsewhere(self, run: Run, recipe: Recipe, word: Literal["on", "for"] = "on") -> Self:
        """A run's own experiment with other data.

        "on" them the network is only scored, "for" them its head is taught anew.
        Raises LensyError where a kind has no head that could be taught alone.
        """
        if word == "for" and not self.has_head:
            raise LensyError(
                f"{self.name} has no dense layers on an encoder that could be taught anew: take a "
                "naberrie run."
            )
        data = recipe.name.removesuffix(f"-{self.scale}")
        name = f"{self.name}-{word}-{data}"
        other = self.model_copy(update={"name": name, "recipe": recipe})
        other._given = run
        return other

    def make(self, data: DataSet, folder: Path, *, start: Run | None, progress: bool) -> Run:
        """Teach the network, or score one that was taught on other data."""
        if self._given is not None:
            return score_again(self, self._given, data, folder, progress=progress)
        return fit(self, data, folder, start=start, progress=progress)


def check_start(experiment: NetworkExperiment, start: Run | None) -> None:
    """Raise LensyError where `start` is not the run that the experiment begins with."""
    wanted = experiment.start
    if (wanted and wanted.fingerprint) != (start and start.fingerprint):
        raise LensyError(
            f"{experiment.name} begins with the weights of "
            f"{wanted.name if wanted else 'no other network'}, but was given "
            f"{start.folder if start else 'none'}."
        )


def fit(
    experiment: NetworkExperiment,
    data: DataSet,
    folder: Path,
    *,
    start: Run | None = None,
    keep_weights: bool = True,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> Run:
    """Teach a network, score the test set with the epoch validation likes best, write the run.

    start: the finished run of `experiment.start`, if it has one. A killed job that is started
    again goes on after its last finished epoch, and ends with the weights it would have had.
    keep_weights: whether the run holds the network. trainer_options: passed on to Lightning's
    Trainer (`accelerator`, `devices`, `num_nodes`, ...).
    Raises LensyError where data or folder belong to another experiment.
    """
    check_start(experiment, start)
    origin = provenance()
    claim(folder, experiment, data)
    learner, best_epoch = taught(
        experiment, data, folder, start=start, progress=progress, options=trainer_options
    )
    write_history(folder / "history.csv", learner.rows)
    about: dict[str, Any] = {
        "best_epoch": best_epoch,
        "wall_seconds": round(60 * learner.rows[-1]["minutes"], 1),
        "arithmetic": arithmetic(trainer_options),
        "provenance": origin,
    }
    learner.model.to(device(trainer_options)).eval()
    with computing_in(experiment.precision(about["arithmetic"]), device(trainer_options).type):
        network, further = experiment.completed(learner, data, progress=progress)
        return finish(
            experiment,
            network,
            data,
            folder,
            about=about | further,
            keep_weights=keep_weights,
            progress=progress,
        )


def taught(
    experiment: NetworkExperiment,
    data: DataSet,
    folder: Path,
    *,
    start: Run | None,
    progress: bool,
    options: dict[str, Any] | None,
) -> tuple[Learner, int]:
    """A learner with the weights that validation likes best, in half precision, and their epoch."""
    torch.manual_seed(experiment.training.seed)
    learner = experiment.learner(data)
    if start is not None and isinstance(experiment.start, NetworkExperiment):
        learner.model.begin_with(experiment.start.trunk(start))
    best = train(
        learner,
        folder / "checkpoints",
        judged_by=experiment.judged_by,
        progress=progress,
        options=options,
    )
    checkpoint = torch.load(best, weights_only=True, map_location="cpu")
    learner.load_state_dict(checkpoint["state_dict"])
    round_trip_half(learner.model)
    return learner, checkpoint["epoch"] + 1


def device(options: dict[str, Any] | None = None) -> torch.device:
    """Where Lightning trains with these options."""
    on_cpu = (options or {}).get("accelerator") == "cpu" or not torch.cuda.is_available()
    return torch.device("cpu" if on_cpu else "cuda")


def finish(
    experiment: NetworkExperiment,
    network: nn.Module,
    data: DataSet,
    folder: Path,
    *,
    about: dict[str, Any],
    score: dict[str, Any] | None = None,
    earlier: dict[str, Any] | None = None,
    keep_weights: bool = True,
    scored: float | None = None,
    progress: bool = False,
) -> Run:
    """Score validation and test set with a finished network, and write the run.

    about: what else `run.json` should say. score: what validation would say of the score, where it
    is known. earlier: as in `validated`. scored: `time.monotonic()` when scoring began, if that is
    all there was to do.
    """
    score = score or experiment.validated(network, data, earlier=earlier, progress=progress)
    tested = experiment.tested(network, data, score, progress=progress)
    n = len(tested.columns["label"])
    examples = {name: each[:n] for name, each in example_columns(data, experiment.band).items()}
    info = {
        "score": score,
        "test": ranking_results(tested.columns["label"], tested.columns["score"]),
        **tested.about,
        **about,
    }
    if scored is not None:
        info["scored"] = provenance() | {"wall_seconds": round(time.monotonic() - scored, 1)}
    return write_run(
        folder,
        experiment,
        info=info,
        scores=tested.columns | examples,
        networks=experiment.parts(network) if keep_weights else {},
    )


CARRIED = ("classifier", "best_epoch", "wall_seconds", "arithmetic", "provenance")
"""What a run that only scores says of the training as the run before it did."""


def score_again(
    experiment: NetworkExperiment, run: Run, data: DataSet, folder: Path, *, progress: bool = False
) -> Run:
    """Score another data set with a finished run's network, as a run of its own without weights.

    experiment: as `run`'s says `elsewhere`. Thresholds and calibration are those of the new
    validation set, and those of the run where there is none.
    """
    started = time.monotonic()
    about = {name: run.info[name] for name in CARRIED if name in run.info}
    about |= {"trained_on": run.info["experiment"]["recipe"]}
    with computing_in(experiment.precision(run.arithmetic)):
        return finish(
            experiment,
            experiment.load(run),
            data,
            folder,
            about=about,
            score=None if data.recipe.n_validation else run.info["score"],
            earlier=run.info["score"],
            keep_weights=False,
            scored=started,
            progress=progress,
        )
