"""Artefacts: each against its stated numbers, and each mask against what has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import EUCLID
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from lensy.errors import LensyError
from lensy.figures.images import draw_gallery
from lensy.telescope.artefact import Artefact, Setting
from lensy.telescope.bands import band
from lensy.telescope.detector_artefacts import (
    ChipGap,
    CosmicRays,
    Holes,
    HotColumn,
    HotPixels,
    NoiseStep,
)
from lensy.telescope.focal_plane import INSTRUMENTS, LAYOUTS, MEAN_SPAN
from lensy.telescope.instrument import (
    DESCRIPTIONS,
    KINDS,
    Exposure,
    Instrument,
    expose,
)
from lensy.telescope.noise import ExposureMode, as_seen, observe
from lensy.telescope.optical_artefacts import Ghost, Star, Trail
from lensy.telescope.rates import Rates, realistic_rates

VIS, H = band("VIS"), band("H")
MODES: tuple[ExposureMode, ...] = ("coadd", "single exposure")
CASES = [
    (kind, mode) for kind in KINDS for mode in MODES if (kind, mode) != ("noise step", MODES[1])
]
EMPTY = {name: np.zeros(band(name).shape, np.float32) for name in EUCLID}


def seen(
    *artefacts: Artefact, name: str = "VIS", exposure: ExposureMode = "coadd", seed: int = 1
) -> Exposure:
    """An exposure of empty sky."""
    rng, instrument = np.random.default_rng(seed), Instrument(exposure=exposure)
    return expose(EMPTY[name], band(name), rng, artefacts=artefacts, instrument=instrument)


def star(magnitude: float = 15.0, **changes: Any) -> Star:
    usual = {"x": 0.0, "y": 0.0, "angle": 0.0, "magnitudes": {"VIS": magnitude, "H": magnitude}}
    return Star(bands=("VIS", "H"), **(usual | changes))


def positions(name: str) -> tuple[np.ndarray, np.ndarray]:
    """x and y (y, x) of pixel centres, arcsec."""
    each = band(name)
    rows, columns = np.indices(each.shape)
    centre = 0.5 * (each.n_pixels - 1)
    return (columns - centre) * each.pixel_scale, (rows - centre) * each.pixel_scale


# Geometry


def corners(n: int, side: float, angle: Any = 0.0) -> np.ndarray:
    """Corners (corner, axis, n) of squares of `side` at 0, turned by `angle`."""
    x, y = 0.5 * side * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]).T[..., None]
    angle = np.broadcast_to(angle, n)
    return np.array([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)])


@pytest.mark.parametrize(("name", "expected"), [("VIS", 0.76), ("NISP", 0.744)])
def test_a_cutout_lies_on_one_detector(name: str, expected: float) -> None:
    """0.76 in VIS is published; Monte Carlo: all corners on the same detector of the array."""
    layout, n = LAYOUTS[name], 100_000
    rng = np.random.default_rng(1)
    centres = rng.uniform(0, 1, (n, 2)) * layout.pitch
    places = centres.T[:, None] + corners(n, 20.0)
    pitch, size = (np.array(each)[:, None, None] for each in (layout.pitch, layout.detector))
    cell = np.floor(places / pitch)
    inside = (places - cell * pitch < size).all(axis=(0, 1))
    same = (cell == cell[:, :1]).all(axis=(0, 1))
    error = np.sqrt(expected * (1 - expected) / n)
    assert_allclose(layout.clear_fraction(20.0), (inside & same).mean(), atol=5 * error)
    assert_allclose(layout.clear_fraction(20.0), expected, atol=0.001)


@pytest.mark.parametrize("name", LAYOUTS)
def test_share_of_turned_frames_that_a_gap_cuts(name: str) -> None:
    """Monte Carlo with centres on a detector and every angle.

    Taking the mean span of a turned square for that of every angle misses its variance: less than
    0.001 in this share.
    """
    layout, n = LAYOUTS[name], 100_000
    rng = np.random.default_rng(2)
    centres = rng.uniform(0, 1, (n, 2)) * layout.detector
    places = centres.T[:, None] + corners(n, 20.0, rng.uniform(0, 2 * np.pi, n))
    size = np.array(layout.detector)[:, None, None]
    cut = ((places < 0) | (places > size)).any(axis=(0, 1)).mean()
    error = np.sqrt(cut * (1 - cut) / n)
    assert_allclose(layout.cut_fraction(20 * MEAN_SPAN), cut, atol=5 * error + 0.001)


def test_three_or_four_exposures_nearly_everywhere() -> None:
    """A few per cent of the sky with two or fewer in VIS, none without any."""
    exposures = LAYOUTS["VIS"].exposure_map()
    assert exposures.min() >= 1
    assert exposures.max() == 4
    assert 0.02 < (exposures <= 2).mean() < 0.08


@pytest.mark.parametrize("name", LAYOUTS)
def test_share_of_frames_with_a_step(name: str) -> None:
    """Monte Carlo on probes 1 arcsec apart over the frame; the share is right to 1 arcsec in 20."""
    layout, n = LAYOUTS[name], 4000
    rng = np.random.default_rng(3)
    x0, y0 = rng.uniform(0, 1, (2, n, 1, 1)) * np.array(layout.pitch)[:, None, None, None]
    probes = np.linspace(-10, 10, 21)
    exposures = layout.n_exposures(x0 + probes, y0 + probes[:, None])
    stepped = (exposures.max(axis=(1, 2)) > exposures.min(axis=(1, 2))).mean()
    tolerance = 5 * np.sqrt(stepped * (1 - stepped) / n) + stepped / 20
    assert_allclose(layout.step_fraction(20.0), stepped, atol=tolerance)


def test_the_focal_planes_have_the_published_size() -> None:
    """NISP: 0.722 x 0.763 degrees; VIS: 0.70 x 0.78 with the gaps of 12.3 and 64.6 arcsec."""
    assert_allclose(np.array(LAYOUTS["NISP"].extent) / 3600, [0.722, 0.763], atol=1e-4)
    assert_allclose(np.array(LAYOUTS["VIS"].extent) / 3600, [0.700, 0.778], atol=1e-3)


# Clean


@pytest.mark.parametrize("name", EUCLID)
def test_without_artefacts_it_is_observe(name: str) -> None:
    image = np.full(band(name).shape, 7.0, np.float32)
    rngs = [np.random.default_rng(4) for _ in range(4)]
    plain = expose(image, band(name), rngs[0])
    assert_array_equal(plain.image, observe(image, band(name), rngs[1]))
    assert plain.image.dtype == np.float32
    assert plain.masks == {}
    assert rngs[0].random() == rngs[1].random()
    single = expose(image, band(name), rngs[2], instrument=Instrument(exposure="single exposure"))
    assert_array_equal(
        single.image, observe(image, band(name), rngs[3], exposure="single exposure")
    )


def test_the_clean_instrument_draws_nothing() -> None:
    assert Instrument().draw(np.random.default_rng(5)) == ()


# Drawing


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_only_one_kind_and_it_is_in_every_band(kind: str, mode: ExposureMode) -> None:
    instrument = Instrument.only(kind, mode)
    for seed in range(10):
        artefacts = instrument.draw(np.random.default_rng(seed))
        assert {each.kind for each in artefacts} == {kind}
        for name in EUCLID:
            assert [name in each.bands for each in artefacts].count(True) == 1
            exposure = seen(*artefacts, name=name, exposure=mode)
            assert set(exposure.masks) == {kind}
            assert exposure.masks[kind].shape == exposure.image.shape


@pytest.mark.parametrize("mode", MODES)
def test_rates_are_kept(mode: ExposureMode) -> None:
    """Of 2000 frames; within 5 standard errors of a binomial share, and one frame."""
    rng, n = np.random.default_rng(6), 2000
    instrument = Instrument(exposure=mode, rates=realistic_rates(mode))
    frames = [instrument.draw(rng) for _ in range(n)]
    for kind in KINDS:
        for instrument_name, names in INSTRUMENTS.items():
            rate = instrument.rates.of(kind, instrument_name)
            found = [any(a.kind == kind and names[0] in a.bands for a in f) for f in frames]
            error = np.sqrt(rate * (1 - rate) / n)
            assert_allclose(np.mean(found), rate, atol=5 * error + 1 / n)


def test_realistic_rates_follow_from_the_geometry() -> None:
    coadd, single = realistic_rates("coadd"), realistic_rates("single exposure")
    for name, layout in LAYOUTS.items():
        assert single.of("chip gap", name) == layout.cut_fraction(20 * MEAN_SPAN)
        assert coadd.of("noise step", name) == layout.step_fraction(20 * MEAN_SPAN)
    assert 0.02 < coadd.of("star", "VIS") < 0.06


def test_switching_one_kind_off_leaves_the_others() -> None:
    every = Instrument(rates=Rates.model_validate({"hole": 1.0, "star": 1.0, "trail": 1.0}))
    fewer = Instrument(rates=Rates.model_validate({"hole": 1.0, "trail": 1.0}))
    drawn = every.draw(np.random.default_rng(7))
    assert tuple(a for a in drawn if a.kind != "star") == fewer.draw(np.random.default_rng(7))
    assert every.draw(np.random.default_rng(7)) == drawn
    assert every.draw(np.random.default_rng(8)) != drawn


def test_a_star_is_the_same_in_all_bands_and_not_on_the_candidate() -> None:
    for seed in range(20):
        (drawn,) = Instrument.only("star").draw(np.random.default_rng(seed))
        assert isinstance(drawn, Star)
        assert set(drawn.magnitudes) == set(EUCLID)
        assert np.hypot(drawn.x, drawn.y) >= 3
        assert 12 <= drawn.magnitudes["VIS"] <= 17.8


def test_detector_artefacts_share_the_angle() -> None:
    rates = {"chip_gap": 1.0, "star": 1.0, "hot_column": 1.0}
    drawn: Any = Instrument(rates=Rates.model_validate(rates)).draw(np.random.default_rng(9))
    assert len({each.angle for each in drawn}) == 1


# JSON and bad values


@pytest.mark.parametrize("mode", MODES)
def test_an_instrument_survives_json(mode: ExposureMode) -> None:
    for instrument in (Instrument.realistic(mode), Instrument.only("star", mode), Instrument()):
        assert Instrument.model_validate_json(instrument.model_dump_json()) == instrument


def test_a_number_stands_for_both_instruments() -> None:
    rates = Rates.model_validate({"hole": 0.25})
    assert rates.of("hole", "VIS") == rates.of("hole", "NISP") == 0.25


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"rates": {"hole": 1.5}}, r"rates\.hole\.VIS.*less than or equal to 1"),
        ({"rates": {"star": -0.1}}, r"rates\.star.*greater than or equal to 0"),
        ({"rates": {"ghost": {"VIS": "often"}}}, r"rates\.ghost\.VIS.*valid number"),
        (
            {"rates": {"dust": 0.1}},
            r"rates\.dust.*no such artefact; the kinds are chip_gap, noise_step",
        ),
        ({"rates": {"star": {"VIS": 0.1}}}, "rates.*star is in all bands or none"),
        ({"exposure": "sideways"}, r"exposure.*'coadd', 'single exposure' or 'HST-like'"),
        ({"noise": 1}, "noise.*Extra inputs"),
        (
            {"exposure": "single exposure", "rates": {"noise_step": 0.1}},
            r"rates\.noise_step must be 0 where exposure is 'single exposure'",
        ),
    ],
)
def test_a_bad_instrument_is_refused(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){message}"):
        Instrument.model_validate(content)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(LensyError, match="no artefact 'dust'; the kinds are chip gap, noise step"):
        Instrument.only("dust")
    assert tuple(DESCRIPTIONS) == KINDS


@pytest.mark.parametrize("corner", [(-1, 0), (0, 150)])
def test_an_image_outside_the_frame_is_refused(corner: tuple[int, int]) -> None:
    image = np.zeros((60, 60), np.float32)
    with pytest.raises(LensyError, match=r"does not lie in the VIS frame of \(200, 200\)"):
        expose(image, VIS, np.random.default_rng(1), corner=corner)


# Masks and crops


@pytest.mark.parametrize("name", ["VIS", "H"])
@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_the_mask_covers_what_has_changed(kind: str, mode: ExposureMode, name: str) -> None:
    """What is outside has changed by less than one sigma of an empty pixel.

    Light of up to a quarter of sigma is left out of masks, and its photons scatter: in the worst
    case, VIS, 0.25 sigma is 6 electrons, and 6 + 5 sqrt(6) of them are 0.75 sigma.
    """
    instrument = Instrument.only(kind, mode)
    sigma = as_seen(band(name), mode).background_sigma
    image = np.full(band(name).shape, 5.0, np.float32)
    for seed in range(5):
        artefacts = instrument.draw(np.random.default_rng(seed))
        rngs = [np.random.default_rng(seed) for _ in range(2)]
        clean = expose(image, band(name), rngs[0], instrument=instrument)
        spoilt = expose(image, band(name), rngs[1], artefacts=artefacts, instrument=instrument)
        changed = np.abs(spoilt.image - clean.image) > sigma
        assert not (changed & ~spoilt.masks[kind]).any()
        if kind not in ("noise step", "star", "ghost", "trail"):  # a photon may fail to come
            assert (spoilt.image != clean.image)[spoilt.masks[kind]].all()


@pytest.mark.parametrize("name", ["VIS", "H"])
@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_a_crop_has_the_crop_of_the_masks(kind: str, mode: ExposureMode, name: str) -> None:
    artefacts = Instrument.only(kind, mode).draw(np.random.default_rng(11))
    instrument, rng = Instrument(exposure=mode), np.random.default_rng(12)
    whole = seen(*artefacts, name=name, exposure=mode)
    for corner in ((0, 0), (10, 22), (26, 3)):
        window = tuple(slice(first, first + 40) for first in corner)
        part = expose(
            EMPTY[name][window],
            band(name),
            rng,
            artefacts=artefacts,
            instrument=instrument,
            corner=corner,
        )
        expected = whole.masks[kind][window]
        assert_array_equal(part.masks.get(kind, np.zeros((40, 40), bool)), expected)


def test_masks_of_one_kind_are_joined() -> None:
    holes = [Holes(("VIS",), 3, 0.0, seed) for seed in (1, 2)]
    both = seen(*holes).masks["hole"]
    assert_array_equal(both, seen(holes[0]).masks["hole"] | seen(holes[1]).masks["hole"])


def test_blank_comes_last() -> None:
    """A star's light and cosmic rays in a gap are not seen."""
    gap = ChipGap(("VIS",), 409.6 - 2.0, 200.0, 0.0)
    exposure = seen(star(14.0), CosmicRays(("VIS",), 80, 1), gap, exposure="single exposure")
    assert not exposure.image[exposure.masks["chip gap"]].any()
    assert exposure.image[~exposure.masks["chip gap"]].all()


