"""Point-and-figure columns against a chart that is drawn box by box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators import _point_and_figure as kernels
from tests.oracles.wyckoff import figure_columns


def columns_of(heights: list[float], box: float, rises: bool) -> float:
    chart = np.empty(kernels.CHART_FIELDS)
    kernels.begin_chart_kernel(chart, box, heights[0], rises)
    for height in heights[1:]:
        kernels.advance_chart_kernel(chart, height)
    assert kernels.counted_height_kernel(chart) == chart[kernels.CHART_COLUMNS] * box * 3
    return float(chart[kernels.CHART_COLUMNS])


@pytest.mark.parametrize(
    ("closes", "columns"),
    [
        ([10.0, 10.9, 11.0, 14.2], 1),
        # From a top at 14 a reversal needs 11 or less.
        ([10.0, 14.9, 11.1], 1),
        ([10.0, 14.9, 11.0], 2),
        # From a bottom at 11 the next column needs 14 or more.
        ([10.0, 14.9, 10.1, 13.9], 2),
        ([10.0, 14.9, 10.1, 14.0], 3),
        ([10.0, 14.9, 10.1, 13.9, 10.0, 12.9], 2),
        ([10.0, 14.9, 10.1, 13.9, 10.0, 13.0], 3),
    ],
)
def test_a_column_turns_after_three_boxes(closes: list[float], columns: int) -> None:
    assert columns_of(closes, 1.0, rises=True) == columns
    assert columns_of([-close for close in closes], 1.0, rises=False) == columns
    assert columns_of([0.25 * close for close in closes], 0.25, rises=True) == columns


@given(
    # In sixty-fourths, so that no distance is rounded to a whole box.
    heights=st.lists(st.integers(-2560, 2560).map(lambda x: x / 64), min_size=1, max_size=200),
    box=st.sampled_from([0.5, 1.0, 2.0]),
    rises=st.booleans(),
)
def test_columns_are_those_of_the_drawn_chart(
    heights: list[float], box: float, rises: bool
) -> None:
    assert columns_of(heights, box, rises) == figure_columns([x / box for x in heights], rises)
