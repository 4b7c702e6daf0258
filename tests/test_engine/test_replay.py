"""What docs/accounting.md promises of every replay: money that adds up, costs that stand in one row."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine import (
    PAYMENT_KINDS,
    REASONS,
    Costs,
    Exits,
    Margin,
    Panel,
    ReplayResult,
    SymbolRules,
)
from tests.replay_cases import (
    ReplayCase,
    Row,
    replay_of,
    written_case,
)
from tests.replay_cases.altered import without_decisions
from tests.replay_cases.always import holds_always

ACCURACY = 1e-11
"""Of sums of the money that went through the account."""


def value(price: Any, margin: Margin) -> Any:
    """What one unit is worth in settlement currency."""
    return -1.0 / price if margin.contract == "inverse" else price


def signed(fills: Any) -> Any:
    """Signed quantities of fills."""
    return fills["side"] * fills["quantity"]


def turnover(case: ReplayCase, result: ReplayResult) -> float:
    """All money that went through the account, for tolerances."""
    fills = result.fills
    traded = fills["quantity"] * np.abs(value(fills["price"], case.rules.margin))
    return float(case.rules.initial_cash + traded.sum() + np.abs(result.payments["payment"]).sum())


def mark_close(panel: Panel) -> Any:
    return panel.close if panel.mark is None else panel.mark.close


def margins_of(notional: float, margin: Margin) -> tuple[float, float]:
    """Initial and maintenance margin of one position, by the tiers' definition."""
    if margin.mode == "none":
        return 0.0, 0.0
    floor, maintenance = 0.0, 0.0
    for index, tier in enumerate(margin.tiers):
        is_last = index == len(margin.tiers) - 1
        end = notional if is_last else min(notional, tier.notional_to)
        maintenance += tier.maintenance * max(0.0, end - floor)
        floor = tier.notional_to
    fitting = [tier for tier in margin.tiers if notional <= tier.notional_to]
    tier_leverage = (fitting or margin.tiers[-1:])[0].max_leverage
    leverage = margin.leverage if margin.mode == "isolated" else tier_leverage
    return notional / leverage, maintenance


def test_the_account_is_what_fills_and_payments_make_of_it():
    def check(case: ReplayCase) -> None:
        result, margin = replay_of(case), case.rules.margin
        fills, payments, mark = result.fills, result.payments, mark_close(case.panel)
        tolerance = ACCURACY * turnover(case, result)
        position, cash = np.zeros(len(case.panel.symbols)), case.rules.initial_cash
        for t in range(len(case.panel)):
            for fill in fills[fills["bar"] == t]:
                worth = signed(fill) * value(fill["price"], margin)
                cash += -worth - fill["fee"] + fill["shortfall"]
                held = position[fill["symbol"]] + signed(fill)
                assert fill["position_after"] == pytest.approx(held, rel=1e-9, abs=1e-12 * 1e5)
                position[fill["symbol"]] = fill["position_after"]
            cash += payments[payments["bar"] == t]["payment"].sum()
            unit = value(mark[t], margin)
            notionals = np.abs(position * unit)
            margins = [margins_of(notional, margin) for notional in notionals]
            expected = {
                "cash": cash,
                "equity": cash + (position * unit).sum(),
                "gross_exposure": notionals.sum(),
                "net_exposure": (np.sign(position) * notionals).sum(),
                "initial_margin": sum(initial for initial, _ in margins),
                "maintenance_margin": sum(maintenance for _, maintenance in margins),
            }
            for name, number in expected.items():
                assert abs(getattr(result, name)[t] - number) <= tolerance, (t, name)
        assert not position.any()

    holds_always(check)


def test_cash_after_a_fill_is_the_cash_before_it_and_the_fill():
    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        fills, tolerance = result.fills, ACCURACY * turnover(case, result)
        paid_in = set(result.payments["bar"].tolist())
        worth = signed(fills) * value(fills["price"], case.rules.margin)
        moved = -worth - fills["fee"] + fills["shortfall"]
        for (_, before), (row, after) in pairwise(enumerate(fills)):
            if not paid_in & set(range(before["bar"], after["bar"] + 1)):
                assert abs(after["cash_after"] - before["cash_after"] - moved[row]) <= tolerance

    holds_always(check)


