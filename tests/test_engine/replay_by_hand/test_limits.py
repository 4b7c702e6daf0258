"""The eleven limits of section 3.1 of docs/accounting.md by hand."""

import math
from typing import Any

import numpy as np
import pytest

from engine import Exits, Limits, Margin, MarginTier, Sizing, SymbolRules
from tests.replay_cases import Row, agreed, facts, written_case

FLAT = [100.0] * 6
GRANTED = ("symbol", "granted_notional", "limit")


def granted(rows: dict[str, Any], **rules: Any) -> list[tuple[Any, ...]]:
    """What orders on flat prices are granted, by symbol."""
    bars = dict.fromkeys(sorted(rows), FLAT)
    rules.setdefault("sizing", Sizing(position_fraction=1.0))
    return facts(agreed(written_case(bars, rows, **rules)).orders, *GRANTED)


def test_gross_scales_all_orders_of_a_batch_alike():
    rows = {"A": {0: 1.0}, "B": {0: -0.5}, "C": {2: 1.0}}
    assert granted(rows, limits=Limits(max_gross=1.0)) == [
        (0, pytest.approx(1000 * 2 / 3), "gross"),
        (1, pytest.approx(500 * 2 / 3), "gross"),
        (2, 0.0, "gross"),
    ]


def test_position_cap():
    limits = Limits(max_gross=4.0, max_position=0.75)
    assert granted({"A": {0: 1.0}, "B": {0: 0.5}}, limits=limits) == [
        (0, 750, "position"), (1, 500, "none"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "leverage", "most"),
    [("cross", 2.0, 1200.0), ("isolated", 2.0, 1500.0), ("isolated", 4.0, 600.0)],
)
def test_tiers_cap_the_notional(mode: str, leverage: float, most: float):
    # Cross: the first tier bears min(600, 400 · 4), the second, which begins below 400 · 3, min(1500,
    # 400 · 3). Isolated: leverage 2 is allowed up to 1500, leverage 4 up to 600.
    margin = Margin(
        mode=mode,
        leverage=leverage,
        tiers=(
            MarginTier(notional_to=600.0, maintenance=0.01, max_leverage=4.0),
            MarginTier(notional_to=1500.0, maintenance=0.02, max_leverage=3.0),
        ),
    )
    found = granted(
        {"A": {0: 1.0}}, cash=400.0, margin=margin,
        sizing=Sizing(position_fraction=2.0 if mode == "isolated" and leverage == 2 else 4.0),
        limits=Limits(max_gross=min(4.0, leverage) if mode == "isolated" else 4.0),
    )  # fmt: skip
    wanted = 800.0 if mode == "isolated" and leverage == 2 else 1600.0
    assert found == [(0, min(most, wanted), "tier" if most < wanted else "none")]


def test_max_positions_prefers_larger_targets_then_names():
    rows = {"A": {0: 0.5}, "B": {0: 1.0}, "C": {0: -0.5}}
    assert granted(rows, limits=Limits(max_gross=4.0, max_positions=2)) == [
        (0, 500, "none"), (1, 1000, "none"), (2, 0, "positions"),
    ]  # fmt: skip
    # A reversal is an entry too; a position without an order counts against it.
    rows = {"A": {0: 0.5, 2: -0.5}, "B": {2: 1.0}}
    found = granted(rows, limits=Limits(max_gross=4.0, max_positions=1))
    assert found == [(0, 500, "none"), (0, 0, "positions"), (1, 1000, "none")]


def test_a_sector_shares_what_is_left_of_it():
    rows = {"A": {0: 0.5}, "B": {2: 0.5}, "C": {2: 1.0}, "D": {2: 1.0}}
    one, other = SymbolRules(sector="one"), SymbolRules(sector="other")
    found = granted(
        rows, limits=Limits(max_gross=4.0, max_sector=1.25),
        symbol_rules={"A": one, "B": one, "C": one, "D": other},
    )  # fmt: skip
    assert found == [
        (0, 500, "none"), (1, 250, "sector"), (2, 500, "sector"), (3, 1000, "none"),
    ]  # fmt: skip


def test_heat_counts_what_the_stops_would_lose():
    # A holds 500 with a stop 20 % away: 100. B may lose 50 more: 250 of the 1000 it wants.
    found = granted(
        {"A": {0: 0.5}, "B": {2: -1.0}},
        exits=Exits(stop_atr=2.0), limits=Limits(max_gross=4.0, max_heat=0.15),
    )  # fmt: skip
    assert found == [(0, 500, "none"), (1, pytest.approx(250), "heat")]


def test_drawdown_shrinks_orders():
    # 250 of 1000 are lost: between the start at 0.125 and the halt at 0.375 exactly half is left.
    bars = {"A": [100, 100, 75, 75, 75, 75], "B": FLAT}
    limits = Limits(max_gross=4.0, drawdown_start=0.125, drawdown_halt=0.375)
    result = agreed(written_case(bars, {"A": {0: 1.0}, "B": {2: 1.0}}, limits=limits))
    assert facts(result.orders, *GRANTED) == [(0, 1000, "none"), (1, 375, "drawdown")]


def test_kelly_after_thirty_trades():
    # 20 trades won 2 % and 10 lost 1 %: p = 35/60, b = 2, F = (2p − (1 − p)) / 2 = 0.375.
    opens, rows = [100.0], {}
    for trade in range(32):
        rows[2 * trade], rows[2 * trade + 1] = 1.0, 0.0
        opens += [100.0, 99.0 if trade % 3 == 2 else 102.0]
    bars = {"A": [(o, max(o, 100), min(o, 100), 100.0) for o in [*opens, 100.0]]}
    case = written_case(
        bars, {"A": rows}, sizing=Sizing(position_fraction=1.0, kelly=0.5, kelly_max=1.0)
    )
    result = agreed(case)
    entries = [order for order in result.orders if order.target == 1.0]
    assert [order.limit for order in entries] == ["none"] * 30 + ["kelly"] * 2
    before = result.equity[entries[30].decided_bar].equity
    assert entries[30].granted_notional == pytest.approx(0.5 * 0.375 * before)


