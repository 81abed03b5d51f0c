"""A row of the scorecard, the question behind it, and the estimates that are kept.

An interval takes seconds to compute. Those of the shipped runs were computed once: they stand in
`estimates.json`, each with the runs it is of, by experiment and content of their scores. Any other
run is measured when it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from math import isclose
from pathlib import Path
from typing import Any, Literal

from lensy.metrics.ranking import Estimate
from lensy.provenance import sha256, write_json
from lensy.runs.run import Run

KEPT = Path(__file__).with_name("estimates.json")

Runs = Mapping[str, Run]
"""Finished runs by experiment name."""

Verdict = Literal[
    "reproduced",
    "better",
    "worse",
    "not comparable",
    "not run",
    "holds",
    "does not hold",
    "undecided",
]


@dataclass(frozen=True)
class Row:
    """One published number, ours beside it, and what follows.

    published: None for a claim in words, see `claims`. ours, ci_low, ci_high: with the 95 %
    interval, None where not run. n: test images.
    """

    id: str
    quantity: str
    published: float | None
    ours: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = None
    scale: str | None = None
    chapter: str | None = None
    verdict: Verdict = "not run"

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class Question:
    """What finished runs can answer with a number.

    published: the talk's answer, None for a claim in words. needs: names of the runs that answer.
    measure: the answer, from these. chapter: that shows it. verdict: what an answer says.
    """

    id: str
    quantity: str
    published: float | None
    needs: tuple[str, ...]
    measure: Callable[[Runs], Estimate]
    chapter: str
    verdict: Callable[[Estimate], Verdict]

    def row(self, runs: Runs) -> Row:
        """Its row of the scorecard; `not run` where a run is missing."""
        if not all(name in runs for name in self.needs):
            return Row(self.id, self.quantity, self.published)
        ours = self.kept(runs) or self.measure(runs)
        return Row(
            id=self.id,
            quantity=self.quantity,
            published=self.published,
            ours=ours.value,
            ci_low=ours.low,
            ci_high=ours.high,
            n=ours.n,
            scale=runs[self.needs[0]].info["experiment"]["scale"],
            chapter=self.chapter,
            verdict=self.verdict(ours),
        )

    def kept(self, runs: Runs) -> Estimate | None:
        """The answer that is kept of these very runs; None where there is none."""
        entry = _content().get(self.id)
        if entry is None or entry["of"] != self.stamps(runs):
            return None
        return Estimate(**entry["estimate"])

    def stamps(self, runs: Runs) -> dict[str, str]:
        """What tells the runs it needs from all others: fingerprint and content, by name."""
        return {
            name: f"{run.fingerprint} {sha256(run.folder / 'scores.npz')[:12]}"
            for name, run in ((name, runs[name]) for name in self.needs)
        }


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(KEPT.read_text("utf-8"))
    return content


def keep(questions: Iterable[Question], runs: Runs, path: Path = KEPT) -> None:
    """Measure the answers to questions and write them, with the stamps of the runs they are of."""
    content = {
        each.id: {"of": each.stamps(runs), "estimate": asdict(each.measure(runs))}
        for each in questions
    }
    write_json(path, content)


def recomputed(questions: Iterable[Question], runs: Runs) -> dict[str, bool]:
    """Whether each question measured again has the answer that is kept, by id.

    Of the questions that these runs can answer and whose answer is kept; to nine digits, since
    another processor adds in another order.
    """
    same = {}
    for each in questions:
        if all(name in runs for name in each.needs) and (kept := each.kept(runs)):
            again = asdict(each.measure(runs))
            same[each.id] = all(
                isclose(value, again[name], rel_tol=1e-9) for name, value in asdict(kept).items()
            )
    return same
