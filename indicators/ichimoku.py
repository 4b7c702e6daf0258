"""Ichimoku in its causal form: no line is ever drawn back or read ahead in time.

The cloud of row *t* is made of spans of row *t - shift*. The cloud that a chart draws ahead of the
newest bar is known with that bar and is an output of its own. The lagging line, which a chart draws
``shift`` bars back, is the comparison that it stands for: the close against the one ``shift`` bars ago.
"""

import numpy as np

from engine import Float1D, kernel

from .rolling import rolling_max, rolling_min
from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel(nogil=True)
def _cloud_kernel(
    close: Float1D, conversion: Float1D, base: Float1D, span: Float1D, first: int, shift: int
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D, Float1D, Float1D, Float1D]:
    """``first`` is the row before which nothing is shown; the lines are finite from ``first - shift``."""
    count = len(close)
    cloud_a, cloud_b, future_a = np.empty(count), np.empty(count), np.empty(count)
    chikou, score = np.empty(count), np.empty(count)
    head = min(first, count)
    for line in (cloud_a, cloud_b, chikou, score):
        line[:head] = np.nan
    for t in range(count):
        future_a[t] = (conversion[t] + base[t]) / 2.0
    for t in range(first, count):
        a, b = future_a[t - shift], span[t - shift]
        cloud_a[t], cloud_b[t] = a, b
        chikou[t] = np.sign(close[t] - close[t - shift])
        place = 1.0 if close[t] > max(a, b) else -1.0 if close[t] < min(a, b) else 0.0
        signs = place + np.sign(conversion[t] - base[t]) + np.sign(close[t] - base[t])
        score[t] = 50.0 + 10.0 * (signs + chikou[t] + np.sign(future_a[t] - span[t]))
    for line in (conversion, base, future_a, span):
        line[:head] = np.nan
    return conversion, base, cloud_a, cloud_b, future_a, span, chikou, score


def ichimoku_lookback(conversion: int, base: int, span: int, shift: int) -> int:
    """NaN rows of every line: the longest window less one, and the shift."""
    return max(conversion, base, span) - 1 + shift


def ichimoku(
    high: Float1D, low: Float1D, close: Float1D, conversion: int, base: int, span: int, shift: int
) -> tuple[Float1D, ...]:
    """Conversion, base, cloud A and B, future cloud A and B, lagging comparison and score.

    Eight arrays ``(T,)``, all NaN for ``ichimoku_lookback`` rows; known at close *t*. Conversion, base
    and future B are the middles of the highest high and lowest low of that many rows, future A is the
    middle of conversion and base; the cloud is the future cloud of ``shift`` rows ago; the comparison
    is the sign of the close less the close ``shift`` rows ago. The score is 50 + 10 x the sum of five
    signs: close against the cloud (0 inside), conversion against base, close against base, the
    comparison, and future A against future B.
    """

    def middle(length: int) -> Float1D:
        return (rolling_max(high, length) + rolling_min(low, length)) / 2.0

    first = ichimoku_lookback(conversion, base, span, shift)
    return _cloud_kernel(close, middle(conversion), middle(base), middle(span), first, shift)


def _lengths(parameters: Parameters) -> tuple[int, int, int, int]:
    return (
        int(parameters["conversion"]),
        int(parameters["base"]),
        int(parameters["span"]),
        int(parameters["shift"]),
    )


def _ichimoku(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return ichimoku(columns["high"], columns["low"], columns["close"], *_lengths(parameters))


ICHIMOKU = Indicator(
    name="ichimoku",
    text="Ichimoku in its causal form: lines, cloud, cloud to come, and their score by five signs.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("conversion", 9, 2, 50),
        Parameter("base", 26, 3, 120),
        Parameter("span", 52, 4, 240),
        Parameter("shift", 26, 1, 120),
    ),
    outputs=(
        Output("conversion", "value", "price", "middle of the range of `conversion` rows"),
        Output("base", "value", "price", "middle of the range of `base` rows"),
        Output("cloud_a", "value", "price", "future_a of `shift` rows ago: the cloud of this row"),
        Output("cloud_b", "value", "price", "future_b of `shift` rows ago: the cloud of this row"),
        Output("future_a", "value", "price", "middle of conversion and base"),
        Output("future_b", "value", "price", "middle of the range of `span` rows"),
        Output("chikou", "value", "side", "sign of close less that of `shift` rows ago", -1.0, 1.0),
        Output("score", "value", "0 to 100", "50 neutral", 0.0, 100.0),
    ),
    compute=_ichimoku,
    lookback=lambda parameters: ichimoku_lookback(*_lengths(parameters)),
    stable=lambda parameters: ichimoku_lookback(*_lengths(parameters)),
)

INDICATORS = (ICHIMOKU,)
