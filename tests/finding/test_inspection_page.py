"""The inspection page: what is on it, and that it works in a browser."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import needs_browser, opened
from fits_files import coordinates, noise_image, write_fits
from numpy.testing import assert_allclose
from PIL import Image

from lensy.datasets.coco import grey_levels
from lensy.errors import LensyError
from lensy.finding.cutouts import read_cutout
from lensy.finding.inspection_page import Entry, entry, in_words, page, write_page
from lensy.finding.result import Candidate, Finding

HOSTILE = '</script><img src=x onerror=alert(1)>"&\u2028.fits'


def one(name: str = "a.fits", score: float = 1.0, *, seed: int = 0, **details: Any) -> Entry:
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 2, (40, 50)).astype(np.float32)
    mask = np.zeros((40, 50), bool)
    mask[10:20, 10:20] = True
    images = {"image": image, "reconstruction": np.where(mask, 30.0, 0.0)}
    masks = {"lensed light": mask}
    return entry(name, score, sigma=2.0, images=images, masks=masks, details=details)


def content(html: str) -> dict[str, Any]:
    """What the page carries."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    found: dict[str, Any] = json.loads(text)
    return found


def test_best_score_first() -> None:
    entries = [one(f"{k}.fits", score, seed=k) for k, score in enumerate((1.0, 3.0, -2.0))]
    found = content(page(entries, title="Tonight"))
    assert [each["score"] for each in found["candidates"]] == [3.0, 1.0, -2.0]
    assert found["title"] == "Tonight"
    assert len({each["id"] for each in found["candidates"]}) == 3


def test_a_candidate_keeps_its_identity_when_others_come() -> None:
    alone = content(page([one(seed=1)]))["candidates"][0]["id"]
    both = content(page([one("b.fits", 9.0, seed=2), one(seed=1)]))["candidates"]
    assert both[1]["id"] == alone


def test_pictures_are_upright_and_stretched() -> None:
    found = one(seed=3)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.images["image"]))))
    image = np.random.default_rng(3).normal(0, 2, (40, 50)).astype(np.float32)
    assert_allclose(picture[::-1], grey_levels(image, 2.0))
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.masks["lensed light"]))))
    assert set(np.unique(mask)) == {0, 255}
    assert mask[25, 15] == 255  # row 14 of the image, from the bottom


def test_names_are_data_and_never_markup() -> None:
    html = page([one(HOSTILE, ra=HOSTILE)], title=HOSTILE)
    assert "<img" not in html
    assert html.count("</script>") == 2
    assert content(html)["candidates"][0]["name"] == HOSTILE


def test_nothing_to_show_is_refused() -> None:
    with pytest.raises(LensyError, match="no candidates for a page"):
        page([])


def test_a_thousand_candidates_are_light() -> None:
    entries = [one(f"{k}.fits", k, seed=k % 7) for k in range(1000)]
    assert len(page(entries)) < 10e6


def test_rows_in_words() -> None:
    row = {"file": "a", "score": 1.234567891, "area": 81, "segmentation": {"size": 3}}
    assert in_words(row) == {"file": "a", "score": "1.23457", "area": "81"}


@pytest.mark.parametrize(
    ("x", "y", "first"),
    [(100.0, 60.0, (0, 40)), (3.0, 117.0, (0, 0)), (np.nan, np.nan, (0, 15))],
)
def test_surroundings_stay_in_the_frame(
    tmp_path: Path, x: float, y: float, first: tuple[int, int]
) -> None:
    """A frame of 120 rows and 150 columns; 12 arcsec are 120 pixels."""
    path = write_fits(tmp_path / "a.fits", {"VIS": noise_image((120, 150))})
    part = read_cutout(path).around(x, y, 120)
    assert (part[0].start, part[1].start) == (first[0], min(first[1], 30))
    assert read_cutout(path).flux[part].shape == (120, 120)


def test_candidates_of_a_finding_come_with_their_reconstruction(tmp_path: Path) -> None:
    path = write_fits(tmp_path / "a.fits", {"VIS": noise_image((200, 200))}, **coordinates())
    cutout = read_cutout(path)
    row = Candidate(
        file=str(path), band="VIS", x=100, y=90, ra=1, dec=2, score=3, probability=0.9, light=1,
        flags="edge",
    )  # fmt: skip
    light = np.zeros((200, 200), np.float32)
    light[90, 100] = 50
    (made,) = Finding(cutout, [row], light=light).entries()
    assert set(made.images) == {"image", "reconstruction"}
    assert (made.name, made.score, made.details["flags"]) == ("a.fits", 3.0, "edge")
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(made.masks["lensed light"]))))
    assert (mask == 255).sum() == 1


@needs_browser
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """Grades by key and by button, kept over a reload, exported; the stretch; nothing fetched."""
    entries = [one(f"{k}.fits", 9.0 - k, seed=k, ra=f"{k}.5") for k in range(3)]
    entries.append(one(HOSTILE, 0.0, seed=9, ra='quote " and, comma'))
    write_page(entries, tmp_path / "page.html", title="Tonight & tomorrow")
    with opened(tmp_path / "page.html", tmp_path / "profile") as browser:
        browser.wait("document.documentElement.dataset.ready === 'yes'")
        assert browser.run("document.title") == "Tonight & tomorrow"
        assert browser.run("document.querySelectorAll('#list li').length") == 4
        assert browser.run("document.querySelectorAll('canvas').length") == 3
        assert browser.run("document.querySelectorAll('#list img, dl img').length") == 0

        browser.press("a")
        assert browser.run("document.getElementById('name').textContent") == "1.fits"
        browser.press("x")
        browser.run("document.querySelector('[data-grade=C]').click()")
        browser.press("ArrowLeft")
        browser.press("0")
        assert browser.run("document.getElementById('progress').textContent") == "2 of 4 graded"

        look = "document.querySelector('canvas').toDataURL()"
        before = browser.run(look)
        browser.run(
            "(async () => { const s = document.getElementById('white'); s.value = 60;"
            " s.dispatchEvent(new Event('input')); await new Promise(r => setTimeout(r, 300)); })()"
        )
        assert browser.run(look) != before

        browser.reload()
        browser.wait("document.documentElement.dataset.ready === 'yes'")
        assert browser.run("document.getElementById('progress').textContent") == "2 of 4 graded"
        rows = list(csv.DictReader(io.StringIO(browser.run("csv()"))))
        assert [row["grade"] for row in rows] == ["A", "X", "", ""]
        assert rows[3]["name"] == HOSTILE
        assert rows[3]["ra"] == 'quote " and, comma'
        fetched = [
            url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))
        ]
        assert not fetched
        assert not browser.errors


@needs_browser
def test_a_thousand_candidates_stay_usable(tmp_path: Path) -> None:
    entries = [one(f"{k}.fits", k, seed=k % 7) for k in range(1000)]
    write_page(entries, tmp_path / "page.html")
    with opened(tmp_path / "page.html", tmp_path / "profile") as browser:
        browser.wait("document.documentElement.dataset.ready === 'yes'")
        milliseconds = browser.run(
            "(async () => { const t = performance.now(); for (let k = 0; k < 20; k++)"
            " { give('B'); await draw(); } return (performance.now() - t) / 20; })()"
        )
        assert milliseconds < 1000
        assert browser.run("document.getElementById('progress').textContent").startswith("20 of")
