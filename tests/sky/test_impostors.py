"""Impostors: what each kind is made of, and that only shape and colour give it away."""

from __future__ import annotations

import numpy as np
import pytest
from builders import galaxy
from scipy import stats

from lensy.errors import LensyError
from lensy.sky.colours import colour_galaxy
from lensy.sky.impostors import (
    ARC_MAGNITUDE,
    KINDS,
    RING_RADIUS,
    Impostor,
    impostor,
    scene_without_source,
)
from lensy.sky.scene import Galaxy, Kind, Pattern
from lensy.telescope.bands import FILTERS

LEAST_P = 1e-3
CANDIDATE = colour_galaxy(
    galaxy(x=1.0, y=-2.0, sersic_index=4.0, axis_ratio=0.7, magnitudes={"VIS": 20.5}), 0.1, 0.5
)


def drawn(kind: Kind, n: int = 60) -> list[Impostor]:
    rng = np.random.default_rng(11)
    return [impostor(CANDIDATE, kind, rng) for _ in range(n)]


def vis_flux(parts: tuple[Galaxy | Pattern, ...]) -> float:
    return float(sum(10 ** (-0.4 * part.magnitudes["VIS"]) for part in parts))


def redness(part: Galaxy | Pattern) -> float:
    return part.magnitudes["VIS"] - part.magnitudes["H"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_impostor_has_the_light_of_its_candidate(kind: Kind) -> None:
    """In VIS, all parts together; blue neighbours are galaxies of their own."""
    for each in drawn(kind):
        extra = () if kind == "blue neighbour" else each.neighbours
        total = vis_flux((each.lens, *each.structure, *extra))
        np.testing.assert_allclose(total, 10 ** (-0.4 * 20.5))


@pytest.mark.parametrize("kind", KINDS)
def test_an_impostor_stands_where_its_candidate_does(kind: Kind) -> None:
    for each in drawn(kind):
        assert {(part.x, part.y) for part in (each.lens, *each.structure)} == {(1.0, -2.0)}
        assert each.lens.redshift == 0.5
        assert set(each.lens.magnitudes) == set(FILTERS)


def test_spirals_have_a_red_bulge_a_disc_and_blue_arms() -> None:
    for each in drawn("spiral"):
        disc, arms = each.structure
        assert each.lens.sersic_index == 4.0
        assert disc.sharpness == 0.0
        assert arms.n_arms in (2, 4)
        assert redness(each.lens) > redness(disc) > redness(arms)
        assert disc.axis_ratio == arms.axis_ratio


def test_spirals_are_wound_either_way_at_ten_to_twenty_five_degrees() -> None:
    """An arm keeps n_arms phi = winding ln r, so the tangent of its pitch, d ln r / d phi, is
    n_arms / winding."""
    arms = [each.structure[1] for each in drawn("spiral", 200)]
    pitch = np.rad2deg(np.arctan([arm.n_arms / arm.winding for arm in arms]))
    assert stats.kstest(np.abs(pitch), stats.uniform(10, 15).cdf).pvalue > LEAST_P
    assert stats.binomtest(int(np.sum(pitch > 0)), pitch.size, 0.5).pvalue > LEAST_P


def test_rings_are_blue_around_a_red_core_and_as_bright_as_arcs() -> None:
    for each in drawn("ring"):
        (ring,) = each.structure
        assert redness(ring) < redness(each.lens)
        assert RING_RADIUS[0] <= ring.radius <= RING_RADIUS[1]
        assert ARC_MAGNITUDE[0] <= ring.magnitudes["VIS"] <= ARC_MAGNITUDE[1]


def test_a_ring_has_at_most_half_of_the_light() -> None:
    """So that a faint candidate does not become brighter than it is."""
    faint = colour_galaxy(galaxy(magnitudes={"VIS": 25.0}), 0.0, 1.0)
    rng = np.random.default_rng(3)
    rings = [impostor(faint, "ring", rng).structure[0] for _ in range(20)]
    assert min(ring.magnitudes["VIS"] for ring in rings) > 25.74


def test_edge_on_discs_are_thin_along_their_bulge() -> None:
    for each in drawn("edge-on"):
        (bulge,) = each.structure
        assert 0.08 <= each.lens.axis_ratio <= 0.2 < bulge.axis_ratio
        assert each.lens.sersic_index == 1.0
        assert bulge.position_angle == each.lens.position_angle
        assert redness(bulge) > redness(each.lens)


def test_mergers_are_two_or_three_galaxies_of_like_light() -> None:
    """Within a factor of three in flux, so 1.2 magnitudes, of the first; and one tidal arc."""
    numbers = set()
    for each in drawn("merger"):
        numbers.add(1 + len(each.neighbours))
        assert [tail.n_arms for tail in each.structure] == [1]
        for other in each.neighbours:
            fainter = other.magnitudes["VIS"] - each.lens.magnitudes["VIS"]
            assert 0 <= fainter < 2.5 * np.log10(3) + 1e-9
            assert 0.4 <= np.hypot(other.x - 1.0, other.y + 2.0) <= 1.2
            assert other.redshift == 0.5
    assert numbers == {2, 3}


def test_blue_neighbours_stand_around_an_unchanged_candidate() -> None:
    for each in drawn("blue neighbour"):
        assert each.lens == CANDIDATE
        assert each.structure == ()
        assert len(each.neighbours) in (1, 2)
        for other in each.neighbours:
            distance = np.hypot(other.x - 1.0, other.y + 2.0)
            assert RING_RADIUS[0] <= distance <= RING_RADIUS[1]


def test_half_of_the_blue_neighbours_lie_across() -> None:
    """A random angle is within a degree of square to the line of sight one time in ninety."""
    others = [other for each in drawn("blue neighbour", 300) for other in each.neighbours]
    angles = [o.position_angle - np.arctan2(o.y + 2.0, o.x - 1.0) for o in others]
    n_across = int(np.sum(np.abs(np.cos(angles)) < np.sin(np.deg2rad(1))))
    assert stats.binomtest(n_across, len(others), 0.5 + 0.5 / 90).pvalue > LEAST_P


def test_a_scene_says_what_its_candidate_is() -> None:
    rng = np.random.default_rng(12)
    companions = (galaxy(x=5.0),)
    scenes = [scene_without_source(CANDIDATE, companions, 0.5, rng) for _ in range(1000)]
    counts = [sum(scene.kind == kind for scene in scenes) for kind in ("galaxy", *KINDS)]
    assert sum(counts) == 1000
    assert stats.chisquare(counts, [500, *[100] * 5]).pvalue > LEAST_P
    assert all(scene.companions[-1] == companions[0] for scene in scenes)
    assert all(
        (scene.kind == "galaxy") == (scene.lens == CANDIDATE)
        for scene in scenes
        if scene.kind != "blue neighbour"
    )


def test_a_plain_galaxy_is_no_impostor() -> None:
    with pytest.raises(LensyError, match=r"no impostor 'galaxy'; the kinds are spiral, ring"):
        impostor(CANDIDATE, "galaxy", np.random.default_rng(1))
