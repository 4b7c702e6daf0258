"""Section 3 of docs/accounting.md by hand: kinds, ends, participation, styles."""

import pytest

from engine import Costs, Exits, SymbolRules
from tests.replay_cases import Row, agreed, facts, written_case, written_panel

OUTCOME = ("status", "closed_bar", "filled_quantity")


def limit(target: float, price: float) -> Row:
    return Row(target, kind="limit", price=price)


def stop(target: float, price: float) -> Row:
    return Row(target, kind="stop", price=price)


@pytest.mark.parametrize(("slippage_bps", "price"), [(50.0, 100.5), (200.0, 101.0)])
def test_a_marketable_limit_is_a_taker_not_above_its_price(slippage_bps: float, price: float):
    case = written_case(
        {"A": [100, 100, 100]},
        {"A": {0: limit(1.0, 101.0)}},
        costs=Costs(taker_fee_bps=10.0, maker_fee_bps=0.0, slippage_bps=slippage_bps),
    )
    result = agreed(case)
    fill = result.fills[0]
    assert (fill.phase, fill.is_maker, fill.reference_price) == ("open", False, 100)
    assert fill.price == pytest.approx(price)
    assert fill.fee == pytest.approx(10 * price / 1000)
    assert facts(result.orders, "kind", "price", *OUTCOME) == [("limit", 101.0, "filled", 1, 10.0)]


def test_an_open_at_the_limit_is_marketable_at_first_only():
    # Bar 1 opens above and stays there; bar 2 touches 100 without going through; bar 3 goes through.
    bars = [100, 102, (102, 102, 100, 100), (100, 100, 99, 99), 99]
    result = agreed(written_case({"A": bars}, {"A": {0: limit(1.0, 100.0)}}))
    fill = result.fills[0]
    assert (fill.bar, fill.phase, fill.is_maker, fill.price) == (3, "intrabar", True, 100)
    at_once = agreed(written_case({"A": [100, 100, 100]}, {"A": {0: limit(1.0, 100.0)}})).fills[0]
    assert (at_once.bar, at_once.phase, at_once.is_maker) == (1, "open", False)


def test_a_later_open_through_the_limit_fills_at_the_limit():
    result = agreed(written_case({"A": [100, 102, 90, 90]}, {"A": {0: limit(1.0, 100.0)}}))
    fill = result.fills[0]
    assert (fill.bar, fill.phase, fill.is_maker, fill.price) == (2, "open", True, 100)


@pytest.mark.parametrize(("low", "count"), [(99.75, 0), (99.5, 2)])
def test_through_means_a_whole_tick(low: float, count: int):
    bars = [102, (102, 102, low, 102), 102]
    case = written_case(
        {"A": bars},
        {"A": {0: limit(1.0, 100.0)}},
        symbol_rules={"A": SymbolRules(tick_size=0.5)},
    )
    assert len(agreed(case).fills) == count


def test_a_sell_limit_is_the_mirror_image():
    bars = [100, (100, 104, 100, 104), 104]
    fill = agreed(written_case({"A": bars}, {"A": {0: limit(-1.0, 103.0)}})).fills[0]
    assert (fill.bar, fill.side, fill.price, fill.is_maker) == (1, -1, 103.0, True)


def test_stop_orders_fill_at_the_open_or_at_their_price():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=100.0)
    gap = written_case({"A": [100, 104, 104]}, {"A": {0: stop(1.0, 103.0)}}, costs=costs)
    inside = written_case(
        {"A": [100, (100, 105, 100, 105), 105]}, {"A": {0: stop(1.0, 103.0)}}, costs=costs
    )
    short = written_case(
        {"A": [100, (100, 100, 95, 95), 95]}, {"A": {0: stop(-1.0, 97.0)}}, costs=costs
    )
    found = [agreed(case).fills[0] for case in (gap, inside, short)]
    assert facts(found, "phase", "reference_price") == [
        ("open", 104.0), ("intrabar", 103.0), ("intrabar", 97.0),
    ]  # fmt: skip
    assert [fill.price for fill in found] == [pytest.approx(x) for x in (105.04, 104.03, 96.03)]


def test_an_order_waits_for_the_first_tradable_bar():
    result = agreed(written_case({"A": [100, None, 90, 90]}, {"A": {0: limit(1.0, 95.0)}}))
    fill = result.fills[0]
    assert (fill.bar, fill.is_maker, fill.price) == (2, False, 90)


