"""Sections 4.1, 4.4 and 5 of docs/accounting.md by hand: margin before levels and orders."""

import math
from typing import Any

import pytest

from engine import HOUR_NS, Costs, Exits, Limits, Margin, MarginTier, Sizing
from tests.generators import START_NS
from tests.replay_cases import Row, agreed, facts, written_case, written_panel

TIERS = (MarginTier(notional_to=math.inf, maintenance=0.05, max_leverage=20.0),)
CROSS = Margin(mode="cross", tiers=TIERS, liquidation_fee_bps=50.0)
ISOLATED = Margin(mode="isolated", leverage=4.0, tiers=TIERS, liquidation_fee_bps=50.0)
FILL = ("bar", "phase", "reason", "price", "shortfall")


def leveraged(
    market: Any, rows: dict[str, Any], margin: Margin, exits: Exits | None = None, *,
    times: float = 4.0, costs: Costs | None = None, fine: Any = None,
):  # fmt: skip
    """A full target is worth ``times`` the cash of 1000; with 4, isolated wallets are as cross."""
    given = {} if costs is None else {"costs": costs}
    return agreed(
        written_case(
            market, rows, margin=margin, exits=exits, sizing=Sizing(position_fraction=times),
            limits=Limits(max_gross=times), fine=fine, **given,
        )
    )  # fmt: skip


# At the open


@pytest.mark.parametrize("margin", [CROSS, ISOLATED], ids=["cross", "isolated"])
@pytest.mark.parametrize("later", [{}, {1: 0.0}, {1: -1.0}], ids=["stop", "exit", "reversal"])
def test_a_gap_beyond_the_margin_is_not_the_traders_to_close_in(
    margin: Margin, later: dict[int, float]
):
    # 40 units from 100, a stop at 80: the open of 70 is beyond it and beyond the 1000 that there are.
    bars = {"A": [100, 100, (70, 100, 70, 100), 100]}
    result = leveraged(bars, {"A": {0: 1.0, **later}}, margin, Exits(stop_atr=2.0))
    assert facts(result.fills[1:], *FILL) == [(2, "open", "liquidation", 70, pytest.approx(200))]
    assert result.fills[1].time == START_NS + 2 * HOUR_NS
    assert result.fills[1].cash_after == pytest.approx(0)
    assert facts(result.orders, "status", "closed_bar") == (
        [("filled", 1)] + [("cancelled", 2)] * len(later)
    )
    assert result.ruined_bar == 2


@pytest.mark.parametrize("margin", [CROSS, ISOLATED], ids=["cross", "isolated"])
def test_a_gap_within_the_margin_is(margin: Margin):
    # At 79 f = −3000 + 3160 − 158 = 2 is left: the stop at 80 closes there.
    bars = {"A": [100, 100, 79, 79]}
    result = leveraged(bars, {"A": {0: 1.0}}, margin, Exits(stop_atr=2.0))
    assert facts(result.fills[1:], *FILL) == [(2, "open", "stop", 79, 0)]
    bought = leveraged(bars, {"A": {0: 1.0, 1: 0.0}}, margin, Exits(stop_atr=2.0))
    assert facts(bought.fills[1:], *FILL) == [(2, "open", "exit", 79, 0)]


def test_a_spot_account_is_ruined_before_its_stop_and_its_order():
    def short(open_: float, rows: dict[int, float]):
        case = written_case(
            {"A": [100, 100, open_, 100]}, {"A": {0: -1.0, **rows}}, exits=Exits(stop_atr=2.0),
            limits=Limits(max_gross=1.0), margin=Margin(mode="none"),
        )  # fmt: skip
        return agreed(case)

    assert facts(short(199.0, {}).fills[1:], *FILL) == [(2, "open", "stop", 199, 0)]
    assert facts(short(199.0, {1: 0.0}).fills[1:], *FILL) == [(2, "open", "exit", 199, 0)]
    for later in ({}, {1: 0.0}, {1: 1.0}):
        result = short(220.0, later)
        assert facts(result.fills[1:], *FILL) == [(2, "open", "ruin", 220, 200)]
        assert facts(result.orders[1:], "status") == [("dropped",)] * len(later)


