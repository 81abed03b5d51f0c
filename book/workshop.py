"""Make what a workshop needs: `python book/workshop.py`.

The teacher's edition is the book. The student's has the same pages with every solution taken out
and nothing else changed: outputs are those of the executed book, and exercises are cells to be
filled in. Beside both lie notebooks, which a learner opens on a laptop.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from build import ROOT, PagesError, build_pages, make_book, make_room, read_arguments
from execute import ChapterError
from exercises import solution_lines
from gate import find_problems
from nbformat import NotebookNode
from stage import stage, with_steady_ids

from lensy.errors import LensyError, exit_code_two

SOURCE = ROOT / "book"


def make_workshop(scale: str, out: Path, work: Path) -> list[Path]:
    """Make both editions and their notebooks below `out`.

    Returns the first page of each edition. Raises LensyError, ChapterError or PagesError.
    """
    for edition in ("teacher", "student"):
        make_room(out / edition)
    words = ["--scale", scale, "--out", str(out / "teacher"), "--stage", str(work)]
    first = make_book(read_arguments(words))
    return [first, student_edition(work / scale / "book", work / f"{scale}-student", out)]


def student_edition(executed: Path, work: Path, out: Path) -> Path:
    """Make the student's pages and both kinds of notebooks from the executed book.

    executed: folder of its notebooks. Returns the first page.
    """
    notebooks = stage(SOURCE, work / "book", "student")
    write_notebooks(stage(SOURCE, work / "plain", "teacher"), out / "notebooks" / "teacher")
    write_notebooks(notebooks, out / "notebooks" / "student")
    for name, path in notebooks.items():
        done = nbformat.read(executed / f"{name}.ipynb", as_version=4)
        shown = with_outputs(nbformat.read(path, as_version=4), done)
        nbformat.write(with_steady_ids(shown, name), path)
    if (executed / "report.md").exists():
        shutil.copy(executed / "report.md", work / "book")
    html, problems = build_pages(work)
    problems += find_problems(html, notebooks, {})
    problems += leaks([html, out / "notebooks" / "student"])
    if problems:
        raise PagesError("\n".join(["The student's pages have problems:", *problems]))
    shutil.copytree(html, out / "student", dirs_exist_ok=True)
    return out / "student" / "index.html"


def write_notebooks(notebooks: dict[str, Path], folder: Path) -> None:
    """Copy notebooks into a folder, which loses what was in it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for path in notebooks.values():
        shutil.copy(path, folder)


def with_outputs(notebook: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """A notebook with the outputs of the cells that an executed one has too.

    The parameters that were used stand after their defaults, as in the executed one.
    """
    used = [cell for cell in executed.cells if "injected-parameters" in tags(cell)]
    done = {cell.source: cell for cell in executed.cells if cell.cell_type == "code"}
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source in done:
            cell["outputs"] = done[cell.source].outputs
            cell["execution_count"] = done[cell.source].execution_count
        cells.append(cell)
        if "parameters" in tags(cell):
            cells += used
    notebook.cells = cells
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """Tags of a cell."""
    return list(cell.metadata.get("tags", []))


def leaks(folders: list[Path]) -> list[str]:
    """A sentence for every solution that a file in the folders betrays, downloads included."""
    secrets = {
        line: path.stem
        for path in sorted(SOURCE.glob("*.md"))
        for line in solution_lines(path.read_text("utf-8"), chapter=path.stem)
    }
    problems = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix not in (".html", ".ipynb", ".md", ".txt", ".js", ".py"):
                continue
            text = readable(path)
            problems += [
                f"  {path.relative_to(folder)} betrays a solution of {chapter}: {line}"
                for line, chapter in secrets.items()
                if path.stem == chapter and line in text
            ]
    return problems


def readable(path: Path) -> str:
    """What a person reads in a file: the cells of a notebook, the text of a page."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        return "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
    if path.suffix == ".html":
        return BeautifulSoup(text, "html.parser").get_text()
    return text


def main() -> int:
    """Make the workshop and say where it is. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", default="laptop", help="smoke, laptop or talk")
    parser.add_argument("--out", type=Path, default=ROOT / "_workshop", help="(default: _workshop)")
    parser.add_argument("--stage", type=Path, default=ROOT / "_stage", help="(default: _stage)")
    arguments = parser.parse_args()
    try:
        with exit_code_two():
            out, work = arguments.out.resolve(), arguments.stage.resolve()
            teacher, student = make_workshop(arguments.scale, out, work)
    except (ChapterError, PagesError, LensyError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"The teacher's edition is at {teacher}")
    print(f"The student's edition is at {student}")
    print(f"Notebooks of both are in {out / 'notebooks'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
