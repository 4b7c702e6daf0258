"""Section 3.1 of docs/accounting.md by hand: orders that are filled in parts."""

from dataclasses import replace

import pytest

from engine import Costs, Exits, SymbolRules
from tests.replay_cases import NO_COSTS, Row, agreed, facts, written_case, written_panel

OUTCOME = ("status", "closed_bar", "filled_quantity")
OF_ORDER = ("bar", "phase", "reason", "is_maker", "price", "quantity")
QUARTER = replace(NO_COSTS, participation=0.25)


def limit(target: float, price: float) -> Row:
    return Row(target, kind="limit", price=price)


def stop(target: float, price: float) -> Row:
    return Row(target, kind="stop", price=price)


def test_participation_carries_the_remainder_over():
    # 10 wanted, a quarter of 16 in each bar; lots of 3 leave 3 of the 4.
    bars = {"A": [100.0] * 7}
    case = written_case(written_panel(bars, volume=16.0), {"A": {0: 1.0}}, costs=QUARTER)
    result = agreed(case)
    assert facts(result.fills, "bar", "reason", "quantity", "order") == [
        (1, "entry", 4, 0), (2, "resize", 4, 0), (3, "resize", 2, 0), (6, "end_of_data", 10, -1),
    ]  # fmt: skip
    assert facts(result.orders, "kind", "limit", *OUTCOME) == [
        ("market", "participation", "filled", 3, 10)
    ]
    lots = written_case(
        written_panel(bars, volume=16.0), {"A": {0: 1.0}}, costs=QUARTER,
        symbol_rules={"A": SymbolRules(lot_step=3.0)},
    )  # fmt: skip
    assert [fill.quantity for fill in agreed(lots).fills] == [3, 3, 3, 9]


def test_the_remainder_of_a_limit_rests_at_its_price():
    # Bar 1 opens at 100 and gives 4; bar 2 touches 100; bars 3 and 4 go through, inside and at the open.
    bars = [100, 100, (103, 103, 100, 102), (102, 102, 99, 100), (98, 104, 98, 104), 104]
    case = written_case(
        written_panel({"A": bars}, volume=16.0), {"A": {0: limit(1.0, 100.0)}}, costs=QUARTER
    )
    result = agreed(case)
    assert facts(result.fills[:-1], *OF_ORDER) == [
        (1, "open", "entry", False, 100, 4),
        (3, "intrabar", "resize", True, 100, 4),
        (4, "open", "resize", True, 100, 2),
    ]
    assert facts(result.orders, "kind", "limit", *OUTCOME) == [
        ("limit", "participation", "filled", 4, 10)
    ]
    sold = [100, 100, (97, 100, 97, 98), (98, 101, 98, 100), (102, 102, 96, 96), 96]
    case = written_case(
        written_panel({"A": sold}, volume=16.0), {"A": {0: limit(-1.0, 100.0)}}, costs=QUARTER
    )
    assert facts(agreed(case).fills[:-1], "bar", "side", "is_maker", "price", "quantity") == [
        (1, -1, False, 100, 4), (3, -1, True, 100, 4), (4, -1, True, 100, 2),
    ]  # fmt: skip


def test_a_limit_that_could_take_nothing_rests_too():
    # Marketable in bar 1, which has no volume; bar 2 opens at its price, bar 3 below.
    panel = written_panel({"A": [100, 100, 100, 99, 99]}, volume=[0.0, 0.0, 40.0, 40.0, 40.0])
    result = agreed(written_case(panel, {"A": {0: limit(1.0, 100.0)}}, costs=QUARTER))
    assert facts(result.fills[:-1], *OF_ORDER) == [(3, "open", "entry", True, 100, 10)]


