"""Section 3 of docs/accounting.md by hand: kinds, ends, rounding, styles."""

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


@pytest.mark.parametrize(("price", "low"), [(0.3, 0.2), (64.1, 64.0)])
def test_a_tick_through_is_not_missed_by_the_last_bit(price: float, low: float):
    assert low > price - 0.1
    case = written_case(
        {"A": [2 * price, (2 * price, 2 * price, low, 2 * price), 2 * price]},
        {"A": {0: limit(1.0, price)}},
        symbol_rules={"A": SymbolRules(tick_size=0.1)},
    )
    assert [fill.price for fill in agreed(case).fills] == [price, 2 * price]


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


@pytest.mark.parametrize("style", ["exit_long", "exit_short"])
@pytest.mark.parametrize("kind", ["limit", "stop"])
def test_an_exit_of_one_side_cancels_an_entry_of_that_side(style: str, kind: str):
    ends = {"exit_long": 1.0, "exit_short": -1.0}[style]
    for target in (1.0, -1.0):
        price = 100 - 10 * target if kind == "limit" else 100 + 10 * target
        waiting = Row(target, kind=kind, price=price)
        bars = {"A": [100, 100, 100, 85, 115, 115]}
        result = agreed(written_case(bars, {"A": {0: waiting, 2: Row(0.0, style=style)}}))
        if target == ends:
            assert facts(result.orders, *OUTCOME) == [("cancelled", 2, 0)]
        else:
            assert facts(result.orders, "status") == [("filled",)]


def test_an_exit_signal_reaches_an_entry_that_waits_for_a_missing_bar():
    bars = {"A": [100, None, None, 100, 100]}
    result = agreed(written_case(bars, {"A": {0: 1.0, 1: Row(0.0, style="exit_long")}}))
    assert facts(result.orders, *OUTCOME) == [("cancelled", 1, 0)]
    assert result.fills == []


def test_an_exit_signal_of_the_new_side_turns_a_reversal_into_an_exit():
    # Long, and a limit to turn short rests: neither side is wanted any more.
    rows = {0: 1.0, 1: limit(-1.0, 150.0), 3: Row(0.0, style="exit_short")}
    result = agreed(written_case({"A": [100.0] * 6}, {"A": rows}))
    assert facts(result.orders, "target", *OUTCOME) == [
        (1.0, "filled", 1, 10), (-1.0, "cancelled", 3, 0), (0.0, "filled", 4, 10),
    ]  # fmt: skip
    assert facts(result.fills[1:], "bar", "reason") == [(4, "exit")]
    # So does that of the side which is held.
    rows[3] = Row(0.0, style="exit_long")
    result = agreed(written_case({"A": [100.0] * 6}, {"A": rows}))
    assert facts(result.fills[1:], "bar", "reason") == [(4, "exit")]


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
