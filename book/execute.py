"""Chapters executed by papermill, each in a fresh kernel of this very environment."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError, strip_color
from stage import with_steady_ids

from lensy.errors import LensyError

LAUNCH = "-m ipykernel_launcher -f {connection_file}"

LINES_SHOWN = 12
"""Lines of a traceback that the report shows; the notebook has them all."""


class ChapterError(Exception):
    """A chapter did not run to its end. The message says which, where and why."""


@contextmanager
def project_kernel(log: Path) -> Iterator[None]:
    """Let `python3` mean this interpreter, whatever kernels the machine has, with inline figures.

    log: file for what kernels themselves say at their start, their end or in a crash.
    With another MPLBACKEND in the environment every figure would vanish and nothing would fail.
    """
    spec = {
        "argv": [sys.executable, *LAUNCH.split()],
        "display_name": "Python 3",
        "language": "python",
        "env": {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    }
    before = os.environ.get("JUPYTER_PATH")
    with tempfile.TemporaryDirectory(prefix="lensy-kernel-") as folder:
        kernel = Path(folder) / "kernels" / "python3"
        kernel.mkdir(parents=True)
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [folder, before]))
        try:
            with _standard_error_in(log):
                yield
        finally:
            del os.environ["JUPYTER_PATH"]
            if before is not None:
                os.environ["JUPYTER_PATH"] = before


@contextmanager
def _standard_error_in(log: Path) -> Iterator[None]:
    """Send standard error, also that of processes started meanwhile, to a file."""
    sys.stderr.flush()
    before = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def defined_parameters(notebook: Path) -> dict[str, Any]:
    """Names and values in a notebook's cell tagged `parameters`, in order.

    Raises LensyError for a value that has to be computed.
    """
    found = papermill.inspect_notebook(str(notebook))
    values = {}
    for name, each in found.items():
        try:
            values[name] = literal_eval(each["default"])
        except (SyntaxError, ValueError):
            raise LensyError(
                f"{notebook.name}: the parameter {name!r} is {each['default']}, which has to be "
                "computed; allowed are numbers, words, and lists and dictionaries of them: compute "
                "it in another cell."
            ) from None
    return values


class Clock:
    """One time limit for a whole chapter, which nbclient asks for before each cell."""

    def __init__(self, minutes: float) -> None:
        """Start counting."""
        self.limit = 60.0 * minutes
        self.started = time.monotonic()
        self.cell: NotebookNode | None = None

    @property
    def seconds(self) -> float:
        """Time gone by."""
        return time.monotonic() - self.started

    def __call__(self, cell: NotebookNode) -> int:
        """Seconds left to this cell, at least one."""
        self.cell = cell
        return max(1, round(self.limit - self.seconds))


def run_chapter(
    name: str, notebook: Path, parameters: Mapping[str, Any], *, minutes: float, folder: Path
) -> float:
    """Execute a notebook in place. Returns the seconds it took.

    folder: the kernel's working directory. Raises ChapterError; the notebook then holds the output
    up to the cell that failed.
    """
    clock = Clock(minutes)
    try:
        executed = papermill.execute_notebook(
            str(notebook),
            str(notebook),
            parameters=dict(parameters),
            cwd=str(folder),
            language="python",
            progress_bar=False,
            timeout_func=clock,
        )
    except PapermillExecutionError as error:
        why = f"{error.ename}: {error.evalue}"
        raise ChapterError(_report(name, notebook, error.source, why, error.traceback)) from None
    except CellTimeoutError:
        why = f"the chapter ran past its limit of {minutes:g} minutes, set in book/scales/"
        raise ChapterError(_report(name, notebook, _source(clock.cell), why)) from None
    except DeadKernelError:
        why = "the kernel died, most often for lack of memory (see kernels.log beside the book)"
        raise ChapterError(_report(name, notebook, _source(clock.cell), why)) from None
    nbformat.write(with_steady_ids(without_traces(executed), name), notebook)
    return clock.seconds


def _source(cell: NotebookNode | None) -> str:
    return cell.source if cell is not None else ""


def _report(
    name: str, notebook: Path, source: str, why: str, traceback: list[str] | None = None
) -> str:
    """One block that a person can act on."""
    content = nbformat.read(notebook, as_version=4)
    code = [cell.source for cell in content.cells if cell.cell_type == "code"]
    number = code.index(source) + 1 if source in code else "?"
    lines = "\n".join(strip_color(part) for part in traceback or []).splitlines()[-LINES_SHOWN:]
    return "\n".join(
        [
            f"Chapter {name} failed in code cell {number} of {len(code)}:",
            *(f"    {line}" for line in source.splitlines()[:3]),
            f"  error     {strip_color(why)}",
            f"  notebook  {notebook} (executed up to that cell)",
            *(f"  | {line}" for line in lines),
        ]
    )


def without_traces(notebook: NotebookNode) -> NotebookNode:
    """The same notebook without times and paths: equal runs, equal files."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    return notebook


def complaints(notebook: Path) -> list[str]:
    """Lines that a notebook's cells wrote to standard error, progress bars left out."""
    content = nbformat.read(notebook, as_version=4)
    texts = [
        output.text
        for cell in content.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]
    lines = re.split(r"[\r\n]+", "\n".join(texts))
    return [line for line in lines if line.strip() and not re.search(r"\d%\||it/s|s/it", line)]
