"""Levels: clusters against scipy, periods, volume, round numbers, and the table of clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HOUR_NS, Bars, Float1D
from indicators._level_kernel import join_widths_kernel
from indicators.event_table import EventTable
from indicators.support_resistance import SUPPORT_RESISTANCE, round_numbers, round_step
from indicators.support_resistance_events import SUPPORT_RESISTANCE_DETECTOR
from indicators.volatility import average_true_range
from indicators.volume_profile import PREVIOUS_VOLUME_PROFILE
from tests.generators import random_bars
from tests.oracles import levels as oracle
from tests.oracles.structure import Pivot

SAMPLES = [(1, 0.0), (2, 0.3), (7, 0.3)]
SIDES, WINDOW = 3, 100


def outputs_of(columns: dict[str, Float1D], **parameters: float) -> dict[str, Float1D]:
    indicator = SUPPORT_RESISTANCE
    computed = indicator.compute(columns, indicator.resolved(parameters))
    return {o.name: column for o, column in zip(indicator.outputs, computed, strict=True)}


def table_of(columns: dict[str, Float1D], **parameters: float) -> EventTable:
    detector = SUPPORT_RESISTANCE_DETECTOR
    return detector.find(columns, detector.resolved(parameters))


def quiet(rows: int, price: float = 101.5) -> dict[str, Float1D]:
    """Bars a point wide on each side, an ATR of 2, 2021-01-05 00:00 UTC on."""
    return {
        "open_time": 1_609_804_800e9 + HOUR_NS * np.arange(rows, dtype=np.float64),
        "high": np.full(rows, price + 1.0),
        "low": np.full(rows, price - 1.0),
        "close": np.full(rows, price),
        "volume": np.full(rows, 10.0),
        "is_gap": np.zeros(rows),
    }


def without_periods(bars: Bars) -> dict[str, Float1D]:
    """Columns on which no UTC day or week ends."""
    return {**bars.columns(), "open_time": 1.6e18 + 1e9 * np.arange(len(bars))}


def oracle_rows(bars: Bars, width: float = 0.5) -> list[list[oracle.Cluster]]:
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    prices = (bars.high.tolist(), bars.low.tolist())
    return oracle.clusters_of_rows(
        prices, (width * atr).tolist(), bars.is_gap.tolist(), SIDES, WINDOW
    )


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_levels_near_the_close(seed: int, gap_share: float) -> None:
    bars = random_bars(1000, seed, gap_share=gap_share)
    got = outputs_of(
        without_periods(bars), left=SIDES, right=SIDES, window_bars=WINDOW, round_percent=0
    )
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    for t, clusters in enumerate(oracle_rows(bars)):
        away = [one.level - bars.close[t] for one in clusters]
        near = [one for one, far in zip(clusters, away, strict=True) if abs(far) <= 0.5 * atr[t]]
        assert got["near_count"][t] == len(near), t
        if np.isnan(atr[t]):
            continue
        # Sums in another order.
        strongest = max((one.strength(t) for one in near), default=0.0)
        assert got["strength"][t] == pytest.approx(strongest, rel=1e-12), t
        above = min((far for far in away if far >= 0), default=np.inf) / atr[t]
        below = min((-far for far in away if far < 0), default=np.inf) / atr[t]
        assert got["resistance_atr"][t] == pytest.approx(min(above, 10.0), abs=1e-9), t
        assert got["support_atr"][t] == pytest.approx(min(below, 10.0), abs=1e-9), t
    assert got["near_count"].max() >= 2


@pytest.mark.parametrize("width", [0.5, 2.0])
@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_the_table_is_that_of_the_oracle(seed: int, gap_share: float, width: float) -> None:
    bars = random_bars(1000, seed, gap_share=gap_share)
    table = table_of(
        without_periods(bars), left=SIDES, right=SIDES, window_bars=WINDOW, width_atr=width
    )
    rows = oracle_rows(bars, width)
    expected = oracle.levels(rows, bars.is_gap.tolist(), SIDES, WINDOW)
    expected.sort(key=lambda one: (one.known, min(p.price for p in one.members)))
    assert table.known.tolist() == [one.known for one in expected]
    assert table.anchor.tolist() == [min(p.anchor for p in one.members) for one in expected]
    assert table.top.tolist() == [max(p.price for p in one.members) for one in expected]
    assert table.bottom.tolist() == [min(p.price for p in one.members) for one in expected]
    assert table.point_rows[:, 1].tolist() == [one.newest.anchor for one in expected]
    assert table.measure.tolist() == pytest.approx([one.strength for one in expected], rel=1e-12)
    names = [state.name for state in SUPPORT_RESISTANCE_DETECTOR.states]
    got = [
        (int(event), names[state], int(row))
        for event, state, row in zip(
            table.change_event, table.change_state, table.change_row, strict=True
        )
    ]
    changes = [(k, *change) for k, one in enumerate(expected) for change in one.changes]
    assert sorted(got) == sorted(changes)
    assert len(changes) > 50
    assert max(len(one.members) for one in expected) >= 4


@settings(max_examples=200, deadline=None)
@given(
    prices=st.lists(st.floats(1.0, 2.0, allow_nan=False), min_size=1, max_size=25, unique=True),
    width=st.floats(0.001, 0.5),
)
def test_a_cut_gives_the_clusters_of_complete_linkage(prices: list[float], width: float) -> None:
    gaps = {round(b - a, 12) for k, a in enumerate(prices) for b in prices[k + 1 :]}
    if len(gaps) < len(prices) * (len(prices) - 1) // 2:
        # Two unions of one width: which comes first is a matter of taste.
        return
    ordered = np.array(sorted(prices))
    rows, joins = np.arange(len(prices)), np.empty(len(prices))
    room = (np.empty(len(prices), np.int64), np.empty(len(prices), np.int64))
    join_widths_kernel(ordered, rows, len(prices), *room, joins)
    breaks = np.flatnonzero(joins[: len(prices) - 1] > width) + 1
    expected = oracle.clusters([Pivot(0, 0, 1, price) for price in prices], width)
    assert [part.tolist() for part in np.split(ordered, breaks)] == [
        sorted(p.price for p in one.pivots) for one in expected
    ]


def test_of_two_unions_as_wide_the_newer_pivots_join() -> None:
    room = (np.empty(3, np.int64), np.empty(3, np.int64))
    for rows, expected in (([1, 2, 3], [2.0, 1.0]), ([3, 2, 1], [1.0, 2.0])):
        joins = np.empty(3)
        join_widths_kernel(np.array([1.0, 2.0, 3.0]), np.array(rows), 3, *room, joins)
        assert joins[:2].tolist() == expected


@pytest.mark.parametrize(
    ("price", "step"),
    [
        (43_217.0, 5000.0), (39_999.0, 2000.0), (40_000.0, 2000.0), (101.5, 10.0), (0.5, 0.05),
        (1.0, 0.05), (2.0, 0.1), (0.0000123, 0.000001), (-43_217.0, 5000.0),
    ],
)  # fmt: skip
def test_round_steps(price: float, step: float) -> None:
    assert round_step(np.array([price]), 5.0)[0] == pytest.approx(step, rel=1e-12)


def test_round_numbers_lie_on_both_sides_of_the_close() -> None:
    above, below = round_numbers(np.array([43_217.0, 45_000.0, 0.0, np.nan]), 5.0)
    assert above[:2].tolist() == [45_000.0, 45_000.0]
    assert below[:2].tolist() == [40_000.0, 40_000.0]
    assert np.isnan(above[2:]).all()
    assert np.isnan(round_numbers(np.array([100.0]), 0.0)[0]).all()


@given(price=st.floats(1e-6, 1e6), percent=st.floats(0.5, 20.0))
def test_a_round_step_is_the_smallest_that_is_wide_enough(price: float, percent: float) -> None:
    step = round_step(np.array([price]), percent)[0]
    least = percent / 100.0 * price
    assert least * (1 - 1e-6) <= step <= 2.5 * least * (1 + 1e-6)
    digits = step / 10.0 ** np.floor(np.log10(step * (1 + 1e-9)))
    assert min(abs(digits - one) for one in (1.0, 2.0, 5.0)) < 1e-6
    tenfold = round_step(np.array([10.0 * price]), percent)[0]
    assert tenfold == pytest.approx(10.0 * step, rel=1e-6)


def test_a_round_number_is_a_level() -> None:
    columns = quiet(60, 109.2)
    assert outputs_of(columns)["near_count"][40] == 1
    assert outputs_of(columns, round_percent=0)["near_count"][40] == 0
    assert outputs_of(columns)["resistance_atr"][40] == pytest.approx(0.4)
    assert outputs_of(columns)["strength"][40] == 1.0


def test_at_a_level_in_percent_of_the_price() -> None:
    columns = quiet(60, 107.5)
    assert outputs_of(columns)["near_count"][40] == 0
    assert outputs_of(columns, near_percent=2.0)["near_count"][40] == 0
    columns = quiet(60, 108.0)
    assert outputs_of(columns, near_percent=2.0)["near_count"][40] == 1


def test_the_value_area_of_the_day_that_ended() -> None:
    bars = random_bars(24 * 6, 4)
    columns = dict(bars.columns())
    profile = PREVIOUS_VOLUME_PROFILE
    read = {name: columns[name] for name in profile.inputs}
    poc, val, vah = profile.compute(read, profile.resolved({}))[:3]
    got = outputs_of(columns, window_bars=100, left=50, right=50, round_percent=0)
    days = {
        day: (bars.high[day : day + 24].max(), bars.low[day : day + 24].min())
        for day in range(0, len(bars), 24)
    }
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    for t in range(48, len(bars) - 1):
        if t % 24 == 23:
            # At the close of a day's last bar that day is over; the profile shows it on the next row.
            levels = [*days[t - 23], poc[t + 1], val[t + 1], vah[t + 1]]
        else:
            levels = [*days[t - t % 24 - 24], poc[t], val[t], vah[t]]
        near = sum(abs(bars.close[t] - level) <= 0.5 * atr[t] for level in levels)
        assert got["near_count"][t] == near, t


def test_a_level_is_forgotten_behind_a_hole() -> None:
    columns = quiet(24 * 4)
    columns["is_gap"][60:64] = 1.0
    near = outputs_of(columns, round_percent=0)
    # Low of the day before, point of control and value area lie within half an ATR.
    assert near["support_atr"][62] < 0.5
    assert near["support_atr"][63] == near["support_atr"][70] == 10.0
    # The day with the hole makes no level, the next one does.
    assert near["support_atr"][71] == near["support_atr"][94] == 10.0
    assert near["support_atr"][95] < 0.5


def test_a_coin_of_the_same_name_has_its_own_levels() -> None:
    bars = random_bars(2000, 5)
    columns = {name: column.copy() for name, column in bars.columns().items()}
    for name in ("open", "high", "low", "close"):
        columns[name][1000:] *= 1000.0
        columns[name][280:1000] = columns["close"][279]
    columns["volume"][280:1000], columns["is_gap"][280:1000] = 0.0, 1.0
    table = table_of(columns)
    assert not ((table.anchor < 280) & (table.known >= 283)).any()
    assert not ((table.change_row >= 283) & (table.known[table.change_event] < 1000)).any()
    later = outputs_of(columns)
    fresh = outputs_of({name: column[1000:] for name, column in columns.items()})
    # The ATR before the hole is still in the ATR behind it.
    stable = SUPPORT_RESISTANCE.stable(SUPPORT_RESISTANCE.resolved({}))
    for name, column in fresh.items():
        np.testing.assert_allclose(later[name][1000 + stable :], column[stable:], rtol=1e-6)
