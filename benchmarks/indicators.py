"""Our kernels against TA-Lib's on the same 100,000 bars."""

import statistics

import numpy as np
import talib

from indicators import INDICATORS_BY_NAME

from .timing import timed_pair

BARS = 100_000


def _columns() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(2)
    close = 100.0 * np.exp(np.cumsum(0.004 * generator.standard_normal(BARS)))
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 1.0 + 0.002 * generator.exponential(size=BARS)
    return {
        "open": open_,
        "high": np.maximum(open_, close) * reach,
        "low": np.minimum(open_, close) / reach,
        "close": close,
        "volume": 1000.0 * np.exp(0.5 * generator.standard_normal(BARS)),
    }


def figures() -> dict[str, float]:
    """Time over TA-Lib's (below 1 is faster), for each kernel that both have, and the median."""
    c = _columns()
    peers = {
        "atr": lambda: talib.ATR(c["high"], c["low"], c["close"], 14),
        "sma": lambda: talib.SMA(c["close"], 20),
        "ema": lambda: talib.EMA(c["close"], 20),
        "rsi": lambda: talib.RSI(c["close"], 14),
        "cci": lambda: talib.CCI(c["high"], c["low"], c["close"], 20),
        "adx": lambda: talib.ADX(c["high"], c["low"], c["close"], 14),
        "macd": lambda: talib.MACD(c["close"]),
        "aroon": lambda: talib.AROON(c["high"], c["low"], 25),
    }
    ratios = {}
    for name, theirs in peers.items():
        indicator = INDICATORS_BY_NAME.get(name)
        if indicator is None:
            continue
        parameters = indicator.resolved({})
        inputs = {column: c[column] for column in indicator.inputs}
        ours, peer = timed_pair(
            lambda indicator=indicator, inputs=inputs, parameters=parameters: indicator.compute(
                inputs, parameters
            ),
            theirs,
            runs=7,
        )
        ratios[f"{name}_time_over_talib_times"] = ours.best_s / peer.best_s
    ratios["median_time_over_talib_times"] = statistics.median(ratios.values())
    return ratios
