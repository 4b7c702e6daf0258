"""The candlestick patterns that need a price gap, for markets on which a bar opens where the last closed.

TA-Lib takes 35 of its 61 patterns from markets that close overnight: where the open is the previous
close they cannot occur, or occur only by the accident of a tick. Here 34 of them are TA-Lib's own
conditions with one number added. Where TA-Lib wants an open, a body or a whole candle strictly beyond
a level, it may fall up to ``overlap_atr`` times the ATR short of that level; the ATR is the one known
at the close of the candle before. Colours, lengths of bodies and shadows, and closes that show how far
a move went stay as they are. Every condition becomes weaker and none is dropped, so a relaxed pattern
is there wherever TA-Lib's is, and with ``overlap_atr=0`` the two are equal.

Three patterns need a word more. ``kicking`` and ``kickingbylength``, a full candle followed by a full
one of the other colour beyond it, have no gapless form within any such tolerance: they also count when
the second body ends more than ``overlap_atr`` ATR beyond the far end of the first. ``tristar`` and
``gapsidesidewhite`` take their side from the middles of the bodies, which a real gap decides anyway.
``counterattack`` is not here: two long opposite candles with one close are a gap of two bodies.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from engine import Float1D

from ._candle import ATR_LENGTH, Candles
from ._gap_patterns import RELAXED
from .candlestick import (
    REVERSAL_OUTPUTS,
    after_its_trend,
    counted_reversals,
    finite_prices,
    pattern_value,
)
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import wilder_stable_rows


def relaxed_pattern(columns: Columns, name: str, overlap_atr: float = 0.25) -> Float1D:
    """The sign of relaxed pattern ``name`` on each bar: -1, 0 or 1.

    ``columns`` needs open, high, low and close, each ``(T,)``. The value sits on the pattern's last
    bar and is known at its close; 0 until the ATR before each of its candles is known. The inverted
    hammer and the shooting star count after their trend only, as in ``candlestick_pattern``.
    """
    return _pattern(Candles.of(columns, overlap_atr), name)


def _pattern(candles: Candles, name: str) -> Float1D:
    count, conditions = RELAXED[name]
    found = np.zeros(candles.rows)
    if candles.rows >= count:
        found[count - 1 :] = conditions(*candles.of_pattern(count))
    return after_its_trend(found, candles.close, name)


def _relaxed(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    candles = Candles.of(columns, parameters["overlap_atr"])
    signs = [_pattern(candles, name) for name in RELAXED]
    bullish, bearish = np.zeros(candles.rows), np.zeros(candles.rows)
    for sign in signs:
        bullish += sign > 0
        bearish += sign < 0
    return (bullish, bearish, *signs)


def _reversal(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    candles = Candles.of(columns, parameters["overlap_atr"])
    prices = finite_prices(columns)

    def value_of(name: str) -> Float1D:
        if name in RELAXED:
            return 100.0 * _pattern(candles, name)
        return pattern_value(prices, name)

    return counted_reversals(candles.rows, value_of)


_OFTEN: Final = frozenset({
    "darkcloudcover", "dojistar", "eveningstar", "homingpigeon", "morningstar",
    "piercing", "tasukigap", "xsidegap3methods",
})  # fmt: skip
_MOST: Final = float(len(RELAXED))
_OVERLAP: Final = Parameter("overlap_atr", 0.25, 0.0, 1.0, integer=False)


def _expected_rate(name: str) -> tuple[float, float]:
    if name == "3outside":
        return (0.001, 0.16)
    return (0.001, 0.12) if name in _OFTEN else (0.0, 0.06)


def _stable(parameters: Parameters) -> int:
    # A comparison jumps at ties, so the ATR must have settled to rounding; TA-Lib's longest pattern
    # and its yardsticks read less far back.
    return wilder_stable_rows(ATR_LENGTH, 1, 1e-13) + 15


CANDLESTICK_RELAXED = Indicator(
    name="candlestick_relaxed",
    text="The candlestick patterns that need a price gap, with a gap that may be short of one by ATR.",
    inputs=("open", "high", "low", "close"),
    parameters=(_OVERLAP,),
    outputs=(
        Output("bullish_count", "state", "count", "relaxed patterns above 0", high=_MOST),
        Output("bearish_count", "state", "count", "relaxed patterns below 0", high=_MOST),
        *(
            Output(
                name,
                "signal",
                "sign",
                f"CDL{name.upper()} with relaxed gaps",
                firing_rate=_expected_rate(name),
            )
            for name in RELAXED
        ),
    ),
    compute=_relaxed,
    lookback=lambda parameters: 0,
    stable=_stable,
)

CANDLESTICK_REVERSAL_RELAXED = Indicator(
    name="candlestick_reversal_relaxed",
    text="candlestick_reversal with relaxed gaps in the patterns that need one.",
    inputs=("open", "high", "low", "close"),
    parameters=(_OVERLAP,),
    outputs=tuple(
        replace(output, firing_rate=(0.25, 0.60)) if output.kind == "signal" else output
        for output in REVERSAL_OUTPUTS
    ),
    compute=_reversal,
    lookback=lambda parameters: 0,
    stable=_stable,
)

INDICATORS = (CANDLESTICK_RELAXED, CANDLESTICK_REVERSAL_RELAXED)
