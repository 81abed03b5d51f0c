"""What readers can play with on a page: it computes what the package computes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Page, needs_browser, opened
from numpy.testing import assert_allclose

from lensy.errors import LensyError
from lensy.sky.lensing import count_images, trace_to_source
from lensy.sky.scene import Deflector
from lensy.talk.notebook import threshold_player

pytestmark = needs_browser

STATIC = Path(__file__).parents[2] / "book" / "_static"
ANGLE, SHEAR_ANGLE = 0.5, 1.2
LENSES = [
    {"radius": 1.5, "ratio": 0.75, "shear": 0.0},
    {"radius": 0.7, "ratio": 0.45, "shear": 0.15},
    {"radius": 2.0, "ratio": 1.0, "shear": 0.0},
]


def page_with(content: str, script: str) -> str:
    """A page of its own, with the book's script for what is on it."""
    style, code = ((STATIC / name).as_uri() for name in ("lensy.css", script))
    return (
        f'<!doctype html><meta charset="utf-8"><title>x</title><link rel="stylesheet" '
        f'href="{style}"><script src="{code}"></script><body>{content}'
    )


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with nothing but a lens to play with."""
    folder = tmp_path_factory.mktemp("play")
    path = folder / "page.html"
    path.write_text(page_with('<div class="play-lens"></div>', "play_lens.js"), "utf-8")
    with opened(path, folder / "profile") as page:
        yield page


def lens_of(values: dict[str, float]) -> tuple[Deflector, str]:
    """A lens for the package, and the same for the page."""
    shear = values["shear"] * np.array([np.cos(2 * SHEAR_ANGLE), np.sin(2 * SHEAR_ANGLE)])
    deflector = Deflector(
        x=0.0,
        y=0.0,
        einstein_radius=values["radius"],
        axis_ratio=values["ratio"],
        position_angle=ANGLE,
        shear_1=float(shear[0]),
        shear_2=float(shear[1]),
    )
    return deflector, json.dumps(values | {"angle": ANGLE, "shearAngle": SHEAR_ANGLE})


def text(play: Page, selector: str) -> str:
    return str(play.run(f"document.querySelector('{selector}').textContent"))


@pytest.mark.parametrize("values", LENSES)
def test_rays_end_where_the_package_says(play: Page, values: dict[str, float]) -> None:
    deflector, lens = lens_of(values)
    x, y = np.random.default_rng(1).uniform(-2, 2, (2, 50))
    there = play.run(
        f"{json.dumps(np.stack([x, y], 1).tolist())}.map(([x, y]) => playLens.trace({lens}, x, y))"
    )
    assert_allclose(np.transpose(there), trace_to_source(deflector, x, y), atol=2e-4)


@pytest.mark.parametrize("values", LENSES)
def test_as_many_images_as_the_package_counts(play: Page, values: dict[str, float]) -> None:
    deflector, lens = lens_of(values)
    places = np.random.default_rng(2).uniform(-1.1, 1.1, (40, 2)) * values["radius"]
    counted = play.run(
        f"{json.dumps(places.tolist())}.map((place) => playLens.countImages({lens}, place))"
    )
    expected = [count_images(deflector, x=x, y=y) for x, y in places]
    # near a caustic the package's grid may miss a merging pair
    assert np.mean(np.array(counted) == expected) >= 0.95
    assert len(set(expected)) > 1


def test_a_round_lens_magnifies_by_the_formula(play: Page) -> None:
    _, lens = lens_of(LENSES[2])
    seen = play.run(f"playLens.magnification({lens}, {{x: 0.4, y: 0, size: 0.06}})")
    assert seen == pytest.approx(2 * 2.0 / 0.4, rel=0.05)


def test_sliders_move_by_key_and_the_page_says_what_happens(play: Page) -> None:
    before = text(play, ".play-summary")
    assert "four images" in before
    assert play.run("document.querySelectorAll('.play-sliders label input').length") == 7
    play.run("document.querySelectorAll('.play-sliders input')[3].focus()")
    value = text(play, ".play-sliders label:nth-child(4) output")
    play.press("ArrowRight")
    assert text(play, ".play-sliders label:nth-child(4) output") != value
    assert text(play, ".play-summary") != before


def test_examples_are_what_they_are_called(play: Page) -> None:
    said: dict[str, Any] = {}
    for k, name in enumerate(["as above", "ring", "cross", "two images", "long arc", "not lensed"]):
        button = f"document.querySelectorAll('.play-buttons button')[{k}]"
        assert play.run(f"{button}.textContent") == name
        play.run(f"{button}.click()")
        said[name] = text(play, ".play-summary")
    assert "four images" in said["cross"]
    assert "two images" in said["two images"]
    assert "one image;" in said["not lensed"]
    times = {name: float(each.split()[-2]) for name, each in said.items()}
    assert times["ring"] > times["two images"] > times["not lensed"]


def test_panels_show_light_and_have_words(play: Page) -> None:
    play.run("document.querySelector('.play-buttons button').click()")
    for k in range(2):
        canvas = f"document.querySelectorAll('.play-panels canvas')[{k}]"
        data = f"{canvas}.getContext('2d').getImageData(0, 0, 240, 240).data"
        assert play.run(f"new Set({data}).size") > 50
        assert len(play.run(f"{canvas}.getAttribute('aria-label')")) > 20
    assert play.errors == []
    assert all(url.startswith("file:") for url in play.requests)


# A threshold to move


@pytest.fixture(scope="module")
def roc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with nothing but a threshold to move."""
    folder = tmp_path_factory.mktemp("roc")
    path = folder / "page.html"
    rng = np.random.default_rng(3)
    player = threshold_player(
        LABELS, SCORES, rng.normal(0, 2, (20, 30, 30)), sigma=2.0, threshold=1.0
    )
    path.write_text(page_with(player._repr_html_(), "play_roc.js"), "utf-8")
    with opened(path, folder / "profile") as page:
        yield page


