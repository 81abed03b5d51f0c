"""Figures draw what they are given: the numbers on the axes are those of the arrays."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from lensy.figures import curves, images, objects
from lensy.talk import population_charts


def test_masks_are_coloured_as_in_the_talk() -> None:
    lens, arc, companion = np.zeros((3, 4, 4), bool)
    companion[:3, :3] = lens[1:, 1:] = arc[2, 2] = True
    picture = objects.colour_masks([lens, arc, companion])
    assert_allclose(picture[2, 2], to_rgb("cyan"))  # lensed light above the lens galaxy
    assert_allclose(picture[1, 1], to_rgb("red"))  # the lens galaxy above companions
    assert_allclose(picture[0, 0], to_rgb(objects.COMPANIONS[0]))
    assert_allclose(picture[0, 3], 0)


def test_an_image_is_stretched_with_arcsinh() -> None:
    figure = images.draw_layers({"one": np.array([[0.0, 2.0], [4.0, 200.0]])}, pixel_scale=0.1)
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert_allclose(shown, np.arcsinh([[0.0, 1.0], [2.0, 100.0]]))


def test_triptychs_carry_the_score_as_title() -> None:
    image = np.ones((8, 8))
    figure = images.draw_triptychs([(image, image, image)] * 2, [0.25, 0.5])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[2].endswith("0.25")
    assert titles[5] == "0.50"


def test_roc_figure_shows_both_curves_on_both_axes() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    figure = curves.draw_roc({"VIS ours": curve}, {"the talk": curve})
    for axes in figure.axes:
        ours = next(line for line in axes.lines if line.get_label() == "VIS ours")
        assert ours.get_color() == images.BAND_COLOURS["VIS"]
        drawn = ours.get_xydata()
        assert {tuple(point) for point in zip(*curve, strict=True)} <= {*map(tuple, drawn)}
        # straight pieces stay straight, with more points than their ends
        assert len(drawn) > len(curve[0])
        assert_allclose(drawn[:, 1], np.interp(drawn[:, 0], *curve), atol=1e-12)
    assert figure.axes[1].get_xscale() == "log"


def test_roc_curves_of_one_colour_differ_by_their_lines() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    names = ("OU-200, published", "VIS", "OU-VIS", "OU-200, trained", "something", "else")
    (axes, _) = curves.draw_roc(dict.fromkeys(names, curve), {}).axes
    drawn = {line.get_label(): line for line in axes.lines}
    looks = {(drawn[name].get_color(), drawn[name].get_linestyle()) for name in names}
    assert len(looks) == len(names)


def test_a_long_legend_stands_beside_the_roc_curves() -> None:
    curve = (np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.8, 1.0]))
    names = [f"network {k}" for k in range(curves.MAX_INSIDE)]
    inside = curves.draw_roc(dict.fromkeys(names[:-1], curve), {})
    assert not inside.legends
    outside = curves.draw_roc(dict.fromkeys(names, curve), {})
    assert outside.axes[0].get_legend() is None
    entries = [text.get_text() for text in outside.legends[0].get_texts()]
    assert entries == ["guessing", *names]


def test_architecture_has_a_box_per_stage_and_an_arrow_per_skip() -> None:
    stages = [("encoder 1", 4, 16), ("bottleneck", 8, 8), ("decoder 1", 4, 16), ("output", 1, 16)]
    axes = curves.draw_architecture(stages).axes[0]
    kinds = [type(patch).__name__ for patch in axes.patches]
    assert kinds.count("Rectangle") == len(stages)
    assert kinds.count("FancyArrowPatch") == 1


def test_boxes_per_band_have_their_medians_and_colours() -> None:
    values = {"VIS": [1.0, 10.0, 100.0], "H": [2.0, 3.0, 4.0]}
    axes = population_charts.draw_per_band({"signal": values}).axes[0]
    assert [text.get_text() for text in axes.texts] == ["10", "3"]
    colours = [patch.get_facecolor()[:3] for patch in axes.patches]
    assert_allclose(colours, [to_rgb(images.BAND_COLOURS[name]) for name in values])


def test_colour_tracks_are_named_at_their_ends() -> None:
    tracks = {"old": [1.0, 2.0], "young": [0.0, 0.5]}
    points = ([0.2], [1.2])
    figure = population_charts.draw_colour_tracks(
        [0.0, 1.0], tracks, lenses=points, sources=points, ylabel="VIS - H"
    )
    ends = {text.get_text(): text.xy for text in figure.axes[0].texts}
    assert ends == {"old": (1.0, 2.0), "young": (1.0, 0.5)}


def test_marginals_show_shares_and_medians() -> None:
    values = {"TALK": np.array([1.0, 2.0, 4.0]), "EUCLID": np.array([0.5, 1.0, 1.5, 2.0])}
    panels = {"radius": values, "magnitude": values}
    axes = population_charts.draw_marginals(panels, logarithmic=["radius"]).axes
    assert [each.get_xscale() for each in axes[:2]] == ["log", "linear"]
    medians = [line.get_xdata()[0] for line in axes[0].lines]
    assert_allclose(medians, [2.0, 1.25])


def test_correlations_and_counts_draw_what_they_are_given() -> None:
    x, y = np.array([1.0, 2.0]), np.array([0.1, 10.0])
    figure = population_charts.draw_correlations(
        [("radius", "size", {"TALK": (x, y), "EUCLID": (x, y)})], ["0.5"], logarithmic=["size"]
    )
    assert figure.axes[0].get_yscale() == "log"
    assert_allclose(figure.axes[0].lines[1].get_ydata(), y)
    counts = population_charts.draw_galaxy_counts(x, {"TALK": y}, expected=2 * y)
    assert_allclose([line.get_ydata() for line in counts.axes[0].lines], [2 * y, y])


def test_thresholds_outline_the_lens_above_and_colour_all_masks_below() -> None:
    lens, arc, companion = np.zeros((3, 8, 8), bool)
    lens[2:5, 2:5] = arc[3, 3] = companion[6:, 6:] = True
    masks = [lens, arc, companion]
    figure = objects.draw_thresholds(np.ones((8, 8)), {95.0: masks, 99.5: masks})
    assert [axes.get_title() for axes in figure.axes[:2]] == [
        "95th percentile",
        "99.5th percentile",
    ]
    rims = figure.axes[0].collections
    assert_allclose([rim.get_edgecolor()[0][:3] for rim in rims], [to_rgb("red"), to_rgb("cyan")])
    for axes in figure.axes[2:]:
        assert_allclose(axes.images[0].get_array(), objects.colour_masks(masks))


def test_objects_have_boxes_around_their_pixels() -> None:
    mask = np.zeros((8, 10), bool)
    mask[2:5, 3:7] = True
    figure = objects.draw_objects([(np.ones((8, 10)), [("lens galaxy", mask, (3, 2, 4, 3))])])
    (box,) = figure.axes[0].patches
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((2.5, 1.5), 4, 3)
    assert_allclose(box.get_edgecolor()[:3], to_rgb("red"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["lens galaxy"]


@pytest.mark.parametrize(("upwards", "row"), [(False, 2), (True, 4)])
def test_words_stand_above_their_box_on_the_page(upwards: bool, row: int) -> None:
    """Whichever end of the box, rows 2 to 4 of the image, is the upper one."""
    each = objects.Outlined("galaxy", np.zeros((8, 10)), (3, 2, 4, 3), "0.50")
    rows = [[("", np.ones((8, 10)), [each])]]
    axes = objects.draw_object_rows(rows, upwards=upwards).axes[0]
    (words,) = axes.texts
    assert words.xy == (5, row)
    assert axes.yaxis_inverted() is not upwards


def test_coverage_draws_the_frame_to_scale() -> None:
    counts = np.array([[4, 3], [2, 4]])
    axes = images.draw_coverage({"VIS": (counts, (400.0, 500.0))}, frame=20.0).axes[0]
    assert_allclose(axes.images[0].get_array(), counts)
    assert axes.images[0].get_extent() == [0, 400.0, 0, 500.0]
    assert (axes.patches[0].get_width(), axes.patches[0].get_height()) == (20.0, 20.0)


def test_noise_maps_share_their_scale_and_leave_out_what_has_no_data() -> None:
    image = np.ones((4, 4))
    scatters = [np.array([[1.0, 2.0]]), np.array([[np.nan, 5.0]])]
    panels = [(title, image, each) for title, each in zip("ab", scatters, strict=True)]
    figure = images.draw_noise_maps(panels, pixel_scale=0.1)
    for axes, scatter in zip(figure.axes[2:4], scatters, strict=True):
        assert axes.images[0].get_clim() == (1.0, 5.0)
        assert_allclose(np.ma.filled(axes.images[0].get_array(), np.nan), scatter)


def test_mask_areas_are_dots_in_the_colours_of_their_objects() -> None:
    images = {"1": {"red": 200.0, "cyan": 150.0}, "3": {"lime": 90.0}}
    figure = curves.draw_mask_areas({"the talk": images}, n_pixels=200)
    dots = figure.axes[0].collections
    assert_allclose([y for each in dots for _, y in each.get_offsets()], [200, 150, 90])
    assert_allclose(dots[0].get_facecolors()[:, :3], [to_rgb("red"), to_rgb("cyan")])


def test_frequencies_are_in_per_cent_and_leave_out_what_cannot_be() -> None:
    share, expected = np.array([0.1, np.nan]), np.array([0.12, np.nan])
    errors = np.array([[0.02, np.nan], [0.03, np.nan]])
    panels = {"coadd": {"VIS": (share, errors, expected)}}
    axes = curves.draw_frequencies(["star", "noise step"], panels).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["star", "noise step"]
    bars, points = axes.lines[0], axes.containers[0].lines[0]
    assert_allclose(bars.get_xdata(), [12, np.nan])
    assert_allclose(points.get_xdata(), [10, np.nan])


def test_noise_of_sums_is_divided_by_the_side() -> None:
    sizes, white = np.array([1, 2, 3]), np.array([2.0, 4.0, 6.0])
    axes = curves.draw_noise_sums(sizes, {"white": white}, {1: 1.5, 3: 6.0}).axes[0]
    assert_allclose(axes.lines[0].get_ydata(), 2.0)
    assert_allclose(axes.lines[1].get_ydata(), [1.5, 2.0])


def test_shares_rise_from_zero_to_one() -> None:
    axes = curves.draw_shares({"one": [3.0, 1.0]}, xlabel="x", ylabel="y").axes[0]
    x, y = axes.lines[0].get_data()
    assert_allclose(x[1:], [1.0, 3.0])
    assert_allclose(y, [0.0, 0.5, 1.0])
