"""Section 2 of docs/accounting.md in numbers worked out by hand: prices, costs, fees, contracts."""

import pytest

from engine import Costs, Exits, FeeTier, Limits, Margin, Sizing, SymbolRules
from tests.replay_cases import Row, agreed, facts, written_case, written_panel


def test_a_round_trip_with_slippage_and_fees():
    case = written_case(
        {"A": [100, 100, 110]},
        {"A": {0: 1.0}},
        costs=Costs(taker_fee_bps=10.0, slippage_bps=100.0),
    )
    bought, sold = agreed(case).fills
    assert (bought.quantity, bought.reference_price, bought.price) == (10, 100, 101)
    assert bought.fee == pytest.approx(1.01)
    assert (bought.spread, bought.impact) == (pytest.approx(10), 0)
    assert bought.cash_after == pytest.approx(1000 - 1010 - 1.01)
    assert sold.price == pytest.approx(108.9)
    assert sold.cash_after == pytest.approx(-11.01 + 1089 - 1.089)
    assert (sold.reason, sold.phase, sold.position_after) == ("end_of_data", "close", 0)


def test_slippage_in_true_ranges_uses_the_last_known_one():
    # Row 1 knows no range, so bar 2 trades on that of row 0; bar 1 does too, not on its own.
    case = written_case(
        {"A": [100, 100, 100, 100]},
        {"A": {0: Row(1.0, atr_frac=0.1), 1: Row(0.0, atr_frac=float("nan"))}},
        costs=Costs(taker_fee_bps=0.0, slippage_bps=0.0, slippage_atr=0.5),
    )
    assert facts(agreed(case).fills, "bar", "price") == [(1, 105.0), (2, 95.0)]


@pytest.mark.parametrize(("volume", "root"), [(40.0, 0.5), (10.0, 1.0), (2.5, 1.0), (0.0, 1.0)])
def test_impact_is_the_square_root_of_the_share_of_volume(volume: float, root: float):
    case = written_case(
        written_panel({"A": [100, 100, 100]}, volume=volume),
        {"A": {0: 1.0}},
        costs=Costs(taker_fee_bps=0.0, slippage_bps=500.0, impact=1.0),
    )
    fill = agreed(case).fills[0]
    assert fill.price == pytest.approx(100 * (1 + 0.05 + 0.1 * root))
    assert (fill.spread, fill.impact) == (pytest.approx(50), pytest.approx(100 * root))


def test_prices_go_to_the_tick_that_is_worse():
    case = written_case(
        {"A": [100, 100, 100]},
        {"A": {0: 1.0}},
        costs=Costs(taker_fee_bps=0.0, slippage_bps=20.0),
        symbol_rules={"A": SymbolRules(tick_size=0.5)},
    )
    assert facts(agreed(case).fills, "price", "spread") == [(100.5, 5.0), (99.5, 5.0)]


def test_slip_has_an_end():
    case = written_case(
        {"A": [100, 100, 100]},
        {"A": {0: 1.0}},
        costs=Costs(taker_fee_bps=0.0, slippage_bps=1000.0, slippage_atr=10.0),
        symbol_rules={"A": SymbolRules(tick_size=4.0)},
        limits=Limits(),
        margin=Margin(mode="none"),
    )
    assert facts(agreed(case).fills, "price") == [(200.0,), (pytest.approx(1.0),)]


def test_a_price_below_the_tick_stays_what_it_is():
    # 10 units of 0.1 are worth 1, not the 10 that a tick each would make of them.
    tick = {"A": SymbolRules(tick_size=1.0)}
    result = agreed(written_case({"A": [100, 100, 0.1]}, {"A": {0: 1.0}}, symbol_rules=tick))
    assert facts(result.fills, "price") == [(100.0,), (0.1,)]
    assert [row.equity for row in result.equity] == [1000, 1000, pytest.approx(1.0)]
    result = agreed(written_case({"A": [100, 100, 0.1]}, {"A": {0: -1.0}}, symbol_rules=tick))
    assert facts(result.fills, "price") == [(100.0,), (0.1,)]
    assert result.equity[-1].equity == pytest.approx(1999)


@pytest.mark.parametrize(("tick", "price"), [(0.1, 100.6), (0.01, 64.07), (1e-5, 0.07421)])
def test_prices_of_whole_ticks_are_those_of_files(tick: float, price: float):
    # A count of ticks times 0.1 is 100.60000000000001: a high of 100.6 would not reach that level.
    off = round(price / tick) * tick - price
    assert off != 0
    ticks = {"A": SymbolRules(tick_size=tick)}
    low, high = price - 5 * tick, price + 5 * tick
    case = written_case(
        {"A": [low, low, (low, price, low, low), low]}, {"A": {0: 1.0}}, symbol_rules=ticks,
        exits=Exits(stop_atr=None, take_profit_frac=(price - 0.4 * tick) / low - 1),
    )  # fmt: skip
    assert facts(agreed(case).fills[1:], "bar", "reason", "price") == [(2, "take_profit", price)]
    case = written_case(
        {"A": [high, high, (high, high, price, high), high]}, {"A": {0: 1.0}}, symbol_rules=ticks,
        exits=Exits(stop_atr=None, stop_frac=1 - (price + 0.4 * tick) / high),
    )  # fmt: skip
    assert facts(agreed(case).fills[1:], "bar", "reason", "price") == [(2, "stop", price)]


