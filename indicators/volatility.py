"""Volatility: true range, average true range, and the bands and channels built on deviations."""

import numpy as np

from engine import Float1D, kernel

from .moving_average import (
    exponential_mean,
    exponential_stable_rows,
    wilder_mean,
    wilder_stable_rows,
)
from .rolling import percent_rank, quotient, rolling_max, rolling_mean, rolling_min, rolling_std
from .spec import Columns, Indicator, Output, Parameter, Parameters

MOST_GAPS = 3
"""Missing bars in a row beyond which a state machine forgets."""
BULGE_SETTLING_ROWS = 500
"""Rows allowed for the index to fall below the firing level once; null hourly bars took at most 61."""

__all__ = [
    "INDICATORS",
    "average_true_range",
    "bollinger_bands",
    "donchian_channel",
    "keltner_channel",
    "mass_index",
    "realised_volatility",
    "true_range",
    "wilder_stable_rows",
]


@kernel
def _true_range_kernel(high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    out = np.empty(len(close))
    for t in range(len(close)):
        spread = high[t] - low[t]
        if t > 0:
            spread = max(spread, abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1]))
        out[t] = spread
    return out


@kernel
def _bulge_kernel(
    index: Float1D, is_gap: Float1D, arm: float, fire: float, most_gaps: int
) -> Float1D:
    out = np.zeros(len(index))
    armed, gaps = False, 0
    for t in range(len(index)):
        gaps = gaps + 1 if is_gap[t] > 0 else 0
        if gaps > most_gaps:
            armed = False
        elif index[t] > arm:
            armed = True
        elif armed and index[t] < fire:
            armed = False
            out[t] = 1.0
    return out


