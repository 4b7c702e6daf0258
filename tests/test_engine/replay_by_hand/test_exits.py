"""Levels of section 4 of docs/accounting.md by hand: stops, targets, ladders, trailing, time."""

from typing import Any

import pytest

from engine import Costs, Exits, SymbolRules
from tests.replay_cases import NO_COSTS, Row, agreed, facts, written_case

FILL = ("bar", "phase", "reason", "price")


def fills(bars: list[Any], exits: Exits, row: Any = 1.0, **rules: Any) -> list[tuple[Any, ...]]:
    """Bar, phase, reason and price of every fill; the row of bar 0 knows a range of 0.1."""
    return facts(
        agreed(written_case({"A": bars}, {"A": {0: row}}, exits=exits, **rules)).fills, *FILL
    )


def test_a_stop_inside_and_at_the_open():
    exits = Exits(stop_atr=1.0)
    assert fills([100, 100, (100, 100, 90, 95), 95], exits)[1] == (2, "intrabar", "stop", 90)
    assert fills([100, 100, 85, 95], exits)[1] == (2, "open", "stop", 85)
    assert fills([100, (100, 100, 89, 95), 95], exits)[1] == (1, "intrabar", "stop", 90)
    short = fills([100, 100, (100, 112.5, 100, 100), 95], exits, Row(-1.0, atr_frac=0.125))
    assert short[1] == (2, "intrabar", "stop", 112.5)


def test_a_stop_and_a_target_in_one_bar_are_ambiguous():
    case = written_case(
        {"A": [100, 100, (100, 120, 90, 100), 100]}, {"A": {0: 1.0}},
        exits=Exits(stop_atr=1.0, take_profit_atr=2.0),
    )  # fmt: skip
    result = agreed(case)
    assert facts(result.fills, *FILL)[1] == (2, "intrabar", "stop", 90)
    assert (result.ambiguous_exits, result.trades[0].is_ambiguous) == (1, True)


@pytest.mark.parametrize("target", [{"atr": 0.5}, {"frac": 0.05}, {"r": 0.25}])
def test_targets_in_ranges_fractions_and_r(target: dict[str, float]):
    names = {f"take_profit_{name}": value for name, value in target.items()}
    exits = Exits(stop_atr=2.0, **names)
    inside = fills([100, 100, (100, 106, 100, 100), 100], exits)[1]
    assert inside == (2, "intrabar", "take_profit", pytest.approx(105))
    gap = fills([100, 100, 107, 100], exits)[1]
    assert gap == (2, "open", "take_profit", 107)


def test_a_target_that_is_a_limit_needs_the_price_through_it():
    costs = Costs(taker_fee_bps=0.0, maker_fee_bps=0.0, slippage_bps=100.0)
    exits = Exits(stop_atr=None, take_profit_frac=0.25, take_profit_is_limit=True)
    level = 101 * 1.25
    touched = fills([100, 100, (100, level, 100, 100), 100], exits, costs=costs)
    assert touched[1][2] == "end_of_data"
    through = fills([100, 100, (100, 127, 100, 100), 100], exits, costs=costs)
    assert through[1] == (2, "intrabar", "take_profit", level)
    gap = fills([100, 100, 130, 130], exits, costs=costs)
    assert gap[1] == (2, "open", "take_profit", level)


def test_levels_are_rounded_away_from_the_entry():
    ticks = {"A": SymbolRules(tick_size=4.0)}
    exits = Exits(stop_atr=1.0, take_profit_atr=1.0)
    assert fills([100, 100, (100, 100, 88, 88), 88], exits, symbol_rules=ticks)[1][3] == 88
    assert fills([100, 100, (100, 112, 100, 100), 100], exits, symbol_rules=ticks)[1][3] == 112
    assert len(fills([100, 100, (100, 111, 89, 100), 100], exits, symbol_rules=ticks)) == 2
    assert fills([100, 100, (100, 111, 89, 100), 100], exits, symbol_rules=ticks)[1][0] == 3


def test_a_ladder_and_what_it_leaves():
    exits = Exits(stop_atr=1.0, ladder=((1.0, 0.25), (2.0, 0.5)), take_profit_r=3.0)
    bars = [100, 100, (100, 115, 100, 115), (125, 125, 115, 120), (120, 131, 120, 120), 120]
    case = written_case({"A": bars}, {"A": {0: 1.0}}, exits=exits)
    result = agreed(case)
    assert facts(result.fills, *FILL, "quantity") == [
        (1, "open", "entry", 100, 10),
        (2, "intrabar", "ladder", pytest.approx(110), 2.5),
        (3, "open", "ladder", 125, 5),
        (4, "intrabar", "take_profit", pytest.approx(130), 2.5),
    ]
    (trade,) = result.trades
    assert trade.exit_price == pytest.approx((2.5 * 110 + 5 * 125 + 2.5 * 130) / 10)
    assert (trade.initial_risk, trade.r_multiple) == (100, pytest.approx(2.25))


