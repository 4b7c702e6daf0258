"""Costs, events and breakdowns against ledgers of random round trips."""

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import FILL_DTYPE, LIMITS, ORDER_DTYPE, ORDER_STATUSES, PAYMENT_DTYPE, REASONS
from engine.metrics import Evaluation, TradeGroup, per_exit_reason, per_limit, per_side, per_symbol
from engine.totals import run_totals
from tests.metric_cases import CASH, evaluation, flat_panel, result_of, trades_of, values_of

ROWS = 200


def value(price: Any, contract: str) -> Any:
    return price if contract == "linear" else -1.0 / price


def random_run(seed: int, contract: str) -> Evaluation:
    """Round trips of one symbol with every cost, and the equity that they lead to."""
    generator = np.random.default_rng(seed)
    count = 2 * int(generator.integers(1, 20))
    fills = np.zeros(count, dtype=FILL_DTYPE)
    fills["bar"] = np.sort(generator.integers(0, ROWS, count))
    size = 10.0 if contract == "linear" else 1000.0
    fills["quantity"] = np.repeat(size * generator.random(count // 2), 2)
    fills["side"] = np.repeat(generator.choice([-1, 1], count // 2), 2) * np.tile(
        [1, -1], count // 2
    )
    fills["reference_price"] = 100.0 * np.exp(0.05 * generator.standard_normal(count))
    slip = 0.001 * generator.random(count)
    fills["price"] = fills["reference_price"] * (1 + fills["side"] * slip)
    slippage = fills["quantity"] * np.abs(
        value(fills["price"], contract) - value(fills["reference_price"], contract)
    )
    fills["impact"] = slippage * generator.random(count)
    fills["spread"] = slippage - fills["impact"]
    fills["fee"] = 0.01 * generator.random(count)
    fills["shortfall"][-1] = generator.choice([0.0, 0.5])
    payments = np.zeros(12, dtype=PAYMENT_DTYPE)
    payments["kind"] = generator.integers(0, 2, 12)
    payments["payment"] = 0.1 * generator.standard_normal(12)
    cash = -fills["side"] * fills["quantity"] * value(fills["price"], contract) - fills["fee"]
    change = cash + fills["shortfall"]
    equity = np.full(ROWS, CASH + change.sum() + payments["payment"].sum())
    fills["trade"] = generator.permutation(np.repeat(np.arange(count // 2), 2))
    trades = trades_of(generator.standard_normal(count // 2))
    return evaluation(equity, contract=contract, fills=fills, payments=payments, trades=trades)


@pytest.mark.parametrize("contract", ["linear", "inverse"])
@given(seed=st.integers(0, 100_000))
def test_costs_against_the_cash_flows(contract: str, seed: int):
    run = random_run(seed, contract)
    values = values_of(run)
    fills, payments = pd.DataFrame(run.result.fills), pd.DataFrame(run.result.payments)
    before = sum(
        -fill.side * fill.quantity * value(fill.reference_price, contract)
        for fill in fills.itertuples()
    )
    assert values["return_before_costs"] == pytest.approx(before / CASH, rel=1e-9, abs=1e-12)
    assert values["fees"] == pytest.approx(math.fsum(fills.fee))
    assert values["spread"] == pytest.approx(math.fsum(fills.spread))
    assert values["impact"] == pytest.approx(math.fsum(fills.impact))
    funding = math.fsum(payments.payment[payments.kind == 0])
    borrow = math.fsum(payments.payment[payments.kind == 1])
    assert values["funding"] == pytest.approx(funding, abs=1e-12)
    assert values["borrow"] == pytest.approx(borrow, abs=1e-12)
    assert values["shortfall"] == fills.shortfall.sum()
    paid = math.fsum((*fills.fee, *fills.spread, *fills.impact))
    share = (paid - funding - borrow) / before if before > 0 else math.nan
    assert values["cost_share"] == pytest.approx(share, rel=1e-6, nan_ok=True)
    notional = sum(fill.quantity * abs(value(fill.price, contract)) for fill in fills.itertuples())
    years = ROWS / 8760
    assert values["turnover"] == pytest.approx(notional / run.equity.mean() / years)
    rate = values["break_even_cost"] / 10_000
    assert before + funding + borrow - rate * notional == pytest.approx(0.0, abs=1e-9)


@given(seed=st.integers(0, 100_000), contract=st.sampled_from(["linear", "inverse"]))
def test_totals_are_those_of_a_sweep(seed: int, contract: str):
    run = random_run(seed, contract)
    values, totals = values_of(run), run_totals(run.result, run.rules)
    for name in ("fees", "spread", "impact", "funding", "borrow", "shortfall", "trades"):
        assert values[name] == totals[name], name
    assert values["max_drawdown"] == totals["max_drawdown"]
    price = run.result.fills["price"]
    notional = run.result.fills["quantity"] * (price if contract == "linear" else 1.0 / price)
    assert totals["traded_notional"] == pytest.approx(notional.sum())
    assert values["win_rate"] == totals["wins"] / totals["trades"]
    if totals["gross_losses"]:
        assert values["profit_factor"] == totals["gross_wins"] / totals["gross_losses"]
    difference = totals["gross_wins"] - totals["gross_losses"]
    assert values["expectancy"] == difference / totals["trades"]
    assert values["turnover"] == totals["traded_notional"] / run.equity.mean() / run.years


def test_costs_have_no_share_of_a_loss():
    fills = np.zeros(2, dtype=FILL_DTYPE)
    fills["side"], fills["quantity"], fills["fee"] = [1, -1], 1.0, 1.0
    fills["price"] = fills["reference_price"] = [100.0, 90.0]
    values = values_of(evaluation([988.0], fills=fills))
    assert math.isnan(values["cost_share"])
    assert values["return_before_costs"] == pytest.approx(-0.01)
    assert values["break_even_cost"] == pytest.approx(-10 / 190 * 10_000)


def test_capacity_by_hand():
    # Bar 0 takes 1 + 1 of 50, bars 1 to 19 take 0.5 each: 95 % of them take 1 % or less.
    fills = np.zeros(21, dtype=FILL_DTYPE)
    fills["bar"] = [0, *range(20)]
    fills["quantity"] = [1.0, 1.0, *[0.5] * 19]
    fills["price"] = 100.0
    run = evaluation(np.full(20, CASH), fills=fills)
    assert values_of(run)["capacity"] == pytest.approx(CASH)
    assert values_of(evaluation(np.full(20, CASH), fills=fills[:12]))["capacity"] == pytest.approx(
        CASH * 0.01 / 0.04
    )
    without = flat_panel(20)
    object.__setattr__(without, "volume", None)
    assert math.isnan(values_of(Evaluation(run.result, without, run.rules))["capacity"])


def test_a_fill_without_volume_leaves_no_capacity():
    fills = np.zeros(1, dtype=FILL_DTYPE)
    fills["quantity"], fills["price"] = 1.0, 100.0
    run = evaluation([CASH], fills=fills)
    run.panel.volume[0, 0] = 0.0
    assert values_of(run)["capacity"] == 0.0


def test_events_by_hand():
    orders = np.zeros(6, dtype=ORDER_DTYPE)
    orders["status"] = [ORDER_STATUSES.index(name) for name in
                        ("filled", "filled", "rejected", "rejected", "expired", "partial")]  # fmt: skip
    orders["limit"] = [LIMITS.index(name) for name in
                       ("none", "gross", "gross", "heat", "none", "participation")]  # fmt: skip
    orders["wanted_notional"] = [10, 20, 30, 40, 50, 60]
    orders["granted_notional"] = [10, 15, 0, 0, 0, 60]
    fills = np.zeros(3, dtype=FILL_DTYPE)
    fills["reason"] = [0, REASONS.index("liquidation"), REASONS.index("liquidation")]
    fills["quantity"], fills["price"] = 1.0, 100.0
    run = evaluation(
        [CASH], orders=orders, fills=fills, ambiguous_exits=3, unresolved_bars=7, ruined_bar=0
    )
    values = values_of(run)
    expected = {
        "orders": 6,
        "orders_filled": 2,
        "orders_rejected": 2,
        "orders_cut": 2,
        "ambiguous_exits": 3,
        "unresolved_bars": 7,
        "liquidations": 2,
        "ruined": 1,
    }
    assert {name: values[name] for name in expected} == expected
    by_limit = {name: values[f"orders_rejected_by_{name}"] for name in LIMITS if name != "none"}
    assert {name: n for name, n in by_limit.items() if n} == {"heat": 1, "gross": 1}
    assert [(use.limit, use.orders, use.rejected) for use in per_limit(run.result)] == [
        ("heat", 1, 1),
        ("gross", 2, 1),
        ("participation", 1, 0),
    ]
    assert [(use.wanted_notional, use.granted_notional) for use in per_limit(run.result)] == [
        (40.0, 0.0),
        (50.0, 15.0),
        (60.0, 60.0),
    ]


@given(seed=st.integers(0, 100_000), count=st.integers(0, 60))
def test_groups_against_pandas(seed: int, count: int):
    generator = np.random.default_rng(seed)
    columns = {
        name: generator.standard_normal(count)
        for name in ("gross_pnl", "fees", "spread", "impact", "funding", "borrow", "r_multiple")
    }
    columns["r_multiple"][generator.random(count) < 0.3] = np.nan
    trades = trades_of(
        generator.standard_normal(count),
        symbol=generator.integers(0, 3, count),
        side=generator.choice([-1, 1], count),
        exit_reason=generator.integers(0, len(REASONS), count),
        bars_held=generator.integers(1, 50, count),
        **columns,
    )
    result = result_of([CASH], trades=trades)
    frame = pd.DataFrame(trades)
    by_symbol = per_symbol(result, flat_panel(1, symbols=("A", "B", "C")))
    assert [group.label for group in by_symbol] == ["A", "B", "C"]
    assert [group.label for group in per_side(result)] == ["long", "short"]
    tables = (
        ("symbol", by_symbol, {"A": 0, "B": 1, "C": 2}),
        ("side", per_side(result), {"long": 1, "short": -1}),
        ("exit_reason", per_exit_reason(result), {name: i for i, name in enumerate(REASONS)}),
    )
    for column, groups, codes in tables:
        assert sum(group.trades for group in groups) == count
        for group in groups:
            check_group(group, frame[frame[column] == codes[group.label]])
    assert all(group.trades for group in per_exit_reason(result))


def check_group(group: TradeGroup, rows: pd.DataFrame) -> None:
    assert group.trades == len(rows)
    for name in ("net_pnl", "gross_pnl", "fees", "spread", "impact", "funding", "borrow"):
        assert getattr(group, name) == pytest.approx(rows[name].sum(), abs=1e-12)
    assert group.mean_r == pytest.approx(rows.r_multiple.mean(), nan_ok=True)
    assert group.mean_bars_held == pytest.approx(rows.bars_held.mean(), nan_ok=True)
    assert group.win_rate == pytest.approx((rows.net_pnl > 0).mean(), nan_ok=True)
    if not len(rows):
        undefined = {
            f.name for f in fields(group) if getattr(group, f.name) != getattr(group, f.name)
        }
        assert {"win_rate", "profit_factor", "mean_return_frac", "mean_r"} <= undefined
        assert group.net_pnl == 0
