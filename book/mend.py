"""What the makers of pages leave that a screen reader or a keyboard stumbles over, mended.

Found with axe-core, which `tests/test_book.py` asks about every page: docutils gives the entries of
a bibliography a role that lists may not hold (and ARIA has given up); sphinx-exercise gives all
exercises of a page the same name; the theme's contents at the right scroll, but no key gets there,
those at the left belong to no landmark, and a script that nobody needs is there twice and fails.
"""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

REPEATED = re.compile(r'<section id="(exercise|solution)-content">')
THEBE = re.compile(r"<script>\s*const THEBE_JS_URL.*?</script>", re.DOTALL)
RIGHT = '<div id="pst-secondary-sidebar"'
LEFT = '<div id="pst-primary-sidebar"'


SOURCES = re.compile(r'(href="https://[^"]*(?:/|%2F)book(?:/|%2F)[^"./%]+)\.ipynb(?=")')
"""Links to a chapter's notebook in a repository, which has its text instead."""


def mended(html: str) -> str:
    """A page without these faults, its links to a repository leading to the text of chapters."""
    numbers = count(1)
    html = REPEATED.sub(lambda match: f'<section id="{match[1]}-content-{next(numbers)}">', html)
    html = html.replace('role="doc-biblioentry"', 'role="listitem"')
    html = html.replace(RIGHT, f'{RIGHT} tabindex="0"')
    html = html.replace(LEFT, f'{LEFT} role="region" aria-label="The book"')
    return SOURCES.sub(r"\1.md", THEBE.sub("", html))


def mend(folder: Path) -> None:
    """Mend all pages of a book."""
    for path in folder.glob("*.html"):
        text = path.read_text("utf-8")
        if (better := mended(text)) != text:
            path.write_text(better, encoding="utf-8")
