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

from lensy.lensing import count_images, trace_to_source
from lensy.scene import Deflector

pytestmark = needs_browser

STATIC = Path(__file__).parents[1] / "book" / "_static"
ANGLE, SHEAR_ANGLE = 0.5, 1.2
LENSES = [
    {"radius": 1.5, "ratio": 0.75, "shear": 0.0},
    {"radius": 0.7, "ratio": 0.45, "shear": 0.15},
    {"radius": 2.0, "ratio": 1.0, "shear": 0.0},
]


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with nothing but a lens to play with."""
    folder = tmp_path_factory.mktemp("play")
    path = folder / "page.html"
    style, script = (STATIC / name for name in ("lensy.css", "play_lens.js"))
    path.write_text(
        '<!doctype html><meta charset="utf-8"><title>x</title>'
        f'<link rel="stylesheet" href="{style.as_uri()}"><script src="{script.as_uri()}"></script>'
        '<body><div class="play-lens"></div>',
        "utf-8",
    )
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
