"""The limits of a batch of orders against a plain simulator of docs/accounting.md §3.1."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    LIMITS,
    Exits,
    Limits,
    Margin,
    MarginTier,
    ReplayRules,
    Sizing,
    _limits_kernel,
    _portfolio_limits_kernel,
)
from engine._limit_tables import CLAIM_FIELDS, ClosedTrades, limit_numbers, sector_numbers
from engine._margin_kernel import tier_table
from engine.jit import standalone
from tests.oracles.limits import PlainLimits, unit

grant = standalone(_limits_kernel.grant_kernel)
kelly_fraction = standalone(_limits_kernel.kelly_fraction_kernel)
correlation = standalone(_portfolio_limits_kernel.correlation_kernel)

SLOT_DTYPE = np.dtype([*CLAIM_FIELDS], align=True)
BARS = 90
NO_TRADES = ClosedTrades(0, 0, 0.0, 0.0)


def panel(seed: int, symbols: int):
    """Closes with a common factor, so that some symbols correlate; listings of different length."""
    generator = np.random.default_rng(seed)
    common = generator.standard_normal((BARS, 1))
    own = generator.standard_normal((BARS, symbols))
    share = generator.choice([0.0, 0.5, 1.0, 3.0], size=symbols)
    close = 100.0 * np.exp(0.01 * np.cumsum(share * common + own, axis=0))
    if generator.random() < 0.2:
        close[:, 0] = 50.0
    first = generator.choice([0, 0, 40, 70], size=symbols)
    return close, np.arange(BARS)[:, None] >= first


def granted(case):
    rules = case["rules"]
    slots = case["slots"].copy()
    batch = np.array(case["batch"], dtype=np.int64)
    is_inverse = rules.margin.contract == "inverse"
    units = np.array([unit(price, is_inverse) for price in case["open"]])
    carried = np.abs(slots["position"]) * units
    carried[batch] = 0.0
    grant(
        case["t"],
        case["equity"],
        case["peak"],
        case["trades"],
        batch,
        slots,
        carried,
        case["close"],
        case["listed"],
        limit_numbers(rules),
        tier_table(rules.margin.tiers),
        np.zeros(len(slots), dtype=np.int64),
    )
    return slots


TIERS = (
    MarginTier(notional_to=20_000.0, maintenance=0.004, max_leverage=125.0),
    MarginTier(notional_to=60_000.0, maintenance=0.005, max_leverage=20.0),
    MarginTier(notional_to=math.inf, maintenance=0.05, max_leverage=2.0),
)


def maybe(strategy):
    return st.none() | st.none() | strategy


@st.composite
def all_rules(draw):
    start, halt = draw(st.sampled_from([(None, None), (0.05, 0.3), (0.0, 0.1)]))
    mode = draw(st.sampled_from(["cross", "isolated", "none"]))
    inverse = mode != "none" and draw(st.booleans())
    stop = draw(st.sampled_from([0.02, 0.2]))
    return ReplayRules(
        exits=Exits(stop_atr=None, stop_frac=stop),
        sizing=Sizing(
            method=draw(st.sampled_from(["fraction", "risk", "volatility"])),
            position_fraction=draw(st.sampled_from([0.1, 0.7])),
            kelly=draw(maybe(st.just(0.5))),
        ),
        limits=Limits(
            max_gross=draw(st.sampled_from([0.83] if mode == "none" else [0.83, 2.1, 20.0])),
            max_position=draw(maybe(st.sampled_from([0.053, 0.51]))),
            max_positions=draw(maybe(st.integers(1, 4))),
            max_heat=draw(maybe(st.sampled_from([0.0123, 0.107]))),
            max_sector=draw(maybe(st.sampled_from([0.13, 0.57]))),
            max_correlation=draw(maybe(st.sampled_from([-0.2, 0.3, 0.8]))),
            correlation_bars=draw(st.sampled_from([30, 45, 720])),
            drawdown_start=start,
            drawdown_halt=halt,
        ),
        margin=Margin(
            mode=mode,
            contract="inverse" if inverse else "linear",
            leverage=20.0,
            tiers=draw(st.sampled_from([TIERS, Margin().tiers])),
        ),
    )


@st.composite
def cases(draw):
    rules = draw(all_rules())
    symbols = draw(st.integers(1, 6))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    close, listed = panel(int(generator.integers(1000)), symbols)
    t = int(generator.integers(1, BARS))
    equity = float(generator.choice([900.0, 100_000.0, 3e6]))
    price = close[t] * np.exp(0.01 * generator.standard_normal(symbols))
    slots = np.zeros(symbols, dtype=SLOT_DTYPE)
    notional = equity * generator.choice([0.0, 0.0, 0.2, -0.3, -1e-12], size=symbols)
    slots["position"] = notional / np.array(
        [unit(p, rules.margin.contract == "inverse") for p in price]
    )
    slots["entry_price"] = price * np.exp(0.05 * generator.standard_normal(symbols))
    distance = generator.choice([0.05, -0.05, np.nan], size=symbols)
    slots["stop"] = slots["entry_price"] * (1 - np.sign(slots["position"]) * distance)
    slots["target"] = generator.choice([1.0, 0.5, -0.5, -1.0, 0.0, 1e-11], size=symbols)
    slots["reference"] = price * np.exp(0.01 * generator.standard_normal(symbols))
    slots["stop_distance"] = generator.choice([0.0091, 0.097], size=symbols)
    slots["volatility"] = generator.choice([0.3, 2.0], size=symbols)
    slots["sector"] = generator.integers(0, max(1, symbols // 2), size=symbols)
    count = int(generator.integers(1, symbols + 1))
    closed = int(generator.choice([0, 29, 30, 200]))
    wins = int(closed * generator.choice([0.0, 0.4, 0.7, 1.0]))
    return {
        "rules": rules,
        "t": t,
        "equity": equity,
        "peak": equity * float(generator.choice([1.0, 1.04, 1.2, 2.0])),
        "trades": ClosedTrades(
            closed, wins, 0.04 * wins, (closed - wins) * float(generator.choice([0.0, 0.02]))
        ),
        "batch": sorted(int(s) for s in generator.choice(symbols, size=count, replace=False)),
        "slots": slots,
        "open": price,
        "close": close,
        "listed": listed,
    }


@given(cases())
@settings(max_examples=300, deadline=None)
def test_grants_agree_with_a_plain_reading_of_the_rules(case):
    plain = PlainLimits(case).run()
    slots = granted(case)
    for s in case["batch"]:
        assert slots[s]["wanted"] == pytest.approx(plain.wanted[s], rel=1e-12)
        assert slots[s]["granted"] == pytest.approx(plain.w[s], rel=1e-9)
        assert LIMITS[slots[s]["limit"]] == plain.limit[s]


@given(cases())
@settings(max_examples=200, deadline=None)
def test_no_grant_breaks_a_cap(case):
    rules, slots = case["rules"], granted(case)
    inverse = rules.margin.contract == "inverse"
    outside = [s for s in range(len(slots)) if s not in case["batch"]]
    asked = sum(slots[s]["granted"] for s in case["batch"])
    held = sum(abs(slots[s]["position"]) * unit(case["open"][s], inverse) for s in outside)
    if asked > 0:
        assert asked + held <= rules.limits.max_gross * case["equity"] * (1 + 1e-12)
    assert all(slots[s]["granted"] <= slots[s]["wanted"] for s in case["batch"])
    if rules.limits.max_position is not None:
        most = rules.limits.max_position * case["equity"]
        assert all(slots[s]["granted"] <= most for s in case["batch"])


def plain_case(**changes):
    """Two symbols at 100 and equity 1,000; both ask for half of it."""
    slots = np.zeros(2, dtype=SLOT_DTYPE)
    slots["target"], slots["reference"], slots["entry_price"] = 1.0, 100.0, 100.0
    slots["stop"], slots["stop_distance"], slots["volatility"] = np.nan, 0.02, 0.5
    slots["sector"] = [0, 1]
    return {
        "rules": ReplayRules(sizing=Sizing(position_fraction=0.5)),
        "t": 10,
        "equity": 1000.0,
        "peak": 1000.0,
        "trades": NO_TRADES,
        "batch": [0, 1],
        "slots": slots,
        "open": np.full(2, 100.0),
        "close": np.full((20, 2), 100.0),
        "listed": np.ones((20, 2), dtype=bool),
        **changes,
    }


def test_an_unlimited_order_gets_exactly_what_it_wants():
    rules = ReplayRules(sizing=Sizing(position_fraction=0.3), limits=Limits(max_gross=3.0))
    slots = plain_case()["slots"]
    slots["target"] = [0.7, -0.1]
    result = granted(plain_case(rules=rules, slots=slots))
    assert list(result["granted"]) == [0.7 * 0.3 * 1000.0, 0.1 * 0.3 * 1000.0]
    assert list(result["limit"]) == [0, 0]


def test_the_gross_limit_scales_the_orders_alike_beside_what_is_held():
    rules = ReplayRules(sizing=Sizing(position_fraction=0.5), limits=Limits(max_gross=0.8))
    result = granted(plain_case(rules=rules))
    assert list(result["granted"]) == pytest.approx([400.0, 400.0])
    slots = plain_case()["slots"]
    slots["position"] = [0.0, -6.0]
    result = granted(plain_case(rules=rules, slots=slots, batch=[0]))
    assert result["granted"][0] == pytest.approx(200.0)
    assert LIMITS[result["limit"][0]] == "gross"


def test_half_way_between_start_and_halt_a_drawdown_halves_orders():
    limits = Limits(drawdown_start=0.1, drawdown_halt=0.3)
    rules = ReplayRules(sizing=Sizing(position_fraction=0.5), limits=limits)
    result = granted(plain_case(rules=rules, peak=1250.0, batch=[0]))
    assert result["granted"][0] == pytest.approx(250.0)
    result = granted(plain_case(rules=rules, peak=2000.0, batch=[0]))
    assert (result["granted"][0], LIMITS[result["limit"][0]]) == (0.0, "drawdown")


def test_the_heat_of_orders_is_their_loss_at_the_stop():
    rules = ReplayRules(sizing=Sizing(position_fraction=0.5), limits=Limits(max_heat=0.01))
    slots = plain_case()["slots"]
    slots["position"], slots["stop"] = [0.0, 4.0], [np.nan, 99.0]
    result = granted(plain_case(rules=rules, slots=slots, batch=[0]))
    assert result["granted"][0] * 0.02 + 4.0 == pytest.approx(10.0)


def test_the_higher_conviction_is_accepted_first_and_then_the_name():
    rules = ReplayRules(sizing=Sizing(position_fraction=0.5), limits=Limits(max_positions=1))
    assert list(granted(plain_case(rules=rules))["granted"]) == [500.0, 0.0]
    slots = plain_case()["slots"]
    slots["target"] = [0.5, -0.6]
    result = granted(plain_case(rules=rules, slots=slots))
    assert list(result["granted"]) == [0.0, 300.0]
    assert [LIMITS[code] for code in result["limit"]] == ["positions", "none"]


def test_kelly_of_sixty_per_cent_wins_at_even_odds():
    """Kelly's formula gives 2p − 1; p is shrunk from 0.6 by 30 trades at a half to 0.5857."""
    p = (0.6 * 180 + 15) / 210
    trades = ClosedTrades(180, 108, 108 * 0.02, 72 * 0.02)
    assert kelly_fraction(trades, 1.0) == pytest.approx(2 * p - 1)
    assert kelly_fraction(trades, 0.1) == 0.1
    assert kelly_fraction(ClosedTrades(180, 36, 36 * 0.02, 144 * 0.02), 1.0) == 0.0
    assert kelly_fraction(ClosedTrades(40, 40, 0.8, 0.0), 1.0) == pytest.approx(55 / 70)
    assert kelly_fraction(ClosedTrades(40, 0, 0.0, 0.8), 1.0) == 0.0