def test_limits_expire_and_others_cancel_or_drop():
    bars = {"A": [100.0] * 6}
    resting = {"A": {0: limit(1.0, 50.0)}}
    expired = written_case(bars, resting, exits=Exits(stop_atr=None, limit_bars=2))
    assert facts(agreed(expired).orders, *OUTCOME) == [("expired", 2, 0)]
    dropped = written_case(bars, resting)
    assert facts(agreed(dropped).orders, *OUTCOME) == [("dropped", 5, 0)]
    cancelled = written_case(bars, {"A": {0: limit(1.0, 50.0), 3: 0.0}})
    assert facts(agreed(cancelled).orders, *OUTCOME) == [("cancelled", 3, 0)]
    replaced = written_case(bars, {"A": {0: limit(1.0, 50.0), 3: 0.5}})
    assert facts(agreed(replaced).orders, *OUTCOME) == [("cancelled", 3, 0), ("filled", 4, 5)]
    delisted = written_case(
        written_panel(bars, unlisted={"A": (3, 4, 5)}), {"A": {0: 1.0, 1: limit(0.5, 150.0)}}
    )
    result = agreed(delisted)
    assert facts(result.orders, *OUTCOME) == [("filled", 1, 10), ("dropped", 2, 0)]
    assert facts(result.fills, "bar", "reason") == [(1, "entry"), (2, "delisted")]


def test_participation_carries_the_remainder_over():
    # 10 wanted, a quarter of 16 in each bar; lots of 3 leave 3 of the 4.
    bars = {"A": [100.0] * 7}
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=0.25)
    case = written_case(
        written_panel(bars, volume=16.0), {"A": {0: limit(1.0, 100.0)}}, costs=costs
    )
    result = agreed(case)
    assert facts(result.fills, "bar", "reason", "quantity", "order") == [
        (1, "entry", 4, 0), (2, "resize", 4, 0), (3, "resize", 2, 0), (6, "end_of_data", 10, -1),
    ]  # fmt: skip
    assert facts(result.orders, "kind", "limit", *OUTCOME) == [
        ("limit", "participation", "filled", 3, 10)
    ]
    lots = written_case(
        written_panel(bars, volume=16.0), {"A": {0: 1.0}}, costs=costs,
        symbol_rules={"A": SymbolRules(lot_step=3.0)},
    )  # fmt: skip
    assert [fill.quantity for fill in agreed(lots).fills] == [3, 3, 3, 9]


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
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=0.25)
    panel = written_panel({"A": [100.0] * 6}, volume=16.0)
    left = agreed(written_case(panel, {"A": {0: 1.0, 1: 1.0}}, costs=costs))
    assert facts(left.orders, *OUTCOME) == [("filled", 3, 10)]
    replaced = agreed(written_case(panel, {"A": {0: 1.0, 1: 0.5}}, costs=costs))
    assert facts(replaced.orders, *OUTCOME) == [("partial", 1, 4), ("filled", 2, 1)]


def test_an_order_that_can_take_nothing_stays():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=1.0)
    panel = written_panel({"A": [100.0] * 5}, volume=[0.0, 0.0, 0.0, 50.0, 50.0])
    result = agreed(written_case(panel, {"A": {0: 1.0}}, costs=costs))
    assert facts(result.orders, "limit", *OUTCOME) == [("participation", "filled", 3, 10)]


def test_lots_and_least_notionals_round_openings_and_resizes_only():
    def outcome(rules: SymbolRules, later: float):
        case = written_case(
            {"A": [100.0] * 5}, {"A": {0: 0.55, 2: later}}, symbol_rules={"A": rules}
        )
        result = agreed(case)
        return facts(result.orders, "status", "limit", "filled_quantity")

    two = SymbolRules(lot_step=2.0)
    assert outcome(two, 1.0) == [("filled", "none", 4), ("filled", "none", 6)]
    assert outcome(two, 0.5) == [("filled", "none", 4), ("rejected", "lot", 0)]
    assert outcome(SymbolRules(lot_step=8.0), 0.0) == [("rejected", "lot", 0)]
    least = SymbolRules(min_notional=500.0)
    assert outcome(least, 0.0) == [("filled", "none", 5.5), ("filled", "none", 5.5)]
    assert outcome(least, 0.7) == [("filled", "none", 5.5), ("rejected", "min_notional", 0)]
    assert outcome(SymbolRules(min_notional=551.0), 0.55) == [("rejected", "min_notional", 0)] * 2


