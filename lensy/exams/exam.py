"""What a network is asked, and its answers, kept as a run of their own: the base of every exam.

Answers take minutes and say more than a score; kept like a run, a chapter can show them at once.
An exam is a subclass of `Exam` in a module of this wing. Its fields say how it is held, and
`answers` holds it; whatever all exams have in common is done here.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import PrivateAttr

from lensy import exams
from lensy.datasets.named import make_data_set, recipe
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.subject import fingerprint_of, folder_name, provenance_of, scale_of
from lensy.provenance import provenance
from lensy.runs.experiment import Experiment, known_scale
from lensy.runs.library import obtain
from lensy.runs.run import SINGLE, Run, write_run
from lensy.simulation.recipe import Recipe
from lensy.training.kinds import Network, Subject, scorer_of, subject_of
from lensy.training.scorer import Scorer
from lensy.values import Columns


class Exam(Experiment):
    """Which network is asked about which images. A subclass says what, and its fields how.

    network: fingerprint of the network. recipe: of the images.
    """

    registry: ClassVar[dict[str, type[Exam]]] = {}
    ending: ClassVar[str]
    """Of its runs' names, after the network's; `{data}` stands for the recipe without the scale."""
    images: ClassVar[str] = "talk"
    """Recipe that it is usually held on, without the scale."""
    by_gradients: ClassVar[bool] = False
    """Whether it needs gradients, which are taken in single precision."""

    network: str
    _subject: Subject | None = PrivateAttr(None)
    _precision: str | None = PrivateAttr(None)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            Exam.registry[cls.kind] = cls

    @classmethod
    def of(
        cls, subject: Subject, recipe: Recipe, *, precision: str | None = None, **how: Any
    ) -> Self:
        """The exam of a finished run's network, or of any other, on the images of a recipe.

        precision: of convolutions, as in `scorer_of`. how: the fields of the exam.
        """
        scale = scale_of(subject, recipe)
        words = cls.ending.format(data=recipe.name.removesuffix(f"-{scale}"))
        exam = cls(
            name=f"{folder_name(subject)}-{words}",
            scale=scale,
            network=fingerprint_of(subject),
            recipe=recipe,
            **how,
        )
        exam._subject, exam._precision = subject, precision
        return exam

    @abstractmethod
    def answers(self, scorer: Scorer, data: DataSet, *, progress: bool) -> list[Columns]:
        """The network's answers, a table for each set of images; all have the same columns."""

    def results(self, columns: Columns) -> dict[str, Any]:
        """What `run.json` says of the answers of all sets of images, if anything."""
        del columns
        return {}

    def make(self, data: DataSet, folder: Path, *, start: Run | None, progress: bool) -> Run:
        """Ask the network, and write its answers as a run.

        Raises LensyError for an exam that was read from a run: it knows only the fingerprint of its
        network.
        """
        del start
        if self._subject is None:
            raise LensyError(
                f"{self.name} says which network was asked but does not have it: give one to "
                f"`{type(self).__name__}.of`."
            )
        started = time.monotonic()
        scorer = self._scorer(self._subject)
        parts = self.answers(scorer, data, progress=progress)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        info = {
            "wall_seconds": round(time.monotonic() - started, 1),
            "arithmetic": scorer.precision,
            "network": {"name": self._subject.name, "provenance": provenance_of(self._subject)},
            "provenance": provenance(),
        }
        return write_run(folder, self, info=info | self.results(columns), scores=columns)

    def _scorer(self, subject: Subject) -> Scorer:
        precision = SINGLE if self.by_gradients else self._precision
        if isinstance(subject, Run):
            return scorer_of(subject, precision)
        return replace(subject, precision=precision or subject.precision)


EXAMS: Mapping[str, type[Exam]] = MappingProxyType(Exam.registry)
"""Every exam by the `kind` in `run.json`: PREFIX and its name."""

PREFIX = "exam-"


def load_exams() -> None:
    """Load every module of this wing, so that each exam in it is known."""
    for module in iter_modules(exams.__path__, f"{exams.__name__}."):
        import_module(module.name)


def exam_names() -> list[str]:
    """Names of all exams, as `exam` takes them."""
    load_exams()
    return [kind.removeprefix(PREFIX) for kind in EXAMS]


def exam(
    name: str,
    network: Network,
    *,
    scale: str = "smoke",
    folder: Path | None = None,
    data_folder: Path = Path("data"),
    runs: Path = Path("runs"),
    progress: bool = False,
    **how: Any,
) -> Run:
    """The answers of any network in an exam, held now unless a finished run has them.

    name: of an exam ("artefacts", "survey", "rings", "pointing-game", "attribution",
    "description"), or of data ("talk", "euclid") whose test images are to be ranked; then
    `run.info["test"]` has the AUROC and rates with their 95 % intervals. network: a run or the name
    of a shipped one, a `Scorer`, or any `nn.Module` or function from VIS images (batch, 1, y, x) in
    nJy to scores (batch,) or logits (batch, 2). folder: where to write the answers, held anew;
    below `runs` unless given. how: fields of the exam, as its `of` takes them.
    Raises LensyError for names that are not known, and where a network cannot be asked.

    >>> exam("artefacts", "naberrie-vis", scale="laptop").name
    'naberrie-vis-on-artefacts'
    """
    names = exam_names()
    kind = EXAMS[f"{PREFIX}{name if name in names else 'ranking'}"]
    images = kind.images if name in names else name
    scale = known_scale(scale)
    try:
        wanted = recipe(f"{images}-{scale}")
    except LensyError as error:
        raise LensyError(f"{error} The exams are {', '.join(names)}.") from None
    asked = kind.of(subject_of(network), wanted, **how)
    if folder is None:
        return obtain(asked, data_folder=data_folder, runs=runs, progress=progress)
    data = make_data_set(wanted, Path(data_folder) / wanted.name, progress=progress)
    return asked.make(data, Path(folder), start=None, progress=progress)
