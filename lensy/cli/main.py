"""The program `lensy` and its commands."""

from __future__ import annotations

from typing import Annotated

import typer

import lensy
from lensy.cli.doctor import doctor
from lensy.cli.exam import exam
from lensy.cli.find import find
from lensy.cli.reproduce import reproduce
from lensy.cli.scorecard import scorecard
from lensy.cli.train import evaluate, train

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

for command in (find, train, evaluate, exam, scorecard, reproduce, doctor):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(lensy.__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Find strong gravitational lenses in Euclid images."""
