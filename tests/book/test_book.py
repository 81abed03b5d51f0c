"""The whole book, at the smallest scale, with every network trained from nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from itertools import product
from pathlib import Path

import build
import pytest
import yaml
from browser import CHROMIUM, opened
from mend import mended

ROOT = Path(__file__).resolve().parents[2]

BUTTONS = ("edit_page", "repository", "issues")

STILL = "<style>* {transition: none !important}</style>"
"""So that colours are not measured while they change."""


@pytest.mark.book
def test_the_book_builds_from_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "book" / "build.py"), "--scale", "smoke", "--fresh"]
    command.append("--check")
    for option in ("out", "data", "runs", "stage"):
        command += [f"--{option}", str(tmp_path / option)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "out" / "index.html").is_file()
    if CHROMIUM is not None:
        assert faults(tmp_path / "out", tmp_path / "profile") == []


def faults(book: Path, profile: Path) -> list[str]:
    """What axe-core, or the browser itself, has against the pages of a book.

    Wide and narrow, light and dark. Nothing may be fetched from elsewhere.
    """
    script = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    ask = "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id))"
    found = []
    pages = sorted(book.glob("*.html"))
    with opened(pages[0], profile) as page:
        for path, width in product(pages, (1300, 400)):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            page.send("Emulation.setDeviceMetricsOverride", **size)
            page.open(path)
            page.run(f"{script}; true")
            page.run(f"document.head.insertAdjacentHTML('beforeend', '{STILL}'); true")
            for theme in ("light", "dark"):
                page.run(f"document.documentElement.dataset.theme = '{theme}'; true")
                found += [f"{path.name}, {width}, {theme}: {rule}" for rule in page.run(ask)]
        found += [f"fetches {url}" for url in page.requests if not url.startswith(("file", "data"))]
        return found + page.errors


def test_pages_are_mended() -> None:
    html = '<section id="exercise-content"></section><section id="exercise-content"></section>'
    html += '<p role="doc-biblioentry"></p><div id="pst-secondary-sidebar" class="x">'
    html += "<script>\n const THEBE_JS_URL = 'x';\n</script><script>1</script>"
    assert mended(html) == (
        '<section id="exercise-content-1"></section><section id="exercise-content-2"></section>'
        '<p role="listitem"></p><div id="pst-secondary-sidebar" tabindex="0" class="x">'
        "<script>1</script>"
    )
    public = 'href="https://github.com/a/b/edit/main/book/lens.ipynb"'
    launch = 'href="https://mybinder.org/v2/gh/a/b/main?urlpath=tree/book/lens.ipynb"'
    assert mended(public) == public.replace("ipynb", "md")
    assert mended(launch) == launch.replace("ipynb", "md")
    assert mended('href="lens.ipynb"') == 'href="lens.ipynb"'


def test_one_setting_brings_the_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = yaml.safe_load(build.with_links(tmp_path).read_text())
    assert not any(plain["html"][f"use_{name}_button"] for name in BUTTONS)
    text = (ROOT / "_config.yml").read_text().replace('url: ""', 'url: "https://github.com/a/b"')
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "_config.yml").write_text(text)
    monkeypatch.setattr(build, "ROOT", tmp_path / "root")
    linked = yaml.safe_load(build.with_links(tmp_path).read_text())
    assert all(linked["html"][f"use_{name}_button"] for name in BUTTONS)
    assert linked["repository"]["path_to_book"] == "book"
    assert linked["launch_buttons"]["binderhub_url"] == "https://mybinder.org"