def test_correlated_noise_under_artefacts() -> None:
    """The scatter of a mosaic; and light, added before, is not smeared."""
    instrument = Instrument(correlated_noise=True)
    rng = np.random.default_rng(13)
    bare = expose(EMPTY["VIS"], VIS, rng, instrument=instrument).image.astype(float)
    assert_allclose(bare.std(), 1.42, rtol=5 / np.sqrt(2 * 200**2 / 3))
    bright = expose(EMPTY["VIS"], VIS, rng, artefacts=[star(18.5)], instrument=instrument).image
    light = star(18.5).light(VIS)
    noise = np.sqrt(light * VIS.njy_per_electron) + VIS.background_sigma
    assert (np.abs(bright - light) < 6 * noise).all()


# Each kind by itself


def test_a_gap_is_where_geometry_says() -> None:
    """The right edge of a detector 2 arcsec right of the centre, the upper one 3 arcsec above."""
    x, y = positions("VIS")
    right = ChipGap(("VIS",), 409.6 - 2.0, 200.0, 0.0)
    both = ChipGap(("VIS",), 409.6 - 2.0, 413.2 - 3.0, 0.0)
    turned = ChipGap(("VIS",), 409.6 - 2.0, 200.0, np.pi / 2)
    assert_array_equal(seen(right).masks["chip gap"], x > 2)
    assert_array_equal(seen(both).masks["chip gap"], (x > 2) | (y > 3))
    assert_array_equal(seen(turned).masks["chip gap"], y > 2)
    slanted = ChipGap(("VIS",), 409.6 - 2.0, 200.0, np.pi / 4)
    assert_array_equal(seen(slanted).masks["chip gap"], x + y > 2 * np.sqrt(2))


