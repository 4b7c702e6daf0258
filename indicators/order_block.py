"""Order blocks and breakers: the last opposite candle before a break of structure."""

import numpy as np

from engine import Float1D, kernel

from .fair_value_gap import ATR_LENGTH, distance_atr, fair_value_gaps
from .pivot import confirmed_pivots, held_level, long_gaps, pivot_stable_rows
from .rolling import previous_mean_ratio
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .structure import displaced_breaks, structure_breaks
from .volatility import average_true_range, wilder_stable_rows
from .zone import tracked_zones

VOLUME_LENGTH = 20


@kernel(nogil=True)
def _block_kernel(
    open_: Float1D,
    close: Float1D,
    is_gap: Float1D,
    event: Float1D,
    broke_at: Float1D,
    began_at: Float1D,
) -> Float1D:
    rows = len(close)
    block = np.full(rows, -1.0)
    for t in range(rows):
        if event[t] == 0 or began_at[t] < 0:
            continue
        for i in range(int(broke_at[t]) - 1, int(began_at[t]) - 1, -1):
            if event[t] * (close[i] - open_[i]) < 0 and is_gap[i] < 0.5:
                block[t] = float(i)
                break
    return block


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


def order_blocks(
    columns: Columns, event: Float1D, broke_at: Float1D, began_at: Float1D
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    """The last candle against each break, between the origin of its leg and the bar before it.

    ``event`` is 1 or -1 on the row where a break becomes known, ``broke_at`` and ``began_at`` the
    rows of the break and of the leg's origin there. A missing bar is no candle. Returns direction,
    top, bottom (the candle's high and low, NaN elsewhere) and the candle's row (-1 elsewhere), each
    ``(T,)``: known on the row of the event, not on the candle.
    """
    block = _block_kernel(
        columns["open"], columns["close"], columns["is_gap"], event, broke_at, began_at
    )
    found = block >= 0
    row = np.where(found, block, 0.0).astype(np.int64)
    top = np.where(found, columns["high"][row], np.nan)
    bottom = np.where(found, columns["low"][row], np.nan)
    return np.where(found, event, 0.0), top, bottom, block


def _clipped_share(values: Float1D, low: float, high: float) -> Float1D:
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _broken_blocks(
    columns: Columns, left: int, right: int
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    """Direction, top, bottom and row of the block of each break, and the row of the break."""
    close = columns["close"]
    pivots = confirmed_pivots(columns["high"], columns["low"], left, right)
    breaks = structure_breaks(close, pivots, right, columns["is_gap"])
    gap, _, _ = fair_value_gaps(columns, 0.1, 1.0)
    shift = displaced_breaks(breaks.change, breaks.origin, gap)
    continuation = breaks.event - breaks.change
    rows = np.arange(len(close), dtype=np.float64)
    event = np.where(continuation != 0, continuation, shift.event)
    broke_at = np.where(continuation != 0, rows, shift.broke_at)
    began_at = np.where(continuation != 0, breaks.origin, shift.began_at)
    return (*order_blocks(columns, event, broke_at, began_at), broke_at)


def _order_block(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    direction, top, bottom, _, _ = _broken_blocks(
        columns, int(parameters["left"]), int(parameters["right"])
    )
    track = tracked_zones(
        (high, low, close),
        direction,
        (top, bottom),
        long_gaps(columns["is_gap"], len(close)),
        expiry_bars=int(parameters["expiry_bars"]),
        max_touches=int(parameters["max_touches"]),
    )
    atr = average_true_range(high, low, close, ATR_LENGTH)
    return (
        direction,
        track.touch,
        track.flip,
        track.flip_touch,
        track.fresh_bullish,
        track.fresh_bearish,
        track.flipped_bullish,
        track.flipped_bearish,
        distance_atr(track.distance_bullish, atr),
        distance_atr(track.distance_bearish, atr),
    )


def _order_block_strength(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    direction, top, bottom, block, broke_at = _broken_blocks(
        columns, int(parameters["left"]), int(parameters["right"])
    )
    atr = average_true_range(high, low, close, ATR_LENGTH)
    relative_volume = previous_mean_ratio(columns["volume"], VOLUME_LENGTH)
    leg_volume = _span_mean_kernel(relative_volume, block, broke_at)
    swing = np.where(direction > 0, close - top, bottom - close) / np.where(atr > 0, atr, np.nan)
    strength = 60.0 * _clipped_share(leg_volume, 0.5, 2.5) + 40.0 * _clipped_share(swing, 0.0, 5.0)
    return (held_level(strength),)


def _stable_rows(parameters: Parameters) -> int:
    spans = 2 * pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
    return spans + int(parameters["expiry_bars"]) + 3 * wilder_stable_rows(ATR_LENGTH) // 2


def _strength_stable_rows(parameters: Parameters) -> int:
    # The level stands until the next block; structure breaks far more often than this.
    return _stable_rows({**parameters, "expiry_bars": 500.0})


ORDER_BLOCK = Indicator(
    name="order_block",
    text="Order blocks of structure breaks, their touches, and breakers (blocks a close broke).",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(
        Parameter("left", 5, 1, 100),
        Parameter("right", 5, 1, 100),
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
        Output(
            "bullish_distance_atr",
            "value",
            "ATR",
            "from the close to the nearest bullish block not yet run through, 10 when none",
            low=0.0,
            high=10.0,
        ),
        Output(
            "bearish_distance_atr",
            "value",
            "ATR",
            "from the close to the nearest bearish block not yet run through, 10 when none",
            low=0.0,
            high=10.0,
        ),
    ),
    compute=_order_block,
    lookback=lambda parameters: ATR_LENGTH,
    stable=_stable_rows,
)

ORDER_BLOCK_STRENGTH = Indicator(
    name="order_block_strength",
    text="How strongly the newest order block was left: volume and distance of the break.",
    inputs=("open", "high", "low", "close", "volume", "is_gap"),
    parameters=(Parameter("left", 5, 1, 100), Parameter("right", 5, 1, 100)),
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
