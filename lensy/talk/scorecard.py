"""Published against ours, one row for every number the talk printed."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from textwrap import wrap

import numpy as np

from lensy.metrics.operating_point import FIGURES
from lensy.metrics.ranking import Estimate, Labels, auroc, bootstrap
from lensy.runs.library import shipped_run
from lensy.talk.published import Published, published_number, published_numbers
from lensy.talk.question import Question, Row, Runs, Verdict
from lensy.talk.table import implied, table_figure
from lensy.values import Columns, Floats

NOT_THE_SAME_EXAM = (
    "The talk's test images are gone: its numbers and ours come from different images, and only\n"
    "the order of methods and bands can be compared. Accuracy and precision are stated for the\n"
    "prevalence that each published row implies, with probability 0.5 as threshold; the loss\n"
    "is that of flux over the image's range, the predecessor's scaling; the talk states none, so\n"
    "that its losses cannot be compared."
)


def verdict(published: Published, ours: Estimate) -> Verdict:
    """`reproduced` where the published value lies in our interval, else `better` or `worse`.

    `not comparable` where the talk does not say in which unit its number is, and where ours is
    none, as the precision of a network that calls nothing a lens.
    """
    if published.unit_unknown or math.isnan(ours.value):
        return "not comparable"
    if ours.low <= published.value <= ours.high:
        return "reproduced"
    better = (ours.value < published.value) == published.lower_is_better
    return "better" if better else "worse"


def implied_prevalence(name: str) -> float:
    """Share of lenses in the talk's test set of a band, as its table row implies."""
    figures = [published_number(f"table.{name.lower()}.{each}").value for each in FIGURES]
    return implied(*figures)[0]


def area(scores: Columns) -> Estimate:
    """AUROC of a run."""
    return bootstrap(auroc, scores["label"], scores["score"])


def loss(scores: Columns) -> Estimate:
    """Root mean square error of a run's reconstructions, in the predecessor's scaling."""
    return bootstrap(_root_mean, scores["label"], scores["scaled_squared_error"])


def figure(scores: Columns, *, name: str, band: str) -> Estimate:
    """One of the table's figures at the prevalence that the talk's row of the band implies."""
    settings = {"threshold": 0.0, "prevalence": implied_prevalence(band)}
    return table_figure(name, scores["label"], scores["score"], **settings)


def _root_mean(_labels: Labels, squares: Floats) -> float:
    return float(np.sqrt(squares.mean()))


BANDS = ("vis", "y", "j", "h")

ANSWERS: dict[str, tuple[str, str, Callable[[Columns], Estimate]]] = {
    **{f"auroc.naberrie.{each}": (f"naberrie-{each}", "classifier", area) for each in BANDS},
    **{f"table.{each}.loss": (f"naberrie-{each}", "classifier", loss) for each in BANDS},
    **{
        f"table.{each}.{name}": (
            f"naberrie-{each}",
            "classifier",
            partial(figure, name=name, band=each),
        )
        for each in BANDS
        for name in FIGURES
    },
    **{
        f"auroc.{name}": (name, "mask_rcnn", area)
        for name in ("mrc-95", "mrc-99", "mrc-995", "mrc-3")
    },
}
"""By id of a published number: the run whose scores answer it, the chapter on it, and how."""


def _question(number: Published) -> Question:
    """What a published number asks of our runs."""
    run, chapter, answer = ANSWERS[number.id]
    return Question(
        id=number.id,
        quantity=number.quantity,
        published=number.value,
        needs=(run,),
        measure=lambda runs: answer(runs[run].scores()),
        chapter=chapter,
        verdict=partial(verdict, number),
    )


QUESTIONS = {each.id: _question(each) for each in published_numbers() if each.id in ANSWERS}
"""By id of the published numbers that runs can answer; of the others the images are gone."""

NEEDED = tuple(dict.fromkeys(run for run, _, _ in ANSWERS.values()))
"""Names of all runs that answer one."""


def scorecard(runs: Runs | None = None) -> list[Row]:
    """A row for every number that the talk published, in its order.

    runs: finished runs by experiment name, those that come with the package unless given. What none
    of them answers is `not run`, but for scores of single images of the talk, which are gone: `not
    comparable`.

    >>> next(row.verdict for row in scorecard() if row.id == "auroc.naberrie.vis")
    'better'
    """
    if runs is None:
        runs = {name: shipped_run(name) for name in NEEDED}
    return [
        QUESTIONS[number.id].row(runs)
        if number.id in QUESTIONS
        else Row(number.id, number.quantity, number.value, verdict="not comparable")
        for number in published_numbers()
    ]


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