def test_behind_a_narrow_gap_is_the_next_detector() -> None:
    x, _ = positions("VIS")
    gap = ChipGap(("VIS",), 409.6 + 4.0, 200.0, 0.0)
    assert_array_equal(seen(gap).masks["chip gap"], (x >= -4) & (x < 8.3))


def test_the_edge_of_a_mosaic_has_nothing_beyond() -> None:
    """In a coadd gaps within the field are covered, its outer edge is not."""
    x, _ = positions("H")
    edge = ChipGap(("H",), 2.0, 300.0, 0.0, gaps=False)
    assert_array_equal(seen(edge, name="H").masks["chip gap"], x < -2)
    assert "chip gap" not in seen(ChipGap(("H",), 612.0, 300.0, 0.0, gaps=False), name="H").masks


@pytest.mark.parametrize("mode", MODES)
def test_gaps_come_at_any_angle_and_leave_the_centre(mode: ExposureMode) -> None:
    for seed in range(20):
        artefacts = Instrument.only("chip gap", mode).draw(np.random.default_rng(seed))
        mask = seen(*artefacts, exposure=mode).masks["chip gap"]
        assert not mask[99:101, 99:101].all()
        assert mask.any()


def test_a_noise_step_has_the_ratio_of_exposures() -> None:
    """A horizontal edge through the centre: four exposures below, three above: sqrt(4 / 3).

    The standard deviation of 20 000 pixels has a relative error of 1 / sqrt(40 000).
    """
    _, y = positions("VIS")
    step = NoiseStep(("VIS",), 200.0, 413.2, 0.0)
    exposure = seen(step)
    assert_array_equal(exposure.masks["noise step"], y >= 0)
    image = exposure.image.astype(float)
    ratio = image[y >= 0].std() / image[y < 0].std()
    assert_allclose(ratio, np.sqrt(4 / 3), rtol=5 * np.sqrt(2 / 40_000))


