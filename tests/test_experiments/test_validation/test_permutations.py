"""Permuted bars with the search made anew: the same budget, one order for all, and what it finds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import experiments.sweeps.run as run_module
from datasets import Store
from engine import Bars, DataError, Funding, Market, Panel
from engine.panel import MarkPrices
from experiments.config_file import resolved
from experiments.config_validation import ValidationConfig
from experiments.market_data import MarketData, load_market_data
from experiments.prices import priced_bars
from experiments.statistics.permutation import permutation_p_value, row_order
from experiments.sweeps.best import sweep_config, top_trials
from experiments.sweeps.config import SweepConfig, sweep_config_of
from experiments.sweeps.evaluate import Evaluator
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.run import run_sweep
from experiments.sweeps.space import space_of
from experiments.validation.permutations import (
    Searched,
    batches_done,
    permutation_test_of,
    searched_again,
)
from experiments.validation.permuted_market import permuted_data
from tests.generators import random_bars

from .conftest import SPACE

PRICES = ("open", "high", "low", "close")


def seeds(seed: int, count: int) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence([seed, 6]).spawn(count)


def evaluator_of(config: SweepConfig, store: Store) -> Evaluator:
    space = space_of(config)
    return Evaluator(space, load_market_data(space.base, store))


@pytest.fixture(scope="module")
def evaluator(swept: tuple[Ledger, Path], store: Store) -> Evaluator:
    return evaluator_of(sweep_config(swept[0]), store)


def search_of(config: SweepConfig, ledger: Ledger) -> Any:
    plan = batches_done(config, ledger)
    return lambda evaluator: searched_again(config, evaluator.space, plan, evaluator)


def chained(bars: Bars, body: list[int], gap: list[int]) -> dict[str, list[float]]:
    """Bars in another order, one after the other; a gap carries the close before it."""
    found: dict[str, list[float]] = {name: [float(getattr(bars, name)[0])] for name in PRICES}
    moved = False
    for t in range(1, len(bars)):
        last = found["close"][-1]
        if body[t] == t == gap[t] and last == float(bars.close[t - 1]):
            for name in PRICES:
                found[name].append(float(getattr(bars, name)[t]))
            continue
        if bars.is_gap[t]:
            for name in PRICES:
                found[name].append(last)
            continue
        moved = True
        opened = last * (float(bars.open[gap[t]]) / float(bars.close[gap[t] - 1]))
        before = float(bars.open[body[t]])
        found["open"].append(opened)
        for name in ("high", "low", "close"):
            found[name].append(opened * (float(getattr(bars, name)[body[t]]) / before))
    assert moved
    return found


def by_hand(data: MarketData, seed: np.random.SeedSequence) -> MarketData:
    """``permuted_data`` of bars that are all on one grid, step by step."""
    columns = [
        *(one.bars for one in data.markets.values()),
        *(p.bars for p in data.prices.values()),
    ]
    assert {len(bars) for bars in columns} == {len(data.panel)}
    order = row_order(np.column_stack([~bars.is_gap for bars in columns]), seed)

    def moved(bars: Bars) -> Bars:
        at = range(len(bars))
        body = [t if bars.is_gap[t] else int(order.body_rows[t]) for t in at]
        prices = chained(bars, body, order.gap_rows.tolist())
        flows = {"volume": bars.volume[body]}
        for name in ("trades", "taker_buy_volume"):
            if getattr(bars, name) is not None:
                flows[name] = getattr(bars, name)[body]
        for name in ("quote_volume", "taker_buy_quote"):
            if getattr(bars, name) is not None:
                scale = np.array(prices["open"]) / bars.open[body]
                flows[name] = getattr(bars, name)[body] * scale
        return replace(bars, **{name: np.array(prices[name]) for name in PRICES}, **flows)

    traded = {symbol: moved(one.bars) for symbol, one in data.prices.items()}
    return replace(
        data,
        markets={
            symbol: replace(market, bars=moved(market.bars))
            for symbol, market in data.markets.items()
        },
        panel=Panel.from_bars(traded),
        funding=replace(data.funding, mark_price=np.zeros(len(data.funding.rate))),
    )


def test_a_hand_made_loop_over_whole_sweeps_finds_the_same(
    swept: tuple[Ledger, Path],
    evaluator: Evaluator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each permuted market is swept into a ledger of its own, and its best trial is looked up."""
    ledger, config = swept[0], sweep_config(swept[0])
    bests = []
    for number, seed in enumerate(seeds(5, 2)):
        market = by_hand(evaluator.data, seed)
        monkeypatch.setattr(run_module, "load_market_data", lambda *_, market=market: market)
        found = run_sweep(config, store=tmp_path / "store", runs=tmp_path / str(number)).ledger
        bests.append(top_trials(found, 1)["score"][0].as_py()[0])
    best = top_trials(ledger, 1)["score"][0].as_py()[0]
    test = permutation_test_of(
        search_of(config, ledger), evaluator, best, ValidationConfig(seed=5, permutations=2)
    )
    assert test is not None
    assert test.null.tolist() == bests
    assert test.trials == ledger.count == 40
    assert test.p_value == (1 + sum(one >= best for one in bests)) / 3


