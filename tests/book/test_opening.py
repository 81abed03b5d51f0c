"""The box at the top of a chapter, and the front page's table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from build import keep_costs
from meter import Cost
from opening import TABLE, about, opened, read_costs, table
from stage import chapter_names

from lensy.errors import LensyError

BOOK = Path(__file__).resolve().parents[2] / "book"
HEADER = "---\na: b\nlensy:\n  question: What is one?\n  needs: nothing\n---\n\n"
TEXT = f"{HEADER}# One\n\nWhat is one?\n\n## More\n\nText.\n"


def test_the_box_stands_after_the_question() -> None:
    text = opened(TEXT, "one", {"laptop": {"one": 12.3, "two": 1}, "smoke": {"one": 300}})
    head, box, rest = text.partition("```{admonition} Before you begin")
    assert head == f"{HEADER}# One\n\nWhat is one?\n\n"
    assert "It needs: nothing. On two cores its code takes 10 seconds at scale laptop, with" in rest
    assert "; 5 minutes at scale smoke, everything made from nothing." in rest
    assert "nothing. At scale talk, which wants a GPU, it has not been timed.\n" in rest
    assert rest.endswith("```\n\n## More\n\nText.\n")
    timed = opened(TEXT, "one", {"talk": {"one": 3600}})
    assert "60 minutes at scale talk, trained anew." in timed
    assert "not been timed" not in timed
    assert box


def test_a_chapter_must_begin_with_its_question() -> None:
    with pytest.raises(LensyError, match=r"one\.md must begin with a title"):
        opened(f"{HEADER}No title.\n", "one", {})
    plain = TEXT.replace("lensy:", "other:")
    assert opened(plain, "one", {}) == plain
    assert about("# One\n") == {}


def test_the_front_page_lists_all_chapters() -> None:
    assert "| [](one.md) | What is one? | nothing |" in table({"one": TEXT, "two": "# Two\n"})
    assert TABLE in (BOOK / "index.md").read_text("utf-8")
    texts = {path.stem: path.read_text("utf-8") for path in BOOK.glob("*.md")}
    for name, text in texts.items():
        if "{code-cell}" in text:
            known = about(text)
            assert set(known) == {"question", "needs"}
            assert known["question"].endswith("?")
            assert "Before you begin" in opened(text, name, {})


def test_costs_are_kept_beside_those_of_other_scales(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    keep_costs(path, "smoke", {"one": Cost(10.04, 1.0)})
    keep_costs(path, "laptop", {"one": Cost(0, 0, kept=True), "two": Cost(3.0, 1.0)})
    assert json.loads(path.read_text()) == {"smoke": {"one": 10.0}, "laptop": {"two": 3.0}}
    assert read_costs(tmp_path) == json.loads(path.read_text())
    assert read_costs(tmp_path / "none") == {}


def test_all_chapters_of_the_contents_are_in_parts() -> None:
    parts = yaml.safe_load((BOOK / "_toc.yml").read_text("utf-8"))["parts"]
    assert all(part["caption"] for part in parts)
    listed = [chapter["file"] for part in parts for chapter in part["chapters"]]
    assert chapter_names(BOOK) == ["index", *listed]