def test_cosmic_rays_touch_three_per_cent_of_vis_pixels() -> None:
    """300 exposures. A frame's share scatters by 16 %: sqrt(77) tracks of unequal length."""
    single = as_seen(VIS, "single exposure")
    rng = np.random.default_rng(14)
    drawn = [CosmicRays.draw(rng, Setting(("VIS",), 0.0, single=True)) for _ in range(300)]
    share = [each.spoil(single).mask.mean() for each in drawn]
    assert_allclose(np.mean(share), 0.03, rtol=5 * 0.16 / np.sqrt(300))


def test_lengths_of_tracks() -> None:
    """Median 11 pixels, 90 % below 29 (EuclidVisibleInstrument); 20 000 tracks know them to 1 %."""
    lengths = CosmicRays(("VIS",), 20_000, 15).lengths()
    assert_allclose(np.quantile(lengths, [0.5, 0.9]), [11, 29], rtol=0.05)


def test_a_track_is_as_long_as_it_says() -> None:
    """Alone: the diagonal of the pixels it touches, for straight ones, within 2 pixels."""
    single = as_seen(VIS, "single exposure")
    spans, lengths = [], []
    for seed in range(60):
        track = CosmicRays(("VIS",), 1, seed)
        rows, columns = np.nonzero(track.spoil(single).mask)
        if min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < 199:
            spans.append(np.hypot(np.ptp(rows), np.ptp(columns)))
            lengths.append(track.lengths()[0])
    straight = np.abs(np.array(spans) - lengths) < 2
    assert straight.mean() > 0.75
    assert (np.array(spans) < np.array(lengths) + 2).all()


