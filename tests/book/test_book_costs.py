"""What chapters cost: measured, limited, reported, and nothing for what has not changed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import nbformat
import pytest
from build import execute_chapters
from builders import CHAPTER_HEADER as HEADER
from cache import DEPENDENCIES, Cache, key, surroundings
from execute import ChapterError
from meter import INTERVAL, Cost, Meter
from report import PLACE, as_table, write_report
from settings import Settings
from stage import stage

ROOT = Path(__file__).resolve().parents[2]

PARAMETERS = ":tags: [parameters]\n\nn = 1"
SHARED = {"use_shipped": True}
TICKING = "from pathlib import Path\nwith Path('ticks').open('a') as file:\n    file.write('x')"


def write_book(folder: Path, code: str) -> Path:
    """A book of one chapter with one cell, and one with a parameter."""
    folder.mkdir()
    (folder / "_toc.yml").write_text("{format: jb-book, root: one}")
    cells = [f"```{{code-cell}} ipython3\n{each}\n```\n" for each in (PARAMETERS, code)]
    (folder / "one.md").write_text(HEADER + "\n".join(cells))
    return folder


def execute(tmp_path: Path, code: str, cache: Cache | None = None, **settings: object) -> Cost:
    """Stage the book anew and execute it; what its chapter cost."""
    shutil.rmtree(tmp_path / "source", ignore_errors=True)
    notebooks = stage(write_book(tmp_path / "source", code), tmp_path / "stage" / "book")
    wanted = Settings.model_validate({"scale": "smoke", "minutes": 1} | settings)
    return execute_chapters(notebooks, wanted, SHARED, tmp_path / "kernels.log", cache)["one"]


def test_an_unchanged_chapter_is_executed_once(tmp_path: Path) -> None:
    ticks = tmp_path / "ticks"
    code = TICKING.replace("'ticks'", f"{str(ticks)!r}")
    cache = Cache(tmp_path / "executed")
    assert not execute(tmp_path, code, cache).kept
    first = (tmp_path / "stage" / "book" / "one.ipynb").read_text()
    again = execute(tmp_path, code, cache)
    assert again == Cost(0.0, 0.0, kept=True)
    assert ticks.read_text() == "x"
    assert (tmp_path / "stage" / "book" / "one.ipynb").read_text() == first
    other = {"chapters": {"one": {"parameters": {"n": 2}}}}
    assert not execute(tmp_path, code, cache, **other).kept
    assert not execute(tmp_path, code + "\n1", cache).kept
    assert not execute(tmp_path, code + "\n1").kept
    assert ticks.read_text() == "xxxx"
    assert len(list((tmp_path / "executed").iterdir())) == 1


def test_a_failed_chapter_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "executed")
    with pytest.raises(ChapterError):
        execute(tmp_path, "1 / 0", cache)
    assert not list(tmp_path.glob("executed/*"))


def test_whatever_a_chapter_depends_on_changes_its_key(tmp_path: Path) -> None:
    notebook = tmp_path / "one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), notebook)
    keys = {key(notebook, {"n": 1}, surroundings(tmp_path))}
    for pattern in DEPENDENCIES:
        name = pattern.replace("**", "a").replace("*", "b")
        path = tmp_path / name
        for content in ("1", "2"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            keys.add(key(notebook, {"n": 1}, surroundings(tmp_path)))
    keys.add(key(notebook, {"n": 2}, surroundings(tmp_path)))
    assert len(keys) == 2 + 2 * len(DEPENDENCIES)
    assert all(list(ROOT.glob(pattern)) for pattern in DEPENDENCIES)


def test_memory_of_a_chapter_is_measured_and_limited(tmp_path: Path) -> None:
    """300 MB on top of a kernel's own, held for a second."""
    code = "import time\nheld = bytearray(300_000_000)\ntime.sleep(1)"
    cost = execute(tmp_path, code)
    assert 330 < cost.megabytes < 1000
    assert cost.seconds > 1
    with pytest.raises(ChapterError, match=r"one took \d+ MB of memory; its limit.* is 200 MB"):
        execute(tmp_path, code, megabytes=200)
    looser = {"megabytes": 200, "chapters": {"one": {"megabytes": 2000}}}
    assert execute(tmp_path, code, **looser).megabytes > 330


def test_a_meter_sees_nothing_where_nothing_runs() -> None:
    with Meter() as meter:
        time.sleep(3 * INTERVAL)
    assert meter.cost.seconds == pytest.approx(3 * INTERVAL, abs=0.5)
    assert meter.cost.megabytes < 50


def test_the_report_names_every_chapter_and_what_made_it(tmp_path: Path) -> None:
    settings = Settings(scale="smoke", minutes=2, megabytes=500)
    table = as_table({"one": Cost(61, 123), "two": Cost(0, 0, kept=True)}, settings, fresh=True)
    assert "| [one](one.ipynb) | executed | 61 | 120 | 123 | 500 |" in table
    assert "| [two](two.ipynb) | kept from an earlier build |  | 120 |  | 500 |" in table
    assert "Scale smoke; all were trained anew" in table
    assert "Commit " in table
    page = tmp_path / "report.md"
    write_report(tmp_path, table)
    assert not page.exists()
    page.write_text(f"# Report\n\n{PLACE}\n")
    write_report(tmp_path, table)
    assert table in page.read_text()
    assert PLACE in (ROOT / "book" / "report.md").read_text()
