"""Long replays in which little happens."""

from dataclasses import replace

import numpy as np

from engine import Costs, Exits, Limits, Margin, MarginTier, ReplayRules, Sizing

from .case import ReplayCase
from .decisions import random_decisions, random_funding
from .markets import Shape, random_market


def quiet_case(seed: int, bars: int = 160) -> ReplayCase:
    """Few decisions and far levels, so that most sub-bars are passed over."""
    generator = np.random.default_rng(seed)
    shape = Shape(
        bars=bars, symbols=3, timeframe="1h", sub_bars=12, volatility=0.02,
        gap_share=0.1 * (seed % 3), unresolved_share=0.1 * (seed % 2), lists_late=seed % 4 == 0,
        has_mark=seed % 2 == 1, common_share=0.5,
    )  # fmt: skip
    panel, fine = random_market(shape, generator)
    assert fine is not None
    margin = Margin(
        contract=("linear", "inverse")[seed // 2 % 2],
        mode=("cross", "isolated")[seed // 4 % 2],
        leverage=6.0,
        tiers=(
            MarginTier(notional_to=2000.0, maintenance=0.02, max_leverage=20.0),
            MarginTier(notional_to=8000.0, maintenance=0.05, max_leverage=10.0),
        ),
    )
    exits = (
        Exits(stop_atr=3.0, trail_atr=4.0, take_profit_atr=6.0),
        Exits(
            stop_atr=None,
            stop_frac=0.05,
            ladder=((1.0, 0.3), (2.0, 0.3)),
            break_even_r=0.5,
            trail_frac=0.06,
        ),
        Exits(stop_atr=None),
        Exits(stop_atr=None, trail_frac=0.08, trail_bars=5, take_profit_frac=0.15),
    )[seed // 3 % 4]
    fraction = 5.0 if exits == Exits(stop_atr=None) else 1.0
    # Heavy settlements, some in quiet bars at their open: they move the margin of what is held.
    step = panel.step_ns if seed % 2 else fine.step_ns
    funding = random_funding(panel, seed, sub_step_ns=step)
    return ReplayCase(
        panel=panel,
        decisions=random_decisions(panel, seed, 0.02, has_kinds=seed % 3 > 0, reach=0.02),
        funding=replace(funding, rate=8.0 * funding.rate),
        rules=ReplayRules(
            initial_cash=1024.0,
            costs=Costs(slippage_atr=0.05, impact=0.1),
            exits=exits,
            sizing=Sizing(position_fraction=fraction),
            limits=Limits(max_gross=5.0),
            margin=margin,
        ),
        fine=fine,
    )