def test_a_coadd_keeps_few_and_faint_tracks() -> None:
    coadd = Setting(("VIS",), 0.0, single=False)
    kept = [CosmicRays.draw(np.random.default_rng(s), coadd) for s in range(9)]
    assert all(1 <= each.n_tracks <= 4 for each in kept)
    full = [CosmicRays(("VIS",), 5, s).spoil(VIS).charge for s in range(20)]
    faint = [CosmicRays(("VIS",), 5, s, survivors=True).spoil(VIS).charge for s in range(20)]
    assert np.sum(faint) < 0.2 * np.sum(full)


def test_a_star_keeps_its_flux_until_it_saturates() -> None:
    """Of light, 1 to 2 % is beyond the frame: halo 0.1 * 0.3 / 10, spikes 0.02 * 0.5 / 10.5."""
    faint = star(19.0).spoil(VIS)
    assert not faint.charge.any()
    assert_allclose(faint.light.sum(), VIS.flux(19.0) * (1 - 0.003 - 0.001), rtol=0.01)


@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi / 2])
def test_what_overflows_bleeds_along_the_column(angle: float) -> None:
    """Nothing is lost, no pixel is over its well, and the trail is long and thin."""
    bright = star(13.5, angle=angle)
    spoil = bright.spoil(VIS)
    assert_allclose((spoil.light + spoil.charge).sum(), bright.light(VIS).sum(), rtol=1e-9)
    full = 200_000 * VIS.flux(VIS.zero_point) / VIS.exposure_time
    assert (spoil.light + spoil.charge).max() <= full * (1 + 1e-9)
    x, y = positions("VIS")
    along, across = y * np.cos(angle) - x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
    bled = spoil.charge > 0
    assert np.ptp(along[bled]) > 4 * np.ptp(across[bled])
    assert_allclose(along[bled].mean(), 0.0, atol=0.2)