def test_a_missing_bar_does_not_protect_from_the_mark_at_its_open():
    panel = written_panel({"A": [100, 100, None, 100]}, mark={"A": [100, 100, 70, 100]})
    result = leveraged(panel, {"A": {0: 1.0}}, CROSS)
    assert facts(result.fills[1:], *FILL) == [(2, "open", "liquidation", 70, pytest.approx(200))]


def test_a_settlement_at_the_open_comes_before_the_margin():
    # At 79 the margin is 2 more than needed; 3.16 are paid there.
    case = written_case(
        {"A": [100, 100, 79, 100]}, {"A": {0: 1.0}}, margin=CROSS,
        sizing=Sizing(position_fraction=4.0), limits=Limits(max_gross=4.0),
        funding=[(2.0, "A", 0.001, 0.0)],
    )  # fmt: skip
    assert facts(agreed(case).fills[1:], *FILL) == [(2, "open", "liquidation", 79, 0)]


def test_the_open_of_a_later_sub_bar_is_an_open_too():
    fine = written_panel({"A": [*[100.0] * 8, 100, 100, 70, 100]}, timeframe="15m")
    panel = written_panel({"A": [100.0] * 3}).rebuilt_from(fine)
    result = leveraged(panel, {"A": {0: 1.0}}, CROSS, Exits(stop_atr=2.0), fine=fine)
    assert facts(result.fills[1:], *FILL) == [(2, "open", "liquidation", 70, pytest.approx(200))]
    assert result.fills[1].time == START_NS + 2 * HOUR_NS + HOUR_NS // 2


# Positions entered inside a sub-bar


@pytest.mark.parametrize("margin", [CROSS, ISOLATED], ids=["cross", "isolated"])
@pytest.mark.parametrize(
    ("target", "price", "bar", "level", "quantity"),
    [
        # −3000 + 50 m = 0.05 · 50 m, and 5000 − 32 m = 0.05 · 32 m.
        (1.0, 80.0, (100, 100, 60, 78), 3000 / 47.5, 50.0),
        (-1.0, 125.0, (100, 150, 100, 130), 5000 / 33.6, 32.0),
    ],
    ids=["long", "short"],
)
def test_a_limit_entry_is_under_margin_in_the_bar_that_fills_it(
    margin: Margin,
    target: float,
    price: float,
    bar: tuple[float, float, float, float],
    level: float,
    quantity: float,
):
    row = Row(target, kind="limit", price=price)
    result = leveraged({"A": [100, bar, bar[3]]}, {"A": {0: row}}, margin)
    assert facts(result.fills, *FILL) == [
        (1, "intrabar", "entry", price, 0), (1, "intrabar", "liquidation", pytest.approx(level), 0),
    ]  # fmt: skip
    assert result.fills[1].fee == pytest.approx(quantity * level * 0.005)


def test_a_limit_entry_that_keeps_its_margin_stays():
    row = Row(1.0, kind="limit", price=80.0)
    result = leveraged({"A": [100, (100, 100, 64, 78), 78]}, {"A": {0: row}}, CROSS)
    assert [fill.reason for fill in result.fills] == ["entry", "end_of_data"]


@pytest.mark.parametrize(
    ("stop_frac", "reason", "price"),
    [(0.2, "stop", 64.0), (0.25, "liquidation", 3000 / 47.5)],
)
def test_the_nearer_of_stop_and_liquidation_of_a_limit_entry(
    stop_frac: float, reason: str, price: float
):
    row = Row(1.0, kind="limit", price=80.0)
    exits = Exits(stop_atr=None, stop_frac=stop_frac)
    result = leveraged({"A": [100, (100, 100, 60, 78), 78]}, {"A": {0: row}}, CROSS, exits)
    assert facts(result.fills[1:], *FILL) == [(1, "intrabar", reason, pytest.approx(price), 0)]


