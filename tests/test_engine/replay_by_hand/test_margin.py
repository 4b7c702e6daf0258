"""Section 5 of docs/accounting.md by hand: maintenance, liquidation, wallets, ruin."""

import math
from dataclasses import replace
from typing import Any

import pytest

from engine import Exits, Limits, Margin, MarginTier, Sizing
from tests.replay_cases import NO_COSTS, Row, agreed, facts, written_case, written_panel

TIERS = (MarginTier(notional_to=math.inf, maintenance=0.05, max_leverage=20.0),)
FILL = ("bar", "phase", "reason", "price", "fee", "shortfall")


def leveraged(
    bars: dict[str, Any], rows: dict[str, Any], margin: Margin, exits: Exits | None = None, **more: Any
):  # fmt: skip
    """A full target is worth four times the cash of 1000."""
    return agreed(
        written_case(
            bars, rows, margin=margin, exits=exits, sizing=Sizing(position_fraction=4.0),
            limits=Limits(max_gross=4.0), **more,
        )
    )  # fmt: skip


CROSS = Margin(mode="cross", tiers=TIERS, liquidation_fee_bps=50.0)


def test_a_long_is_liquidated_where_maintenance_is_all_that_is_left():
    # −3000 + 40 m = 0.05 · 40 m at m = 3000 / 38.
    result = leveraged({"A": [100, 100, (100, 100, 70, 75), 75]}, {"A": {0: 1.0}}, CROSS)
    m = 3000 / 38
    fill = result.fills[1]
    assert facts([fill], *FILL) == [
        (2, "intrabar", "liquidation", pytest.approx(m), pytest.approx(40 * m * 0.005), 0)
    ]
    assert (fill.reference_price, fill.spread, fill.order) == (fill.price, 0, -1)
    assert fill.cash_after == pytest.approx(-3000 + 40 * m * 0.995)
    assert result.equity[-1].equity == pytest.approx(fill.cash_after)
    assert result.ruined_bar == -1


def test_a_short_is_liquidated_above():
    result = leveraged({"A": [100, 100, (100, 130, 100, 125), 125]}, {"A": {0: -1.0}}, CROSS)
    assert result.fills[1].price == pytest.approx(5000 / 42)


@pytest.mark.parametrize(("stop_atr", "reason"), [(2.0, "stop"), (2.2, "liquidation")])
def test_the_nearer_of_stop_and_liquidation_comes_first(stop_atr: float, reason: str):
    # The liquidation is at 78.9: a stop at 80 is nearer, one at 78 farther.
    bars = {"A": [100, 100, (100, 100, 70, 75), 75]}
    result = leveraged(bars, {"A": {0: 1.0}}, CROSS, Exits(stop_atr=stop_atr))
    assert [fill.reason for fill in result.fills] == ["entry", reason]


def test_a_gap_beyond_leaves_a_shortfall_and_ruin():
    # At an open of 70: R = −3000 + 2800.
    result = leveraged({"A": [100, 100, 70, 70]}, {"A": {0: 1.0}}, CROSS)
    assert facts(result.fills[1:], *FILL) == [(2, "open", "liquidation", 70, 0, pytest.approx(200))]
    assert result.fills[1].cash_after == 0
    assert result.ruined_bar == 2
    assert [row.equity for row in result.equity] == [1000, 1000, 0, 0]
    assert result.trades[0].net_pnl == -1000


def test_the_fee_takes_no_more_than_is_left():
    # At an open of 75.25 R = 10, the fee would be 15.05.
    result = leveraged({"A": [100, 100, 75.25, 75.25]}, {"A": {0: 1.0}}, CROSS)
    assert facts(result.fills[1:], "fee", "shortfall", "cash_after") == [(pytest.approx(10), 0, 0)]
    assert result.ruined_bar == 2


def spot(bars: dict[str, Any], target: float, **more: Any):
    """A spot account; a full target is worth the cash of 1000."""
    case = written_case(
        bars, {"A": {0: target}}, limits=Limits(max_gross=1.0), margin=Margin(mode="none"), **more
    )
    return agreed(case)


def test_without_a_margin_nothing_is_liquidated_but_ruin_closes():
    # 10 units sold at 100 are bought back for all there is at 200, whatever the high was.
    result = spot({"A": [100, 100, (100, 250, 100, 199), (190, 200, 190, 200), 80]}, -1.0)
    assert facts(result.fills[1:], *FILL) == [(3, "close", "ruin", 200, 0, 0)]
    assert result.ruined_bar == 3
    deeper = spot({"A": [100, 100, (100, 220, 100, 220), 80]}, -1.0)
    assert facts(deeper.fills[1:], *FILL, "cash_after") == [(2, "close", "ruin", 220, 0, 200, 0)]
    assert deeper.trades[0].shortfall == 200


@pytest.mark.parametrize(("open_", "missing"), [(200.0, 0.0), (220.0, 200.0)])
def test_without_a_margin_an_open_that_leaves_nothing_is_ruin(open_: float, missing: float):
    result = spot({"A": [100, 100, (open_, open_, 50, 50), 50]}, -1.0)
    assert facts(result.fills[1:], *FILL, "cash_after") == [
        (2, "open", "ruin", open_, 0, missing, 0)
    ]
    assert result.ruined_bar == 2
    assert [row.equity for row in result.equity] == [1000, 1000, 0, 0]


