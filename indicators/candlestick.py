"""Candlestick patterns: TA-Lib's 61, which are their own definition.

A value sits on the last bar of its pattern and is known at its close. On markets without price gaps
many patterns never fire and most bars carry some pattern, so nothing should vote on "any pattern";
``REVERSALS`` are the ones that say something where the open is the previous close.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np

from engine import Float1D, Float2D, kernel

from .rolling import rolling_mean
from .spec import Columns, Indicator, Output, Parameters

PATTERNS: Final = (
    "2crows", "3blackcrows", "3inside", "3linestrike", "3outside", "3starsinsouth",
    "3whitesoldiers", "abandonedbaby", "advanceblock", "belthold", "breakaway",
    "closingmarubozu", "concealbabyswall", "counterattack", "darkcloudcover", "doji", "dojistar",
    "dragonflydoji", "engulfing", "eveningdojistar", "eveningstar", "gapsidesidewhite",
    "gravestonedoji", "hammer", "hangingman", "harami", "haramicross", "highwave", "hikkake",
    "hikkakemod", "homingpigeon", "identical3crows", "inneck", "invertedhammer", "kicking",
    "kickingbylength", "ladderbottom", "longleggeddoji", "longline", "marubozu", "matchinglow",
    "mathold", "morningdojistar", "morningstar", "onneck", "piercing", "rickshawman",
    "risefall3methods", "separatinglines", "shootingstar", "shortline", "spinningtop",
    "stalledpattern", "sticksandwich", "takuri", "tasukigap", "thrusting", "tristar",
    "unique3river", "upsidegap2crows", "xsidegap3methods",
)  # fmt: skip

INDECISION: Final = frozenset({
    "doji", "dragonflydoji", "gravestonedoji", "highwave", "longleggeddoji", "rickshawman",
    "shortline", "spinningtop", "takuri",
})  # fmt: skip
"""Without direction: TA-Lib's sign is the candle's colour or always +100. Beside SPEC's six, the
dragonfly and gravestone dojis and the takuri, whose +100 is by TA-Lib's own comment not bullish."""

TREND_FILTERED: Final[Mapping[str, int]] = MappingProxyType(
    {"hammer": -1, "invertedhammer": -1, "hangingman": 1, "shootingstar": 1}
)
"""Patterns that mean something after a trend only, and the side of that trend."""

REVERSALS: Final = (
    "3blackcrows", "3inside", "3linestrike", "3outside", "3whitesoldiers", "darkcloudcover",
    "engulfing", "eveningdojistar", "eveningstar", "hammer", "hangingman", "harami", "haramicross",
    "invertedhammer", "morningdojistar", "morningstar", "piercing", "risefall3methods",
    "shootingstar",
)  # fmt: skip

PENETRATION: Final[Mapping[str, float]] = MappingProxyType({
    "darkcloudcover": 0.5, "mathold": 0.5, "abandonedbaby": 0.3, "eveningstar": 0.3,
    "eveningdojistar": 0.3, "morningstar": 0.3, "morningdojistar": 0.3,
})  # fmt: skip
TREND_LENGTH: Final = 10


@kernel
def _finite_kernel(prices: Float2D) -> Float2D:
    # One NaN poisons TA-Lib's running averages for ever: such a bar repeats the close before it.
    out = prices.copy()
    last = 0.0
    for t in range(prices.shape[1]):
        if np.isfinite(prices[:, t]).all():
            last = prices[3, t]
        else:
            out[:, t] = last
    return out


def finite_prices(columns: Columns) -> Float2D:
    """Open, high, low and close as ``(4, T)`` float64; a bar without a price repeats the close before."""
    return _finite_kernel(
        np.stack([columns[key] for key in ("open", "high", "low", "close")]).astype(np.float64)
    )


def candlestick_pattern(columns: Columns, name: str) -> Float1D:
    """TA-Lib's value of pattern ``name`` on each bar: 0, ±80 (bodies share an end), ±100 or ±200.

    ``columns`` needs open, high, low and close, each ``(T,)``; the hammers and stars of
    ``TREND_FILTERED`` count after their trend only (close and slope of its 10-bar mean).
    """
    return pattern_value(finite_prices(columns), name)


def after_its_trend(value: Float1D, close: Float1D, name: str) -> Float1D:
    """``value`` of pattern ``name``; 0 where a pattern of ``TREND_FILTERED`` lacks its trend."""
    if name not in TREND_FILTERED:
        return value
    mean = rolling_mean(close, TREND_LENGTH)
    slope = np.diff(mean, prepend=np.nan)
    side = TREND_FILTERED[name]
    return np.where((side * (close - mean) > 0) & (side * slope > 0), value, 0.0)


