"""The command line: `lensy find`, `train`, `evaluate`, `scorecard` and `doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from lensy.cli import runs
from lensy.cli.doctor import examine
from lensy.errors import LensyError, exit_code_two
from lensy.finding.cutouts import read_cutout
from lensy.finding.inspection_page import Entry, write_page
from lensy.finding.mask_finder import MaskFinder, MaskFinding
from lensy.finding.unet_finder import Finder, Finding
from lensy.provenance import whole_file
from lensy.runs.library import shipped_run
from lensy.runs.run import Run

ENDINGS = (".fits", ".fits.gz")

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

app.command()(runs.train)

app.command()(runs.evaluate)

app.command()(runs.scorecard)


@app.callback()
def main() -> None:
    """Find strong gravitational lenses in Euclid images."""


@app.command()
def find(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="FITS files, or folders of them.")
    ],
    out: Annotated[Path, typer.Option(help="Table of candidates to write (ECSV).")],
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for one picture (PNG) per file.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Page on which to grade the candidates, for a browser.")
    ] = None,
    zero_point: Annotated[
        float | None, typer.Option(help="AB magnitude of one count, instead of MAGZERO.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="Which of the shipped networks: naberrie-vis, -y, -j or -h for that band, or "
            "mrc-3 and its kin, which give boxes and masks."
        ),
    ] = "naberrie-vis",
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run, instead of a shipped network.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only errors.")] = False,
) -> None:
    """Score Euclid images and list the lens candidates in them, best first.

    A Mask R-CNN also writes everything it found, with masks, as COCO beside the table: its name
    with the ending .json.

    Each file gives at least one row; flags say what is special about it. A file that cannot be
    used is named on standard error and the others are searched.

    Exit code: 0 when all files were searched; 1 when some could not be used; 2 when none could,
    or when the arguments are wrong.
    """
    with exit_code_two():
        trained = Run(run) if run else shipped_run(model)
        _check_places(out, pictures, html, taken=".json" if trained.finds_masks else "")
        finder: Any = (MaskFinder if trained.finds_masks else Finder).from_run(trained)
        files = _input_files(paths)
        candidates: list[Any] = []
        entries: list[Entry] = []
        n_failed = 0
        pairs = list(zip(files, _picture_names(files), strict=True))
        for path, picture in tqdm(pairs, unit="file", disable=quiet):
            try:
                cutout = read_cutout(path, finder.band, zero_point=zero_point)
                finding = finder.find(cutout, progress=not quiet)
            except LensyError as error:
                tqdm.write(f"Error: {error}", file=sys.stderr)
                n_failed += 1
                continue
            candidates += finding.candidates
            entries += finding.entries() if html else []
            if pictures:
                _save_picture(finding, pictures / picture)
        if not candidates:
            raise LensyError(f"None of {len(files)} files could be searched; {out} is not written.")
        finder.write(candidates, out)
        if html:
            write_page(entries, html)
    if n_failed:
        raise typer.Exit(1)


@app.command()
def doctor(
    folder: Annotated[Path, typer.Argument(help="Where you want to work.")] = Path(),
    trial: Annotated[bool, typer.Option(help="Simulate, train and find a little.")] = True,
) -> None:
    """Look whether this machine is ready, and say in words what to do where it is not.

    Exit code: 0 when all is well or there is only advice; 1 when there is a problem.
    """
    with exit_code_two():
        if not folder.is_dir():
            raise LensyError(f"{folder} is not a folder: give the one where you want to work.")
        problems = 0
        for check in examine(folder, trial=trial):
            typer.echo(f"{check.state:<8} {check.name:<9} {check.says}")
            problems += check.state == "problem"
    if problems:
        raise typer.Exit(1)


def _check_places(out: Path, pictures: Path | None, html: Path | None, *, taken: str) -> None:
    """Raise LensyError before the work where its results could not be written.

    taken: ending of another file that is written beside the table.
    """
    if out.is_dir():
        raise LensyError(f"--out {out} is a folder: give the name of a file in it.")
    if html and html.is_dir():
        raise LensyError(f"--html {html} is a folder: give the name of a file in it.")
    if html and html.resolve() == out.resolve():
        raise LensyError(f"--html and --out are both {out}: give two names.")
    if taken and out.suffix == taken:
        raise LensyError(
            f"--out {out} is the table, and masks go beside it as {taken}: choose another ending, "
            ".ecsv say."
        )
    if pictures and pictures.exists() and not pictures.is_dir():
        raise LensyError(f"--pictures {pictures} is a file: give a folder.")
    for folder in (out.parent, pictures or out.parent, html.parent if html else out.parent):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LensyError(f"{folder} cannot be made ({error.strerror}).") from None


def _input_files(paths: list[Path]) -> list[Path]:
    """The files named and those in the folders named, each once, in order."""
    found: dict[Path, Path] = {}
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else []
        for each in [f for f in inside if f.name.lower().endswith(ENDINGS)] or [path]:
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _picture_names(files: list[Path]) -> list[str]:
    """A picture's name per file; files of the same name get numbers."""
    names: list[str] = []
    for path in files:
        stem = path.name.removesuffix(".gz").removesuffix(".fits")
        name, number = stem, 2
        while name.lower() in {each.lower() for each in names}:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return [f"{name}.png" for name in names]


def _save_picture(finding: Finding | MaskFinding, path: Path) -> None:
    with whole_file(path) as temporary:
        finding.draw().savefig(temporary, format="png", dpi=110)