@pytest.mark.parametrize(("magnitude", "overflows"), [(17.5, True), (18.1, False)])
def test_vis_saturates_at_its_bright_limit(magnitude: float, overflows: bool) -> None:
    """17.8 is published; 0.3 mag to either side, for a star on a pixel's centre."""
    spoil = star(magnitude, x=0.05, y=0.05).spoil(as_seen(VIS, "single exposure"))
    assert spoil.charge.any() == overflows


def test_nisp_does_not_bleed() -> None:
    spoil = star(12.0).spoil(H)
    assert not spoil.charge.any()
    assert_allclose(spoil.light.max(), 130_000 * H.flux(H.zero_point) / H.exposure_time)


def test_a_star_has_six_spikes() -> None:
    """Light on a circle of 4 arcsec: six peaks, a sixth of a turn apart, along the angle."""
    light = star(15.0, angle=0.2).light(VIS)
    angles = np.deg2rad(np.arange(360))
    rows, columns = (
        np.rint(99.5 + 40 * part).astype(int) for part in (np.sin(angles), np.cos(angles))
    )
    ring = light[rows, columns]
    expected = np.rad2deg(0.2) + 60 * np.arange(6)
    away = np.abs((np.arange(360)[:, None] - expected + 30) % 60 - 30).min(axis=1)
    between = np.median(ring[away > 15])
    for spike in expected:
        near = np.abs((np.arange(360) - spike + 180) % 360 - 180) < 3
        assert ring[near].max() > 3 * between
    assert (ring[away > 8] < 1.5 * between).all()


@pytest.mark.parametrize("name", ["VIS", "H"])
def test_a_ghost_is_a_ring_of_its_surface_brightness(name: str) -> None:
    """Halfway between its edges and away from the vanes' shadows; dark within and without."""
    each = band(name)
    ghost = Ghost((name,), 0.0, 0.0, 0.0, radius=8.0, hole=0.4, surface_brightness=24.0)
    light = ghost.spoil(each).light
    x, y = positions(name)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    bright = (radius > 5) & (radius < 6.2) & (np.abs(angle - np.pi / 3) < 0.5)
    assert_allclose(light[bright], each.flux(24.0) * each.pixel_scale**2, rtol=0.02)
    assert light[radius < 1.5].max() < 0.02 * light.max()
    assert light[radius > 9.9].max() < 0.02 * light.max()