@pytest.mark.parametrize(
    ("row", "bps"), [(0, (10.0, 10.0)), (1, (10.0, 1.0)), (30, (10.0, 1.0)), (31, (10.0, 10.0))]
)
def test_a_fee_tier_counts_the_thirty_days_before(row: int, bps: tuple[float, float]):
    # Entered on day 1 for 1000. The exit on day row + 1 sees days row − 29 … row.
    day_of_exit = {"A": {0: 1.0, row: 0.0}} if row else {"A": {0: 1.0}}
    bars = 34 if row else 2
    case = written_case(
        written_panel({"A": [100.0] * bars}, timeframe="1d"),
        day_of_exit,
        costs=Costs(
            taker_fee_bps=10.0,
            slippage_bps=0.0,
            fee_tiers=(FeeTier(volume_from=1000.0, maker_fee_bps=0.0, taker_fee_bps=1.0),),
        ),
    )
    assert [fill.fee for fill in agreed(case).fills] == [pytest.approx(b / 10) for b in bps]


INVERSE = Margin(contract="inverse", mode="cross")


def test_an_inverse_contract_settles_in_coin():
    # 100 quote units for one coin at 100; at 125 they are worth 0.8 coins that need not be given back.
    case = written_case({"A": [100, 100, 125]}, {"A": {0: 1.0}}, cash=1.0, margin=INVERSE)
    result = agreed(case)
    assert facts(result.fills, "quantity", "cash_after") == [
        (100.0, 2.0), (100.0, pytest.approx(1.2)),
    ]  # fmt: skip
    assert [row.equity for row in result.equity] == [1.0, 1.0, pytest.approx(1.2)]
    assert result.equity[1].gross_exposure == pytest.approx(1.0)
    (trade,) = result.trades
    assert (trade.entry_price, trade.exit_price) == (100.0, 125.0)
    assert (trade.gross_pnl, trade.return_frac) == (pytest.approx(0.2), pytest.approx(0.2))


def test_an_inverse_short_wins_what_a_fall_is_worth():
    case = written_case({"A": [100, 100, 80]}, {"A": {0: -1.0}}, cash=1.0, margin=INVERSE)
    assert agreed(case).equity[-1].equity == pytest.approx(1 + 100 / 80 - 1)


def test_average_prices_weigh_quantities():
    # Bought 5 at 100 and 2.5 more at 200 (a full target is worth 1500 then).
    bars = {"A": [100, 100, (100, 200, 100, 200), 200, 200]}
    linear = written_case(bars, {"A": {0: 0.5, 2: 1.0}})
    (trade,) = agreed(linear).trades
    assert trade.entry_price == pytest.approx((5 * 100 + 2.5 * 200) / 7.5)
    assert trade.quantity == 7.5
    # One coin, half of it: 50 units at 100; equity 1.25 at 200, so 250 units in all.
    inverse = written_case(bars, {"A": {0: 0.5, 2: 1.0}}, cash=1.0, margin=INVERSE)
    (trade,) = agreed(inverse).trades
    assert trade.entry_price == pytest.approx(250 / (50 / 100 + 200 / 200))


@pytest.mark.parametrize(
    ("method", "granted"), [("fraction", 500.0), ("risk", 50.0), ("volatility", 200.0)]
)
def test_sizing_methods(method: str, granted: float):
    # Half a target: 0.5 · 1.0 · 1000; 0.5 · 0.02 · 1000 / 0.2; 0.5 · 0.2 · 1000 / 0.5.
    case = written_case(
        {"A": [100, 100, 100]},
        {"A": {0: Row(0.5, volatility=0.5)}},
        exits=Exits(stop_atr=2.0),
        sizing=Sizing(
            method=method,
            position_fraction=1.0, risk_frac=0.02, volatility_target=0.2,
        ),
        limits=Limits(max_gross=1.0),
    )  # fmt: skip
    (order,) = agreed(case).orders
    assert order.wanted_notional == order.granted_notional == pytest.approx(granted)


@pytest.mark.parametrize("target", [1.0, -1.0])
def test_risk_of_an_inverse_contract_is_what_its_stop_loses(target: float):
    # 2 % of a coin at a stop 20 % away, where a unit is worth 1 / 0.8 or 1 / 1.2 of what it was.
    case = written_case(
        {"A": [100, 100, (100, 120, 80, 100), 100]}, {"A": {0: target}}, cash=1.0, margin=INVERSE,
        exits=Exits(stop_atr=2.0), sizing=Sizing(method="risk", risk_frac=0.02),
    )  # fmt: skip
    result = agreed(case)
    assert result.orders[0].wanted_notional == pytest.approx(0.02 * (1 - 0.2 * target) / 0.2)
    assert result.trades[0].exit_reason == "stop"
    assert result.trades[0].net_pnl == pytest.approx(-0.02)