LABELS = np.arange(300) % 3 == 0
SCORES = np.random.default_rng(4).normal(np.where(LABELS, 1.5, -1.0), 1.0)


def outcome(threshold: float) -> dict[str, int]:
    """What stands in the table at a threshold."""
    called = np.round(SCORES, 2) >= threshold
    return {
        "found": int((called & LABELS).sum()),
        "missed": int((~called & LABELS).sum()),
        "alarms": int((called & ~LABELS).sum()),
        "cleared": int((~called & ~LABELS).sum()),
    }


def in_table(roc: Page) -> dict[str, int]:
    cells = roc.run(
        "[...document.querySelectorAll('.play-roc td')].map((cell) => Number(cell.textContent))"
    )
    return dict(zip(["found", "missed", "alarms", "cleared"], cells, strict=True))


STEPS = np.sort(np.round(SCORES, 2))


def move(roc: Page, step: int) -> float:
    """Move the slider to a step; the threshold that is."""
    slider = "document.querySelector('.play-roc input')"
    roc.run(f"{slider}.value = {step}; {slider}.dispatchEvent(new Event('input'))")
    threshold = float(STEPS[step])
    assert text(roc, ".play-roc output") == f"{threshold:.2f}"
    return threshold


def test_the_page_begins_at_the_threshold_it_was_given(roc: Page) -> None:
    assert in_table(roc) == outcome(1.0)


@pytest.mark.parametrize("step", [0, 100, 101, 200, 299])
def test_the_table_counts_what_passes(roc: Page, step: int) -> None:
    threshold = move(roc, step)
    assert in_table(roc) == outcome(threshold)


def test_the_list_holds_the_pictures_that_pass(roc: Page) -> None:
    for step in (120, 220):
        threshold = move(roc, step)
        shown = roc.run("document.querySelectorAll('.play-gallery figure:not([hidden])').length")
        assert shown == (np.round(SCORES[:20], 2) >= threshold).sum()
        visible = "getComputedStyle(document.querySelector('figure[hidden]')).display"
        assert roc.run(visible) == "none"
    loaded = "[...document.images].every((image) => image.complete && image.naturalWidth === 30)"
    assert roc.run(loaded)


def test_the_point_moves_along_the_curve(roc: Page) -> None:
    places = []
    for step in (250, 150):
        move(roc, step)
        point = "document.querySelector('.play-roc circle')"
        places.append([float(roc.run(f"{point}.getAttribute('c{name}')")) for name in "xy"])
    assert places[1][0] > places[0][0]
    assert places[1][1] < places[0][1]
    assert "of the lenses pass" in text(roc, ".play-roc .play-summary")
    assert roc.errors == []


def test_one_class_has_no_curve() -> None:
    with pytest.raises(LensyError, match="lenses and non-lenses"):
        threshold_player([True, True], [0.1, 0.2], [], sigma=1.0)
