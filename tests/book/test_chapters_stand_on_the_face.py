"""Chapters show a reader's code: few imports, few lines, and no name out of nowhere."""

from __future__ import annotations

from pathlib import Path
from symtable import SymbolTable, symtable

import jupytext
import pytest
from exercises import edited
from nbformat import NotebookNode

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = sorted(path.stem for path in BOOK.glob("*.md") if "{code-cell}" in path.read_text())

HIDDEN = {"parameters", "remove-cell", "remove-input", "hide-cell", "hide-input"}
"""Tags of cells whose code a reader does not see, or sees only when asking for it."""

GONE = {"remove-cell", "remove-input"}
"""Tags of cells whose code is not on the page; folded code is, and so are parameters in use."""

MOST_IMPORTS, MOST_LINES = 3, 25
"""What may be shown before the first figure, with the code of the figure itself."""


def code_cells(text: str) -> list[NotebookNode]:
    """The code cells of a chapter, in order."""
    cells = jupytext.reads(text, fmt="md:myst").cells
    return [cell for cell in cells if cell.cell_type == "code"]


def is_shown(cell: NotebookNode) -> bool:
    return not HIDDEN & set(cell.metadata.get("tags", []))


def is_figure(cell: NotebookNode) -> bool:
    return "figure" in cell.metadata.get("mystnb", {})


def table(cell: NotebookNode) -> SymbolTable:
    """The names in the code of a cell without its magics."""
    lines = cell.source.splitlines()
    return symtable("\n".join(x for x in lines if not x.startswith("%")), "cell", "exec")


def shown_before_the_first_figure(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Cells with shown code up to the first figure, its own included; all, if there is none."""
    last = next((k for k, cell in enumerate(cells) if is_figure(cell)), len(cells) - 1)
    return [cell for cell in cells[: last + 1] if is_shown(cell)]


def lines_of(cells: list[NotebookNode]) -> list[str]:
    """Lines of code, blank ones left out."""
    return [line for cell in cells for line in cell.source.splitlines() if line.strip()]


def bound(cells: list[NotebookNode]) -> set[str]:
    """Names that cells give to what comes after them."""
    symbols = (symbol for cell in cells for symbol in table(cell).get_symbols())
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def used(cells: list[NotebookNode]) -> set[str]:
    """Names that cells read, those of functions' own variables left out."""
    found: set[str] = set()
    tables = [table(cell) for cell in cells]
    while tables:
        each = tables.pop()
        at_top = each.get_type() == "module"
        symbols = each.get_symbols()
        found |= {s.get_name() for s in symbols if s.is_referenced() and (at_top or s.is_global())}
        tables += each.get_children()
    return found


def faults(text: str) -> list[str]:
    """What keeps a chapter from standing on the face."""
    cells = code_cells(text)
    shown = [cell for cell in cells if is_shown(cell)]
    lines = lines_of(shown_before_the_first_figure(cells))
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    gone = [cell for cell in cells if GONE & set(cell.metadata.get("tags", []))]
    on_page = [cell for cell in cells if not GONE & set(cell.metadata.get("tags", []))]
    unseen = used(shown) & bound(gone) - bound(on_page)
    found = []
    if len(imports) > MOST_IMPORTS:
        found.append(f"{len(imports)} import lines before its first figure")
    if len(lines) > MOST_LINES:
        found.append(f"{len(lines)} lines of code before its first figure")
    if unseen:
        found.append(
            f"shown code uses what no code on the page defines: {', '.join(sorted(unseen))}"
        )
    return found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_shows_its_readers_code(chapter: str) -> None:
    text = (BOOK / f"{chapter}.md").read_text("utf-8")
    assert faults(edited(text, "teacher", chapter=chapter)) == []


def chapter_of(*cells: str) -> str:
    header = "---\njupytext: {text_representation: {format_name: myst}}\n---\n\n"
    return header + "\n".join(f"```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells)


FIGURE = "---\nmystnb: {figure: {caption: A line.}}\n---\nlensy.figures.roc(run)"
LONG = "\n".join(f"x = {number}" for number in range(MOST_LINES))


def test_code_is_counted_up_to_the_first_figure() -> None:
    assert faults(chapter_of("%matplotlib inline\nimport lensy", FIGURE, LONG)) == []
    assert faults(chapter_of(LONG, FIGURE)) == ["26 lines of code before its first figure"]
    assert faults(chapter_of(f":tags: [remove-input]\n\n{LONG}", FIGURE)) == []
    imports = "\n".join(f"import module_{number}" for number in range(4))
    assert faults(chapter_of(imports)) == ["4 import lines before its first figure"]


def test_shown_code_uses_no_name_out_of_nowhere() -> None:
    hidden = ":tags: [remove-cell]\n\nimport numpy as np"
    message = "shown code uses what no code on the page defines: np"
    assert faults(chapter_of(hidden, "np.zeros(3)")) == [message]
    assert faults(chapter_of(hidden, "import numpy as np\nnp.zeros(3)")) == []
