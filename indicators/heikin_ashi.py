"""Heikin-Ashi: averaged candles whose colour changes less often than that of the bars."""

import numpy as np

from engine import Float1D, kernel

from .moving_average import forgetting_rows
from .spec import Columns, Indicator, Output, Parameters


@kernel(nogil=True)
def _heikin_ashi_kernel(
    open_: Float1D, high: Float1D, low: Float1D, close: Float1D
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    count = len(close)
    opens, highs, lows, closes = (
        np.empty(count), np.empty(count), np.empty(count), np.empty(count),
    )  # fmt: skip
    sides = np.empty(count)
    begin = (open_[0] + close[0]) / 2.0 if count else 0.0
    for t in range(count):
        end = (open_[t] + high[t] + low[t] + close[t]) / 4.0
        opens[t], closes[t], sides[t] = begin, end, np.sign(end - begin)
        highs[t], lows[t] = max(high[t], begin, end), min(low[t], begin, end)
        begin = (begin + end) / 2.0
    return opens, highs, lows, closes, sides


def heikin_ashi(
    open_: Float1D, high: Float1D, low: Float1D, close: Float1D
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    """Open, high, low and close of the averaged candles, and the sign of close less open.

    Arrays ``(T,)``, four in price units, the last -1, 0 or 1; known at close *t*; no warm-up. The close
    is the mean of the bar's four prices; the open is the middle of the candle before, so that half of
    what is remembered fades with every row; the first open is the middle of the first bar's body.
    """
    return _heikin_ashi_kernel(open_, high, low, close)


def _ha_trend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return heikin_ashi(columns["open"], columns["high"], columns["low"], columns["close"])


HA_TREND = Indicator(
    name="ha_trend",
    text="Heikin-Ashi candles and their direction; 0 when flat.",
    inputs=("open", "high", "low", "close"),
    parameters=(),
    outputs=(
        Output("open", "value", "price", "middle of the candle before"),
        Output("high", "value", "price", "highest of the bar and the candle's body"),
        Output("low", "value", "price", "lowest of the bar and the candle's body"),
        Output("close", "value", "price", "mean of the bar's four prices"),
        Output("side", "value", "side", "1 when the candle rises, -1 when it falls", -1.0, 1.0),
    ),
    compute=_ha_trend,
    lookback=lambda parameters: 0,
    # The side jumps where open and close meet, so the open must have forgotten down to rounding.
    stable=lambda parameters: forgetting_rows(0.5, 1, 1e-16),
)

INDICATORS = (HA_TREND,)
