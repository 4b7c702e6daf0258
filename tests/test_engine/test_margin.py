"""Maintenance and liquidation against Binance's published figures and a plain simulator of §5."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Margin, MarginTier, _margin_kernel
from engine._margin_kernel import MARK_FIELDS, NO_LIQUIDATION, tier_table
from engine.jit import standalone

adverse_mark = standalone(_margin_kernel.adverse_mark_kernel)
initial_margin = standalone(_margin_kernel.initial_margin_kernel)
largest_notional = standalone(_margin_kernel.largest_notional_kernel)
liquidation_reach = standalone(_margin_kernel.liquidation_reach_kernel)
maintenance = standalone(_margin_kernel.maintenance_kernel)
margin_excess = standalone(_margin_kernel.margin_excess_kernel)

SLOT_DTYPE = np.dtype([("position", np.float64), *MARK_FIELDS], align=True)

BINANCE_BTCUSDT = (
    # notional up to, leverage, maintenance rate, maintenance amount: brackets of March 2022
    (50_000, 125, 0.004, 0.0),
    (250_000, 100, 0.005, 50.0),
    (1_000_000, 50, 0.01, 1_300.0),
    (7_500_000, 20, 0.025, 16_300.0),
    (40_000_000, 10, 0.05, 203_800.0),
    (100_000_000, 5, 0.1, 2_203_800.0),
    (200_000_000, 4, 0.125, 4_703_800.0),
    (400_000_000, 3, 0.15, 9_703_800.0),
    (600_000_000, 2, 0.25, 49_703_800.0),
    (1_000_000_000, 1, 0.5, 199_703_800.0),
)
TIERS = tuple(
    MarginTier(notional_to=notional, maintenance=rate, max_leverage=leverage)
    for notional, leverage, rate, _ in BINANCE_BTCUSDT
)
TABLE = tier_table(TIERS)
ONE_RATE = tier_table((MarginTier(notional_to=math.inf, maintenance=0.05, max_leverage=20.0),))
STEEP = tier_table(
    (
        MarginTier(notional_to=40_000.0, maintenance=0.01, max_leverage=50.0),
        MarginTier(notional_to=math.inf, maintenance=0.4, max_leverage=2.0),
    )
)


@pytest.mark.parametrize("row", range(len(BINANCE_BTCUSDT)))
@pytest.mark.parametrize("place", [0.01, 0.5, 1.0])
def test_maintenance_is_notional_times_rate_less_the_published_amount(row: int, place: float):
    notional_to, _, rate, amount = BINANCE_BTCUSDT[row]
    floor = BINANCE_BTCUSDT[row - 1][0] if row else 0
    notional = floor + place * (notional_to - floor)
    assert maintenance(notional, TABLE) == pytest.approx(
        notional * rate - amount, rel=1e-12, abs=1e-6
    )


def test_the_last_rate_goes_on():
    assert maintenance(3e9, TABLE) == pytest.approx(3e9 * 0.5 - 199_703_800.0)


def one_position(quantity: float, mark_open: float, low: float, high: float):
    slots = np.zeros(1, dtype=SLOT_DTYPE)
    slots[0] = (quantity, mark_open, high, low, 1)
    return slots, np.zeros(1, dtype=np.int64)


@pytest.mark.parametrize(
    ("others", "price"), [(0.0, 18_778.73), (-448_192.89 - 356_512.508, 26_316.89)]
)
def test_binances_worked_example_of_a_liquidation_price(others: float, price: float):
    """Wallet 1,535,443.01, long 109.488 BTC from 32,481.98; cross carries an ETH position beside it."""
    quantity, entry = 109.488, 32_481.98
    slots, group = one_position(quantity, entry, 10_000.0, 40_000.0)
    base = 1_535_443.01 + others - quantity * entry
    reach = liquidation_reach(base, group, slots, TABLE, False)
    assert entry + reach * (10_000.0 - entry) == pytest.approx(price, abs=0.005)


@pytest.mark.parametrize(
    ("quantity", "leverage", "price"),
    [(1.0, 10.0, 90.0 / 0.995), (-1.0, 10.0, 110.0 / 1.005), (1.0, 2.0, 50.0 / 0.995)],
)
def test_a_linear_liquidation_price_with_one_rate(quantity: float, leverage: float, price: float):
    slots, group = one_position(quantity, 100.0, 1.0, 300.0)
    base = 100.0 / leverage - quantity * 100.0
    reach = liquidation_reach(base, group, slots, tier_table(Margin().tiers), False)
    worst = 1.0 if quantity > 0 else 300.0
    assert 100.0 + reach * (worst - 100.0) == pytest.approx(price, rel=1e-12)


@pytest.mark.parametrize(
    ("quantity", "price"), [(10_000.0, 1.005 / 0.00011), (-10_000.0, 0.995 / 0.00009)]
)
def test_an_inverse_liquidation_price_with_one_rate(quantity: float, price: float):
    """10,000 dollars from 10,000: one coin, with a tenth of it as margin."""
    slots, group = one_position(quantity, 10_000.0, 5_000.0, 20_000.0)
    base = 0.1 + quantity / 10_000.0
    reach = liquidation_reach(base, group, slots, tier_table(Margin().tiers), True)
    worst = 5_000.0 if quantity > 0 else 20_000.0
    assert 10_000.0 + reach * (worst - 10_000.0) == pytest.approx(price, rel=1e-12)


def test_a_group_that_is_short_of_margin_at_the_open_is_liquidated_there():
    slots, group = one_position(1.0, 100.0, 90.0, 110.0)
    table = tier_table(Margin().tiers)
    assert liquidation_reach(-99.9, group, slots, table, False) == 0.0
    assert liquidation_reach(-80.0, group, slots, table, False) == NO_LIQUIDATION
    slots["moves"] = 0
    assert liquidation_reach(-95.0, group, slots, table, False) == NO_LIQUIDATION


@pytest.mark.parametrize(
    ("equity", "largest"),
    [
        (100.0, 12_500.0),
        (1_000.0, 100_000.0),
        (2_500.0, 250_000.0),
        (4_999.0, 250_000.0),
        (5_001.0, 250_050.0),
        (1e9, 1e9),
    ],
)
def test_the_largest_notional_of_cross_margin(equity: float, largest: float):
    """1,000 of equity carry 50,000 at 125 and more of the next tier only up to 100 times."""
    assert largest_notional(equity, TABLE, False, 1.0) == pytest.approx(largest)


def test_the_largest_notional_and_initial_margin_of_isolated_margin():
    assert largest_notional(1.0, TABLE, True, 20.0) == 7_500_000.0
    assert largest_notional(1.0, TABLE, True, 21.0) == 1_000_000.0
    assert initial_margin(9_000.0, TABLE, True, 20.0) == 450.0


@pytest.mark.parametrize(
    ("notional", "margin"),
    [(50_000.0, 400.0), (50_001.0, 500.01), (7_500_000.0, 375_000.0), (3e9, 3e9)],
)
def test_initial_margin_of_cross_is_that_of_the_tier(notional: float, margin: float):
    assert initial_margin(notional, TABLE, False, 20.0) == pytest.approx(margin)


@st.composite
def groups(draw):
    symbols = draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    inverse = draw(st.booleans())
    slots = np.zeros(symbols, dtype=SLOT_DTYPE)
    slots["mark_open"] = generator.uniform(50.0, 150.0, symbols)
    slots["mark_high"] = slots["mark_open"] * (1.0 + generator.exponential(0.1, symbols))
    slots["mark_low"] = slots["mark_open"] * np.exp(-generator.exponential(0.1, symbols))
    slots["moves"] = generator.random(symbols) < 0.8
    notional = generator.choice([0.0, 3e4, -3e4, 2e5, -2e5, 5e6], size=symbols)
    slots["position"] = notional * slots["mark_open"] if inverse else notional / slots["mark_open"]
    equity = float(np.abs(notional).sum() * generator.uniform(0.0, 0.4) + 1.0)
    worth = slots["position"] * [plain_value(mark, inverse) for mark in slots["mark_open"]]
    return slots, equity - float(worth.sum()), inverse


def plain_value(price: float, inverse: bool) -> float:
    return -1.0 / price if inverse else price


def plain_excess(reach: float, base: float, slots, inverse: bool) -> float:
    left = base
    for slot in slots:
        worst = slot["mark_low"] if slot["position"] > 0 else slot["mark_high"]
        if not slot["moves"]:
            worst = slot["mark_open"]
        mark = slot["mark_open"] + reach * (worst - slot["mark_open"])
        notional = abs(slot["position"] * plain_value(mark, inverse))
        row = next(r for r in BINANCE_BTCUSDT if notional <= r[0] or r[0] == 1_000_000_000)
        left += slot["position"] * plain_value(mark, inverse) - (notional * row[2] - row[3])
    return left


@given(groups())
@settings(max_examples=400, deadline=None)
def test_the_excess_falls_along_the_path_and_is_zero_at_the_liquidation(case):
    slots, base, inverse = case
    group = np.arange(len(slots))
    size = abs(base) + 1.0
    excess = [
        margin_excess(reach, base, group, slots, TABLE, inverse)
        for reach in np.linspace(0.0, 1.0, 7)
    ]
    plain = [plain_excess(reach, base, slots, inverse) for reach in np.linspace(0.0, 1.0, 7)]
    assert excess == pytest.approx(plain, abs=1e-9 * size)
    assert (np.diff(excess) <= 1e-12 * size).all()
    reach = liquidation_reach(base, group, slots, TABLE, inverse)
    if reach == NO_LIQUIDATION:
        assert plain[-1] > -1e-9 * size
    elif reach == 0.0:
        assert plain[0] <= 1e-9 * size
    else:
        assert plain_excess(reach, base, slots, inverse) == pytest.approx(0.0, abs=1e-9 * size)


def test_a_gap_stays_at_its_open_and_the_rest_goes_to_its_worst():
    slots, _ = one_position(-2.0, 100.0, 90.0, 120.0)
    slots = slots.view(np.recarray)
    assert adverse_mark(slots[0], 0.5) == 110.0
    slots["moves"] = 0
    assert adverse_mark(slots[0], 0.5) == 100.0
