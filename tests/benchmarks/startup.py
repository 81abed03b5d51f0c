"""How long the package and its program take to begin, in units of Python's own beginning.

    .venv/bin/python tests/benchmarks/startup.py

Processor time of whole processes, medians, over that of `python -c pass` measured in turn with
them: such ratios hold on any machine. Not part of the tests.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from typing import Annotated

import typer
from record import record

PROGRAM = (sys.executable, "-c", "from lensy.cli.main import app; app()")
WAYS = {
    "nothing": (sys.executable, "-c", "pass"),
    "import lensy": (sys.executable, "-c", "import lensy"),
    "lensy --help": (*PROGRAM, "--help"),
    "lensy --version": (*PROGRAM, "--version"),
    "lensy train --help": (*PROGRAM, "train", "--help"),
    "lensy scorecard": (*PROGRAM, "scorecard"),
}
"""Commands by what they are called; the first is the unit."""


def processor_seconds(command: tuple[str, ...]) -> float:
    """Seconds of processor time, user's and system's, that a process and its children take."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )


def main(
    n: Annotated[int, typer.Option(help="Repetitions of each.")] = 11,
    keep: Annotated[bool, typer.Option("--record", help="Keep the result for the book.")] = False,
) -> None:
    """Print a line per command."""
    for command in WAYS.values():
        processor_seconds(command)  # so that byte code is there
    rounds = [{way: processor_seconds(each) for way, each in WAYS.items()} for _ in range(n)]
    medians = {way: statistics.median(each[way] for each in rounds) for way in WAYS}
    unit = medians["nothing"]
    rows = []
    for way, seconds in medians.items():
        ratio = seconds / unit
        rows.append({"way": way, "seconds": seconds, "ratio": ratio})
        typer.echo(f"{way:<20}{seconds:6.3f} s of processor time, {ratio:5.1f} x nothing")
    if keep:
        record("startup", rows, repetitions=n)


if __name__ == "__main__":
    typer.run(main)
