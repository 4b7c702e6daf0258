"""Null markets, which are driftless, and coarse ones for rare shapes.

A null market is a martingale: nothing that is known at a close predicts the price after it.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from engine import ConfigError, Market

from .fine_bars import START_NS, aggregated_bars, null_fine_bars
from .null_series import HISTORY_ROWS, null_series, null_trade_flow
from .panels import null_panels


@lru_cache(maxsize=128)
def null_market(
    hours: int, seed: int, *, steps_per_hour: int = 12, history_rows: int = HISTORY_ROWS
) -> Market:
    """Hourly null bars with every slow series and panel; the last few are kept in memory."""
    fine = null_fine_bars(hours, seed, steps_per_hour=steps_per_hour)
    bars = aggregated_bars(fine, "1h")
    if bars is None:
        raise ConfigError(f"hours={hours} must be at least 1")
    series = {
        **null_series(START_NS, int(bars.close_time[-1]), seed, history_rows=history_rows),
        "trade_flow": null_trade_flow(bars, seed),
    }
    panels = null_panels(bars.open_time, bars.step_ns, seed, history_rows=history_rows)
    return Market(bars=bars, series=series, panels=panels)


_THREE_STARS: Final = ((0, 0, -40, -19), (-10, -10, -30, -20), (-22, -22, -24, -24))
"""Three stars in the south, as open, high, low, close: a shape too rare to wait for."""


@lru_cache(maxsize=128)
def coarse_market(hours: int, seed: int, *, history_rows: int = HISTORY_ROWS) -> Market:
    """Hourly bars on a coarse tick with opens away from the close before: not a null market.

    Equal prices, bars without shadows and gaps between bodies are common here, and never seen on a
    null market, where each bar opens at the last close. Rare shapes are looked for on these bars.
    """
    market = null_market(hours, seed, history_rows=history_rows)
    generator = np.random.default_rng([seed, 6])
    turns = generator.random(hours) < 0.3
    side = np.where(np.cumsum(turns) % 2, -1.0, 1.0)
    body = side * generator.choice([0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0], size=hours)
    step_back = generator.choice([-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 1.5], size=hours)
    step_back[1:] *= body[:-1]
    close = 4_000.0 + np.cumsum(body - step_back)
    open_ = close - body
    upper, lower = generator.choice([0.0, 0.0, 0.0, 0.25, 1.0, 6.0], size=(2, hours))
    high, low = np.maximum(open_, close) + upper, np.minimum(open_, close) - lower
    for row in range(40, hours - 3, 97):
        for offset, shape in enumerate(_THREE_STARS):
            bar = row + offset
            open_[bar], high[bar], low[bar], close[bar] = close[row - 1] + np.array(shape)
    bars = replace(market.bars, open=open_, high=high, low=low, close=close)
    return replace(market, bars=bars)
