"""A replay handed over to vectorbt: the same fills, the same equity, statistics and plots that work."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import (
    HOUR_NS,
    REASONS,
    Bool2D,
    Costs,
    Decisions,
    Exits,
    Float2D,
    Funding,
    Limits,
    Margin,
    MarkPrices,
    Panel,
    ReplayResult,
    ReplayRules,
    Sizing,
    replay,
)
from experiments import RunResult
from experiments.vectorbt_export import VectorbtPortfolio, replay_to_vectorbt, to_vectorbt
from tests.generators import START_NS
from tests.replay_cases import replay_of, seeded_case

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "vectorbt.md"


@pytest.fixture(scope="module")
def levered() -> tuple[ReplayResult, Panel, ReplayRules]:
    """Three symbols at four times equity: ladders, reversals, funding, borrowing, cash below zero."""
    generator = np.random.default_rng(4)
    panel = _panel(generator, 400, 3)
    decisions = _decisions(generator, panel, 0.15)
    rules = ReplayRules(
        costs=Costs(borrow_annual=0.1),
        exits=Exits(stop_atr=2.0, ladder=((0.5, 0.3), (1.0, 0.3)), take_profit_r=2.0),
        sizing=Sizing(position_fraction=1.3),
        limits=Limits(max_gross=4.0),
    )
    return replay(panel, decisions, _funding(generator, panel), rules), panel, rules


@pytest.mark.parametrize("seed", range(120))
def test_value_and_payments_are_the_equity_of_any_replay(seed: int):
    case = seeded_case(seed)
    ours = replay_of(case)
    _assert_equity(replay_to_vectorbt(ours, case.panel, case.rules), ours, case.rules)


def test_every_fill_is_an_order(levered: tuple[ReplayResult, Panel, ReplayRules]):
    ours, _, _ = levered
    orders = replay_to_vectorbt(*levered).portfolio.orders.values
    fills = ours.fills
    for theirs, column in (
        ("idx", "bar"), ("col", "symbol"), ("size", "quantity"), ("price", "price"), ("fees", "fee"),
    ):  # fmt: skip
        np.testing.assert_array_equal(orders[theirs], fills[column])
    np.testing.assert_array_equal(orders["side"], np.where(fills["side"] > 0, 0, 1))
    cells = np.stack([fills["bar"], fills["symbol"]], axis=1)
    assert len(np.unique(cells, axis=0)) < len(cells), "some bar holds several fills of one symbol"
    assert {"ladder", "reverse"} <= {REASONS[code] for code in fills["reason"]}


def test_trades_are_the_round_trips(levered: tuple[ReplayResult, Panel, ReplayRules]):
    ours, _, _ = levered
    trades = ours.trades[np.lexsort((ours.trades["trade"], ours.trades["symbol"]))]
    theirs = replay_to_vectorbt(*levered).portfolio.trades.values
    assert len(theirs) == len(trades)
    np.testing.assert_array_equal(theirs["exit_idx"], trades["exit_bar"])
    price_pnl = trades["gross_pnl"] - trades["fees"]
    np.testing.assert_allclose(theirs["pnl"], price_pnl, rtol=1e-9, atol=1e-6)


def test_statistics_have_the_fees_and_the_trades(levered: tuple[ReplayResult, Panel, ReplayRules]):
    ours, _, rules = levered
    handed = replay_to_vectorbt(*levered)
    assert ours.cash.min() < 0, "a simulation of vectorbt would refuse this"
    stats = handed.portfolio.stats()
    assert stats["Total Trades"] == stats["Total Closed Trades"] == len(ours.trades)
    np.testing.assert_allclose(stats["Total Fees Paid"], ours.fills["fee"].sum(), rtol=1e-12)
    np.testing.assert_allclose(
        stats["End Value"],
        ours.equity[-1] - ours.payments["payment"].sum() - ours.fills["shortfall"].sum(),
        rtol=1e-9,
    )
    assert stats["Start Value"] == rules.initial_cash


def test_plots_of_the_account_and_of_one_symbol(levered: tuple[ReplayResult, Panel, ReplayRules]):
    portfolio = replay_to_vectorbt(*levered).portfolio
    assert len(portfolio.plot(subplots=["value", "drawdowns"]).data) > 1
    assert len(portfolio.plot(column="S1", group_by=False).data) > 3


def test_payments_stand_beside_it(levered: tuple[ReplayResult, Panel, ReplayRules]):
    ours, panel, rules = levered
    handed = replay_to_vectorbt(*levered)
    kinds = ours.payments["kind"]
    assert set(kinds) == {0, 1}
    for series, code in ((handed.funding, 0), (handed.borrow, 1)):
        rows = ours.payments[kinds == code]
        np.testing.assert_allclose(series.sum(), rows["payment"].sum())
        assert set(np.flatnonzero(series)) <= set(rows["bar"])
    assert handed.funding.index.equals(handed.portfolio.value().index)
    assert handed.funding.index[0].value == panel.close_time[0]
    _assert_equity(handed, ours, rules)


@pytest.mark.parametrize("contract", ["linear", "inverse"])
def test_liquidations_marks_and_both_contracts(contract: Any):
    generator = np.random.default_rng(11)
    panel = _panel(generator, 300, 2)
    basis = 1 + 0.001 * generator.standard_normal(panel.open.shape)
    names = ("open", "high", "low", "close")
    marked = Panel(
        symbols=panel.symbols,
        timeframe=panel.timeframe,
        open_time=panel.open_time,
        listed=panel.listed,
        is_gap=panel.is_gap,
        mark=MarkPrices(**{name: getattr(panel, name) * basis for name in names}),
        **{name: getattr(panel, name) for name in names},
    )
    rules = ReplayRules(
        initial_cash=1000.0,
        exits=Exits(stop_atr=None),
        sizing=Sizing(position_fraction=12.0),
        limits=Limits(max_gross=40.0),
        margin=Margin(contract=contract),
    )
    ours = replay(marked, _decisions(generator, marked, 0.1), _funding(generator, marked), rules)
    assert REASONS.index("liquidation") in ours.fills["reason"]
    handed = replay_to_vectorbt(ours, marked, rules)
    assert handed.is_inverse == (contract == "inverse")
    _assert_equity(handed, ours, rules)
    np.testing.assert_allclose(handed.shortfall.sum(), ours.fills["shortfall"].sum())


def test_the_example_of_the_document_runs(
    result: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    names: dict[str, Any] = {"result": result}
    for example in examples:
        exec(compile(example, str(DOCUMENT), "exec"), names)
    handed = names["handed"]
    assert (tmp_path / "portfolio.html").stat().st_size > 10_000
    assert handed.portfolio.stats()["Total Trades"] == result.n_trades
    _assert_equity(to_vectorbt(result), result.replay, result.config.rules())


def _assert_equity(handed: VectorbtPortfolio, ours: ReplayResult, rules: ReplayRules) -> None:
    """To 1e-9 of the largest number that went into the sum: equity can be a small rest of them."""
    scale = np.maximum.reduce([np.abs(ours.equity), np.abs(ours.cash), ours.gross_exposure])
    unit = np.maximum(np.maximum.accumulate(scale), rules.initial_cash)
    assert (np.abs(handed.equity_with_funding.to_numpy() - ours.equity) <= 1e-9 * unit).all()


def _panel(generator: np.random.Generator, rows: int, symbols: int) -> Panel:
    shape = (rows, symbols)
    close = 100.0 * np.exp(np.cumsum(0.01 * generator.standard_normal(shape), axis=0))
    open_ = np.vstack([np.full((1, symbols), 100.0), close[:-1]])
    return Panel(
        symbols=tuple(f"S{index}" for index in range(symbols)),
        timeframe="1h",
        open_time=START_NS + HOUR_NS * np.arange(rows),
        open=open_,
        high=np.maximum(open_, close) * 1.004,
        low=np.minimum(open_, close) / 1.004,
        close=close,
        listed=np.ones(shape, dtype=np.bool_),
        is_gap=np.zeros(shape, dtype=np.bool_),
    )


def _decisions(generator: np.random.Generator, panel: Panel, rate: float) -> Decisions:
    acts: Bool2D = generator.random(panel.open.shape) < rate
    target: Float2D = generator.choice([-1.0, -0.5, 0.0, 0.5, 1.0], size=panel.open.shape)
    return Decisions(target=target, acts=acts, atr_frac=np.full(panel.open.shape, 0.01))


def _funding(generator: np.random.Generator, panel: Panel) -> Funding:
    times = np.repeat(panel.open_time[::8], len(panel.symbols))
    return Funding(
        time_ns=times,
        symbol_index=np.tile(np.arange(len(panel.symbols)), len(panel.open_time[::8])),
        rate=generator.normal(1e-4, 1e-4, size=len(times)),
        mark_price=np.zeros(len(times)),
    )