def test_ruin_at_the_open_closes_missing_bars_at_the_close_they_carry_and_drops_orders():
    # 5 units each were sold: 2000 − 5 · 150 − 5 · 300.
    bars = {
        "A": [100, 100, (100, 150, 100, 150), None, 150],
        "B": [100, 100, 100, 300, 300],
        "C": [100.0] * 5,
    }
    panel = written_panel(bars, mark=bars)
    # The row of a missing bar need not be one price.
    panel.open[3, 0], panel.high[3, 0] = 160.0, 160.0
    case = written_case(
        panel, {"A": {0: -0.5}, "B": {0: -0.5}, "C": {2: -0.5}},
        limits=Limits(max_gross=1.0), margin=Margin(mode="none"),
    )  # fmt: skip
    result = agreed(case)
    assert facts(result.fills[2:], "symbol", *FILL) == [
        (0, 3, "open", "ruin", 150, 0, 0), (1, 3, "open", "ruin", 300, 0, pytest.approx(250)),
    ]  # fmt: skip
    assert facts(result.orders[2:], "symbol", "status", "closed_bar") == [(2, "dropped", 3)]


def test_a_spot_short_borrows_coins():
    # 10 units at 100 for two of the three hours held: the first is due when the fill comes.
    result = spot({"A": [100.0] * 4}, -1.0, costs=replace(NO_COSTS, borrow_annual=8.76))
    assert facts(result.payments, "bar", "kind", "payment") == [
        (2, "borrow", pytest.approx(-1.0)), (3, "borrow", pytest.approx(-1.0)),
    ]  # fmt: skip
    assert result.equity[-1].equity == pytest.approx(998.0)


def test_a_wallet_of_its_own():
    # Leverage 10: the wallet of 400 holds −3600 + 40 m = 2 m, m = 94.7; the other 600 are safe.
    isolated = Margin(mode="isolated", leverage=10.0, tiers=TIERS, liquidation_fee_bps=50.0)
    result = leveraged({"A": [100, 100, (100, 100, 70, 75), 75]}, {"A": {0: 1.0}}, isolated)
    m = 3600 / 38
    assert result.fills[1].price == pytest.approx(m)
    assert result.fills[1].cash_after == pytest.approx(1000 + 40 * (m - 100) - 40 * m * 0.005)
    # Half of it sold leaves half of the wallet: the same price.
    halved = leveraged(
        {"A": [100, 100, 100, (100, 100, 70, 75), 75]}, {"A": {0: 1.0, 1: 0.5}}, isolated
    )
    assert halved.fills[2].price == pytest.approx(m)
    # A settlement of 38 paid from it: −3638 + 40 m = 2 m.
    paid = leveraged(
        {"A": [100, 100, 100, (100, 100, 70, 75), 75]}, {"A": {0: 1.0}}, isolated,
        funding=[(2.0, "A", 0.0095, 0.0)],
    )  # fmt: skip
    assert paid.fills[1].price == pytest.approx(3638 / 38)
    # A gap through it: R = 400 − 1000, the venue bears 600.
    gap = leveraged({"A": [100, 100, 75, 75]}, {"A": {0: 1.0}}, isolated)
    assert facts(gap.fills[1:], *FILL, "cash_after") == [
        (2, "open", "liquidation", 75, 0, pytest.approx(600), pytest.approx(600))
    ]


def test_cross_margin_walks_all_symbols_together_and_closes_the_nearer_stop():
    # Two longs of 20. Both fall to 70. B's stop at 90 comes first (λ = 1/3), after which A's half of
    # the risk is borne: −1200 + 20 m = m at 63.2.
    bars = {"A": [100, 100, (100, 100, 70, 75), 75], "B": [100, 100, (100, 100, 70, 75), 75]}
    rows = {"A": {0: Row(0.5, atr_frac=0.5)}, "B": {0: Row(0.5, atr_frac=0.1)}}
    result = leveraged(bars, rows, CROSS, Exits(stop_atr=1.0))
    assert facts(result.fills[2:], "bar", "symbol", "reason", "price") == [
        (2, 1, "stop", 90), (3, 0, "end_of_data", 75),
    ]  # fmt: skip


