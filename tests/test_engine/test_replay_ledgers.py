"""Fills, orders, trades and payments of a replay tell the same story, row by row."""

from typing import Any

import numpy as np
import pytest

from engine import LIMITS, ORDER_KINDS, ORDER_STATUSES, PAYMENT_KINDS, PHASES, REASONS, Margin
from tests.replay_cases import ReplayCase, replay_of, seeded_case
from tests.replay_cases.always import holds_always


def notional_of_unit(price: Any, margin: Margin) -> Any:
    """What one unit is worth in settlement currency, without its sign."""
    return 1.0 / price if margin.contract == "inverse" else price


CLOSINGS = ("delisted", "end_of_data", "ruin")
OF_ORDERS = ("entry", "resize", "reverse", "exit", "time_stop")


def test_fills_come_in_the_order_of_time_and_at_prices_that_were_traded():
    def check(case: ReplayCase) -> None:
        result, panel = replay_of(case), case.panel
        fills, at = result.fills, (result.fills["bar"], result.fills["symbol"])
        reasons = np.array(REASONS)[fills["reason"]]
        is_close, is_open = (fills["phase"] == PHASES.index(name) for name in ("close", "open"))
        assert (np.diff(fills["time_ns"]) >= 0).all()
        opened = fills["time_ns"] - panel.open_time[fills["bar"]]
        assert ((opened == panel.step_ns) == is_close).all()
        assert ((opened >= 0) & (opened <= panel.step_ns)).all()
        assert (fills["quantity"] > 0).all()
        is_ruin_at_open = is_open & (reasons == "ruin")
        assert (np.isin(reasons, CLOSINGS) == is_close | is_ruin_at_open).all()
        assert case.rules.margin.mode == "none" or not is_ruin_at_open.any()
        assert (np.isin(reasons, OF_ORDERS) == (fills["order"] >= 0)).all()
        assert panel.listed[at].all()
        by_price = ~is_close & ~is_ruin_at_open & (reasons != "liquidation")
        assert not (panel.is_gap[at] & by_price).any()
        reference, buys = fills["reference_price"], fills["side"] > 0
        assert (reference[is_close] == panel.close[at][is_close]).all()
        if case.fine is None:
            taken = is_open & by_price & ~fills["is_maker"]
            assert (reference[taken] == panel.open[at][taken]).all()
            liquidated = is_open & (reasons == "liquidation")
            marks = panel.mark or panel
            assert (reference[liquidated] == marks.open[at][liquidated]).all()
            carried = np.where(panel.is_gap, panel.close, panel.open)[at]
            assert (reference[is_ruin_at_open] == carried[is_ruin_at_open]).all()
        # A limit may be better than all prices of the bar.
        too_low = by_price & (reference < panel.low[at]) & ~(fills["is_maker"] & ~buys)
        too_high = by_price & (reference > panel.high[at]) & ~(fills["is_maker"] & buys)
        assert not too_low.any()
        assert not too_high.any()

    holds_always(check)


def test_orders_and_fills_tell_the_same():
    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        fills, orders = result.fills, result.orders
        assert orders["order"].tolist() == list(range(len(orders)))
        assert (np.diff(orders["decided_bar"]) >= 0).all()
        assert (orders["closed_bar"] > orders["decided_bar"]).all()
        assert (np.isnan(orders["price"]) == (orders["kind"] == ORDER_KINDS.index("market"))).all()
        placed = fills[fills["order"] >= 0]
        of = orders[placed["order"]]
        assert (of["symbol"] == placed["symbol"]).all()
        assert (of["decided_bar"] < placed["bar"]).all()
        assert (of["closed_bar"] >= placed["bar"]).all()
        filled = np.bincount(placed["order"], placed["quantity"], minlength=len(orders))
        assert (orders["filled_quantity"] == filled).all()
        for order in orders:
            status, limit = ORDER_STATUSES[order["status"]], LIMITS[order["limit"]]
            wanted, granted = order["wanted_notional"], order["granted_notional"]
            assert status != "working"
            assert status == "filled" or (order["filled_quantity"] > 0) == (status == "partial")
            assert 0.0 <= granted <= wanted * (1 + 1e-12)
            assert limit != "none" or granted == wanted
            assert granted > 0 or order["target"] == 0 or limit != "none" or wanted == 0
        for s in range(len(case.panel.symbols)):
            own = orders[orders["symbol"] == s]
            assert (own["decided_bar"][1:] >= own["closed_bar"][:-1]).all()

    holds_always(check)


