"""Forward returns and their clusters: against pandas, which looks rows up by their times."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.report.heads.forward import (
    HORIZONS,
    cluster_ns,
    clusters,
    forward_returns,
    grouped,
)

HOUR = 3_600_000_000_000
START = 1_609_459_200_000_000_000
"""2021-01-01, a Friday."""


@settings(max_examples=80, deadline=None)
@given(
    bars=st.integers(0, 60),
    votes=st.integers(0, 40),
    shift=st.integers(-20, 70),
    seed=st.integers(0, 2**31),
    gap_rate=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_a_return_is_that_of_the_two_opens(
    bars: int, votes: int, shift: int, seed: int, gap_rate: float
):
    generator = np.random.default_rng(seed)
    open_time = START + HOUR * np.arange(bars)
    opens, is_gap = generator.uniform(1, 9, bars), generator.random(bars) < gap_rate
    known_at = START + HOUR * (shift + np.arange(votes))
    found = forward_returns(known_at, open_time, opens, is_gap, HOUR)
    price = pd.Series(np.where(is_gap, np.nan, opens), index=open_time, dtype=float)
    gaps = set(open_time[is_gap].tolist())
    assert found.shape == (votes, len(HORIZONS))
    for row, moment in enumerate(known_at.tolist()):
        for column, ahead in enumerate(HORIZONS):
            expected = (
                np.nan
                if moment - HOUR in gaps
                else price.get(moment + ahead * HOUR, np.nan) / price.get(moment, np.nan) - 1.0
            )
            np.testing.assert_equal(found[row, column], expected)


def test_a_hole_in_the_traded_bars_is_no_return():
    """A bar that is not listed at all is no other bar's price."""
    open_time = START + HOUR * np.array([0, 1, 3, 4, 5])
    found = forward_returns(
        START + HOUR * np.arange(6),
        open_time,
        np.array([1.0, 2.0, 4.0, 5.0, 6.0]),
        np.zeros(5, dtype=np.bool_),
        HOUR,
    )
    np.testing.assert_array_equal(found[:, 0], [1.0, np.nan, np.nan, 0.25, 6.0 / 5.0 - 1.0, np.nan])
    np.testing.assert_array_equal(found[:, 1], [4.0, 2.0, np.nan, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("hours", "weeks"), [(1 / 60, 1), (1, 1), (2, 2), (4, 3), (24, 14), (168, 96)]
)
def test_a_cluster_holds_four_of_the_longest_horizon(hours: float, weeks: int):
    length = cluster_ns(round(hours * HOUR))
    assert length == weeks * 7 * 24 * HOUR
    assert length >= 4 * 24 * hours * HOUR


def test_clusters_are_calendar_weeks():
    moments = START + HOUR * np.arange(0, 24 * 60, 7)
    found = clusters(moments, int(moments[0]), cluster_ns(HOUR))
    weeks = pd.to_datetime(moments).to_period("W-SUN")
    expected = pd.factorize(weeks)[0]
    np.testing.assert_array_equal(found, expected)
    assert pd.Timestamp(moments[found == 1][0]).day_name() == "Monday"


def test_groups_are_those_of_pandas():
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "value": np.where(generator.random(500) < 0.1, np.nan, generator.normal(size=500)),
            "week": generator.integers(0, 6, 500),
            "level": generator.integers(0, 4, 500),
        }
    )
    sums, counts = grouped(
        frame["value"].to_numpy(), frame["week"].to_numpy(), frame["level"].to_numpy(), (6, 4)
    )
    expected = frame.groupby(["week", "level"])["value"].agg(["sum", "count"]).unstack()
    np.testing.assert_allclose(sums, expected["sum"], rtol=1e-12)
    np.testing.assert_array_equal(counts, expected["count"])
