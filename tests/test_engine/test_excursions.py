"""Excursions of trades against a plain list of the prices that count (docs/accounting.md §6)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import PHASES
from engine._excursions_kernel import TradeSpans, excursions_kernel

OPEN, INTRABAR, CLOSE = range(3)


def spans(*rows):
    """One row for each trade: symbol, side, entry bar, exit bar, phases and prices of both."""
    dtypes = (np.int64, np.int8, np.int64, np.int64, np.int8, np.int8, np.float64, np.float64)
    columns = zip(*rows, strict=True)
    return TradeSpans(*(np.array(c, dtype=d) for c, d in zip(columns, dtypes, strict=True)))


def excursions(trades, prices, tradable):
    mae, mfe = np.full((2, len(trades.symbol)), np.nan)
    excursions_kernel(trades, *prices, tradable, mae, mfe)
    return mae, mfe


def plain(trade, prices, tradable):
    symbol, side, first, last, entry_phase, exit_phase, entry, exit_ = trade
    open_, high, low, close = (column[:, symbol] for column in prices)
    seen = [exit_]
    for t in range(first, last + 1):
        if first == last:
            continue
        if t == first:
            seen += [high[t], low[t]] if PHASES[entry_phase] == "open" else [close[t]]
        elif not tradable[t, symbol]:
            continue
        elif t == last:
            seen.append(open_[t])
            if PHASES[exit_phase] == "close":
                seen += [high[t], low[t]]
        else:
            seen += [high[t], low[t]]
    gains = [side * (price - entry) / entry for price in seen]
    return max(0.0, -min(gains)), max(0.0, *gains)


@st.composite
def cases(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (12, 2)
    close = 100.0 * np.exp(np.cumsum(0.05 * generator.standard_normal(shape), axis=0))
    open_ = close * np.exp(0.03 * generator.standard_normal(shape))
    high = np.maximum(open_, close) * np.exp(0.05 * generator.random(shape))
    low = np.minimum(open_, close) * np.exp(-0.05 * generator.random(shape))
    rows = []
    for _ in range(8):
        first, last = sorted(int(t) for t in generator.integers(0, 12, 2))
        phases = int(generator.integers(0, 2)), int(generator.integers(0, 3))
        prices = 100.0 * np.exp(0.1 * generator.standard_normal(2))
        side = int(generator.choice([-1, 1]))
        symbol = int(generator.integers(0, 2))
        rows.append((symbol, side, first, last, *phases, float(prices[0]), float(prices[1])))
    return rows, (open_, high, low, close), generator.random(shape) < 0.7


@given(cases())
@settings(max_examples=300, deadline=None)
def test_excursions_agree_with_the_list_of_prices(case):
    rows, prices, tradable = case
    mae, mfe = excursions(spans(*rows), prices, tradable)
    for index, row in enumerate(rows):
        assert (mae[index], mfe[index]) == pytest.approx(plain(row, prices, tradable), abs=1e-15)


BAR = tuple(np.array([[v], [w], [x]]) for v, w, x in (
    (100.0, 102.0, 99.0), (110.0, 120.0, 150.0), (95.0, 101.0, 40.0), (102.0, 103.0, 60.0)
))  # fmt: skip
ALL = np.ones((3, 1), dtype=bool)


def test_a_long_entered_at_an_open_and_closed_at_an_open():
    """From 100: the first two bars count whole (95 … 120), of the third only its open, 99."""
    mae, mfe = excursions(spans((0, 1, 0, 2, OPEN, OPEN, 100.0, 99.0)), BAR, ALL)
    assert (mae[0], mfe[0]) == pytest.approx((0.05, 0.2))


def test_a_short_is_the_mirror():
    mae, mfe = excursions(spans((0, -1, 0, 2, OPEN, OPEN, 100.0, 99.0)), BAR, ALL)
    assert (mae[0], mfe[0]) == pytest.approx((0.2, 0.05))


def test_a_trade_held_to_the_close_saw_its_last_bar_whole():
    mae, mfe = excursions(spans((0, 1, 0, 2, OPEN, CLOSE, 100.0, 60.0)), BAR, ALL)
    assert (mae[0], mfe[0]) == pytest.approx((0.6, 0.5))


def test_a_trade_entered_inside_a_bar_saw_its_close_only():
    """The extremes of the entry bar may have come before the entry."""
    mae, mfe = excursions(spans((0, 1, 0, 1, INTRABAR, INTRABAR, 101.0, 104.0)), BAR, ALL)
    assert (mae[0], mfe[0]) == pytest.approx((0.0, 3.0 / 101.0))


def test_a_trade_within_one_bar_saw_its_exit_only():
    mae, mfe = excursions(spans((0, 1, 0, 0, OPEN, INTRABAR, 100.0, 98.0)), BAR, ALL)
    assert (mae[0], mfe[0]) == pytest.approx((0.02, 0.0))


def test_a_missing_bar_has_no_prices():
    tradable = np.array([[True], [False], [False]])
    mae, mfe = excursions(spans((0, 1, 0, 2, OPEN, CLOSE, 100.0, 60.0)), BAR, tradable)
    assert (mae[0], mfe[0]) == pytest.approx((0.4, 0.1))