def test_trades_run_from_flat_to_flat_without_overlap():
    def check(case: ReplayCase) -> None:
        result = replay_of(case)
        fills, trades = result.fills, result.trades
        assert trades["trade"].tolist() == list(range(len(trades)))
        assert (np.diff(trades["entry_time_ns"]) >= 0).all()
        for trade in trades:
            own = fills[fills["trade"] == trade["trade"]]
            held = np.abs(own["position_after"])
            assert held[-1] == 0.0
            assert held[:-1].all()
            assert (own["symbol"] == trade["symbol"]).all()
            assert (np.sign(own["position_after"][:-1]) == trade["side"]).all()
            assert (own["bar"][0], own["bar"][-1]) == (trade["entry_bar"], trade["exit_bar"])
            assert own["time_ns"][0] == trade["entry_time_ns"]
            assert own["time_ns"][-1] == trade["exit_time_ns"]
            assert own["reason"][-1] == trade["exit_reason"]
            assert trade["quantity"] == held.max()
            assert trade["bars_held"] == trade["exit_bar"] - trade["entry_bar"] + 1
            increasing = own["side"] == trade["side"]
            unit = notional_of_unit(own["price"], case.rules.margin)
            entered = (own["quantity"] * unit)[increasing].sum()
            assert trade["return_frac"] == pytest.approx(trade["net_pnl"] / entered, rel=1e-9)
            if trade["initial_risk"] > 0:
                multiple = trade["net_pnl"] / trade["initial_risk"]
                assert trade["r_multiple"] == pytest.approx(multiple, rel=1e-12)
            else:
                assert np.isnan(trade["r_multiple"])
            assert (trade["mae_frac"] >= 0) & (trade["mfe_frac"] >= 0)
        for s in range(len(case.panel.symbols)):
            own = trades[trades["symbol"] == s]
            assert (own["entry_time_ns"][1:] >= own["exit_time_ns"][:-1]).all()

    holds_always(check)


def test_payments_are_those_of_the_position_held():
    def check(case: ReplayCase) -> None:
        result, panel = replay_of(case), case.panel
        payments, margin = result.payments, case.rules.margin
        notional = payments["position"] * notional_of_unit(payments["mark_price"], margin)
        is_borrow = payments["kind"] == PAYMENT_KINDS.index("borrow")
        owed = np.where(is_borrow, np.abs(notional), notional) * payments["rate"]
        np.testing.assert_allclose(payments["payment"], -owed, rtol=1e-12)
        assert (payments["position"][is_borrow] < 0).all()
        assert payments["position"].all()
        assert (np.diff(payments["time_ns"]) >= 0).all()
        since = payments["time_ns"] - panel.open_time[payments["bar"]]
        assert ((since >= 0) & (since < panel.step_ns)).all()
        trades = result.trades[payments["trade"]]
        assert (trades["symbol"] == payments["symbol"]).all()
        assert (trades["side"] == np.sign(payments["position"])).all()

    holds_always(check)


def test_what_follows_from_the_ledgers_is_found_once_and_the_ledgers_cannot_change_before():
    result = replay_of(seeded_case(3))
    assert len(result.fills)
    assert result.trades is result.trades
    assert result.account is result.account
    assert result.cash is result.account.cash
    for ledger in (result.fills, result.orders, result.payments, result.trades):
        with pytest.raises(ValueError, match="read-only"):
            ledger["symbol"] = 0