def pattern_value(prices: Float2D, name: str) -> Float1D:
    """As ``candlestick_pattern``, of ``prices`` as ``finite_prices`` returns them."""
    # It imports pandas, for which who reads no candlesticks need not wait.
    import talib

    function = getattr(talib, f"CDL{name.upper()}")
    options = {"penetration": PENETRATION[name]} if name in PENETRATION else {}
    value = np.asarray(function(*prices, **options), dtype=np.float64)
    return after_its_trend(value, prices[3], name)


def _candlestick(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    prices = finite_prices(columns)
    rows = prices.shape[1]
    signs: list[Float1D] = []
    bullish, bearish, undecided = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    for name in PATTERNS:
        value = pattern_value(prices, name)
        if name in INDECISION:
            signs.append((value != 0).astype(np.float64))
            undecided += value != 0
        else:
            signs.append(np.sign(value))
            bullish += value > 0
            bearish += value < 0
    return (bullish, bearish, undecided, *signs)


def counted_reversals(
    rows: int, value_of: Callable[[str], Float1D]
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    """``REVERSAL_OUTPUTS`` from ``value_of(name)``, TA-Lib's value of a pattern, ``(rows,)``.

    Asked for every name of ``REVERSALS``.
    """
    count, strength = np.zeros((2, rows)), np.zeros((2, rows))
    for name in REVERSALS:
        value = value_of(name)
        for side, fires in enumerate((value > 0, value < 0)):
            count[side] += fires
            strength[side] += np.where(fires, np.minimum(np.abs(value) / 100.0, 1.0), 0.0)
    mean = strength / np.maximum(count, 1.0)
    return np.sign(count[0] - count[1]), count[0], count[1], mean[0], mean[1]


def _reversal(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    prices = finite_prices(columns)
    return counted_reversals(prices.shape[1], partial(pattern_value, prices))


_COMMON: Final = frozenset({
    "belthold", "closingmarubozu", "engulfing", "harami", "hikkake", "longline", "marubozu",
})  # fmt: skip


_UNDECIDED: Final = float(len(INDECISION))
_DIRECTED: Final = float(len(PATTERNS)) - _UNDECIDED


def _sign_of(name: str) -> Output:
    if name in INDECISION:
        return Output(name, "state", "flag", f"1 on TA-Lib's CDL{name.upper()}", high=1.0)
    return Output(
        name,
        "signal",
        "sign",
        f"sign of TA-Lib's CDL{name.upper()}",
        firing_rate=(0.0, 0.40) if name in _COMMON else (0.0, 0.06),
    )


CANDLESTICK = Indicator(
    name="candlestick",
    text="TA-Lib's 61 candlestick patterns: the side of each that has one, and how many argue for which.",
    inputs=("open", "high", "low", "close"),
    parameters=(),
    outputs=(
        Output("bullish_count", "state", "count", "directional patterns above 0", high=_DIRECTED),
        Output("bearish_count", "state", "count", "directional patterns below 0", high=_DIRECTED),
        Output("indecision_count", "state", "count", "patterns without direction", high=_UNDECIDED),
        *(_sign_of(name) for name in PATTERNS),
    ),
    compute=_candlestick,
    lookback=lambda parameters: 0,
    # TA-Lib's longest pattern reads 14 bars back and its yardsticks are sums of ten bars.
    stable=lambda parameters: 30,
)

_MOST_REVERSALS: Final = float(len(REVERSALS))
REVERSAL_OUTPUTS: Final = (
    Output(
        "signal", "signal", "direction", "the side with more patterns", firing_rate=(0.10, 0.50)
    ),
    Output("bullish_count", "state", "count", "bullish patterns", high=_MOST_REVERSALS),
    Output("bearish_count", "state", "count", "bearish patterns", high=_MOST_REVERSALS),
    Output("bullish_strength", "value", "score", "mean of min(1, |value| / 100)", 0.0, 1.0),
    Output("bearish_strength", "value", "score", "mean of min(1, |value| / 100)", 0.0, 1.0),
)
"""What the reversals say together, whether their gaps are strict or relaxed."""

CANDLESTICK_REVERSAL = Indicator(
    name="candlestick_reversal",
    text="The patterns of REVERSALS, which say something on markets without price gaps.",
    inputs=("open", "high", "low", "close"),
    parameters=(),
    outputs=REVERSAL_OUTPUTS,
    compute=_reversal,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 30,
)

INDICATORS = (CANDLESTICK, CANDLESTICK_REVERSAL)
