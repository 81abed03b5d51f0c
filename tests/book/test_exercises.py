"""Exercises of the book: what each edition shows, and that no solution reaches a student."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from exercises import edited, solution_lines, starter
from stage import stage

from lensy.errors import LensyError

ROOT = Path(__file__).resolve().parents[2]

CODE = """given = 3
### BEGIN SOLUTION
def twice(x):
    return 2 * x


answer = twice(given)
unused = 0
### END SOLUTION
assert answer == 6, "Twice three?"
"""
TEXT = f"""Before.

```{{exercise-start}}
:label: ex-twice
```
What is twice three? Call it `answer`.
```{{exercise-end}}
```

````{{solution-start}} ex-twice
:class: dropdown
````
```{{code-cell}} ipython3
{CODE}```
It is six, because two and three make six and not five.
````{{solution-end}}
````

After.
"""
CHAPTERS = sorted(
    path.stem for path in (ROOT / "book").glob("*.md") if "{exercise-start}" in path.read_text()
)


def ran(text: str) -> dict[str, object]:
    """The names left by the first code cell of a text."""
    code = text.split("```{code-cell} ipython3\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(code.partition(":tags: [remove-cell]")[2] or code, names)
    return names


def test_the_book_is_the_teachers() -> None:
    text = edited(TEXT, "teacher", chapter="one")
    assert text == TEXT.replace("### BEGIN SOLUTION\n", "").replace("### END SOLUTION\n", "")
    assert ran(text)["answer"] == 6


def test_a_student_gets_names_to_fill_in_and_no_solution() -> None:
    text = edited(TEXT, "student", chapter="one")
    assert "given = 3\nanswer = ...  # your turn\nif any(" in text
    assert 'assert answer == 6, "Twice three?"' in text
    assert all(word not in text for word in ("twice(", "unused", "because", "solution"))
    assert text.startswith("Before.")
    assert text.endswith("\n\nAfter.\n")
    with pytest.raises(NotImplementedError, match="in place of the dots"):
        ran(text)
    assert ran(text.replace("answer = ...", "answer = 6"))["answer"] == 6
    with pytest.raises(AssertionError, match="Twice three"):
        ran(text.replace("answer = ...", "answer = 5"))


def test_a_check_that_passes_without_an_answer_is_found() -> None:
    assert ran(edited(TEXT, "checked", chapter="one"))["_passed"] is False
    weak = TEXT.replace("assert answer == 6", "assert answer != 5")
    with pytest.raises(AssertionError, match="ex-twice passes its check without an answer"):
        ran(edited(weak, "checked", chapter="one"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("### END SOLUTION\n", "", "one, ex-twice: the code of a solution needs a line"),
        ('assert answer == 6, "Twice three?"\n', "answer\n", "ex-twice: nothing is asserted"),
        ("assert answer == 6", "assert given == 3", "ex-twice: the check uses no name"),
        ("````{solution-end}", "```{solution-end}", "one: a solution must be"),
    ],
)
def test_a_solution_of_another_form_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(LensyError, match=message):
        edited(TEXT.replace(old, new), "student", chapter="one")


def test_what_must_not_reach_a_student() -> None:
    lines = solution_lines(TEXT, chapter="one")
    assert lines == ["It is six, because two and three make six and not five."]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_has_two_exercises_and_keeps_its_solutions(chapter: str) -> None:
    text = (ROOT / "book" / f"{chapter}.md").read_text("utf-8")
    assert text.count("{exercise-start}") == text.count("{solution-start}") >= 2
    student = edited(text, "student", chapter=chapter)
    assert "solution" not in student.replace("resolution", "")
    assert student.count("# your turn") >= 2
    lines = solution_lines(text, chapter=chapter)
    assert lines
    assert not [line for line in lines if line in student]
    for match in text.split("{solution-start} ")[1:]:
        code = match.split("```{code-cell} ipython3\n")[1].split("```")[0]
        _, blanks, _, _ = starter(code, chapter)
        question = text.split(f":label: {match.split()[0]}\n")[1].split("{exercise-end}")[0]
        for blank in blanks:
            name = blank.partition(" = ")[0]
            assert f"`{name}" in question, f"{chapter}: the exercise does not name {name}"


def test_a_whole_student_edition_has_no_solution(tmp_path: Path) -> None:
    source = ROOT / "book"
    notebooks = stage(source, tmp_path / "book", "student")
    for name, notebook in notebooks.items():
        cells = nbformat.read(notebook, as_version=4).cells
        page = "\n".join(cell.source for cell in cells)
        for line in solution_lines((source / f"{name}.md").read_text("utf-8"), chapter=name):
            assert line not in page