def true_range(high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    """Largest of high - low, |high - previous close|, |low - previous close|; row 0 is high - low.

    Arrays ``(T,)`` in price units; known at close *t*; no warm-up.
    """
    return _true_range_kernel(high, low, close)


def average_true_range(high: Float1D, low: Float1D, close: Float1D, length: int) -> Float1D:
    """Wilder's mean of the true range, seeded with the mean of rows 1 to ``length``.

    Arrays ``(T,)`` in price units; known at close *t*; NaN for the first ``length`` rows. Equal to
    TA-Lib's ATR.
    """
    return wilder_mean(true_range(high, low, close), length, 1)


def bollinger_bands(
    values: Float1D, length: int, deviations: float
) -> tuple[Float1D, Float1D, Float1D]:
    """Upper, middle and lower band: mean plus, without and minus ``deviations`` times std (ddof 0).

    Arrays ``(T,)`` in the units of ``values``; known at close *t*; NaN for ``length - 1`` rows.
    """
    middle = rolling_mean(values, length)
    reach = deviations * rolling_std(values, length)
    return middle + reach, middle, middle - reach


def keltner_channel(
    high: Float1D, low: Float1D, close: Float1D, length: int, atr_length: int, multiple: float
) -> tuple[Float1D, Float1D, Float1D]:
    """Upper, middle and lower line: EMA of the typical price plus and minus ``multiple`` ATR.

    Arrays ``(T,)`` in price units; known at close *t*; NaN for ``max(length - 1, atr_length)`` rows.
    Both means are seeded so that they begin on the same row, as in TA-Lib.
    """
    first = max(length - 1, atr_length)
    middle = exponential_mean((high + low + close) / 3.0, length, first - length + 1)
    spread = true_range(high, low, close)
    reach = multiple * wilder_mean(spread, atr_length, first - atr_length + 1)
    return middle + reach, middle, middle - reach


def donchian_channel(high: Float1D, low: Float1D, length: int) -> tuple[Float1D, Float1D, Float1D]:
    """Highest high, middle and lowest low of the last ``length`` rows, row *t* included.

    Arrays ``(T,)`` in price units; known at close *t*; NaN for ``length - 1`` rows.
    """
    upper, lower = rolling_max(high, length), rolling_min(low, length)
    return upper, (upper + lower) / 2.0, lower


def mass_index(high: Float1D, low: Float1D, length: int, sum_length: int) -> Float1D:
    """Sum over ``sum_length`` rows of EMA(range) / EMA(EMA(range)) (Dorsey); 1 a row when all is flat.

    Array ``(T,)``, about ``sum_length``; known at close *t*; NaN for
    ``2 (length - 1) + sum_length - 1`` rows. It has no direction.
    """
    once = exponential_mean(high - low, length)
    twice = exponential_mean(once, length, length - 1)
    return rolling_mean(quotient(once, twice, 1.0), sum_length) * sum_length


def realised_volatility(close: Float1D, length: int) -> Float1D:
    """Standard deviation (ddof 0) of the last ``length`` logarithmic returns, in returns of one row.

    Array ``(T,)``; known at close *t*; NaN for the first ``length`` rows. Times the square root of the
    rows in a year it is the annual volatility.
    """
    returns = np.full(len(close), np.nan)
    returns[1:] = np.log(close[1:] / close[:-1])
    return rolling_std(returns, length)


def _position(close: Float1D, upper: Float1D, lower: Float1D) -> Float1D:
    return quotient(close - lower, upper - lower, 0.5)


def _true_range(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (true_range(columns["high"], columns["low"], columns["close"]),)


TRUE_RANGE = Indicator(
    name="true_range",
    text="Largest of the bar's range and its reach from the previous close.",
    inputs=("high", "low", "close"),
    parameters=(),
    outputs=(Output("true_range", "value", "price", "true range", low=0.0),),
    compute=_true_range,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 1,
)


def _atr(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    atr = average_true_range(columns["high"], columns["low"], columns["close"], length)
    return atr, atr / columns["close"]


ATR = Indicator(
    name="atr",
    text="Average true range (Wilder 1978), in price units and as a fraction of the close.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(
        Output("atr", "value", "price", "average true range", low=0.0),
        Output("atr_frac", "value", "fraction of close", "average true range / close", low=0.0),
    ),
    compute=_atr,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"])),
)


def _atr_rank(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    _, fraction = _atr(columns, parameters)
    return (percent_rank(fraction, int(parameters["window"])),)


ATR_RANK = Indicator(
    name="atr_rank",
    text="Percent rank of ATR / close among the rows before it.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200), Parameter("window", 200, 20, 1000)),
    outputs=(Output("atr_rank", "value", "percent", "percent rank", low=0.0, high=100.0),),
    compute=_atr_rank,
    lookback=lambda parameters: int(parameters["length"] + parameters["window"]),
    # A rank jumps at ties, so the average must have settled to rounding before the window begins.
    stable=lambda parameters: (
        wilder_stable_rows(int(parameters["length"]), 1, 1e-13) + int(parameters["window"])
    ),
)


def _bollinger(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    upper, middle, lower = bollinger_bands(
        close, int(parameters["length"]), parameters["deviations"]
    )
    return upper, middle, lower, _position(close, upper, lower), (upper - lower) / middle


BOLLINGER = Indicator(
    name="bollinger",
    text="Bollinger bands of the close (deviation with ddof 0).",
    inputs=("close",),
    parameters=(
        Parameter("length", 20, 5, 200),
        Parameter("deviations", 2.0, 0.5, 5.0, integer=False),
    ),
    outputs=(
        Output("upper", "value", "price", "upper band"),
        Output("middle", "value", "price", "simple mean"),
        Output("lower", "value", "price", "lower band"),
        Output("percent_b", "value", "share", "0 at the lower band, 1 at the upper, 0.5 when flat"),
        Output("bandwidth", "value", "fraction of the middle", "(upper - lower) / middle", low=0.0),
    ),
    compute=_bollinger,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _keltner(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    upper, middle, lower = keltner_channel(
        columns["high"],
        columns["low"],
        close,
        int(parameters["length"]),
        int(parameters["atr_length"]),
        parameters["multiple"],
    )
    return upper, middle, lower, _position(close, upper, lower)


KELTNER = Indicator(
    name="keltner",
    text="Keltner channel: EMA of the typical price with ATR bands.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 20, 5, 200),
        Parameter("atr_length", 10, 2, 200),
        Parameter("multiple", 2.0, 0.5, 5.0, integer=False),
    ),
    outputs=(
        Output("upper", "value", "price", "upper line"),
        Output("middle", "value", "price", "EMA of the typical price"),
        Output("lower", "value", "price", "lower line"),
        Output("position", "value", "share", "0 at the lower line, 1 at the upper, 0.5 when flat"),
    ),
    compute=_keltner,
    lookback=lambda parameters: int(max(parameters["length"] - 1, parameters["atr_length"])),
    stable=lambda parameters: max(
        exponential_stable_rows(int(parameters["length"]), 1, 1e-8),
        wilder_stable_rows(int(parameters["atr_length"]), 1, 1e-8),
    ),
)


def _donchian(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    upper, middle, lower = donchian_channel(
        columns["high"], columns["low"], int(parameters["length"])
    )
    return upper, middle, lower, _position(columns["close"], upper, lower)


DONCHIAN = Indicator(
    name="donchian",
    text="Donchian channel; it includes row t, so a breakout is tested against row t - 1.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 20, 2, 400),),
    outputs=(
        Output("upper", "value", "price", "highest high"),
        Output("middle", "value", "price", "middle of the channel"),
        Output("lower", "value", "price", "lowest low"),
        Output(
            "position", "value", "share", "0 at the low, 1 at the high, 0.5 when flat", 0.0, 1.0
        ),
    ),
    compute=_donchian,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _chandelier(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    length = int(parameters["length"])
    reach = parameters["multiple"] * average_true_range(high, low, close, length)
    long_stop, short_stop = rolling_max(high, length) - reach, rolling_min(low, length) + reach
    side = (close > long_stop).astype(np.float64) - (close < short_stop)
    return long_stop, short_stop, np.where(np.isnan(reach), np.nan, side)


CHANDELIER = Indicator(
    name="chandelier",
    text="Chandelier exits (Le Beau), not ratcheted.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 22, 5, 100),
        Parameter("multiple", 3.0, 0.5, 10.0, integer=False),
    ),
    outputs=(
        Output("long_stop", "value", "price", "highest high less the multiple of the ATR"),
        Output("short_stop", "value", "price", "lowest low plus the multiple of the ATR"),
        Output("side", "value", "side", "1 clear of both stops, -1 beyond both, else 0", -1.0, 1.0),
    ),
    compute=_chandelier,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"])),
)


def _mass_index(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, sum_length = int(parameters["length"]), int(parameters["sum_length"])
    index = mass_index(columns["high"], columns["low"], length, sum_length)
    bulge = _bulge_kernel(
        index, columns["is_gap"], parameters["arm"], parameters["fire"], MOST_GAPS
    )
    return index, bulge


MASS_INDEX = Indicator(
    name="mass_index",
    text="Mass index (Dorsey 1992); it has no direction.",
    inputs=("high", "low", "is_gap"),
    parameters=(
        Parameter("length", 9, 3, 50),
        Parameter("sum_length", 25, 5, 100),
        Parameter("arm", 27.0, 5.0, 200.0, integer=False),
        Parameter("fire", 26.5, 5.0, 200.0, integer=False),
    ),
    outputs=(
        Output("mass_index", "value", "sum of ratios", "mass index", low=0.0),
        Output(
            "bulge",
            "signal",
            "flag",
            "1 on the first row below `fire` after one above `arm`; forgotten over long gaps",
            firing_rate=(0.001, 0.03),
        ),
    ),
    compute=_mass_index,
    lookback=lambda parameters: int(2 * (parameters["length"] - 1) + parameters["sum_length"] - 1),
    stable=lambda parameters: (
        exponential_stable_rows(int(parameters["length"]), 2, 1e-8)
        + int(parameters["sum_length"])
        + BULGE_SETTLING_ROWS
    ),
)

REALISED_VOLATILITY = Indicator(
    name="realised_volatility",
    text="Standard deviation of logarithmic returns (ddof 0), not annualised.",
    inputs=("close",),
    parameters=(Parameter("length", 720, 20, 2000),),
    outputs=(Output("deviation", "value", "log return", "deviation of one row", low=0.0),),
    compute=lambda columns, parameters: (
        realised_volatility(columns["close"], int(parameters["length"])),
    ),
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (
    TRUE_RANGE,
    ATR,
    ATR_RANK,
    REALISED_VOLATILITY,
    BOLLINGER,
    KELTNER,
    DONCHIAN,
    CHANDELIER,
    MASS_INDEX,
)