@pytest.mark.parametrize(
    "section",
    [
        {"search": {"trials": 4, "batch": 4, "neighbours": 2}},
        {"search": {"trials": 4, "batch": 4}, "objectives": [{"metric": "max_drawdown"}]},
        {
            "search": {"sampler": "nsgaii", "trials": 4, "batch": 4},
            "objectives": [{"metric": "max_drawdown"}, {"metric": "sharpe"}],
        },
    ],
)
def test_on_its_own_market_the_search_is_that_of_the_ledger(
    small_config: Any, store: Store, tmp_path: Path, section: dict[str, Any]
) -> None:
    screen = {"trials": 32, "batch": 16}
    tree = {**resolved(small_config), "sweep": {"space": SPACE, "screen": screen, **section}}
    config = sweep_config_of(tree)
    ledger = run_sweep(config, store=store, runs=tmp_path).ledger
    best = top_trials(ledger, 1)["score"][0].as_py()[0]
    sign = -1.0 if "objectives" in section else 1.0
    found = search_of(config, ledger)(evaluator_of(config, store))
    assert found.best == sign * best
    assert found.trials == ledger.count
    # A sweep that stopped has the budget that it spent.
    assert [batch.count for batch in batches_done(config, ledger)] == [16, 16, 4]


def test_the_same_seed_gives_the_same_markets_whatever_follows(
    swept: tuple[Ledger, Path], evaluator: Evaluator
) -> None:
    section = ValidationConfig(permutations=2, permutation_block_bars=3, seed=8)
    plan = batches_done(sweep_config(swept[0]), swept[0])[:1]

    def search(on: Evaluator) -> Searched:
        return searched_again(sweep_config(swept[0]), on.space, plan, on)

    two = permutation_test_of(search, evaluator, 0.0, section)
    threaded = Evaluator(evaluator.space, evaluator.data, threads=2)
    three = permutation_test_of(
        search, threaded, 0.0, section.model_copy(update={"permutations": 3})
    )
    assert two is not None
    assert three is not None
    assert three.null[:2].tolist() == two.null.tolist()
    assert len(set(three.null.tolist())) == 3
    other = permutation_test_of(search, evaluator, 0.0, section.model_copy(update={"seed": 9}))
    assert other is not None
    assert set(other.null).isdisjoint(two.null)
    none = ValidationConfig(permutations=0)
    assert permutation_test_of(search, evaluator, 0.0, none) is None


def test_a_failure_on_permuted_bars_is_no_bad_result(evaluator: Evaluator) -> None:
    values = evaluator.space.values([0.5] * len(evaluator.space))

    def search(_on: Evaluator) -> Searched:
        return Searched(trials=1, best=-np.inf, failed=((values, "MemoryError: no room"),))

    with pytest.raises(DataError, match=r"permutation 0 of the bars: .* MemoryError: no room"):
        permutation_test_of(search, evaluator, 1.0, ValidationConfig(permutations=2))
    # What fails on the market itself fails for reasons of its own.
    impossible = {**values, "consensus.p_min": 7.0}

    def failing(_on: Evaluator) -> Searched:
        return Searched(trials=1, best=-np.inf, failed=((impossible, "ConfigError: p_min"),))

    found = permutation_test_of(failing, evaluator, 1.0, ValidationConfig(permutations=2))
    assert found is not None
    assert found.p_value == 1 / 3