def test_each_cost_stands_in_one_row_and_trades_sum_to_the_change_of_equity():
    def check(case: ReplayCase) -> None:
        result, margin = replay_of(case), case.rules.margin
        fills, trades, payments = result.fills, result.trades, result.payments
        tolerance = ACCURACY * turnover(case, result)
        flows = -signed(fills) * value(fills["price"], margin)
        parts = {
            "gross_pnl": (fills, flows),
            "fees": (fills, fills["fee"]),
            "spread": (fills, fills["spread"]),
            "impact": (fills, fills["impact"]),
            "shortfall": (fills, fills["shortfall"]),
        }
        for code, kind in enumerate(PAYMENT_KINDS):
            parts[kind] = (payments, np.where(payments["kind"] == code, payments["payment"], 0.0))
        for column, (rows, amounts) in parts.items():
            per_trade = np.bincount(rows["trade"], amounts, minlength=len(trades))
            np.testing.assert_allclose(trades[column], per_trade, rtol=0, atol=tolerance)
        net = trades["gross_pnl"] - trades["fees"] + trades["shortfall"]
        net += trades["funding"] + trades["borrow"]
        np.testing.assert_allclose(trades["net_pnl"], net, rtol=0, atol=tolerance)
        gained = result.equity[-1] - case.rules.initial_cash
        assert abs(trades["net_pnl"].sum() - gained) <= tolerance

    holds_always(check)


def test_prices_and_fees_of_fills_follow_from_their_references():
    def check(case: ReplayCase) -> None:
        result, rules = replay_of(case), case.rules
        costs, tiers = rules.costs, rules.costs.fee_tiers
        rates = {
            False: [costs.taker_fee_bps, *(tier.taker_fee_bps for tier in tiers)],
            True: [costs.maker_fee_bps, *(tier.maker_fee_bps for tier in tiers)],
        }
        for fill in result.fills:
            unit, at = value(fill["price"], rules.margin), (fill["bar"], fill["symbol"])
            slippage = fill["quantity"] * abs(unit - value(fill["reference_price"], rules.margin))
            assert fill["spread"] + fill["impact"] == pytest.approx(slippage, rel=1e-9), at
            assert min(fill["spread"], fill["impact"]) >= -1e-12 * slippage, at
            assert fill["side"] * (fill["price"] - fill["reference_price"]) >= 0.0, at
            if fill["is_maker"] or REASONS[fill["reason"]] == "liquidation":
                assert fill["price"] == fill["reference_price"], at
            notional = fill["quantity"] * abs(unit)
            if REASONS[fill["reason"]] == "liquidation":
                most = notional * rules.margin.liquidation_fee_bps / 10_000
                assert 0.0 <= fill["fee"] <= most * (1 + 1e-9)
            else:
                fees = [notional * rate / 10_000 for rate in rates[bool(fill["is_maker"])]]
                assert any(fill["fee"] == pytest.approx(fee, rel=1e-9) for fee in fees), at

    holds_always(check)


def test_the_parts_of_a_slip_that_is_cut_off_stay_in_proportion():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=1000.0, impact=100.0)
    result = replay_of(written_case({"A": [100.0] * 4}, {"A": {1: 1.0}}, costs=costs, cash=1e6))
    fill = result.fills[0]
    impact_frac = 100.0 * 0.1  # The order takes more than the bar's volume.
    assert fill["price"] == pytest.approx(199.0)
    slippage = fill["quantity"] * 99.0
    assert fill["impact"] == pytest.approx(slippage * impact_frac / (0.1 + impact_frac))
    assert fill["spread"] == pytest.approx(slippage * 0.1 / (0.1 + impact_frac))


