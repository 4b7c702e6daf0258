"""Who crosses the spread, by the taker columns of the bars: the share of buyers and its turns.

A bar without volume has share 0.5: nobody was aggressive.
"""

from typing import Final

import numpy as np

from engine import Float1D, kernel

from .moving_average import exponential_mean, exponential_stable_rows
from .rolling import quotient, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel(nogil=True)
def _slope_t_kernel(values: Float1D, length: int) -> Float1D:
    """Slope over its standard error, of the least-squares line through ``length`` rows."""
    out = np.full(len(values), np.nan)
    centre = (length - 1) / 2.0
    spread = length * (length * length - 1) / 12.0
    for t in range(length - 1, len(values)):
        first = t - length + 1
        mean = 0.0
        for k in range(length):
            mean += values[first + k] / length
        together, squares = 0.0, 0.0
        for k in range(length):
            together += (k - centre) * (values[first + k] - mean)
            squares += (values[first + k] - mean) ** 2
        slope = together / spread
        residual = (squares - slope * together) / (length - 2)
        flat = not squares > 1e-24 * length * (1.0 + mean * mean)
        floor = 1e-12 * squares
        out[t] = 0.0 if flat else slope / np.sqrt(max(residual, floor) / spread)
    return out


@kernel(nogil=True)
def _flow_weighted_return_kernel(log_return: Float1D, root_flow: Float1D, length: int) -> Float1D:
    out = np.full(len(log_return), np.nan)
    for t in range(length, len(log_return)):
        together, returns, flows = 0.0, 0.0, 0.0
        for i in range(t - length + 1, t + 1):
            together += log_return[i] * abs(root_flow[i])
            returns += log_return[i] ** 2
            flows += root_flow[i] ** 2
        product = returns * flows
        out[t] = together / np.sqrt(product) if product > 0 else 0.0
    return out


def taker_share(taker_buy_volume: Float1D, volume: Float1D, length: int) -> Float1D:
    """Taker buys over volume of the last ``length`` rows, ``(T,)``; 0.5 where nothing traded.

    NaN for ``length - 1`` rows.
    """
    bought, traded = rolling_sum(taker_buy_volume, length), rolling_sum(volume, length)
    return quotient(bought, traded, 0.5)


def log_returns(close: Float1D) -> Float1D:
    """``ln(close_t / close_{t-1})``, ``(T,)``; row 0 is 0. A price that is not positive gives 0."""
    ratio = close[1:] / np.where(close[:-1] > 0, close[:-1], 1.0)
    usable = (close[1:] > 0) & (close[:-1] > 0)
    result = np.zeros(len(close))
    result[1:] = np.log(np.where(usable, ratio, 1.0))
    return result


def known_from(rows: int, *columns: Float1D) -> tuple[Float1D, ...]:
    """Every column with its first ``rows`` rows NaN: one warm-up for all outputs."""
    result = []
    for column in columns:
        masked = column.copy()
        masked[:rows] = np.nan
        result.append(masked)
    return tuple(result)


def _flow_band(share: Float1D) -> Float1D:
    known = np.where(np.isnan(share), 0.5, share)
    band = 1.0 + (known > 0.40) + (known >= 0.45) + (known > 0.55) + (known > 0.60)
    return np.where(np.isnan(share), 0.0, band)


