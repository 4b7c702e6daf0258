"""Effort and result: how much volume it took to move price how far (R. D. Wyckoff; D. Weis)."""

from typing import NamedTuple

import numpy as np

from engine import Bool1D, Float1D, kernel

from .directional_change import directional_change_pivots
from .pivot import held_level, long_gaps
from .rolling import quotient, rolling_mean, rolling_z_score
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

ATR_LENGTH = 20
VOLUME_FLOOR = 1e-3
"""A bar without volume counts as this share of the mean volume, so that its logarithm exists."""


@kernel(nogil=True)
def _wave_kernel(
    volume: Float1D, pivot_high: Float1D, pivot_low: Float1D, anchor: Float1D, resets: Bool1D
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(volume)
    rising, falling = np.full(rows, np.nan), np.full(rows, np.nan)
    start = np.full(rows, -1.0)
    last = -1
    for t in range(rows):
        if resets[t]:
            last = -1
        if anchor[t] < 0:
            continue
        row = int(anchor[t])
        if 0 <= last < row:
            total = 0.0
            for i in range(last + 1, row + 1):
                total += volume[i]
            if not np.isnan(pivot_high[t]):
                rising[t] = total
            elif not np.isnan(pivot_low[t]):
                falling[t] = total
            start[t] = last
        last = row
    return rising, falling, start


@kernel(nogil=True)
def _shrinking_kernel(rising: Float1D, falling: Float1D, resets: Bool1D, share: float) -> Float1D:
    out = np.zeros(len(rising))
    last_rising, last_falling = np.nan, np.nan
    for t in range(len(rising)):
        if resets[t]:
            last_rising, last_falling = np.nan, np.nan
        if not np.isnan(rising[t]):
            if rising[t] < share * last_rising:
                out[t] = -1.0
            last_rising = rising[t]
        if not np.isnan(falling[t]):
            if falling[t] < share * last_falling:
                out[t] = 1.0
            last_falling = falling[t]
    return out


def effort_versus_result(
    high: Float1D, low: Float1D, close: Float1D, volume: Float1D, length: int
) -> Float1D:
    """``Z(ln volume) - Z(|close change| / ATR20)`` over ``length`` rows, ``(T,)``, in deviations.

    Positive: more volume than the move explains. Known at close *t*; NaN for
    ``max(20, length - 1) + length - 1`` rows. Volumes below a thousandth of their mean count as that.
    """
    floor = VOLUME_FLOOR * rolling_mean(volume, length)
    effort = np.log(np.where(floor > 0, np.maximum(volume, floor), floor + 1.0))
    change = np.full(len(close), np.nan)
    change[1:] = np.abs(np.diff(close))
    result = quotient(change, average_true_range(high, low, close, ATR_LENGTH), 0.0)
    return rolling_z_score(effort, length) - rolling_z_score(result, length)


class Waves(NamedTuple):
    """Completed waves on the rows where their ends are confirmed, every array ``(T,)``.

    ``rising`` and ``falling``: volume of the wave, NaN on every other row. ``start`` and ``end``: rows
    of its two extremes, -1 where no turn is confirmed. ``shrinking``: 1 where a falling wave has less
    than the asked share of the volume of the falling wave before it, -1 for a rising one.
    """

    rising: Float1D
    falling: Float1D
    start: Float1D
    end: Float1D
    shrinking: Float1D


def weis_waves(columns: Columns, multiple: float, share: float, atr_length: int = 14) -> Waves:
    """Waves between the turns of the directional change ``multiple * ATR`` and their volume.

    A wave's volume is the sum of the bars after one extreme up to the next. The legs are those of
    the directional change, not of the alternating pivots: these may be lengthened by a further pivot
    of the same kind after they were confirmed, which would rewrite a volume that was already known,
    and D. Weis draws his waves by a fixed reversal. Nothing is summed or compared across more than
    three missing bars.
    """
    high, low, close = columns["high"], columns["low"], columns["close"]
    atr = average_true_range(high, low, close, atr_length)
    pivot_high, pivot_low, end = directional_change_pivots(
        high, low, close, atr, multiple, is_gap=columns["is_gap"]
    )
    resets = long_gaps(columns["is_gap"], len(close))
    volume = np.ascontiguousarray(columns["volume"])
    rising, falling, start = _wave_kernel(volume, pivot_high, pivot_low, end, resets)
    return Waves(rising, falling, start, end, _shrinking_kernel(rising, falling, resets, share))


def absorption(columns: Columns, effort: Float1D, threshold: float) -> Float1D:
    """Direction against the move of the last 20 bars where effort is high and the bar narrow, else 0."""
    high, low, close = columns["high"], columns["low"], columns["close"]
    narrow = quotient(high - low, average_true_range(high, low, close, ATR_LENGTH), 0.0) < 0.8
    move = np.zeros(len(close))
    move[20:] = close[20:] - close[:-20]
    absorbed = (effort >= threshold) & narrow & (columns["is_gap"] == 0)
    return np.where(absorbed, -np.sign(move), 0.0)


@shared
def known_effort(columns: Columns, parameters: Parameters) -> Float1D:
    """Effort versus result, NaN before its warm-up is complete, ``(T,)``."""
    high, low, close = columns["high"], columns["low"], columns["close"]
    effort = effort_versus_result(high, low, close, columns["volume"], int(parameters["length"]))
    effort[: _effort_lookback(parameters)] = np.nan
    return effort


def _effort_lookback(parameters: Parameters) -> int:
    length = int(parameters["length"])
    return max(ATR_LENGTH, length - 1) + length - 1


def _effort_result(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    effort = known_effort(columns, parameters)
    return effort, absorption(columns, effort, parameters["threshold"])


def _weis_wave(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    waves = weis_waves(columns, parameters["multiple"], parameters["share"])
    newest_rising, newest_falling = held_level(waves.rising), held_level(waves.falling)
    balance = quotient(newest_rising - newest_falling, newest_rising + newest_falling, 0.0)
    return newest_rising, newest_falling, balance, waves.shrinking


EFFORT_RESULT = Indicator(
    name="effort_result",
    text="Effort versus result: volume that the size of the move does not explain.",
    inputs=("high", "low", "close", "volume", "is_gap"),
    parameters=(
        Parameter("length", 50, 20, 500),
        Parameter("threshold", 1.5, 0.5, 4.0, integer=False),
    ),
    outputs=(
        Output("effort", "value", "deviations", "Z(ln volume) - Z(|change| / ATR20)"),
        Output(
            "absorption",
            "signal",
            "direction",
            "against the move of the last 20 bars, where effort is high and the bar is narrow",
            firing_rate=(0.005, 0.08),
        ),
    ),
    compute=_effort_result,
    lookback=_effort_lookback,
    stable=lambda parameters: (
        wilder_stable_rows(ATR_LENGTH) + 2 * int(parameters["length"]) + ATR_LENGTH
    ),
)

WEIS_WAVE = Indicator(
    name="weis_wave",
    text="Weis waves: volume of the newest completed up and down leg of the directional change.",
    inputs=("high", "low", "close", "volume", "is_gap"),
    parameters=(
        Parameter("multiple", 2.5, 1.0, 6.0, integer=False),
        Parameter("share", 0.6, 0.1, 1.0, integer=False),
    ),
    outputs=(
        Output("rising", "level", "volume", "volume of the newest completed up wave", low=0.0),
        Output("falling", "level", "volume", "volume of the newest completed down wave", low=0.0),
        Output("balance", "level", "share", "(up - down) / (up + down)", low=-1.0, high=1.0),
        Output(
            "shrinking",
            "signal",
            "direction",
            "1 where a down wave ends with less than share of the volume of the one before, -1 up",
            firing_rate=(0.005, 0.04),
        ),
    ),
    compute=_weis_wave,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 500 + wilder_stable_rows(14),
)

INDICATORS = (EFFORT_RESULT, WEIS_WAVE)
