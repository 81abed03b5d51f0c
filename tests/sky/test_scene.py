"""Scenes: frozen, validated, and the same after a round trip through JSON."""

from __future__ import annotations

from typing import Any

import pytest
from builders import galaxy, isothermal_sphere
from pydantic import ValidationError

from lensy.sky.colours import ELLIPTICAL, IRREGULAR, magnitudes
from lensy.sky.scene import Scene


def test_a_scene_survives_json() -> None:
    scene = Scene(
        lens=galaxy(x=1.25), deflector=isothermal_sphere(), source=galaxy(), companions=(galaxy(),)
    )
    assert Scene.model_validate_json(scene.model_dump_json()) == scene


def test_a_galaxy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        galaxy().x = 3.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("half_light_radius", 0.0, "greater than 0"),
        ("half_light_radius", float("inf"), "finite"),
        ("x", float("nan"), "finite"),
        ("axis_ratio", 1.01, "less than or equal to 1"),
        ("axis_ratio", 0.0, "greater than 0"),
        ("sersic_index", 9.0, "less than or equal to 8"),
        ("magnitudes", {"VIS": float("inf")}, "finite"),
        ("half_ligth_radius", 1.0, "Extra inputs are not permitted"),
    ],
)
def test_a_bad_galaxy_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=rf"(?s){field}.*{message}"):
        galaxy(**{field: value})


@pytest.mark.parametrize(("field", "value"), [("einstein_radius", 0.0), ("shear_1", 0.6)])
def test_a_bad_deflector_is_refused(field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=rf"(?s){field}.*should be"):
        isothermal_sphere(**({"einstein_radius": 1.0} | {field: value}))


def test_a_bare_candidate_is_a_scene() -> None:
    scene = Scene(lens=galaxy())
    assert (scene.deflector, scene.source, scene.companions) == (None, None, ())


def test_a_deflector_needs_a_source_and_a_source_a_deflector() -> None:
    with pytest.raises(ValidationError, match="both be given, or neither"):
        Scene(lens=galaxy(), source=galaxy())
    with pytest.raises(ValidationError, match="both be given, or neither"):
        Scene(lens=galaxy(), deflector=isothermal_sphere())


def test_a_simple_lens_has_the_colours_of_its_galaxies() -> None:
    scene = Scene.simple(einstein_radius=1.1)
    assert scene.lens.magnitudes == pytest.approx(magnitudes(19.0, ELLIPTICAL, 0.4))
    assert scene.source.magnitudes == pytest.approx(magnitudes(23.0, IRREGULAR, 1.5))
    assert scene.deflector.einstein_radius == 1.1
    assert scene.companions == ()


def test_a_simple_lens_can_be_otherwise() -> None:
    scene = Scene.simple(
        lens={"x": 2.0}, deflector={"x": 2.0, "shear_1": 0.02}, companions=[galaxy(x=-3.0)]
    )
    assert scene.lens.x == scene.deflector.x == 2.0
    assert scene.deflector.shear_1 == 0.02
    assert scene.companions == (galaxy(x=-3.0),)
    with pytest.raises(ValidationError, match="greater than 0"):
        Scene.simple(einstein_radius=-1.0)
