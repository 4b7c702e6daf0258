"""Permuted markets keep what they must and lose what they must; the test finds planted order."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from engine import Bars, Panel
from engine.errors import ConfigError, ContractError
from engine.panel import MarkPrices
from experiments.statistics.permutation import permutation_seeds, permutation_test, permuted
from tests.generators import random_bars

PRICES = ("open", "high", "low", "close")


def jumping_bars(rows: int, seed: int, **options) -> Bars:
    """Random bars whose opens lie off the closes before them."""
    bars = random_bars(rows, seed, **options)
    factor = np.exp(0.01 * np.random.default_rng(seed).standard_normal(rows))
    prices = {name: getattr(bars, name) * factor for name in PRICES}
    for t in np.flatnonzero(bars.is_gap):
        for name in PRICES:
            prices[name][t] = prices["close"][t - 1]
    return replace(bars, quote_volume=bars.quote_volume * factor, **prices)


def a_panel(rows: int, seed: int, *, with_mark: bool = True) -> Panel:
    """Three symbols with holes; one is listed late, one ends early."""
    whole, late, early = (
        jumping_bars(count, seed + k, gap_share=0.05, symbol=name)
        for k, (count, name) in enumerate([(rows, "A"), (rows, "B"), (rows, "C")])
    )
    cut = rows // 3
    arrays = {
        name: column[cut:] if isinstance(column, np.ndarray) else column
        for name in Bars.__slots__
        if (column := getattr(late, name)) is not None
    }
    arrays["is_gap"] = np.concatenate(([False], arrays["is_gap"][1:]))
    panel = Panel.from_bars({"A": whole, "B": Bars(**arrays), "C": early.prefix(rows - cut // 2)})
    if not with_mark:
        return panel
    premium = 1.0 + 0.001 * np.sin(np.arange(rows))[:, None]
    mark = MarkPrices(**{name: getattr(panel, name) * premium for name in PRICES})
    return Panel(
        **{name: getattr(panel, name) for name in Panel.__slots__ if name != "mark"}, mark=mark
    )


def body(market: Bars | Panel) -> np.ndarray:
    """High, low and close over the open, and the volume, as rows of numbers."""
    opened = market.open
    columns = [market.high / opened, market.low / opened, market.close / opened]
    if market.volume is not None:
        columns.append(market.volume)
    return np.stack(columns, axis=-1)


def gaps(market: Bars | Panel) -> np.ndarray:
    return market.open[1:] / market.close[:-1]


def sorted_rows(table: np.ndarray) -> np.ndarray:
    flat = table.reshape(len(table), -1)
    return flat[np.lexsort(np.round(flat, 9).T)]


@given(
    rows=st.integers(3, 80),
    seed=st.integers(0, 1000),
    kept=st.integers(1, 40),
    block=st.integers(1, 12),
)
def test_permuted_bars_are_the_same_bars_in_another_order(rows, seed, kept, block):
    bars = jumping_bars(rows, seed, gap_share=0.1)
    kept = min(kept, rows - 1)
    found = permuted(bars, seed, kept_bars=kept, block_bars=block)
    for name in ("open_time", "is_gap"):
        np.testing.assert_array_equal(getattr(found, name), getattr(bars, name))
    for name in (*PRICES, "volume", "quote_volume", "trades"):
        np.testing.assert_array_equal(getattr(found, name)[:kept], getattr(bars, name)[:kept])
    assert found.close[-1] == pytest.approx(bars.close[-1], rel=1e-11)
    exists = ~bars.is_gap
    np.testing.assert_allclose(
        sorted_rows(body(found)[exists]), sorted_rows(body(bars)[exists]), rtol=1e-9
    )
    np.testing.assert_allclose(np.sort(gaps(found)), np.sort(gaps(bars)), rtol=1e-9)
    # Volume in quote currency goes with the bar at its price; so does the taker's share.
    traded = exists & (found.volume > 0)
    assert (traded == exists).all()
    average = [m.quote_volume[traded] / m.volume[traded] / m.close[traded] for m in (found, bars)]
    np.testing.assert_allclose(np.sort(average[0]), np.sort(average[1]), rtol=1e-9)


@given(rows=st.integers(12, 60), seed=st.integers(0, 1000), block=st.integers(1, 8))
def test_the_columns_of_a_panel_move_together(rows, seed, block):
    panel = a_panel(rows, seed)
    found = permuted(panel, seed, block_bars=block)
    exists = panel.listed & ~panel.is_gap
    np.testing.assert_array_equal(found.listed, panel.listed)
    np.testing.assert_array_equal(found.is_gap, panel.is_gap)
    np.testing.assert_allclose(found.close[-1], panel.close[-1], rtol=1e-11)
    np.testing.assert_allclose(found.open[0], panel.open[0], rtol=0)
    # Whole rows are exchanged, and only between rows on which the same symbols have a bar.
    pattern = exists @ np.array([1, 2, 4])
    for one in np.unique(pattern[pattern > 0]):
        rows_of = pattern == one
        there = exists[rows_of][0]
        np.testing.assert_allclose(
            sorted_rows(body(found)[rows_of][:, there]),
            sorted_rows(body(panel)[rows_of][:, there]),
            rtol=1e-9,
        )
    ratio = [market.mark.close / market.close for market in (found, panel)]
    np.testing.assert_allclose(np.sort(ratio[0], axis=0), np.sort(ratio[1], axis=0), rtol=1e-9)
    # Before its listing a symbol carries its first open.
    first = int(panel.listed[:, 1].argmax())
    assert (found.close[:first, 1] == found.open[first, 1]).all()
    assert found.open[first, 1] == panel.open[first, 1]


def test_correlation_on_one_bar_survives_and_order_in_time_does_not():
    generator = np.random.default_rng(1)
    moves = np.empty((4000, 2))
    level = np.zeros(2)
    for t in range(4000):
        level = 0.6 * level + 0.004 * (generator.standard_normal() + generator.standard_normal(2))
        moves[t] = level
    close = 100 * np.exp(np.cumsum(moves, axis=0))
    market = simple_panel(close)
    found = permuted(market, 3)
    before, after = (np.diff(np.log(one.close), axis=0) for one in (market, found))
    assert np.corrcoef(after.T)[0, 1] == pytest.approx(np.corrcoef(before.T)[0, 1], abs=1e-3)
    lagged = [np.corrcoef(one[1:, 0], one[:-1, 0])[0, 1] for one in (before, after)]
    assert lagged[0] > 0.5
    assert abs(lagged[1]) < 0.06
    blocks = np.diff(np.log(permuted(market, 3, block_bars=50).close), axis=0)
    assert np.corrcoef(blocks[1:, 0], blocks[:-1, 0])[0, 1] > 0.5


def simple_panel(close: np.ndarray) -> Panel:
    open_ = np.concatenate((close[:1], close[:-1]))
    columns = close.shape[1]
    return Panel(
        symbols=tuple("ABCDEF"[:columns]),
        timeframe="1h",
        open_time=np.arange(len(close), dtype=np.int64) * 3_600_000_000_000,
        open=open_,
        high=np.maximum(open_, close),
        low=np.minimum(open_, close),
        close=close,
        listed=np.ones(close.shape, dtype=np.bool_),
        is_gap=np.zeros(close.shape, dtype=np.bool_),
    )


def test_blocks_keep_clusters_of_volatility():
    bars = random_bars(5000, 3)

    def cluster(market: Bars) -> float:
        size = np.abs(np.log(market.close / market.open))
        return float(np.corrcoef(size[1:], size[:-1])[0, 1])

    true, by_blocks, by_bars = (
        cluster(bars),
        cluster(permuted(bars, 1, block_bars=100)),
        cluster(permuted(bars, 1)),
    )
    assert true > 0.1
    assert by_blocks > 0.8 * true
    assert abs(by_bars) < 0.05


def test_gaps_change_places_by_themselves_unless_blocks_do():
    bars = jumping_bars(300, 1)
    found = permuted(bars, 2)
    size = {round(float(v), 9): k for k, v in enumerate(bars.volume)}
    came_from = np.array([size[round(float(v), 9)] for v in found.volume])
    gap_of = gaps(bars)
    together = np.isclose(gaps(found), gap_of[np.maximum(came_from[1:] - 1, 0)], rtol=1e-9)
    assert together.mean() < 0.05
    assert (came_from[1:] != np.arange(1, 300)).mean() > 0.95
    whole = permuted(bars, 2, block_bars=20)
    came_from = np.array([size[round(float(v), 9)] for v in whole.volume])
    np.testing.assert_allclose(gaps(whole), gap_of[came_from[1:] - 1], rtol=1e-9)
    # At most 17 blocks begin; a bar follows the one that it followed before, except at their borders.
    borders = {int(t) for t in np.flatnonzero(np.diff(came_from) != 1)}
    assert 10 <= len(borders) <= 17
    # Over the permutations every row of a block's length is a border.
    starts = set()
    for seed in range(30):
        moved = permuted(bars, seed, block_bars=5)
        came_from = np.array([size[round(float(v), 9)] for v in moved.volume])
        starts |= {int(came_from[t + 1]) % 5 for t in np.flatnonzero(np.diff(came_from) != 1)}
    assert starts == set(range(5))


def test_every_order_is_as_likely():
    bars = random_bars(4, 2)
    orders = {}
    for seed in range(1200):
        found = permuted(bars, seed)
        key = tuple(np.round(found.close / found.open, 12))
        orders[key] = orders.get(key, 0) + 1
    assert len(orders) == 6
    low, high = binom.interval(0.9999, 1200, 1 / 6)
    assert all(low <= count <= high for count in orders.values())


def trend_search(prices: Panel) -> float:
    """Best of eight look-backs of a rule that follows the last move; sum of log returns."""
    moves = np.diff(np.log(prices.close[:, 0]))
    total = np.cumsum(moves)
    best = -np.inf
    for bars in (1, 2, 3, 5, 8, 13, 21, 34):
        side = np.sign(total[bars:-1] - total[: -bars - 1])
        best = max(best, float((side * moves[bars + 1 :]).sum()))
    return best


def walk(generator: np.random.Generator, rows: int, momentum: float) -> Panel:
    moves = np.empty(rows)
    last = 0.0
    for t in range(rows):
        last = momentum * last + 0.01 * generator.standard_normal()
        moves[t] = last
    return simple_panel(100 * np.exp(np.cumsum(moves))[:, None])


def test_p_values_are_uniform_on_a_walk_and_small_on_a_trend():
    generator = np.random.default_rng(8)
    found = [
        permutation_test(
            trend_search, walk(generator, 150, 0.0), permutations=19, seed=seed
        ).p_value
        for seed in range(250)
    ]
    for level in (0.05, 0.1, 0.25, 0.5, 0.75):
        low, high = binom.interval(0.999, 250, level)
        assert low <= sum(p <= level + 1e-9 for p in found) <= high
    trended = permutation_test(trend_search, walk(generator, 600, 0.3), permutations=99, seed=1)
    assert trended.p_value == 0.01
    assert trended.observed > trended.null.max()
    assert trended.null_mean > 0.0


def test_a_pool_gives_the_same_null():
    market = walk(np.random.default_rng(1), 200, 0.1)
    alone = permutation_test(trend_search, market, permutations=30, seed=4, kept_bars=50)
    with ThreadPoolExecutor(3) as pool:
        pooled = permutation_test(
            trend_search, market, permutations=30, seed=4, kept_bars=50, mapper=pool.map
        )
    np.testing.assert_array_equal(alone.null, pooled.null)
    again = permuted(market, permutation_seeds(4, 7)[6], kept_bars=50)
    assert trend_search(again) == alone.null[6]
    more = permutation_test(trend_search, market, permutations=40, seed=4, kept_bars=50)
    np.testing.assert_array_equal(more.null[:30], alone.null)


def test_wrong_calls_are_named():
    bars = random_bars(30, 1)
    with pytest.raises(ConfigError, match="kept_bars=30"):
        permuted(bars, 1, kept_bars=30)
    with pytest.raises(ConfigError, match="block_bars=0"):
        permuted(bars, 1, block_bars=0)
    with pytest.raises(ConfigError, match="permutations=0"):
        permutation_test(lambda _: 1.0, bars, permutations=0, seed=1)
    with pytest.raises(ContractError, match="evaluate returned nan on permutation 0"):
        permutation_test(
            lambda market: 1.0 if market is bars else np.nan, bars, permutations=3, seed=1
        )
    nothing = permutation_test(lambda _: -np.inf, bars, permutations=3, seed=1)
    assert nothing.p_value == 1.0