def test_styles_add_and_end_one_side():
    bars = {"A": [100.0] * 8}
    add = {t: Row(0.4, style="add") for t in (0, 2, 4)}
    adding = agreed(written_case(bars, {"A": add}))
    assert [order.target for order in adding.orders] == [0.4, 0.8, 1.0]
    turned = agreed(written_case(bars, {"A": {0: 0.5, 2: Row(-0.25, style="add")}}))
    assert [order.target for order in turned.orders] == [0.5, -0.25]
    long_ended = {"A": {0: 0.5, 2: Row(1.0, style="exit_short"), 3: Row(1.0, style="exit_long")}}
    result = agreed(written_case(bars, long_ended))
    assert facts(result.fills, "bar", "reason") == [(1, "entry"), (4, "exit")]
    short_ended = {"A": {0: -0.5, 2: Row(0.0, style="exit_long"), 3: Row(0.0, style="exit_short")}}
    result = agreed(written_case(bars, short_ended))
    assert facts(result.fills, "bar", "reason") == [(1, "entry"), (4, "exit")]


def test_a_larger_target_never_reduces():
    # Half a target is worth 5 at 100; at 200 equity is 1500 and 0.6 of it only 4.5, 0.4 of it 3.
    bars = {"A": [100, 100, (100, 200, 100, 200), 200, 200, 200]}

    def second_order(target: float):
        result = agreed(written_case(bars, {"A": {0: 0.5, 2: target, 3: 0.6}}))
        return facts(result.orders[1:], "target", *OUTCOME)

    assert second_order(0.6) == [(0.6, "filled", 3, 0)]
    assert second_order(0.4)[0] == (0.4, "filled", 3, 2)
    assert second_order(0.5) == [(0.6, "filled", 4, 0)]


def test_a_sell_limit_is_not_sold_below_its_price():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=500.0)
    case = written_case({"A": [100, 104, 104]}, {"A": {0: limit(-1.0, 100.0)}}, costs=costs)
    fill = agreed(case).fills[0]
    assert (fill.phase, fill.is_maker, fill.reference_price, fill.price) == (
        "open",
        False,
        104,
        100,
    )
    assert fill.spread == pytest.approx(1000 / 104 * 4)


def test_a_remainder_expires_as_the_limit_that_it_was():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=0.25)
    case = written_case(
        written_panel({"A": [100.0] * 6}, volume=[16, 16, 16, 0, 16, 16]),
        {"A": {0: limit(1.0, 100.0)}},
        costs=costs,
        exits=Exits(stop_atr=None, limit_bars=3),
    )
    assert facts(agreed(case).orders, "kind", *OUTCOME) == [("limit", "partial", 3, 8)]


def test_an_order_that_was_filled_in_part_dies_with_its_position():
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=0.25)
    bars = {"A": [100, (100, 100, 89, 95), 95, 95]}
    case = written_case(
        written_panel(bars, volume=16.0), {"A": {0: 1.0}}, costs=costs, exits=Exits(stop_atr=1.0)
    )
    result = agreed(case)
    assert facts(result.orders, *OUTCOME) == [("partial", 1, 4)]
    assert facts(result.fills, "reason", "quantity") == [("entry", 4), ("stop", 4)]


def test_an_exit_that_is_filled_in_part_leaves_the_target_in_force():
    # The exit takes 4 of 10 in bar 2 and is replaced; the target of 1 is still in force and cancels.
    costs = Costs(taker_fee_bps=0.0, slippage_bps=0.0, participation=0.25)
    panel = written_panel({"A": [100.0] * 6}, volume=[40, 40, 16, 16, 16, 16])
    result = agreed(written_case(panel, {"A": {0: 1.0, 1: 0.0, 2: 1.0}}, costs=costs))
    assert facts(result.orders, "target", *OUTCOME) == [
        (1.0, "filled", 1, 10), (0.0, "partial", 2, 4),
    ]  # fmt: skip
    assert facts(result.fills, "reason", "quantity")[1:] == [("exit", 4), ("end_of_data", 6)]