def test_the_remainder_of_a_stop_order_goes_on_at_the_market():
    bars = [100, (100, 104, 100, 101), (101, 101, 100, 100), 100, 100]
    case = written_case(
        written_panel({"A": bars}, volume=16.0), {"A": {0: stop(1.0, 103.0)}}, costs=QUARTER
    )
    fills = agreed(case).fills
    assert facts(fills[:2], *OF_ORDER) == [
        (1, "intrabar", "entry", False, 103, 4), (2, "open", "resize", False, 101, 4),
    ]  # fmt: skip


def test_a_reversal_by_limit_goes_on_as_a_limit():
    # 10 held; the sell limit at 105 closes 4, 4 and 2, and opens 2, only in bars that go through it.
    up = (100, 106, 100, 100)
    bars = [100, 100, up, 100, up, (100, 105, 100, 100), up, 100]
    panel = written_panel({"A": bars}, volume=[40, 40, *[16] * 6])
    result = agreed(written_case(panel, {"A": {0: 1.0, 1: limit(-1.0, 105.0)}}, costs=QUARTER))
    assert facts(result.fills[1:5], *OF_ORDER) == [
        (2, "intrabar", "reverse", True, 105, 4),
        (4, "intrabar", "reverse", True, 105, 4),
        (6, "intrabar", "reverse", True, 105, 2),
        (6, "intrabar", "entry", True, 105, 2),
    ]


def test_an_entry_in_five_parts_is_one_entry():
    # 10 units in parts of 2; the stop is at 90: 1 R is 100. Each rung sells half of all ten.
    bars = [*[100.0] * 6, (100, 125, 100, 125), 125]
    case = written_case(
        written_panel({"A": bars}, volume=[8, 8, 8, 8, 8, 8, 100, 100]), {"A": {0: 1.0}},
        costs=QUARTER, exits=Exits(stop_atr=1.0, ladder=((1.0, 0.5), (2.0, 0.5))),
    )  # fmt: skip
    result = agreed(case)
    assert facts(result.fills, "reason", "quantity") == (
        [("entry", 2)] + [("resize", 2)] * 4 + [("ladder", 5)] * 2
    )
    (trade,) = result.trades
    assert (trade.initial_risk, trade.r_multiple) == (pytest.approx(100), pytest.approx(1.5))


def test_a_part_of_an_entry_is_at_risk_down_to_the_stop_as_it_stands():
    # 5 units from 100 with a stop at 90. Bar 2 opens at 104 and adds 1000 / 104 − 5.
    exits = Exits(stop_atr=1.0)
    bars = {"A": [100, 100, (104, 104, 100, 100), 100]}
    case = written_case(
        written_panel(bars, volume=20.0), {"A": {0: 1.0}}, costs=QUARTER, exits=exits
    )
    assert agreed(case).trades[0].initial_risk == pytest.approx(50 + (1000 / 104 - 5) * 14)
    # A trailing stop stands at 99 when the second part of 5 comes.
    raised = written_panel({"A": [100, (100, 110, 100, 100), 100, 100]}, volume=20.0)
    trail = Exits(stop_atr=1.0, trail_frac=0.1)
    case = written_case(raised, {"A": {0: 1.0}}, costs=QUARTER, exits=trail)
    assert agreed(case).trades[0].initial_risk == pytest.approx(50 + 5)
    # What another order adds later is no part of the entry.
    case = written_case({"A": [100.0] * 5}, {"A": {0: 0.5, 2: 1.0}}, exits=exits)
    assert agreed(case).trades[0].initial_risk == pytest.approx(50)


def test_lots_leave_no_phantom_of_a_position():
    # Three lots of 0.1 are 0.30000000000000004; an exit in thirds of that takes all of it.
    panel = written_panel({"A": [100.0] * 7}, volume=0.4)
    case = written_case(
        panel, {"A": {0: 0.03, 3: 0.0}}, costs=QUARTER,
        symbol_rules={"A": SymbolRules(lot_step=0.1)},
    )  # fmt: skip
    result = agreed(case)
    assert facts(result.fills, "bar", "position_after")[-1] == (6, 0.0)
    assert [fill.quantity for fill in result.fills] == [pytest.approx(0.1)] * 6
    assert facts(result.orders, *OUTCOME) == [
        ("filled", 3, pytest.approx(0.3)), ("filled", 6, pytest.approx(0.3)),
    ]  # fmt: skip


