from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lensy.errors import LensyError
from lensy.talk.published import (
    published_mask_areas,
    published_number,
    published_numbers,
    published_roc,
)

CURVES = {
    "VIS": "auroc.naberrie.vis",
    "Y": "auroc.naberrie.y",
    "J": "auroc.naberrie.j",
    "H": "auroc.naberrie.h",
    "MRC-95": "auroc.mrc-95",
    "MRC-99": "auroc.mrc-99",
    "MRC-995": "auroc.mrc-995",
    "MRC-3": "auroc.mrc-3",
}


def test_every_printed_number_has_its_own_id() -> None:
    names = [number.id for number in published_numbers()]
    # 4 bands x (accuracy, recall, precision, loss), 8 areas, 4 scores over pictures
    assert len(names) == len(set(names)) == 4 * 4 + 8 + 4


@pytest.mark.parametrize(("curve", "identifier"), CURVES.items())
def test_area_under_a_digitised_curve_is_the_printed_one(curve: str, identifier: str) -> None:
    x, y = published_roc(curve)
    area = np.sum(np.diff(x) * 0.5 * (y[1:] + y[:-1]))
    # the width of a plotted line: the worst curve is off by 0.00124
    assert_allclose(area, published_number(identifier).value, atol=0.00125)


@pytest.mark.parametrize("curve", CURVES)
def test_a_digitised_curve_rises_from_corner_to_corner(curve: str) -> None:
    x, y = published_roc(curve)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()


def test_only_losses_are_better_when_lower() -> None:
    lower = {number.id for number in published_numbers() if number.lower_is_better}
    assert lower == {f"table.{band}.loss" for band in ("vis", "y", "j", "h")}


def test_an_unknown_number_or_curve_is_named() -> None:
    with pytest.raises(LensyError, match=r"No published number is called 'auroc.vis'; there are"):
        published_number("auroc.vis")
    with pytest.raises(LensyError, match=r"no ROC curve 'K'; it shows VIS, Y, J, H, MRC-95"):
        published_roc("K")


def test_the_talks_masks_have_half_a_per_cent_of_the_frame_where_nothing_hides_them() -> None:
    areas = published_mask_areas()
    assert sorted(areas) == [1, 3, 11, 13]
    sizes = [area for panel in areas.values() for area in panel.values()]
    # 200 pixels of 40 000; one is 206, because at its edge olive cannot be told from dark yellow
    assert max(sizes) <= 206
    assert np.median(sizes) == 199
    assert all(198 <= panel["cyan"] <= 200 for panel in areas.values())
