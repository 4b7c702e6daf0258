"""CVD divergences against an oracle that recomputes every pivot on every prefix."""

import numpy as np
import pytest
import talib

from indicators import INDICATORS_BY_NAME
from indicators.divergence import CVD_DIVERGENCE, DIVERGENCE_BALANCE, divergences
from tests.flow_columns import without_trades
from tests.generators import random_bars
from tests.oracles import crypto as oracle

ROWS = 500


def walks(seed: int, gap_share: float) -> dict[str, np.ndarray]:
    """Price and measure that mostly move together, on a coarse grid so that levels tie."""
    generator = np.random.default_rng(seed)
    price = np.round(100 + np.cumsum(generator.standard_normal(ROWS)), 1)
    measure = np.cumsum(0.4 * np.diff(price, prepend=100) + generator.standard_normal(ROWS))
    gaps = np.zeros(ROWS)
    for start in np.flatnonzero(generator.random(ROWS) < gap_share):
        gaps[start : start + generator.integers(2, 7)] = 1
    return {
        "price": price,
        "measure": measure,
        "price_unit": np.full(ROWS, 1.1),
        "measure_unit": np.full(ROWS, 1.2),
        "is_gap": gaps,
    }


@pytest.mark.parametrize("gap_share", [0.0, 0.02])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_event_is_the_one_found_by_brute_force(seed, gap_share):
    columns = walks(seed, gap_share)
    expected = oracle.divergence_events(**columns)
    regular, hidden, strength = divergences(**columns)
    np.testing.assert_array_equal(regular, [row[0] for row in expected])
    np.testing.assert_array_equal(hidden, [row[1] for row in expected])
    np.testing.assert_allclose(strength, [row[2] for row in expected], rtol=1e-12)
    assert np.count_nonzero(regular) >= 2
    assert np.count_nonzero(hidden) >= 2


def extreme_around(values: np.ndarray, pick, reach: int = 2) -> np.ndarray:
    return np.array([pick(values[max(0, t - reach) : t + reach + 1]) for t in range(len(values))])


