"""Exercises and their solutions, which stand in one source, told apart for each edition.

An exercise is a pair of directives of sphinx-exercise: `exercise-start` with the question, and
`solution-start` with one code cell and words of explanation. In the cell, what a learner is to
write stands between two lines, as in nbgrader; the rest, with the assertions that check the answer,
is given:

    ### BEGIN SOLUTION
    radius = ...
    ### END SOLUTION
    assert 1.4 < radius < 1.6, "Is that in arcsec?"

The teacher's edition, which is the book, loses the two lines. In the student's edition the part
between them becomes names to be filled in, and the words of explanation go. The checked edition is
the book with a cell before each solution that fails if the check passes without an answer.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Literal

from lensy.errors import LensyError

Edition = Literal["teacher", "student", "checked"]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

SOLUTION = re.compile(
    r"````\{solution-start\} (?P<label>[\w-]+)\n(?P<options>(?::[^\n]*\n)*)````\n+"
    r"```\{code-cell\} ipython3\n(?P<code>.*?)```\n"
    r"(?P<words>.*?)````\{solution-end\}\n````\n?",
    re.DOTALL,
)
"""A solution: its directives, one code cell, words."""


def edited(text: str, edition: Edition, *, chapter: str) -> str:
    """The text of a chapter in an edition. Raises LensyError for a solution of another form."""
    if text.count("{solution-start}") != len(SOLUTION.findall(text)):
        raise LensyError(
            f"{chapter}: a solution must be ````{{solution-start}} LABEL, one code cell, words and "
            "````{solution-end}, see book/exercises.py."
        )
    change = {"teacher": _solved, "student": _unsolved, "checked": _checked}[edition]

    def replaced(match: re.Match[str]) -> str:
        return change(match, chapter)

    return SOLUTION.sub(replaced, text)


def _solved(match: re.Match[str], chapter: str) -> str:
    _parts(match, chapter)
    return match[0].replace(match["code"], _without_marks(match["code"]))


def _unsolved(match: re.Match[str], chapter: str) -> str:
    before, blanks, reminder, check = starter(match["code"], f"{chapter}, {match['label']}")
    return _cell("\n".join([*before, *blanks, *reminder, *check]))


def _checked(match: re.Match[str], chapter: str) -> str:
    before, blanks, _, check = starter(match["code"], f"{chapter}, {match['label']}")
    code = "\n".join([*before, *blanks, *check])
    trial = "\n".join(
        [
            "_passed = True",
            "try:",
            textwrap.indent(code, "    "),
            "except Exception:",
            "    _passed = False",
            f'assert not _passed, "{match["label"]} passes its check without an answer"',
        ]
    )
    return _cell(trial, tags="remove-cell") + "\n" + _solved(match, chapter)


def _cell(code: str, *, tags: str = "") -> str:
    options = f":tags: [{tags}]\n\n" if tags else ""
    return f"```{{code-cell}} ipython3\n{options}{code}\n```\n"


def _without_marks(code: str) -> str:
    return "".join(
        line for line in code.splitlines(keepends=True) if line.strip() not in (BEGIN, END)
    )


def _parts(match: re.Match[str], chapter: str) -> tuple[str, str, str]:
    """What stands before, between and after the two lines of a solution's code."""
    return split(match["code"], f"{chapter}, {match['label']}")


def split(code: str, where: str) -> tuple[str, str, str]:
    """Code before, between and after the two lines. Raises LensyError where they are not there."""
    lines = code.strip("\n").splitlines()
    marks = [line.strip() for line in lines if line.strip() in (BEGIN, END)]
    if marks != [BEGIN, END]:
        raise LensyError(
            f"{where}: the code of a solution needs a line `{BEGIN}` and, after it, one `{END}`."
        )
    stripped = [line.strip() for line in lines]
    first, last = stripped.index(BEGIN), stripped.index(END)
    parts = lines[:first], lines[first + 1 : last], lines[last + 1 :]
    before, between, after = ("\n".join(part) for part in parts)
    return before, between, after


def starter(code: str, where: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """Lines of the code with names to be filled in instead of the answer.

    What stands before; the names, those that the answer defines and the rest of the code uses; what
    reminds a learner who has filled in nothing; the rest. Raises LensyError where there are no
    such names, or nothing is asserted.
    """
    before, answer, check = split(code, where)
    if not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(check))):
        raise LensyError(f"{where}: nothing is asserted of the answer.")
    wanted = [name for name in _defined(answer) if name in _used(check)]
    if not wanted:
        raise LensyError(f"{where}: the check uses no name that the answer defines.")
    blanks = [f"{name} = ...  # your turn" for name in wanted]
    reminder = [
        f"if any(answer is ... for answer in ({', '.join(wanted)},)):",
        '    raise NotImplementedError("Write your code in place of the dots.")',
    ]
    return before.splitlines(), blanks, reminder, check.splitlines()


def _defined(code: str) -> list[str]:
    """Names that a piece of code defines at its top level, in order."""
    found: dict[str, None] = {}
    for statement in ast.parse(textwrap.dedent(code)).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = None
            continue
        nodes = list(ast.walk(statement))
        passing = {
            part
            for node in nodes
            if isinstance(node, ast.comprehension)
            for part in ast.walk(node.target)
        }
        names = (node for node in nodes if isinstance(node, ast.Name) and node not in passing)
        found |= {node.id: None for node in names if isinstance(node.ctx, ast.Store)}
    return list(found)


def _used(code: str) -> set[str]:
    nodes = ast.walk(ast.parse(code))
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def solution_lines(text: str, *, chapter: str) -> list[str]:
    """Lines of a chapter that no student's edition may hold: answers, and words about them.

    Those too short to betray anything are left out, and those that the rest of the chapter has.
    """
    rest = edited(text, "student", chapter=chapter)
    found = []
    for match in SOLUTION.finditer(text):
        _, answer, _ = _parts(match, chapter)
        lines = [*answer.splitlines(), *match["words"].splitlines()]
        found += [line.strip() for line in lines if len(line.strip()) > 25]
    return [line for line in found if line not in rest]