@pytest.fixture(scope="module")
def patchy() -> MarketData:
    """Two symbols with holes, one listed late, signals apart from traded bars, fine bars and marks."""

    def part(bars: Bars, start: int, stop: int) -> Bars:
        arrays = {
            name: column[start:stop]
            for name in Bars.__slots__
            if isinstance(column := getattr(bars, name), np.ndarray)
        }
        arrays["is_gap"] = np.concatenate(([False], arrays["is_gap"][1:]))
        return replace(bars, **arrays)

    rows = 240
    signals = {
        "A": random_bars(rows, 1, gap_share=0.05, symbol="A"),
        "B": part(random_bars(rows, 2, gap_share=0.05, symbol="B"), 60, rows),
    }
    own = {
        "A": part(random_bars(rows, 3, gap_share=0.05, symbol="A"), 20, rows - 10),
        "B": part(random_bars(rows, 4, gap_share=0.05, symbol="B"), 60, rows),
    }
    prices = {name: priced_bars(name, bars, name, None, None) for name, bars in own.items()}
    panel = Panel.from_bars(own)
    # Four finer bars in each: up to the high, down to the low, and on to the close.
    path = {
        "open": (panel.open, panel.high, panel.low, panel.close),
        "close": (panel.high, panel.low, panel.close, panel.close),
        "high": (panel.high, panel.high, np.maximum(panel.low, panel.close), panel.close),
        "low": (panel.open, panel.low, panel.low, panel.close),
    }
    fine_prices = {
        name: np.stack(parts, axis=1).reshape(-1, len(own)) for name, parts in path.items()
    }
    step = panel.step_ns // 4
    fine = Panel(
        symbols=panel.symbols,
        timeframe="15m",
        open_time=panel.open_time[0] + step * np.arange(4 * len(panel), dtype=np.int64),
        listed=np.repeat(panel.listed, 4, axis=0),
        is_gap=np.repeat(panel.is_gap, 4, axis=0),
        volume=np.repeat(panel.volume, 4, axis=0) if panel.volume is not None else None,
        mark=MarkPrices(**{name: 1.001 * table for name, table in fine_prices.items()}),
        **fine_prices,
    )
    mark = MarkPrices(**{name: 1.001 * getattr(panel, name) for name in PRICES})
    whole = np.array([int(panel.open_time[5])], dtype=np.int64)
    return MarketData(
        markets={name: Market(bars=bars) for name, bars in signals.items()},
        prices=prices,
        panel=replace(panel, mark=mark).rebuilt_from(fine),
        fine=fine,
        funding=Funding(
            time_ns=whole,
            symbol_index=np.zeros(1, dtype=np.int64),
            rate=np.full(1, 1e-4),
            mark_price=np.full(1, 5.0),
        ),
        datasets=(),
        fingerprint="",
    )


def bodies(data: MarketData) -> Iterator[tuple[str, np.ndarray]]:
    """Close over open of all columns on one grid, NaN where a column has no bar."""
    columns = {f"s{name}": market.bars for name, market in data.markets.items()}
    columns |= {f"t{name}": priced.bars for name, priced in data.prices.items()}
    grid = Panel.from_bars(columns)
    table = np.where(grid.listed & ~grid.is_gap, grid.close / grid.open, np.nan)
    yield from zip(grid.symbols, table.T, strict=True)


@pytest.mark.parametrize("block_bars", [1, 6])
def test_all_that_a_bar_has_moves_with_it(patchy: MarketData, block_bars: int) -> None:
    found = permuted_data(patchy, 3, block_bars=block_bars)
    before = np.column_stack([column for _, column in bodies(patchy)])
    after = np.column_stack([column for _, column in bodies(found)])
    # One order for signals and traded bars of all symbols: rows stay together, holes stay in place.
    assert np.array_equal(np.isnan(before), np.isnan(after))
    rows = [np.round(table[~np.isnan(table).all(axis=1)], 9) for table in (before, after)]
    assert sorted(map(repr, rows[0].tolist())) == sorted(map(repr, rows[1].tolist()))
    assert not np.array_equal(rows[0], rows[1])
    for name, market in found.markets.items():
        was, now = patchy.markets[name].bars, market.bars
        assert np.array_equal(now.is_gap, was.is_gap)
        assert now.taker_buy_volume is not None
        assert was.taker_buy_volume is not None
        shares = [
            sorted(
                zip(
                    np.round(bars.close / bars.open, 9)[~bars.is_gap].tolist(),
                    bars.taker_buy_volume[~bars.is_gap].tolist(),
                    strict=True,
                )
            )
            for bars in (was, now)
        ]
        assert shares[0] == shares[1]
        assert market.series is patchy.markets[name].series
    assert found.fine is not None
    assert patchy.fine is not None
    assert np.array_equal(found.panel.listed, patchy.panel.listed)
    assert np.array_equal(found.panel.is_gap, patchy.panel.is_gap)
    for column, (symbol, priced) in enumerate(found.prices.items()):
        start = int(np.flatnonzero(found.panel.listed[:, column])[0])
        own = slice(start, start + len(priced.bars))
        np.testing.assert_allclose(found.panel.close[own, column], priced.bars.close, rtol=1e-12)
        assert symbol in found.panel.symbols
    exists = found.panel.listed & ~found.panel.is_gap
    split = found.fine.high.reshape(len(found.panel), 4, -1)
    assert np.array_equal(split.max(axis=1)[exists], found.panel.high[exists])
    assert found.panel.mark is not None
    np.testing.assert_allclose(
        (found.panel.mark.close / found.panel.close)[exists], 1.001, rtol=1e-9
    )
    # Rates stay in their time; the price that was stated with them is of another path.
    assert found.funding.rate.tolist() == patchy.funding.rate.tolist()
    assert found.funding.mark_price.tolist() == [0.0]


