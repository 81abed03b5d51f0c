"""Published against ours, one row for every number the talk printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import Any, Literal

import numpy as np

from lensy.metrics.operating_point import FIGURES
from lensy.metrics.ranking import Estimate, Labels, auroc, bootstrap
from lensy.runs.run import Run
from lensy.talk.published import Published, published_number, published_numbers
from lensy.talk.table import implied, table_row
from lensy.values import Floats

NOT_THE_SAME_EXAM = (
    "The talk's test images are gone: its numbers and ours come from different images, and only\n"
    "the order of methods and bands can be compared. Accuracy and precision are stated for the\n"
    "prevalence that each published row implies, with probability 0.5 as threshold; the loss\n"
    "is that of flux over the image's range, the predecessor's scaling; the talk states none, so\n"
    "that its losses cannot be compared."
)

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
    ours: float | None
    ci_low: float | None
    ci_high: float | None
    n: int | None
    scale: str | None
    chapter: str | None
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON-ready values."""
        return asdict(self)


def verdict(published: Published, ours: Estimate) -> Verdict:
    """`reproduced` where the published value lies in our interval, else `better` or `worse`.

    `not comparable` where the talk does not say in which unit its number is.
    """
    if published.unit_unknown:
        return "not comparable"
    if ours.low <= published.value <= ours.high:
        return "reproduced"
    better = (ours.value < published.value) == published.lower_is_better
    return "better" if better else "worse"


def scorecard(runs: Mapping[str, Run]) -> list[Row]:
    """All rows, in the order of the talk.

    runs: finished runs by experiment name; what none of them answers is `not run`, but for scores
    of single images of the talk, which are gone: `not comparable`.
    """
    answers: dict[str, tuple[Run, Estimate]] = {}
    for name in ("vis", "y", "j", "h"):
        if run := runs.get(f"naberrie-{name}"):
            answers |= {key: (run, ours) for key, ours in _of_band(name, run).items()}
    for name in ("mrc-95", "mrc-99", "mrc-995", "mrc-3"):
        if run := runs.get(name):
            scores = run.scores()
            answers[f"auroc.{name}"] = (run, bootstrap(auroc, scores["label"], scores["score"]))
    rows = []
    for number in published_numbers():
        if number.id in answers:
            rows.append(_answered(number, *answers[number.id]))
        else:
            empty = (None, None, None, None, None, None)
            state: Verdict = "not comparable" if number.of_one_image else "not run"
            rows.append(Row(number.id, number.quantity, number.value, *empty, state))
    return rows


def _of_band(name: str, run: Run) -> dict[str, Estimate]:
    """What the talk printed of one band, measured with our run."""
    scores = run.scores()
    label, score = scores["label"], scores["score"]
    table = table_row(label, score, threshold=0.0, prevalence=implied_prevalence(name))
    found = {f"table.{name}.{figure}": estimate for figure, estimate in table.items()}
    found[f"table.{name}.loss"] = bootstrap(_root_mean, label, scores["scaled_squared_error"])
    found[f"auroc.naberrie.{name}"] = bootstrap(auroc, label, score)
    return found


def implied_prevalence(name: str) -> float:
    """Share of lenses in the talk's test set of a band, as its table row implies."""
    figures = [published_number(f"table.{name.lower()}.{each}").value for each in FIGURES]
    return implied(*figures)[0]


def _root_mean(_labels: Labels, squares: Floats) -> float:
    return float(np.sqrt(squares.mean()))


def _answered(number: Published, run: Run, ours: Estimate) -> Row:
    return Row(
        id=number.id,
        quantity=number.quantity,
        published=number.value,
        ours=ours.value,
        ci_low=ours.low,
        ci_high=ours.high,
        n=ours.n,
        scale=run.info["experiment"]["scale"],
        chapter="mask_rcnn" if run.finds_masks else "classifier",
        verdict=verdict(number, ours),
    )


def as_text(rows: list[Row]) -> str:
    """The scorecard as a table for a terminal; what claims say stands below their rows."""
    header = f"{'id':<28}{'published':>10}{'ours':>9}{'95 % interval':>18}{'n':>7}  verdict"
    lines = [header, "-" * len(header)]
    for row in rows:
        published = ours = interval = count = ""
        if row.published is not None:
            published = f"{row.published:.4f}"
        if row.ours is not None and row.ci_low is not None and row.ci_high is not None:
            ours = f"{row.ours:.4f}"
            interval = f"{row.ci_low:.4f}-{row.ci_high:.4f}"
            count = str(row.n)
        lines.append(
            f"{row.id:<28}{published:>10}{ours:>9}{interval:>18}{count:>7}  {row.verdict}"
            + (f" ({row.scale})" if row.scale else "")
        )
        if row.published is None:
            lines += wrap(row.quantity, 92, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([*lines, "", NOT_THE_SAME_EXAM])
