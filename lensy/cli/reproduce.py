"""`lensy reproduce`: one part of the programme in a given time, on whatever device there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lensy.cli.report import Quiet, show_progress
from lensy.errors import exit_code_two


def reproduce(
    only: Annotated[str, typer.Option(help="Experiment: `lensy train --list` shows all.")],
    minutes: Annotated[float, typer.Option(help="Time that there is, writing included.")],
    scale: Annotated[str, typer.Option(help="Scale: smoke, laptop or talk.")] = "talk",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the result [default: results/SCALE/NAME].")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Folder of an earlier result, to go on from.")
    ] = None,
    megabytes: Annotated[
        int, typer.Option(help="Most that the result may take in all; a file has at most 16.")
    ] = 112,
    accelerator: Annotated[str, typer.Option(help="Lightning's accelerator.")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Teach one network for some minutes: data first, then epochs, then a result of few files.

    A second call with --resume goes on from it. Whatever the folders `data` and `runs` hold here is
    used as well.
    """
    show_progress(not quiet)
    with exit_code_two():
        from lensy.training.programme import reproduce as taught_for

        said = taught_for(
            only,
            out or Path("results") / scale / only,
            minutes=minutes,
            scale=scale,
            resume=resume,
            limit=1_000_000 * megabytes,
            progress=not quiet,
            trainer_options={"accelerator": accelerator, "devices": 1},
        )
        typer.echo(_in_words(said))


def _in_words(said: dict[str, Any]) -> str:
    if said["finished"]:
        return f"{said['name']} is finished: {said['parts']} files and result.json."
    state = f"{said['name']}: {said['epochs']} of {said['of_epochs']} epochs"
    if said["form"] == "none":
        return f"{state}; no checkpoint is in the result: go on here, where `data` and `runs` are."
    return f"{state}, checkpoint {said['form']}: go on with --resume."
