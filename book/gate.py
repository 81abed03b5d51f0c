"""What must hold for the pages of a finished book, read from its HTML.

Each check returns sentences, one per problem, that name the page and the thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from bs4 import BeautifulSoup, Tag

NOT_SHOWN = {"remove-cell", "remove-output"}
"""Tags of cells whose output is not on the page."""

FETCHED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "form": ("action",),
    "link": ("href",),
}
"""Attributes of a page that a browser follows by itself, or sends what a reader types to."""

ONLY_NAMED = {"canonical", "next", "prev", "index", "search", "author", "license", "alternate"}
"""Relations of `<link>` that name another page without fetching it."""

REMOTE_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
REMOTE_JS = re.compile(
    r"(?:\bimport|\bfrom|\bfetch|\bimportScripts|\brequire|\.src\s*=)\s*\(?\s*"
    r"[\"'`]((?:https?:)?//[^\"'`]+)"
)


def find_problems(
    html: Path, notebooks: Mapping[str, Path], figures: Mapping[str, int]
) -> list[str]:
    """Everything that is wrong with the pages in a folder.

    notebooks: the executed notebook behind each chapter. figures: at least so many per chapter.
    """
    pages = {
        path.relative_to(html).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in sorted(html.rglob("*.html"))
        if "_static" not in path.relative_to(html).parts
    }
    problems = [
        f"{name} is missing." for name in ("index.html", "search.html") if name not in pages
    ]
    for name, notebook in notebooks.items():
        page = pages.get(f"{name}.html")
        if page is None:
            problems.append(f"{name}.html is missing.")
        else:
            problems += check_figures(name, page, count_figures(notebook), figures.get(name, 0))
    for name, page in pages.items():
        problems += [
            *check_alt(name, page),
            *check_tracebacks(name, page),
            *check_maths(name, page),
        ]
        problems += check_remote(name, page)
    return problems + check_stylesheets(html) + check_links(html, pages)


def count_figures(notebook: Path) -> int:
    """Images among the outputs of a notebook's cells that the page shows."""
    content = nbformat.read(notebook, as_version=4)
    return sum(
        any(kind.startswith("image/") for kind in output.get("data", {}))
        for cell in content.cells
        if not NOT_SHOWN & set(cell.metadata.get("tags", []))
        for output in cell.get("outputs", [])
    )


def check_figures(name: str, page: BeautifulSoup, n_made: int, n_wanted: int) -> list[str]:
    """The page shows what its notebook made, and at least what its scale asks for."""
    n_shown, n_images = len(page.select(".cell_output img")), len(page.select("img"))
    problems = []
    if n_shown < n_made:
        problems.append(f"{name}.html shows {n_shown} of the {n_made} figures that its cells made.")
    if n_images < n_wanted:
        problems.append(f"{name}.html shows {n_images} figures; its scale asks for {n_wanted}.")
    if any("<Figure size" in output.get_text() for output in page.select(".cell_output")):
        problems.append(
            f"{name}.html shows a figure as text: its chapter lacks `%matplotlib inline`."
        )
    return problems


def check_alt(name: str, page: BeautifulSoup) -> list[str]:
    """Every image has words for readers who cannot see it; a file name is none."""
    problems = []
    for image in page.select("img"):
        alt, source = str(image.get("alt", "")).strip(), str(image.get("src", ""))
        if not alt or alt == source or re.fullmatch(r"\S+\.(png|jpe?g|svg|gif)", alt):
            problems.append(f"{name}: the image {source} has no alt text.")
    return problems


def check_tracebacks(name: str, page: BeautifulSoup) -> list[str]:
    """No cell failed."""
    failed = page.select(".traceback, #papermill-error-cell")
    if failed or "Traceback (most recent call last)" in page.get_text():
        return [f"{name} shows a traceback."]
    return []


def check_maths(name: str, page: BeautifulSoup) -> list[str]:
    """A page with formulas loads what draws them."""
    scripts = [str(script.get("src", "")) for script in page.select("script")]
    if page.select(".math") and not any("mathjax" in source for source in scripts):
        return [f"{name} has formulas but loads no MathJax."]
    return []


def check_remote(name: str, page: BeautifulSoup) -> list[str]:
    """Nothing on the page comes from another host; only a reader's click leads there."""
    found = [
        (tag.name, url)
        for tag in page.find_all(list(FETCHED))
        if not (tag.name == "link" and ONLY_NAMED & set(tag.get("rel") or []))
        for url in _addresses(tag)
        if is_remote(url)
    ]
    found += [("style", url) for tag in page.select("style") for url in _css(tag.get_text())]
    found += [("style", url) for tag in page.select("[style]") for url in _css(str(tag["style"]))]
    found += [
        ("script", url)
        for tag in page.select("script")
        for url in REMOTE_JS.findall(tag.get_text())
    ]
    return [f"{name} fetches {url} ({kind})." for kind, url in found]


def check_stylesheets(html: Path) -> list[str]:
    """No style sheet fetches a font or another sheet from another host."""
    return [
        f"{path.relative_to(html).as_posix()} fetches {url}."
        for path in sorted(html.rglob("*.css"))
        for url in _css(path.read_text("utf-8"))
    ]


def check_links(html: Path, pages: Mapping[str, BeautifulSoup]) -> list[str]:
    """Every address inside the book leads to a file and, where it names one, to an anchor."""
    anchors = {
        name: {str(tag.get("id") or tag.get("name")) for tag in page.select("[id], a[name]")}
        for name, page in pages.items()
    }
    problems = []
    for name, page in pages.items():
        urls = {url for tag in page.find_all(["a", *FETCHED]) for url in _addresses(tag)}
        for url in sorted(urls):
            if urlsplit(url).scheme or is_remote(url):
                continue
            target = _target(name, url)
            anchor = unquote(urlsplit(url).fragment)
            if target.startswith(("/", "..")) or not (html / target).is_file():
                problems.append(f"{name} links to {url}, which is not in the book.")
            elif anchor and target in anchors and anchor not in anchors[target]:
                problems.append(f"{name} links to {url}, but {target} has no such anchor.")
    return problems


def is_remote(url: str) -> bool:
    """Whether an address names a host."""
    parts = urlsplit(url.strip())
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp", "ws", "wss")


def _addresses(tag: Tag) -> Iterator[str]:
    """Addresses that a tag names."""
    for attribute in FETCHED.get(tag.name, ("href",)):
        value = str(tag.get(attribute, "")).strip()
        if attribute == "srcset":
            yield from (part.split()[0] for part in value.split(",") if part.strip())
        elif value:
            yield value


def _target(page: str, url: str) -> str:
    """The file, relative to the book, that an address on a page leads to."""
    path = unquote(urlsplit(url).path)
    if not path or path.startswith("/"):
        return path or page
    parts: list[str] = page.split("/")[:-1]
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _css(text: str) -> list[str]:
    return REMOTE_CSS.findall(text)
