"""Markets that nobody would wish for: crashes, ties, far stops, settlements at the edge of a bar."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import Exits, Limits, Margin, MarginTier, Sizing
from tests import replay_cases
from tests.replay_cases import (
    NO_COSTS,
    THEMES,
    Row,
    agreed,
    chosen_case,
    facts,
    replay_of,
    written_case,
    written_panel,
)
from tests.replay_cases.case import SeededChooser

TIERS = (MarginTier(notional_to=math.inf, maintenance=0.2, max_leverage=5.0),)
CROSS = Margin(mode="cross", tiers=TIERS, liquidation_fee_bps=0.0)


@pytest.mark.parametrize("volatility", [0.5, 2.0])
def test_money_is_neither_made_nor_lost_in_crashes(
    volatility: float, monkeypatch: pytest.MonkeyPatch
):
    usual = replay_cases.Shape
    monkeypatch.setattr(
        replay_cases, "Shape", lambda **given: usual(**{**given, "volatility": volatility})
    )
    for seed in range(100):
        case = chosen_case(SeededChooser(seed), THEMES[seed % len(THEMES)], is_coarse=False)
        agreed(case)
        result = replay_of(case)
        assert np.isfinite(result.equity).all()
        assert (result.equity >= 0).all()
        earned = math.fsum(result.trades["net_pnl"])
        turned_over = float(np.abs(result.trades["gross_pnl"]).sum()) + case.rules.initial_cash
        assert result.equity[-1] - case.rules.initial_cash == pytest.approx(
            earned, abs=1e-9 * turned_over
        )


def test_stops_that_a_threatened_account_meets_at_the_same_point_go_by_name():
    bars: list[Any] = [100, 100, (100, 100, 60, 60), 60]
    case = written_case(
        {"B": bars, "A": bars}, {"B": {0: 1.0}, "A": {0: 1.0}},
        exits=Exits(stop_atr=1.0), margin=CROSS, sizing=Sizing(position_fraction=1.25),
    )  # fmt: skip
    result = agreed(case)
    symbols = [case.panel.symbols[fill.symbol] for fill in result.fills]
    assert list(zip(symbols, facts(result.fills, "reason", "price"), strict=True)) == [
        ("A", ("entry", 100)), ("B", ("entry", 100)), ("A", ("stop", 90)), ("B", ("stop", 90)),
    ]  # fmt: skip


def test_the_farthest_stop_lies_99_percent_away():
    row = Row(1.0, atr_frac=0.5)
    bars: list[Any] = [100, 100, (100, 100, 1.0, 50), 50]
    result = agreed(written_case({"A": bars}, {"A": {0: row}}, exits=Exits(stop_atr=3.0)))
    assert facts(result.fills[1:], "reason", "price") == [("stop", pytest.approx(1.0))]
    bars[2] = (100, 100, 1.1, 50)
    held = agreed(written_case({"A": bars}, {"A": {0: row}}, exits=Exits(stop_atr=3.0)))
    assert held.fills[1].reason == "end_of_data"


def test_all_four_rungs_of_a_ladder():
    exits = Exits(stop_atr=1.0, ladder=((1.0, 0.25), (2.0, 0.25), (3.0, 0.25), (4.0, 0.125)))
    result = agreed(
        written_case({"A": [100, 100, (100, 145, 100, 145), 145]}, {"A": {0: 1.0}}, exits=exits)
    )
    assert facts(result.fills[1:], "reason", "price", "quantity") == [
        ("ladder", pytest.approx(110), 2.5),
        ("ladder", pytest.approx(120), 2.5),
        ("ladder", pytest.approx(130), 2.5),
        ("ladder", pytest.approx(140), 1.25),
        ("end_of_data", 145, 1.25),
    ]


def test_a_settlement_at_an_open_is_for_what_was_carried_into_it():
    """One at the moment of the entry is not paid, one at the moment of the exit is."""
    case = written_case(
        {"A": [100] * 6}, {"A": {0: 1.0, 2: 0.0}},
        funding=[(1.0, "A", 0.01, 0.0), (2.5, "A", 0.02, 0.0), (3.0, "A", 0.04, 0.0),
                 (3.0001, "A", 0.08, 0.0)],
    )  # fmt: skip
    assert facts(agreed(case).payments, "rate", "payment") == [(0.02, -20), (0.04, -40)]


def test_a_settlement_within_a_finer_bar_brings_the_liquidation_nearer_in_the_next_one():
    # −3500 + 40 m = 0.05 · 40 m at m = 3500 / 38; before the settlement it was 3000 / 38.
    quarters: list[Any] = [*[100] * 9, (100, 100, 85, 90), *[90] * 6]
    fine = written_panel({"A": quarters}, timeframe="15m")
    hours = written_panel({"A": [100, 100, (100, 100, 85, 90), 90]}).rebuilt_from(fine)
    tiers = (MarginTier(notional_to=math.inf, maintenance=0.05, max_leverage=20.0),)
    case = written_case(
        hours, {"A": {0: 1.0}}, funding=[(2.1, "A", 0.125, 0.0)], margin=Margin(tiers=tiers),
        sizing=Sizing(position_fraction=4.0), fine=fine,
    )  # fmt: skip
    (_, fill) = agreed(case).fills
    assert (fill.bar, fill.reason) == (2, "liquidation")
    assert fill.price == pytest.approx(3500 / 38)


def test_borrowing_is_charged_at_the_full_hours_of_the_clock():
    """Bars that begin at a quarter past: the first hour is the fourth bar, not that of the first."""
    panel = written_panel({"A": [100] * 9}, timeframe="15m")
    panel = replace(panel, open_time=panel.open_time + 15 * 60 * 1_000_000_000)
    case = written_case(panel, {"A": {0: -1.0}}, costs=replace(NO_COSTS, borrow_annual=0.876))
    assert facts(agreed(case).payments, "bar", "payment") == [
        (3, pytest.approx(-0.1)),
        (7, pytest.approx(-0.1)),
    ]


@pytest.mark.parametrize("contract", ["linear", "inverse"])
@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize("target", [1.0, -1.0])
@pytest.mark.parametrize("factor", [1e-6, 0.02, 50.0, 1e6])
def test_a_gap_of_any_size_takes_no_more_than_there_is(
    contract: Any, mode: Any, target: float, factor: float
):
    case = written_case(
        {"A": [100, 100, 100 * factor, 100 * factor]}, {"A": {0: target}},
        margin=Margin(contract=contract, mode=mode, leverage=4.0, tiers=TIERS),
        sizing=Sizing(position_fraction=4.0), limits=Limits(max_gross=4.0), costs=NO_COSTS,
    )  # fmt: skip
    result = agreed(case)
    assert all(row.equity >= 0 for row in result.equity)
    lost = (factor < 1) == (target > 0)
    assert (result.fills[1].reason == "liquidation") == lost
    if lost:
        assert result.equity[-1].equity == 0
        assert result.trades[0].net_pnl == -1000
    settled = replace(case, rules=replace(case.rules, initial_cash=2000.0))
    double = agreed(settled).equity[-1].equity
    assert double == pytest.approx(2 * result.equity[-1].equity, rel=1e-12)