def test_a_liquidation_takes_missing_bars_too_and_cancels_orders():
    bars = {"A": [100, 100, (100, 100, 50, 60), 60], "B": [100, 100, None, 100]}
    rows = {"A": {0: 0.5}, "B": {0: 0.5, 1: 0.25}, "C": {1: 0.25}}
    result = leveraged({**bars, "C": [100, 100, None, 100]}, rows, CROSS)
    # −3000 + 20 m + 2000 = 0.05 · (20 m + 2000).
    m = (1000 + 100) / 19
    assert facts(result.fills[2:4], "symbol", "reason", "price") == [
        (0, "liquidation", pytest.approx(m)), (1, "liquidation", 100),
    ]  # fmt: skip
    assert facts(result.orders, "symbol", "status", "closed_bar") == [
        (0, "filled", 1), (1, "filled", 1), (1, "cancelled", 2), (2, "cancelled", 2),
    ]  # fmt: skip
    # A wallet of its own takes no order of another symbol with it.
    isolated = Margin(mode="isolated", leverage=4.0, tiers=TIERS, liquidation_fee_bps=50.0)
    result = leveraged({**bars, "C": [100, 100, None, 100]}, rows, isolated)
    assert facts(result.fills[2:3], "symbol", "reason") == [(0, "liquidation")]
    assert facts(result.orders[2:], "symbol", "status", "closed_bar") == [
        (1, "filled", 3), (2, "filled", 3),
    ]  # fmt: skip


def test_the_mark_decides_and_not_the_traded_price():
    prices = {"A": [100, 100, (100, 100, 70, 100), 100]}
    calm = written_panel(prices, mark={"A": [100, 100, (100, 100, 90, 100), 100]})
    wild = written_panel({"A": [100.0] * 4}, mark={"A": [100, 100, (100, 100, 70, 100), 100]})
    more = {
        "margin": CROSS, "sizing": Sizing(position_fraction=4.0), "limits": Limits(max_gross=4.0),
    }  # fmt: skip
    assert len(agreed(written_case(calm, {"A": {0: 1.0}}, **more)).fills) == 2
    fill = agreed(written_case(wild, {"A": {0: 1.0}}, **more)).fills[1]
    assert (fill.reason, fill.price) == ("liquidation", pytest.approx(3000 / 38))
    held = agreed(written_case(
        written_panel({"A": [100.0] * 3}, mark={"A": [100, 105, 100]}), {"A": {0: 1.0}}, **more
    ))  # fmt: skip
    assert [row.equity for row in held.equity] == [1000, 1200, 1000]


def test_margins_of_tiers():
    # 4000: 1000 at 1 %, 2000 at 2 % and 1000 at 4 %; the whole at the leverage of the last tier.
    tiers = (
        MarginTier(notional_to=1000.0, maintenance=0.01, max_leverage=20.0),
        MarginTier(notional_to=3000.0, maintenance=0.02, max_leverage=10.0),
        MarginTier(notional_to=3500.0, maintenance=0.04, max_leverage=5.0),
    )
    cross = Margin(mode="cross", tiers=tiers)
    bars = {"A": [100.0, 100.0, (100, 125, 100, 125), 125], "B": [100.0] * 4}
    result = leveraged(bars, {"A": {0: 0.75}, "B": {0: 0.25}}, cross)
    rows = facts(result.equity, "initial_margin", "maintenance_margin")
    assert rows[0] == (0, 0)
    assert rows[1] == (pytest.approx(3000 / 10 + 1000 / 20), pytest.approx(50 + 10))
    assert rows[2] == (pytest.approx(3750 / 5 + 1000 / 20), pytest.approx(80 + 10))
    isolated = leveraged(bars, {"A": {0: 0.75}}, Margin(mode="isolated", leverage=8.0, tiers=tiers))
    assert isolated.equity[1].initial_margin == pytest.approx(3000 / 8)
    owned = spot(bars, 0.75)
    assert facts(owned.equity, "initial_margin", "maintenance_margin") == [(0, 0)] * 4


def test_an_inverse_long_is_liquidated_in_coin():
    # 400 units on one coin: cash 5, f = 5 − 400 / m − 0.05 · 400 / m = 0 at m = 84.
    margin = Margin(contract="inverse", mode="cross", tiers=TIERS, liquidation_fee_bps=0.0)
    case = written_case(
        {"A": [100, 100, (100, 100, 70, 75), 75]}, {"A": {0: 1.0}}, cash=1.0, margin=margin,
        sizing=Sizing(position_fraction=4.0), limits=Limits(max_gross=4.0),
    )  # fmt: skip
    fill = agreed(case).fills[1]
    assert (fill.price, fill.cash_after) == (pytest.approx(84), pytest.approx(5 - 400 / 84))


def test_a_payment_inside_a_sub_bar_counts_for_the_margin_of_the_next():
    # 40 at 100 with a cash of 1000; 500 are paid in the third bar's first quarter: liquidated at
    # 3500 / 38 in the second, which falls to 85, and not at 3000 / 38.
    fine = written_panel({"A": [*[100] * 9, (100, 100, 85, 90), *[90] * 6]}, timeframe="15m")
    panel = written_panel({"A": [100, 100, (100, 100, 85, 90), 90]}).rebuilt_from(fine)
    result = agreed(
        written_case(
            panel, {"A": {0: 1.0}}, funding=[(2.1, "A", 0.125, 0.0)], margin=CROSS,
            sizing=Sizing(position_fraction=4.0), limits=Limits(max_gross=4.0), fine=fine,
        )
    )  # fmt: skip
    assert [(fill.bar, fill.reason) for fill in result.fills] == [(1, "entry"), (2, "liquidation")]
    assert result.fills[1].price == pytest.approx(3500 / 38)
