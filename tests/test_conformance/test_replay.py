"""The replay under prefix and timing checks, and the twins that must fail them."""

from functools import cache

import numpy as np
import pytest

from engine import (
    Costs,
    Exits,
    FeeTier,
    Limits,
    Margin,
    MarginTier,
    ReplayRules,
    Sizing,
)
from experiments.checks import CheckRow, Suite
from experiments.checks.markets import null_market
from experiments.checks.replay import check_replay_prefix, check_replay_timing
from experiments.checks.replay_case import ReplayCase
from tests.test_conformance.replay_random import Features, random_replay_case
from tests.test_conformance.replay_twins import REPLAY_TWINS

TIERS = (
    MarginTier(notional_to=50_000.0, maintenance=0.01, max_leverage=20.0),
    MarginTier(notional_to=float("inf"), maintenance=0.05, max_leverage=5.0),
)
WHOLE = Sizing(position_fraction=0.9)
CASES: dict[str, tuple[ReplayRules, Features]] = {
    "stops": (ReplayRules(), Features()),
    "no stops": (ReplayRules(exits=Exits(stop_atr=None)), Features()),
    "targets and time": (
        ReplayRules(
            exits=Exits(
                stop_atr=1.5,
                take_profit_atr=2.0,
                break_even_r=0.5,
                time_stop_bars=20,
                time_stop_max_r=0.25,
            )
        ),
        Features(gaps=True),
    ),
    "resting orders": (
        ReplayRules(
            exits=Exits(take_profit_r=2.0, take_profit_is_limit=True, limit_bars=5),
            sizing=WHOLE,
        ),
        Features(orders=True, symbol_rules=True, gaps=True),
    ),
    "trailing and ladder": (
        ReplayRules(
            exits=Exits(
                stop_atr=None,
                stop_frac=0.02,
                trail_atr=2.0,
                trail_bars=10,
                break_even_r=1.0,
                ladder=((1.0, 0.3), (2.0, 0.3)),
            )
        ),
        Features(orders=True),
    ),
    "costs of size": (
        ReplayRules(
            costs=Costs(
                slippage_atr=0.05,
                impact=0.5,
                participation=0.05,
                borrow_annual=0.2,
                fee_tiers=(FeeTier(volume_from=1e6, maker_fee_bps=1.0, taker_fee_bps=3.0),),
            ),
            sizing=WHOLE,
            initial_cash=1e7,
        ),
        Features(orders=True),
    ),
    "risk and kelly": (
        ReplayRules(
            sizing=Sizing(method="risk", risk_frac=0.01, kelly=1.0),
            limits=Limits(max_gross=3.0, max_position=0.4, max_heat=0.012),
        ),
        Features(symbol_rules=True, gaps=True),
    ),
    "limits of a portfolio": (
        ReplayRules(
            sizing=WHOLE,
            limits=Limits(
                max_gross=2.0,
                max_positions=1,
                max_sector=0.8,
                drawdown_start=0.005,
                drawdown_halt=0.4,
            ),
        ),
        Features(symbol_rules=True, gaps=True),
    ),
    "correlation": (
        ReplayRules(
            sizing=WHOLE,
            limits=Limits(max_gross=2.0, max_correlation=0.02, correlation_bars=60),
        ),
        Features(),
    ),
    "volatility": (
        ReplayRules(
            sizing=Sizing(method="volatility", volatility_target=0.4), limits=Limits(max_gross=2.0)
        ),
        Features(orders=True),
    ),
    "cross leverage": (
        ReplayRules(
            exits=Exits(stop_atr=None),
            sizing=Sizing(position_fraction=6.0),
            limits=Limits(max_gross=12.0),
            margin=Margin(tiers=TIERS),
        ),
        Features(marks=True, gaps=True),
    ),
    "isolated inverse": (
        ReplayRules(
            initial_cash=10.0,
            exits=Exits(stop_atr=None, stop_frac=0.2, trail_frac=0.1),
            sizing=Sizing(position_fraction=3.0),
            limits=Limits(max_gross=8.0),
            margin=Margin(contract="inverse", mode="isolated", leverage=10.0, tiers=TIERS),
        ),
        Features(marks=True),
    ),
    "minutes": (
        ReplayRules(
            exits=Exits(
                stop_atr=None, stop_frac=0.01, take_profit_frac=0.01, trail_frac=0.008, limit_bars=8
            ),
            sizing=WHOLE,
            limits=Limits(max_gross=2.0),
        ),
        Features(orders=True, fine=True, marks=True, symbol_rules=True),
    ),
    "minutes and liquidation": (
        ReplayRules(
            exits=Exits(stop_atr=8.0, ladder=((0.25, 0.5),)),
            sizing=Sizing(position_fraction=9.0),
            limits=Limits(max_gross=18.0),
            margin=Margin(
                tiers=(MarginTier(notional_to=float("inf"), maintenance=0.03, max_leverage=30.0),)
            ),
        ),
        Features(fine=True, marks=True, gaps=True),
    ),
}
FINE = 600
"""Bars of a case with minutes inside, which cost sixty times as much."""
COARSE = 1_500


