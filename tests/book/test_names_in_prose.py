"""Names of the package and paths of the project in sentences are those of something that exists."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

from lensy.datasets.named import GROUP

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted(
    str(path.relative_to(ROOT))
    for path in [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        ROOT / "data_sim" / "README.md",
        *(ROOT / "book").glob("*.md"),
    ]
)

SPAN = r"`[^`\n]+`|^\.\. auto\w+:: .*$"
"""Code in a sentence, and what the API page asks for."""
NAME = r"(?<![\w/.-])lensy(?:\.[A-Za-z_]\w*)+"
PLACE = r"(?<![\w/.-])(?:lensy|data_sim|tests|book)/[\w./-]*"
LINK = r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)"


def newest(changelog: str) -> str:
    """The newest part of a list of changes; the others tell of names that were."""
    return re.split(r"^###? ", changelog, flags=re.MULTILINE)[2]


def unknown(text: str, folder: Path = ROOT) -> list[str]:
    """Names, paths and links of a text that lead nowhere. folder: where the text is."""
    spans = re.findall(SPAN, text, re.MULTILINE)
    names = [name for span in spans for name in re.findall(NAME, span)]
    places = [place for span in spans for place in re.findall(PLACE, span)]
    links = re.findall(LINK, text)
    return [
        *(name for name in names if name != GROUP and not is_known(name)),
        *(place for place in places if not (ROOT / place).exists()),
        *(link for link in links if not (folder / link).exists()),
    ]


def is_known(name: str) -> bool:
    try:
        resolve_name(name)
    except (AttributeError, ImportError):
        return False
    return True


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_named_exists(name: str) -> None:
    path = ROOT / name
    text = path.read_text("utf-8")
    assert unknown(newest(text) if name == "CHANGELOG.md" else text, path.parent) == []


def test_the_check_can_fail(tmp_path: Path) -> None:
    text = (
        "`lensy.Scene`, `lensy.runs.run.Run`, `lensy/errors.py`, `lensy.recipes`; `lensy.nothing`, "
        "`lensy.sky.bands`, `lensy.find('my.fits')`, `lensy/bands.py` and [it](gone.md#there).\n"
        ".. automodule:: lensy.nowhere\n"
    )
    wrong = ["lensy.nothing", "lensy.sky.bands", "lensy.nowhere", "lensy/bands.py", "gone.md"]
    assert unknown(text, tmp_path) == wrong


def test_only_the_newest_changes_are_read() -> None:
    assert newest("# Changelog\n\n## Now\n\n### Moved\n\n- new\n\n### Fixed\n\n- old\n") == (
        "Moved\n\n- new\n\n"
    )
