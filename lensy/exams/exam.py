"""What a finished run's network is asked, and its answers, kept as a run of their own.

Answers take minutes and say more than a score; kept like a run, a chapter can show them at once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from lensy.provenance import provenance
from lensy.runs.experiment import Scale
from lensy.runs.run import SINGLE, Run, write_run
from lensy.simulation.example import Recipe
from lensy.values import Columns, Frozen


class Question(Frozen):
    """Which network is asked about which images. A subclass says what, and its fields how.

    network: fingerprint of its run. recipe: of the images.
    """

    name: str
    scale: Scale
    network: str
    recipe: Recipe

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with the network, the images or the question."""
        asked = self.model_dump_json(exclude={"name", "scale", "recipe"})
        content = f"{type(self).__name__} {self.recipe.fingerprint} {asked}"
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @classmethod
    def to(cls, run: Run, recipe: Recipe, words: str, **how: Any) -> Self:
        """The question to a run's network. words: after the network's name, what it is asked."""
        about = run.info["experiment"]
        return cls(
            name=f"{about['name']}-{words}",
            scale=about["scale"],
            network=run.info["fingerprint"],
            recipe=recipe,
            **how,
        )


def write_answers(
    folder: Path,
    question: Question,
    run: Run,
    parts: Sequence[Columns],
    *,
    started: float,
    precision: str = SINGLE,
) -> Run:
    """Write the rows of several sets of images as a run. run: whose network has answered.

    started: `time.monotonic()` when it was asked. precision: that of the network's convolutions,
    by Lightning's name.
    """
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    info = {
        "experiment": question.model_dump(mode="json"),
        "fingerprint": question.fingerprint,
        "wall_seconds": round(time.monotonic() - started, 1),
        "arithmetic": precision,
        "network": {"name": run.info["experiment"]["name"], "provenance": run.info["provenance"]},
        "provenance": provenance(),
    }
    return write_run(folder, info=info, scores=columns)