@pytest.mark.parametrize(
    ("bar", "phase", "price"),
    [((100, 121, 100, 121), "intrabar", 110), ((125, 125, 121, 121), "open", 125)],
)
def test_a_target_nearer_than_a_rung_leaves_nothing_for_it(
    bar: tuple[float, float, float, float], phase: str, price: float
):
    exits = Exits(stop_atr=1.0, ladder=((2.0, 0.5),), take_profit_frac=0.1)
    assert fills([100, 100, bar, 121], exits)[1:] == [
        (2, phase, "take_profit", pytest.approx(price))
    ]


def test_targets_are_taken_nearest_first():
    # Rungs at 105 and 120, the target at 110 between them; a short the other way round.
    exits = Exits(stop_atr=1.0, ladder=((0.5, 0.5), (2.0, 0.25)), take_profit_frac=0.1)
    expected = [
        (2, "intrabar", "ladder", pytest.approx(105)),
        (2, "intrabar", "take_profit", pytest.approx(110)),
    ]
    assert fills([100, 100, (100, 125, 100, 100), 100], exits)[1:] == expected
    expected = [
        (2, "intrabar", "ladder", pytest.approx(95)),
        (2, "intrabar", "take_profit", pytest.approx(90)),
    ]
    assert fills([100, 100, (100, 100, 75, 100), 100], exits, -1.0)[1:] == expected
    # Of one level the rung goes first; what it leaves is the target's.
    same = Exits(stop_atr=1.0, ladder=((1.0, 0.25),), take_profit_r=1.0)
    case = written_case({"A": [100, 100, (100, 125, 100, 100), 100]}, {"A": {0: 1.0}}, exits=same)
    assert facts(agreed(case).fills[1:], "reason", "quantity") == [
        ("ladder", 2.5), ("take_profit", 7.5),
    ]  # fmt: skip
    # A stop order that is entered inside the bar takes them in the same order.
    row = Row(1.0, kind="stop", price=110.0)
    entered = fills([100, (100, 140, 100, 140), 140], exits, row)
    assert [fill[2] for fill in entered] == ["entry", "ladder", "take_profit"]


def test_rungs_are_rounded_to_lots_and_the_last_closes_all():
    exits = Exits(stop_atr=1.0, ladder=((0.25, 0.1), (0.5, 0.5), (1.0, 0.4)))
    case = written_case(
        {"A": [100, 100, (100, 115, 100, 115), 115]}, {"A": {0: 1.0}}, exits=exits,
        symbol_rules={"A": SymbolRules(lot_step=2.0)},
    )  # fmt: skip
    # A tenth of 10 is no lot; half is two; the last is asked for 4 of 6 and takes 4.
    assert facts(agreed(case).fills, "reason", "quantity") == [
        ("entry", 10), ("ladder", 4), ("ladder", 4), ("end_of_data", 2),
    ]  # fmt: skip
    thirds = Exits(stop_atr=1.0, ladder=((0.25, 0.3), (0.5, 0.3), (1.0, 0.4)))
    case = written_case({"A": [100, 100, (100, 115, 100, 115), 115]}, {"A": {0: 1.0}}, exits=thirds)
    result = agreed(case)
    assert [fill.reason for fill in result.fills] == ["entry", "ladder", "ladder", "ladder"]
    assert result.fills[-1].position_after == 0


def test_trailing_follows_the_best_price_since_the_entry():
    bars = [100, 100, (100, 120, 100, 115), (115, 118, 108, 110), 110]
    trail = Exits(stop_atr=2.0, trail_frac=0.1)
    assert fills(bars, trail)[1] == (3, "intrabar", "trailing_stop", 108)
    # 120 − 1 · 0.1 · 115 = 108.5.
    in_ranges = Exits(stop_atr=2.0, trail_atr=1.0)
    assert fills(bars, in_ranges)[1] == (3, "intrabar", "trailing_stop", 108.5)


def test_the_bar_that_raises_a_stop_cannot_hit_it():
    bars = [100, (100, 120, 100, 100), 107, 107]
    assert fills(bars, Exits(stop_atr=2.0, trail_frac=0.1))[1] == (2, "open", "trailing_stop", 107)