def test_correlation_is_that_of_numpy_and_needs_thirty_common_returns():
    close, _ = panel(4, 2)
    listed = np.ones(close.shape, dtype=bool)
    returns = close[1:] / close[:-1] - 1.0
    expected = np.corrcoef(returns[-50:].T)[0, 1]
    assert correlation(BARS, 0, 1, 50, close, listed) == pytest.approx(expected, rel=1e-12)
    listed[:-30, 1] = False
    assert math.isnan(correlation(BARS, 0, 1, 50, close, listed))
    listed[-31, 1] = True
    expected = np.corrcoef(returns[-30:].T)[0, 1]
    assert correlation(BARS, 0, 1, 50, close, listed) == pytest.approx(expected, rel=1e-12)
    close[:, 0] = 7.0
    assert math.isnan(correlation(BARS, 0, 1, 50, close, listed))


def test_a_symbol_correlates_fully_with_its_copy():
    close, _ = panel(5, 1)
    both = np.hstack([close, 3.0 * close])
    found = correlation(BARS, 0, 1, 720, both, np.ones(both.shape, dtype=bool))
    assert 1.0 - 1e-12 < found <= 1.0


def test_sectors_are_numbered_and_a_symbol_without_one_stands_alone():
    numbers = list(sector_numbers(["defi", None, "layer 1", "defi", None]))
    assert numbers[0] == numbers[3]
    assert len(set(numbers)) == 4
    assert all(0 <= number < 5 for number in numbers)


def test_whole_numbers_in_the_rules_compile_nothing_anew():
    whole = limit_numbers(
        ReplayRules(sizing=Sizing(position_fraction=1), limits=Limits(max_gross=2))
    )
    assert whole.dtype == limit_numbers(ReplayRules()).dtype


def test_tighter_caps_never_grant_more():
    grants = [
        granted(
            plain_case(
                rules=ReplayRules(
                    sizing=Sizing(position_fraction=0.5),
                    limits=Limits(max_gross=1.0, max_sector=cap),
                )
            )
        )["granted"].sum()
        for cap in (0.1, 0.2, 0.4, 0.8)
    ]
    assert all(tight <= loose for tight, loose in pairwise(grants))
    assert grants[0] == pytest.approx(200.0)
