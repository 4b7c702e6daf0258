"""What becomes of opinions: sizes, volatilities and resting orders beside the close."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from datasets import Store
from engine import ORDER_KINDS, DataError, Decisions, Market
from experiments import RunConfig, config_of
from experiments.decisions import decisions_of
from experiments.market_data import MarketData, load_market_data
from experiments.pipeline import votes_of
from strategies import Consensus, consensus

from .conftest import SYMBOLS, small_tree


@pytest.fixture(scope="module")
def data(small_config: RunConfig, store: Store) -> MarketData:
    return load_market_data(small_config, store)


@pytest.fixture(scope="module")
def opinions(small_config: RunConfig, data: MarketData) -> dict[str, Consensus]:
    return {
        symbol: consensus(votes_of(small_config, market), small_config.consensus.rules())
        for symbol, market in data.markets.items()
    }


def decided(data: MarketData, opinions: Any, *overrides: str) -> tuple[Decisions, tuple[str, ...]]:
    return decisions_of(config_of(small_tree(), overrides), data, opinions)


def test_market_orders_state_no_kind_and_no_volatility(data: MarketData, opinions: Any):
    made, _ = decided(data, opinions)
    assert made.acts.sum() > 20
    assert (made.order_kind, made.order_price, made.volatility, made.style) == (None,) * 4


@pytest.mark.parametrize(("kind", "below"), [("limit", 1.0), ("stop", -1.0)])
def test_an_entry_rests_beside_the_traded_close(
    data: MarketData, opinions: Any, kind: str, below: float
):
    market, _ = decided(data, opinions, "consensus.exit_on_flat=true")
    made, _ = decided(
        data, opinions, "consensus.exit_on_flat=true", f"entry.kind={kind}", "entry.offset_atr=0.5"
    )
    np.testing.assert_array_equal(made.target, market.target)
    entered = 0
    for row, column in np.argwhere(made.acts).tolist():
        target = made.target[row, column]
        word = ORDER_KINDS[made.order_kind[row, column]]
        if target == 0:
            assert word == "market"
            continue
        close, atr = data.panel.close[row, column], made.atr_frac[row, column]
        expected = close * (1 - below * target * 0.5 * atr)
        assert word == kind
        assert made.order_price[row, column] == pytest.approx(expected, rel=1e-14)
        entered += 1
    assert entered > 20


def test_prices_of_resting_orders_are_whole_ticks_away_from_the_close(
    data: MarketData, opinions: Any
):
    tick = 0.125
    made, _ = decided(
        data, opinions, "entry.kind=limit", "entry.offset_atr=0.5",
        f"symbol_rules.{SYMBOLS[0]}.tick_size={tick}",
    )  # fmt: skip
    free, _ = decided(data, opinions, "entry.kind=limit", "entry.offset_atr=0.5")
    rows = made.acts[:, 0]
    price, wanted = made.order_price[rows, 0], free.order_price[rows, 0]
    assert (price == np.round(price / tick) * tick).all()
    long = made.target[rows, 0] > 0
    assert ((wanted - price)[long] >= 0).all()
    assert ((price - wanted)[~long] >= 0).all()
    assert (np.abs(price - wanted) < tick).all()
    np.testing.assert_array_equal(made.order_price[:, 1], free.order_price[:, 1])


def test_a_limit_below_zero_is_no_decision(data: MarketData, opinions: Any):
    wild = replace(
        data,
        markets={symbol: wide_ranges(market) for symbol, market in data.markets.items()},
    )
    market, _ = decided(wild, opinions)
    made, notes = decided(wild, opinions, "entry.kind=limit", "entry.offset_atr=90")
    below = made.atr_frac * 90 >= 1
    assert below[market.acts].any()
    np.testing.assert_array_equal(made.acts, market.acts & ~((market.target > 0) & below))
    assert (made.order_price[made.acts] > 0).all()
    assert any("the price of its order was not known" in note for note in notes)


def wide_ranges(market: Market) -> Market:
    """The same market with highs three times as far above the lows."""
    bars = market.bars
    return replace(market, bars=replace(bars, high=bars.high + 2 * (bars.high - bars.low)))


def test_volatility_is_that_of_the_existing_bars_a_year(data: MarketData, opinions: Any):
    made, notes = decided(data, opinions, "sizing.method=volatility", "measures.volatility_bars=48")
    free, _ = decided(data, opinions)
    assert made.volatility is not None
    symbol = SYMBOLS[0]
    bars = data.markets[symbol].bars
    real = np.flatnonzero(~bars.is_gap)
    for at in (48, 100, 500, len(real) - 1):
        closes = [float(bars.close[row]) for row in real[at - 48 : at + 1]]
        returns = [math.log(b / a) for a, b in pairwise(closes)]
        mean = sum(returns) / 48
        deviation = math.sqrt(sum((one - mean) ** 2 for one in returns) / 48)
        found = made.volatility[real[at], 0]
        assert found == pytest.approx(deviation * math.sqrt(365 * 24), rel=1e-9)
    assert np.isnan(made.volatility[real[47], 0])
    early = free.acts[:48, 0].sum() + free.acts[:48, 1].sum()
    assert free.acts.sum() - made.acts.sum() >= early
    assert early == 0 or any("its volatility" in note for note in notes)


def test_targets_need_the_volatility_that_sizes_them(
    data: MarketData, tmp_path: Any, opinions: Any
):
    path = tmp_path / "t.csv"
    path.write_text(f"time,symbol,target\n2021-01-02T02:00,{SYMBOLS[0]},1\n", encoding="utf-8")
    config = config_of(
        {**small_tree(), "targets": str(path)},
        ["sizing.method=volatility", "measures.volatility_bars=48"],
    )
    with pytest.raises(DataError, match="comes before the volatility is known"):
        decisions_of(config, data, opinions)
