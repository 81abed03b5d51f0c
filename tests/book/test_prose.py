"""Numbers of ours in the book's sentences come from runs, never from a keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = sorted(path.stem for path in BOOK.glob("*.md") if "{code-cell}" in path.read_text())

GIVEN = {
    "bands": {"0.95", "2.02"},  # wavelengths, with their source
    "lens": {"2.512"},  # what a magnitude is
    "false_alarms": {"0.05"},  # pixels of another camera
    "naberrie": {"0.02"},  # the order of an uncertainty
}
"""Numbers with two digits or more after the point that are no results."""

KNOWN = r"\[[^\]]*\]\([^)]*\)|\{cite:\w\}`[^`]*`|[A-Z]+-\d+|Q1|3 x 3|\b9\d(?:\.5)?th\b"
"""Names, links, sources, and what a mask is called."""


def prose(chapter: str) -> str:
    """A chapter without header, code, glued values, exercises and their solutions."""
    text = (BOOK / f"{chapter}.md").read_text("utf-8")
    text = re.sub(r"^---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"```\{exercise-start\}.*?````\{solution-end\}", "", text, flags=re.DOTALL)
    text = re.sub(r"```\{code-cell\}.*?\n```\n", "", text, flags=re.DOTALL)
    text = re.sub(r"\{glue:text\}`[^`]*`", "", text)
    return re.sub(KNOWN, "", text)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_result_is_typed_by_hand(chapter: str) -> None:
    found = set(re.findall(r"\d+\.\d{2,}", prose(chapter)))
    assert found <= GIVEN.get(chapter, set())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_we_saw_has_no_digit_of_its_own(chapter: str) -> None:
    (seen,) = re.findall(r"What we saw\n:class: important\n\n(.*?)```", prose(chapter), re.DOTALL)
    cited = re.sub(r"on simulations find 92 %.*", "", seen) if chapter == "real" else seen
    assert not re.findall(r"\d[\d.]*", cited)


def test_the_check_can_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("The AUROC is 0.957.\n")
    monkeypatch.setitem(globals(), "BOOK", tmp_path)
    with pytest.raises(AssertionError):
        test_no_result_is_typed_by_hand("one")
