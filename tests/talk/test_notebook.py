from __future__ import annotations

import numpy as np
from astropy.table import Table

from lensy.metrics.ranking import Estimate
from lensy.talk.notebook import show_table, with_interval


def test_a_table_is_shown_whole() -> None:
    rows = [(f"row {k}", *range(30)) for k in range(200)]
    shown = show_table(rows, ["name", *(f"column {k}" for k in range(30))])
    html = shown._repr_html_()
    assert html.count("<td>row") == 200
    assert "row 199" in html
    assert "column 29" in html
    assert "..." not in html
    assert "row 100" in repr(shown)


def test_tables_come_from_columns_and_from_tables() -> None:
    columns = {"x": [1, 2], "y": ["a", "b"]}
    one, other = (show_table(each)._repr_html_() for each in (columns, Table(columns)))
    # the first line has a number of its own
    assert one.split("\n")[1:] == other.split("\n")[1:]
    assert "<td>2</td>" in one


def test_markup_in_a_cell_is_not_markup_of_the_page() -> None:
    assert "<b>" not in show_table({"x": ["<b>bold</b>"]})._repr_html_()


def test_a_value_with_its_interval() -> None:
    estimate = Estimate(0.9571, 0.9523, 0.9621, 6000)
    assert with_interval(estimate) == "0.957 (0.952 to 0.962)"
    written = {"value": np.float64(-0.01), "low": -0.02, "high": 0.0}
    assert with_interval(written, form="+.2f") == "-0.01 (-0.02 to +0.00)"