def test_a_reversal_closes_completely_before_it_opens():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=0.5)
    panel = written_panel({"A": [100.0] * 7}, volume=[0.0, 20.0, 12.0, 12.0, 12.0, 0.0, 0.0])
    result = agreed(written_case(panel, {"A": {0: 1.0, 1: -1.0}}, costs=costs))
    assert facts(result.fills, "bar", "reason", "side", "quantity", "trade") == [
        (1, "entry", 1, 10, 0),
        (2, "reverse", -1, 6, 0),
        (3, "reverse", -1, 4, 0),
        (3, "entry", -1, 2, 1),
        (4, "resize", -1, 6, 1),
        (6, "end_of_data", 1, 8, 1),
    ]
    assert facts(result.orders, *OUTCOME) == [("filled", 1, 10), ("partial", 6, 18)]


def test_a_decision_for_the_same_target_leaves_an_order_that_is_filled_in_part():
    panel = written_panel({"A": [100.0] * 6}, volume=16.0)
    left = agreed(written_case(panel, {"A": {0: 1.0, 1: 1.0}}, costs=QUARTER))
    assert facts(left.orders, *OUTCOME) == [("filled", 3, 10)]
    replaced = agreed(written_case(panel, {"A": {0: 1.0, 1: 0.5}}, costs=QUARTER))
    assert facts(replaced.orders, *OUTCOME) == [("partial", 1, 4), ("filled", 2, 1)]


def test_an_order_that_can_take_nothing_stays():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=1.0)
    panel = written_panel({"A": [100.0] * 5}, volume=[0.0, 0.0, 0.0, 50.0, 50.0])
    result = agreed(written_case(panel, {"A": {0: 1.0}}, costs=costs))
    assert facts(result.orders, "limit", *OUTCOME) == [("participation", "filled", 3, 10)]


def test_a_remainder_expires_as_the_limit_that_it_was():
    # It goes through in bars 2 and 4; the order is over at the close of bar 3.
    below = (100, 100, 99, 100)
    case = written_case(
        written_panel({"A": [100, 100, below, 100, below, 100]}, volume=16.0),
        {"A": {0: limit(1.0, 100.0)}},
        costs=QUARTER,
        exits=Exits(stop_atr=None, limit_bars=3),
    )
    assert facts(agreed(case).orders, "kind", *OUTCOME) == [("limit", "partial", 3, 8)]


def test_an_order_that_was_filled_in_part_dies_with_its_position():
    bars = {"A": [100, (100, 100, 89, 95), 95, 95]}
    case = written_case(
        written_panel(bars, volume=16.0), {"A": {0: 1.0}}, costs=QUARTER, exits=Exits(stop_atr=1.0)
    )
    result = agreed(case)
    assert facts(result.orders, *OUTCOME) == [("partial", 1, 4)]
    assert facts(result.fills, "reason", "quantity") == [("entry", 4), ("stop", 4)]


def test_an_exit_that_is_filled_in_part_leaves_the_target_in_force():
    # The exit takes 4 of 10 in bar 2 and is replaced; the target of 1 is still in force and cancels.
    panel = written_panel({"A": [100.0] * 6}, volume=[40, 40, 16, 16, 16, 16])
    result = agreed(written_case(panel, {"A": {0: 1.0, 1: 0.0, 2: 1.0}}, costs=QUARTER))
    assert facts(result.orders, "target", *OUTCOME) == [
        (1.0, "filled", 1, 10), (0.0, "partial", 2, 4),
    ]  # fmt: skip
    assert facts(result.fills, "reason", "quantity")[1:] == [("exit", 4), ("end_of_data", 6)]