def _taker_ratio(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    smoothing = int(parameters["smoothing"])
    share = taker_share(columns["taker_buy_volume"], columns["volume"], 1)
    smooth = exponential_mean(share, smoothing)
    reach, lean = parameters["strong"] - 0.5, parameters["moderate"] - 0.5
    buys = (share - 0.5 > reach) & (smooth - 0.5 > lean)
    sells = (0.5 - share > reach) & (0.5 - smooth > lean)
    strong = buys.astype(np.float64) - sells
    (shown,) = known_from(smoothing - 1, share)
    far = np.abs(shown - 0.5) > parameters["imbalance"]
    return shown, smooth, _flow_band(smooth), strong, np.where(far, np.sign(shown - 0.5), 0.0)


def _taker_trend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, lag = int(parameters["length"]), int(parameters["momentum_lag"])
    smoothing = int(parameters["smoothing"])
    share = taker_share(columns["taker_buy_volume"], columns["volume"], 1)
    smooth = exponential_mean(share, smoothing)
    momentum = np.full(len(share), np.nan)
    momentum[lag:] = share[lag:] - share[:-lag]
    change = np.full(len(share), np.nan)
    change[length:] = smooth[length:] - smooth[:-length]
    rise = np.full(len(share), np.nan)
    rise[length:] = columns["close"][length:] - columns["close"][:-length]
    drop = parameters["divergence"]
    signal = ((rise < 0) & (change > drop)).astype(np.float64) - ((rise > 0) & (change < -drop))
    momentum, slope, change = known_from(
        _taker_trend_lookback(parameters), momentum, _slope_t_kernel(share, length), change
    )
    limit = parameters["slope_errors"]
    trend = (slope > limit).astype(np.float64) - (slope < -limit)
    return momentum, slope, change, signal, trend


def _taker_trend_lookback(parameters: Parameters) -> int:
    length = int(parameters["length"])
    return max(length + int(parameters["smoothing"]) - 1, int(parameters["momentum_lag"]))


def _volume_sentiment(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    share = taker_share(columns["taker_buy_volume"], columns["volume"], length)
    flow = 2.0 * columns["taker_buy_quote"] - columns["quote_volume"]
    root_flow = np.sign(flow) * np.sqrt(np.abs(flow))
    weighted = _flow_weighted_return_kernel(log_returns(columns["close"]), root_flow, length)
    weighted = np.clip(weighted, -1.0, 1.0)
    score = 80.0 * share + 0.2 * (50.0 + 50.0 * np.tanh(weighted / 0.5))
    return known_from(length, np.clip(score, 0.0, 100.0), share, weighted)


_SMOOTHING: Final = Parameter("smoothing", 6, 2, 48)

TAKER_RATIO = Indicator(
    name="taker_ratio",
    text="Taker buy share of the volume: one bar, its EMA, the band of the EMA and the strong sides.",
    inputs=("volume", "taker_buy_volume"),
    parameters=(
        _SMOOTHING,
        Parameter("strong", 0.60, 0.52, 0.80, integer=False),
        Parameter("moderate", 0.55, 0.50, 0.70, integer=False),
        Parameter("imbalance", 0.10, 0.02, 0.30, integer=False),
    ),
    outputs=(
        Output("share", "value", "fraction", "taker_buy_volume / volume", 0.0, 1.0),
        Output("smooth", "value", "fraction", "EMA of the share", 0.0, 1.0),
        Output(
            "band", "state", "", "of the EMA: 1 below .40, 2 to .45, 3 to .55, 4 to .60, 5 above"
        ),
        Output(
            "strong",
            "signal",
            "",
            "1 where the bar's share exceeds `strong` and its EMA `moderate`; -1 mirrored",
            firing_rate=(0.0005, 0.06),
        ),
        Output(
            "imbalance",
            "signal",
            "",
            "side of the bar's share where it is further than `imbalance` from one half",
            firing_rate=(0.002, 0.15),
        ),
    ),
    compute=_taker_ratio,
    lookback=lambda parameters: int(parameters["smoothing"]) - 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["smoothing"])),
)

TAKER_TREND = Indicator(
    name="taker_trend",
    text="Momentum and slope of the taker buy share, and its divergence from price.",
    inputs=("close", "volume", "taker_buy_volume"),
    parameters=(
        Parameter("length", 20, 5, 100),
        Parameter("momentum_lag", 10, 1, 50),
        _SMOOTHING,
        Parameter("divergence", 0.05, 0.01, 0.20, integer=False),
        Parameter("slope_errors", 2.0, 1.0, 4.0, integer=False),
    ),
    outputs=(
        Output("momentum", "value", "fraction", "share less the share `momentum_lag` rows ago"),
        Output("slope", "value", "standard errors", "slope over `length` rows / its error"),
        Output("change", "value", "fraction", "EMA of the share less itself `length` rows ago"),
        Output(
            "divergence",
            "signal",
            "",
            "-1: price up over `length` rows while the EMA fell by `divergence`; 1 mirrored",
            firing_rate=(0.01, 0.20),
        ),
        Output(
            "trend",
            "signal",
            "",
            "sign of the slope where it exceeds `slope_errors` standard errors",
            firing_rate=(0.03, 0.40),
        ),
    ),
    compute=_taker_trend,
    lookback=_taker_trend_lookback,
    stable=lambda parameters: (
        exponential_stable_rows(int(parameters["smoothing"]))
        + int(max(parameters["length"], parameters["momentum_lag"]))
    ),
)

VOLUME_SENTIMENT = Indicator(
    name="volume_sentiment",
    text=(
        "Sentiment of volume: 80 % taker buy share, 20 % returns weighted by the root of the flow. "
        "The seed divides return by signed root flow, which is the same number on a mirrored market "
        "and so cannot take a side; here each return is weighted by the size of the flow instead."
    ),
    inputs=("close", "volume", "taker_buy_volume", "quote_volume", "taker_buy_quote"),
    parameters=(Parameter("length", 20, 5, 200),),
    outputs=(
        Output("score", "value", "score", "80 share + 10 + 10 tanh(weighted / 0.5)", 0.0, 100.0),
        Output("share", "value", "fraction", "taker buys over volume, `length` rows", 0.0, 1.0),
        Output("weighted", "value", "", "flow-weighted return over its bound", -1.0, 1.0),
    ),
    compute=_volume_sentiment,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (TAKER_RATIO, TAKER_TREND, VOLUME_SENTIMENT)
