"""What the alternating swings say: the trend of their prices, the age and size of the newest leg."""

from dataclasses import dataclass

import numpy as np

from engine import Float1D, Float2D

from .fair_value_gap import ATR_LENGTH
from .pivot import held_level
from .spec import Columns, Indicator, Output, Parameters
from .structure import structure_stable_rows
from .swing import SIDES, SWING_PARAMETERS, pivot_swings, swings_of
from .volatility import average_true_range


@dataclass(frozen=True, slots=True, eq=False)
class PivotTrend:
    """Trend of the alternating pivots; row *t* is known at close *t*.

    ``trend`` ``(T,)``: 1 when the newest high and low are both above the ones before them, -1 when both
    are below, else 0. ``known`` ``(T,)``: 1 where four pivots are there to judge by. ``price`` and
    ``anchor`` ``(T, 4)``: these pivots, newest first.
    """

    trend: Float1D
    known: Float1D
    price: Float2D
    anchor: Float2D


def pivot_trend(
    high: Float1D, low: Float1D, left: int, right: int, is_gap: Float1D | None = None
) -> PivotTrend:
    """Higher highs and lows, or lower ones, of the alternating pivots ``P(left, right)``."""
    price, anchor, _ = pivot_swings(high, low, left, right).alternating(4, is_gap)
    newer, older = price[:, :2], price[:, 2:]
    rising = (newer[:, 0] > older[:, 0]) & (newer[:, 1] > older[:, 1])
    falling = (newer[:, 0] < older[:, 0]) & (newer[:, 1] < older[:, 1])
    known = (~np.isnan(price[:, 3])).astype(np.float64)
    return PivotTrend(rising.astype(np.float64) - falling, known, price, anchor)


def _market_trend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    left, right = int(parameters["left"]), int(parameters["right"])
    found = pivot_trend(columns["high"], columns["low"], left, right, columns["is_gap"])
    return found.trend, found.known


def _swing_leg(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    price, anchor, _ = swings_of(columns, parameters).alternating(2, columns["is_gap"])
    atr = average_true_range(high, low, close, ATR_LENGTH)
    whole = ~np.isnan(price[:, 1]) & ~np.isnan(atr)
    bars = np.where(whole, np.arange(len(close)) - anchor[:, 0], np.nan)
    size = np.abs(price[:, 0] - price[:, 1]) / np.where(atr > 0, atr, np.nan)
    reach = np.where(whole, np.where(atr > 0, size, 0.0), np.nan)
    return held_level(bars), held_level(reach)


MARKET_TREND = Indicator(
    name="market_trend",
    text="Higher highs and higher lows, or lower ones, of the alternating pivots.",
    inputs=("high", "low", "is_gap"),
    parameters=SIDES,
    outputs=(
        Output(
            "trend",
            "signal",
            "direction",
            "1 higher high and low, -1 lower high and low, 0 mixed or unknown",
            firing_rate=(0.3, 0.8),
        ),
        Output("known", "state", "code", "1 when four pivots are there to judge by", high=1.0),
    ),
    compute=_market_trend,
    lookback=lambda parameters: 0,
    stable=lambda parameters: structure_stable_rows({**parameters, "by_turns": 0.0}),
)

SWING_LEG = Indicator(
    name="swing_leg",
    text="Age and size of the newest leg between two alternating swings.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=SWING_PARAMETERS,
    outputs=(
        Output("bars_since", "level", "bars", "since the extreme of the newest swing", low=0.0),
        Output("range_atr", "level", "ATR", "from the swing before it to the newest", low=0.0),
    ),
    compute=_swing_leg,
    lookback=lambda parameters: 0,
    stable=structure_stable_rows,
)

INDICATORS = (MARKET_TREND, SWING_LEG)
