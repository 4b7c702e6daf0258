"""Order blocks and breakers: the last opposite candle before a break of structure."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D, kernel

from .fair_value_gap import (
    ATR_LENGTH,
    MIN_DISPLACEMENT_ATR,
    MIN_SIZE_ATR,
    Zones,
    distance_output,
    fair_value_gaps,
    zone_distances,
)
from .pivot import held_level, long_gaps
from .rolling import previous_mean_ratio
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .structure import AT_WICKS, breaks_and_shifts
from .swing import SWING_PARAMETERS, swing_stable_rows
from .volatility import average_true_range, wilder_stable_rows
from .zone import tracked_zones

VOLUME_LENGTH = 20


@kernel(nogil=True)
def _span_mean_kernel(values: Float1D, first: Float1D, last: Float1D) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(len(values)):
        if first[t] < 0:
            continue
        total, count = 0.0, 0
        for i in range(int(first[t]), int(last[t]) + 1):
            if not np.isnan(values[i]):
                total += values[i]
                count += 1
        if count > 0:
            out[t] = total / count
    return out


@dataclass(frozen=True, slots=True, eq=False)
class BrokenBlocks:
    """Order blocks on the rows where their break becomes known; every array is float64 ``(T,)``.

    ``direction``: 1 or -1 there. ``top`` and ``bottom``: the edges of the zone, NaN elsewhere.
    ``block`` and ``broke_at``: rows of the candle and of the break, -1 elsewhere.
    """

    direction: Float1D
    top: Float1D
    bottom: Float1D
    block: Float1D
    broke_at: Float1D


def _newest_rows(holds: np.ndarray) -> np.ndarray:
    """The newest row up to each row on which ``holds`` is true, -1 before the first."""
    newest: np.ndarray = np.maximum.accumulate(np.where(holds, np.arange(len(holds)), -1))
    return newest


def order_blocks(
    columns: Columns,
    event: Float1D,
    broke_at: Float1D,
    began_at: Float1D,
    *,
    by_body: bool = False,
) -> BrokenBlocks:
    """The last candle against each break, between the origin of its leg and the bar before it.

    ``event`` is 1 or -1 on the row where a break becomes known, ``broke_at`` and ``began_at`` the
    rows of the break and of the leg's origin there. A missing bar is no candle. The zone is the
    candle from low to high; ``by_body`` from low to open for a bullish block, open to high for a
    bearish one. Known on the row of the event, not on the candle.
    """
    open_, high, low = columns["open"], columns["high"], columns["low"]
    candle = np.where(columns["is_gap"] < 0.5, columns["close"] - open_, 0.0)
    before = np.maximum(broke_at - 1, 0).astype(np.int64)
    newest = np.where(event > 0, _newest_rows(candle < 0)[before], _newest_rows(candle > 0)[before])
    found = (event != 0) & (began_at >= 0) & (newest >= began_at) & (newest < broke_at)
    row = np.where(found, newest, 0)
    top = open_[row] if by_body else high[row]
    bottom = open_[row] if by_body else low[row]
    return BrokenBlocks(
        np.where(found, event, 0.0),
        np.where(found, np.where(event > 0, top, high[row]), np.nan),
        np.where(found, np.where(event > 0, low[row], bottom), np.nan),
        np.where(found, newest, -1).astype(np.float64),
        np.where(found, broke_at, -1.0),
    )


def broken_blocks(columns: Columns, parameters: Parameters) -> BrokenBlocks:
    """The block of each BOS, and of each CHoCH once its gap makes it a MSS."""
    gap, _, _ = fair_value_gaps(columns, MIN_SIZE_ATR, MIN_DISPLACEMENT_ATR)
    breaks, shift = breaks_and_shifts(columns, parameters, gap)
    rows = np.arange(len(gap), dtype=np.float64)
    continues = breaks.continuation != 0
    return order_blocks(
        columns,
        np.where(continues, breaks.continuation, shift.event),
        np.where(continues, rows, shift.broke_at),
        np.where(continues, breaks.origin, shift.began_at),
        by_body=bool(parameters["by_body"]),
    )


@shared
def found_blocks(columns: Columns, parameters: Parameters) -> tuple[Zones, BrokenBlocks]:
    """The blocks that ``ORDER_BLOCK``'s parameters ask for, anchored on their candle."""
    close = columns["close"]
    blocks = broken_blocks(columns, parameters)
    track = tracked_zones(
        (columns["high"], columns["low"], close),
        blocks.direction,
        (blocks.top, blocks.bottom),
        long_gaps(columns["is_gap"], len(close)),
        expiry_bars=int(parameters["expiry_bars"]),
        max_touches=int(parameters["max_touches"]),
    )
    return Zones(blocks.direction, blocks.top, blocks.bottom, blocks.block, track), blocks


