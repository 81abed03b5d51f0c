"""Every kind of network there is: how a name or a finished run leads to one.

A kind is a subclass of `NetworkExperiment` in a module of this wing, all of which are loaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TypeAlias

from torch import Tensor

from lensy import training
from lensy.errors import LensyError
from lensy.runs.experiment import known_scale
from lensy.runs.library import shipped_run
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.training.fit import NetworkExperiment
from lensy.training.predecessor import PublishedExperiment
from lensy.training.scorer import Scorer

KINDS: Mapping[str, type[NetworkExperiment]] = MappingProxyType(NetworkExperiment.registry)
"""Experiments of each kind of network that can be taught, by the `kind` in `run.json`."""


def load_kinds() -> None:
    """Load every module of this wing, so that each kind in it is known."""
    for module in iter_modules(training.__path__, f"{training.__name__}."):
        import_module(module.name)


def names() -> tuple[str, ...]:
    """Names of all experiments with networks."""
    load_kinds()
    return tuple(name for kind in KINDS.values() for name in kind.names)


def experiment(
    name: str, scale: str, recipe: Recipe, *, seed: int | None = None
) -> NetworkExperiment:
    """The experiment called `name` at a scale, on the data of `recipe`.

    seed: of first weights, crops and noise, 1 unless given; another one becomes part of the name.
    Raises LensyError with the names there are.

    >>> wanted = experiment("naberrie-h", "smoke", Recipe(name="mine", n_test=8), seed=2)
    >>> wanted.name, wanted.bands, wanted.start.name
    ('naberrie-h-seed-2', ('H',), 'naberrie-vis-seed-2')
    """
    load_kinds()
    for kind in KINDS.values():
        if name in kind.names:
            return kind.named(name, known_scale(scale), recipe, seed=seed)
    raise LensyError(f"There is no experiment {name!r}; the experiments are {', '.join(names())}.")


def experiment_of(run: Run) -> NetworkExperiment | PublishedExperiment:
    """The experiment of a finished run. Raises LensyError where its result is no network."""
    if run.kind not in KINDS and run.kind != PublishedExperiment.kind:
        load_kinds()
    kind = PublishedExperiment if run.kind == PublishedExperiment.kind else KINDS.get(run.kind)
    if kind is None:
        raise LensyError(
            f"{run.folder} is of the kind {run.kind!r} and holds no network; kinds of networks are "
            f"{', '.join(KINDS)}."
        )
    return kind.model_validate(run.info["experiment"])


def scorer_of(run: Run, precision: str | None = None) -> Scorer:
    """A finished run's network as a function of images.

    precision: of Naberrie's convolutions, that of its training unless given; the other networks
    need single precision to tell their best images apart.
    """
    return experiment_of(run).scorer(run, precision)


def bands_of(run: Run) -> tuple[str, ...]:
    """Bands that a finished run's network sees, in the order of its channels; needs no weights."""
    return experiment_of(run).bands


Subject = Run | Scorer
"""Whoever can be asked: the network of a finished run, or any other."""

Network: TypeAlias = Subject | str | Callable[[Tensor], Tensor]
"""As people name one: also a shipped run by its name, or a plain module or function."""


def subject_of(network: Network, bands: tuple[str, ...] = ("VIS",)) -> Subject:
    """Whoever is meant. bands: of a module or function.

    Raises LensyError where no run of a name is shipped.
    """
    if isinstance(network, str):
        return shipped_run(network)
    return network if isinstance(network, Run | Scorer) else Scorer(bands, network)
