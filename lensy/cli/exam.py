"""`lensy exam`: any network, asked."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from lensy.cli.report import Quiet, result, show_progress
from lensy.errors import LensyError, exit_code_two


def _show_names(wanted: bool) -> None:
    """For --list: every exam there is, one a line."""
    if wanted:
        from lensy.exams.exam import exam_names

        typer.echo("\n".join(exam_names()))
        raise typer.Exit


def exam(
    name: Annotated[
        str, typer.Argument(help="An exam (--list shows all), or data to rank: talk, euclid.")
    ],
    network: Annotated[
        str,
        typer.Argument(
            help="A shipped run's name, a run's folder, or PACKAGE.MODULE:NAME of a function or "
            "torch module that gives scores of images."
        ),
    ],
    scale: Annotated[str, typer.Option(help="Scale: smoke, laptop or talk.")] = "smoke",
    data: Annotated[
        Path, typer.Option(help="Folder of data sets; those that are missing are made.")
    ] = Path("data"),
    out: Annotated[
        Path | None, typer.Option(help="Folder of the answers [default: runs/SCALE/NAME].")
    ] = None,
    quiet: Quiet = False,
    show_list: Annotated[  # noqa: ARG001
        bool, typer.Option("--list", help="Show the exams.", callback=_show_names, is_eager=True)
    ] = False,
) -> None:
    """Put a network to an exam, and keep its answers as a run."""
    show_progress(not quiet)
    with exit_code_two():
        from lensy.exams.exam import exam as hold

        asked = _network(network)
        held = hold(name, asked, scale=scale, data_folder=data, folder=out, progress=not quiet)
        typer.echo(result(held))


def _network(word: str) -> Any:
    """What is to be asked: a run, an object out of a module, or else a shipped run's name."""
    if Path(word).is_dir():
        from lensy.runs.run import Run

        return Run(Path(word))
    module, colon, name = word.partition(":")
    if not colon:
        return word
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules of the folder where the command is given
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise LensyError(
            f"There is no network {word!r} ({error}): give PACKAGE.MODULE:NAME of a function or "
            "torch module, importable from here."
        ) from None