def test_a_trailing_level_below_zero_is_none_with_a_tick_too():
    case = written_case(
        {"A": [100.0, 100.0, 100.0, 100.0, 90.0, 90.0, 40.0]},
        {"A": {1: Row(0.5)}},
        exits=Exits(stop_atr=None, trail_atr=12.0),
        symbol_rules={"A": SymbolRules(tick_size=50.0)},
    )
    fills = replay_of(case).fills
    assert [(fill["bar"], REASONS[fill["reason"]]) for fill in fills] == [
        (2, "entry"),
        (6, "end_of_data"),
    ]


def test_after_ruin_nothing_happens():
    ruined = []

    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        last = result.ruined_bar
        assert (result.equity[: max(last, 0)] > 0).all()
        if last >= 0:
            ruined.append(last)
            assert (result.equity[last:] == result.equity[last]).all()
            assert (result.cash[last:] == result.equity[last:]).all()
            assert not result.gross_exposure[last:].any()
            for rows, name in ((result.fills, "bar"), (result.orders, "closed_bar")):
                assert (rows[name] <= last).all()
        assert (result.equity >= 0).all()

    holds_always(check)
    assert len(ruined) > 3


def test_without_decisions_equity_is_flat():
    def check(case: ReplayCase) -> None:
        result = replay_of(without_decisions(case))
        assert (result.equity == case.rules.initial_cash).all()
        assert (result.cash == case.rules.initial_cash).all()
        assert [*map(len, (result.fills, result.orders, result.trades, result.payments))] == [0] * 4

    holds_always(check)


def with_lots(case: ReplayCase) -> ReplayCase:
    """Lots so coarse that a slightly poorer account trades the same quantities."""
    unit = case.rules.initial_cash * 100.0 ** (1 if case.rules.margin.contract == "inverse" else -1)
    lots = {name: SymbolRules(lot_step=unit / 8) for name in case.panel.symbols}
    return replace(case, symbol_rules=lots)


def with_higher_fees(case: ReplayCase, extra_bps: float) -> ReplayCase:
    costs = case.rules.costs
    dearer = replace(
        costs,
        taker_fee_bps=costs.taker_fee_bps + extra_bps,
        maker_fee_bps=costs.maker_fee_bps + extra_bps,
        fee_tiers=tuple(
            replace(
                tier,
                taker_fee_bps=tier.taker_fee_bps + extra_bps,
                maker_fee_bps=tier.maker_fee_bps + extra_bps,
            )
            for tier in costs.fee_tiers
        ),
    )
    return replace(case, rules=replace(case.rules, costs=dearer))


def test_higher_fees_never_help_the_same_fills():
    compared = []
    same = ["bar", "time_ns", "symbol", "phase", "reason", "side", "quantity", "price", "trade"]

    def check(case: ReplayCase) -> None:
        case = with_lots(case)
        result, dearer = replay_of(case), replay_of(with_higher_fees(case, 0.25))
        if result.fills[same].tolist() != dearer.fills[same].tolist():
            return
        if result.ruined_bar >= 0 or "liquidation" in np.array(REASONS)[result.fills["reason"]]:
            return
        compared.append(len(result.fills))
        assert (dearer.fills["fee"] > result.fills["fee"]).all()
        assert (dearer.equity <= result.equity).all()
        if len(result.fills):
            assert dearer.equity[-1] < result.equity[-1]
            assert dearer.trades["net_pnl"].sum() < result.trades["net_pnl"].sum()

    holds_always(check)
    assert sum(compared) > 500


def test_fees_of_any_height_cost_what_they_say():
    ends = []
    for fee in (0.0, 5.0, 20.0, 80.0):
        case = written_case(
            {"A": [100.0] * 8},
            {"A": {0: Row(1.0), 4: Row(0.0)}},
            costs=Costs(taker_fee_bps=fee, maker_fee_bps=0.0, slippage_bps=0.0),
        )
        ends.append(replay_of(case).equity[-1])
    assert ends == pytest.approx([1000.0, 999.0, 996.0, 984.0], rel=1e-12)
