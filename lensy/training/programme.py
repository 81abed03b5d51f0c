"""One part of the programme in a given time, on whatever device there is, to go on from later.

A part is a network by its name. Its data are made first, on all cores, and stay in their folder;
then the network learns. When the time is over the work ends where it is: shards of data and epochs
are whole or absent, and what has come of it is handed over in a few files (`handover`).
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback

from lensy.datasets.named import make_data_set, recipe
from lensy.errors import LensyError
from lensy.provenance import provenance
from lensy.runs.library import find_run, runs_folder
from lensy.runs.run import Run
from lensy.training.fit import NetworkExperiment, fit
from lensy.training.handover import LARGEST, MOST, epochs, hand_over, take_back
from lensy.training.kinds import experiment

log = logging.getLogger(__name__)

KEPT_FREE = 0.05
"""Share of the time, at most a minute, in which what has come of it is written."""


class OutOfTimeError(Exception):
    """The time is over."""


class Deadline(Callback):
    """Ends the work in time: before an epoch that would not fit, or else wherever it is.

    seconds: from now on, by `clock`, which an epoch is compared with.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.clock = seconds, clock
        self.end = clock() + seconds
        self.begun: float | None = None
        self.longest = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Raise OutOfTimeError unless an epoch as long as the longest so far fits."""
        now = self.clock()
        if self.begun is not None:
            self.longest = max(self.longest, now - self.begun)
        self.begun = now
        if now + self.longest > self.end:
            raise OutOfTimeError

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Raise OutOfTimeError when the time is over, where the operating system has an alarm."""

        def ring(*_: Any) -> None:
            raise OutOfTimeError

        if not hasattr(signal, "setitimer"):
            yield
            return
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def reproduce(
    name: str,
    folder: Path,
    *,
    minutes: float,
    scale: str = "talk",
    resume: Path | None = None,
    limit: int = LARGEST * (MOST - 1),
    data_folder: Path = Path("data"),
    runs: Path = Path("runs"),
    progress: bool = False,
    clock: Callable[[], float] = time.monotonic,
    trainer_options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Teach one network of the programme for some minutes; what `result.json` says.

    name: of an experiment on the talk's images. folder: of the result, at most eight files of at
    most 16 MB. resume: one that an earlier call wrote, to go on from; what lies in `data_folder`
    and `runs` is gone on from anyway. limit: bytes of the result, `result.json` apart. clock: that
    of the epochs. trainer_options: passed on to Lightning's Trainer.

    Where nothing was left out of the checkpoint (`form` is "exact"), the weights are in the end
    those of a training without a stop, on the same machine. An epoch is finished in one call or
    begun again, and so is what follows the last one, dense layers and scores: where they take
    longer than there is time, give more. Raises LensyError for a name or a scale that is none, for
    a result of another experiment, or where the network's own start is missing.
    """
    if minutes <= 0:
        raise LensyError(f"{minutes:g} minutes are no time: give more than 0.")
    spare = min(60.0, KEPT_FREE * 60 * minutes)
    deadline = Deadline(60 * minutes - spare, clock=clock)
    wanted = experiment(name, scale, recipe(f"talk-{scale}"))
    where = runs_folder(wanted, runs)
    earlier = []
    if resume is not None:
        earlier = take_back(resume, where, fingerprint=wanted.fingerprint)["calls"]
    if not (where / "run.json").exists():
        start = beginning(wanted, runs)
        options = {**(trainer_options or {}), "callbacks": [deadline]}
        try:
            with deadline.kept():
                data = make_data_set(
                    wanted.recipe, data_folder / wanted.recipe.name, progress=progress
                )
                fit(wanted, data, where, start=start, progress=progress, trainer_options=options)
        except OutOfTimeError:
            log.info("%s: time is over after %d epochs", name, epochs(where))
    about = {
        "name": name,
        "scale": scale,
        "fingerprint": wanted.fingerprint,
        "finished": (where / "run.json").exists(),
        "of_epochs": wanted.training.n_epochs,
        "calls": [*earlier, {"minutes": minutes, "epochs": epochs(where), **provenance()}],
    }
    return hand_over(where, folder, about, limit=limit)


def beginning(wanted: NetworkExperiment, runs: Path) -> Run | None:
    """The finished run that an experiment begins with, if it begins with one."""
    if wanted.start is None:
        return None
    found = find_run(wanted.start, runs=runs, with_weights=True)
    if found is None:
        name = wanted.start.name
        raise LensyError(
            f"{wanted.name} begins with the weights of {name}, of which {runs} has no finished "
            f"run: make it with `lensy reproduce --only {name} --scale {wanted.scale}`, or bring "
            "its result there with --resume."
        )
    return found
