"""`lensy scorecard`: what the talk published, and ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lensy.errors import exit_code_two

if TYPE_CHECKING:
    from lensy.runs.run import Run


def scorecard(
    run: Annotated[
        list[Path] | None, typer.Option(help="Folder of a run, instead of the shipped one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects.")] = False,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute the kept intervals anew, and compare.")
    ] = False,
) -> None:
    """Every number that the talk published, with ours beside it, and every claim in words.

    Exit code: 1 where --recompute gives other numbers than those that are kept.
    """
    with exit_code_two():
        from lensy.talk.claims import CLAIMS, claims
        from lensy.talk.question import recomputed
        from lensy.talk.scorecard import QUESTIONS, as_text
        from lensy.talk.scorecard import scorecard as published_numbers

        questions = [*QUESTIONS.values(), *CLAIMS]
        runs = _runs(run or [], [name for each in questions for name in each.needs])
        rows = [*published_numbers(runs), *claims(runs)]
        if as_json:
            typer.echo(json.dumps([row.as_dict() for row in rows], indent=1))
        else:
            typer.echo(as_text(rows))
        same = recomputed(questions, runs) if recompute else {}
        others = [name for name, agrees in same.items() if not agrees]
    if recompute:
        typer.echo(f"{len(same) - len(others)} of {len(same)} kept numbers agree.", err=True)
    if others:
        typer.echo(f"Other numbers than those that are kept: {', '.join(others)}.", err=True)
        raise typer.Exit(1)


def _runs(folders: list[Path], needed: list[str]) -> dict[str, Run]:
    """The runs in some folders and the shipped ones of other experiments that are needed."""
    from lensy.runs.library import shipped_run
    from lensy.runs.run import SHIPPED, Run

    runs = {each.name: each for each in map(Run, folders)}
    for name in needed:
        if name not in runs and any(SHIPPED.glob(f"*/{name}/run.json")):
            runs[name] = shipped_run(name)
    return runs
