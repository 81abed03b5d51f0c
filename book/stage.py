"""Chapters, which are text, made into notebooks in a folder that git does not see.

A chapter is MyST Markdown with a jupytext header. One with a `kernelspec` in its header has code
and becomes a notebook; one without stays text. Links between chapters follow.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from exercises import Edition, edited
from nbformat import NotebookNode
from opening import TABLE, opened, read_costs, table

from lensy.errors import LensyError

NOT_STAGED = shutil.ignore_patterns(
    "*.py", "costs.json", "scales", "_ext", "_build", ".*", "__pycache__"
)


def chapter_names(source: Path) -> list[str]:
    """The chapters of the book in reading order, without `.md`.

    Raises LensyError where `source/_toc.yml` is missing or lists a file that is not there.
    """
    toc = source / "_toc.yml"
    if not toc.exists():
        raise LensyError(f"{source} holds no book: there is no {toc.name} in it.")
    names = list(_files(yaml.safe_load(toc.read_text("utf-8"))))
    for name in names:
        if not (source / f"{name}.md").exists():
            raise LensyError(f"{toc} lists {name!r}, but there is no {source / name}.md.")
    return names


def _files(entry: Any) -> Iterator[str]:
    """Every `root` and `file` of a table of contents, in order."""
    if isinstance(entry, list):
        for item in entry:
            yield from _files(item)
    elif isinstance(entry, dict):
        for key, value in entry.items():
            if key in ("root", "file"):
                yield value.removesuffix(".md")
            else:
                yield from _files(value)


def stage(source: Path, target: Path, edition: Edition = "teacher") -> dict[str, Path]:
    """Copy a book's source to `target`, chapters with code as notebooks.

    What was in `target` is removed. edition: of the exercises, see `exercises.py`. Returns the
    notebooks by chapter, in reading order.
    """
    names = chapter_names(source)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, ignore=NOT_STAGED)
    with_code = [
        name for name in names if "kernelspec" in jupytext.read(_text(target, name)).metadata
    ]
    texts = {name: (source / f"{name}.md").read_text("utf-8") for name in with_code}
    costs, notebooks = read_costs(source), dict[str, Path]()
    for name in names:
        text = _text(target, name)
        content = edited(text.read_text("utf-8"), edition, chapter=name)
        if name in with_code:
            content = opened(content, name, costs)
        if TABLE in content:
            content = content.replace(TABLE, table(texts))
        text.write_text(point_links(content, with_code), encoding="utf-8")
        if name in with_code:
            notebook = jupytext.read(text)
            hide_defaults(notebook)
            notebooks[name] = text.with_suffix(".ipynb")
            nbformat.write(with_steady_ids(notebook, name), notebooks[name])
            text.unlink()
    return notebooks


def _text(folder: Path, name: str) -> Path:
    return folder / f"{name}.md"


def point_links(text: str, with_code: list[str]) -> str:
    """The same text with its links to chapters with code leading to their notebooks."""
    names = "|".join(map(re.escape, with_code))
    return re.sub(rf"(\]\((?:{names}))\.md(?=[)#])", r"\1.ipynb", text) if names else text


def hide_defaults(notebook: NotebookNode) -> None:
    """Keep the cell tagged `parameters` off the page, which shows the values in use instead."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags and "remove-cell" not in tags:
            cell.metadata["tags"] = [*tags, "remove-cell"]


def with_steady_ids(notebook: NotebookNode, name: str) -> NotebookNode:
    """The same notebook, its cells named by chapter and number instead of by chance."""
    stem = name.replace("/", "-")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{stem}-{number}"[-64:]
    return notebook