def test_kelly_allows_nothing_after_losses_only_and_caps_what_is_at_risk():
    def last_entry(win: float, **sizing: Any) -> tuple[Any, ...]:
        opens, rows = [100.0], {}
        for trade in range(31):
            rows[2 * trade], rows[2 * trade + 1] = 1.0, 0.0
            opens += [100.0, win]
        bars = {"A": [(o, max(o, 100), min(o, 100), 100.0) for o in [*opens, 100.0]]}
        case = written_case(
            bars, {"A": rows}, sizing=Sizing(kelly=0.5, **sizing), exits=Exits(stop_atr=2.0)
        )
        result = agreed(case)
        order = [order for order in result.orders if order.target == 1.0][-1]
        equity = result.equity[order.decided_bar].equity
        return order.limit, order.granted_notional / equity

    assert last_entry(99.0) == ("kelly", 0.0)
    # Nothing was lost: F = min(45 / 60, 0.25); at risk 0.125 of equity with a stop 20 % away.
    assert last_entry(102.0) == ("kelly", pytest.approx(0.125))
    at_risk = last_entry(102.0, method="risk", risk_frac=0.5)
    assert at_risk == ("kelly", pytest.approx(0.125 / 0.2))


def test_correlated_entries_on_one_side_are_refused():
    generator = np.random.default_rng(5)
    walk = 100 * np.exp(np.cumsum(0.01 * generator.standard_normal(40)))
    other = 100 * np.exp(np.cumsum(0.01 * generator.standard_normal(40)))
    bars = {"A": walk.tolist(), "B": (2 * walk).tolist(), "C": other.tolist(), "D": walk.tolist()}
    rows = {"A": {35: 0.25}, "B": {35: 0.5, 37: 0.5}, "C": {35: 0.25}, "D": {35: -0.25}}
    limits = Limits(max_gross=4.0, max_correlation=0.9, correlation_bars=30)
    result = agreed(written_case(bars, rows, limits=limits))
    assert facts(result.orders, "symbol", "limit") == [
        (0, "correlation"), (1, "none"), (2, "none"), (3, "none"),
    ]  # fmt: skip
    # With 29 returns only nothing correlates.
    early = {name: {29: rows[name][35]} for name in rows}
    result = agreed(written_case(bars, early, limits=limits))
    assert {order.limit for order in result.orders} == {"none"}


TWO_TIERS = Margin(
    mode="cross",
    tiers=(
        MarginTier(notional_to=10_000.0, maintenance=0.01, max_leverage=20.0),
        MarginTier(notional_to=math.inf, maintenance=0.02, max_leverage=10.0),
    ),
)


@pytest.mark.parametrize(
    ("targets", "margins"),
    [
        # 16,000 need a tenth each: 3200 of the 2000 that there are.
        ((1.0, -1.0), [(0, 10_000, "margin"), (1, 10_000, "margin")]),
        # 8000 need a twentieth: 400 and 1600 are all there is.
        ((0.5, 1.0), [(0, 8000, "none"), (1, 16_000, "none")]),
        ((0.625, 1.0), [(0, 10_000 / 1.05, "margin"), (1, 16_000 / 1.05, "margin")]),
    ],
)
def test_orders_share_the_margin_that_their_tiers_ask_for(
    targets: tuple[float, float], margins: list[tuple[Any, ...]]
):
    rows = {"A": {0: targets[0]}, "B": {0: targets[1]}}
    found = granted(
        rows, cash=2000.0, margin=TWO_TIERS, sizing=Sizing(position_fraction=8.0),
        limits=Limits(max_gross=20.0),
    )  # fmt: skip
    assert found == [(s, pytest.approx(w), limit) for s, w, limit in margins]


def test_what_is_held_needs_its_margin_first():
    # 10,000 held need 500: 1500 are left, 15,000 of the 16,000 wanted.
    found = granted(
        {"A": {0: 0.625}, "B": {2: 1.0}}, cash=2000.0, margin=TWO_TIERS,
        sizing=Sizing(position_fraction=8.0), limits=Limits(max_gross=20.0),
    )  # fmt: skip
    assert found == [(0, 10_000, "none"), (1, pytest.approx(15_000), "margin")]


def test_what_scaling_leaves_of_rounding_is_dust():
    # B's short leaves A 1e-13 of what it wants.
    bars = {"A": FLAT, "B": [100, 100, (199.99999999999997,) * 2 + (100,) * 2, 100, 100, 100]}
    rows = {"A": {1: 1.0}, "B": {0: -0.5}}
    result = agreed(written_case(bars, rows, limits=Limits(max_gross=1.0)))
    assert facts(result.orders, "status", "granted_notional", "limit") == [
        ("filled", 500, "none"), ("rejected", 0, "dust"),
    ]  # fmt: skip


def test_the_last_limit_that_lowered_is_told():
    rows = {"A": {0: 1.0}, "B": {0: Row(1.0)}}
    found = granted(
        rows, limits=Limits(max_gross=0.5, max_position=0.4), sizing=Sizing(position_fraction=0.5)
    )
    assert found == [(0, 250, "gross"), (1, 250, "gross")]