@pytest.mark.parametrize("accumulates", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_extreme_of_the_measure_around_a_pivot_is_the_one_found_by_brute_force(
    seed, accumulates
):
    columns = walks(seed, 0.02)
    line = columns.pop("measure")
    flow = np.diff(line, prepend=0.0)
    regular, hidden, strength = divergences(
        measure=flow if accumulates else line, accumulates=accumulates, reach=2, **columns
    )
    lows = oracle.divergence_events(measure=extreme_around(line, min), **columns)
    highs = oracle.divergence_events(measure=extreme_around(line, max), **columns)
    # Of the first only what happens at lows counts: 1; of the second what happens at highs: -1.
    np.testing.assert_array_equal(regular > 0, [row[0] > 0 for row in lows])
    np.testing.assert_array_equal(hidden > 0, [row[1] > 0 for row in lows])
    np.testing.assert_array_equal(regular < 0, [row[0] < 0 for row in highs])
    np.testing.assert_array_equal(hidden < 0, [row[1] < 0 for row in highs])
    assert np.count_nonzero(regular) >= 2
    assert (divergences(measure=line, **columns)[2] != strength).any()


def test_at_wicks_highs_and_lows_are_judged_instead_of_closes():
    bars = random_bars(ROWS, 23)
    columns = bars.columns()
    indicator = INDICATORS_BY_NAME["rsi_divergence"]
    given = indicator.resolved({"at_wicks": 1})
    regular, hidden, _ = indicator.compute({one: columns[one] for one in indicator.inputs}, given)
    line = talib.RSI(bars.close, 14)
    change = np.diff(line, prepend=np.nan)
    deviation = [np.std(change[t - 99 : t + 1]) if t >= 114 else np.nan for t in range(ROWS)]
    atr = talib.ATR(bars.high, bars.low, bars.close, 14)
    at_lows = oracle.divergence_events(bars.low, line, atr, deviation, bars.is_gap)
    at_highs = oracle.divergence_events(bars.high, line, atr, deviation, bars.is_gap)
    known = indicator.lookback(given)
    for position, found in enumerate((regular, hidden)):
        expected = [max(low[position], 0) for low in at_lows[known:]]
        np.testing.assert_array_equal(np.maximum(found[known:], 0), expected)
        expected = [min(high[position], 0) for high in at_highs[known:]]
        np.testing.assert_array_equal(np.minimum(found[known:], 0), expected)
    assert np.count_nonzero(regular) >= 2


def test_a_broken_stretch_forgets_pivots():
    whole, broken = walks(5, 0.0), walks(5, 0.0)
    broken["is_gap"][100:400:40] = broken["is_gap"][101:400:40] = 1
    broken["is_gap"][102:400:40] = 1
    np.testing.assert_array_equal(divergences(**broken), divergences(**whole))
    broken["is_gap"][103:400:40] = 1
    assert np.count_nonzero(divergences(**broken)) < np.count_nonzero(divergences(**whole))


def test_a_lower_low_with_a_higher_low_in_cvd_is_bullish_and_known_five_rows_late():
    price = np.concatenate((np.linspace(110, 100, 11), np.linspace(101, 108, 8)))
    price = np.concatenate((price, np.linspace(107, 98, 10), np.linspace(99, 106, 10)))
    measure = np.concatenate((np.linspace(0, -30, 11), np.linspace(-28, 0, 8)))
    measure = np.concatenate((measure, np.linspace(-1, -12, 10), np.linspace(-11, 0, 10)))
    units = np.ones(len(price))
    regular, hidden, strength = divergences(price, measure, units, units, units * 0)
    assert np.flatnonzero(regular).tolist() == [28 + 5]
    assert regular[33] == 1
    assert strength[33] == 1.0
    assert (hidden == 0).all()
    mirrored, _, _ = divergences(-price, -measure, units, units, units * 0)
    np.testing.assert_array_equal(mirrored, -regular)


def test_differences_too_small_or_pivots_too_far_apart_do_not_count():
    columns = walks(7, 0.0)
    count = np.count_nonzero(divergences(**columns)[0])
    assert count > np.count_nonzero(divergences(**columns, separation=2.0)[0])
    assert count > np.count_nonzero(divergences(**columns, furthest=12)[0])


def test_units_and_warm_up_of_the_indicator():
    bars = random_bars(ROWS, 21, gap_share=0.03)
    columns = bars.columns()
    regular, hidden, strength, source = CVD_DIVERGENCE.compute(
        without_trades(columns), CVD_DIVERGENCE.resolved({})
    )
    assert (source == 2).all()
    delta = 2 * bars.taker_buy_volume - bars.volume
    cvd = [sum(delta[t - 23 : t + 1]) if t >= 23 else np.nan for t in range(ROWS)]
    change = np.diff(cvd, prepend=np.nan)
    deviation = [np.std(change[t - 99 : t + 1]) if t >= 123 else np.nan for t in range(ROWS)]
    expected = oracle.divergence_events(
        bars.close, cvd, talib.ATR(bars.high, bars.low, bars.close, 14), deviation, bars.is_gap
    )
    assert np.isnan(strength[:123]).all()
    np.testing.assert_array_equal(regular[123:], [row[0] for row in expected[123:]])
    np.testing.assert_array_equal(hidden[123:], [row[1] for row in expected[123:]])
    np.testing.assert_allclose(strength[123:], [row[2] for row in expected[123:]], rtol=1e-8)
    assert (regular[:123] == 0).all()
    assert np.count_nonzero(regular) > 3


def published(bars) -> dict[str, tuple[np.ndarray, int]]:
    """The lines of TA-Lib that price is compared with, and the first row on which they have settled."""
    columns = bars.high, bars.low, bars.close, bars.volume
    return {
        "obv": (talib.OBV(bars.close, bars.volume), 0),
        "adl": (talib.AD(*columns), 0),
        "cmf": (talib.CMF(*columns, 20), 20),
        "rsi": (talib.RSI(bars.close, 14), 15),
        "macd": (talib.MACD(bars.close, 12, 26, 9)[2], 34),
    }


def expected_events(bars, line: np.ndarray) -> list[tuple[int, int, float]]:
    change = np.diff(line, prepend=np.nan)
    if line[0] == line[0]:
        # The first row of a cumulative line is its own change, except that OBV starts at the volume.
        change[0] = line[0] if line[0] != bars.volume[0] else 0.0
    deviation = [
        np.std(change[t - 99 : t + 1]) if t >= 99 and not np.isnan(change[t - 99]) else np.nan
        for t in range(len(line))
    ]
    atr = talib.ATR(bars.high, bars.low, bars.close, 14)
    return oracle.divergence_events(bars.close, line, atr, deviation, bars.is_gap)


@pytest.mark.parametrize("name", ["obv", "adl", "cmf", "rsi", "macd"])
def test_each_measure_is_compared_as_talib_states_it(name):
    bars = random_bars(ROWS, 22, gap_share=0.02)
    line, first = published(bars)[name]
    expected = expected_events(bars, line)
    indicator = INDICATORS_BY_NAME[f"{name}_divergence"]
    given = indicator.resolved({})
    found = indicator.compute({one: bars.columns()[one] for one in indicator.inputs}, given)
    regular, hidden, strength = found
    known = indicator.lookback(given)
    assert np.isnan(strength[:known]).all()
    assert 99 <= known <= 99 + first
    np.testing.assert_array_equal(regular[known:], [row[0] for row in expected[known:]])
    np.testing.assert_array_equal(hidden[known:], [row[1] for row in expected[known:]])
    np.testing.assert_allclose(strength[known:], [row[2] for row in expected[known:]], rtol=1e-7)
    assert np.count_nonzero(regular) + np.count_nonzero(hidden) >= 5


def test_the_balance_adds_up_the_newest_of_each_measure_while_it_is_valid():
    bars = random_bars(ROWS, 22, gap_share=0.02)
    given = DIVERGENCE_BALANCE.resolved({"validity": 7})
    inputs = {one: bars.columns()[one] for one in DIVERGENCE_BALANCE.inputs}
    (balance,) = DIVERGENCE_BALANCE.compute(inputs, given)
    known = DIVERGENCE_BALANCE.lookback(given)
    assert np.isnan(balance[:known]).all()
    events = [expected_events(bars, line) for line, _ in published(bars).values()]
    for t in range(known, ROWS):
        total = 0.0
        for rows in events:
            recent = [
                rows[i] for i in range(t, max(known, t - 6) - 1, -1) if rows[i][0] + rows[i][1]
            ]
            if recent:
                regular, hidden, strength = recent[0]
                total += np.sign(regular + hidden) * strength
        assert balance[t] == pytest.approx(total, abs=1e-7)
    assert balance[known:].min() < -0.5
    assert balance[known:].max() > 0.5


def test_events_of_a_leaked_twin_disagree_with_a_prefix():
    """Moved one bar earlier, the column is not what a prefix of the market gives."""
    columns = walks(3, 0.0)
    regular = divergences(**columns)[0]
    leaked = np.append(regular[1:], 0.0)
    rows = np.flatnonzero(leaked)
    prefix_says = [
        divergences(**{name: column[: t + 1] for name, column in columns.items()})[0][t]
        for t in rows
    ]
    assert len(rows) >= 4
    assert (np.array(prefix_says) != leaked[rows]).any()
