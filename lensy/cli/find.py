"""`lensy find`: candidates in images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lensy.cli.report import Quiet
from lensy.errors import LensyError, exit_code_two

if TYPE_CHECKING:
    from lensy.finding.result import Finding


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
            "mrc-3 or mrc-4, which give boxes and masks."
        ),
    ] = "naberrie-vis",
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run, instead of a shipped network.")
    ] = None,
    quiet: Quiet = False,
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
        from tqdm import tqdm

        from lensy.finding.cutouts import read_cutout
        from lensy.finding.finder import Finder, fits_files
        from lensy.finding.result import Findings
        from lensy.runs.run import Run

        finder = Finder.of(Run(run) if run else model)
        has_masks = finder.scorer.detector is not None
        _check_places(out, pictures, html, taken=".json" if has_masks else "")
        files, findings, n_failed = fits_files(paths), Findings(), 0
        pairs = list(zip(files, _picture_names(files), strict=True))
        for path, picture in tqdm(pairs, unit="file", disable=quiet):
            try:
                cutout = read_cutout(path, finder.band, zero_point=zero_point)
                finding = finder.find(cutout, progress=not quiet)
            except LensyError as error:
                tqdm.write(f"Error: {error}", file=sys.stderr)
                n_failed += 1
                continue
            findings.add(finding, page=html is not None)
            if pictures:
                _save_picture(finding, pictures / picture)
        if n_failed == len(files):
            raise LensyError(f"None of {len(files)} files could be searched; {out} is not written.")
        findings.write(out)
        if html:
            findings.to_html(html)
    if n_failed:
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


def _save_picture(finding: Finding, path: Path) -> None:
    from lensy.provenance import whole_file

    with whole_file(path) as temporary:
        finding.figure().savefig(temporary, format="png", dpi=110)
