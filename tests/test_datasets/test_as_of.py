"""As-of joins against a search through every row, under revisions, late data and ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DataError
from indicators.asof import as_of_rows, release_order, released_rows, taken_rows

Rows = list[tuple[int, int]]
# Few distinct moments, so that revisions, ties and late rows are common; in any order.
ROWS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=25,
)
MOMENTS = st.lists(st.integers(-2, 40), max_size=25).map(sorted)


def shown_by_search(rows: Rows, moment: int, max_age: int) -> int:
    """The row to show, by looking at every row: the oracle."""
    best = -1
    for row, (event, available) in enumerate(rows):
        if available > moment:
            continue
        if best < 0 or (event, available) >= rows[best]:
            best = row
    return -1 if best >= 0 and moment - rows[best][0] > max_age else best


def columns(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


@settings(max_examples=500)
@given(rows=ROWS, moments=MOMENTS, max_age=st.integers(0, 30))
def test_the_join_equals_a_search_and_shows_nothing_early(
    rows: Rows, moments: list[int], max_age: int
) -> None:
    event, available = columns(rows)
    shown = as_of_rows(np.array(moments, dtype=np.int64), event, available, max_age)
    assert shown.tolist() == [shown_by_search(rows, moment, max_age) for moment in moments]
    for moment, row in zip(moments, shown.tolist(), strict=True):
        assert row < 0 or available[row] <= moment


@settings(max_examples=300)
@given(rows=ROWS, moments=MOMENTS, cut=st.integers(0, 40))
def test_what_arrives_later_changes_nothing_before(
    rows: Rows, moments: list[int], cut: int
) -> None:
    known = [row for row in rows if row[1] <= cut]
    early = np.array([moment for moment in moments if moment <= cut], dtype=np.int64)
    whole = as_of_rows(early, *columns(rows), 1000)
    prefix = as_of_rows(early, *columns(known), 1000)
    assert [rows[row] if row >= 0 else None for row in whole] == [
        known[row] if row >= 0 else None for row in prefix
    ]


@settings(max_examples=300)
@given(rows=ROWS)
def test_releases_are_the_rows_that_told_something_newer(rows: Rows) -> None:
    event, available = columns(rows)
    expected, newest = [], -1
    for row in sorted(range(len(rows)), key=lambda row: (rows[row][1], rows[row][0], row)):
        if rows[row][0] > newest:
            expected.append(row)
            newest = rows[row][0]
    released = released_rows(event, available)
    assert released.tolist() == expected
    assert (np.diff(event[released]) > 0).all()
    assert (np.diff(available[released]) >= 0).all()


def test_rows_are_taken_and_missing_ones_are_nan() -> None:
    out = np.zeros(4)
    taken_rows(np.array([1.0, 2.0]), np.array([1, -1, 0, 1]), out)
    np.testing.assert_array_equal(out, [2.0, np.nan, 1.0, 2.0])


def test_moments_in_disorder_are_refused() -> None:
    times = np.array([1, 2], dtype=np.int64)
    with pytest.raises(DataError, match="known_at must not decrease"):
        as_of_rows(times[::-1].copy(), times, times, 10)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), delay=st.sampled_from([0, 3, 30, 3000]))
def test_the_order_of_release_is_that_of_a_stable_sort(seed: int, delay: int) -> None:
    generator = np.random.default_rng(seed)
    event = np.sort(generator.integers(0, 1500, 2000))
    available = event + generator.integers(0, delay + 1, 2000)
    expected = sorted(range(2000), key=lambda row: (available[row], event[row], row))
    assert release_order(event, available).tolist() == expected