@pytest.mark.parametrize(
    ("exits", "reason"),
    [(Exits(stop_atr=None, stop_frac=0.01), "stop"), (Exits(stop_atr=None), "liquidation")],
)
def test_a_stop_beyond_a_slipped_entry_is_nearer_than_any_liquidation(exits: Exits, reason: str):
    # 16,000 at 110 cost 320 more; the 680 left are less than the 800 to be maintained from the start.
    row = Row(1.0, kind="stop", price=110.0)
    result = leveraged(
        {"A": [100, (100, 110, 100, 105), 105]}, {"A": {0: row}}, CROSS, exits, times=16.0,
        costs=Costs(taker_fee_bps=0.0, slippage_bps=200.0),
    )  # fmt: skip
    assert facts(result.fills, "phase", "reason", "reference_price") == [
        ("intrabar", "entry", 110.0), ("intrabar", reason, 110.0),
    ]  # fmt: skip
    assert result.trades[0].is_ambiguous == (reason == "stop")


def test_the_marks_of_an_entry_begin_at_its_price():
    rows = {"A": {0: Row(1.0, kind="limit", price=80.0)}}
    falls, stays = (100, 100, 60, 78), (100, 100, 79, 79)
    # A mark that never comes down to 80 is walked as 80: 1000 − 200 are left.
    calm = written_panel({"A": [100, falls, 78]}, mark={"A": [100, (100, 100, 90, 95), 78]})
    result = leveraged(calm, rows, CROSS)
    assert [fill.reason for fill in result.fills] == ["entry", "end_of_data"]
    # Slipped into a position that 680 do not maintain: a mark above its price does not save it.
    bought = {"A": {0: Row(1.0, kind="stop", price=110.0)}}
    above = written_panel(
        {"A": [100, (100, 110, 100, 105), 105]}, mark={"A": [100, (120, 125, 120, 120), 105]}
    )
    slipped = Costs(taker_fee_bps=0.0, slippage_bps=200.0)
    result = leveraged(above, bought, CROSS, times=16.0, costs=slipped)
    assert facts(result.fills[1:], *FILL) == [(1, "intrabar", "liquidation", 110, 0)]
    wild = written_panel({"A": [100, stays, 79]}, mark={"A": [100, falls, 79]})
    result = leveraged(wild, rows, CROSS)
    assert facts(result.fills[1:], *FILL) == [
        (1, "intrabar", "liquidation", pytest.approx(3000 / 47.5), 0)
    ]


def test_what_was_held_walks_from_its_open_beside_an_entry():
    # A: 20 from its open of 100 to 80; B: 25 from its entry at 80 to 60; f = 800 − 855 λ.
    bars = {
        "A": [100, 100, (100, 100, 80, 90), 90],
        "B": [100, 100, (100, 100, 60, 75), 75],
    }
    rows = {"A": {0: 0.5}, "B": {1: Row(0.5, kind="limit", price=80.0)}}
    result = leveraged(bars, rows, CROSS)
    way = 20 * 800 / 855
    assert facts(result.fills[2:], "symbol", *FILL) == [
        (0, 2, "intrabar", "liquidation", pytest.approx(100 - way), 0),
        (1, 2, "intrabar", "liquidation", pytest.approx(80 - way), 0),
    ]
    apart = leveraged(bars, rows, ISOLATED)
    # By itself B's 500 and 25 units of 80 last to −1500 + 25 m = 1.25 m.
    assert facts(apart.fills[2:], "symbol", *FILL)[0] == (
        1, 2, "intrabar", "liquidation", pytest.approx(1500 / 23.75), 0,
    )  # fmt: skip
    assert [fill.symbol for fill in apart.fills[3:]] == [0]


def test_isolated_entries_have_their_margin_and_exits_one_after_the_other():
    # A's stop at 76 is hit without danger; B's stop at 40 is beyond its liquidation.
    bars = {"A": [100, (100, 100, 70, 75), 75], "B": [100, (100, 100, 60, 75), 75]}
    rows = {
        name: {0: Row(0.5, kind="limit", price=80.0, atr_frac=atr_frac)}
        for name, atr_frac in (("A", 0.05), ("B", 0.5))
    }
    result = leveraged(bars, rows, ISOLATED, Exits(stop_atr=1.0))
    assert facts(result.fills[2:], "symbol", "reason", "price") == [
        (0, "stop", 76), (1, "liquidation", pytest.approx(1500 / 23.75)),
    ]  # fmt: skip
