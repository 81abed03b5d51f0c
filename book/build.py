"""Make the book: `python book/build.py --scale laptop`.

Chapters become notebooks, papermill executes them in reading order, Jupyter Book makes pages of
them with warnings as errors, and the pages are checked. A book with a problem is not handed out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from cache import Cache, key, surroundings
from execute import ChapterError, complaints, defined_parameters, project_kernel, run_chapter
from exercises import Edition
from gate import find_problems
from mend import mend
from meter import Cost, Meter
from papermill.exceptions import strip_color
from report import as_table, write_report
from settings import Settings, choose_parameters, read_settings
from stage import stage

from lensy.errors import LensyError, exit_code_two
from lensy.provenance import write_json

ROOT = Path(__file__).resolve().parent.parent
# autodoc writes into the classes that it documents, so that pydantic could make no further ones:
# exams, the last that derive from what book/api.md shows, have to be there before
JUPYTER_BOOK = (
    "from lensy.exams.exam import load_exams; load_exams(); "
    "from jupyter_book.cli.main import main; main()"
)


class PagesError(Exception):
    """The pages have problems. The message lists them."""


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--scale", default="laptop", help="smoke, laptop or talk: a file in SOURCE/scales")
    add("--fresh", action="store_true", help="train everything, use no shipped run")
    add("--cold", action="store_true", help="execute every chapter, whether it has changed or not")
    add("--record", action="store_true", help="keep what chapters cost for the boxes at their top")
    add("--check", action="store_true", help="also show that no exercise solves itself")
    add("--out", type=Path, default=ROOT / "_book", help="folder for the pages (default: _book)")
    add("--data", type=Path, help="folder for data sets (default: data)")
    add("--runs", type=Path, help="folder for trained runs (default: runs)")
    add("--source", type=Path, default=ROOT / "book", help="folder of the chapters (default: book)")
    add("--stage", type=Path, default=ROOT / "_stage", help="folder to work in (default: _stage)")
    return parser.parse_args(arguments)


def make_book(arguments: argparse.Namespace) -> Path:
    """Stage, execute, build, check, hand out. Returns the first page.

    Raises LensyError, ChapterError or PagesError.
    """
    out: Path = arguments.out.resolve()
    make_room(out)
    work: Path = arguments.stage.resolve() / arguments.scale
    edition: Edition = "checked" if arguments.check else "teacher"
    notebooks = stage(arguments.source.resolve(), work / "book", edition)
    settings = read_settings(arguments.source / "scales" / f"{arguments.scale}.yml", [*notebooks])
    shared = {
        "use_shipped": not arguments.fresh,
        "data_folder": str(arguments.data.resolve()) if arguments.data else "data",
        "runs_folder": str(arguments.runs.resolve()) if arguments.runs else "runs",
    }
    cache = None if arguments.cold or arguments.fresh else Cache(work / "executed")
    costs = execute_chapters(notebooks, settings, shared, work / "kernels.log", cache)
    if arguments.record:
        keep_costs(arguments.source / "costs.json", arguments.scale, costs)
    write_report(work / "book", as_table(costs, settings, fresh=arguments.fresh))
    html, problems = build_pages(work)
    figures = {name: settings.chapter(name).figures for name in notebooks}
    problems += find_problems(html, notebooks, figures)
    if problems:
        raise PagesError("\n".join(["The pages have problems:", *(f"  {p}" for p in problems)]))
    shutil.copytree(html, out, dirs_exist_ok=True)
    return out / "index.html"


def make_room(out: Path) -> None:
    """Remove an earlier book, so that none of its pages survives.

    Raises LensyError where the folder holds something else.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / ".buildinfo").exists():
            raise LensyError(f"--out {out} holds something that is no book; choose a new folder.")
        shutil.rmtree(out)


def execute_chapters(
    notebooks: dict[str, Path],
    settings: Settings,
    shared: dict[str, Any],
    log: Path,
    cache: Cache | None = None,
) -> dict[str, Cost]:
    """Execute every notebook in order, from the repository's root, one line each.

    cache: executed notebooks of earlier builds; without one all are executed. Returns what each
    cost. Raises ChapterError, also for a chapter that took more memory than it may.
    """
    parameters = {
        name: choose_parameters(name, defined_parameters(notebook), settings, shared)
        for name, notebook in notebooks.items()
    }
    print(f"Executing {len(notebooks)} chapters at scale {settings.scale}:", flush=True)
    around, costs = surroundings(), {}
    with project_kernel(log):
        for name, notebook in notebooks.items():
            print(f"  {name:<14}", end="", flush=True)
            known = key(notebook, parameters[name], around)
            if cache is not None and cache.fetch(name, known, notebook):
                costs[name] = Cost(0.0, 0.0, kept=True)
                print("   unchanged", flush=True)
                continue
            with Meter() as meter:
                run_chapter(
                    name,
                    notebook,
                    parameters[name],
                    minutes=settings.limit(name, fresh=not shared["use_shipped"]),
                    folder=ROOT,
                )
            cost = costs[name] = meter.cost
            print(f"{cost.seconds:7.1f} s {cost.megabytes:6.0f} MB", flush=True)
            if cost.megabytes > settings.memory_of(name):
                raise ChapterError(
                    f"Chapter {name} took {cost.megabytes:.0f} MB of memory; its limit, set in "
                    f"book/scales/, is {settings.memory_of(name):.0f} MB."
                )
            if cache is not None:
                cache.keep(name, known, notebook)
            if lines := complaints(notebook):
                print(f"    wrote {len(lines)} lines to standard error, first: {lines[0]}")
    return costs


def keep_costs(path: Path, scale: str, costs: dict[str, Cost]) -> None:
    """Write the seconds of the chapters that were executed, beside those of other scales."""
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    spent = {name: round(cost.seconds, 1) for name, cost in costs.items() if not cost.kept}
    known[scale] = known.get(scale, {}) | spent
    write_json(path, known)


def build_pages(work: Path) -> tuple[Path, list[str]]:
    """Let Jupyter Book make pages of the notebooks in `work/book`.

    Returns the folder of the pages, and every warning: each is a problem.
    """
    print("Building the pages ...", flush=True)
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(work / "book")]
    # without --path-output, Jupyter Book builds beside the first _config.yml it finds above
    command += ["--path-output", str(work / "book"), "--config", str(with_links(work))]
    command += ["-W", "--keep-going", "-n"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = strip_color(done.stdout).splitlines()
    log = work / "jupyter-book.log"
    log.write_text("\n".join(lines), encoding="utf-8")
    problems = []
    if done.returncode:
        problems = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-30:]
        problems.append(f"Jupyter Book left with code {done.returncode}; its whole log is {log}.")
    html = work / "book" / "_build" / "html"
    mend(html)
    return html, problems


def with_links(work: Path) -> Path:
    """The book's configuration, with buttons to its source where a public address is configured.

    That is one setting, `repository: url`. Without it there are no buttons.
    """
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    if config["repository"]["url"]:
        config["repository"] |= {"path_to_book": "book", "branch": "main"}
        buttons = ("use_edit_page_button", "use_repository_button", "use_issues_button")
        config["html"] |= dict.fromkeys(buttons, True)
        config["launch_buttons"]["binderhub_url"] = "https://mybinder.org"
    path = work / "_config.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def main() -> int:
    """Make the book and say where it is. Returns the exit code."""
    started = time.monotonic()
    try:
        with exit_code_two():
            first_page = make_book(read_arguments())
    except (ChapterError, PagesError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"The book is at {first_page}")
    print(f"It took {(time.monotonic() - started) / 60:.1f} minutes.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