def _clipped_share(values: Float1D, low: float, high: float) -> Float1D:
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def block_strength(columns: Columns, blocks: BrokenBlocks) -> Float1D:
    """How strongly each block was left, 0 to 100, on its row; NaN elsewhere and before volume is known.

    60 % the mean relative volume from the block to the break (.5 to 2.5 times the 20 bars before
    each), 40 % the distance of the break's close from the zone (0 to 5 ATR).
    """
    close = columns["close"]
    atr = average_true_range(columns["high"], columns["low"], close, ATR_LENGTH)
    relative_volume = previous_mean_ratio(columns["volume"], VOLUME_LENGTH)
    leg_volume = _span_mean_kernel(relative_volume, blocks.block, blocks.broke_at)
    at = np.maximum(blocks.broke_at, 0.0).astype(np.int64)
    left = np.where(blocks.direction > 0, close[at] - blocks.top, blocks.bottom - close[at])
    swing = left / np.where(atr[at] > 0, atr[at], np.nan)
    return 60.0 * _clipped_share(leg_volume, 0.5, 2.5) + 40.0 * _clipped_share(swing, 0.0, 5.0)


def _order_block(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    zones, _ = found_blocks(columns, parameters)
    track = zones.track
    return (
        zones.direction,
        track.touch,
        track.flip,
        track.flip_touch,
        track.fresh_bullish,
        track.fresh_bearish,
        track.flipped_bullish,
        track.flipped_bearish,
        *zone_distances(columns, track),
    )


def _order_block_strength(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (held_level(block_strength(columns, broken_blocks(columns, parameters))),)


def _stable_rows(parameters: Parameters) -> int:
    spans = 2 * swing_stable_rows(parameters)
    return spans + int(parameters["expiry_bars"]) + 3 * wilder_stable_rows(ATR_LENGTH) // 2


def _strength_stable_rows(parameters: Parameters) -> int:
    # The level stands until the next block; structure breaks far more often than this.
    return _stable_rows({**parameters, "expiry_bars": 500.0})


_BLOCK_PARAMETERS: Final = (*SWING_PARAMETERS, AT_WICKS, Parameter("by_body", 0, 0, 1))

ORDER_BLOCK = Indicator(
    name="order_block",
    text="Order blocks of structure breaks, their touches, and breakers (blocks a close broke).",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(
        *_BLOCK_PARAMETERS,
        Parameter("max_touches", 1, 1, 3),
        Parameter("expiry_bars", 300, 10, 500),
    ),
    outputs=(
        Output(
            "event",
            "signal",
            "direction",
            "an order block becomes known, on the break that makes it",
            firing_rate=(0.01, 0.07),
        ),
        Output(
            "touch",
            "signal",
            "direction",
            "price comes into a block that still votes and closes without breaking it",
            firing_rate=(0.005, 0.05),
        ),
        Output(
            "breaker",
            "signal",
            "direction",
            "a close breaks a block, which becomes a breaker of this side",
            firing_rate=(0.005, 0.05),
        ),
        Output(
            "breaker_touch",
            "signal",
            "direction",
            "price comes back to a breaker for the first time and holds it",
            firing_rate=(0.002, 0.05),
        ),
        Output("bullish_unmitigated", "state", "count", "untouched bullish blocks", low=0.0),
        Output("bearish_unmitigated", "state", "count", "untouched bearish blocks", low=0.0),
        Output("bullish_breakers", "state", "count", "breakers that support", low=0.0),
        Output("bearish_breakers", "state", "count", "breakers that resist", low=0.0),
        distance_output("bullish", "bullish block not yet run through"),
        distance_output("bearish", "bearish block not yet run through"),
        distance_output("bullish_breaker", "breaker that supports"),
        distance_output("bearish_breaker", "breaker that resists"),
    ),
    compute=_order_block,
    lookback=lambda parameters: ATR_LENGTH,
    stable=_stable_rows,
)

ORDER_BLOCK_STRENGTH = Indicator(
    name="order_block_strength",
    text="How strongly the newest order block was left: volume and distance of the break.",
    inputs=("open", "high", "low", "close", "volume", "is_gap"),
    parameters=_BLOCK_PARAMETERS,
    outputs=(
        Output(
            "strength",
            "level",
            "score",
            "of the newest block: 60 % volume from block to break, 40 % distance of the break",
            low=0.0,
            high=100.0,
        ),
    ),
    compute=_order_block_strength,
    lookback=lambda parameters: ATR_LENGTH,
    stable=_strength_stable_rows,
)

INDICATORS = (ORDER_BLOCK, ORDER_BLOCK_STRENGTH)