def momentum_market(data: MarketData, seed: int, drift: float) -> MarketData:
    """``data`` of one symbol with bars whose drift keeps its sign for two days or so (0: a walk)."""
    random = np.random.default_rng(seed)
    (symbol,) = data.markets
    bars = data.markets[symbol].bars
    rows = len(bars)
    sign = np.cumprod(np.where(random.random(rows) < 1 / 48, -1.0, 1.0))
    change = 0.004 * (random.standard_normal(rows) + drift * sign)
    close = 100.0 * np.exp(np.cumsum(change))
    opened = np.concatenate(([100.0], close[:-1]))
    spread = np.exp(0.002 * np.abs(random.standard_normal((2, rows))))
    made = Bars(
        symbol=symbol,
        timeframe=bars.timeframe,
        open_time=bars.open_time,
        open=opened,
        high=np.maximum(opened, close) * spread[0],
        low=np.minimum(opened, close) / spread[1],
        close=close,
        volume=1000.0 * np.exp(0.3 * random.standard_normal(rows)),
        is_gap=np.zeros(rows, dtype=np.bool_),
    )
    return replace(
        data,
        markets={symbol: Market(bars=made)},
        prices={symbol: priced_bars(symbol, made, symbol, None, None)},
        panel=Panel.from_bars({symbol: made}),
        funding=Funding.none(),
    )


def test_order_that_votes_can_read_is_found_and_none_is_not_claimed(
    small_config: Any, store: Store
) -> None:
    tree = {
        **resolved(small_config),
        "costs": {"taker_fee_bps": 0.0, "slippage_bps": 0.0},
        "sweep": {
            "space": {
                "consensus.weights": {"kind": "weights"},
                "consensus.p_min": {"kind": "real", "low": 0.5, "high": 0.6},
                "consensus.c_min": {"kind": "real", "low": 0.0, "high": 0.5},
                "consensus.consensus_c_min": {"kind": "real", "low": 0.0, "high": 0.4},
            },
            "screen": {"trials": 32, "batch": 32},
            "search": {"trials": 0},
        },
    }
    tree["consensus"] |= {"quorum": 1, "weight_min": 0.0, "consensus_p_min": 0.5}
    tree["data"] |= {"instruments": [one.model_dump() for one in small_config.instruments[:1]]}
    config = sweep_config_of(tree)
    base = evaluator_of(config, store)

    def p_value(seed: int, drift: float) -> float:
        on = Evaluator(base.space, momentum_market(base.data, seed, drift))
        plan = run_module.plan_of(config)
        best = searched_again(config, on.space, plan, on).best
        found = permutation_test_of(
            lambda other: searched_again(config, other.space, plan, other),
            on,
            best,
            ValidationConfig(permutations=19),
        )
        assert found is not None
        return found.p_value

    planted = [p_value(seed, 0.5) for seed in range(2)]
    null = [p_value(seed, 0.0) for seed in range(3)]
    assert planted == [0.05, 0.05]
    assert min(null) > 0.05


def test_a_tie_counts_against_the_market() -> None:
    assert permutation_p_value(1.0, np.array([1.0, 0.5, -np.inf])) == 2 / 4
