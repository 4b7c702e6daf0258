"""Random entries: the account by a plain program, every placement equally likely, uniform p values."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from engine import Decisions, Exits, Funding, Panel, ReplayRules, replay
from engine.errors import ConfigError, DataError
from engine.ledger import FILL_DTYPE, PHASES, REASONS, TRADE_DTYPE
from experiments.statistics.random_entries import (
    HeldTrades,
    random_entries_test,
    trades_of_ledger,
)
from tests.generators import random_bars


def held(*rows: tuple[int, int, int, float, float]) -> HeldTrades:
    symbol, entry, exit_, exposure, cost = zip(*rows, strict=True)
    return HeldTrades(
        symbol=np.array(symbol),
        entry_row=np.array(entry),
        exit_row=np.array(exit_),
        exposure_frac=np.array(exposure, dtype=float),
        cost_frac=np.array(cost, dtype=float),
    )


def walk(rows: int, columns: int, seed: int) -> np.ndarray:
    moves = np.random.default_rng(seed).standard_normal((rows, columns))
    return 100 * np.exp(np.cumsum(0.01 * moves, axis=0))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 8))
def test_the_account_of_one_symbol_is_exact(seed: int, count: int):
    """Units bought at entry, marked on every row, sold at exit: cash and position in dollars."""
    generator = np.random.default_rng(seed)
    prices = walk(60, 1, seed)
    edges = np.sort(generator.choice(60, 2 * count, replace=False))
    trades = held(
        *(
            (0, int(a), int(b), generator.uniform(-1.5, 1.5), generator.uniform(0, 0.01))
            for a, b in edges.reshape(-1, 2)
        )
    )
    equity = [1000.0] * 60
    cash = 1000.0
    for entry, exit_, exposure, cost in zip(
        trades.entry_row, trades.exit_row, trades.exposure_frac, trades.cost_frac, strict=True
    ):
        units = exposure * cash / prices[entry, 0]
        for t in range(entry + 1, 60):
            equity[t] = cash + units * (prices[min(t, exit_), 0] - prices[entry, 0])
            if t >= exit_:
                equity[t] -= abs(exposure) * cash * cost
        cash = equity[exit_]
    returns = np.diff(equity) / np.array(equity[:-1])
    found = random_entries_test(prices, trades, seed=1, draws=1)
    assert found.total_return == pytest.approx(cash / 1000 - 1, rel=1e-9, abs=1e-12)
    assert found.sharpe_per_bar == pytest.approx(
        returns.mean() / returns.std(ddof=1), rel=1e-6, abs=1e-9
    )


def test_symbols_held_at_once_add_up():
    prices = walk(40, 2, 5)
    trades = held((0, 3, 20, 0.4, 0.001), (1, 10, 30, -0.3, 0.001))
    found = random_entries_test(prices, trades, seed=1, draws=1)
    alone = []
    for k in range(2):
        one = held(
            (
                0,
                *(int(getattr(trades, n)[k]) for n in ("entry_row", "exit_row")),
                trades.exposure_frac[k],
                0.001,
            )
        )
        alone.append(random_entries_test(prices[:, [k]], one, seed=1, draws=1).total_return)
    assert found.total_return == pytest.approx(sum(alone), abs=0.02)


def test_every_placement_without_overlap_is_as_likely():
    """Three trades on ten rows, each with its own size: the results tell placements apart."""
    prices = walk(10, 1, 2)
    trades = held((0, 0, 1, 0.5, 0.0), (0, 1, 3, 0.7, 0.0), (0, 5, 7, -0.9, 0.0))
    holding = (1, 2, 2)
    results = {}
    for starts in itertools.product(range(10), repeat=3):
        spans = sorted((a, a + h) for a, h in zip(starts, holding, strict=True))
        inside = all(b <= 9 for _, b in spans)
        if inside and all(x[1] <= y[0] for x, y in itertools.pairwise(spans)):
            one = held(
                *(
                    (0, a, a + h, e, 0.0)
                    for a, h, e in zip(starts, holding, trades.exposure_frac, strict=True)
                )
            )
            value = random_entries_test(prices, one, seed=1, draws=1).total_return
            results[round(value, 12)] = 0
    draws = 60_000
    found = random_entries_test(prices, trades, seed=3, draws=draws)
    for value in np.round(found.null_total_returns, 12):
        results[value] += 1
    # 9 steps, 5 of them held: three blocks and four free steps in any order, 7 · 6 · 5 of them.
    assert len(results) == 210
    counts = np.array(list(results.values()))
    chi2 = ((counts - draws / 210) ** 2 / (draws / 210)).sum()
    assert 209 - 4.5 * np.sqrt(418) < chi2 < 209 + 4.5 * np.sqrt(418)


def test_trades_stay_where_their_symbol_is_listed():
    prices = np.full((50, 2), 10.0)
    prices[20:30, 1] = np.arange(10.0, 20.0)
    prices[30:, 1] = 19.0
    listed = np.ones((50, 2), dtype=np.bool_)
    listed[:20, 1] = listed[30:, 1] = False
    trades = held((1, 20, 29, 1.0, 0.0))
    found = random_entries_test(prices, trades, seed=1, draws=50, listed=listed)
    assert (found.null_total_returns == found.total_return).all()
    assert found.p_total_return == found.p_sharpe == 1.0
    with pytest.raises(DataError, match="within 20 to 29, where column 1 is listed"):
        random_entries_test(prices, held((1, 19, 25, 1.0, 0.0)), seed=1, listed=listed)


def test_entries_without_skill_give_uniform_p_values_and_skill_is_found():
    generator = np.random.default_rng(6)
    repetitions = 300
    p_values = []
    for seed in range(repetitions):
        prices = walk(120, 2, seed)
        rows = []
        for symbol in range(2):
            edges = np.sort(generator.choice(120, 12, replace=False)).reshape(-1, 2)
            sides = generator.choice([-0.5, 0.5], 6)
            rows += [
                (symbol, int(a), int(b), s, 0.001) for (a, b), s in zip(edges, sides, strict=True)
            ]
        found = random_entries_test(prices, held(*rows), seed=seed, draws=199)
        p_values.append((found.p_total_return, found.p_sharpe))
    for column in np.array(p_values).T:
        for level in (0.05, 0.1, 0.25, 0.5, 0.75):
            low, high = binom.interval(0.999, repetitions, level)
            assert low <= (column <= level).sum() <= high
    prices = walk(600, 1, 3)
    entries = np.arange(0, 590, 12)
    sides = np.sign(prices[entries + 5, 0] - prices[entries, 0])
    seeing = held(
        *((0, int(t), int(t) + 5, 0.5 * s, 0.001) for t, s in zip(entries, sides, strict=True))
    )
    assert random_entries_test(prices, seeing, seed=1, draws=500).p_total_return < 0.01


def test_draws_depend_on_the_seed_alone():
    prices = walk(200, 1, 1)
    trades = held((0, 10, 30, 1.0, 0.001), (0, 50, 90, -1.0, 0.001))
    first = random_entries_test(prices, trades, seed=5, draws=100)
    longer = random_entries_test(prices, trades, seed=5, draws=150)
    shuffled = held((0, 50, 90, -1.0, 0.001), (0, 10, 30, 1.0, 0.001))
    again = random_entries_test(prices, shuffled, seed=5, draws=100)
    np.testing.assert_array_equal(longer.null_total_returns[:100], first.null_total_returns)
    np.testing.assert_array_equal(again.null_sharpes_per_bar, first.null_sharpes_per_bar)
    other = random_entries_test(prices, trades, seed=6, draws=100)
    assert (other.null_total_returns != first.null_total_returns).any()


def test_ruin_is_the_end():
    prices = np.array([[10.0], [10.0], [30.0], [10.0], [10.0]])
    found = random_entries_test(prices, held((0, 1, 3, -1.0, 0.0)), seed=1, draws=20)
    assert found.total_return == -1.0
    assert (found.null_total_returns >= -1.0).all()


def test_trades_of_a_ledger():
    trades = np.zeros(5, dtype=TRADE_DTYPE)
    trades["symbol"] = 0, 1, 0, 1, 0
    trades["side"] = 1, -1, 1, 1, 1
    trades["entry_bar"] = 0, 4, 5, 6, 9
    trades["exit_bar"] = 3, 4, 7, 6, 9
    trades["quantity"] = 2.0, 5.0, 1.0, 1.0, 1.0
    trades["entry_price"] = 100.0, 10.0, 100.0, 10.0, 100.0
    trades["gross_pnl"] = 30.0, -5.0, 0.0, 0.0, 0.0
    trades["net_pnl"] = 29.0, -6.0, -1.0, 0.0, 0.0
    fills = np.zeros(12, dtype=FILL_DTYPE)
    fills["trade"] = 0, 0, 0, 1, 1, 2, 3, 3, 2, 2, 4, 4
    phases = (
        "open intrabar open open intrabar intrabar intrabar intrabar open intrabar intrabar close"
    )
    fills["phase"] = [PHASES.index(name) for name in phases.split()]
    equity = np.full(10, 1250.0)
    found = trades_of_ledger(trades, fills, equity, 1000.0, np.ones((10, 2), dtype=np.bool_))
    np.testing.assert_array_equal(found.entry_row, [0, 4, 6])
    np.testing.assert_array_equal(found.exit_row, [3, 5, 8])
    np.testing.assert_allclose(found.exposure_frac, [0.2, -0.04, 0.08])
    np.testing.assert_allclose(found.cost_frac, [0.005, 0.02, 0.01])


def test_a_trade_that_a_delisting_ends_is_placed_like_any_other():
    rows, gone = 200, 150
    bars = {name: random_bars(rows, seed) for seed, name in enumerate(("A", "B"))}
    panel = Panel.from_bars({"A": bars["A"], "B": bars["B"].prefix(gone)})
    acts = np.zeros((rows, 2), dtype=np.bool_)
    acts[10] = acts[60, 0] = True
    target = np.full((rows, 2), 0.4)
    target[60, 0] = 0.0
    decisions = Decisions(target=target, acts=acts, atr_frac=np.full((rows, 2), 0.01))
    rules = ReplayRules(initial_cash=1000.0, exits=Exits(stop_atr=None))
    result = replay(panel, decisions, Funding.none(), rules)
    assert result.trades["exit_reason"][1] == REASONS.index("delisted")
    trades = trades_of_ledger(result.trades, result.fills, result.equity, 1000.0, panel.listed)
    np.testing.assert_array_equal(trades.entry_row, [11, 11])
    np.testing.assert_array_equal(trades.exit_row, [61, gone - 1])
    found = random_entries_test(panel.open, trades, seed=1, draws=50, listed=panel.listed)
    assert 0.0 < found.p_sharpe <= 1.0


def test_stops_do_not_look_like_skill():
    """A stop ends a trade because of the price: counted at the open before it, luck becomes an edge."""
    generator = np.random.default_rng(2)
    repetitions, rows = 200, 400
    nothing = np.array([], dtype=np.int64)
    funding = Funding(
        time_ns=nothing,
        symbol_index=nothing,
        rate=nothing.astype(float),
        mark_price=nothing.astype(float),
    )
    p_values = []
    for seed in range(repetitions):
        panel = Panel.from_bars({"A": random_bars(rows, seed)})
        target, acts = np.zeros((rows, 1)), np.zeros((rows, 1), dtype=np.bool_)
        t = 2
        while t < rows - 20:
            target[t], acts[t] = generator.choice([-1.0, 1.0]), True
            t += int(generator.integers(3, 15))
            acts[t] = True
            t += int(generator.integers(2, 6))
        decisions = Decisions(target=target, acts=acts, atr_frac=np.full((rows, 1), 0.008))
        result = replay(panel, decisions, funding, ReplayRules(initial_cash=1000.0))
        trades = trades_of_ledger(result.trades, result.fills, result.equity, 1000.0, panel.listed)
        found = random_entries_test(panel.open, trades, seed=seed, draws=99)
        p_values.append((found.p_total_return, found.p_sharpe))
    assert 0.1 < (result.trades["exit_reason"] == REASONS.index("stop")).mean() < 0.9
    for column in np.array(p_values).T:
        for level in (0.05, 0.1, 0.25, 0.5, 0.75):
            low, high = binom.interval(0.999, repetitions, level)
            assert low <= (column <= level).sum() <= high


def test_wrong_trades_are_named():
    prices = walk(50, 1, 1)
    with pytest.raises(DataError, match="trades 0 and 1 of column 0 overlap"):
        random_entries_test(
            prices, held((0, 1, 10, 1.0, 0.0), (0, 9, 12, 1.0, 0.0)), seed=1, draws=1
        )
    with pytest.raises(DataError, match="trade 0: rows 5 to 5"):
        random_entries_test(prices, held((0, 5, 5, 1.0, 0.0)), seed=1, draws=1)
    with pytest.raises(DataError, match="symbol=1"):
        random_entries_test(prices, held((1, 5, 6, 1.0, 0.0)), seed=1, draws=1)
    none = HeldTrades(**dict.fromkeys(HeldTrades.__slots__, np.array([], dtype=np.int64)))
    with pytest.raises(DataError, match="there are none"):
        random_entries_test(prices, none, seed=1)
    with pytest.raises(ConfigError, match="draws=0"):
        random_entries_test(prices, held((0, 1, 2, 1.0, 0.0)), seed=1, draws=0)
    with pytest.raises(DataError, match=r"prices\[3, 0\]=-1"):
        random_entries_test(
            np.where(np.arange(50)[:, None] == 3, -1.0, prices), held((0, 1, 2, 1.0, 0.0)), seed=1
        )