def failures(rows: list[CheckRow]) -> list[str]:
    return [f"{row.check} {row.subject}: {row.detail}" for row in rows if not row.passed]


@cache
def made(name: str) -> ReplayCase:
    rules, features = CASES[name]
    return random_replay_case(FINE if features.fine else COARSE, 11, rules, features)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> ReplayCase:
    return made(request.param)


def test_prefix_of_the_replay_is_the_replay_of_the_prefix(case: ReplayCase) -> None:
    rows = check_replay_prefix(case, count=80)
    assert failures(rows) == []
    assert {"replay.orders", "replay.funding", "replay.initial_margin_before"} <= {
        row.subject for row in rows
    }


def test_no_fill_knows_its_own_bar(case: ReplayCase) -> None:
    assert failures(check_replay_timing(case, count=60)) == []


@pytest.mark.parametrize("twin", REPLAY_TWINS)
@pytest.mark.parametrize("name", ["stops", "targets and time", "minutes"])
def test_replays_that_fill_too_early_fail(name: str, twin: str) -> None:
    rows = check_replay_timing(made(name), replay_function=REPLAY_TWINS[twin], count=30)
    assert failures(rows) != []


def test_the_cases_meet_what_they_are_for() -> None:
    """A case in which its feature never happens would check nothing."""
    from engine import LIMITS, ORDER_KINDS, ORDER_STATUSES, PAYMENT_KINDS, REASONS

    reasons, limits, statuses, kinds, paid = set(), set(), set(), set(), set()
    makers = impact = shortfall = 0.0
    for name in CASES:
        result = made(name).result()
        reasons |= {REASONS[code] for code in np.unique(result.fills["reason"])}
        limits |= {LIMITS[code] for code in np.unique(result.orders["limit"])}
        statuses |= {ORDER_STATUSES[code] for code in np.unique(result.orders["status"])}
        filled = result.orders[result.orders["filled_quantity"] > 0]
        kinds |= {ORDER_KINDS[code] for code in np.unique(filled["kind"])}
        paid |= {PAYMENT_KINDS[code] for code in np.unique(result.payments["kind"])}
        makers += result.fills["is_maker"].sum()
        impact += result.fills["impact"].sum()
        shortfall += result.fills["shortfall"].sum()
    assert reasons >= set(REASONS) - {"delisted", "ruin"}
    assert limits >= {
        "none", "kelly", "position", "heat", "gross", "participation", "drawdown", "tier",
        "correlation", "positions", "sector",
    }  # fmt: skip
    assert statuses >= {"filled", "partial", "rejected", "cancelled", "expired"}
    assert kinds == set(ORDER_KINDS)
    assert paid == set(PAYMENT_KINDS)
    assert makers > 0
    assert impact > 0


def test_the_whole_path_is_checked_with_volatilities_where_the_rules_need_them() -> None:
    rules = ReplayRules(sizing=Sizing(method="volatility"), limits=Limits(max_gross=3.0))
    suite = Suite(replay_rules=rules)
    market = null_market(1_600, 5)
    case = suite.replay_case(market, suite.consensus_rows(market))
    assert case.decisions.volatility is not None
    assert len(case.result().trades) > 3
    assert failures(check_replay_prefix(case, count=20)) == []