def test_trailing_over_the_last_bars_never_moves_back():
    # Tops of the last two bars: 120, 120, 110: the level stays at 108.
    bars = [100, 100, (100, 120, 100, 119), (119, 119, 109, 110), (110, 110, 109, 110), 108, 108]
    exits = Exits(stop_atr=2.0, trail_frac=0.1, trail_bars=2)
    assert fills(bars, exits)[1] == (5, "open", "trailing_stop", 108)
    # The window reaches back before the entry.
    bars = [(100, 130, 100, 100), 100, (100, 100, 97, 100), 100]
    exits = Exits(stop_atr=2.0, trail_frac=0.25, trail_bars=2)
    assert fills(bars, exits)[1] == (2, "intrabar", "trailing_stop", 97.5)


def test_break_even_moves_the_stop_to_the_entry_and_two_fees():
    costs = Costs(taker_fee_bps=100.0, slippage_bps=0.0)
    exits = Exits(stop_atr=1.0, break_even_r=0.5)
    bars = [100, 100, (100, 106, 100, 105), (105, 105, 101, 103), 103]
    assert fills(bars, exits, costs=costs)[1] == (3, "intrabar", "break_even", pytest.approx(102))
    not_yet = [100, 100, (100, 106, 100, 104.9), (104, 104, 101, 103), 103]
    assert fills(not_yet, exits, costs=costs)[1][2] == "end_of_data"


def test_time_stop_spares_winners():
    bars = [100, 100, 100, 108, 108, 108, 108]
    always = Exits(stop_atr=1.0, time_stop_bars=2)
    assert fills(bars, always)[1] == (3, "open", "time_stop", 108)
    # At close 2 the gain is 0 R: it is asked for then. At close 3 it would be 0.8 R.
    spared = Exits(stop_atr=1.0, time_stop_bars=3, time_stop_max_r=0.5)
    assert fills(bars, spared)[1][2] == "end_of_data"
    taken = Exits(stop_atr=1.0, time_stop_bars=3, time_stop_max_r=0.9)
    assert fills(bars, taken)[1] == (4, "open", "time_stop", 108)


@pytest.mark.parametrize(
    ("bar", "kind", "reason", "is_ambiguous"),
    [
        ((100, 112, 80, 104), "limit", "stop", False),
        ((100, 112, 80, 105), "limit", "stop", True),
        ((100, 112, 89, 105), "limit", "take_profit", False),
        ((100, 112, 84, 104), "limit", "end_of_data", False),
        ((90, 112, 90, 96), "stop", "take_profit", False),
        ((90, 96, 80, 96), "stop", "stop", True),
    ],
)
def test_exits_of_a_position_that_a_resting_order_entered(
    bar: tuple[float, float, float, float], kind: str, reason: str, is_ambiguous: bool
):
    # Entered at 95: the stop is at 83.125, the target at 104.5.
    row = Row(1.0, kind=kind, price=95.0, atr_frac=0.125)
    exits = Exits(stop_atr=1.0, take_profit_frac=0.1)
    case = written_case({"A": [100, bar, 100]}, {"A": {0: row}}, exits=exits, costs=NO_COSTS)
    result = agreed(case)
    assert facts(result.fills, "phase", "reason") == [
        ("intrabar", "entry"),
        ("close" if reason == "end_of_data" else "intrabar", reason),
    ]
    assert result.trades[0].is_ambiguous == is_ambiguous


def test_the_best_of_a_position_entered_inside_starts_at_the_close():
    # The high of 120 came before the entry at 95, or not: the trailing stop does not trust it.
    row = Row(1.0, kind="limit", price=95.0)
    bars = [100, (100, 120, 94, 100), (100, 100, 95, 95), 95]
    exits = Exits(stop_atr=4.0, trail_frac=0.05)
    assert fills(bars, exits, row)[1] == (2, "intrabar", "trailing_stop", 95)


def test_a_stop_beyond_a_slipped_entry_fills_where_the_order_was_triggered():
    # Triggered at 110, bought at 112.2; the stop 1 % below that, at 111.078, was never traded.
    case = written_case(
        {"A": [100, (100, 110, 100, 105), 105]},
        {"A": {0: Row(1.0, kind="stop", price=110.0)}},
        exits=Exits(stop_atr=None, stop_frac=0.01),
        costs=Costs(taker_fee_bps=0.0, slippage_bps=200.0),
    )
    entry, exit_ = agreed(case).fills
    assert (entry.reference_price, entry.price) == (110.0, pytest.approx(112.2))
    assert (exit_.phase, exit_.reason, exit_.reference_price) == ("intrabar", "stop", 110.0)
