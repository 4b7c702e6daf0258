"""Rules that cannot be meant are refused with the key, the value and the range."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import (
    ConfigError,
    Costs,
    Exits,
    FeeTier,
    Limits,
    Margin,
    MarginTier,
    ReplayRules,
    Sizing,
    SymbolRules,
)


def fee_tier(volume_from: Any, maker: Any = 1.0, taker: Any = 4.0) -> FeeTier:
    return FeeTier(volume_from=volume_from, maker_fee_bps=maker, taker_fee_bps=taker)


def margin_tier(notional_to: Any, maintenance: Any = 0.01, max_leverage: Any = 50.0) -> MarginTier:
    return MarginTier(notional_to=notional_to, maintenance=maintenance, max_leverage=max_leverage)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        (Costs, "taker_fee_bps", -0.1),
        (Costs, "taker_fee_bps", math.nan),
        (Costs, "maker_fee_bps", -101.0),
        (Costs, "slippage_bps", -1.0),
        (Costs, "slippage_atr", math.inf),
        (Costs, "impact", -1.0),
        (Costs, "participation", 0.0),
        (Costs, "participation", 1.1),
        (Costs, "borrow_annual", -0.01),
        (Exits, "stop_atr", 0.0),
        (Exits, "stop_frac", 1.0),
        (Exits, "trail_atr", -1.0),
        (Exits, "trail_frac", 0.0),
        (Exits, "break_even_r", 0.0),
        (Exits, "take_profit_r", -1.0),
        (Exits, "time_stop_bars", 0),
        (Exits, "time_stop_bars", 2.5),
        (Exits, "limit_bars", 0),
        (Sizing, "position_fraction", 0.0),
        (Sizing, "position_fraction", 126.0),
        (Sizing, "risk_frac", 1.1),
        (Sizing, "volatility_target", 0.0),
        (Sizing, "kelly", 1.5),
        (Sizing, "kelly_max", 0.0),
        (Limits, "max_gross", 126.0),
        (Limits, "max_gross", 0.0),
        (Limits, "max_position", 0.0),
        (Limits, "max_positions", 0),
        (Limits, "max_positions", 1.5),
        (Limits, "max_heat", 0.0),
        (Limits, "max_sector", -1.0),
        (Limits, "max_correlation", 1.5),
        (Limits, "correlation_bars", 29),
        (Margin, "leverage", 0.9),
        (Margin, "leverage", 126.0),
        (Margin, "liquidation_fee_bps", -1.0),
        (ReplayRules, "initial_cash", 0.0),
        (SymbolRules, "tick_size", -0.1),
        (SymbolRules, "lot_step", math.nan),
        (SymbolRules, "min_notional", math.inf),
    ],
)
def test_a_number_out_of_range_names_key_and_value(section: Any, name: str, value: float):
    own = {"stop_frac": {"stop_atr": None}, "trail_bars": {"trail_atr": 1.0}}.get(name, {})
    with pytest.raises(ConfigError, match=rf"\.{name}={value} must (lie in|be a whole)"):
        section(**{name: value}, **own)


@pytest.mark.parametrize("value", ["5", True, None, [5.0], 1j])
def test_what_is_no_number_is_refused(value: Any):
    with pytest.raises(ConfigError, match=r"costs\.taker_fee_bps=.* must be a number"):
        Costs(taker_fee_bps=value)


def test_numbers_of_numpy_and_none_for_what_can_be_off_are_accepted():
    Costs(taker_fee_bps=np.float64(3.0), slippage_bps=np.int64(2), participation=None)
    Exits(stop_atr=None, time_stop_bars=np.int32(4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Costs(fee_tiers=(fee_tier(0.0),)), r"fee_tiers\[0\].volume_from=0.0"),
        (
            lambda: Costs(fee_tiers=(fee_tier(1e6), fee_tier(1e6))),
            r"fee_tiers\[1\].volume_from=1000000.0 must lie in \(1e\+06",
        ),
        (lambda: Costs(fee_tiers=(fee_tier(1e6, taker=-1.0),)), r"fee_tiers\[0\].taker_fee_bps=-1"),
        (lambda: Costs(fee_tiers=((1e6, 1.0, 4.0),)), r"fee_tiers\[0\]=.* must be of type FeeTier"),
        (lambda: Costs(fee_tiers=[fee_tier(1e6)]), "fee_tiers=.* must be a tuple"),
        (lambda: Exits(stop_frac=0.1), "stop_atr and stop_frac are both set"),
        (lambda: Exits(trail_atr=1.0, trail_frac=0.1), "trail_atr and trail_frac are both set"),
        (
            lambda: Exits(take_profit_atr=1.0, take_profit_r=2.0),
            "take_profit_atr and take_profit_r are both set",
        ),
        (lambda: Exits(trail_bars=5), "trail_bars needs trail_atr or trail_frac"),
        (lambda: Exits(stop_atr=None, break_even_r=1.0), "break_even_r needs stop_atr"),
        (lambda: Exits(stop_atr=None, take_profit_r=1.0), "take_profit_r needs stop_atr"),
        (lambda: Exits(stop_atr=None, time_stop_max_r=0.2), "time_stop_max_r needs stop_atr"),
        (lambda: Exits(stop_atr=None, ladder=((1.0, 0.5),)), "ladder needs stop_atr"),
        (lambda: Exits(ladder=((1.0, 0.5), (2.0, 0.6))), r"more than 1 \(1.1 at rung 1\)"),
        (lambda: Exits(ladder=((2.0, 0.5), (1.0, 0.5))), r"ladder\[1\]: R=1.0 must lie above 2.0"),
        (lambda: Exits(ladder=((math.inf, 0.5),)), r"ladder\[0\]: R=inf"),
        (lambda: Exits(ladder=((0.0, 0.5),)), r"ladder\[0\]: R=0.0 must lie above 0"),
        (lambda: Exits(ladder=((1.0, 0.0),)), r"ladder\[0\]: share=0.0"),
        (lambda: Exits(ladder=((1.0, math.nan),)), r"ladder\[0\]: share=nan"),
        (lambda: Exits(ladder=(1.0, 0.5)), r"ladder\[0\]=1.0 must be \(R multiple, share\)"),
        (lambda: Exits(ladder=tuple((1.0 + i, 0.1) for i in range(5))), "5 rungs; state at most 4"),
        (
            lambda: Sizing(method="kelly"),
            "sizing.method='kelly' must be fraction, risk or volatility",
        ),
        (lambda: Limits(drawdown_start=0.1), "drawdown_halt are set together"),
        (
            lambda: Limits(drawdown_start=0.2, drawdown_halt=0.2),
            "drawdown_halt=0.2 must lie above drawdown_start=0.2",
        ),
        (lambda: Margin(contract="quanto"), "margin.contract='quanto' must be linear or inverse"),
        (lambda: Margin(mode="portfolio"), "margin.mode='portfolio' must be cross"),
        (lambda: Margin(contract="inverse", mode="none"), "inverse contracts need a margin"),
        (lambda: Margin(tiers=()), "margin.tiers is empty"),
        (lambda: Margin(tiers=[margin_tier(1.0)]), "margin.tiers=.* must be a tuple"),
        (lambda: Margin(tiers=((1.0, 0.1, 5.0),)), r"margin.tiers\[0\]=.* of type MarginTier"),
        (
            lambda: Margin(tiers=(margin_tier("1"),)),
            r"tiers\[0\]: notional_to='1' must be a number",
        ),
        (
            lambda: Margin(tiers=(margin_tier(1e6), margin_tier(1e5))),
            r"tiers\[1\]: notional_to=100000.0 must lie above 1e\+06",
        ),
        (lambda: Margin(tiers=(margin_tier(math.nan),)), r"tiers\[0\]: notional_to=nan"),
        (
            lambda: Margin(tiers=(margin_tier(1e6, 0.02), margin_tier(2e6, 0.01))),
            r"tiers\[1\]: maintenance=0.01 must lie in \(0, 1\) and not below 0.02",
        ),
        (lambda: Margin(tiers=(margin_tier(1e6, 0.0),)), r"tiers\[0\]: maintenance=0.0"),
        (
            lambda: Margin(tiers=(margin_tier(1e6, 0.01, 20.0), margin_tier(2e6, 0.01, 50.0))),
            r"tiers\[1\]: max_leverage=50.0 must lie in \[1, 20\]",
        ),
        (lambda: Margin(tiers=(margin_tier(1e6, 0.01, 0.5),)), r"max_leverage=0.5 must lie in \[1"),
        (lambda: Margin(tiers=(margin_tier(1e6, 0.05, 25.0),)), "here at most 20"),
        (lambda: SymbolRules(sector=""), "sector='' must be a word"),
    ],
)
def test_a_contradiction_within_a_section_is_refused(make: Callable[[], Any], message: str):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"costs": Exits()}, "rules.costs=.* must be of type Costs"),
        ({"margin": None}, "rules.margin=None must be of type Margin"),
        ({"sizing": Sizing(position_fraction=1.5)}, "position_fraction=1.5 must not exceed"),
        (
            {"sizing": Sizing(method="risk"), "exits": Exits(stop_atr=None)},
            "sizing.method=risk needs exits.stop_atr",
        ),
        (
            {"limits": Limits(max_heat=0.1), "exits": Exits(stop_atr=None)},
            "limits.max_heat needs exits.stop_atr",
        ),
        (
            {"limits": Limits(max_gross=12.0), "margin": Margin(mode="isolated")},
            "limits.max_gross=12.0 must not exceed margin.leverage=10.0",
        ),
        (
            {"margin": Margin(mode="isolated", leverage=60.0, tiers=(margin_tier(math.inf),))},
            r"margin.leverage=60.0 must not exceed margin.tiers\[0\].max_leverage=50.0",
        ),
        (
            {"limits": Limits(max_gross=1.5), "margin": Margin(mode="none")},
            "limits.max_gross=1.5 must not exceed 1 with margin.mode=none",
        ),
        (
            {"limits": Limits(max_position=2.0), "margin": Margin(mode="none")},
            "limits.max_position=2.0 must not exceed 1 with margin.mode=none",
        ),
        (
            {"sizing": Sizing(position_fraction=1.1), "margin": Margin(mode="none")},
            "sizing.position_fraction=1.1 must not exceed 1 with margin.mode=none: a spot account "
            "cannot borrow cash; set margin.mode to cross or isolated",
        ),
        (
            {"limits": Limits(max_gross=60.0), "margin": Margin(tiers=(margin_tier(math.inf),))},
            r"limits.max_gross=60.0 must not exceed margin.tiers\[0\].max_leverage=50.0",
        ),
    ],
)
def test_sections_that_contradict_each_other_are_refused(rules: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        ReplayRules(**rules)


def test_what_is_at_its_bounds_is_accepted():
    Exits(ladder=((1.0, 0.1), (2.0, 0.2), (3.0, 0.7)))
    Exits(ladder=((0.5, 0.4), (1.0, 0.6)), take_profit_r=3.0, break_even_r=1.0)
    Margin(tiers=(margin_tier(5e4, 0.004, 125.0), margin_tier(math.inf, 0.5, 1.0)))
    ReplayRules(
        sizing=Sizing(position_fraction=10.0),
        limits=Limits(max_gross=10.0),
        margin=Margin(mode="isolated", leverage=10.0),
    )
    ReplayRules(sizing=Sizing(position_fraction=1.0), margin=Margin(mode="none"))
    assert Costs(maker_fee_bps=-1.0).maker_fee_bps == -1.0
