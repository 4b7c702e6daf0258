"""Ticks of a drawn time axis: few, in order, on it, and labelled as people read them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from experiments.studies.analysers.axis import MOST_TICKS, ticks_of


@given(
    st.integers(0, 2_000_000_000),
    st.sampled_from([SECOND_NS, MINUTE_NS, HOUR_NS, DAY_NS, 30 * DAY_NS, 365 * DAY_NS]),
    st.integers(1, 30),
)
def test_ticks_are_few_in_order_and_on_the_axis(start_s: int, unit_ns: int, count: int) -> None:
    start_ns = start_s * SECOND_NS
    ticks = ticks_of(start_ns, start_ns + unit_ns * count)
    positions = [tick.x for tick in ticks]
    assert len(ticks) <= MOST_TICKS + 1
    assert positions == sorted(set(positions))
    assert all(0 <= x <= 100 for x in positions)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2018-01-01", "2024-06-01", ["2018", "2019", "2020", "2021", "2022", "2023", "2024"]),
        ("2023-11-15", "2024-02-20", ["Dec 2023", "Jan 2024", "Feb"]),
        ("2024-02-27", "2024-03-02", ["27 Feb", "28 Feb", "29 Feb", "01 Mar"]),
    ],
)
def test_labels_of_an_axis(first: str, last: str, labels: list[str]) -> None:
    start, end = (int(np.datetime64(day, "ns").astype(np.int64)) for day in (first, last))
    found = [tick.label for tick in ticks_of(start, end)]
    assert [label for label in found if label in labels] == labels