@pytest.mark.parametrize("name", ["VIS", "H"])
def test_a_trail_has_its_length_direction_and_flux(name: str) -> None:
    """In a coadd a quarter of the flux: one exposure of four has it.

    A line of length L and width w has variances L^2 / 12 + w^2 and w^2 along its axes.
    """
    each, length, direction = band(name), 8.0, 0.6
    trail = Trail((name,), 0.4, -0.3, direction, length, 19.0)
    light = trail.spoil(each).light
    assert_allclose(light.sum(), each.flux(19.0) / 4, rtol=0.01)
    x, y = positions(name)
    along = x * np.cos(direction) + y * np.sin(direction)
    mean = np.average(along, weights=light)
    variance = np.average((along - mean) ** 2, weights=light)
    width = each.psf_sigma**2 + each.pixel_scale**2 / 12
    assert_allclose(variance, length**2 / 12 + width, rtol=0.01)
    across = np.average((y * np.cos(direction) - x * np.sin(direction)) ** 2, weights=light)
    assert across < 0.6
    alone = trail.spoil(as_seen(each, "single exposure")).light
    assert_allclose(alone, 4 * light, atol=1e-12)


def test_hot_pixels_are_single_and_as_many() -> None:
    charge = HotPixels(("VIS",), 7, 16).spoil(VIS).charge
    assert np.count_nonzero(charge) == 7


def test_a_hot_column_is_a_line_along_the_columns() -> None:
    """Angle 0: the pixels of one column from the defect on; a coadd has a quarter of the charge."""
    x, y = positions("VIS")
    column = HotColumn(("VIS",), 0.0, 2.05, -1.0, 300.0)
    spoil, alone = column.spoil(VIS), column.spoil(as_seen(VIS, "single exposure"))
    assert_array_equal(spoil.mask, (np.abs(x - 2.05) < 0.04) & (y > -1))
    assert_allclose(spoil.charge.max(), 300 * VIS.flux(VIS.zero_point) / (4 * VIS.exposure_time))
    assert_allclose(alone.charge, 4 * spoil.charge)


def test_holes_are_the_same_in_all_bands_of_a_detector() -> None:
    holes = Holes(("Y", "J", "H"), 4, 0.5, 17)
    masks = [seen(holes, name=name).masks["hole"] for name in ("Y", "J", "H")]
    assert_array_equal(masks[0], masks[1])
    assert_array_equal(masks[0], masks[2])


@pytest.mark.parametrize(("name", "median", "largest"), [("VIS", 8.5, 14), ("H", 4, 13)])
def test_holes_have_the_sizes_of_real_ones(name: str, median: float, largest: int) -> None:
    """Typed from Q1 cutouts: 6 holes in VIS and 20 in NISP, whose medians are known to 20 %."""
    each = band(name)
    sizes = [Holes((name,), 1, 0.1 * seed, seed).spoil(each).mask.sum() for seed in range(500)]
    assert_allclose(np.median(sizes), median, rtol=0.2)
    assert np.mean(np.array(sizes) <= largest) > 0.85


def test_the_gallery_shows_every_panel_twice() -> None:
    panels = [(kind, EMPTY["H"] + 1, EMPTY["H"] > 0) for kind in KINDS]
    figure = draw_gallery(panels, n_columns=5)
    assert len([axes for axes in figure.axes if axes.images]) == 2 * len(KINDS)
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == list(KINDS)


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("name", ["VIS", "H"])
def test_starlight_where_no_exposure_saw_anything_spoils_no_other_pixel(
    name: str, correlated: bool
) -> None:
    """A bright star over pixels without data: 0 there, and finite all around."""
    where = band(name)
    missing = np.zeros(where.shape, int)
    below = where.n_pixels // 2 + 6
    missing[below : below + 4] = where.n_exposures

    class HalfSeen(Star):
        def spoil(self, frame: Any) -> Any:
            return replace(super().spoil(frame), missing=missing)

    facts: Any = (("VIS", "H"), 0.0, 0.0, 0.0, {"VIS": 14.0, "H": 14.0})
    instrument = Instrument(correlated_noise=correlated)
    dark = np.zeros(where.shape, np.float32)
    seen, whole = (
        expose(
            dark, where, np.random.default_rng(1), artefacts=(each,), instrument=instrument
        ).image
        for each in (HalfSeen(*facts), Star(*facts))
    )
    assert np.isfinite(seen).all()
    assert (seen[below : below + 4] == 0).all()
    middle = slice(where.n_pixels // 2 - 5, where.n_pixels // 2 + 5)
    for row in (below - 1, below + 4):
        light = whole[row, middle].mean()
        assert light > 3 * where.background_sigma
        assert seen[row, middle].mean() == pytest.approx(light, rel=0.2)
