"""Sub-bars, payments, closings and the ledgers of docs/accounting.md by hand."""

from dataclasses import replace

import numpy as np
import pytest

from engine import HOUR_NS, Costs, Exits, Margin, Panel, SymbolRules
from tests.generators import START_NS
from tests.replay_cases import NO_COSTS, Row, agreed, facts, written_case, written_panel

LEVELS = Exits(stop_atr=1.0, take_profit_atr=1.0)


def quarters(*bars: object, missing_bars: bool = False) -> tuple[Panel, Panel]:
    """Hours made of the quarter hours that are given."""
    fine = written_panel({"A": list(bars)}, timeframe="15m")
    hours = written_panel({"A": [100.0] * (len(bars) // 4)})
    if missing_bars:
        hours = replace(hours, is_gap=fine.is_gap.reshape(-1, 4, 1).all(axis=1))
    return hours.rebuilt_from(fine), fine


def test_sub_bars_tell_which_level_came_first():
    panel, fine = quarters(*[100.0] * 8, 100, (100, 111, 100, 105), (105, 105, 85, 90), 90)
    alone = agreed(written_case(panel, {"A": {0: 1.0}}, exits=LEVELS))
    assert (alone.fills[1].reason, alone.ambiguous_exits) == ("stop", 1)
    seen = agreed(written_case(panel, {"A": {0: 1.0}}, exits=LEVELS, fine=fine))
    assert (seen.fills[1].reason, seen.ambiguous_exits) == ("take_profit", 0)
    assert seen.fills[1].time == START_NS + 2 * HOUR_NS + HOUR_NS // 4
    assert seen.unresolved_bars == 0


def test_an_order_executes_in_the_first_sub_bar_that_exists():
    panel, fine = quarters(*[100.0] * 4, None, None, 104, 104, *[104.0] * 4)
    result = agreed(written_case(panel, {"A": {0: 1.0}}, fine=fine))
    assert facts(result.fills, "bar", "time", "reference_price") == [
        (1, START_NS + HOUR_NS * 3 // 2, 104),
        (2, START_NS + HOUR_NS * 3, 104),
    ]


def test_a_bar_without_sub_bars_is_its_first_one():
    panel, fine = quarters(*[100.0] * 8, None, None, None, None, *[100.0] * 4)
    table = {name: getattr(panel, name).copy() for name in ("open", "high", "low", "close")}
    for name, price in zip(table, (100.0, 112.0, 88.0, 95.0), strict=True):
        table[name][2] = price
    panel = replace(panel, is_gap=np.zeros_like(panel.is_gap), **table)
    result = agreed(written_case(panel, {"A": {0: 1.0}}, exits=LEVELS, fine=fine))
    assert facts(result.fills[1:], "bar", "time", "reason", "price") == [
        (2, START_NS + 2 * HOUR_NS, "stop", 90)
    ]
    assert (result.ambiguous_exits, result.unresolved_bars) == (1, 1)
    gone, fine = quarters(*[100.0] * 8, None, None, None, None, *[100.0] * 4, missing_bars=True)
    assert agreed(written_case(gone, {"A": {0: 1.0}}, fine=fine)).unresolved_bars == 0


def test_resting_orders_and_exits_follow_each_other_within_a_bar():
    # The limit fills in the second quarter, the stop is hit in the third, in the same hour.
    panel, fine = quarters(*[100.0] * 4, 100, (100, 100, 94, 96), (96, 96, 84, 90), 90, *[90.0] * 4)
    row = Row(1.0, kind="limit", price=95.0)
    result = agreed(written_case(panel, {"A": {0: row}}, exits=LEVELS, fine=fine))
    assert facts(result.fills, "bar", "phase", "reason", "time") == [
        (1, "intrabar", "entry", START_NS + HOUR_NS + HOUR_NS // 4),
        (1, "intrabar", "stop", START_NS + HOUR_NS + HOUR_NS // 2),
    ]


def test_what_a_bar_did_before_an_entry_at_a_later_open_is_not_seen():
    # The second quarter opens through the limit: the hour's high of 120 came before.
    panel, fine = quarters(
        *[100.0] * 4, (100, 120, 100, 100), (94, 96, 94, 95), 95, 96, *[96.0] * 4
    )  # fmt: skip
    row = Row(1.0, kind="limit", price=95.0)
    exits = Exits(stop_atr=4.0, trail_frac=0.125)
    result = agreed(written_case(panel, {"A": {0: row}}, exits=exits, fine=fine))
    assert facts(result.fills, "bar", "phase", "reason", "price") == [
        (1, "open", "entry", 95), (2, "close", "end_of_data", 96),
    ]  # fmt: skip
    (trade,) = result.trades
    assert (trade.mfe_frac, trade.mae_frac) == (pytest.approx(1 / 95), 0)
    # The first quarter's open is the bar's: all of the bar came after.
    early = agreed(written_case(panel, {"A": {0: 1.0}}, exits=exits, fine=fine))
    assert facts(early.fills, "bar", "reason", "price") == [
        (1, "entry", 100), (2, "trailing_stop", 96),
    ]  # fmt: skip


# Payments


def test_settlements_are_paid_by_what_was_carried_in():
    bars = {"A": [100, 100, (100, 120, 100, 110), None, 120, 120]}
    events = [
        (-1.0, "A", 0.5, 0.0),
        (1.0, "A", 0.01, 0.0),
        (1.5, "A", 0.01, 0.0),
        (2.0, "A", 0.01, 90.0),
        (3.0, "A", -0.01, 0.0),
        (6.0, "A", 0.5, 0.0),
    ]
    result = agreed(written_case(bars, {"A": {0: 1.0}}, funding=events))
    # Not at the open of bar 1, on which the order fills; the missing bar 3 settles at its open of 110.
    assert facts(result.payments, "bar", "kind", "position", "mark_price", "payment") == [
        (1, "funding", 10, 100, -10),
        (2, "funding", 10, 90, -9),
        (3, "funding", 10, 110, 11),
    ]
    (trade,) = result.trades
    assert (trade.funding, trade.net_pnl) == (-8, 192)
    assert result.equity[-1].equity == 1192


def test_a_settlement_inside_a_bar_comes_after_its_open_and_before_its_levels():
    bars = {"A": [100, 100, (100, 100, 80, 85), 85]}
    result = agreed(
        written_case(
            bars, {"A": {0: 1.0}}, exits=Exits(stop_atr=1.0),
            funding=[(2.5, "A", 0.01, 0.0), (3.0, "A", 0.01, 0.0)],
        )
    )  # fmt: skip
    assert facts(result.payments, "bar", "payment") == [(2, -10)]
    assert result.fills[1].cash_after == pytest.approx(1000 - 10 - 100)


def test_shorts_pay_for_borrowing_every_full_hour():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, borrow_annual=8.76)
    panel = written_panel({"B": [100.0] * 3, "A": [100.0] * 3}, timeframe="4h")
    rows = {"B": {0: -0.5}, "A": {0: -0.25, 1: 0.25}}
    result = agreed(written_case(panel, rows, costs=costs, funding=[(1.25, "B", 0.01, 0.0)]))
    paid = facts(result.payments, "bar", "symbol", "kind", "payment")
    # After the open of bar 1: hours 5, 6 and 7; funding goes before borrowing, A (column 1) before B.
    assert paid[:3] == [
        (1, 0, "funding", pytest.approx(5)),
        (1, 1, "borrow", pytest.approx(-0.25)),
        (1, 0, "borrow", pytest.approx(-0.5)),
    ]
    assert [row[:2] for row in paid if row[2] == "borrow"] == (
        [(1, 1), (1, 0)] * 3 + [(2, 1)] + [(2, 0)] * 4
    )
    assert result.trades[0].borrow == pytest.approx(-0.25 * 4)


# Closings, decisions, ledgers


def test_nothing_of_one_symbol_waits_for_the_listing_of_another():
    panel = written_panel(
        {"A": [100, 100, 110, None, 90, 90], "B": [50.0] * 6}, unlisted={"A": (3,), "B": (0, 1)}
    )
    rows = {"A": {0: 1.0, 2: 0.5, 3: 1.0}, "B": {1: 1.0}}
    result = agreed(written_case(panel, rows))
    # A's row 2 decides nothing, because A is not listed in bar 3; its row 3 does.
    assert facts(result.fills, "bar", "symbol", "reason", "price") == [
        (1, 0, "entry", 100),
        (2, 1, "entry", 50),
        (2, 0, "delisted", 110),
        (4, 0, "entry", 90),
        (5, 0, "end_of_data", 90),
        (5, 1, "end_of_data", 50),
    ]


def test_columns_and_names_are_not_confused():
    # B is the first column; A goes first in every loop, and ledgers name columns.
    bars = {"B": [100.0] * 3, "A": [100.0] * 3}
    result = agreed(written_case(bars, {"B": {0: 0.5}, "A": {0: 0.25}}))
    assert facts(result.orders, "order", "symbol", "target") == [(0, 1, 0.25), (1, 0, 0.5)]
    assert facts(result.trades, "trade", "symbol") == [(0, 1), (1, 0)]


def test_a_trade_in_full():
    bars = {"A": [100, (100, 104, 99, 102), (102, 120, 101, 110), (110, 130, 90, 100), 100]}
    costs = Costs(taker_fee_bps=10.0, slippage_bps=0.0)
    result = agreed(
        written_case(
            bars, {"A": {0: 1.0, 2: 0.0}}, costs=costs, exits=Exits(stop_atr=0.5),
            funding=[(2.0, "A", 0.001, 0.0)],
        )
    )  # fmt: skip
    (trade,) = result.trades
    assert (trade.entry_time, trade.exit_time) == (START_NS + HOUR_NS, START_NS + 3 * HOUR_NS)
    assert (trade.entry_bar, trade.exit_bar, trade.bars_held) == (1, 3, 3)
    assert (trade.gross_pnl, trade.fees) == (pytest.approx(100), pytest.approx(1 + 1.1))
    assert trade.funding == pytest.approx(-1.02)
    assert trade.net_pnl == pytest.approx(100 - 2.1 - 1.02)
    assert trade.return_frac == pytest.approx(trade.net_pnl / 1000)
    assert (trade.initial_risk, trade.exit_reason) == (50, "exit")
    assert trade.r_multiple == pytest.approx(trade.net_pnl / 50)
    # Left at the open of bar 3: its high of 130 and low of 90 were never seen.
    assert (trade.mfe_frac, trade.mae_frac) == (pytest.approx(0.2), pytest.approx(0.01))


def test_excursions_of_an_entry_inside_a_bar_and_of_an_end_at_the_close():
    row = Row(1.0, kind="limit", price=95.0)
    bars = {"A": [100, (100, 150, 90, 96), (96, 114, 76, 100)]}
    (trade,) = agreed(written_case(bars, {"A": {0: row}})).trades
    assert (trade.mfe_frac, trade.mae_frac) == (pytest.approx(0.2), pytest.approx(0.2))
    one_bar = {"A": [100, (100, 150, 50, 110)]}
    (trade,) = agreed(written_case(one_bar, {"A": {0: 1.0}})).trades
    assert (trade.mfe_frac, trade.mae_frac) == (pytest.approx(0.1), 0)


def test_the_account_at_each_close():
    bars = {"A": [100, 100, (100, 120, 100, 120), 120], "B": [50.0] * 4}
    result = agreed(written_case(bars, {"A": {0: 0.5}, "B": {0: -0.25}}))
    columns = ("equity", "cash", "gross_exposure", "net_exposure")
    assert facts(result.equity, *columns) == [
        (1000, 1000, 0, 0), (1000, 750, 750, 250), (1100, 750, 850, 350), (1100, 1100, 0, 0),
    ]  # fmt: skip
    assert result.equity[0].time == START_NS + HOUR_NS


def test_an_order_dies_with_its_position():
    row = Row(0.5, kind="limit", price=150.0)
    bars = {"A": [100, 100, 100, (100, 100, 89, 95), (95, 200, 95, 95), 95]}
    case = written_case(bars, {"A": {0: 1.0, 1: row}}, exits=Exits(stop_atr=1.0), costs=NO_COSTS)
    result = agreed(case)
    assert facts(result.orders, "status", "closed_bar") == [("filled", 1), ("cancelled", 3)]
    assert [fill.reason for fill in result.fills] == ["entry", "stop"]


def test_isolated_positions_leave_the_others_alone():
    margin = Margin(mode="isolated", leverage=4.0)
    bars = {"A": [100, 100, (100, 100, 70, 70), 70], "B": [100, 100, (100, 120, 100, 120), 120]}
    result = agreed(
        written_case(
            bars, {"A": {0: 1.0}, "B": {0: 1.0}}, margin=margin, symbol_rules={"A": SymbolRules()}
        )
    )
    assert facts(result.fills[2:], "symbol", "reason") == [(0, "liquidation"), (1, "end_of_data")]
